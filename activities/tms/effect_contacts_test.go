package tms_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

func contactsEffect(record opportunity.ID, several exchange.MatchPolicy, attendees ...exchange.Attendee) activities.EffectInput {
	return activities.EffectInput{Reference: "A-1", Opportunity: record, Attendees: attendees, Effect: exchange.Effect{
		Key: "1/win/after/2/contacts", Kind: opportunity.EffectContacts, Settings: exchange.NewSettings(exchange.EnsureContacts{OnMultipleMatches: several}),
	}}
}

func (r *fixture) contactsOf(email string) []administrate.Contact {
	r.t.Helper()
	page, err := r.client().ContactsByEmail(r.t.Context(), email)
	if err != nil {
		r.t.Fatal(err)
	}
	r.requestCount()
	return page.Contacts
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

// A rejected contact does not prevent the creation of the other contacts, and the error does not
// contain the address of the contact.
func TestAContactThatIsTurnedDown(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	record := r.createRecord("A-1")
	r.requestCount()
	in := contactsEffect(record, exchange.MatchAskOperator, person(event, "Ada", "ada@byrne.example"), person(event, "Zaphodina", "zaphodina@@byrne"))
	out := r.runEffect(in)
	r.wantProblem(out, 3, "the API rejected the new contact for attendee 2", exchange.RequestCreateContacts)
	if strings.Contains(strings.ToLower(out.problem), "zaphodina") {
		t.Errorf("it names a person: %s", out.problem)
	}
	if got := r.contactsOf("ada@byrne.example"); len(got) != 1 {
		t.Errorf("made %+v", got)
	}
}
