package sandbox_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/oppflow/oppflow/sandbox"
	"github.com/oppflow/oppflow/sandbox/assume"
)

// naming is a document with a name, in place of %[1]s, and the expected answer.
type naming struct {
	document string
	// variables of the document; nil for none.
	variables func(name string) vars
	answers   string
}

// namings returns, for each row whose value is a name, a document that uses the name as a literal, in a variable, or both.
func namings() map[assume.Name]naming {
	const node = `{ opportunities(first: 1) { edges { node { it: %[1]s } } } }`
	list := func(answers string) naming {
		return naming{document: `{ it: %[1]s(first: 1, filters: {field: id, operation: notnull}, order: {field: id}) { edges { node { it: __typename } } } }`, answers: answers}
	}
	interest := func(selection, answers string) naming {
		return naming{document: fmt.Sprintf(`mutation { opportunities { addInterest(input: {opportunityId: %q, interestDetails: {id: %q, quantity: 3, unitAmount: "10.00"}}) { interests { %s } } } }`,
			oneOpportunity, eventOne, selection), answers: answers}
	}
	input := func(mutation, typ, selection, answers string, members vars, value any) naming {
		return naming{
			document: fmt.Sprintf(`mutation ($input: %s!) { opportunities { %s(input: $input) { errors { label } opportunity { %s } } } }`, typ, mutation, selection),
			variables: func(name string) vars {
				all := vars{name: value}
				for member, value := range members {
					all[member] = value
				}
				return vars{"input": all}
			},
			answers: answers,
		}
	}
	event := func(value, field, answers string) naming {
		return naming{document: fmt.Sprintf(`mutation { event { update(eventId: %q, input: {%%[1]s: %s}) { errors { label } event { %s } } } }`, eventOne, value, field), answers: answers}
	}
	filter := func(value string) naming {
		return naming{
			document: `query ($f: [OpportunityFieldGraphFilter], $by: OpportunityField!, $default: OpportunityFieldGraphFilter = {field: %[1]s, operation: notnull}) {
				one: opportunities(filters: $f, order: {field: %[1]s}) { pageInfo { totalRecords } }
				two: opportunities(filters: {field: %[1]s, operation: eq, value: "` + value + `"}) { pageInfo { totalRecords } }
				three: opportunities(filters: [$default, {field: $by, operation: eq, value: "` + value + `"}]) { pageInfo { totalRecords } }
			}`,
			variables: func(name string) vars {
				return vars{"f": vars{"field": name, "operation": "eq", "value": value}, "by": name}
			},
			answers: "1 1 1",
		}
	}
	attributes := []any{vars{"definitionKey": "k", "value": "v"}}
	return map[assume.Name]naming{
		assume.QueryRegions:         list("Region"),
		assume.QueryCourseTemplates: list("CourseTemplate"),
		assume.QueryLearningPaths:   list("LearningPath"),
		assume.QueryTokenTypes:      list("TrainingTokenType"),
		assume.QueryInvoices:        list(""),
		assume.OpportunityRegion:    {document: `{ opportunities(first: 1) { edges { node { ...named } } } } fragment named on Opportunity { it: %[1]s { name } }`, answers: "UK"},
		assume.OpportunityCreated:   {document: node, answers: "2026-03-02T09:00:00+00:00"},
		assume.OpportunityUpdated:   {document: node, answers: "2026-03-02T09:00:00+00:00"},
		assume.OpportunityTokens:    {document: `{ opportunities(first: 1) { edges { node { name it: %[1]s { quantity } } } } }`, answers: "Annual first aid refresher"},
		assume.InterestQuantity:     interest(`... on OpportunityInterest { it: %[1]s } `, "3"),
		assume.InterestUnit:         interest(`it: %[1]s`, "10.00"),
		assume.InterestEvent:        interest(`item { __typename ... on InterestItem { own: __typename } ... on %[1]s { code } }`, "%[1]s ABC-123-01 %[1]s"),
		assume.InvoiceLines:         {document: `{ hello node(id: "UmVnaW9uOkRS") { ... on Invoice { %[1]s { quantity } } } }`, answers: "Hello"},
		assume.ExtendOpportunity: {document: fmt.Sprintf(`mutation { opportunities { extendReservations(input: {opportunityId: %q, reservationsValidUntil: "2031-01-01T00:00:00Z"}) { errors { label } it: %%[1]s { name } } } }`,
			oneOpportunity), answers: "Annual first aid refresher"},
		assume.CreateAttributes: input("create", "OpportunityCreateInput", "attributes { value }", "v", vars{"name": "x", "regionId": "UmVnaW9uOkRS"}, attributes),
		assume.UpdateAttributes: input("update", "OpportunityUpdateInput", "attributes { value }", "v", vars{"id": oneOpportunity}, attributes),
		assume.UpdateName:       input("update", "OpportunityUpdateInput", "name", "other", vars{"id": oneOpportunity}, "other"),
		assume.EventTitle:       event(`"Other"`, "title", "Other"),
		assume.EventState:       event(`"draft"`, "lifecycleState", "draft"),
		assume.EventPlaces:      event("7", "maxPlaces", "7"),
		assume.FilterName:       filter("Annual first aid refresher"),
		assume.FilterAccount:    filter("T3JnYW5pc2F0aW9uOjE="),
		assume.FilterCreated:    filter("2026-03-02T09:00:00Z"),
		assume.FilterUpdated:    filter("2026-03-02T09:00:00Z"),
		assume.FilterOwner:      filter("VXNlcjox"),
		assume.FilterContact:    filter("UGVyc29uOjI="),
		assume.FilterOperation: {
			document:  `query ($o: %[1]s!, $more: %[1]s = isnull) { opportunities(filters: [{field: id, operation: $o}, {field: id, operation: notnull}]) { edges { node { name } } } none: opportunities(filters: {field: id, operation: $more}) { edges { node { name } } } }`,
			variables: func(string) vars { return vars{"o": "notnull"} }, answers: "Annual first aid refresher",
		},
		assume.Order: {
			document:  `query ($o: [OpportunityFieldGraphOrder]) { opportunities(%[1]s: {field: name, direction: desc}) { edges { node { name } } } again: opportunities(%[1]s: $o) { edges { node { name } } } }`,
			variables: func(string) vars { return vars{"o": vars{"field": "name"}} }, answers: "Annual first aid refresher Annual first aid refresher",
		},
		assume.InterestExisting: {},
		assume.FilterTypes:      {},
		assume.OrderTypes:       {},
		assume.InputTypes:       {},
		assume.OtherInputTypes:  {},
		assume.InvoiceID:        {},
		assume.UserID:           {},
		assume.CurrencyPrefix:   {},
		assume.LogPrefix:        {},
	}
}

// said sends the document of a naming with the given name.
func (n naming) said(t *testing.T, a *api, word string) reply {
	t.Helper()
	var v vars
	if n.variables != nil {
		v = n.variables(word)
	}
	return a.post(t, strings.ReplaceAll(n.document, "%[1]s", word), v)
}

// unknown expects that the document is refused as a whole because of the name.
func (n naming) unknown(t *testing.T, a *api, word string) {
	t.Helper()
	answer := n.said(t, a, word)
	if answer.hasData() || !slices.ContainsFunc(answer.Errors, func(e failure) bool { return strings.Contains(e.Message, word) }) {
		t.Errorf("%s is taken: %s", word, answer.raw)
	}
}

// Everything is found only under its current name. What is absent is found under no name.
func TestNamesThatAreOnlyAssumedCanBeOthers(t *testing.T) {
	t.Parallel()
	const other = "anyOther"
	tests := namings()
	absent := map[string]string{}
	for _, row := range assume.Table() {
		if _, ok := tests[row.Name]; row.Free && !ok {
			t.Errorf("nothing tries %s", row.Name)
		}
		if row.Free && row.Values[len(row.Values)-1].Value == assume.Absent && row.Name != assume.Order {
			absent[string(row.Name)] = assume.Absent
		}
	}
	plain, without := open(t, sandbox.Options{}), open(t, sandbox.Options{Assume: absent})
	withoutOrder := open(t, sandbox.Options{Assume: map[string]string{string(assume.Order): assume.Absent}})
	for _, row := range assume.Table() {
		test := tests[row.Name]
		if test.document == "" {
			continue
		}
		t.Run(string(row.Name), func(t *testing.T) {
			a := open(t, sandbox.Options{Assume: map[string]string{string(row.Name): other}, Now: newClock().Now})
			must(t, a.mutate(t, "update", fmt.Sprintf(`id: %q, accountId: "T3JnYW5pc2F0aW9uOjE=", ownerId: "VXNlcjox", contactId: "UGVyc29uOjI="`, oneOpportunity), "opportunity { id }"))
			for i, v := range row.Values {
				if v.Value == assume.Absent {
					continue
				}
				test.unknown(t, a, v.Value)
				if i > 0 {
					test.unknown(t, plain, v.Value)
				}
				switch {
				case row.Name == assume.Order:
					test.unknown(t, withoutOrder, v.Value)
				case absent[string(row.Name)] != "":
					test.unknown(t, without, v.Value)
				}
			}
			answer := test.said(t, a, other)
			if want := strings.ReplaceAll(test.answers, "%[1]s", other); len(answer.Errors) > 0 || leaves(answer.Data) != want {
				t.Errorf("%s, want %s", answer.raw, want)
			}
		})
	}
}

// The entries of existingLearners are objects, in literals and in variables of every depth.
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
			a := open(t, sandbox.Options{Assume: map[string]string{string(assume.InterestExisting): choice}})
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

// OBS (3.3): EventFieldGraphFilter, AccountFieldGraphFilter, ContactFieldGraphFilter, CourseTemplateFieldGraphFilter. These names stay, whatever the
// others are.
func TestTypesThatAreOnlyAssumedCanBeOthers(t *testing.T) {
	t.Parallel()
	for row, test := range map[assume.Name]struct {
		other         string
		first, second []string // type and value, by the default and the other
		always        []string
	}{
		assume.FilterTypes: {
			"filter",
			[]string{"OpportunityFieldGraphFilter", "RegionFieldGraphFilter"},
			[]string{"OpportunityFilter", "RegionFilter"},
			[]string{"EventFieldGraphFilter", "AccountFieldGraphFilter", "ContactFieldGraphFilter", "CourseTemplateFieldGraphFilter", "OpportunityCreateInput", "OpportunityUpdateInput", "OpportunityField"},
		},
		assume.OrderTypes: {"order", []string{"OpportunityFieldGraphOrder", "EventFieldGraphOrder"}, []string{"OpportunityOrder", "EventOrder"}, []string{"OpportunityFieldGraphFilter"}},
		assume.InputTypes: {
			"verb", []string{"OpportunityProgressInput", "OpportunityAddInterestInput"}, []string{"ProgressInput", "AddInterestInput"}, []string{"OpportunityCreateInput", "OpportunityUpdateInput"},
		},
		assume.OtherInputTypes: {
			"graph-input",
			[]string{"AccountUpdateInput", "PostalAddressInput", "OpportunityInterestDetailsInput", "InvoiceUpdateInput"},
			[]string{"AccountUpdateGraphInput", "PostalAddressGraphInput", "OpportunityInterestDetailsGraphInput", "InvoiceUpdateGraphInput"},
			[]string{"OpportunityCreateInput", "OpportunityUpdateInput", "AccountCreateInput", "ContactCreateInput", "ExternalIntegrationLogCreateInput", "OpportunityProgressInput"},
		},
	} {
		for choice, has := range map[string][2][]string{"": {test.first, test.second}, test.other: {test.second, test.first}} {
			o := sandbox.Options{}
			if choice != "" {
				o.Assume = map[string]string{string(row): choice}
			}
			a := open(t, o)
			told := func(name string) string {
				return a.told(t, fmt.Sprintf(`{ __type(name: %q) { kind } }`, name))
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
	a := open(t, sandbox.Options{Assume: map[string]string{string(assume.FilterTypes): "filter", string(assume.OrderTypes): "order", string(assume.InputTypes): "verb"}})
	data := a.ask(t, `query ($f: [OpportunityFilter], $o: OpportunityOrder) { opportunities(filters: $f, order: [$o]) { edges { node { name } } } }`,
		vars{"f": vars{"field": "name", "operation": "like", "value": "%aid%"}, "o": vars{"field": "name"}})
	if got := leaves(data); got != "Annual first aid refresher" {
		t.Error(got)
	}
	other := open(t, sandbox.Options{Assume: map[string]string{string(assume.OtherInputTypes): "graph-input"}})
	added := other.ask(t, `mutation ($in: OpportunityAddInterestInput!) { opportunities { addInterest(input: $in) { errors { label } interests { item { __typename } } } } }`,
		vars{"in": vars{"opportunityId": oneOpportunity, "interestDetails": vars{"id": "Q291cnNlVGVtcGxhdGU6MTE=", "quantity": 1, "unitAmount": "1.00"}}})
	if got := leaves(added); got != "CourseTemplate" {
		t.Error(got)
	}
	moved := a.ask(t, `mutation ($in: ProgressInput!) { opportunities { progress(input: $in) { errors { label } opportunity { step { name } } } } }`, vars{"in": vars{"opportunityId": oneOpportunity, "stepId": stepOpportunity}})
	if got := leaves(moved); got != "Opportunity" {
		t.Error(got)
	}
}

// A name that is already taken would make the schema ambiguous.
func TestNamesThatAreTakenAreRefused(t *testing.T) {
	t.Parallel()
	for row, name := range map[assume.Name]string{
		assume.InterestQuantity: "totalAmount", assume.QueryRegions: "events", assume.Order: "first", assume.FilterName: "stageName", assume.InterestEvent: "Contact", assume.FilterOperation: "OpportunityField",
	} {
		if a, err := tryOpen(t, sandbox.Options{Assume: map[string]string{string(row): name}}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s=%s: %v", row, name, err)
			if err == nil {
				_ = a.Close()
			}
		}
	}
	for _, name := range []string{"", "__x", "two words", "9", "é", "-"} {
		if _, err := assume.Choose(map[string]string{string(assume.QueryRegions): name}); err == nil || !strings.Contains(err.Error(), "any other GraphQL name") {
			t.Errorf("%q: %v", name, err)
		}
	}
}
