package workflows_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

func winQuery() string {
	return fmt.Sprintf(`{ opp: node(id: %q) { ... on Opportunity { step { name } account { name } attributes { definitionKey value } isReservationValid
		salesDocument { ... on Invoice { lifecycleState purchaseOrderReference comments } } } }
		event: node(id: %q) { ... on Event { reserved bookedPlaces learners { edges { node { isCancelled contact { emailAddress account { name } } } } } } }
		accounts(filters: [{field: name, operation: eq, value: "Byrne Ltd"}]) { pageInfo { totalRecords } } }`, recordID, id("Course", 1))
}

func (h *tenantFixture) createCompany() {
	h.t.Helper()
	h.wantQuery(fmt.Sprintf(`mutation { opportunities { update(input: {id: %q, attributes: [{definitionKey: "company", value: "Byrne Ltd"}, {definitionKey: "po", value: "PO-7"}]}) { errors { message } } } }`, recordID),
		"{opportunities:{update:{errors:[]}}}")
}

const wonAnswer = "{accounts:{pageInfo:{totalRecords:1}}," +
	"event:{bookedPlaces:2,learners:{edges:[{node:{contact:{account:{name:Byrne Ltd},emailAddress:ada@byrne.example},isCancelled:false}},{node:{contact:{account:{name:Byrne Ltd},emailAddress:ben@byrne.example},isCancelled:false}}]},reserved:0}," +
	"opp:{account:{name:Byrne Ltd},attributes:[{definitionKey:company,value:Byrne Ltd},{definitionKey:handled-by,value:Oppflow},{definitionKey:po,value:PO-7}],isReservationValid:false,salesDocument:{comments:First Aid, 399.80 GBP,lifecycleState:Draft,purchaseOrderReference:PO-7},step:{name:Won}}}"

func (h *tenantFixture) moveToWon() {
	h.at(10*time.Minute, h.createCompany) // the record exists at this time, whichever request was lost
	h.at(time.Minute, func() { h.update("i", "addInterests", reserveFor(1, "Ada", "Ben")) })
	h.at(time.Hour, func() { h.update("p", "progress", to("Proposed")) })
	h.at(2*time.Hour, func() { h.update("w", "progress", to("Won")) })
}

func TestAWinMakesAllThatIsNeeded(t *testing.T) {
	h := newTenantFixture(t, example(t, "win"))
	h.moveToWon()
	h.run(opportunity.Start{Name: "First Aid", Region: "UK"}, nil)
	h.wantDone("i", "p", "w")
	h.wantQuery(winQuery(), wonAnswer)
	if ended := h.ended(); ended.State != opportunity.Won {
		t.Errorf("it ended as %+v", ended)
	}
}

// Each subtest loses one request that changes something, before or after the API makes the change.
// The transition to Won has the same result as without a lost request.
func TestALostRequestOfAWinChangesNothing(t *testing.T) {
	for _, commits := range []bool{false, true} {
		t.Run(fmt.Sprint("carried out ", commits), func(t *testing.T) {
			t.Parallel()
			for k := 1; ; k++ {
				h := newTenantFixture(t, example(t, "win"))
				var reached atomic.Bool
				h.lost = func(n int) (bool, bool) {
					if n == k {
						reached.Store(true)
					}
					return commits, n == k
				}
				h.moveToWon()
				h.run(opportunity.Start{Name: "First Aid", Region: "UK"}, nil)
				if !reached.Load() {
					if k < 10 {
						t.Errorf("only %d requests changed something", k-1)
					}
					break
				}
				if h.wantQuery(winQuery(), wonAnswer); t.Failed() {
					t.Fatalf("request %d was lost; effects %+v, attention %+v", k, h.view().EffectResults, h.view().Attention)
				}
			}
		})
	}
}

func TestTheInvoiceIsFinalAWeekBefore(t *testing.T) {
	h := newTenantFixture(t, example(t, "invoice-before-event"))
	h.at(time.Second, func() {
		h.createCompany()
		h.wantQuery(fmt.Sprintf(`mutation { opportunities { update(input: {id: %q, accountId: %q}) { errors { message } } } }`, recordID, id(opportunity.TypeAccount, 1)),
			"{opportunities:{update:{errors:[]}}}")
	})
	h.at(time.Minute, func() { h.update("i", "addInterests", reserveFor(1, "Ada")) })
	h.at(time.Hour, func() { h.update("p", "progress", to("Proposed")) })
	h.at(2*time.Hour, func() { h.update("w", "progress", to("Won")) })
	state := fmt.Sprintf(`{ opp: node(id: %q) { ... on Opportunity { salesDocument { ... on Invoice { lifecycleState purchaseOrderReference } } } } }`, recordID)
	h.at(61*24*time.Hour, func() { // 25 January 2042, 09:00; the event starts on 3 February at 09:30
		h.wantQuery(state, "{opp:{salesDocument:{lifecycleState:Draft,purchaseOrderReference:PO-7}}}")
		if next, set := h.searchAttributes.GetTime(lifecycle.OpportunityNextActionTime); !set || next.Format(time.DateTime) != "2042-01-25 09:30:00" {
			t.Errorf("next: %s", next)
		}
	})
	h.run(opportunity.Start{Name: "First Aid", Region: "UK"}, nil)
	h.wantDone("i", "p", "w")
	h.wantQuery(state, "{opp:{salesDocument:{lifecycleState:Final,purchaseOrderReference:PO-7}}}")
}
