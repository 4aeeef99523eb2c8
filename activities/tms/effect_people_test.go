package tms_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
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

// eventTwo has 16 places, none of them booked.
var eventTwo = id(opportunity.TypeEvent, 2)

func cancelEffect(record opportunity.ID, attendees ...exchange.Attendee) activities.EffectInput {
	return activities.EffectInput{Reference: "A-1", Opportunity: record, Attendees: attendees, Effect: exchange.Effect{
		Key: "1/withdraw/after/1/cancelRegistrations", Kind: opportunity.EffectCancelRegistrations,
	}}
}

func person(event opportunity.ID, first, email string) exchange.Attendee {
	return exchange.Attendee{Interest: "I", Event: event, Person: &opportunity.Learner{FirstName: first, LastName: "Byrne", Email: email}}
}

func persons(event opportunity.ID, n int) []exchange.Attendee {
	all := make([]exchange.Attendee, n)
	for i := range all {
		all[i] = person(event, fmt.Sprint("Learner ", i), fmt.Sprintf("learner-%d@byrne.example", i))
	}
	return all
}

func undoInput(in activities.EffectInput, after effectOutcome) activities.EffectInput {
	in.Undo, in.UndoEntry, in.Attendees = true, after.undoEntry, after.attendees
	return in
}

// repeatInput returns the input to inspect the effect again after the given outcome. repeatInput
// uses only the contacts of the attendees from the outcome.
func repeatInput(in activities.EffectInput, after effectOutcome) activities.EffectInput {
	in.Attendees = after.attendees
	return in
}

func (r *fixture) contact(email string) opportunity.ID {
	r.t.Helper()
	made, err := r.client().CreateContacts(r.t.Context(), []administrate.NewContact{{FirstName: "F", LastName: "L", Email: email}})
	if err != nil || made[0].Err != nil {
		r.t.Fatal(err, made)
	}
	r.requestCount()
	return opportunity.ID(made[0].Contact.ID)
}

// register registers contacts with a request that does not pass through the worker, and returns the
// learners.
func (r *fixture) register(event opportunity.ID, contacts ...opportunity.ID) []opportunity.ID {
	r.t.Helper()
	in := administrate.RegisterContacts{EventID: string(event)}
	for _, c := range contacts {
		in.ContactIDs = append(in.ContactIDs, string(c))
	}
	out, err := r.client().RegisterContacts(r.t.Context(), in)
	if err != nil {
		r.t.Fatal(err)
	}
	r.requestCount()
	var ids []opportunity.ID
	for _, l := range out.Learners {
		ids = append(ids, opportunity.ID(l.ID))
	}
	return ids
}

func (r *fixture) wantEventPlaces(event opportunity.ID, booked, reserved int) {
	r.t.Helper()
	got, err := r.client().Event(r.t.Context(), string(event))
	if err != nil {
		r.t.Fatal(err)
	}
	r.requestCount()
	if *got.BookedPlaces != booked || *got.Reserved != reserved {
		r.t.Errorf("%d places are booked and %d held, want %d and %d", *got.BookedPlaces, *got.Reserved, booked, reserved)
	}
}

// respondOnce makes the fixture respond with text to the next request whose body contains words.
func (r *fixture) respondOnce(words, text string) {
	r.t.Helper()
	done := false
	r.interceptRequests(func(w http.ResponseWriter, q *http.Request) bool {
		if text := readBody(r.t, q); done || !strings.Contains(text, words) {
			return false
		}
		done = true
		_, _ = w.Write([]byte(text))
		return true
	})
}

// loseNthAnswer loses the response to the nth request that changes something; commits says whether
// the API executes this request. loseNthAnswer returns a pointer to the count of requests that
// change something.
func (r *fixture) loseNthAnswer(n int, commits bool) *int {
	count := new(int)
	r.interceptRequests(func(w http.ResponseWriter, q *http.Request) bool {
		if !strings.Contains(readBody(r.t, q), "mutation ") {
			return false
		}
		if *count++; *count != n {
			return false
		}
		if commits {
			r.sandbox.Handler().ServeHTTP(discardResponse{http.Header{}}, q)
		}
		w.WriteHeader(http.StatusBadGateway)
		return true
	})
	return count
}

// The list marks objects that the effect created with +, and objects that are reverted with -.
func records(got effectOutcome, kind opportunity.ObjectKind) []string {
	var all []string
	for _, record := range got.undoEntry.Objects {
		if record.Kind != kind {
			continue
		}
		text := string(record.ID)
		if record.Created {
			text = "+" + text
		}
		if record.Reverted {
			text = "-" + text
		}
		all = append(all, text)
	}
	return all
}

func (r *fixture) wantRecords(got effectOutcome, kind opportunity.ObjectKind, want ...string) {
	r.t.Helper()
	if diff := cmp.Diff(want, records(got, kind)); diff != "" {
		r.t.Errorf("records %s", diff)
	}
}

func catalogueWith(t *testing.T, old, other string) string {
	t.Helper()
	text, err := os.ReadFile("../../sandbox/catalogue/default.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(text), old) != 1 {
		t.Fatalf("the default catalogue has not one %q", old)
	}
	path := filepath.Join(t.TempDir(), "catalogue.yaml")
	if err := os.WriteFile(path, []byte(strings.Replace(string(text), old, other, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// The effects find objects that triggers of the TMS created, and do not undo these objects.
func TestWhatTriggersMadeIsFound(t *testing.T) {
	r := newFixtureIn(t, tms.ReferenceTag{}, sandbox.Options{
		Catalogue: catalogueWith(t, "- { from: 4, to: 5 }", "- { from: 4, to: 5, triggers: [account, contact, registration] }"),
	})
	start := opportunity.Start{Name: "Byrne Ltd", Region: string(regionDR), EntryStep: string(stepTwo)}
	record := r.create(activities.CreateInput{Reference: "A-1", Start: start, SkipEarlierRunCheck: true}).Record.ID
	attendees := []exchange.Attendee{person(event, "Ada", "ada@byrne.example"), person(event, "Ben", "ben@byrne.example")}
	booked := opportunity.Interest{Item: string(event), Quantity: 2, Learners: []opportunity.Learner{*attendees[0].Person, *attendees[1].Person}}
	for _, answer := range r.apply(record, exchange.Change{Request: "i", Interest: &booked}, progress(string(stepWon))).Results {
		if answer.Status != exchange.StatusDone {
			t.Fatalf("%+v", answer)
		}
	}
	r.wantEventPlaces(event, 6, 0)

	account := r.runEffect(accountEffect(record, "Byrne Ltd"))
	r.wantEffect(account, 1)
	r.wantRecords(account, opportunity.ObjectAccount, string(r.accountOf(record)))
	contacts := contactsEffect(record, exchange.MatchAskOperator, attendees...)
	known := r.runEffect(contacts)
	r.wantEffect(known, 1)
	registers := registerEffect(record, nil, known.attendees...)
	done := r.runEffect(registers)
	r.wantEffect(done, 2) // the requests read who is on the event and whether places are reserved
	if got := records(done, opportunity.ObjectLearner); len(got) != 2 || strings.HasPrefix(got[0], "+") {
		t.Errorf("learners %q", got)
	}
	r.wantEffect(r.runEffect(undoInput(registers, done)), 0)
	r.wantEventPlaces(event, 6, 0)
}

// newBooking returns a record with three reserved places on one event and one reserved place on a
// second event, and the attendees of both events.
func (r *fixture) newBooking() (opportunity.ID, []opportunity.RecordedInterest, []exchange.Attendee) {
	r.t.Helper()
	record := r.createRecord("A-1")
	r.apply(record, interest(event, 3), interest(eventTwo, 1))
	var interests []opportunity.RecordedInterest
	for i, ref := range r.read(record).Interests {
		interests = append(interests, opportunity.RecordedInterest{ID: ref.ID, Item: string(ref.Item), Quantity: []int{3, 1}[i]})
	}
	r.wantSatisfied(r.runEffect(reserveEffect(record, interests, r.timeIn(48*time.Hour))))
	attendees := append(persons(event, 2), exchange.Attendee{Event: event, Contact: contact}, persons(eventTwo, 1)[0])
	for i := range attendees {
		attendees[i].Interest = interests[i/3].ID
	}
	return record, interests, attendees
}

// wantSatisfied fails unless the effect is complete; wantSatisfied does not compare the requests.
func (r *fixture) wantSatisfied(got effectOutcome) {
	r.t.Helper()
	if got.problem != "" {
		r.t.Fatalf("acts %q, problem %q", got.requests, got.problem)
	}
	r.requestCount()
}

func TestLearnersAreCancelledAndReinstated(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	record := r.createRecord("A-1")
	mine := append(r.register(event, contact), r.register(event, contact)...) // twice on the event
	ada := r.contact("ada@byrne.example")
	mine = append(mine, r.register(eventTwo, ada)...)
	registeredAda := person(eventTwo, "Ada", "ada@byrne.example")
	registeredAda.Learner = mine[2]
	r.register(event, id(opportunity.TypeContact, 1)) // somebody else
	attendees := []exchange.Attendee{
		{Event: event, Contact: contact, Learner: mine[0]},
		{Event: event, Contact: contact, Learner: mine[1]},
		registeredAda,
		person(event, "Ben", "ben@byrne.example"), person(event, "Cid", ""), // on no event
	}
	in := cancelEffect(record, attendees...)
	r.requestCount()
	r.loseNextAnswer()
	done := r.runEffect(in)
	r.wantEffect(done, 15, slices.Repeat([]exchange.EffectRequestKind{exchange.RequestCancelLearner}, 3)...)
	r.wantEventPlaces(event, 5, 0)
	r.wantEventPlaces(eventTwo, 0, 0)
	r.wantRecords(done, opportunity.ObjectLearner, "-"+string(mine[0]), "-"+string(mine[1]), "-"+string(mine[2]))
	r.wantEffect(r.runEffect(repeatInput(in, done)), 3)
	if got := r.contactsOf("ben@byrne.example"); len(got) != 0 {
		t.Errorf("made contacts %+v", got)
	}

	r.loseNextAnswer()
	undone := r.runEffect(undoInput(in, done))
	r.wantEffect(undone, 13, slices.Repeat([]exchange.EffectRequestKind{exchange.RequestReinstateLearner}, 3)...)
	r.wantEventPlaces(event, 7, 0)
	r.wantEventPlaces(eventTwo, 1, 0)
	r.wantRecords(undone, opportunity.ObjectLearner, string(mine[0]), string(mine[1]), string(mine[2]))
	r.wantEffect(r.runEffect(undoInput(in, undone)), 0)
}

func TestLearnersAreReinstatedWhilePlacesRemain(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	record := r.createRecord("A-1")
	three, four := id(opportunity.TypeContact, 3), id(opportunity.TypeContact, 4)
	mine := r.register(event, contact, three, four)
	in := cancelEffect(record, exchange.Attendee{Event: event, Contact: contact, Learner: mine[0]}, exchange.Attendee{Event: event, Contact: three, Learner: mine[1]},
		exchange.Attendee{Event: event, Contact: four, Learner: mine[2]})
	done := r.runEffect(in)
	r.wantSatisfied(done)
	r.register(event, three) // a contact who needs no other place
	one := id(opportunity.TypeContact, 1)
	r.register(event, one, one, one, one, one, one)
	r.wantEventPlaces(event, 11, 0)
	r.wantProblem(r.runEffect(undoInput(in, done)), 5, "1 learner cannot be reinstated", exchange.RequestReinstateLearner)
	r.wantEventPlaces(event, 12, 0)
}

func TestCancellationWithoutEffectIsReported(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	record := r.createRecord("A-1")
	mine := r.register(event, contact)
	in := cancelEffect(record, exchange.Attendee{Event: event, Contact: contact, Learner: mine[0]})
	r.respondOnce("mutation ", `{"data":{"learner":{"cancel":{"errors":[]}}}}`)
	out := r.runEffect(in)
	r.wantProblem(out, 3, "nothing shows", exchange.RequestCancelLearner)
	r.respondOnce("mutation ", `{"data":{"learner":{"cancel":{"errors":[{"label":"Locked","message":"no","value":null}]}}}}`)
	r.wantProblem(r.runEffect(in), 3, "Locked", exchange.RequestCancelLearner) // the third reads the event
	// A learner that the effect did not cancel is not reinstated.
	r.wantEffect(r.runEffect(undoInput(in, out)), 1)
	r.wantEventPlaces(event, 5, 0)
}

func TestEffectsAboutPeopleOfAnotherRunSendNothing(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	record := r.createRecord("A-1")
	r.requestCount()
	for _, in := range []activities.EffectInput{
		accountEffect(record, "n"), contactsEffect(record, ""), registerEffect(record, nil), cancelEffect(record),
	} {
		in.Request, in.RunID = &exchange.EffectRequest{}, "another"
		out := mustRunActivity[activities.ExecuteResult](r, activities.ExecuteEffect, in)
		if out.Status != exchange.StatusNotSent || out.Reason != activities.ReasonReset || out.RunID == "" {
			t.Errorf("%s: %+v", in.Effect.Kind, out)
		}
	}
	if n := r.requestCount(); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}

func TestEffectsStoreNoNames(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	record := r.createRecord("A-1")
	in := registerEffect(record, nil, person(event, "Zaphodina", "zaphodina@byrne.example"))
	looked := mustRunActivity[activities.InspectResult](r, activities.InspectEffect, in)
	in.Request, in.UndoEntry = looked.Request, looked.UndoEntry
	acted := mustRunActivity[activities.ExecuteResult](r, activities.ExecuteEffect, in)
	text, err := json.Marshal([]any{looked, acted})
	if err != nil || acted.Status != exchange.StatusDone || strings.Contains(strings.ToLower(string(text)), "zaphodina") {
		t.Errorf("%s, %v", text, err)
	}
}
