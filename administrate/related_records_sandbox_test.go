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
	"github.com/oppflow/oppflow/sandbox"
	"github.com/oppflow/oppflow/sandbox/fault"
)

// id returns a global id in the form of the sandbox.
func id(typ string, key any) string {
	return base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%s:%v", typ, key))
}

// query reads from the sandbox with its own request, without the client. It returns the
// JSON text of the answer's data without spaces.
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

// TestAccounts: created values are in the TMS, and a name of two accounts is found twice.
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
}

// TestContacts: in a batch with one rejected contact the others are created.
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

func number(n int) *int { return &n }

// TestEvents: the data of an event, and its places.
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

// TestLearners: a person is found on an event before a second registration, and cancelled
// places are separate.
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
	enrolled(contactTwo, 2, 0) // the API does not prevent this
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

	// The read for many contacts returns the same, and a cancelled place can be reactivated.
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

// TestRegistrationsAndInvoices reads what the TMS's own transitions create, and then changes
// it.
func TestRegistrationsAndInvoices(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := newTenantWith(t, sandbox.Options{Catalogue: "../sandbox/catalogue/tenant.yaml"}, nil)
	o := must[administrate.Opportunity](t)(s.CreateOpportunity(ctx, administrate.NewOpportunity{Name: "n", RegionID: id("Region", "UK")}))
	if got := must[administrate.OpportunityLinks](t)(s.OpportunityLinks(ctx, o.ID)); got.Account != nil || got.ContactID != "" || got.Owner != nil || got.Invoice != nil || got.ActiveInvoiceID != "" {
		t.Errorf("ties of a new one: %+v", got)
	}
	must[[]administrate.Interest](t)(s.AddInterest(ctx, administrate.AddInterest{
		OpportunityID: o.ID, ItemID: event, Kind: administrate.Event, Quantity: 1, UnitAmount: decimal.NewFromInt(7),
		NewLearners: []administrate.Learner{{FirstName: "Ada", LastName: "Byron", Email: "ada@example.com"}},
	}))
	must[administrate.Opportunity](t)(s.UpdateOpportunity(ctx, administrate.UpdateOpportunity{
		ID: o.ID, Attributes: []administrate.Attribute{{Key: "po-number", Value: "PO 17"}},
	}))
	for _, step := range []int{3, 4, 5} {
		must[administrate.Opportunity](t)(s.Progress(ctx, administrate.Progress{OpportunityID: o.ID, StepID: id("OpportunityStep", step)}))
	}
	ties := must[administrate.OpportunityLinks](t)(s.OpportunityLinks(ctx, o.ID))
	if ties.Account == nil || ties.ContactID == "" || ties.Invoice == nil || ties.Invoice.ID != ties.ActiveInvoiceID || ties.Invoice.State != "Draft" ||
		ties.Invoice.Final() || !slices.Contains(ties.Attributes, administrate.Attribute{Key: "po-number", Value: "PO 17"}) {
		t.Fatalf("ties %+v", ties)
	}

	must[administrate.RegisterContactsResult](t)(s.RegisterContacts(ctx, administrate.RegisterContacts{EventID: event, ContactIDs: []string{id("Person", 1)}}))
	page := must[administrate.RegistrationPage](t)(s.EventRegistrations(ctx, event, ""))
	var sources []string
	for _, r := range page.Registrations {
		sources = append(sources, r.OpportunityID)
		if r.OpportunityID == o.ID && (r.Account == nil || r.Account.ID != ties.Account.ID) {
			t.Errorf("registration %+v", r)
		}
	}
	if !slices.Equal(sources, []string{o.ID, ""}) || page.Count != 2 {
		t.Errorf("registrations of %q", sources)
	}

	updated := must[administrate.Invoice](t)(s.UpdateInvoice(ctx, administrate.UpdateInvoice{ID: ties.Invoice.ID, Comments: "as \"agreed\"", PurchaseOrderRef: "PO 17"}))
	if updated.Comments != "as \"agreed\"" || updated.PurchaseOrderRef != "PO 17" {
		t.Errorf("updated %+v", updated)
	}
	want := administrate.Billing{ActiveInvoiceID: updated.ID, Invoice: &updated, ShowsComments: true, ShowsPurchaseOrder: true}
	want.Invoice.State = "Draft"
	if diff := cmp.Diff(want, must[administrate.Billing](t)(s.Billing(ctx, o.ID))); diff != "" {
		t.Error(diff)
	}
	emptied := must[administrate.Invoice](t)(s.UpdateInvoice(ctx, administrate.UpdateInvoice{ID: ties.Invoice.ID, NoComments: true, NoPurchaseOrderRef: true}))
	if emptied.Comments != "" || emptied.PurchaseOrderRef != "" {
		t.Errorf("emptied %+v", emptied)
	}
	must[administrate.Invoice](t)(s.UpdateInvoice(ctx, administrate.UpdateInvoice{ID: ties.Invoice.ID, Comments: updated.Comments, PurchaseOrderRef: "PO 17"}))
	final := must[administrate.Invoice](t)(s.FinaliseInvoice(ctx, ties.Invoice.ID))
	if !final.Final() || final.FinalisedAt == nil {
		t.Errorf("finalised %+v", final)
	}
	if got, want := s.query(t, `{ invoices { edges { node { comments purchaseOrderReference lifecycleState } } } }`),
		`{"invoices":{"edges":[{"node":{"comments":"as \"agreed\"","purchaseOrderReference":"PO 17","lifecycleState":"Final"}}]}}`; got != want {
		t.Errorf("read %s", got)
	}
	if ties := must[administrate.OpportunityLinks](t)(s.OpportunityLinks(ctx, o.ID)); !ties.Invoice.Final() {
		t.Errorf("ties %+v", ties)
	}
	_, err := s.FinaliseInvoice(ctx, ties.Invoice.ID)
	rejected(t, err, "")
	if _, err := s.OpportunityLinks(ctx, id("Opportunity", 999)); !errors.As(err, new(*administrate.NotFoundError)) {
		t.Errorf("ties of none: %v", err)
	}
}

// TestPeopleOfAnOpportunity: owner and contact are written and read.
func TestPeopleOfAnOpportunity(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := newTenant(t, nil)
	o := must[administrate.Opportunity](t)(s.CreateOpportunity(ctx, administrate.NewOpportunity{Name: "n", RegionID: regionDR, AccountID: accountTwo}))
	must[administrate.Opportunity](t)(s.UpdateOpportunity(ctx, administrate.UpdateOpportunity{
		ID: o.ID, OwnerID: id("User", 2), ContactID: contactTwo, Attributes: []administrate.Attribute{{Key: "k", Value: "v"}},
	}))
	want := administrate.OpportunityLinks{
		OpportunityID: o.ID, Account: &administrate.Ref{ID: accountTwo, Name: "Administrate"}, ContactID: contactTwo,
		Owner: &administrate.User{ID: id("User", 2), FirstName: "Samuel"}, Attributes: []administrate.Attribute{{Key: "k", Value: "v"}},
	}
	if diff := cmp.Diff(want, must[administrate.OpportunityLinks](t)(s.OpportunityLinks(ctx, o.ID))); diff != "" {
		t.Error(diff)
	}
	users := must[administrate.UserPage](t)(s.Users(ctx, ""))
	if diff := cmp.Diff(administrate.UserPage{Count: 2, Users: []administrate.User{
		{ID: id("User", 1), FullName: "Nora Whitfield", ContactID: id("Person", 5)}, {ID: id("User", 2), FullName: "Samuel Okafor"},
	}}, users); diff != "" {
		t.Error(diff)
	}
}

// TestHoldPlaces: two answers without errors prove nothing; the reservations that are read back
// prove whether the places are reserved.
func TestHoldPlaces(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	hold := func(t *testing.T, s *tenant) (administrate.Reserve, administrate.ReserveResult) {
		t.Helper()
		o := must[administrate.Opportunity](t)(s.CreateOpportunity(ctx, administrate.NewOpportunity{Name: "n", RegionID: regionDR}))
		added := must[[]administrate.Interest](t)(s.AddInterest(ctx, administrate.AddInterest{OpportunityID: o.ID, ItemID: event, Kind: administrate.Event, Quantity: 5}))
		h := administrate.Reserve{OpportunityID: o.ID, InterestIDs: []string{added[0].ID}, Until: s.now().Add(time.Hour).Truncate(time.Second)}
		return h, must[administrate.ReserveResult](t)(s.Reserve(ctx, h))
	}
	reserved := func(t *testing.T, s *tenant, want int) {
		t.Helper()
		if got := must[administrate.ScheduledEvent](t)(s.Event(ctx, event)); *got.Reserved != want {
			t.Errorf("%d places are held, want %d", *got.Reserved, want)
		}
	}
	t.Run("held, released, and not held again", func(t *testing.T) {
		s := newTenant(t, nil)
		h, held := hold(t, s)
		if !held.IsConfirmed(h.Until, s.now()) || !held.Reservations.Until.Equal(h.Until) {
			t.Errorf("held %+v", held)
		}
		reserved(t, s, 5)
		must[*administrate.Opportunity](t)(s.ExtendReservations(ctx, administrate.ExtendReservations{OpportunityID: h.OpportunityID, Until: s.now()}))
		s.ahead.Store(int64(2 * time.Second))
		reserved(t, s, 0)
		h.Until = s.now().Add(time.Hour)
		again := must[administrate.ReserveResult](t)(s.Reserve(ctx, h))
		if again.Reserve != nil || again.Extend != nil || again.Reservations == nil || again.IsConfirmed(h.Until, s.now()) {
			t.Errorf("held again: %+v", again)
		}
		reserved(t, s, 0)
	})
	t.Run("too few places, and nothing says so", func(t *testing.T) {
		s := newTenantOf(t, map[string]string{"reserve.short": "nothing"}, nil)
		hold(t, s)
		h, held := hold(t, s)
		if held.Reserve != nil || held.Extend != nil || held.IsConfirmed(h.Until, s.now()) {
			t.Errorf("held %+v", held)
		}
		reserved(t, s, 5)
	})
	t.Run("turned down", func(t *testing.T) {
		s := newTenantOf(t, map[string]string{"reserve.short": "refused"}, nil)
		hold(t, s)
		h, held := hold(t, s)
		rejected(t, held.Reserve, "")
		if held.IsConfirmed(h.Until, s.now()) {
			t.Errorf("held %+v", held)
		}
		reserved(t, s, 5)
	})
	t.Run("not read back", func(t *testing.T) {
		for change, differs := range map[string]*tenant{
			"the answer is empty": newTenantOf(t, map[string]string{"extend.answer": "errors"}, nil),
			"switched off":        newTenant(t, func(o *administrate.Options) { o.Assumed.ExtendedOpportunity = administrate.Off }),
		} {
			h, held := hold(t, differs)
			if held.Reservations != nil || held.IsConfirmed(h.Until, differs.now()) {
				t.Errorf("%s: %+v", change, held)
			}
			if got := must[administrate.Opportunity](t)(differs.Opportunity(ctx, h.OpportunityID)); !got.Reservations.Valid {
				t.Errorf("%s: read %+v", change, got.Reservations)
			}
		}
	})
}

func TestEmail(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := newTenant(t, nil)
	page := must[administrate.SendingAddressPage](t)(s.SendingAddresses(ctx, ""))
	if diff := cmp.Diff(administrate.SendingAddressPage{Count: 2, Addresses: []administrate.SendingAddress{
		{ID: id("SendingEmailAddress", 1), Name: "Office", Address: "office@training.example", Verified: true},
		{ID: id("SendingEmailAddress", 2), Name: "New address", Address: "new@training.example"},
	}}, page); diff != "" {
		t.Fatal(diff)
	}
	mail := administrate.Email{
		ContactID: contactTwo, Subject: "Ihr Kurs", Body: "<p>Grüße, \"Ada\"</p>", SendingAddressID: page.Addresses[0].ID, CC: []string{"copy@example.com"},
	}
	if err := s.SendEmail(ctx, mail); err != nil {
		t.Fatal(err)
	}
	mail.SendingAddressID = page.Addresses[1].ID
	rejected(t, s.SendEmail(ctx, mail), "")
	box, err := s.box.Outbox(ctx)
	if err != nil || len(box) != 1 || box[0].To != "melissa@example.com" || box[0].Subject != mail.Subject || box[0].Body != mail.Body ||
		!slices.Equal(box[0].CC, mail.CC) || box[0].From != "office@training.example" {
		t.Errorf("sent %+v, %v", box, err)
	}
}

func TestLog(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := newTenant(t, nil)
	o := must[administrate.Opportunity](t)(s.CreateOpportunity(ctx, administrate.NewOpportunity{Name: "n", RegionID: regionDR}))
	for _, entry := range []administrate.LogEntry{
		{Origin: "Oppflow", NodeID: event, Message: "registered", Status: administrate.LogSuccess},
		{Origin: "Oppflow", NodeID: o.ID, Message: "a \"part\"", Status: administrate.LogPartial, Payload: `{"groups":[]}`, Category: "c", Subcategory: "s"},
		{Origin: "Oppflow", NodeID: contactTwo, Message: "failed", Status: administrate.LogFailed},
	} {
		if err := s.WriteLog(ctx, entry); err != nil {
			t.Errorf("%+v: %v", entry, err)
		}
	}
	want := fmt.Sprintf(`{"externalIntegrationLogs":{"edges":[{"node":{"nodeId":%q,"message":"registered","status":"success","payload":null}},`+
		`{"node":{"nodeId":%q,"message":"a \"part\"","status":"partial","payload":"{\"groups\":[]}"}},`+
		`{"node":{"nodeId":%q,"message":"failed","status":"failed","payload":null}}]}}`, event, o.ID, contactTwo)
	if diff := cmp.Diff(want, s.query(t, `{ externalIntegrationLogs { edges { node { nodeId message status payload } } } }`)); diff != "" {
		t.Error(diff)
	}
	strict := newTenantOf(t, map[string]string{"log.opportunity": "refused"}, nil)
	rejected(t, strict.WriteLog(ctx, administrate.LogEntry{Origin: "Oppflow", NodeID: id("Opportunity", 1), Message: "m", Status: administrate.LogSuccess}), "")
}

// TestFatesOfErrands: every standalone mutation is tried with every fault, and is sent once in
// each case.
func TestFatesOfErrands(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	const name = "Someone Secret"
	for _, errand := range []struct {
		operation string
		do        func(s *tenant) error
		count     string // a query with a totalRecords that the mutation raises, or empty
	}{
		{"account.create", func(s *tenant) error {
			_, err := s.CreateAccount(ctx, administrate.NewAccount{Name: name})
			return err
		}, `{ accounts { pageInfo { totalRecords } } }`},
		{"contact.createBatch", func(s *tenant) error {
			_, err := s.CreateContacts(ctx, []administrate.NewContact{{FirstName: name, LastName: name}})
			return err
		}, `{ contacts { pageInfo { totalRecords } } }`},
		{"event.registerContacts", func(s *tenant) error {
			_, err := s.RegisterContacts(ctx, administrate.RegisterContacts{EventID: event, ContactIDs: []string{contactTwo}, Notes: name})
			return err
		}, `{ learners { pageInfo { totalRecords } } }`},
		{"contactAdhocEmails.sendContactAdhocEmail", func(s *tenant) error {
			return s.SendEmail(ctx, administrate.Email{ContactID: contactTwo, Subject: name, Body: name, SendingAddressID: id("SendingEmailAddress", 1)})
		}, ``},
		{"externalLog.createExternalIntegrationLog", func(s *tenant) error {
			return s.WriteLog(ctx, administrate.LogEntry{Origin: "o", NodeID: event, Message: name, Status: administrate.LogSuccess})
		}, `{ externalIntegrationLogs { pageInfo { totalRecords } } }`},
	} {
		for _, day := range []struct {
			kind     fault.Kind
			fate     string
			happened bool
		}{
			{fault.DropAfter, "unknown", true},
			{fault.DropBefore, "unknown", false},
			{fault.ErrorAfter, "unknown", true},
			{fault.ErrorBefore, "unknown", false},
			{fault.TooManyRequests, "not sent", false},
			{fault.FailField, "unknown", false},
			{fault.Truncated, "unknown", true},
			{fault.Malformed, "unknown", true},
		} {
			t.Run(errand.operation+" "+string(day.kind), func(t *testing.T) {
				s := newTenant(t, nil)
				before := ""
				if errand.count != "" {
					before = s.query(t, errand.count)
				}
				if _, err := s.box.Faults().Set(fault.Rule{Kind: day.kind, Operation: errand.operation, Times: 1}); err != nil {
					t.Fatal(err)
				}
				err := errand.do(s)
				got := "else"
				switch {
				case errors.As(err, new(*administrate.UnknownError)):
					got = "unknown"
				case errors.As(err, new(*administrate.NotSentError)):
					got = "not sent"
				}
				if got != day.fate || strings.Contains(fmt.Sprint(err), name) {
					t.Errorf("%s: %v", got, err)
				}
				if errand.count != "" && (s.query(t, errand.count) != before) != day.happened {
					t.Errorf("before %s, after %s", before, s.query(t, errand.count))
				}
				sent := 0
				for _, e := range s.box.RequestLog().After(0, 1000) {
					if slices.Contains(e.Operations, errand.operation) {
						sent++
					}
				}
				if sent != 1 {
					t.Errorf("sent %d times", sent)
				}
			})
		}
	}
}

// TestAccountTakenAway: whether null removes the account or leaves it depends on the
// tenant. The record that is read back decides.
func TestAccountTakenAway(t *testing.T) {
	t.Parallel()
	for value, stays := range map[string]bool{"kept": true, "cleared": false} {
		s := newTenantOf(t, map[string]string{"update.null": value}, nil)
		o := must[administrate.Opportunity](t)(s.CreateOpportunity(t.Context(), administrate.NewOpportunity{Name: "n", RegionID: regionDR, AccountID: accountTwo}))
		answer := must[administrate.Opportunity](t)(s.UpdateOpportunity(t.Context(), administrate.UpdateOpportunity{ID: o.ID, NoAccount: true}))
		read := must[administrate.Opportunity](t)(s.Opportunity(t.Context(), o.ID))
		if (answer.Account != nil) != stays || (read.Account != nil) != stays {
			t.Errorf("%s: answered %+v, read %+v", value, answer.Account, read.Account)
		}
	}
}

// TestTokenIssues: the tokens of a won opportunity are seen where the API shows them by
// the assumed name or a corrected name. They are not seen where the assumption is off.
func TestTokenIssues(t *testing.T) {
	t.Parallel()
	tokens := id("TokenType", "0123456789abcdef0123456789abcdef")
	for name, c := range map[string]struct {
		rows    map[string]string
		assumed administrate.SchemaName
		want    administrate.TokenIssues
	}{
		"as assumed": {nil, "", administrate.TokenIssues{Shown: true, Issues: []administrate.TokenIssue{{TokenTypeID: tokens, Quantity: 3}}}},
		"corrected": {
			map[string]string{"opportunity.tokenIssues": "issued"},
			"issued",
			administrate.TokenIssues{Shown: true, Issues: []administrate.TokenIssue{{TokenTypeID: tokens, Quantity: 3}}},
		},
		"off": {map[string]string{"opportunity.tokenIssues": "absent"}, administrate.Off, administrate.TokenIssues{}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newTenantWith(t, sandbox.Options{Catalogue: "../sandbox/catalogue/tenant.yaml", Assumptions: c.rows}, func(o *administrate.Options) { o.Assumed.TokenIssues = c.assumed })
			o := must[administrate.Opportunity](t)(s.CreateOpportunity(t.Context(), administrate.NewOpportunity{
				Name: "n", RegionID: id("Region", "UK"), EntryStepID: id("OpportunityStep", 2), Attributes: []administrate.Attribute{{Key: "source", Value: "web"}},
			}))
			must[[]administrate.Interest](t)(s.AddInterest(t.Context(), administrate.AddInterest{OpportunityID: o.ID, ItemID: tokens, Kind: administrate.Tokens, Quantity: 3}))
			if got := s.ShowsTokenIssues(); got != c.want.Shown {
				t.Errorf("it shows them: %v", got)
			}
			if got := must[administrate.TokenIssues](t)(s.TokenIssues(t.Context(), o.ID)); len(got.Issues) != 0 || got.Shown != c.want.Shown {
				t.Errorf("before: %+v", got)
			}
			must[administrate.Opportunity](t)(s.Progress(t.Context(), administrate.Progress{OpportunityID: o.ID, StepID: id("OpportunityStep", 4)}))
			if diff := cmp.Diff(c.want, must[administrate.TokenIssues](t)(s.TokenIssues(t.Context(), o.ID))); diff != "" {
				t.Error(diff)
			}
		})
	}
	s := newTenantOf(t, map[string]string{"opportunity.tokenIssues": "absent"}, nil)
	o := must[administrate.Opportunity](t)(s.CreateOpportunity(t.Context(), administrate.NewOpportunity{Name: "n", RegionID: regionDR}))
	if _, err := s.TokenIssues(t.Context(), o.ID); !errors.As(err, new(*administrate.RefusedError)) {
		t.Errorf("where the API has none: %v", err)
	}
}
