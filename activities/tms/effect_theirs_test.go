package tms_test

import (
	"testing"
	"time"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms"
	"github.com/oppflow/oppflow/opportunity"
)

// An account that the TMS itself gave the record after the inspection stays: the effect
// does not remove it.
func TestAnAccountThatTheTMSGaveMeanwhileStays(t *testing.T) {
	r := newRoomOf(t, tms.Mark{}, map[string]string{"update.null": "cleared"})
	record := r.created("A-1")
	in := accountEffect(record, "Byrne Ltd")
	in.Trace = do[activities.InspectResult](r, activities.InspectEffect, in).Trace
	theirs := r.account("Byrne Ltd")
	r.belongs(record, theirs)
	done := r.ensure(in)
	r.stands(done)
	r.stands(r.ensure(undo(in, done)))
	if got := r.accountOf(record); got != theirs {
		t.Errorf("the record has the account %q, want %q", got, theirs)
	}
}

// An answer that reports a new contact does not make the contact.
func TestAContactThatIsNotMadeIsTold(t *testing.T) {
	r := newRoom(t, tms.Mark{})
	record := r.created("A-1")
	r.answerOnce("createBatch", `{"data":{"contact":{"createBatch":[{"errors":[],"contact":{"id":"UGVyc29uOjk5","personalName":{"firstName":"a","lastName":"b"}}}]}}}`)
	r.requested()
	got := r.ensure(contactsEffect(record, opportunity.SeveralAsk, person(event, "Ada", "ada@example.com")))
	r.wantProblem(got, 4, "nothing shows", opportunity.ActCreateContacts)
}

// Places are given back all at once. The places of people without names yet would be lost
// for good together with the places of the named person.
func TestPlacesOfPeopleWhoAreNotNamedStayHeld(t *testing.T) {
	r := newRoom(t, tms.Mark{})
	record := r.created("A-1")
	three := interest(event, 3)
	three.Interest.Reserve = true
	r.apply(record, three, opportunity.Mutation{Request: "r", Extend: &opportunity.Extend{Until: r.in(240 * time.Hour)}})
	ref := r.read(record).Interests[0]
	ada := person(event, "Ada", "ada@example.com")
	ada.Interest = ref.ID
	in := registerEffect(record, []opportunity.Held{{ID: ref.ID, Item: string(ref.Item), Quantity: 3}}, ada)
	r.stands(r.ensure(in))
	r.wantReserved(3)
}
