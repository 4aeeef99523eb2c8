package tms_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

func registerEffect(record opportunity.ID, interests []opportunity.RecordedInterest, attendees ...exchange.Attendee) activities.EffectInput {
	return activities.EffectInput{Reference: "A-1", Opportunity: record, Attendees: attendees, Interests: interests, Effect: exchange.Effect{
		Key: "1/win/after/3/register", Kind: opportunity.EffectRegister, Settings: exchange.NewSettings(exchange.RegisterLearners{ReleaseReservation: true}),
	}}
}

func TestLearnersAreRegisteredOnceAndTheReservationReleased(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	record, interests, attendees := r.newBooking()
	r.wantEventPlaces(event, 4, 3)
	in := registerEffect(record, interests, attendees...)
	done := r.runEffect(in)
	r.wantEffect(done, 12, exchange.RequestCreateContacts, exchange.RequestRegister, exchange.RequestRegister, exchange.RequestRelease)
	r.advanceClock(time.Second)
	r.wantEventPlaces(event, 7, 0)
	r.wantEventPlaces(eventTwo, 1, 0)
	learners := records(done, opportunity.ObjectLearner)
	if len(learners) != 4 || slices.ContainsFunc(learners, func(l string) bool { return len(l) < 5 || l[0] != '+' }) {
		t.Errorf("learners %q", learners)
	}
	r.wantEffect(r.runEffect(repeatInput(in, done)), 2)

	// The undo does not undo a release, because the opportunity cannot reserve places again.
	undone := r.runEffect(undoInput(in, done))
	r.wantEffect(undone, 13, slices.Repeat([]exchange.EffectRequestKind{exchange.RequestCancelLearner}, 4)...)
	r.wantEventPlaces(event, 4, 0)
	r.wantEventPlaces(eventTwo, 0, 0)
	for i := range learners {
		learners[i] = "-" + learners[i]
	}
	r.wantRecords(undone, opportunity.ObjectLearner, learners...)
	r.wantEffect(r.runEffect(undoInput(in, undone)), 0)
}

// Each test case loses the response to one request; the API executes or does not execute this
// request.
func TestLearnersWhoseAnswerIsLostAreRegisteredOnce(t *testing.T) {
	for _, commits := range []bool{false, true} {
		for n := 1; ; n++ {
			r := newFixture(t, tms.ReferenceTag{})
			record, interests, attendees := r.newBooking()
			in := registerEffect(record, interests, attendees...)
			count := r.loseNthAnswer(n, commits)
			done := r.runEffect(in)
			if done.problem != "" {
				t.Fatalf("request %d, carried out %v: %s", n, commits, done.problem)
			}
			r.advanceClock(time.Second)
			r.wantEventPlaces(event, 7, 0)
			r.wantEventPlaces(eventTwo, 1, 0)
			for _, email := range []string{"learner-0@byrne.example", "learner-1@byrne.example"} {
				if got := r.contactsOf(email); len(got) != 1 {
					t.Errorf("contacts %+v", got)
				}
			}
			if undone := r.runEffect(undoInput(in, done)); undone.problem != "" {
				t.Error(undone.problem)
			}
			r.wantEventPlaces(event, 4, 0)
			r.wantEventPlaces(eventTwo, 0, 0)
			if t.Failed() {
				t.Fatalf("request %d, carried out %v", n, commits)
			}
			if *count < n {
				break
			}
		}
	}
}

func TestLearnersWhoAreOnTheEventAlreadyStayThere(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	record, _, attendees := r.newBooking()
	there := r.register(event, contact)
	in := registerEffect(record, nil, attendees[2:3]...)
	done := r.runEffect(in)
	r.wantEffect(done, 5, exchange.RequestRelease)
	r.wantRecords(done, opportunity.ObjectLearner, string(there[0]))
	r.wantEffect(r.runEffect(undoInput(in, done)), 0)
	r.advanceClock(time.Second)
	r.wantEventPlaces(event, 5, 0)
}

func TestLearnerRegisteredAgainIsNotCancelled(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	record, _, attendees := r.newBooking()
	in := registerEffect(record, nil, attendees[2])
	done := r.runEffect(in)
	if err := r.client().CancelLearner(t.Context(), strings.TrimPrefix(records(done, opportunity.ObjectLearner)[0], "+")); err != nil {
		t.Fatal(err)
	}
	r.register(event, contact)
	r.wantEffect(r.runEffect(undoInput(in, done)), 1)
	r.wantEventPlaces(event, 5, 0)
}

func TestReservationIsKept(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	record, interests, attendees := r.newBooking()
	in := registerEffect(record, interests, attendees[2])
	in.Effect.Settings = exchange.NewSettings(exchange.RegisterLearners{})
	r.wantEffect(r.runEffect(in), 3, exchange.RequestRegister)
	r.wantEventPlaces(event, 5, 3)

	nobody := registerEffect(record, interests)
	r.wantEffect(r.runEffect(nobody), 0)
	r.wantEventPlaces(event, 5, 3)
}

// newFullEvent returns a record that has reserved all free places of event 1, and one attendee for
// each of these places.
func (r *fixture) newFullEvent() (opportunity.ID, []opportunity.RecordedInterest, []exchange.Attendee) {
	r.t.Helper()
	record := r.createRecord("A-1")
	r.apply(record, interest(event, 8))
	ref := r.read(record).Interests[0]
	interests := []opportunity.RecordedInterest{{ID: ref.ID, Item: string(ref.Item), Quantity: 8}}
	r.wantSatisfied(r.runEffect(reserveEffect(record, interests, r.timeIn(48*time.Hour))))
	attendees := persons(event, 8)
	for i := range attendees {
		attendees[i].Interest = ref.ID
	}
	r.wantEventPlaces(event, 4, 8)
	return record, interests, attendees
}

// The API accepts all attendees, even if reserved places count as taken for the attendees for whom
// they are reserved.
func TestReservationDoesNotBlockItsOwnLearners(t *testing.T) {
	for short, acts := range map[string][]exchange.EffectRequestKind{
		"booked":  {exchange.RequestCreateContacts, exchange.RequestRegister, exchange.RequestRelease},
		"refused": {exchange.RequestCreateContacts, exchange.RequestRegister, exchange.RequestRelease, exchange.RequestRegister},
	} {
		t.Run(short, func(t *testing.T) {
			r := newFixtureAssuming(t, tms.ReferenceTag{}, map[string]string{"registration.short": short})
			record, interests, attendees := r.newFullEvent()
			done := r.runEffect(registerEffect(record, interests, attendees...))
			if done.problem != "" || !cmp.Equal(done.requests, acts) {
				t.Errorf("acts %q, problem %q", done.requests, done.problem)
			}
			r.advanceClock(time.Second)
			r.wantEventPlaces(event, 12, 0)
		})
	}
}

// The effect keeps the reservation if a release would not help, because the opportunity cannot
// reserve places again.
func TestReservationIsNotReleasedInVain(t *testing.T) {
	t.Run("more people than places", func(t *testing.T) {
		r := newFixtureAssuming(t, tms.ReferenceTag{}, map[string]string{"registration.short": "refused"})
		record, interests, attendees := r.newFullEvent()
		one := person(event, "Ada", "ada@byrne.example")
		one.Interest = interests[0].ID
		out := r.runEffect(registerEffect(record, interests, append(attendees, one)...))
		if out.problem == "" || !slices.Equal(out.requests, []exchange.EffectRequestKind{exchange.RequestCreateContacts, exchange.RequestRegister}) {
			t.Errorf("acts %q, problem %q", out.requests, out.problem)
		}
		r.wantEventPlaces(event, 4, 8)
		if undone := r.runEffect(undoInput(registerEffect(record, interests), out)); undone.problem != "" || undone.requests != nil {
			t.Errorf("acts %q, problem %q", undone.requests, undone.problem)
		}
	})
	t.Run("an event that takes nobody", func(t *testing.T) {
		r := newFixture(t, tms.ReferenceTag{})
		record, interests, attendees := r.newBooking()
		attendees[2].Event = id(opportunity.TypeEvent, 3) // cancelled
		out := r.runEffect(registerEffect(record, interests, attendees[2]))
		if !strings.Contains(out.problem, "Not Published") {
			t.Errorf("acts %q, problem %q", out.requests, out.problem)
		}
		r.wantEventPlaces(event, 4, 3)
	})
	t.Run("a registration of which nothing shows", func(t *testing.T) {
		r := newFixture(t, tms.ReferenceTag{})
		record, interests, attendees := r.newBooking()
		r.respondOnce("registerContacts", `{"data":{"event":{"registerContacts":{"errors":[],"event":null,"learners":[{"id":"bGVhcm5lcjo5OQ==","contact":{"id":"`+string(contact)+`"}}]}}}}`)
		r.wantProblem(r.runEffect(registerEffect(record, interests, attendees[2])), 3, "nothing shows", exchange.RequestRegister)
		r.wantEventPlaces(event, 4, 3)
	})
}

// One request reads, creates or registers a hundred people. The event is overbooked after the
// registration, and the next inspection reads by how many places.
func TestManyLearnersTakeFewRequests(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	record := r.createRecord("A-1")
	r.requestCount()
	done := r.runEffect(registerEffect(record, nil, persons(event, 150)...))
	r.wantEffect(done, 17, exchange.RequestCreateContacts, exchange.RequestCreateContacts, exchange.RequestRegister, exchange.RequestRegister)
	r.wantEventPlaces(event, 154, 0)
}
