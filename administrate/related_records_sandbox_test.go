package administrate_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	"github.com/oppflow/oppflow/administrate"
)

func id(typ string, key any) string {
	return base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%s:%v", typ, key))
}

// query sends a GraphQL query to the sandbox directly, without the client under test.
func (s *tenant) query(t *testing.T, query string) string {
	t.Helper()
	body, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url, strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var answer struct {
		Data   json.RawMessage
		Errors []any
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || len(answer.Errors) > 0 {
		t.Fatalf("%v, %v", err, answer.Errors)
	}
	return string(answer.Data)
}

func rejected(t *testing.T, err error, label string) {
	t.Helper()
	var rejected *administrate.RejectedError
	if !errors.As(err, &rejected) || label != "" && rejected.Errors[0].Label != label {
		t.Errorf("want it rejected with %q: %v", label, err)
	}
}

// If two accounts have the same name, a search for the name returns both accounts.
func TestAccounts(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := newTenant(t, nil)
	if page := must[administrate.AccountPage](t)(s.AccountsByName(ctx, "Meridian")); page.Count != 0 || page.Accounts != nil {
		t.Errorf("before: %+v", page)
	}
	made := must[administrate.Account](t)(s.CreateAccount(ctx, administrate.NewAccount{Name: "Meridian", Email: "a@meridian.example"}))
	if got := must[administrate.Account](t)(s.Account(ctx, made.ID)); got != made || got.Name != "Meridian" || got.Email != "a@meridian.example" {
		t.Errorf("made %+v, read %+v", made, got)
	}
	must[administrate.Account](t)(s.CreateAccount(ctx, administrate.NewAccount{Name: "Meridian"}))
	if page := must[administrate.AccountPage](t)(s.AccountsByName(ctx, "Meridian")); page.Count != 2 || len(page.Accounts) != 2 {
		t.Errorf("two of one name: %+v", page)
	}

	if got := must[administrate.Account](t)(s.Account(ctx, id("Organisation", 3))); got.OwnerID != id("User", 1) {
		t.Errorf("an account with an owner: %+v", got)
	}
	if _, err := s.Account(ctx, id("Organisation", 99)); !errors.As(err, new(*administrate.NotFoundError)) {
		t.Errorf("an account that is not there: %v", err)
	}
	if got := must[*administrate.User](t)(s.AccountOwner(ctx, id("Organisation", 3))); got == nil || got.ID != id("User", 1) || got.FirstName != "Nora" || got.ContactID == "" {
		t.Errorf("the owner of an account: %+v", got)
	}
	if got := must[*administrate.User](t)(s.AccountOwner(ctx, made.ID)); got != nil {
		t.Errorf("the owner of an account without an owner: %+v", got)
	}
	if _, err := s.AccountOwner(ctx, id("Organisation", 99)); !errors.As(err, new(*administrate.NotFoundError)) {
		t.Errorf("the owner of an account that is not there: %v", err)
	}
}

// TestContacts: if the sandbox rejects one contact of a list, the sandbox still creates the other
// contacts of the list.
func TestContacts(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := newTenant(t, nil)
	answers := must[[]administrate.ContactResult](t)(s.CreateContacts(ctx, []administrate.NewContact{
		{FirstName: "Ada", LastName: "Byron", AccountID: accountTwo, Email: "ada@example.com"},
		{FirstName: "Nobody", LastName: "Known", AccountID: id("Organisation", 99)},
		{FirstName: "Ada", LastName: "King", Email: "ada@example.com"},
	}))
	rejected(t, answers[1].Err, "Not Found")
	if answers[0].Err != nil || answers[2].Err != nil || answers[1].Contact != nil {
		t.Fatalf("%+v", answers)
	}
	got := must[administrate.Contact](t)(s.Contact(ctx, answers[0].Contact.ID))
	want := administrate.Contact{
		ID: answers[0].Contact.ID, FirstName: "Ada", LastName: "Byron", Email: "ada@example.com",
		Account: &administrate.Ref{ID: accountTwo, Name: "Administrate"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if page := must[administrate.ContactPage](t)(s.ContactsByEmail(ctx, "ada@example.com")); page.Count != 2 || page.Contacts[1].LastName != "King" || page.Contacts[1].Account != nil {
		t.Errorf("two of one address: %+v", page)
	}
	for email, count := range map[string]int{"melissa@example.com": 1, "nobody@example.com": 0} {
		if page := must[administrate.ContactPage](t)(s.ContactsByEmail(ctx, email)); page.Count != count || len(page.Contacts) != count {
			t.Errorf("%s: %+v", email, page)
		}
	}
	several := must[administrate.ContactPage](t)(s.ContactsByEmails(ctx, []string{"melissa@example.com", "nobody@example.com", "ada@example.com"}, ""))
	if several.Count != 3 || len(several.Contacts) != 3 || several.NextCursor != "" {
		t.Errorf("of three addresses: %+v", several)
	}
	if got := s.query(t, `{ contacts(filters: {field: lastName, operation: eq, value: "Known"}) { pageInfo { totalRecords } } }`); !strings.Contains(got, `:0}`) {
		t.Errorf("the one that was turned down: %s", got)
	}

	many := make([]administrate.NewContact, administrate.MaxEntries)
	for i := range many {
		many[i] = administrate.NewContact{FirstName: "Learner", LastName: fmt.Sprint(i), AccountID: accountOne, Email: "many@example.com"}
	}
	for _, a := range must[[]administrate.ContactResult](t)(s.CreateContacts(ctx, many)) {
		if a.Err != nil || a.Contact.Account == nil || a.Contact.Account.ID != accountOne {
			t.Fatalf("%+v", a)
		}
	}
	emails := []string{"many@example.com", "melissa@example.com"}
	first := must[administrate.ContactPage](t)(s.ContactsByEmails(ctx, emails, ""))
	rest := must[administrate.ContactPage](t)(s.ContactsByEmails(ctx, emails, first.NextCursor))
	if first.Count != 101 || len(first.Contacts) != 100 || len(rest.Contacts) != 1 || rest.NextCursor != "" {
		t.Errorf("%d of %d, then %d", len(first.Contacts), first.Count, len(rest.Contacts))
	}
	if _, err := s.Contact(ctx, id("Person", 999)); !errors.As(err, new(*administrate.NotFoundError)) {
		t.Errorf("a contact that is not there: %v", err)
	}
}

// One request reads the steps of many records. The result has no row for a record that does not
// exist.
func TestOpportunitySteps(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := newTenant(t, nil)
	record := must[administrate.Opportunity](t)(s.CreateOpportunity(ctx, administrate.NewOpportunity{Name: "n", RegionID: regionDR, AccountID: accountTwo}))
	got := must[[]administrate.Opportunity](t)(s.OpportunitySteps(ctx, []string{id("Opportunity", 1<<30), record.ID}))
	want := []administrate.Opportunity{{ID: record.ID, Step: record.Step, Account: record.Account}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func number(n int) *int { return &n }

func TestEvents(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := newTenant(t, nil)
	got := must[administrate.ScheduledEvent](t)(s.Event(ctx, event))
	start := time.Date(2031, 3, 3, 9, 0, 0, 0, time.UTC)
	want := administrate.ScheduledEvent{
		ID: event, Title: "My New Course", State: "published", Active: true, Start: "2031-03-03T09:00:00", TimeZone: "Europe/London",
		StartsAt: &start, MaxPlaces: number(12), BookedPlaces: number(4), Reserved: number(0), RemainingPlaces: number(8),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	cancelled := must[administrate.ScheduledEvent](t)(s.Event(ctx, id("Course", 3)))
	if cancelled.State != "cancelled" || cancelled.Active || !cancelled.Cancelled || cancelled.Start != "2031-05-12T09:00:00" ||
		cancelled.TimeZone != "America/Santo_Domingo" || !cancelled.StartsAt.Equal(time.Date(2031, 5, 12, 13, 0, 0, 0, time.UTC)) {
		t.Errorf("cancelled %+v", cancelled)
	}
	s.query(t, `mutation { event { update(eventId: "`+id("Course", 2)+`", input: {lifecycleState: "cancelled"}) { errors { label } } } }`)
	if got := must[administrate.ScheduledEvent](t)(s.Event(ctx, id("Course", 2))); !got.Cancelled || got.CancelledAt == nil || s.now().Sub(*got.CancelledAt).Abs() > time.Minute {
		t.Errorf("just cancelled %+v", got)
	}
	if _, err := s.Event(ctx, id("Course", 99)); !errors.As(err, new(*administrate.NotFoundError)) {
		t.Errorf("an event that is not there: %v", err)
	}
	several := must[[]administrate.ScheduledEvent](t)(s.Events(ctx, []string{id("Course", 3), id("Course", 99), event}))
	slices.SortFunc(several, func(a, b administrate.ScheduledEvent) int { return strings.Compare(a.ID, b.ID) })
	if diff := cmp.Diff([]administrate.ScheduledEvent{want, cancelled}, several); diff != "" {
		t.Errorf("several at once: %s", diff)
	}

	for range 2 {
		o := must[administrate.Opportunity](t)(s.CreateOpportunity(ctx, administrate.NewOpportunity{Name: "n", RegionID: regionDR}))
		must[[]administrate.Interest](t)(s.AddInterest(ctx, administrate.AddInterest{
			OpportunityID: o.ID, ItemID: event, Kind: administrate.Event, Quantity: 9, Reserve: true,
		}))
	}
	full := must[administrate.ScheduledEvent](t)(s.Event(ctx, event))
	if *full.Reserved != 18 || *full.RemainingPlaces != -10 || !full.SoldOut {
		t.Errorf("places that are held: %+v", full)
	}
}

// TestLearners: Enrolment finds a person who already has a place on the event, and counts cancelled
// places separately.
func TestLearners(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := newTenant(t, nil)
	enrolled := func(contact string, active, cancelled int) administrate.Enrolment {
		t.Helper()
		got := must[administrate.Enrolment](t)(s.Enrolment(ctx, contact, event))
		if got.Active != active || got.Cancelled != cancelled || len(got.Learners) != active {
			t.Errorf("%+v, want %d active and %d cancelled", got, active, cancelled)
		}
		return got
	}
	one, three := id("Person", 1), id("Person", 3)
	enrolled(contactTwo, 0, 0)
	made := must[administrate.RegisterContactsResult](t)(s.RegisterContacts(ctx, administrate.RegisterContacts{
		EventID: event, ContactIDs: []string{contactTwo, one}, Notes: "vegan",
		Price: &administrate.Price{Amount: decimal.RequireFromString("199.9"), Currency: "GBP"},
	}))
	if len(made.Learners) != 2 || made.Learners[0].ContactID != contactTwo || made.BookedPlaces == nil || *made.BookedPlaces != 6 {
		t.Fatalf("%+v", made)
	}
	if got := enrolled(contactTwo, 1, 0); got.Learners[0] != made.Learners[0] {
		t.Errorf("found %+v, made %+v", got, made)
	}
	enrolled(one, 1, 0)
	if got, want := s.query(t, `{ learners(filters: {field: id, operation: eq, value: "`+made.Learners[0].ID+`"}) { edges { node { notes registration { amount financialUnitId } } } } }`),
		`{"learners":{"edges":[{"node":{"notes":"vegan","registration":{"amount":"199.90","financialUnitId":"GBP"}}}]}}`; got != want {
		t.Errorf("registered as %s", got)
	}

	more := must[administrate.RegisterContactsResult](t)(s.RegisterContacts(ctx, administrate.RegisterContacts{EventID: event, ContactIDs: []string{three, contactTwo}}))
	if len(more.Learners) != 2 {
		t.Fatalf("%+v", more)
	}
	enrolled(three, 1, 0)
	enrolled(contactTwo, 2, 0) // the API does not prevent a second registration of one person
	if got := must[administrate.ScheduledEvent](t)(s.Event(ctx, event)); *got.BookedPlaces != 8 {
		t.Errorf("booked %+v", got)
	}

	if err := s.CancelLearner(ctx, made.Learners[0].ID); err != nil {
		t.Fatal(err)
	}
	if got := enrolled(contactTwo, 1, 1); got.Learners[0] != more.Learners[1] {
		t.Errorf("left %+v", got)
	}
	rejected(t, s.CancelLearner(ctx, id("learner", 999)), "Not Found")

	active := func(want ...administrate.EventLearner) {
		t.Helper()
		page := must[administrate.LearnerPage](t)(s.Enrolments(ctx, event, []string{contactTwo, one}, ""))
		if !slices.Equal(page.Learners, want) || page.NextCursor != "" {
			t.Errorf("on the event %+v, want %+v", page, want)
		}
	}
	active(made.Learners[1], more.Learners[1])
	if err := s.ReactivateLearner(ctx, made.Learners[0].ID); err != nil {
		t.Fatal(err)
	}
	active(made.Learners[0], made.Learners[1], more.Learners[1])
	rejected(t, s.ReactivateLearner(ctx, id("learner", 999)), "Not Found")
	_, err := s.RegisterContacts(ctx, administrate.RegisterContacts{EventID: id("Course", 3), ContactIDs: []string{one}})
	rejected(t, err, "")
}
