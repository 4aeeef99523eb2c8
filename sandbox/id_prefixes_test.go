package sandbox_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/oppflow/oppflow/sandbox"
	"github.com/oppflow/oppflow/sandbox/assumptions"
	"github.com/oppflow/oppflow/sandbox/globalid"
)

// A chosen prefix applies in responses, literals, variables, filters and messages.
func TestAssumedPrefixesCanBeChanged(t *testing.T) {
	t.Parallel()
	for row, test := range map[assumptions.Name]struct {
		own, key, typename string
		// The literal %[1]s is the id.
		document, refused string
	}{
		assumptions.UserID: {
			own: globalid.User, key: "1", typename: "User",
			document: `query ($id: ID!, $value: String) {
				node(id: $id) { id } users(filters: {field: id, operation: in, values: [$value, "%[1]s"]}) { edges { node { id } } }
				opportunities(filters: {field: ownerId, operation: eq, value: $value}) { edges { node { owner { id } } } } accounts(first: 1, offset: 2) { edges { node { owner { id } } } } }`,
			refused: `mutation ($id: ID) { opportunities { update(input: {id: "T3Bwb3J0dW5pdHk6MQ==", ownerId: $id}) { errors { label message value } opportunity { id } } } }`,
		},
		assumptions.InvoiceID: {
			own: globalid.Invoice, key: "1", typename: "Invoice",
			document: `query ($id: ID!, $value: String) {
				node(id: $id) { id } invoices(filters: [{field: id, operation: eq, value: $value}, {field: id, operation: eq, value: "%[1]s"}]) { edges { node { id } } }
				opportunities(filters: {field: stepId, operation: eq, value: "T3Bwb3J0dW5pdHlTdGVwOjU="}) { edges { node { activeInvoiceId salesDocument { id } } } } }`,
			refused: `mutation ($id: ID!) { invoices { update(input: {invoiceId: $id, comments: "x"}) { errors { label message value } invoice { id } } } }`,
		},
		assumptions.CurrencyPrefix: {
			own: globalid.Currency, key: "GBP", typename: "Currency",
			document: `query ($id: ID!, $value: ID = "%[1]s") {
				node(id: $id) { id } currencies(filters: {field: code, operation: eq, value: "GBP"}) { edges { node { id } } } events(first: 1) { edges { node { financialUnit { id } } } } again: node(id: $value) { id } literal: node(id: "%[1]s") { id } }`,
		},
		assumptions.LogPrefix: {
			own: globalid.ExternalLog, key: "1", typename: "ExternalIntegrationLog",
			document: `query ($id: ID!, $value: String) {
				node(id: $id) { id } externalIntegrationLogs(filters: {field: id, operation: in, values: [$value, "%[1]s"]}) { edges { node { id } } } }`,
		},
	} {
		const other = "Any_other9"
		a := open(t, sandbox.Options{Assumptions: map[string]string{string(row): other}, Catalogue: catalogueWinningWith(t, "triggers: [account, invoice]")})
		own, id := globalid.Encode(test.own, test.key), globalid.Encode(other, test.key)
		user := globalid.Encode(globalid.User, "1")
		if row == assumptions.UserID {
			user = id
		}
		mustSucceed(t, a.mutate(t, "update", fmt.Sprintf(`id: %q, ownerId: %q`, oneOpportunity, user), "opportunity { id }"))
		mustSucceed(t, a.mutateIn(t, "externalLog", "createExternalIntegrationLog", `input: {originIdentifier: "o", nodeId: "Q291cnNlOjE=", message: "m", status: success}`, problems+" entityId"))
		a.addCourse(t, oneOpportunity, 1, "1.00")
		if refused := a.progress(t, oneOpportunity, stepOpportunity) + a.progress(t, oneOpportunity, stepWon); refused != "" {
			t.Fatal(refused)
		}
		answer := a.post(t, strings.ReplaceAll(test.document, "%[1]s", id), vars{"id": id, "value": id})
		if len(answer.Errors) > 0 || strings.Count(answer.raw, id) < 2 || strings.Contains(answer.raw, own) || strings.Contains(answer.raw, `"edges":[]`) || strings.Contains(answer.raw, "null") {
			t.Errorf("%s: %s", row, answer.raw)
		}
		if got := a.leavesOf(t, fmt.Sprintf(`{ node(id: %q) { __typename } }`, id)); got != test.typename {
			t.Errorf("%s is %s", id, got)
		}
		if got := a.leavesOf(t, fmt.Sprintf(`{ node(id: %q) { __typename } }`, own)); got != "refused" {
			t.Errorf("%s is %s", own, got)
		}
		if test.refused == "" {
			continue
		}
		missing := globalid.Encode(other, "99")
		answer = a.post(t, test.refused, vars{"id": missing})
		if strings.Count(answer.raw, missing) != 2 || !strings.Contains(answer.raw, `"label":"Not Found"`) {
			t.Errorf("%s: %s", row, answer.raw)
		}
		text := fmt.Sprintf("see %s, not %s: ExternalLog!", id, own)
		payload := mustSucceed(t, a.mutateIn(t, "account", "create", fmt.Sprintf(`input: {name: %q}`, text), problems+" account { name }"))
		if got := valueAt(t, payload, "account", "name"); got != text {
			t.Errorf("%s: %q became %q", row, text, got)
		}
	}
}

// If two types had the same prefix, two objects could have the same id, so the sandbox refuses the
// prefix.
func TestPrefixesThatAreTakenAreRefused(t *testing.T) {
	t.Parallel()
	for _, words := range []map[string]string{
		{string(assumptions.UserID): "Person"}, {string(assumptions.InvoiceID): "User"}, {string(assumptions.UserID): "x", string(assumptions.LogPrefix): "x"},
	} {
		if a, err := tryOpen(t, sandbox.Options{Assumptions: words}); err == nil || !strings.Contains(err.Error(), "choose another name") {
			t.Errorf("%v: %v", words, err)
			if err == nil {
				_ = a.Close()
			}
		}
	}
}
