package tms_test

import (
	"slices"
	"testing"

	"github.com/oppflow/oppflow/activities/tms"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/sandbox"
)

// The person has one registration of another opportunity and one of this opportunity.
func TestPlacesOfAnotherOrderAreNotCancelled(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	record := r.createRecord("x-2")
	theirs := r.register(event, contact)
	ours := r.register(event, contact)
	for _, c := range []struct {
		name     string
		attendee exchange.Attendee
		problem  string
		cancels  int
	}{
		{"this opportunity found the person on the event", exchange.Attendee{Event: event, Contact: contact, RegisteredBefore: true}, "", 0},
		{"neither the undo entry nor the API shows the opportunity", exchange.Attendee{Event: event, Contact: contact}, "neither Oppflow nor the API shows which opportunity made 2 registrations", 0},
		{"this opportunity made the second place", exchange.Attendee{Event: event, Contact: contact, RegisteredBefore: true, Learner: ours[0]}, "", 1},
	} {
		r.requestCount()
		done := r.runEffect(cancelEffect(record, c.attendee))
		if c.problem != "" {
			r.wantProblem(done, 2, c.problem)
		} else if done.problem != "" || len(done.requests) != c.cancels {
			t.Errorf("%s: acts %q, problem %q", c.name, done.requests, done.problem)
		}
	}
	r.wantEventPlaces(event, 5, 0)
	got, err := r.client().Enrolments(t.Context(), string(event), []string{string(contact)}, "")
	if err != nil || len(got.Learners) != 1 || got.Learners[0].ID != string(theirs[0]) {
		t.Errorf("on the event are %+v (%v), want %v", got.Learners, err, theirs)
	}
}

// A trigger of the opportunity's own transition registered the person before the effect inspected
// the event.
func TestPlacesOfOwnTriggerAreCancelled(t *testing.T) {
	for _, shown := range []bool{true, false} {
		r := newFixtureIn(t, tms.ReferenceTag{}, sandbox.Options{
			Catalogue: catalogueWith(t, "- { from: 4, to: 5 }", "- { from: 4, to: 5, triggers: [registration] }"),
		})
		record, in := r.newSoldPlace(opportunity.Start{Name: "First Aid", Region: string(regionDR), EntryStep: string(stepTwo)})
		if got := r.apply(record, progress(string(stepWon))).Results[0]; got.Status != exchange.StatusDone {
			t.Fatalf("%+v", got)
		}
		if !shown { // the API has no such field
			r.respondOnce("EnrolmentSources", `{"errors":[{"message":"Cannot query field \"registration\" on type \"Learner\".","locations":[{"line":3,"column":9}]}]}`)
		}
		attendee := in.Attendees[0]
		attendee.RegisteredBefore = true // the effect that registers found the person on the event
		done := r.runEffect(cancelEffect(record, attendee))
		if done.problem != "" || !slices.Equal(done.requests, []exchange.EffectRequestKind{exchange.RequestCancelLearner}) {
			t.Errorf("acts %q, problem %q", done.requests, done.problem)
		}
	}
}
