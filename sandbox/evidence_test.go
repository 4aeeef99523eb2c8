package sandbox_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/oppflow/oppflow/sandbox"
	"github.com/oppflow/oppflow/sandbox/globalid"
)

// Documented (API notes 1.1): revoking the user's consent ends the user's access and refresh
// tokens. After the revocation, the user must consent again. The tokens that the client requested
// for itself stay valid.
func TestRevokedConsentEndsBothTokens(t *testing.T) {
	t.Parallel()
	a := openOAuth(t, sandbox.Options{})
	_, to := a.authorize(t)
	user := a.requestToken(t, "grant_type=authorization_code", "code="+to.Query().Get("code")).mustIssue(t)
	renewed := a.requestToken(t, "grant_type=refresh_token", "refresh_token="+user.RefreshToken).mustIssue(t)
	own := a.requestToken(t, "grant_type=client_credentials").mustIssue(t)
	if answer := a.send(t, http.MethodDelete, "/_sandbox/consent", nil, http.Header{"Authorization": {"Bearer " + a.Token()}}); answer.status != 204 {
		t.Fatal(answer.status)
	}
	for _, token := range []string{user.AccessToken, renewed.AccessToken} {
		if status := a.helloStatus(t, token); status != 401 {
			t.Errorf("status with an access token of the user: %d", status)
		}
	}
	for _, token := range []string{user.RefreshToken, renewed.RefreshToken} {
		if answer := a.requestToken(t, "grant_type=refresh_token", "refresh_token="+token); answer.Error != "invalid_grant" {
			t.Errorf("response to a refresh token of the user: %d %s", answer.status, answer.raw)
		}
	}
	if status := a.helloStatus(t, own.AccessToken); status != 200 {
		t.Errorf("status with the token of the client: %d", status)
	}
	_, to = a.authorize(t)
	if again := a.requestToken(t, "grant_type=authorization_code", "code="+to.Query().Get("code")).mustIssue(t); a.helloStatus(t, again.AccessToken) != 200 {
		t.Error("the user cannot consent again")
	}
}

// Observed (API notes 3.1, 4.1): legacyId is the number that the TMS shows to users. Observed (API
// notes 4.1): attributes have definitionKey and value. Documented (API notes 4.1): the state of a
// stage is Open, Won, Lost or Archived. Observed (API notes 4.3): the input of create has the
// members entryStepId, financialUnitId and accountId.
func TestOpportunityFields(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{})
	made := a.mutate(t, "create", `name: "shown", regionId: "UmVnaW9uOlVL", entryStepId: "T3Bwb3J0dW5pdHlTdGVwOjQ=", financialUnitId: "EUR", accountId: "T3JnYW5pc2F0aW9uOjI=", attributes: [{definitionKey: "po", value: "7"}]`,
		"opportunity { legacyId step { name stage { state } } financialUnit { ... on Currency { code } } account { name } attributes { definitionKey value } activeInvoiceId salesDocument { id } }")
	wantJSON(t, valueAt(t, mustSucceed(t, made), "opportunity"), `{"legacyId": 2, "step": {"name": "Opportunity", "stage": {"state": "Open"}}, "financialUnit": {"code": "EUR"}, "account": {"name": "Administrate"},
		"attributes": [{"definitionKey": "po", "value": "7"}], "activeInvoiceId": null, "salesDocument": null}`)
	states := a.query(t, `{ opportunitySteps(filters: {field: name, operation: in, values: ["Won", "Lost", "Archived"]}) { edges { node { stage { state } } } } }`, nil)
	wantJSON(t, valueAt(t, states, "opportunitySteps", "edges"), `[{"node": {"stage": {"state": "Won"}}}, {"node": {"stage": {"state": "Lost"}}}, {"node": {"stage": {"state": "Archived"}}}]`)
	// Observed (API notes 4.4): a client's scheduled job finds opportunities by their step and
	// progresses these opportunities. The job is idempotent, because the filter does not find an
	// opportunity after its progress.
	at4 := func() any {
		t.Helper()
		return valueAt(t, a.query(t, `{ opportunities(filters: {field: stepId, operation: eq, value: "T3Bwb3J0dW5pdHlTdGVwOjQ="}) { pageInfo { totalRecords } } }`, nil), "opportunities", "pageInfo", "totalRecords")
	}
	before := at4()
	a.progress(t, "T3Bwb3J0dW5pdHk6Mg==", stepWon)
	if after := at4(); before != 1.0 || after != 0.0 {
		t.Errorf("%v before, %v after", before, after)
	}
}

// Observed (API notes 5.3): the input of registerContacts has a price and notes, among other
// members. Documented (API notes 5.3): a registration's price is in a currency or in training
// tokens, never in both. A registration has the fields account, registerables, invoiceIssued and
// orderDate. Observed (API notes 5.3): learners have custom values, which are text. Learners can be
// filtered by the start of their event.
func TestRegistrationFields(t *testing.T) {
	t.Parallel()
	now := newClock()
	a := open(t, sandbox.Options{Now: now.Now, Catalogue: catalogueWinningWith(t, "triggers: [account, registration, invoice]")})
	for unit, refused := range map[string]string{"EUR": "", tokenType: "", "XYZ": "Not Found", globalid.Encode(globalid.TrainingTokenType, strings.Repeat("0", 32)): "Not Found"} {
		payload := a.mutateIn(t, "event", "registerContacts", fmt.Sprintf(`eventId: %q, input: {contacts: ["UGVyc29uOjI="], notes: "n", financialUnitId: %q, amount: "12.50", priceLevelId: "UHJpY2U6MQ==", brandId: "QnJhbmQ6MQ==",
			communicationsContactId: "UGVyc29uOjI=", orderDate: "2026-01-01T00:00:00"}`, eventOne, unit), problems+" learners { notes registration { amount financialUnitId account { name } registerables { id } invoiceIssued orderDate } }")
		label, _, _ := strings.Cut(refusalOf(t, payload), ":")
		if label != refused {
			t.Errorf("%s: %q", unit, label)
		}
		if refused == "" {
			wantJSON(t, valueAt(t, payload, "learners", 0), fmt.Sprintf(`{"notes": "n", "registration": {"amount": "12.50", "financialUnitId": %q, "account": {"name": "Administrate"},
				"registerables": [{"id": %q}], "invoiceIssued": false, "orderDate": "2026-01-01T00:00:00+00:00"}}`, unit, eventOne))
		}
	}
	wantPlaces(t, a, eventOne, "max 12 booked 6 ")

	named := a.mutateIn(t, "event", "registerNamedLearners", `input: [{eventId: "Q291cnNlOjI=", contactId: "UGVyc29uOjE=", customFieldValues: [{definitionKey: "diet", value: "vegan"}, {definitionKey: "ticked", value: "true"}]}]`, problems+" learners { id customFieldValues { definitionKey value } }").([]any)
	learner := valueAt(t, named[0], "learners", 0, "id")
	changed := a.mutateIn(t, "learner", "update", fmt.Sprintf(`input: {learnerId: %q, customFieldValues: [{definitionKey: "diet", value: "none"}]}`, learner), problems+" learner { customFieldValues { definitionKey value } }")
	wantJSON(t, valueAt(t, mustSucceed(t, changed), "learner", "customFieldValues"), `[{"definitionKey": "diet", "value": "none"}, {"definitionKey": "ticked", "value": "true"}]`)
	found := a.query(t, `{ learners(filters: {field: eventStartDate, operation: gt, value: "2031-04-01"}) { edges { node { id } } } }`, nil)
	wantJSON(t, valueAt(t, found, "learners", "edges"), fmt.Sprintf(`[{"node": {"id": %q}}]`, learner))

	// For a registration that comes from an opportunity, invoiceIssued is true if the opportunity's
	// invoice is final.
	id := a.create(t, "billed")
	a.addItem(t, id, eventOne, 1, "1.00", "")
	if refused := a.progress(t, id, stepOpportunity) + a.progress(t, id, stepWon); refused != "" {
		t.Fatal(refused)
	}
	issued := func() any {
		t.Helper()
		data := a.query(t, `query ($id: String!) { registrations(filters: {field: sourceOpportunityId, operation: eq, value: $id}) { edges { node { invoiceIssued sourceOpportunity { owner { id } } } } } }`, vars{"id": id})
		return valueAt(t, data, "registrations", "edges", 0, "node", "invoiceIssued")
	}
	if issued() != false {
		t.Error("invoiceIssued is true for a draft invoice")
	}
	invoice := valueAt(t, a.query(t, `{ invoices(filters: {field: lifecycleState, operation: eq, value: "Draft"}) { edges { node { id } } } }`, nil), "invoices", "edges", 0, "node", "id")
	mustSucceed(t, a.mutateIn(t, "invoices", "finalise", fmt.Sprintf("input: {invoiceId: %q}", invoice), problems+" invoice { id }"))
	if issued() != true {
		t.Error("invoiceIssued is false for a final invoice")
	}
}
