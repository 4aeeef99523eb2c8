package sandbox_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/oppflow/oppflow/sandbox"
	"github.com/oppflow/oppflow/sandbox/globalid"
)

// tenant is an example of a tenant whose transitions have required attributes and triggers.
const tenant = "catalogue/tenant.yaml"

func tenantStep(n int64) string { return globalid.EncodeInt(globalid.OpportunityStep, n) }

// Documented (API notes 4.4): the tenant configures on which transitions each trigger runs.
// Triggers of early transitions usually create the buyer's account and contact. Triggers of winning
// transitions usually create registrations, invoices and training tokens. Documented (API notes
// 4.4): the API refuses a transition while one of its required attributes is empty.
func TestATenantDecidesTheTriggersOfATransition(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{Catalogue: tenant})
	id := a.create(t, "Meridian")
	shown := func(want string) {
		t.Helper()
		data := valueAt(t, a.query(t, `query ($id: ID!) { node(id: $id) { ... on Opportunity { step { name stage { state } } account { name } contact { firstName } tokenIssues { quantity } salesDocument { ... on Invoice { lifecycleState } } } } }`, vars{"id": id}), "node")
		registrations := valueAt(t, a.query(t, `{ registrations { pageInfo { totalRecords } } }`, nil), "registrations", "pageInfo", "totalRecords")
		if got := leaves(data) + fmt.Sprint(" registrations ", registrations); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	move := func(step int64, refused string) {
		t.Helper()
		if got := a.progress(t, id, tenantStep(step)); got != refused {
			t.Errorf("to step %d: %q, want %q", step, got, refused)
		}
	}
	const missing = "Required Attributes: Required attributes are empty: "
	move(3, missing+"interests")
	a.addItem(t, id, eventOne, 3, "199.90", `reserve: true, eventDetails: {newLearners: [{firstName: "Ada", lastName: "Byron", email: "ada@example.com"}]}`)
	a.addItem(t, id, globalid.Encode(globalid.TrainingTokenType, "0123456789abcdef0123456789abcdef"), 5, "10.00", "")
	shown("Lead Open registrations 0")
	move(3, "")
	shown("Meridian Ada Quoted Open registrations 0")
	move(4, missing+"po-number")
	mustSucceed(t, a.mutate(t, "update", fmt.Sprintf(`id: %q, attributes: [{definitionKey: "po-number", value: "7"}]`, id), "opportunity { id }"))
	wantPlaces(t, a, eventOne, "max 10 booked 2 reserved 3 remaining 5")
	move(4, "")
	shown("Meridian Ada Won Won 5 registrations 1")
	wantPlaces(t, a, eventOne, "max 10 booked 5 reserved 0 remaining 5")
	move(5, "")
	shown("Meridian Ada Draft Invoiced Won 5 registrations 1")

	// An order of the web shop starts in another entry step, and one transition runs all triggers for
	// the order.
	made := mustSucceed(t, a.mutate(t, "create", fmt.Sprintf(`name: "Order 1", regionId: "UmVnaW9uOklF", entryStepId: %q`, tenantStep(2)), "opportunity { id step { name } }"))
	id = valueAt(t, made, "opportunity", "id").(string)
	move(4, missing+"interests, source")
	a.addItem(t, id, eventOne, 1, "180.00", "")
	mustSucceed(t, a.mutate(t, "update", fmt.Sprintf(`id: %q, attributes: [{definitionKey: "source", value: "web"}]`, id), "opportunity { id }"))
	move(4, "")
	shown("Order 1 Draft Won Won registrations 2")
}

// Documented (API notes 4.5): only published items can be sold.
func TestADraftEventTakesNoRegistrations(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{Catalogue: tenant})
	data := a.query(t, `query ($id: ID!) { node(id: $id) { ... on Event { type learningMode lifecycleState isActive defaultPrice { amount financialUnit { ... on Currency { code } } } registrationDeadline } } }`, vars{"id": eventTwo})
	wantJSON(t, valueAt(t, data, "node"), `{"type": "private", "learningMode": "blended", "lifecycleState": "draft", "isActive": false, "defaultPrice": {"amount": "950.00", "financialUnit": {"code": "GBP"}}, "registrationDeadline": null}`)
	if _, refused := a.registerContacts(t, eventTwo, 1); !strings.HasPrefix(refused, "Not Published") {
		t.Errorf("registered: %q", refused)
	}
	id := a.create(t, "x")
	payload := a.mutate(t, "addInterest", fmt.Sprintf(`opportunityId: %q, interestDetails: {id: %q, reserve: true, quantity: 1, unitAmount: "1.00"}`, id, eventTwo), "interests { id }")
	if refused := refusalOf(t, payload); !strings.HasPrefix(refused, "Not Published") {
		t.Errorf("sold: %q", refused)
	}
	a.updateEvent(t, eventTwo, `lifecycleState: "published"`)
	if _, refused := a.registerContacts(t, eventTwo, 1); refused != "" {
		t.Errorf("refused: %q", refused)
	}
}

// The triggers of the transition create each object once.
func TestConcurrentTransitionsWinOnce(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, data string) {
		a := open(t, sandbox.Options{Data: data, Catalogue: tenant})
		made := mustSucceed(t, a.mutate(t, "create", fmt.Sprintf(`name: "Order 1", regionId: "UmVnaW9uOlVL", entryStepId: %q, attributes: [{definitionKey: "source", value: "web"}]`, tenantStep(2)), "opportunity { id }"))
		id := valueAt(t, made, "opportunity", "id").(string)
		a.addItem(t, id, eventOne, 2, "1.00", "reserve: true")
		var all sync.WaitGroup
		var won atomic.Int64
		for range 8 {
			all.Go(func() {
				if refused := a.progress(t, id, tenantStep(4)); refused == "" {
					won.Add(1)
				} else if !strings.HasPrefix(refused, "Transition Not Found") {
					t.Error(refused)
				}
			})
		}
		all.Wait()
		if won.Load() != 1 {
			t.Errorf("won %d times", won.Load())
		}
		wantPlaces(t, a, eventOne, "max 10 booked 4 reserved 0 remaining 6")
		wantJSON(t, a.query(t, `{ accounts { pageInfo { totalRecords } } registrations { pageInfo { totalRecords } } learners { pageInfo { totalRecords } } invoices { pageInfo { totalRecords } } }`, nil),
			`{"accounts": {"pageInfo": {"totalRecords": 2}}, "registrations": {"pageInfo": {"totalRecords": 1}}, "learners": {"pageInfo": {"totalRecords": 2}}, "invoices": {"pageInfo": {"totalRecords": 1}}}`)
	})
}

func TestALargeOrderIsOneTransition(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{Catalogue: tenant})
	made := mustSucceed(t, a.mutate(t, "create", fmt.Sprintf(`name: "Order 1", regionId: "UmVnaW9uOlVL", entryStepId: %q, attributes: [{definitionKey: "source", value: "web"}]`, tenantStep(2)), "opportunity { id }"))
	id := valueAt(t, made, "opportunity", "id").(string)
	a.addItem(t, id, eventOne, 20_000, "0.01", "reserve: true")
	wantPlaces(t, a, eventOne, "max 10 booked 2 reserved 20000 remaining -19992 ")
	if refused := a.progress(t, id, tenantStep(4)); refused != "" {
		t.Fatal(refused)
	}
	wantPlaces(t, a, eventOne, "max 10 booked 20002 reserved 0 remaining -19992 ")
	data := a.query(t, `{ learners { pageInfo { totalRecords } } invoices { edges { node { lines { quantity } } } } }`, nil)
	if n := len(valueAt(t, data, "invoices", "edges", 0, "node", "lines").([]any)); n != 20_000 || valueAt(t, data, "learners", "pageInfo", "totalRecords") != 20_000.0 {
		t.Errorf("%d lines, %v learners", n, valueAt(t, data, "learners"))
	}
}
