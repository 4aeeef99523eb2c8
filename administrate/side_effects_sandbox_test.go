package administrate_test

import (
	"errors"
	"fmt"
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

func TestRegistrationsAndInvoices(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := newTenantWith(t, sandbox.Options{Catalogue: "../sandbox/catalogue/tenant.yaml"}, nil)
	o := must[administrate.Opportunity](t)(s.CreateOpportunity(ctx, administrate.NewOpportunity{Name: "n", RegionID: id("Region", "UK")}))
	if got := must[administrate.OpportunityLinks](t)(s.OpportunityLinks(ctx, o.ID)); got.Account != nil || got.ContactID != "" || got.Owner != nil || got.Invoice != nil || got.ActiveInvoiceID != "" {
		t.Errorf("links of a new record: %+v", got)
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
	links := must[administrate.OpportunityLinks](t)(s.OpportunityLinks(ctx, o.ID))
	if links.Account == nil || links.ContactID == "" || links.Invoice == nil || links.Invoice.ID != links.ActiveInvoiceID || links.Invoice.State != "Draft" ||
		links.Invoice.Final() || !slices.Contains(links.Attributes, administrate.Attribute{Key: "po-number", Value: "PO 17"}) {
		t.Fatalf("links %+v", links)
	}

	must[administrate.RegisterContactsResult](t)(s.RegisterContacts(ctx, administrate.RegisterContacts{EventID: event, ContactIDs: []string{id("Person", 1)}}))
	page := must[administrate.RegistrationPage](t)(s.EventRegistrations(ctx, event, ""))
	var sources []string
	for _, r := range page.Registrations {
		sources = append(sources, r.OpportunityID)
		if r.OpportunityID == o.ID && (r.Account == nil || r.Account.ID != links.Account.ID) {
			t.Errorf("registration %+v", r)
		}
	}
	if !slices.Equal(sources, []string{o.ID, ""}) || page.Count != 2 {
		t.Errorf("registrations of %q", sources)
	}

	updated := must[administrate.Invoice](t)(s.UpdateInvoice(ctx, administrate.UpdateInvoice{ID: links.Invoice.ID, Comments: "as \"agreed\"", PurchaseOrderRef: "PO 17"}))
	if updated.Comments != "as \"agreed\"" || updated.PurchaseOrderRef != "PO 17" {
		t.Errorf("updated %+v", updated)
	}
	want := administrate.Billing{ActiveInvoiceID: updated.ID, Invoice: &updated, ShowsComments: true, ShowsPurchaseOrder: true}
	want.Invoice.State = "Draft"
	if diff := cmp.Diff(want, must[administrate.Billing](t)(s.Billing(ctx, o.ID))); diff != "" {
		t.Error(diff)
	}
	emptied := must[administrate.Invoice](t)(s.UpdateInvoice(ctx, administrate.UpdateInvoice{ID: links.Invoice.ID, NoComments: true, NoPurchaseOrderRef: true}))
	if emptied.Comments != "" || emptied.PurchaseOrderRef != "" {
		t.Errorf("emptied %+v", emptied)
	}
	must[administrate.Invoice](t)(s.UpdateInvoice(ctx, administrate.UpdateInvoice{ID: links.Invoice.ID, Comments: updated.Comments, PurchaseOrderRef: "PO 17"}))
	final := must[administrate.Invoice](t)(s.FinaliseInvoice(ctx, links.Invoice.ID))
	if !final.Final() || final.FinalisedAt == nil {
		t.Errorf("finalised %+v", final)
	}
	if got, want := s.query(t, `{ invoices { edges { node { comments purchaseOrderReference lifecycleState } } } }`),
		`{"invoices":{"edges":[{"node":{"comments":"as \"agreed\"","purchaseOrderReference":"PO 17","lifecycleState":"Final"}}]}}`; got != want {
		t.Errorf("read %s", got)
	}
	if links := must[administrate.OpportunityLinks](t)(s.OpportunityLinks(ctx, o.ID)); !links.Invoice.Final() {
		t.Errorf("links %+v", links)
	}
	_, err := s.FinaliseInvoice(ctx, links.Invoice.ID)
	rejected(t, err, "")
	if _, err := s.OpportunityLinks(ctx, id("Opportunity", 999)); !errors.As(err, new(*administrate.NotFoundError)) {
		t.Errorf("links of no record: %v", err)
	}
}

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

// TestReserve: even if the response to a Reserve contains no errors, the places may not be
// reserved.
func TestReserve(t *testing.T) {
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
			"the answer is empty": newTenantOf(t, map[string]string{"extend.response": "errors"}, nil),
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
	bulk := administrate.BulkEmail{ContactIDs: []string{contactTwo, id("Person", 3)}, Subject: "Ihr Kurs", Body: mail.Body, SendingAddressID: page.Addresses[0].ID}
	if err := s.SendBulkEmail(ctx, bulk); err != nil {
		t.Fatal(err)
	}
	bulk.SendingAddressID = page.Addresses[1].ID
	rejected(t, s.SendBulkEmail(ctx, bulk), "")
	box, err = s.box.Outbox(ctx)
	if err != nil || len(box) != 3 || box[1].To != "melissa@example.com" || box[2].To != "tomas.byrne@northern-lights.example" || box[2].Body != mail.Body {
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

// With every fault of the sandbox, the client sends the mutation only once.
func TestOutcomesOfStandaloneMutations(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	const name = "Someone Secret"
	for _, errand := range []struct {
		operation string
		do        func(s *tenant) error
		count     string // a query whose totalRecords grows with the mutation, or "" if there is no such query
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

// TestAccountTakenAway: it depends on the tenant whether the value null removes the account of an
// opportunity. Only a read of the record shows whether the API removed the account.
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

// TestTokenIssues: the client reads the training tokens that the TMS issued for a won opportunity,
// with the assumed and with a corrected name of the field.
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
