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
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/sandbox"
)

// eventTwo has 16 places, none of them booked.
var eventTwo = id(opportunity.TypeEvent, 2)

func accountEffect(record opportunity.ID, name string) activities.EffectInput {
	return activities.EffectInput{Reference: "A-1", Opportunity: record, Effect: opportunity.Effect{
		Key: "1/win/after/1/account", Kind: opportunity.EffectAccount, Account: &opportunity.EnsureAccount{Name: name},
	}}
}

func contactsEffect(record opportunity.ID, several opportunity.Several, attendees ...opportunity.Attendee) activities.EffectInput {
	return activities.EffectInput{Reference: "A-1", Opportunity: record, Attendees: attendees, Effect: opportunity.Effect{
		Key: "1/win/after/2/contacts", Kind: opportunity.EffectContacts, Contacts: &opportunity.EnsureContacts{Several: several},
	}}
}

func registerEffect(record opportunity.ID, interests []opportunity.Held, attendees ...opportunity.Attendee) activities.EffectInput {
	return activities.EffectInput{Reference: "A-1", Opportunity: record, Attendees: attendees, Interests: interests, Effect: opportunity.Effect{
		Key: "1/win/after/3/register", Kind: opportunity.EffectRegister, Register: &opportunity.Register{Release: true},
	}}
}

func cancelEffect(record opportunity.ID, attendees ...opportunity.Attendee) activities.EffectInput {
	return activities.EffectInput{Reference: "A-1", Opportunity: record, Attendees: attendees, Effect: opportunity.Effect{
		Key: "1/withdraw/after/1/cancelRegistrations", Kind: opportunity.EffectCancelRegistrations,
	}}
}

// person returns an attendee without a known contact.
func person(event opportunity.ID, first, email string) opportunity.Attendee {
	return opportunity.Attendee{Interest: "I", Event: event, Person: &opportunity.Learner{FirstName: first, LastName: "Byrne", Email: email}}
}

// persons returns n such attendees.
func persons(event opportunity.ID, n int) []opportunity.Attendee {
	all := make([]opportunity.Attendee, n)
	for i := range all {
		all[i] = person(event, fmt.Sprint("Learner ", i), fmt.Sprintf("learner-%d@byrne.example", i))
	}
	return all
}

// undo returns the input to undo the effect after it ended like this.
func undo(in activities.EffectInput, after ended) activities.EffectInput {
	in.Undo, in.Trace, in.Attendees = true, after.trace, after.attendees
	return in
}

// again returns the input to inspect the effect again after it ended like this. Only the
// contacts of the attendees are kept.
func again(in activities.EffectInput, after ended) activities.EffectInput {
	in.Attendees = after.attendees
	return in
}

// accountOf returns the account of the record.
func (r *room) accountOf(record opportunity.ID) opportunity.ID {
	r.t.Helper()
	ties, err := r.client().Ties(r.t.Context(), string(record))
	if err != nil {
		r.t.Fatal(err)
	}
	r.requested()
	if ties.Account == nil {
		return ""
	}
	return opportunity.ID(ties.Account.ID)
}

// accountsCalled returns the ids of the accounts with the name.
func (r *room) accountsCalled(name string) []opportunity.ID {
	r.t.Helper()
	page, err := r.client().AccountsByName(r.t.Context(), name)
	if err != nil {
		r.t.Fatal(err)
	}
	r.requested()
	var ids []opportunity.ID
	for _, a := range page.Accounts {
		ids = append(ids, opportunity.ID(a.ID))
	}
	return ids
}

// account makes an account without the worker.
func (r *room) account(name string) opportunity.ID {
	r.t.Helper()
	made, err := r.client().CreateAccount(r.t.Context(), administrate.NewAccount{Name: name})
	if err != nil {
		r.t.Fatal(err)
	}
	r.requested()
	return opportunity.ID(made.ID)
}

// belongs gives the account to the record, without the worker.
func (r *room) belongs(record, account opportunity.ID) {
	r.t.Helper()
	_, err := r.client().UpdateOpportunity(r.t.Context(), administrate.UpdateOpportunity{ID: string(record), AccountID: string(account)})
	if err != nil {
		r.t.Fatal(err)
	}
	r.requested()
}

// contact makes a contact without the worker.
func (r *room) contact(email string) opportunity.ID {
	r.t.Helper()
	made, err := r.client().CreateContacts(r.t.Context(), []administrate.NewContact{{FirstName: "F", LastName: "L", Email: email}})
	if err != nil || made[0].Err != nil {
		r.t.Fatal(err, made)
	}
	r.requested()
	return opportunity.ID(made[0].Contact.ID)
}

// contactsOf returns the contacts with the address.
func (r *room) contactsOf(email string) []administrate.Contact {
	r.t.Helper()
	page, err := r.client().ContactsByEmail(r.t.Context(), email)
	if err != nil {
		r.t.Fatal(err)
	}
	r.requested()
	return page.Contacts
}

// register registers contacts without the worker, and returns the learners.
func (r *room) register(event opportunity.ID, contacts ...opportunity.ID) []opportunity.ID {
	r.t.Helper()
	in := administrate.RegisterContacts{EventID: string(event)}
	for _, c := range contacts {
		in.ContactIDs = append(in.ContactIDs, string(c))
	}
	out, err := r.client().RegisterContacts(r.t.Context(), in)
	if err != nil {
		r.t.Fatal(err)
	}
	r.requested()
	var ids []opportunity.ID
	for _, l := range out.Learners {
		ids = append(ids, opportunity.ID(l.ID))
	}
	return ids
}

// wantPlaces fails unless this many places of the event are booked and held.
func (r *room) wantPlaces(event opportunity.ID, booked, reserved int) {
	r.t.Helper()
	got, err := r.client().Event(r.t.Context(), string(event))
	if err != nil {
		r.t.Fatal(err)
	}
	r.requested()
	if *got.BookedPlaces != booked || *got.Reserved != reserved {
		r.t.Errorf("%d places are booked and %d held, want %d and %d", *got.BookedPlaces, *got.Reserved, booked, reserved)
	}
}

// answerOnce answers the next request that contains the words with the text.
func (r *room) answerOnce(words, text string) {
	r.t.Helper()
	done := false
	r.answerInstead(func(w http.ResponseWriter, q *http.Request) bool {
		if text := body(r.t, q); done || !strings.Contains(text, words) {
			return false
		}
		done = true
		_, _ = w.Write([]byte(text))
		return true
	})
}

// loseNth loses the nth request that changes something, after or before the API carried
// it out. It returns how many such requests came.
func (r *room) loseNth(n int, commits bool) *int {
	count := new(int)
	r.answerInstead(func(w http.ResponseWriter, q *http.Request) bool {
		if !strings.Contains(body(r.t, q), "mutation ") {
			return false
		}
		if *count++; *count != n {
			return false
		}
		if commits {
			r.box.Handler().ServeHTTP(discard{http.Header{}}, q)
		}
		w.WriteHeader(http.StatusBadGateway)
		return true
	})
	return count
}

// records returns the records of the kind in the trace. Records that the effect made are
// marked with +, records that are gone with -.
func records(got ended, kind opportunity.RecordKind) []string {
	var all []string
	for _, record := range got.trace.Records {
		if record.Kind != kind {
			continue
		}
		text := string(record.ID)
		if record.Made {
			text = "+" + text
		}
		if record.Gone {
			text = "-" + text
		}
		all = append(all, text)
	}
	return all
}

func (r *room) wantRecords(got ended, kind opportunity.RecordKind, want ...string) {
	r.t.Helper()
	if diff := cmp.Diff(want, records(got, kind)); diff != "" {
		r.t.Errorf("records %s", diff)
	}
}

func TestAnAccountIsMadeOnceAndTakenOff(t *testing.T) {
	r := newRoomOf(t, tms.Mark{}, map[string]string{"update.null": "cleared"})
	record := r.created("A-1")
	r.requested()
	in := accountEffect(record, " Byrne Ltd ")
	done := r.ensure(in)
	r.want(done, 7, opportunity.ActCreateAccount, opportunity.ActSetAccount)
	made := r.accountOf(record)
	if got := r.accountsCalled("Byrne Ltd"); made == "" || !slices.Equal(got, []opportunity.ID{made}) {
		t.Errorf("the account is %q of %q", made, got)
	}
	r.wantRecords(done, opportunity.RecordAccount, "+"+string(made))
	if !done.trace.HadAccount || done.trace.Account != "" {
		t.Errorf("before: %+v", done.trace)
	}
	r.want(r.ensure(in), 1)

	undone := r.ensure(undo(in, done))
	r.want(undone, 3, opportunity.ActSetAccount)
	if got := r.accountOf(record); got != "" {
		t.Errorf("the opportunity still has %q", got)
	}
	if got := r.accountsCalled("Byrne Ltd"); len(got) != 1 {
		t.Errorf("accounts %q", got)
	}
	r.want(r.ensure(undo(in, undone)), 1)
}

// It is assumed that null removes an account; where this does not hold, the effect
// reports it.
func TestAnAccountThatStaysIsTold(t *testing.T) {
	r := newRoom(t, tms.Mark{})
	record := r.created("A-1")
	in := accountEffect(record, "Byrne Ltd")
	done := r.ensure(in)
	r.requested()
	r.wantProblem(r.ensure(undo(in, done)), 3, "nothing shows", opportunity.ActSetAccount)
}

func TestAnAccountIsFound(t *testing.T) {
	r := newRoom(t, tms.Mark{})
	record := r.created("A-1")
	there := r.account("Byrne Ltd")
	r.ask(`mutation { account { create(input: {name: "Byrne Ltd", isIndividual: true}) { errors { message } } } }`)
	r.requested()
	in := accountEffect(record, "Byrne Ltd")
	done := r.ensure(in)
	r.want(done, 4, opportunity.ActSetAccount)
	r.wantRecords(done, opportunity.RecordAccount, string(there))

	// An account that somebody else gave the record since stays.
	other := r.account("Another")
	r.belongs(record, other)
	r.want(r.ensure(undo(in, done)), 1)
	if got := r.accountOf(record); got != other {
		t.Errorf("the account is %q", got)
	}
	found := r.ensure(in)
	r.want(found, 1)
	r.wantRecords(found, opportunity.RecordAccount, string(other))
	r.want(r.ensure(undo(in, found)), 0)
}

func TestOfSeveralAccountsNoneIsTaken(t *testing.T) {
	r := newRoom(t, tms.Mark{})
	record := r.created("A-1")
	one, two := r.account("Byrne Ltd"), r.account("Byrne Ltd")
	r.wantProblem(r.ensure(accountEffect(record, "Byrne Ltd")), 2, fmt.Sprintf("2 accounts have the name that the account is to have: %s, %s", one, two))
	r.wantProblem(r.ensure(accountEffect(record, " ")), 0, "what the account is called")
	if got := r.accountOf(record); got != "" {
		t.Errorf("the account is %q", got)
	}
}

// Each request is lost, before or after the API carried it out, and one account is still
// made.
func TestAnAccountWhoseAnswerIsLostIsMadeOnce(t *testing.T) {
	for _, commits := range []bool{false, true} {
		for n := 1; n <= 2; n++ {
			r := newRoom(t, tms.Mark{})
			record := r.created("A-1")
			count := r.loseNth(n, commits)
			done := r.ensure(accountEffect(record, "Byrne Ltd"))
			if done.problem != "" || *count < 2 {
				t.Errorf("%d requests, problem %q", *count, done.problem)
			}
			made := r.accountOf(record)
			if got := r.accountsCalled("Byrne Ltd"); !slices.Equal(got, []opportunity.ID{made}) {
				t.Errorf("request %d, carried out %v: the account is %q of %q", n, commits, made, got)
			}
			r.wantRecords(done, opportunity.RecordAccount, "+"+string(made))
		}
	}
}

func TestAnAccountThatIsNotMadeIsTold(t *testing.T) {
	r := newRoom(t, tms.Mark{})
	record := r.created("A-1")
	r.requested()
	r.answerOnce("mutation ", `{"data":{"account":{"create":{"errors":[],"account":{"id":"T3JnYW5pc2F0aW9uOjk5","name":"Byrne Ltd"}}}}}`)
	r.wantProblem(r.ensure(accountEffect(record, "Byrne Ltd")), 5, "nothing shows", opportunity.ActCreateAccount)
	r.answerOnce("mutation ", `{"data":{"account":{"create":{"errors":[{"label":"Invalid Value","message":"no","value":null}],"account":null}}}}`)
	r.wantProblem(r.ensure(accountEffect(record, "Byrne Ltd")), 3, "Invalid Value", opportunity.ActCreateAccount)
}

func TestContactsAreFoundOrMadeOnce(t *testing.T) {
	r := newRoom(t, tms.Mark{})
	record := r.created("A-1")
	r.belongs(record, id(opportunity.TypeAccount, 3))
	known := opportunity.Attendee{Interest: "I", Event: event, Contact: id(opportunity.TypeContact, 4)}
	in := contactsEffect(record, opportunity.SeveralAsk, person(event, "Ada", "Ada@byrne.example"), known,
		person(event, "Mel", "Melissa@Example.com"), person(eventTwo, "Ada", "ada@byrne.example "))
	done := r.ensure(in)
	r.want(done, 5, opportunity.ActCreateContacts)
	ada := r.contactsOf("Ada@byrne.example")
	if len(ada) != 1 || len(r.contactsOf("ada@byrne.example")) != 0 {
		t.Fatalf("made %+v", ada)
	}
	want := administrate.Contact{
		ID: ada[0].ID, FirstName: "Ada", LastName: "Byrne", Email: "Ada@byrne.example",
		Account: &administrate.Named{ID: string(id(opportunity.TypeAccount, 3)), Name: "Northern Lights Energy"},
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
	r.wantRecords(done, opportunity.RecordContact, string(contact), "+"+want.ID)

	r.want(r.ensure(in), 1) // by attendees whose contact is not known yet
	r.want(r.ensure(again(in, done)), 0)
	r.want(r.ensure(undo(in, done)), 0)
	if got := r.contactsOf("Ada@byrne.example"); len(got) != 1 {
		t.Errorf("contacts %+v", got)
	}
}

func TestOfSeveralContactsTheOldestOrNone(t *testing.T) {
	r := newRoom(t, tms.Mark{})
	record := r.created("A-1")
	var made []opportunity.ID
	for n := 6; n <= 10; n++ { // the keys of the last two are 9 and 10
		made = append(made, r.contact([]string{"x@x.example", "ada@byrne.example"}[n/9]))
	}
	asked := contactsEffect(record, "", person(event, "Ben", "ben@byrne.example"), person(event, "Ada", "ada@byrne.example"))
	out := r.ensure(asked)
	r.wantProblem(out, 1, "2 contacts have the e-mail address of attendee 2")
	if strings.Contains(strings.ToLower(out.problem), "ada") {
		t.Errorf("it names a person: %s", out.problem)
	}
	oldest := contactsEffect(record, opportunity.SeveralOldest, person(event, "Ada", "ada@byrne.example"))
	done := r.ensure(oldest)
	r.want(done, 1)
	if got := done.attendees[0].Contact; got != id(opportunity.TypeContact, 9) || got != made[3] {
		t.Errorf("taken was %q of %q", got, made)
	}
}

func TestAContactNeedsAnAddress(t *testing.T) {
	r := newRoom(t, tms.Mark{})
	record := r.created("A-1")
	r.requested()
	out := r.ensure(contactsEffect(record, opportunity.SeveralAsk, person(event, "Ada", "ada@byrne.example"), person(event, "Ben", "")))
	r.wantProblem(out, 0, "attendee 2 has no e-mail address")
}

func TestContactsOfOnePersonsAccountHaveNone(t *testing.T) {
	r := newRoom(t, tms.Mark{})
	record := r.created("A-1")
	r.ask(`mutation { account { create(input: {name: "Ada Byrne", isIndividual: true}) { errors { message } } } }`)
	r.belongs(record, r.accountsCalled("Ada Byrne")[0])
	r.want(r.ensure(contactsEffect(record, opportunity.SeveralAsk, person(event, "Ada", "ada@byrne.example"))), 5, opportunity.ActCreateContacts)
	if got := r.contactsOf("ada@byrne.example"); len(got) != 1 || got[0].Account != nil {
		t.Errorf("made %+v", got)
	}
}

// A contact that is rejected does not stop the others, and the error does not contain the
// address.
func TestAContactThatIsTurnedDown(t *testing.T) {
	r := newRoom(t, tms.Mark{})
	record := r.created("A-1")
	r.requested()
	in := contactsEffect(record, opportunity.SeveralAsk, person(event, "Ada", "ada@byrne.example"), person(event, "Zaphodina", "zaphodina@@byrne"))
	out := r.ensure(in)
	r.wantProblem(out, 3, "the API turned the contact of attendee 2 down", opportunity.ActCreateContacts)
	if strings.Contains(strings.ToLower(out.problem), "zaphodina") {
		t.Errorf("it names a person: %s", out.problem)
	}
	if got := r.contactsOf("ada@byrne.example"); len(got) != 1 {
		t.Errorf("made %+v", got)
	}
}

// keeping returns the default catalogue with one text replaced.
func keeping(t *testing.T, old, other string) string {
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

// Records that the triggers of the TMS made are found, and the effects do not undo them.
func TestWhatTriggersMadeIsFound(t *testing.T) {
	r := newRoomIn(t, tms.Mark{}, sandbox.Options{
		Catalogue: keeping(t, "- { from: 4, to: 5 }", "- { from: 4, to: 5, triggers: [account, contact, registration] }"),
	})
	start := opportunity.Start{Name: "Byrne Ltd", Region: string(regionDR), EntryStep: string(stepTwo)}
	record := r.create(activities.CreateInput{Reference: "A-1", Start: start, Looked: true}).Record.ID
	attendees := []opportunity.Attendee{person(event, "Ada", "ada@byrne.example"), person(event, "Ben", "ben@byrne.example")}
	booked := opportunity.Interest{Item: string(event), Quantity: 2, Learners: []opportunity.Learner{*attendees[0].Person, *attendees[1].Person}}
	for _, answer := range r.apply(record, opportunity.Mutation{Request: "i", Interest: &booked}, progress(string(stepWon))).Answers {
		if answer.Fate != opportunity.FateDone {
			t.Fatalf("%+v", answer)
		}
	}
	r.wantPlaces(event, 6, 0)

	account := r.ensure(accountEffect(record, "Byrne Ltd"))
	r.want(account, 1)
	r.wantRecords(account, opportunity.RecordAccount, string(r.accountOf(record)))
	contacts := contactsEffect(record, opportunity.SeveralAsk, attendees...)
	known := r.ensure(contacts)
	r.want(known, 1)
	registers := registerEffect(record, nil, known.attendees...)
	done := r.ensure(registers)
	r.want(done, 2) // who is on the event, and whether places are held
	if got := records(done, opportunity.RecordLearner); len(got) != 2 || strings.HasPrefix(got[0], "+") {
		t.Errorf("learners %q", got)
	}
	r.want(r.ensure(undo(registers, done)), 0)
	r.wantPlaces(event, 6, 0)
}

// booking returns a record that holds places on two events, three on the first and one on
// the second, and the attendees of both.
func (r *room) booking() (opportunity.ID, []opportunity.Held, []opportunity.Attendee) {
	r.t.Helper()
	record := r.created("A-1")
	r.apply(record, interest(event, 3), interest(eventTwo, 1))
	var interests []opportunity.Held
	for i, ref := range r.read(record).Interests {
		interests = append(interests, opportunity.Held{ID: ref.ID, Item: string(ref.Item), Quantity: []int{3, 1}[i]})
	}
	r.stands(r.ensure(reserveEffect(record, interests, r.in(48*time.Hour))))
	attendees := append(persons(event, 2), opportunity.Attendee{Event: event, Contact: contact}, persons(eventTwo, 1)[0])
	for i := range attendees {
		attendees[i].Interest = interests[i/3].ID
	}
	return record, interests, attendees
}

// stands fails unless the effect stands, no matter how.
func (r *room) stands(got ended) {
	r.t.Helper()
	if got.problem != "" {
		r.t.Fatalf("acts %q, problem %q", got.acts, got.problem)
	}
	r.requested()
}

func TestLearnersAreRegisteredOnceAndTheirPlacesGivenBack(t *testing.T) {
	r := newRoom(t, tms.Mark{})
	record, interests, attendees := r.booking()
	r.wantPlaces(event, 4, 3)
	in := registerEffect(record, interests, attendees...)
	done := r.ensure(in)
	r.want(done, 16, opportunity.ActCreateContacts, opportunity.ActRegister, opportunity.ActRegister, opportunity.ActRelease)
	r.pass(time.Second)
	r.wantPlaces(event, 7, 0)
	r.wantPlaces(eventTwo, 1, 0)
	learners := records(done, opportunity.RecordLearner)
	if len(learners) != 4 || slices.ContainsFunc(learners, func(l string) bool { return len(l) < 5 || l[0] != '+' }) {
		t.Errorf("learners %q", learners)
	}
	r.want(r.ensure(again(in, done)), 3)

	// A release is not undone: the opportunity cannot hold places again.
	undone := r.ensure(undo(in, done))
	r.want(undone, 13, slices.Repeat([]opportunity.ActKind{opportunity.ActCancelLearner}, 4)...)
	r.wantPlaces(event, 4, 0)
	r.wantPlaces(eventTwo, 0, 0)
	for i := range learners {
		learners[i] = "-" + learners[i]
	}
	r.wantRecords(undone, opportunity.RecordLearner, learners...)
	r.want(r.ensure(undo(in, undone)), 0)
}

// Each request is lost, before or after the API carried it out. Everybody is still
// registered once, and cancelled when the effect is undone.
func TestLearnersWhoseAnswerIsLostAreRegisteredOnce(t *testing.T) {
	for _, commits := range []bool{false, true} {
		for n := 1; ; n++ {
			r := newRoom(t, tms.Mark{})
			record, interests, attendees := r.booking()
			in := registerEffect(record, interests, attendees...)
			count := r.loseNth(n, commits)
			done := r.ensure(in)
			if done.problem != "" {
				t.Fatalf("request %d, carried out %v: %s", n, commits, done.problem)
			}
			r.pass(time.Second)
			r.wantPlaces(event, 7, 0)
			r.wantPlaces(eventTwo, 1, 0)
			for _, email := range []string{"learner-0@byrne.example", "learner-1@byrne.example"} {
				if got := r.contactsOf(email); len(got) != 1 {
					t.Errorf("contacts %+v", got)
				}
			}
			if undone := r.ensure(undo(in, done)); undone.problem != "" {
				t.Error(undone.problem)
			}
			r.wantPlaces(event, 4, 0)
			r.wantPlaces(eventTwo, 0, 0)
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
	r := newRoom(t, tms.Mark{})
	record, _, attendees := r.booking()
	there := r.register(event, contact)
	in := registerEffect(record, nil, attendees[2:3]...)
	done := r.ensure(in)
	r.want(done, 5, opportunity.ActRelease)
	r.wantRecords(done, opportunity.RecordLearner, string(there[0]))
	r.want(r.ensure(undo(in, done)), 0)
	r.pass(time.Second)
	r.wantPlaces(event, 5, 0)
}

// Only the learners that the effect registered are cancelled with it.
func TestWhoWasRegisteredAnewIsNotCancelled(t *testing.T) {
	r := newRoom(t, tms.Mark{})
	record, _, attendees := r.booking()
	in := registerEffect(record, nil, attendees[2])
	done := r.ensure(in)
	if err := r.client().CancelLearner(t.Context(), strings.TrimPrefix(records(done, opportunity.RecordLearner)[0], "+")); err != nil {
		t.Fatal(err)
	}
	r.register(event, contact)
	r.want(r.ensure(undo(in, done)), 1)
	r.wantPlaces(event, 5, 0)
}

func TestPlacesAreKept(t *testing.T) {
	r := newRoom(t, tms.Mark{})
	record, interests, attendees := r.booking()
	in := registerEffect(record, interests, attendees[2])
	in.Effect.Register = &opportunity.Register{}
	r.want(r.ensure(in), 3, opportunity.ActRegister)
	r.wantPlaces(event, 5, 3)

	nobody := registerEffect(record, interests)
	r.want(r.ensure(nobody), 0)
	r.wantPlaces(event, 5, 3)
}

// full returns a record that holds all free places of event 1, and as many attendees.
func (r *room) full() (opportunity.ID, []opportunity.Held, []opportunity.Attendee) {
	r.t.Helper()
	record := r.created("A-1")
	r.apply(record, interest(event, 8))
	ref := r.read(record).Interests[0]
	interests := []opportunity.Held{{ID: ref.ID, Item: string(ref.Item), Quantity: 8}}
	r.stands(r.ensure(reserveEffect(record, interests, r.in(48*time.Hour))))
	attendees := persons(event, 8)
	for i := range attendees {
		attendees[i].Interest = ref.ID
	}
	r.wantPlaces(event, 4, 8)
	return record, interests, attendees
}

// Places count twice from the registration until they are given back. Nobody of these
// attendees is rejected, whether or not the API counts held places against their own
// people.
func TestHeldPlacesTurnNobodyAwayTheyAreHeldFor(t *testing.T) {
	for short, acts := range map[string][]opportunity.ActKind{
		"booked":  {opportunity.ActCreateContacts, opportunity.ActRegister, opportunity.ActRelease},
		"refused": {opportunity.ActCreateContacts, opportunity.ActRegister, opportunity.ActRelease, opportunity.ActRegister},
	} {
		t.Run(short, func(t *testing.T) {
			r := newRoomOf(t, tms.Mark{}, map[string]string{"registration.short": short})
			record, interests, attendees := r.full()
			done := r.ensure(registerEffect(record, interests, attendees...))
			if done.problem != "" || !cmp.Equal(done.acts, acts) {
				t.Errorf("acts %q, problem %q", done.acts, done.problem)
			}
			r.pass(time.Second)
			r.wantPlaces(event, 12, 0)
		})
	}
}

// Places are not given back where this does not help, since they cannot be held again.
func TestPlacesAreNotGivenBackInVain(t *testing.T) {
	t.Run("more people than places", func(t *testing.T) {
		r := newRoomOf(t, tms.Mark{}, map[string]string{"registration.short": "refused"})
		record, interests, attendees := r.full()
		one := person(event, "Ada", "ada@byrne.example")
		one.Interest = interests[0].ID
		out := r.ensure(registerEffect(record, interests, append(attendees, one)...))
		if out.problem == "" || !slices.Equal(out.acts, []opportunity.ActKind{opportunity.ActCreateContacts, opportunity.ActRegister}) {
			t.Errorf("acts %q, problem %q", out.acts, out.problem)
		}
		r.wantPlaces(event, 4, 8)
		if undone := r.ensure(undo(registerEffect(record, interests), out)); undone.problem != "" || undone.acts != nil {
			t.Errorf("acts %q, problem %q", undone.acts, undone.problem)
		}
	})
	t.Run("an event that takes nobody", func(t *testing.T) {
		r := newRoom(t, tms.Mark{})
		record, interests, attendees := r.booking()
		attendees[2].Event = id(opportunity.TypeEvent, 3) // cancelled
		out := r.ensure(registerEffect(record, interests, attendees[2]))
		if !strings.Contains(out.problem, "Not Published") {
			t.Errorf("acts %q, problem %q", out.acts, out.problem)
		}
		r.wantPlaces(event, 4, 3)
	})
	t.Run("a registration of which nothing shows", func(t *testing.T) {
		r := newRoom(t, tms.Mark{})
		record, interests, attendees := r.booking()
		r.answerOnce("registerContacts", `{"data":{"event":{"registerContacts":{"errors":[],"event":null,"learners":[{"id":"bGVhcm5lcjo5OQ==","contact":{"id":"`+string(contact)+`"}}]}}}}`)
		r.wantProblem(r.ensure(registerEffect(record, interests, attendees[2])), 3, "nothing shows", opportunity.ActRegister)
		r.wantPlaces(event, 4, 3)
	})
}

// One request reads, makes or registers a hundred at once.
func TestManyLearnersTakeFewRequests(t *testing.T) {
	r := newRoom(t, tms.Mark{})
	record := r.created("A-1")
	r.requested()
	done := r.ensure(registerEffect(record, nil, persons(event, 150)...))
	r.want(done, 18, opportunity.ActCreateContacts, opportunity.ActCreateContacts, opportunity.ActRegister, opportunity.ActRegister)
	r.wantPlaces(event, 154, 0)
}

func TestLearnersAreCancelledAndTakenBack(t *testing.T) {
	r := newRoom(t, tms.Mark{})
	record := r.created("A-1")
	mine := append(r.register(event, contact), r.register(event, contact)...) // twice on the event
	ada := r.contact("ada@byrne.example")
	mine = append(mine, r.register(eventTwo, ada)...)
	r.register(event, id(opportunity.TypeContact, 1)) // somebody else
	attendees := []opportunity.Attendee{
		{Event: event, Contact: contact},
		person(eventTwo, "Ada", "ada@byrne.example"),
		person(event, "Ben", "ben@byrne.example"), person(event, "Cid", ""), // on no event
	}
	in := cancelEffect(record, attendees...)
	r.requested()
	r.lose()
	done := r.ensure(in)
	r.want(done, 15, slices.Repeat([]opportunity.ActKind{opportunity.ActCancelLearner}, 3)...)
	r.wantPlaces(event, 5, 0)
	r.wantPlaces(eventTwo, 0, 0)
	r.wantRecords(done, opportunity.RecordLearner, "-"+string(mine[0]), "-"+string(mine[1]), "-"+string(mine[2]))
	r.want(r.ensure(again(in, done)), 3)
	if got := r.contactsOf("ben@byrne.example"); len(got) != 0 {
		t.Errorf("made contacts %+v", got)
	}

	r.lose()
	undone := r.ensure(undo(in, done))
	r.want(undone, 13, slices.Repeat([]opportunity.ActKind{opportunity.ActReinstate}, 3)...)
	r.wantPlaces(event, 7, 0)
	r.wantPlaces(eventTwo, 1, 0)
	r.wantRecords(undone, opportunity.RecordLearner, string(mine[0]), string(mine[1]), string(mine[2]))
	r.want(r.ensure(undo(in, undone)), 0)
}

func TestLearnersAreTakenBackAsFarAsThereArePlaces(t *testing.T) {
	r := newRoom(t, tms.Mark{})
	record := r.created("A-1")
	three, four := id(opportunity.TypeContact, 3), id(opportunity.TypeContact, 4)
	r.register(event, contact, three, four)
	in := cancelEffect(record, opportunity.Attendee{Event: event, Contact: contact}, opportunity.Attendee{Event: event, Contact: three},
		opportunity.Attendee{Event: event, Contact: four})
	done := r.ensure(in)
	r.stands(done)
	r.register(event, three) // a contact who needs no other place
	one := id(opportunity.TypeContact, 1)
	r.register(event, one, one, one, one, one, one)
	r.wantPlaces(event, 11, 0)
	r.wantProblem(r.ensure(undo(in, done)), 5, "of the learners 1 stay cancelled", opportunity.ActReinstate)
	r.wantPlaces(event, 12, 0)
}

func TestACancellationOfWhichNothingShowsIsTold(t *testing.T) {
	r := newRoom(t, tms.Mark{})
	record := r.created("A-1")
	r.register(event, contact)
	in := cancelEffect(record, opportunity.Attendee{Event: event, Contact: contact})
	r.answerOnce("mutation ", `{"data":{"learner":{"cancel":{"errors":[]}}}}`)
	out := r.ensure(in)
	r.wantProblem(out, 3, "nothing shows", opportunity.ActCancelLearner)
	r.answerOnce("mutation ", `{"data":{"learner":{"cancel":{"errors":[{"label":"Locked","message":"no","value":null}]}}}}`)
	r.wantProblem(r.ensure(in), 2, "Locked", opportunity.ActCancelLearner)
	// A learner that the effect did not cancel is not reinstated.
	r.want(r.ensure(undo(in, out)), 1)
	r.wantPlaces(event, 5, 0)
}

func TestEffectsAboutPeopleOfAnotherRunSendNothing(t *testing.T) {
	r := newRoom(t, tms.Mark{})
	record := r.created("A-1")
	r.requested()
	for _, in := range []activities.EffectInput{
		accountEffect(record, "n"), contactsEffect(record, ""), registerEffect(record, nil), cancelEffect(record),
	} {
		in.Act, in.Run = &opportunity.Act{}, "another"
		out := do[activities.CarryOutResult](r, activities.CarryOutEffect, in)
		if out.Fate != opportunity.FateNotSent || out.Reason != activities.ReasonReset || out.Run == "" {
			t.Errorf("%s: %+v", in.Effect.Kind, out)
		}
	}
	if n := r.requested(); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}

// The trace and the requests name no person.
func TestEffectsKeepNobodysName(t *testing.T) {
	r := newRoom(t, tms.Mark{})
	record := r.created("A-1")
	in := registerEffect(record, nil, person(event, "Zaphodina", "zaphodina@byrne.example"))
	looked := do[activities.InspectResult](r, activities.InspectEffect, in)
	in.Act, in.Trace = looked.Act, looked.Trace
	acted := do[activities.CarryOutResult](r, activities.CarryOutEffect, in)
	text, err := json.Marshal([]any{looked, acted})
	if err != nil || acted.Fate != opportunity.FateDone || strings.Contains(strings.ToLower(string(text)), "zaphodina") {
		t.Errorf("%s, %v", text, err)
	}
}
