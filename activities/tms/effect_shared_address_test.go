package tms_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/sandbox"
)

const officeAddress = "office@clinic.example"

func learner(event opportunity.ID, first, last, email string) exchange.Attendee {
	return exchange.Attendee{Interest: "I", Event: event, Person: &opportunity.Learner{FirstName: first, LastName: last, Email: email}}
}

func (r *fixture) namedContact(first, last, email string) opportunity.ID {
	r.t.Helper()
	made, err := r.client().CreateContacts(r.t.Context(), []administrate.NewContact{{FirstName: first, LastName: last, Email: email}})
	if err != nil || made[0].Err != nil {
		r.t.Fatal(err, made)
	}
	r.requestCount()
	return opportunity.ID(made[0].Contact.ID)
}

// newOffice returns a register effect of an opportunity with two reserved places, for two people
// with the same e-mail address.
func (r *fixture) newOffice(people exchange.PeoplePolicy) activities.EffectInput {
	r.t.Helper()
	record := r.createRecord("A-1")
	r.apply(record, interest(event, 2))
	ref := r.read(record).Interests[0]
	interests := []opportunity.RecordedInterest{{ID: ref.ID, Item: string(ref.Item), Quantity: 2}}
	r.wantSatisfied(r.runEffect(reserveEffect(record, interests, r.timeIn(48*time.Hour))))
	in := registerEffect(record, interests, learner(event, "Dan", "One", officeAddress), learner(event, "Eva", "Two", officeAddress))
	for i := range in.Attendees {
		in.Attendees[i].Interest = ref.ID
	}
	in.Effect.Settings = exchange.NewSettings(exchange.RegisterLearners{ReleaseReservation: true, People: people})
	return in
}

func TestPeopleOfOneOrderWithOneAddress(t *testing.T) {
	for _, row := range []struct {
		people           exchange.PeoplePolicy
		contacts         int
		booked, reserved int
	}{{exchange.PeopleApart, 2, 6, 0}, {exchange.PeopleByAddress, 1, 5, 2}} {
		t.Run(string(row.people), func(t *testing.T) {
			r := newFixture(t, tms.ReferenceTag{})
			done := r.runEffect(r.newOffice(row.people))
			if done.problem != "" {
				t.Fatal(done.problem)
			}
			r.advanceClock(time.Second)
			r.wantEventPlaces(event, row.booked, row.reserved)
			if got := r.contactsOf(officeAddress); len(got) != row.contacts {
				t.Errorf("contacts %+v", got)
			}
			if kept := row.reserved > 0; kept != strings.Contains(done.note, "Oppflow did not release the reservation: 1 sold place has no learner of this opportunity") {
				t.Errorf("note %q", done.note)
			}
		})
	}
}

func TestOperatorDecidesAboutOneAddress(t *testing.T) {
	for name, row := range map[string]struct {
		decide           func(*exchange.Attendee)
		contacts         int
		booked, reserved int
	}{
		"the same person": {func(a *exchange.Attendee) { a.SameAsContact = exchange.DecisionSamePerson }, 1, 5, 2},
		"another person":  {func(a *exchange.Attendee) { a.SameAsContact = exchange.DecisionOtherPerson }, 2, 6, 0},
		"left out":        {func(a *exchange.Attendee) { a.Person = nil }, 1, 5, 2},
	} {
		t.Run(name, func(t *testing.T) {
			r := newFixture(t, tms.ReferenceTag{})
			in := r.newOffice(exchange.PeopleAsk)
			asked := r.runEffect(in)
			r.wantProblem(asked, 4, "attendee 2 has the e-mail address of the contact", exchange.RequestCreateContacts)
			if !slices.Equal(asked.inDoubt, []int{1}) || strings.Contains(asked.problem, "Dan") || strings.Contains(asked.problem, officeAddress) {
				t.Errorf("in doubt %v: %s", asked.inDoubt, asked.problem)
			}
			r.wantEventPlaces(event, 4, 2)
			in.Attendees, in.UndoEntry = asked.attendees, asked.undoEntry
			row.decide(&in.Attendees[1])
			if done := r.runEffect(in); done.problem != "" {
				t.Fatal(done.problem)
			}
			r.advanceClock(time.Second)
			r.wantEventPlaces(event, row.booked, row.reserved)
			if got := r.contactsOf(officeAddress); len(got) != row.contacts {
				t.Errorf("contacts %+v", got)
			}
		})
	}
}

func TestOneQuestionAboutAllPeople(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	record := r.createRecord("A-1")
	r.namedContact("Front", "Desk", officeAddress)
	in := contactsEffect(record, exchange.MatchAskOperator, learner(event, "Dan", "One", officeAddress), person(event, "Ada", "ada@byrne.example"),
		learner(event, "Eva", "Two", officeAddress), learner(event, "Front", "Desk", officeAddress))
	changeSettings(&in.Effect, func(c *exchange.EnsureContacts) { c.People = exchange.PeopleAsk })
	asked := r.runEffect(in)
	if diff := cmp.Diff([]int{0, 2}, asked.inDoubt); diff != "" || !strings.Contains(asked.problem, "attendees 1 and 3 have the e-mail addresses") {
		t.Errorf("in doubt %s: %s", diff, asked.problem)
	}
	if asked.attendees[1].Contact == "" || asked.attendees[3].Contact == "" {
		t.Errorf("attendees %+v", asked.attendees)
	}
}

func TestContactOfTheNameIsTaken(t *testing.T) {
	for _, people := range []exchange.PeoplePolicy{exchange.PeopleAsk, exchange.PeopleByAddress, exchange.PeopleApart} {
		r := newFixture(t, tms.ReferenceTag{})
		record := r.createRecord("A-1")
		r.namedContact("Dan", "One", officeAddress)
		eva := r.namedContact("Éva", "O'Two", officeAddress)
		in := contactsEffect(record, exchange.MatchAskOperator, learner(event, "E\u0301VA ", "o’two", "Office@Clinic.example"))
		changeSettings(&in.Effect, func(c *exchange.EnsureContacts) { c.People = people })
		done := r.runEffect(in)
		r.wantEffect(done, 1)
		if done.attendees[0].Contact != eva {
			t.Errorf("%s: taken was %q, want %q", people, done.attendees[0].Contact, eva)
		}
	}
}

// When several contacts have the person's address and name, a setting of the playbook decides
// whether the effect uses the oldest contact.
func TestSeveralContactsOfOneNameAndAddress(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	record := r.createRecord("A-1")
	r.namedContact("Dan", "One", officeAddress)
	first := r.namedContact("Eva", "Two", officeAddress)
	r.namedContact("Eva", "Two", officeAddress)
	in := contactsEffect(record, exchange.MatchAskOperator, learner(event, "Eva", "Two", officeAddress))
	changeSettings(&in.Effect, func(c *exchange.EnsureContacts) { c.People = exchange.PeopleAsk })
	r.wantProblem(r.runEffect(in), 1, "2 contacts have the e-mail address of attendee 1")
	changeSettings(&in.Effect, func(c *exchange.EnsureContacts) { c.OnMultipleMatches = exchange.MatchOldest })
	if done := r.runEffect(in); done.problem != "" || done.attendees[0].Contact != first {
		t.Errorf("taken was %q, want %q; problem %q", done.attendees[0].Contact, first, done.problem)
	}
}

func TestRegistrationOfAnotherNameIsNotCancelled(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	record := r.createRecord("A-1")
	r.register(event, r.namedContact("Dan", "One", officeAddress))
	in := cancelEffect(record, learner(event, "Eva", "Two", officeAddress))
	in.Effect.Settings = exchange.NewSettings(exchange.CancelRegistrations{People: exchange.PeopleAsk})
	if done := r.runEffect(in); done.problem != "" || len(done.requests) > 0 {
		t.Errorf("acts %q, problem %q", done.requests, done.problem)
	}
	r.wantEventPlaces(event, 5, 0)
}

func (r *fixture) newSoldPlace(start opportunity.Start) (opportunity.ID, activities.EffectInput) {
	r.t.Helper()
	record := r.create(activities.CreateInput{Reference: "A-1", Start: start, SkipEarlierRunCheck: true}).Record.ID
	r.apply(record, exchange.Change{Request: "r", Interest: &opportunity.Interest{Item: string(event), Quantity: 1, Contacts: []opportunity.ID{contact}}})
	ref := r.read(record).Interests[0]
	interests := []opportunity.RecordedInterest{{ID: ref.ID, Item: string(ref.Item), Quantity: 1}}
	r.wantSatisfied(r.runEffect(reserveEffect(record, interests, r.timeIn(48*time.Hour))))
	return record, registerEffect(record, interests, exchange.Attendee{Interest: ref.ID, Event: event, Contact: contact})
}

func TestPlacesStayReservedForAPersonOfAnotherOrder(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	_, in := r.newSoldPlace(opportunity.Start{Name: "First Aid", Region: string(regionDR)})
	r.register(event, contact)
	done := r.runEffect(in)
	if done.problem != "" || len(done.requests) > 0 || !strings.Contains(done.note, "did not release the reservation") {
		t.Errorf("acts %q, problem %q, note %q", done.requests, done.problem, done.note)
	}
	r.advanceClock(time.Second)
	r.wantEventPlaces(event, 5, 1)
}

// A person whom a trigger registered during the opportunity's own transition uses a reserved place
// of the opportunity.
func TestPlacesOfOwnTriggerAreReleased(t *testing.T) {
	r := newFixtureIn(t, tms.ReferenceTag{}, sandbox.Options{
		Catalogue:   catalogueWith(t, "- { from: 4, to: 5 }", "- { from: 4, to: 5, triggers: [registration] }"),
		Assumptions: map[string]string{"registration.hold": "kept"},
	})
	record, in := r.newSoldPlace(opportunity.Start{Name: "First Aid", Region: string(regionDR), EntryStep: string(stepTwo)})
	if got := r.apply(record, progress(string(stepWon))).Results[0]; got.Status != exchange.StatusDone {
		t.Fatalf("%+v", got)
	}
	r.wantEventPlaces(event, 5, 1)
	done := r.runEffect(in)
	if done.problem != "" || !slices.Equal(done.requests, []exchange.EffectRequestKind{exchange.RequestRelease}) {
		t.Errorf("acts %q, problem %q, note %q", done.requests, done.problem, done.note)
	}
	r.advanceClock(time.Second)
	r.wantEventPlaces(event, 5, 0)
}

// The TMS accepts two learners on the last free place, and the effect reports the overbooked event.
func TestOverbookedEventIsReported(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	record := r.createRecord("A-1")
	one := id(opportunity.TypeContact, 1)
	r.register(event, slices.Repeat([]opportunity.ID{one}, 7)...)
	in := registerEffect(record, nil, persons(event, 2)...)
	done := r.runEffect(in)
	if done.problem != "" || len(done.overbooked) != 1 || done.overbooked[0].Event != event || done.overbooked[0].By != 1 || done.overbooked[0].Title == "" {
		t.Errorf("problem %q, overbooked %+v", done.problem, done.overbooked)
	}
	r.wantEventPlaces(event, 13, 0)
}

// A trigger of the TMS registers the learners on the last free place. The effect finds the learners
// and reports the overbooked event.
func TestAnEventThatATriggerOverbooksIsReported(t *testing.T) {
	r := newFixtureIn(t, tms.ReferenceTag{}, sandbox.Options{Catalogue: catalogueWith(t, "- { from: 4, to: 5 }", "- { from: 4, to: 5, triggers: [registration] }")})
	record, in := r.newSoldPlace(opportunity.Start{Name: "First Aid", Region: string(regionDR), EntryStep: string(stepTwo)})
	r.register(event, slices.Repeat([]opportunity.ID{id(opportunity.TypeContact, 1)}, 8)...)
	if got := r.apply(record, progress(string(stepWon))).Results[0]; got.Status != exchange.StatusDone {
		t.Fatalf("%+v", got)
	}
	done := r.runEffect(in)
	if done.problem != "" || len(done.overbooked) != 1 || done.overbooked[0].Event != event {
		t.Errorf("problem %q, overbooked %+v; want the event", done.problem, done.overbooked)
	}
	if again := r.runEffect(in); len(again.overbooked) != 1 {
		t.Errorf("another look reports %+v", again.overbooked)
	}
}

func TestOwnReservationOverbooksNothing(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	record, interests, attendees := r.newFullEvent()
	in := registerEffect(record, interests, attendees...)
	in.Effect.Settings = exchange.NewSettings(exchange.RegisterLearners{})
	done := r.runEffect(in)
	if done.problem != "" || len(done.overbooked) > 0 {
		t.Errorf("problem %q, overbooked %+v", done.problem, done.overbooked)
	}
	r.wantEventPlaces(event, 12, 8)
}
