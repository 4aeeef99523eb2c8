package sandbox_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oppflow/oppflow/sandbox"
	"github.com/oppflow/oppflow/sandbox/globalid"
)

type introspectedField struct {
	arguments []string
	typ       string
}

func (a *api) fields(t testing.TB, typ string) map[string]introspectedField {
	t.Helper()
	data := a.query(t, `query ($type: String!) { __type(name: $type) {
		fields { name args { name } type { ...named } } inputFields { name type { ...named } }
	} } fragment named on __Type { name ofType { name ofType { name ofType { name } } } }`, vars{"type": typ})
	found := map[string]introspectedField{}
	for _, list := range []string{"fields", "inputFields"} {
		all, _ := valueAt(t, data, "__type", list).([]any)
		for _, one := range all {
			var f introspectedField
			for typ := valueAt(t, one, "type"); typ != nil; typ = typ.(map[string]any)["ofType"] {
				if name, ok := valueAt(t, typ, "name").(string); ok {
					f.typ = name
				}
			}
			arguments, _ := one.(map[string]any)["args"].([]any)
			for _, argument := range arguments {
				f.arguments = append(f.arguments, valueAt(t, argument, "name").(string))
			}
			found[valueAt(t, one, "name").(string)] = f
		}
	}
	return found
}

// Documented and observed (API notes 3.1): every list query is a field at the root with a plural
// name, and returns a connection. Documented and observed (API notes 3.2): a connection has the
// field edges with cursor and node, and the field pageInfo with five fields. The arguments of a
// connection are first, offset, after, filters and an ordering. Nested one-to-many fields are
// connections with the arguments of a connection at the root.
func TestListsAreConnections(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{})
	query := a.fields(t, "Query")
	for _, root := range []string{"opportunities", "accounts", "events", "contacts", "learners", "registrations", "users", "opportunitySteps", "sendingEmailAddresses", "communicationTemplates", "currencies"} {
		if _, ok := query[root]; !ok {
			t.Errorf("there is no query %s", root)
		}
	}
	nested := map[string][]string{"Opportunity": {"interests"}, "Event": {"interests", "registrations", "learners"}, "Account": {"contacts"}}
	lists := map[string]introspectedField{}
	for name, f := range query {
		if strings.HasSuffix(f.typ, "Connection") {
			lists[name] = f
		}
	}
	for owner, names := range nested {
		fields := a.fields(t, owner)
		for _, name := range names {
			lists[owner+"."+name] = fields[name]
		}
	}
	for name, f := range lists {
		for _, argument := range []string{"filters", "first", "offset", "after", "order"} {
			if !slices.Contains(f.arguments, argument) {
				t.Errorf("%s does not take %s", name, argument)
			}
		}
		connection := a.fields(t, f.typ)
		edge := a.fields(t, connection["edges"].typ)
		if connection["pageInfo"].typ != "PageInfo" || edge["cursor"].typ != "String" || edge["node"].typ == "" {
			t.Errorf("%s is %+v of %+v", name, connection, edge)
		}
		if !strings.Contains(name, ".") {
			a.query(t, `{ `+name+` { edges { cursor node { id } } pageInfo { totalRecords hasNextPage hasPreviousPage startCursor endCursor } } }`, nil)
		}
	}
}

// Documented and observed (API notes 3.1): the field node accepts inline fragments on Event,
// Learner, Contact and other types.
func TestNodeWithFragments(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{})
	learners, refused := a.registerContacts(t, eventOne, 2)
	if refused != "" {
		t.Fatal(refused)
	}
	for id, answer := range map[string]string{
		eventOne:       `{"node": {"__typename": "Event", "title": "My New Course"}}`,
		"UGVyc29uOjI=": `{"node": {"__typename": "Contact", "emailAddress": "melissa@example.com"}}`,
		learners[0]:    `{"node": {"__typename": "Learner", "contact": {"firstName": "Melissa"}}}`,
	} {
		wantJSON(t, a.query(t, `query ($objectid: ID!) { node(id: $objectid) { __typename ... on Event { title } ... on Learner { contact { firstName } } ... on Contact { emailAddress } } }`,
			vars{"objectid": id}), answer)
	}
}

// Observed (API notes 3.1): many types have the field legacyId: the number that the links of the
// user interface contain.
func TestLegacyIDsAreTheNumbersOfTheIDs(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{})
	for _, root := range []string{"opportunities", "events", "accounts", "contacts"} {
		data := a.query(t, `{ `+root+`(first: 1) { edges { node { id legacyId } } } }`, nil)
		node := valueAt(t, data, root, "edges", 0, "node")
		parsed, err := globalid.Parse(valueAt(t, node, "id").(string))
		if err != nil || fmt.Sprint(valueAt(t, node, "legacyId")) != parsed.Key {
			t.Errorf("%s: %v, %v", root, node, err)
		}
	}
}

// Observed (API notes 3.2): the vendor's own workflows read all pages of a list by cursor. A
// workflow of the vendor fails if the number of rows read differs from totalRecords. Observed (API
// notes 2): a request for 500 rows returns 100 rows and no error.
func TestPagesAddUpToTheTotal(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{})
	for i := range 249 {
		a.create(t, fmt.Sprint("o", i))
	}
	seen := map[string]bool{}
	pages := 0
	var after any
	for {
		data := a.query(t, `query ($after: String) { opportunities(first: 500, after: $after) { edges { node { id } } pageInfo { totalRecords hasNextPage endCursor } } }`, vars{"after": after})
		ids, info := page(t, valueAt(t, data, "opportunities"))
		pages++
		for _, id := range ids {
			seen[id] = true
		}
		if info["totalRecords"] != 250.0 || len(ids) > 100 {
			t.Fatalf("%d rows, %v", len(ids), info)
		}
		if info["hasNextPage"] != true {
			break
		}
		after = info["endCursor"]
	}
	if len(seen) != 250 || pages != 3 {
		t.Errorf("%d rows on %d pages", len(seen), pages)
	}
}

// Observed (API notes 3.2): two forms of ordering were observed: order: {field, direction} and, for
// events, orderBy: [{field, direction}]. The directions of an ordering are asc and desc.
func TestEventsTakeOrderAndOrderBy(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{})
	for arguments, wanted := range map[string]string{
		`order: {field: title, direction: desc}`:                                  "ABC-123-01 FA-1-01 FA-1-02",
		`orderBy: [{field: title, direction: desc}]`:                              "ABC-123-01 FA-1-01 FA-1-02",
		`orderBy: {field: code, direction: desc}`:                                 "FA-1-02 FA-1-01 ABC-123-01",
		`orderBy: [{field: title, direction: asc}, {field: code}]`:                "FA-1-01 FA-1-02 ABC-123-01",
		`order: {field: title}, orderBy: [{field: code, direction: desc}]`:        "FA-1-02 FA-1-01 ABC-123-01",
		`filters: {field: title, operation: like, value: "First%"}, orderBy: []`:  "FA-1-01 FA-1-02",
		`orderBy: [{field: courseTemplateCode, direction: desc}, {field: start}]`: "FA-1-01 FA-1-02 ABC-123-01",
	} {
		if got := a.leavesOf(t, `{ events(`+arguments+`) { edges { node { code } } } }`); got != wanted {
			t.Errorf("%s: %s, want %s", arguments, got, wanted)
		}
	}
	if answer := a.post(t, `{ events(orderBy: {field: title, direction: DESC}) { edges { node { id } } } }`, nil); len(answer.Errors) == 0 {
		t.Error(answer.raw)
	}
}

// Observed (API notes 3.3): filters with the operations in, notin and contains need the member
// values. Filters with isnull or notnull need neither value nor values. Filters with any other
// operation need the member value. Observed (API notes 3.3): one malformed filter makes the whole
// request fail.
func TestOperationsTakeObservedForms(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{})
	data := a.query(t, `{ __type(name: "FilterOperation") { enumValues { name } } }`, nil)
	var operations []string
	for _, v := range valueAt(t, data, "__type", "enumValues").([]any) {
		operations = append(operations, valueAt(t, v, "name").(string))
	}
	if got, want := strings.Join(operations, " "), "eq ne gt ge lt le like wordlike in notin contains isnull notnull"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	for _, operation := range operations {
		takes := "value"
		switch operation {
		case "in", "notin", "contains":
			takes = "values"
		case "isnull", "notnull":
			takes = "neither"
		}
		for given, members := range map[string]string{"value": `, value: "aid"`, "values": `, values: ["aid"]`, "neither": ""} {
			answer := a.post(t, `{ hello opportunities(filters: [{field: name, operation: `+operation+members+`}]) { edges { node { id } } } }`, nil)
			if refused := len(answer.Errors) > 0 && answer.Data == nil; refused == (given == takes) || answer.status != http.StatusOK {
				t.Errorf("%s with %s: %s", operation, given, answer.raw)
			}
		}
	}
}

// Observed (API notes 3.3): in a filter, field and operation are enum values, and value is a
// String. A variable for the value of a filter must be declared as String, even if the variable
// contains an id. The API rejects an enum value with different capitals, both in a literal and in a
// variable.
func TestEnumsAreExact(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{})
	for _, f := range []vars{{"field": "NAME", "operation": "notnull"}, {"field": "name", "operation": "NotNull"}} {
		answer := a.post(t, `query ($f: [OpportunityFieldGraphFilter]) { opportunities(filters: $f) { edges { node { id } } } }`, vars{"f": f})
		if len(answer.Errors) == 0 || answer.Data != nil {
			t.Errorf("%v: %s", f, answer.raw)
		}
		answer = a.post(t, fmt.Sprintf(`{ opportunities(filters: {field: %s, operation: %s}) { edges { node { id } } } }`, f["field"], f["operation"]), nil)
		if len(answer.Errors) == 0 || answer.hasData() {
			t.Errorf("%v: %s", f, answer.raw)
		}
	}
	if got := a.leavesOf(t, `{ opportunities(filters: {field: id, operation: eq, value: "T3Bwb3J0dW5pdHk6MQ=="}) { edges { node { name } } } }`); got != "Annual first aid refresher" {
		t.Error(got)
	}
}

// Observed (API notes 3.3): in filters, booleans and dates are strings: "true", "2025-11-20",
// "2026-01-01T00:00:00Z". Observed (API notes 5.3): clients filter events by isSoldOut,
// hasPlacesRemaining, remainingPlaces and isActive.
func TestBooleansAndDatesAreStrings(t *testing.T) {
	t.Parallel()
	now := newClock()
	a := open(t, sandbox.Options{Now: now.Now})
	found := func(filter string) string {
		t.Helper()
		return a.leavesOf(t, `{ events(filters: [`+filter+`]) { edges { node { code } } } }`)
	}
	codes := func(when string, wanted map[string]string) {
		t.Helper()
		for filter, codes := range wanted {
			if got := found(filter); got != codes {
				t.Errorf("%s: %s finds %s, want %s", when, filter, got, codes)
			}
		}
	}
	codes("at first", map[string]string{
		`{field: isActive, operation: eq, value: "true"}`:                                       "ABC-123-01 FA-1-01",
		`{field: isActive, operation: eq, value: "false"}`:                                      "FA-1-02",
		`{field: isSoldOut, operation: eq, value: "true"}`:                                      "",
		`{field: hasPlacesRemaining, operation: eq, value: "true"}`:                             "ABC-123-01 FA-1-01 FA-1-02",
		`{field: remainingPlaces, operation: gt, value: "8"}`:                                   "FA-1-01 FA-1-02",
		`{field: remainingPlaces, operation: in, values: ["8", "9"]}`:                           "ABC-123-01",
		`{field: start, operation: lt, value: "2031-04-01"}`:                                    "ABC-123-01",
		`{field: start, operation: ge, value: "2031-04-07T09:30:00"}`:                           "FA-1-01 FA-1-02",
		`{field: cancelledAt, operation: isnull}`:                                               "ABC-123-01 FA-1-01 FA-1-02",
		`{field: cancelledAt, operation: gt, value: "2026-01-01T00:00:00Z"}`:                    "",
		`{field: isActive, operation: isnull}`:                                                  "",
		`{field: isActive, operation: notnull}, {field: code, operation: eq, value: "FA-1-02"}`: "FA-1-02",
	})
	for _, value := range []string{"yes", "True", "1", ""} {
		if got := found(`{field: isActive, operation: eq, value: "` + value + `"}`); got != "refused" {
			t.Errorf("%q is taken for a truth value: %s", value, got)
		}
	}
	if answer := a.post(t, `{ events(filters: {field: isActive, operation: eq, value: true}) { edges { node { code } } } }`, nil); len(answer.Errors) == 0 || answer.hasData() {
		t.Error(answer.raw)
	}
	a.reserve(t, oneOpportunity, 9)
	a.extend(t, oneOpportunity, now.Now().Add(time.Hour))
	codes("sold out by a hold", map[string]string{
		`{field: isSoldOut, operation: eq, value: "true"}`:          "ABC-123-01",
		`{field: hasPlacesRemaining, operation: eq, value: "true"}`: "FA-1-01 FA-1-02",
		`{field: remainingPlaces, operation: eq, value: "-1"}`:      "ABC-123-01",
	})
	if got := a.leavesOf(t, `{ events(order: {field: remainingPlaces}, first: 1) { edges { node { isSoldOut remainingPlaces } } } }`); got != "true -1" {
		t.Error(got)
	}
	now.advance(2 * time.Hour)
	codes("when it has expired", map[string]string{`{field: remainingPlaces, operation: eq, value: "8"}`: "ABC-123-01"})
}

// The sandbox must reject an enum value with other capitals, and must not replace the value with a
// default.
func TestEnumsInVariablesAreExact(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{})
	answer := a.post(t, `query ($o: [OpportunityFieldGraphOrder]) { opportunities(order: $o) { edges { node { name } } } }`, vars{"o": vars{"field": "name", "direction": "DESC"}})
	if len(answer.Errors) != 1 || answer.hasData() || !strings.Contains(answer.Errors[0].Message, "DESC") {
		t.Error(answer.raw)
	}
	answer = a.post(t, `mutation ($s: ExternalLogTypeStatus!) { externalLog { createExternalIntegrationLog(input: {originIdentifier: "o", nodeId: "Q291cnNlOjE=", message: "m", status: $s}) { errors { label } } } }`, vars{"s": "Success"})
	if len(answer.Errors) != 1 || answer.hasData() {
		t.Error(answer.raw)
	}
}
