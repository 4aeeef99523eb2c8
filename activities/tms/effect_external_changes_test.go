package tms_test

import (
	"testing"
	"time"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

func TestAccountSetByTheTMSIsKeptOnUndo(t *testing.T) {
	r := newFixtureAssuming(t, tms.ReferenceTag{}, map[string]string{"update.null": "cleared"})
	record := r.createRecord("A-1")
	in := accountEffect(record, "Byrne Ltd")
	in.UndoEntry = mustRunActivity[activities.InspectResult](r, activities.InspectEffect, in).UndoEntry
	theirs := r.account("Byrne Ltd")
	r.setAccount(record, theirs)
	done := r.runEffect(in)
	r.wantSatisfied(done)
	r.wantSatisfied(r.runEffect(undoInput(in, done)))
	if got := r.accountOf(record); got != theirs {
		t.Errorf("the record has the account %q, want %q", got, theirs)
	}
}

// A response that reports a new contact does not prove that the contact was created.
func TestContactThatIsNotCreatedIsReported(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	record := r.createRecord("A-1")
	r.respondOnce("createBatch", `{"data":{"contact":{"createBatch":[{"errors":[],"contact":{"id":"UGVyc29uOjk5","personalName":{"firstName":"a","lastName":"b"}}}]}}}`)
	r.requestCount()
	got := r.runEffect(contactsEffect(record, exchange.MatchAskOperator, person(event, "Ada", "ada@example.com")))
	r.wantProblem(got, 5, "nothing shows", exchange.RequestCreateContacts)
}

// A release frees all places of an opportunity permanently, including the places for people whose
// names are not known yet.
func TestPlacesWithoutNamedLearnersStayReserved(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	record := r.createRecord("A-1")
	three := interest(event, 3)
	three.Interest.Reserve = true
	r.apply(record, three, exchange.Change{Request: "r", ReservationChange: &exchange.ReservationChange{Until: r.timeIn(240 * time.Hour)}})
	ref := r.read(record).Interests[0]
	ada := person(event, "Ada", "ada@example.com")
	ada.Interest = ref.ID
	in := registerEffect(record, []opportunity.RecordedInterest{{ID: ref.ID, Item: string(ref.Item), Quantity: 3}}, ada)
	r.wantSatisfied(r.runEffect(in))
	r.wantReserved(3)
}
