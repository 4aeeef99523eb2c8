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

func accountEffect(record opportunity.ID, name string) activities.EffectInput {
	return activities.EffectInput{Reference: "A-1", Opportunity: record, Effect: exchange.Effect{
		Key: "1/win/after/1/account", Kind: opportunity.EffectAccount, Settings: exchange.NewSettings(exchange.EnsureAccount{Name: name}),
	}}
}

func contactsEffect(record opportunity.ID, several exchange.MatchPolicy, attendees ...exchange.Attendee) activities.EffectInput {
	return activities.EffectInput{Reference: "A-1", Opportunity: record, Attendees: attendees, Effect: exchange.Effect{
		Key: "1/win/after/2/contacts", Kind: opportunity.EffectContacts, Settings: exchange.NewSettings(exchange.EnsureContacts{OnMultipleMatches: several}),
	}}
}

func registerEffect(record opportunity.ID, interests []opportunity.RecordedInterest, attendees ...exchange.Attendee) activities.EffectInput {
	return activities.EffectInput{Reference: "A-1", Opportunity: record, Attendees: attendees, Interests: interests, Effect: exchange.Effect{
		Key: "1/win/after/3/register", Kind: opportunity.EffectRegister, Settings: exchange.NewSettings(exchange.RegisterLearners{ReleaseReservation: true}),
	}}
}

func cancelEffect(record opportunity.ID, attendees ...exchange.Attendee) activities.EffectInput {
	return activities.EffectInput{Reference: "A-1", Opportunity: record, Attendees: attendees, Effect: exchange.Effect{
		Key: "1/withdraw/after/1/cancelRegistrations", Kind: opportunity.EffectCancelRegistrations,
	}}
}

// person returns an attendee without a known contact.
func person(event opportunity.ID, first, email string) exchange.Attendee {
	return exchange.Attendee{Interest: "I", Event: event, Person: &opportunity.Learner{FirstName: first, LastName: "Byrne", Email: email}}
}

// persons returns n attendees without known contacts.
func persons(event opportunity.ID, n int) []exchange.Attendee {
	all := make([]exchange.Attendee, n)
	for i := range all {
		all[i] = person(event, fmt.Sprint("Learner ", i), fmt.Sprintf("learner-%d@byrne.example", i))
	}
	return all
}

// undoInput returns the input to undo the effect after the given outcome.
func undoInput(in activities.EffectInput, after effectOutcome) activities.EffectInput {
	in.Undo, in.UndoEntry, in.Attendees = true, after.undoEntry, after.attendees
	return in
}

// repeatInput returns the input to inspect the effect again after the given outcome. Of the
// outcome, only the contacts of the attendees are used.
func repeatInput(in activities.EffectInput, after effectOutcome) activities.EffectInput {
	in.Attendees = after.attendees
	return in
}

// accountOf returns the account of the record.
func (r *fixture) accountOf(record opportunity.ID) opportunity.ID {
	r.t.Helper()
	ties, err := r.client().OpportunityLinks(r.t.Context(), string(record))
	if err != nil {
		r.t.Fatal(err)
	}
	r.requestCount()
	if ties.Account == nil {
		return ""
	}
	return opportunity.ID(ties.Account.ID)
}

// accountsNamed returns the ids of the accounts with the name.
func (r *fixture) accountsNamed(name string) []opportunity.ID {
	r.t.Helper()
	page, err := r.client().AccountsByName(r.t.Context(), name)
	if err != nil {
		r.t.Fatal(err)
	}
	r.requestCount()
	var ids []opportunity.ID
	for _, a := range page.Accounts {
		ids = append(ids, opportunity.ID(a.ID))
	}
	return ids
}

// account creates an account with a request of its own, not through the worker.
func (r *fixture) account(name string) opportunity.ID {
	r.t.Helper()
	made, err := r.client().CreateAccount(r.t.Context(), administrate.NewAccount{Name: name})
	if err != nil {
		r.t.Fatal(err)
	}
	r.requestCount()
	return opportunity.ID(made.ID)
}

// setAccount sets the account on the record, not through the worker.
func (r *fixture) setAccount(record, account opportunity.ID) {
	r.t.Helper()
	_, err := r.client().UpdateOpportunity(r.t.Context(), administrate.UpdateOpportunity{ID: string(record), AccountID: string(account)})
	if err != nil {
		r.t.Fatal(err)
	}
	r.requestCount()
}

// contact creates a contact with a request of its own, not through the worker.
func (r *fixture) contact(email string) opportunity.ID {
	r.t.Helper()
	made, err := r.client().CreateContacts(r.t.Context(), []administrate.NewContact{{FirstName: "F", LastName: "L", Email: email}})
	if err != nil || made[0].Err != nil {
		r.t.Fatal(err, made)
	}
	r.requestCount()
	return opportunity.ID(made[0].Contact.ID)
}

// contactsOf returns the contacts with the e-mail address.
func (r *fixture) contactsOf(email string) []administrate.Contact {
	r.t.Helper()
	page, err := r.client().ContactsByEmail(r.t.Context(), email)
	if err != nil {
		r.t.Fatal(err)
	}
	r.requestCount()
	return page.Contacts
}

// register registers contacts with a request of its own, not through the worker, and returns
// the learners.
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

// wantEventPlaces fails unless the given numbers of places of the event are booked and
// reserved.
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

// respondOnce returns the text as the response to the next request that contains the words.
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

// loseNthAnswer loses the nth request that changes something, after or before the API executed
// it. loseNthAnswer returns how many such requests came.
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

// records returns the ids of the objects of the kind in the undo entry. Objects that the effect
// created are marked with +, objects that are reverted with -.
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

func TestAccountIsCreatedOnceAndRemovedOnUndo(t *testing.T) {
	r := newFixtureAssuming(t, tms.ReferenceTag{}, map[string]string{"update.null": "cleared"})
	record := r.createRecord("A-1")
	r.requestCount()
	in := accountEffect(record, " Byrne Ltd ")
	done := r.runEffect(in)
	r.wantEffect(done, 7, exchange.RequestCreateAccount, exchange.RequestSetAccount)
	made := r.accountOf(record)
	if got := r.accountsNamed("Byrne Ltd"); made == "" || !slices.Equal(got, []opportunity.ID{made}) {
		t.Errorf("the account is %q of %q", made, got)
	}
	r.wantRecords(done, opportunity.ObjectAccount, "+"+string(made))
	if !done.undoEntry.AccountRead || done.undoEntry.Account != "" {
		t.Errorf("before: %+v", done.undoEntry)
	}
	r.wantEffect(r.runEffect(in), 1)

	undone := r.runEffect(undoInput(in, done))
	r.wantEffect(undone, 3, exchange.RequestSetAccount)
	if got := r.accountOf(record); got != "" {
		t.Errorf("the opportunity still has %q", got)
	}
	if got := r.accountsNamed("Byrne Ltd"); len(got) != 1 {
		t.Errorf("accounts %q", got)
	}
	r.wantEffect(r.runEffect(undoInput(in, undone)), 1)
}

// It is assumed that null removes an account; where this does not hold, the effect
// reports it.
func TestAccountThatCannotBeRemovedIsReported(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	record := r.createRecord("A-1")
	in := accountEffect(record, "Byrne Ltd")
	done := r.runEffect(in)
	r.requestCount()
	r.wantProblem(r.runEffect(undoInput(in, done)), 3, "nothing shows", exchange.RequestSetAccount)
}

func TestAnAccountIsFound(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	record := r.createRecord("A-1")
	there := r.account("Byrne Ltd")
	r.query(`mutation { account { create(input: {name: "Byrne Ltd", isIndividual: true}) { errors { message } } } }`)
	r.requestCount()
	in := accountEffect(record, "Byrne Ltd")
	done := r.runEffect(in)
	r.wantEffect(done, 4, exchange.RequestSetAccount)
	r.wantRecords(done, opportunity.ObjectAccount, string(there))

	// An account that somebody else has set on the record meanwhile stays.
	other := r.account("Another")
	r.setAccount(record, other)
	r.wantEffect(r.runEffect(undoInput(in, done)), 1)
	if got := r.accountOf(record); got != other {
		t.Errorf("the account is %q", got)
	}
	found := r.runEffect(in)
	r.wantEffect(found, 1)
	r.wantRecords(found, opportunity.ObjectAccount, string(other))
	r.wantEffect(r.runEffect(undoInput(in, found)), 0)
}

func TestOfSeveralAccountsNoneIsTaken(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	record := r.createRecord("A-1")
	one, two := r.account("Byrne Ltd"), r.account("Byrne Ltd")
	r.wantProblem(r.runEffect(accountEffect(record, "Byrne Ltd")), 2, fmt.Sprintf("2 accounts have the name of the effect's account: %s, %s", one, two))
	r.wantProblem(r.runEffect(accountEffect(record, " ")), 0, "gives no name for the account")
	if got := r.accountOf(record); got != "" {
		t.Errorf("the account is %q", got)
	}
}

// Each request is lost, before or after the API executed it, and one account is still created.
func TestAnAccountWhoseAnswerIsLostIsMadeOnce(t *testing.T) {
	for _, commits := range []bool{false, true} {
		for n := 1; n <= 2; n++ {
			r := newFixture(t, tms.ReferenceTag{})
			record := r.createRecord("A-1")
			count := r.loseNthAnswer(n, commits)
			done := r.runEffect(accountEffect(record, "Byrne Ltd"))
			if done.problem != "" || *count < 2 {
				t.Errorf("%d requests, problem %q", *count, done.problem)
			}
			made := r.accountOf(record)
			if got := r.accountsNamed("Byrne Ltd"); !slices.Equal(got, []opportunity.ID{made}) {
				t.Errorf("request %d, carried out %v: the account is %q of %q", n, commits, made, got)
			}
			r.wantRecords(done, opportunity.ObjectAccount, "+"+string(made))
		}
	}
}

func TestAccountThatIsNotCreatedIsReported(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	record := r.createRecord("A-1")
	r.requestCount()
	r.respondOnce("mutation ", `{"data":{"account":{"create":{"errors":[],"account":{"id":"T3JnYW5pc2F0aW9uOjk5","name":"Byrne Ltd"}}}}}`)
	r.wantProblem(r.runEffect(accountEffect(record, "Byrne Ltd")), 5, "nothing shows", exchange.RequestCreateAccount)
	r.respondOnce("mutation ", `{"data":{"account":{"create":{"errors":[{"label":"Invalid Value","message":"no","value":null}],"account":null}}}}`)
	r.wantProblem(r.runEffect(accountEffect(record, "Byrne Ltd")), 3, "Invalid Value", exchange.RequestCreateAccount)
}

func TestContactsAreFoundOrMadeOnce(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	record := r.createRecord("A-1")
	r.setAccount(record, id(opportunity.TypeAccount, 3))
	known := exchange.Attendee{Interest: "I", Event: event, Contact: id(opportunity.TypeContact, 4)}
	in := contactsEffect(record, exchange.MatchAskOperator, person(event, "Ada", "Ada@byrne.example"), known,
		person(event, "Mel", "Melissa@Example.com"), person(eventTwo, "Ada", "ada@byrne.example "))
	done := r.runEffect(in)
	r.wantEffect(done, 5, exchange.RequestCreateContacts)
	ada := r.contactsOf("Ada@byrne.example")
	if len(ada) != 1 || len(r.contactsOf("ada@byrne.example")) != 0 {
		t.Fatalf("made %+v", ada)
	}
	want := administrate.Contact{
		ID: ada[0].ID, FirstName: "Ada", LastName: "Byrne", Email: "Ada@byrne.example",
		Account: &administrate.Ref{ID: string(id(opportunity.TypeAccount, 3)), Name: "Northern Lights Energy"},
	}
	if diff := cmp.Diff(want, ada[0]); diff != "" {
		t.Error(diff)
	}
	var who []opportunity.ID
	for _, attendee := range done.attendees {
		who = append(who, attendee.Contact)
	}
	if diff := cmp.Diff([]opportunity.ID{opportunity.ID(want.ID), known.Contact, contact, opportunity.ID(want.ID)}, who); diff != "" {
		t.Error(diff)
	}
	r.wantRecords(done, opportunity.ObjectContact, string(contact), "+"+want.ID)

	r.wantEffect(r.runEffect(in), 1) // only the contacts of attendees without a known contact are looked up
	r.wantEffect(r.runEffect(repeatInput(in, done)), 0)
	r.wantEffect(r.runEffect(undoInput(in, done)), 0)
	if got := r.contactsOf("Ada@byrne.example"); len(got) != 1 {
		t.Errorf("contacts %+v", got)
	}
}

func TestOfSeveralContactsTheOldestOrNone(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	record := r.createRecord("A-1")
	var made []opportunity.ID
	for n := 6; n <= 10; n++ { // the keys of the last two are 9 and 10
		made = append(made, r.contact([]string{"x@x.example", "ada@byrne.example"}[n/9]))
	}
	asked := contactsEffect(record, "", person(event, "Ben", "ben@byrne.example"), person(event, "Ada", "ada@byrne.example"))
	out := r.runEffect(asked)
	r.wantProblem(out, 1, "2 contacts have the e-mail address of attendee 2")
	if strings.Contains(strings.ToLower(out.problem), "ada") {
		t.Errorf("it names a person: %s", out.problem)
	}
	oldest := contactsEffect(record, exchange.MatchOldest, person(event, "Ada", "ada@byrne.example"))
	done := r.runEffect(oldest)
	r.wantEffect(done, 1)
	if got := done.attendees[0].Contact; got != id(opportunity.TypeContact, 9) || got != made[3] {
		t.Errorf("taken was %q of %q", got, made)
	}
}

func TestAContactNeedsAnAddress(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	record := r.createRecord("A-1")
	r.requestCount()
	out := r.runEffect(contactsEffect(record, exchange.MatchAskOperator, person(event, "Ada", "ada@byrne.example"), person(event, "Ben", "")))
	r.wantProblem(out, 0, "attendee 2 has no e-mail address")
}

func TestContactsOfOnePersonsAccountHaveNone(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	record := r.createRecord("A-1")
	r.query(`mutation { account { create(input: {name: "Ada Byrne", isIndividual: true}) { errors { message } } } }`)
	r.setAccount(record, r.accountsNamed("Ada Byrne")[0])
	r.wantEffect(r.runEffect(contactsEffect(record, exchange.MatchAskOperator, person(event, "Ada", "ada@byrne.example"))), 5, exchange.RequestCreateContacts)
	if got := r.contactsOf("ada@byrne.example"); len(got) != 1 || got[0].Account != nil {
		t.Errorf("made %+v", got)
	}
}

// A contact that is rejected does not stop the others, and the error does not contain the
// address.
func TestAContactThatIsTurnedDown(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	record := r.createRecord("A-1")
	r.requestCount()
	in := contactsEffect(record, exchange.MatchAskOperator, person(event, "Ada", "ada@byrne.example"), person(event, "Zaphodina", "zaphodina@@byrne"))
	out := r.runEffect(in)
	r.wantProblem(out, 3, "the API rejected the contact of attendee 2", exchange.RequestCreateContacts)
	if strings.Contains(strings.ToLower(out.problem), "zaphodina") {
		t.Errorf("it names a person: %s", out.problem)
	}
	if got := r.contactsOf("ada@byrne.example"); len(got) != 1 {
		t.Errorf("made %+v", got)
	}
}

// catalogueWith returns the default catalogue with one text replaced.
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

// Objects that the triggers of the TMS created are found, and the effects do not undo them.
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

// newBooking returns a record that has reserved places on two events, three on the first and
// one on the second, and the attendees of both.
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

// wantSatisfied fails unless the effect is complete, no matter by which requests.
func (r *fixture) wantSatisfied(got effectOutcome) {
	r.t.Helper()
	if got.problem != "" {
		r.t.Fatalf("acts %q, problem %q", got.requests, got.problem)
	}
	r.requestCount()
}

func TestLearnersAreRegisteredOnceAndTheReservationReleased(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	record, interests, attendees := r.newBooking()
	r.wantEventPlaces(event, 4, 3)
	in := registerEffect(record, interests, attendees...)
	done := r.runEffect(in)
	r.wantEffect(done, 16, exchange.RequestCreateContacts, exchange.RequestRegister, exchange.RequestRegister, exchange.RequestRelease)
	r.advanceClock(time.Second)
	r.wantEventPlaces(event, 7, 0)
	r.wantEventPlaces(eventTwo, 1, 0)
	learners := records(done, opportunity.ObjectLearner)
	if len(learners) != 4 || slices.ContainsFunc(learners, func(l string) bool { return len(l) < 5 || l[0] != '+' }) {
		t.Errorf("learners %q", learners)
	}
	r.wantEffect(r.runEffect(repeatInput(in, done)), 3)

	// A release is not undone: the opportunity cannot reserve places again.
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

// Each request is lost, before or after the API executed it. Each attendee is still registered
// once, and cancelled when the effect is undone.
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

// An undo cancels only the learners that the effect registered.
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

// newFullEvent returns a record that has reserved all free places of event 1, and as many
// attendees.
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

// Places count twice from the registration until they are released. None of these attendees is
// rejected, whether or not the API counts reserved places against the attendees for whom they
// are reserved.
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

// Places are not released where this does not help, because they cannot be reserved again.
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

// One request reads, creates or registers a hundred at once.
func TestManyLearnersTakeFewRequests(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	record := r.createRecord("A-1")
	r.requestCount()
	done := r.runEffect(registerEffect(record, nil, persons(event, 150)...))
	r.wantEffect(done, 18, exchange.RequestCreateContacts, exchange.RequestCreateContacts, exchange.RequestRegister, exchange.RequestRegister)
	r.wantEventPlaces(event, 154, 0)
}

func TestLearnersAreCancelledAndReinstated(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	record := r.createRecord("A-1")
	mine := append(r.register(event, contact), r.register(event, contact)...) // twice on the event
	ada := r.contact("ada@byrne.example")
	mine = append(mine, r.register(eventTwo, ada)...)
	r.register(event, id(opportunity.TypeContact, 1)) // somebody else
	attendees := []exchange.Attendee{
		{Event: event, Contact: contact},
		person(eventTwo, "Ada", "ada@byrne.example"),
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
	r.register(event, contact, three, four)
	in := cancelEffect(record, exchange.Attendee{Event: event, Contact: contact}, exchange.Attendee{Event: event, Contact: three},
		exchange.Attendee{Event: event, Contact: four})
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
	r.register(event, contact)
	in := cancelEffect(record, exchange.Attendee{Event: event, Contact: contact})
	r.respondOnce("mutation ", `{"data":{"learner":{"cancel":{"errors":[]}}}}`)
	out := r.runEffect(in)
	r.wantProblem(out, 3, "nothing shows", exchange.RequestCancelLearner)
	r.respondOnce("mutation ", `{"data":{"learner":{"cancel":{"errors":[{"label":"Locked","message":"no","value":null}]}}}}`)
	r.wantProblem(r.runEffect(in), 2, "Locked", exchange.RequestCancelLearner)
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

// The undo entry and the requests name no person.
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
