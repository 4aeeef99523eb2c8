package tms_test

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// withAhead returns the input for the first effect, with the other effects in Ahead.
func withAhead(first activities.EffectInput, others ...activities.EffectInput) activities.EffectInput {
	for _, next := range others {
		first.Ahead = append(first.Ahead, activities.EffectAhead{
			Effect: next.Effect, UndoEntry: next.UndoEntry, Request: next.Request, AfterContacts: next.AfterContacts,
		})
	}
	return first
}

// inspectAfterContacts inspects the effect contacts together with the registration of the same
// attendees, and returns both inspections.
func (r *fixture) inspectAfterContacts(record opportunity.ID, settings exchange.RegisterLearners, attendees ...exchange.Attendee) (contacts, registration activities.InspectResult) {
	r.t.Helper()
	first, second := contactsEffect(record, "", attendees...), registerEffect(record, nil)
	first.Now, first.Account, second.AfterContacts = r.now(), r.accountOf(record), true
	changeSettings(&first.Effect, func(s *exchange.EnsureContacts) { s.People = settings.People })
	second.Effect.Settings = exchange.NewSettings(settings)
	found := mustRunActivity[activities.InspectResult](r, activities.InspectEffect, withAhead(first, second))
	if len(found.Ahead) != 1 || found.Ahead[0].Subject != second.Effect.Key {
		r.t.Fatalf("got %+v, want the inspection of the registration", found.Ahead)
	}
	return found, found.Ahead[0]
}

func wantRequest(t *testing.T, got, want *exchange.EffectRequest) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("request (-want +got):\n%s", diff)
	}
}

// The registration names the attendees by their indexes, because their contacts do not exist yet.
func TestRegistrationIsInspectedBeforeTheContactsExist(t *testing.T) {
	t.Parallel()
	r := newFixture(t, tms.ReferenceTag{})
	record, account := r.createRecord("A-1"), r.account("Byrne Ltd")
	r.setAccount(record, account)
	attendees := []exchange.Attendee{person(eventTwo, "Cid", "cid@byrne.example"), person(event, "Ada", "ada@byrne.example"), person(event, "Ben", "ben@byrne.example")}
	contacts, registration := r.inspectAfterContacts(record, exchange.RegisterLearners{}, attendees...)
	r.wantRequests(1)
	wantRequest(t, contacts.Request, &exchange.EffectRequest{
		Kind: exchange.RequestCreateContacts, Attendees: []int{0, 1, 2}, Values: map[string]string{exchange.ValueAccount: string(account)},
	})
	wantRequest(t, registration.Request, &exchange.EffectRequest{Kind: exchange.RequestRegister, Target: eventTwo, Attendees: []int{0}})
	if !registration.RecheckAt.IsZero() || registration.Error != nil {
		t.Errorf("got %+v, want only a request", registration)
	}
}

// Of the known contacts, one has a place on the event and gets no second place.
func TestRegistrationAfterContactsNamesOnlyMissingLearners(t *testing.T) {
	t.Parallel()
	r := newFixture(t, tms.ReferenceTag{})
	record := r.createRecord("A-1")
	there, known := r.contact("there@byrne.example"), r.contact("known@byrne.example")
	learner := r.register(event, there)[0]
	_, registration := r.inspectAfterContacts(record, exchange.RegisterLearners{},
		person(event, "There", "there@byrne.example"), person(event, "New", "new@byrne.example"), person(event, "Known", "known@byrne.example"),
		exchange.Attendee{Interest: "I", Event: event, Contact: contact})
	wantRequest(t, registration.Request, &exchange.EffectRequest{Kind: exchange.RequestRegister, Target: event, IDs: []opportunity.ID{known, contact}, Attendees: []int{1}})
	want := []opportunity.TouchedObject{
		{Kind: opportunity.ObjectLearner, ID: learner, Event: event, Contact: there},
		{Kind: opportunity.ObjectLearner, Event: event, Contact: known, Created: true},
		{Kind: opportunity.ObjectLearner, Event: event, Contact: contact, Created: true},
	}
	if diff := cmp.Diff(want, registration.UndoEntry.Objects); diff != "" {
		t.Errorf("undo entry (-want +got):\n%s", diff)
	}
}

// The contacts alone do not decide these registrations, so the registration is inspected again after
// the contacts.
func TestRegistrationWaitsForADecisionAboutContacts(t *testing.T) {
	t.Parallel()
	unknown, office := person(event, "Ada", "ada@byrne.example"), learner(event, "Dan", "One", officeAddress)
	for name, row := range map[string]struct {
		people    exchange.PeoplePolicy
		contacts  int // that have the office address
		attendees []exchange.Attendee
	}{
		"a doubtful contact":               {exchange.PeopleAsk, 1, []exchange.Attendee{unknown, office}},
		"two contacts":                     {"", 2, []exchange.Attendee{unknown, office}},
		"only attendees with two contacts": {"", 2, []exchange.Attendee{office}},
		"a doubt after the new contact":    {exchange.PeopleAsk, 0, []exchange.Attendee{office, learner(event, "Eva", "Two", officeAddress)}},
		"only a doubtful contact":          {exchange.PeopleAsk, 1, []exchange.Attendee{office}},
		"no e-mail address":                {"", 0, []exchange.Attendee{person(event, "Cid", "")}},
		"two people with one new contact":  {exchange.PeopleByAddress, 0, []exchange.Attendee{office, learner(event, "Eva", "Two", officeAddress)}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newFixture(t, tms.ReferenceTag{})
			record := r.createRecord("A-1")
			for range row.contacts {
				r.namedContact("The", "Office", officeAddress)
			}
			_, registration := r.inspectAfterContacts(record, exchange.RegisterLearners{People: row.people}, row.attendees...)
			if registration.Request != nil || registration.Error != nil || registration.RecheckAt.IsZero() {
				t.Errorf("got request %+v, error %v, time %v; want only a time", registration.Request, registration.Error, registration.RecheckAt)
			}
			if len(registration.UndoEntry.Objects) > 0 {
				t.Errorf("the undo entry contains %+v", registration.UndoEntry.Objects)
			}
		})
	}
}

// The effect contacts takes the oldest of two contacts. The registration does not ask an operator
// about these contacts before, and registers this contact then.
func TestRegistrationUsesTheContactThatAnEarlierEffectChose(t *testing.T) {
	t.Parallel()
	r := newFixture(t, tms.ReferenceTag{})
	record := r.createRecord("A-1")
	oldest := r.namedContact("The", "Office", officeAddress)
	r.namedContact("The", "Office", officeAddress)
	first, second := contactsEffect(record, exchange.MatchOldest, learner(event, "Dan", "One", officeAddress)), registerEffect(record, nil)
	first.Now, second.AfterContacts = r.now(), true
	found := mustRunActivity[activities.InspectResult](r, activities.InspectEffect, withAhead(first, second))
	if found.Request != nil || found.Error != nil || !slices.Equal(found.Contacts, []opportunity.ID{oldest}) {
		t.Fatalf("got %+v, want the oldest contact", found)
	}
	if ahead := found.Ahead[0]; ahead.Error != nil || !ahead.RecheckAt.Equal(first.Now) {
		t.Errorf("got error %v and time %v, want that the registration is inspected again at once", ahead.Error, ahead.RecheckAt)
	}
}

// setAccountAndContacts returns the input that sets the account on the record, and creates contacts
// with this account in Ahead.
func (r *fixture) setAccountAndContacts(record, account opportunity.ID, attendees ...exchange.Attendee) activities.EffectInput {
	first, second := accountEffect(record, "Byrne Ltd"), contactsEffect(record, "")
	first.Attendees, first.Now = attendees, r.now()
	first.Request = &exchange.EffectRequest{Kind: exchange.RequestSetAccount, Target: account}
	second.Request = &exchange.EffectRequest{Kind: exchange.RequestCreateContacts, Values: map[string]string{exchange.ValueAccount: string(account)}}
	for i := range attendees {
		second.Request.Attendees = append(second.Request.Attendees, i)
	}
	return withAhead(first, second)
}

func TestRequestsOfSeveralEffectsAreExecutedTogether(t *testing.T) {
	t.Parallel()
	r := newFixture(t, tms.ReferenceTag{})
	record, account := r.createRecord("A-1"), r.account("Byrne Ltd")
	in := r.setAccountAndContacts(record, account, person(event, "Ada", "ada@byrne.example"), person(event, "Ben", "ben@byrne.example"))
	r.requestCount()
	done := mustRunActivity[activities.ExecuteResult](r, activities.ExecuteEffect, in)
	r.wantRequests(1)
	if !done.Proves(in) || done.Status != exchange.StatusDone || len(done.Ahead) != 1 || done.Ahead[0].Status != exchange.StatusDone {
		t.Fatalf("got %+v, want two done requests", done)
	}
	if done.Subject != in.Effect.Key || done.Ahead[0].Subject != in.Ahead[0].Effect.Key {
		t.Errorf("the subjects are %q and %q", done.Subject, done.Ahead[0].Subject)
	}
	if got := r.accountOf(record); got != account {
		t.Errorf("the account of the record is %q", got)
	}
	var created []opportunity.ID
	for _, email := range []string{"ada@byrne.example", "ben@byrne.example"} {
		found := r.contactsOf(email)
		if len(found) != 1 || found[0].Account == nil || opportunity.ID(found[0].Account.ID) != account {
			t.Fatalf("%s: %+v, want one contact of the account", email, found)
		}
		created = append(created, opportunity.ID(found[0].ID))
	}
	if diff := cmp.Diff(created, done.Ahead[0].CreatedContacts); diff != "" {
		t.Errorf("created contacts (-want +got):\n%s", diff)
	}
}

// The status of each effect is the status of its own request.
func TestOneOfSeveralEffectsIsRejected(t *testing.T) {
	t.Parallel()
	r := newFixture(t, tms.ReferenceTag{})
	record, account := r.createRecord("A-1"), r.account("Byrne Ltd")
	in := r.setAccountAndContacts(record, account, person(event, "Ada", "ada@byrne.example"))
	in.Ahead[0].Request.Values[exchange.ValueAccount] = string(id(opportunity.TypeAccount, 9999))
	r.requestCount()
	got := mustRunActivity[activities.ExecuteResult](r, activities.ExecuteEffect, in)
	if !got.Proves(in) || got.Status != exchange.StatusDone || got.Ahead[0].Status != exchange.StatusRejected || got.Ahead[0].Error == nil {
		t.Errorf("got %+v, want a done and a rejected request", got)
	}
	if found := r.accountOf(record); found != account {
		t.Errorf("the account of the record is %q", found)
	}
}

// A lost response leaves the status of every request unknown.
func TestResponseToSeveralEffectsIsLost(t *testing.T) {
	t.Parallel()
	r := newFixture(t, tms.ReferenceTag{})
	record, account := r.createRecord("A-1"), r.account("Byrne Ltd")
	in := r.setAccountAndContacts(record, account, person(event, "Ada", "ada@byrne.example"))
	count := r.loseNthAnswer(1, true)
	got := mustRunActivity[activities.ExecuteResult](r, activities.ExecuteEffect, in)
	if !got.Proves(in) || got.Status != exchange.StatusUnknown || got.Ahead[0].Status != exchange.StatusUnknown || *count != 1 {
		t.Errorf("got %+v after %d requests, want two unknown requests after one", got, *count)
	}
	if len(r.contactsOf("ada@byrne.example")) != 1 || r.accountOf(record) != account {
		t.Error("the request was not executed")
	}
}

type panickingAPI struct{ tms.API }

func (panickingAPI) CreateContacts(context.Context, []administrate.NewContact) ([]administrate.ContactResult, error) {
	panic("no contacts")
}

// A fault in the code for one effect leaves only the status of this effect unknown.
func TestCodeOfOneOfSeveralEffectsPanics(t *testing.T) {
	t.Parallel()
	r := newFixture(t, tms.ReferenceTag{})
	record, account := r.createRecord("A-1"), r.account("Byrne Ltd")
	r.options.API = panickingAPI{r.client()}
	r.newWorker(tms.ReferenceTag{})
	in := r.setAccountAndContacts(record, account, person(event, "Ada", "ada@byrne.example"))
	got := mustRunActivity[activities.ExecuteResult](r, activities.ExecuteEffect, in)
	if !got.Proves(in) || got.Status != exchange.StatusDone || got.Ahead[0].Status != exchange.StatusUnknown || got.Ahead[0].Reason != activities.ReasonAttemptNotEnded {
		t.Errorf("got %+v, want a done request and an unknown status", got)
	}
	if found := r.accountOf(record); found != account {
		t.Errorf("the account of the record is %q", found)
	}
}

// The workflow sends the requests of the effects one by one when the API refuses them together.
func TestRefusedRequestsOfSeveralEffects(t *testing.T) {
	t.Parallel()
	r := newFixture(t, tms.ReferenceTag{})
	record, account := r.createRecord("A-1"), r.account("Byrne Ltd")
	in := r.setAccountAndContacts(record, account, person(event, "Ada", "ada@byrne.example"))
	r.respondOnce("mutation ", `{"errors":[{"message":"the document is too complex"}]}`)
	got := mustRunActivity[activities.ExecuteResult](r, activities.ExecuteEffect, in)
	for n, one := range append([]activities.ExecuteResult{got}, got.Ahead...) {
		if one.Status != exchange.StatusNotSent || one.Reason != activities.ReasonNotJoined {
			t.Errorf("effect %d: %+v, want the reason %q", n, one.CallResult, activities.ReasonNotJoined)
		}
	}
	if !got.Proves(in) || len(got.Ahead) != 1 {
		t.Errorf("got %+v, want a result for each effect", got)
	}
}

// The response to the creation of an account shows the next request. The undo entry knows the account
// before this request is sent, so that the undo also removes an account that a request with a lost
// response set.
func TestCreatedAccountIsSetNextAndRemovedOnUndo(t *testing.T) {
	t.Parallel()
	r := newFixtureAssuming(t, tms.ReferenceTag{}, map[string]string{"update.null": "cleared"})
	record := r.createRecord("A-1")
	in := accountEffect(record, "Byrne Ltd")
	in.Now = r.now()
	found := mustRunActivity[activities.InspectResult](r, activities.InspectEffect, in)
	in.Request, in.UndoEntry = found.Request, found.UndoEntry
	done := mustRunActivity[activities.ExecuteResult](r, activities.ExecuteEffect, in)
	accounts := r.accountsNamed("Byrne Ltd")
	if done.Status != exchange.StatusDone || len(accounts) != 1 {
		t.Fatalf("got %+v and accounts %q", done, accounts)
	}
	wantRequest(t, done.Next, &exchange.EffectRequest{Kind: exchange.RequestSetAccount, Target: accounts[0]})

	in.Request, in.UndoEntry = done.Next, done.UndoEntry
	r.loseNextAnswer()
	set := mustRunActivity[activities.ExecuteResult](r, activities.ExecuteEffect, in)
	if set.Status != exchange.StatusUnknown || r.accountOf(record) != accounts[0] {
		t.Fatalf("got %+v, want an executed request with a lost response", set)
	}
	undone := r.runEffect(undoInput(in, effectOutcome{undoEntry: in.UndoEntry}))
	if !slices.Equal(undone.requests, []exchange.EffectRequestKind{exchange.RequestSetAccount}) || undone.problem != "" {
		t.Errorf("requests %q, problem %q", undone.requests, undone.problem)
	}
	r.wantRecords(undone, opportunity.ObjectAccount, "-+"+string(accounts[0]))
	if got := r.accountOf(record); got != "" {
		t.Errorf("the account of the record is %q", got)
	}
}

// A rejected creation of an account has no next request.
func TestRejectedAccountHasNoNextRequest(t *testing.T) {
	t.Parallel()
	r := newFixture(t, tms.ReferenceTag{})
	in := accountEffect(r.createRecord("A-1"), "Byrne Ltd")
	in.Request = &exchange.EffectRequest{Kind: exchange.RequestCreateAccount}
	r.respondOnce("mutation ", `{"data":{"account":{"create":{"errors":[{"label":"Invalid Value","message":"no","value":null}],"account":null}}}}`)
	if got := mustRunActivity[activities.ExecuteResult](r, activities.ExecuteEffect, in); got.Status != exchange.StatusRejected || got.Next != nil {
		t.Errorf("got %+v, want a rejection without a next request", got)
	}
}
