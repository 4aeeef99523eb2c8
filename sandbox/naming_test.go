package sandbox_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/oppflow/oppflow/sandbox"
	"github.com/oppflow/oppflow/sandbox/assumptions"
)

// namingTest is a document that contains %[1]s in place of a name, and the expected response.
type namingTest struct {
	document string
	// variables returns the variables of the document; a nil function means that the document has
	// no variables.
	variables func(name string) vars
	want      string
}

// The document of each test uses the name in literals, in variables, or in both.
func namingTests() map[assumptions.Name]namingTest {
	const node = `{ opportunities(first: 1) { edges { node { it: %[1]s } } } }`
	list := func(answers string) namingTest {
		return namingTest{document: `{ it: %[1]s(first: 1, filters: {field: id, operation: notnull}, order: {field: id}) { edges { node { it: __typename } } } }`, want: answers}
	}
	interest := func(selection, answers string) namingTest {
		return namingTest{document: fmt.Sprintf(`mutation { opportunities { addInterest(input: {opportunityId: %q, interestDetails: {id: %q, quantity: 3, unitAmount: "10.00"}}) { interests { %s } } } }`,
			oneOpportunity, eventOne, selection), want: answers}
	}
	input := func(mutation, typ, selection, answers string, members vars, value any) namingTest {
		return namingTest{
			document: fmt.Sprintf(`mutation ($input: %s!) { opportunities { %s(input: $input) { errors { label } opportunity { %s } } } }`, typ, mutation, selection),
			variables: func(name string) vars {
				all := vars{name: value}
				for member, value := range members {
					all[member] = value
				}
				return vars{"input": all}
			},
			want: answers,
		}
	}
	event := func(value, field, answers string) namingTest {
		return namingTest{document: fmt.Sprintf(`mutation { event { update(eventId: %q, input: {%%[1]s: %s}) { errors { label } event { %s } } } }`, eventOne, value, field), want: answers}
	}
	filter := func(value string) namingTest {
		return namingTest{
			document: `query ($f: [OpportunityFieldGraphFilter], $by: OpportunityField!, $default: OpportunityFieldGraphFilter = {field: %[1]s, operation: notnull}) {
				one: opportunities(filters: $f, order: {field: %[1]s}) { pageInfo { totalRecords } }
				two: opportunities(filters: {field: %[1]s, operation: eq, value: "` + value + `"}) { pageInfo { totalRecords } }
				three: opportunities(filters: [$default, {field: $by, operation: eq, value: "` + value + `"}]) { pageInfo { totalRecords } }
			}`,
			variables: func(name string) vars {
				return vars{"f": vars{"field": name, "operation": "eq", "value": value}, "by": name}
			},
			want: "1 1 1",
		}
	}
	attributes := []any{vars{"definitionKey": "k", "value": "v"}}
	return map[assumptions.Name]namingTest{
		assumptions.QueryRegions:         list("Region"),
		assumptions.QueryCourseTemplates: list("CourseTemplate"),
		assumptions.QueryLearningPaths:   list("LearningPath"),
		assumptions.QueryTokenTypes:      list("TrainingTokenType"),
		assumptions.QueryInvoices:        list(""),
		assumptions.OpportunityRegion:    {document: `{ opportunities(first: 1) { edges { node { ...named } } } } fragment named on Opportunity { it: %[1]s { name } }`, want: "UK"},
		assumptions.OpportunityCreated:   {document: node, want: "2026-03-02T09:00:00+00:00"},
		assumptions.OpportunityUpdated:   {document: node, want: "2026-03-02T09:00:00+00:00"},
		assumptions.OpportunityTokens:    {document: `{ opportunities(first: 1) { edges { node { name it: %[1]s { quantity } } } } }`, want: "Annual first aid refresher"},
		assumptions.LearnerRegistration:  {document: `{ hello node(id: "UmVnaW9uOkRS") { ... on Learner { %[1]s { id } } } }`, want: "Hello"},
		assumptions.InterestQuantity:     interest(`... on OpportunityInterest { it: %[1]s } `, "3"),
		assumptions.InterestUnit:         interest(`it: %[1]s`, "10.00"),
		assumptions.InterestEvent:        interest(`item { __typename ... on InterestItem { own: __typename } ... on %[1]s { code } }`, "%[1]s ABC-123-01 %[1]s"),
		assumptions.InvoiceLines:         {document: `{ hello node(id: "UmVnaW9uOkRS") { ... on Invoice { %[1]s { quantity } } } }`, want: "Hello"},
		assumptions.ExtendOpportunity: {document: fmt.Sprintf(`mutation { opportunities { extendReservations(input: {opportunityId: %q, reservationsValidUntil: "2031-01-01T00:00:00Z"}) { errors { label } it: %%[1]s { name } } } }`,
			oneOpportunity), want: "Annual first aid refresher"},
		assumptions.CreateAttributes: input("create", "OpportunityCreateInput", "attributes { value }", "v", vars{"name": "x", "regionId": "UmVnaW9uOkRS"}, attributes),
		assumptions.UpdateAttributes: input("update", "OpportunityUpdateInput", "attributes { value }", "v", vars{"id": oneOpportunity}, attributes),
		assumptions.UpdateName:       input("update", "OpportunityUpdateInput", "name", "other", vars{"id": oneOpportunity}, "other"),
		assumptions.EventTitle:       event(`"Other"`, "title", "Other"),
		assumptions.EventState:       event(`"draft"`, "lifecycleState", "draft"),
		assumptions.EventPlaces:      event("7", "maxPlaces", "7"),
		assumptions.FilterName:       filter("Annual first aid refresher"),
		assumptions.FilterAccount:    filter("T3JnYW5pc2F0aW9uOjE="),
		assumptions.FilterCreated:    filter("2026-03-02T09:00:00Z"),
		assumptions.FilterUpdated:    filter("2026-03-02T09:00:00Z"),
		assumptions.FilterOwner:      filter("VXNlcjox"),
		assumptions.FilterContact:    filter("UGVyc29uOjI="),
		assumptions.FilterOperation: {
			document:  `query ($o: %[1]s!, $more: %[1]s = isnull) { opportunities(filters: [{field: id, operation: $o}, {field: id, operation: notnull}]) { edges { node { name } } } none: opportunities(filters: {field: id, operation: $more}) { edges { node { name } } } }`,
			variables: func(string) vars { return vars{"o": "notnull"} }, want: "Annual first aid refresher",
		},
		assumptions.Order: {
			document:  `query ($o: [OpportunityFieldGraphOrder]) { opportunities(%[1]s: {field: name, direction: desc}) { edges { node { name } } } again: opportunities(%[1]s: $o) { edges { node { name } } } }`,
			variables: func(string) vars { return vars{"o": vars{"field": "name"}} }, want: "Annual first aid refresher Annual first aid refresher",
		},
		assumptions.InterestExisting: {},
		assumptions.FilterTypes:      {},
		assumptions.OrderTypes:       {},
		assumptions.InputTypes:       {},
		assumptions.OtherInputTypes:  {},
		assumptions.InvoiceID:        {},
		assumptions.UserID:           {},
		assumptions.CurrencyPrefix:   {},
		assumptions.LogPrefix:        {},
	}
}

func (n namingTest) post(t *testing.T, a *api, word string) reply {
	t.Helper()
	var v vars
	if n.variables != nil {
		v = n.variables(word)
	}
	return a.post(t, strings.ReplaceAll(n.document, "%[1]s", word), v)
}

func (n namingTest) wantUnknown(t *testing.T, a *api, word string) {
	t.Helper()
	answer := n.post(t, a, word)
	if answer.hasData() || !slices.ContainsFunc(answer.Errors, func(e failure) bool { return strings.Contains(e.Message, word) }) {
		t.Errorf("%s is taken: %s", word, answer.raw)
	}
}

// A request finds each part of the schema only under the chosen name of the part.
func TestAssumedNamesCanBeChanged(t *testing.T) {
	t.Parallel()
	const other = "anyOther"
	tests := namingTests()
	absent := map[string]string{}
	for _, row := range assumptions.All() {
		if _, ok := tests[row.Name]; row.AnyName && !ok {
			t.Errorf("no test covers the assumption %s", row.Name)
		}
		if row.AnyName && row.Options[len(row.Options)-1].Value == assumptions.Absent && row.Name != assumptions.Order {
			absent[string(row.Name)] = assumptions.Absent
		}
	}
	plain, without := open(t, sandbox.Options{}), open(t, sandbox.Options{Assumptions: absent})
	withoutOrder := open(t, sandbox.Options{Assumptions: map[string]string{string(assumptions.Order): assumptions.Absent}})
	for _, row := range assumptions.All() {
		test := tests[row.Name]
		if test.document == "" {
			continue
		}
		t.Run(string(row.Name), func(t *testing.T) {
			a := open(t, sandbox.Options{Assumptions: map[string]string{string(row.Name): other}, Now: newClock().Now})
			mustSucceed(t, a.mutate(t, "update", fmt.Sprintf(`id: %q, accountId: "T3JnYW5pc2F0aW9uOjE=", ownerId: "VXNlcjox", contactId: "UGVyc29uOjI="`, oneOpportunity), "opportunity { id }"))
			for i, v := range row.Options {
				if v.Value == assumptions.Absent {
					continue
				}
				test.wantUnknown(t, a, v.Value)
				if i > 0 {
					test.wantUnknown(t, plain, v.Value)
				}
				switch {
				case row.Name == assumptions.Order:
					test.wantUnknown(t, withoutOrder, v.Value)
				case absent[string(row.Name)] != "":
					test.wantUnknown(t, without, v.Value)
				}
			}
			answer := test.post(t, a, other)
			if want := strings.ReplaceAll(test.want, "%[1]s", other); len(answer.Errors) > 0 || leaves(answer.Data) != want {
				t.Errorf("%s, want %s", answer.raw, want)
			}
		})
	}
}

func TestExistingLearnersMayBeObjects(t *testing.T) {
	t.Parallel()
	const contact = "UGVyc29uOjI="
	const add = `opportunities { addInterest(input: {opportunityId: $o, interestDetails: {id: "Q291cnNlVGVtcGxhdGU6MTE=", quantity: 1, unitAmount: "1", courseDetails: %s}}) { errors { label } interests { learners { edges { node { firstName } } } } } }`
	bare := fmt.Sprintf(`mutation ($o: ID!, $c: ID!) { `+add+` }`, `{existingLearners: [$c]}`)
	v := func(more vars) vars {
		more["o"] = oneOpportunity
		return more
	}
	object := vars{"who": contact}
	for name, choice := range map[string]string{"ids": "ids", "objects": "who", "none": "empty"} {
		t.Run(name, func(t *testing.T) {
			a := open(t, sandbox.Options{Assumptions: map[string]string{string(assumptions.InterestExisting): choice}})
			want := map[string]string{"ids": "Melissa", "objects": "refused", "none": "Invalid Value"}[name]
			got := a.post(t, bare, v(vars{"c": contact}))
			if told := leaves(got.Data); told != want && (want != "refused" || got.hasData()) {
				t.Errorf("a bare id: %s", got.raw)
			}
			for where, test := range map[string]struct {
				document string
				v        vars
			}{
				"a literal":             {fmt.Sprintf(`mutation ($o: ID!, $c: ID!) { `+add+` }`, `{existingLearners: [{who: $c}]}`), v(vars{"c": contact})},
				"a single literal":      {fmt.Sprintf(`mutation ($o: ID!) { `+add+` }`, `{existingLearners: {who: "`+contact+`"}}`), v(vars{})},
				"a variable":            {fmt.Sprintf(`mutation ($o: ID!, $l: [ExistingLearnerInput]) { `+add+` }`, `{existingLearners: $l}`), v(vars{"l": []any{object}})},
				"a variable of one":     {fmt.Sprintf(`mutation ($o: ID!, $l: ExistingLearnerInput) { `+add+` }`, `{existingLearners: [$l]}`), v(vars{"l": object})},
				"a default":             {fmt.Sprintf(`mutation ($o: ID!, $l: [ExistingLearnerInput] = [{who: "`+contact+`"}]) { `+add+` }`, `{existingLearners: $l}`), v(vars{})},
				"a variable around it":  {fmt.Sprintf(`mutation ($o: ID!, $d: OpportunityInterestLearnersInput) { `+add+` }`, `$d`), v(vars{"d": vars{"existingLearners": []any{object}}})},
				"the single one around": {fmt.Sprintf(`mutation ($o: ID!, $d: OpportunityInterestLearnersInput) { `+add+` }`, `$d`), v(vars{"d": vars{"existingLearners": object}})},
			} {
				answer := a.post(t, test.document, test.v)
				if told := leaves(answer.Data); name == "objects" && told != "Melissa" || name != "objects" && answer.hasData() && told != "" {
					t.Errorf("%s: %s", where, answer.raw)
				}
			}
		})
	}
}

// Observed (API notes 3.3): documents use the names EventFieldGraphFilter, AccountFieldGraphFilter,
// ContactFieldGraphFilter and CourseTemplateFieldGraphFilter. No assumption changes these names.
func TestAssumedTypesCanBeChanged(t *testing.T) {
	t.Parallel()
	for row, test := range map[assumptions.Name]struct {
		other         string
		first, second []string // the visible names with the default value and with the other value
		always        []string
	}{
		assumptions.FilterTypes: {
			"filter",
			[]string{"OpportunityFieldGraphFilter", "RegionFieldGraphFilter"},
			[]string{"OpportunityFilter", "RegionFilter"},
			[]string{"EventFieldGraphFilter", "AccountFieldGraphFilter", "ContactFieldGraphFilter", "CourseTemplateFieldGraphFilter", "OpportunityCreateInput", "OpportunityUpdateInput", "OpportunityField"},
		},
		assumptions.OrderTypes: {"order", []string{"OpportunityFieldGraphOrder", "EventFieldGraphOrder"}, []string{"OpportunityOrder", "EventOrder"}, []string{"OpportunityFieldGraphFilter"}},
		assumptions.InputTypes: {
			"verb", []string{"OpportunityProgressInput", "OpportunityAddInterestInput"}, []string{"ProgressInput", "AddInterestInput"}, []string{"OpportunityCreateInput", "OpportunityUpdateInput"},
		},
		assumptions.OtherInputTypes: {
			"graph-input",
			[]string{"AccountUpdateInput", "PostalAddressInput", "OpportunityInterestDetailsInput", "InvoiceUpdateInput"},
			[]string{"AccountUpdateGraphInput", "PostalAddressGraphInput", "OpportunityInterestDetailsGraphInput", "InvoiceUpdateGraphInput"},
			[]string{"OpportunityCreateInput", "OpportunityUpdateInput", "AccountCreateInput", "ContactCreateInput", "ExternalIntegrationLogCreateInput", "OpportunityProgressInput"},
		},
	} {
		for choice, has := range map[string][2][]string{"": {test.first, test.second}, test.other: {test.second, test.first}} {
			o := sandbox.Options{}
			if choice != "" {
				o.Assumptions = map[string]string{string(row): choice}
			}
			a := open(t, o)
			told := func(name string) string {
				return a.leavesOf(t, fmt.Sprintf(`{ __type(name: %q) { kind } }`, name))
			}
			for _, name := range slices.Concat(has[0], test.always) {
				if told(name) == "" {
					t.Errorf("%s=%s: no type %s", row, choice, name)
				}
			}
			for _, name := range has[1] {
				if told(name) != "" {
					t.Errorf("%s=%s: a type %s", row, choice, name)
				}
			}
		}
	}
	a := open(t, sandbox.Options{Assumptions: map[string]string{string(assumptions.FilterTypes): "filter", string(assumptions.OrderTypes): "order", string(assumptions.InputTypes): "verb"}})
	data := a.query(t, `query ($f: [OpportunityFilter], $o: OpportunityOrder) { opportunities(filters: $f, order: [$o]) { edges { node { name } } } }`,
		vars{"f": vars{"field": "name", "operation": "like", "value": "%aid%"}, "o": vars{"field": "name"}})
	if got := leaves(data); got != "Annual first aid refresher" {
		t.Error(got)
	}
	other := open(t, sandbox.Options{Assumptions: map[string]string{string(assumptions.OtherInputTypes): "graph-input"}})
	added := other.query(t, `mutation ($in: OpportunityAddInterestInput!) { opportunities { addInterest(input: $in) { errors { label } interests { item { __typename } } } } }`,
		vars{"in": vars{"opportunityId": oneOpportunity, "interestDetails": vars{"id": "Q291cnNlVGVtcGxhdGU6MTE=", "quantity": 1, "unitAmount": "1.00"}}})
	if got := leaves(added); got != "CourseTemplate" {
		t.Error(got)
	}
	moved := a.query(t, `mutation ($in: ProgressInput!) { opportunities { progress(input: $in) { errors { label } opportunity { step { name } } } } }`, vars{"in": vars{"opportunityId": oneOpportunity, "stepId": stepOpportunity}})
	if got := leaves(moved); got != "Opportunity" {
		t.Error(got)
	}
}

// A chosen name that the schema already uses would make the schema ambiguous, so the sandbox
// refuses the name.
func TestNamesThatAreTakenAreRefused(t *testing.T) {
	t.Parallel()
	for row, name := range map[assumptions.Name]string{
		assumptions.InterestQuantity: "totalAmount", assumptions.QueryRegions: "events", assumptions.Order: "first", assumptions.FilterName: "stageName", assumptions.InterestEvent: "Contact", assumptions.FilterOperation: "OpportunityField",
	} {
		if a, err := tryOpen(t, sandbox.Options{Assumptions: map[string]string{string(row): name}}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s=%s: %v", row, name, err)
			if err == nil {
				_ = a.Close()
			}
		}
	}
	for _, name := range []string{"", "__x", "two words", "9", "é", "-"} {
		if _, err := assumptions.ParseChoices(map[string]string{string(assumptions.QueryRegions): name}); err == nil || !strings.Contains(err.Error(), "any other GraphQL name") {
			t.Errorf("%q: %v", name, err)
		}
	}
}
