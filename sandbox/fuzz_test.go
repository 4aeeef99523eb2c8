package sandbox_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/oppflow/oppflow/sandbox"
	"github.com/oppflow/oppflow/sandbox/assumptions"
)

func newFuzzSandbox(f *testing.F, assumed map[string]string) *api {
	f.Helper()
	s, err := sandbox.Open(f.Context(), sandbox.Options{NoAuth: true, NoRequestLog: true, Rate: sandbox.Rate{Off: true}, Now: newClock().Now, Assumptions: assumed})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = s.Close() })
	return &api{Sandbox: s}
}

func (a *api) postRaw(t testing.TB, document, variables string) reply {
	t.Helper()
	body := `{"query": ` + quoteJSON(document) + `, "variables": ` + variables + `}`
	return a.send(t, http.MethodPost, "/graphql", strings.NewReader(body), http.Header{"Content-Type": {"application/json"}})
}

// A request with a filter returns opportunities, returns an empty list, or fails with a reason. No
// filter fails internally. A filter and its opposite never find the same opportunity.
func FuzzFilter(f *testing.F) {
	a := newFuzzSandbox(f, nil)
	for field, value := range map[string]string{
		"name": "Annual first aid refresher", "id": oneOpportunity, "createdAt": "2026-03-02T09:00:00Z", "regionName": "UK", "reservationsValidUntil": "2026-03-02", "stepId": "T3Bwb3J0dW5pdHlTdGVwOjM=",
		"stageName": "%", "accountName": `\`, "financialUnitId": "'; --",
	} {
		for _, operation := range []string{"eq", "like", "wordlike", "in", "contains", "isnull", "gt"} {
			f.Add(field, operation, value, "")
		}
	}
	opposite := map[string]string{"eq": "ne", "gt": "le", "lt": "ge", "in": "notin", "isnull": "notnull"}
	f.Fuzz(func(t *testing.T, field, operation, value, another string) {
		count := func(operation string) (n int, refused bool) {
			filter := `{"field": ` + quoteJSON(field) + `, "operation": ` + quoteJSON(operation)
			switch operation {
			case "in", "notin", "contains":
				filter += `, "values": [` + quoteJSON(value) + `, ` + quoteJSON(another) + `]`
			case "isnull", "notnull":
			default:
				filter += `, "value": ` + quoteJSON(value)
			}
			answer := a.postRaw(t, `query ($f: OpportunityFieldGraphFilter) { opportunities(filters: [$f]) { edges { node { id } } } }`, `{"f": `+filter+`}}`)
			if answer.status != http.StatusOK || strings.Contains(answer.raw, "internal error") {
				t.Fatalf("%d %s\n%s", answer.status, answer.raw, filter)
			}
			if len(answer.Errors) > 0 {
				return 0, true
			}
			return len(valueAt(t, answer.Data, "opportunities", "edges").([]any)), false
		}
		found, refused := count(operation)
		other, ok := opposite[operation]
		if refused || !ok {
			return
		}
		if not, refused := count(other); refused || found+not > 1 {
			t.Errorf("%s %q %q: %s finds %d, %s %d (%t)", field, value, another, operation, found, other, not, refused)
		}
	})
}

// A document that contains none of the renamed names gets the same response from a sandbox with
// renamed names.
func FuzzNames(f *testing.F) {
	plain := newFuzzSandbox(f, nil)
	renamed := newFuzzSandbox(f, map[string]string{
		string(assumptions.InvoiceLines): "zzLines", string(assumptions.EventState): "zzState", string(assumptions.InterestExisting): "zzContact", string(assumptions.InterestEvent): "ZzEvent", string(assumptions.QueryInvoices): "zzInvoices",
	})
	for _, seed := range [][2]string{
		{`query A($f: [OpportunityFieldGraphFilter] = {field: id, operation: notnull}, $n: Int = 3) { a: opportunities(filters: $f, first: $n, order: {field: name, direction: desc}) { edges { cursor node { ...F } } } } fragment F on Opportunity { __typename b: name step { __typename } }`, `{}`},
		{`{ node(id: "Q291cnNlOjE=") { __typename ... on Event { code } ... on Node { id } } events(orderBy: []) { edges { node { __typename start } } } }`, `{}`},
		{`query ($v: String, $on: Boolean!) { echo(value: $v) @include(if: $on) hello @skip(if: $on) }`, `{"v": "a", "on": true}`},
		{`query ($f: EventFieldGraphFilter) { events(filters: [$f]) { pageInfo { totalRecords } } }`, `{"f": {"field": "maxPlaces", "operation": "in", "values": ["12"]}}`},
		{everything, `{}`},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, document, variables string) {
		for _, word := range []string{"mutation", "item", "invoices", "Lines", "lines", "__schema", "__type(", "__type ", "zz", "Zz", "InterestItem", "xistingLearner", "lifecycleState", "EventUpdateInput"} {
			if len(document) > 2000 || strings.Contains(document, word) {
				return
			}
		}
		one, other := plain.postRaw(t, document, variables), renamed.postRaw(t, document, variables)
		if strings.Contains(other.raw, "internal error") || one.status != other.status || len(one.Errors) != len(other.Errors) || len(one.Errors) == 0 && one.raw != other.raw {
			t.Errorf("%s\n%s\n%s\n%s", document, variables, one.raw, other.raw)
		}
	})
}
