package tms_test

import (
	"testing"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms"
	"github.com/oppflow/oppflow/opportunity"
)

// An account that the TMS gave the record itself, after the effect had looked, is not
// the effect's to take off.
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

// An answer that says a contact was made does not make one.
func TestAContactThatIsNotMadeIsTold(t *testing.T) {
	r := newRoom(t, tms.Mark{})
	record := r.created("A-1")
	r.pretend("createBatch", `{"data":{"contact":{"createBatch":[{"errors":[],"contact":{"id":"UGVyc29uOjk5","personalName":{"firstName":"a","lastName":"b"}}}]}}}`)
	r.requested()
	got := r.ensure(contactsEffect(record, opportunity.SeveralAsk, person(event, "Ada", "ada@example.com")))
	r.wantProblem(got, 4, "nothing shows", opportunity.ActCreateContacts)
}
