package e2e_test

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/e2e/harness"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/stack"
)

// tenant is a set of parts whose worker uses one of the example playbooks.
type tenant struct {
	*parts
	firstEventStart time.Time
	// mu guards serviceCalls, the requests to the tenant's service.
	mu           sync.Mutex
	serviceCalls []string
}

// startTenant starts the parts with the named example. replaced contains pairs of an old and a new
// text in the example. The first event of the tenant's catalogue starts after the time startsIn.
func startTenant(t *testing.T, example string, startsIn time.Duration, replaced ...string) *tenant {
	t.Helper()
	h := &tenant{firstEventStart: time.Now().UTC().Add(startsIn).Truncate(time.Second)}
	dir := t.TempDir()
	write := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	read := func(path string) string {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(content)
	}
	catalogue := read("../workflows/testdata/tenant.yaml")
	local := h.firstEventStart.Format("2006-01-02T15:04:05")
	catalogue = strings.Replace(catalogue, "start: 2042-02-01T09:30:00\n    end: 2042-02-03T16:30:00\n    timeZone: Europe/London",
		"start: "+local+"\n    end: "+h.firstEventStart.Add(8*time.Hour).Format("2006-01-02T15:04:05")+"\n    timeZone: UTC", 1)
	if !strings.Contains(catalogue, local) {
		t.Fatal("the first event of the catalogue is not the event that the test expects")
	}
	service := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.serviceCalls = append(h.serviceCalls, r.Method+" "+r.URL.Path)
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(service.Close)
	book := strings.NewReplacer(append([]string{"https://erp.example.com", service.URL}, replaced...)...).Replace(read("../playbook/examples/" + example + ".yaml"))
	h.parts = startParts(t, stack.Options{
		SandboxArgs: []string{"--catalogue", write("tenant.yaml", []byte(catalogue))},
		WorkerArgs: []string{
			"--api-rate", "5000", "--playbook", write("playbook.yaml", []byte(book)),
			"--service-key", "erp-signing-key=" + write("key", []byte("0123456789abcdef0123456789abcdef")),
		},
		WorkerEnv: []string{"SSL_CERT_FILE=" + write("service.pem", certificate(service.Certificate()))},
	})
	return h
}

func certificate(c *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
}

func globalID(typ string, n int) string {
	return base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%s:%d", typ, n))
}

// startLead starts an opportunity with an owner, a contact and two learners on the first event.
func (h *tenant) startLead(reference, step string, reserve bool) opportunity.ID {
	h.t.Helper()
	ctx := h.t.Context()
	opened, err := h.client.Start(ctx, opportunity.Reference(reference), opportunity.Start{Name: "First Aid", Region: "UK", EntryStep: step})
	if err != nil {
		h.t.Fatal(err)
	}
	if _, err := h.api.UpdateOpportunity(ctx, administrate.UpdateOpportunity{
		ID: string(opened.Opportunity), OwnerID: globalID("User", 1), ContactID: globalID(opportunity.TypeContact, 1),
		Attributes: []administrate.Attribute{{Key: "company", Value: "Byrne Ltd"}, {Key: "po", Value: "PO-7"}},
	}); err != nil {
		h.t.Fatal(err)
	}
	price, err := opportunity.ParseAmount("600.00")
	if err != nil {
		h.t.Fatal(err)
	}
	h.wantDone(h.client.Update(ctx, opportunity.Reference(reference), opportunity.AddInterests{Interests: opportunity.Interests{{
		Item: globalID(opportunity.TypeEvent, 1), Quantity: 2, UnitAmount: price, Reserve: reserve,
		Learners: []opportunity.Learner{
			{FirstName: "Ada", LastName: "Byrne", Email: "ada@byrne.example"}, {FirstName: "Ben", LastName: "Byrne", Email: "ben@byrne.example"},
		},
	}}}))
	return opened.Opportunity
}

func (h *tenant) wantDone(outcome opportunity.Outcome, err error) {
	h.t.Helper()
	if err != nil || outcome.State != opportunity.Done {
		h.t.Fatalf("the outcome is %+v, %v; want done", outcome, err)
	}
}

func (h *tenant) progress(reference, to string) {
	h.t.Helper()
	h.wantDone(h.client.Update(h.t.Context(), opportunity.Reference(reference), opportunity.Progress{To: to}))
}

func (h *tenant) awaitEnd(reference string, want opportunity.StageState) {
	h.t.Helper()
	ended, err := h.client.Wait(h.t.Context(), opportunity.Reference(reference))
	if err != nil || ended.State != want {
		h.t.Fatalf("the run ended with %+v, %v; want the state %s", ended, err, want)
	}
	h.Replay(opportunity.Reference(reference), "playbook")
}

func (h *tenant) event() administrate.ScheduledEvent {
	h.t.Helper()
	event, err := h.api.Event(h.t.Context(), globalID(opportunity.TypeEvent, 1))
	if err != nil {
		h.t.Fatal(err)
	}
	return event
}

func (h *tenant) wantPlaces(held, booked int) {
	h.t.Helper()
	if event := h.event(); *event.Reserved != held || *event.BookedPlaces != booked {
		h.t.Errorf("%d places are reserved and %d places are booked; want %d reserved and %d booked", *event.Reserved, *event.BookedPlaces, held, booked)
	}
}

func (h *tenant) mails() []string {
	h.t.Helper()
	outbox, err := h.SandboxAdmin().Outbox(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	var all []string
	for _, mail := range outbox {
		all = append(all, mail.To+": "+mail.Subject)
	}
	return all
}

func (h *tenant) invoice(id opportunity.ID) administrate.Invoice {
	h.t.Helper()
	billing, err := h.api.Billing(h.t.Context(), string(id))
	if err != nil {
		h.t.Fatal(err)
	}
	if billing.Invoice == nil {
		return administrate.Invoice{}
	}
	return *billing.Invoice
}

const year = 365 * 24 * time.Hour

// TestPlaybooks plays the stories of the example playbooks on real parts. The stories use the times
// in the playbook files. Only the story "reminders" has seconds in place of business days.
func TestPlaybooks(t *testing.T) {
	t.Parallel()
	for name, play := range map[string]func(t *testing.T){
		"reserve on proposal and release on loss": func(t *testing.T) {
			h := startTenant(t, "reserve-on-proposal", year)
			h.startLead("one", "", false)
			h.progress("one", "Proposed")
			h.wantPlaces(2, 0)
			h.progress("one", "Lost")
			h.awaitEnd("one", opportunity.Lost)
			h.wantPlaces(0, 0)
		},
		"win with account, contacts, registrations, invoice": func(t *testing.T) {
			h := startTenant(t, "win", year)
			id := h.startLead("one", "", true)
			h.progress("one", "Proposed")
			h.progress("one", "Won")
			h.awaitEnd("one", opportunity.Won)
			h.wantPlaces(0, 2)
			record, err := h.api.Opportunity(t.Context(), string(id))
			if err != nil || record.Account == nil || record.Account.Name != "Byrne Ltd" {
				t.Errorf("the record has wrong values: %+v, %v", record, err)
			}
			if invoice := h.invoice(id); invoice.State != "Draft" || invoice.PurchaseOrderRef != "PO-7" || invoice.Comments != "First Aid, 1200.00 GBP" {
				t.Errorf("the invoice has wrong values: %+v", invoice)
			}
			h.mu.Lock()
			defer h.mu.Unlock()
			if got := strings.Join(h.serviceCalls, ", "); got != "POST /oppflow/orders" {
				t.Errorf("unexpected calls of the service: %s", got)
			}
		},
		"invoice finalised 7 days before the event": func(t *testing.T) {
			h := startTenant(t, "invoice-before-event", 7*24*time.Hour+20*time.Second)
			id := h.startLead("one", "", true)
			if _, err := h.api.UpdateOpportunity(t.Context(), administrate.UpdateOpportunity{ID: string(id), AccountID: globalID(opportunity.TypeAccount, 1)}); err != nil {
				t.Fatal(err)
			}
			h.progress("one", "Proposed")
			h.progress("one", "Won")
			due := h.firstEventStart.Add(-7 * 24 * time.Hour)
			harness.Eventually(t, time.Minute, "the draft invoice has the purchase order", func() bool { return h.invoice(id).PurchaseOrderRef == "PO-7" })
			if invoice := h.invoice(id); invoice.Final() && time.Now().Before(due) {
				t.Errorf("%s before the due time, the invoice is %+v; want a draft", time.Until(due), invoice)
			}
			h.awaitEnd("one", opportunity.Won)
			if now := time.Now(); now.Before(due) || !h.invoice(id).Final() {
				t.Errorf("%s after the due time, the invoice is %+v; want a final invoice", now.Sub(due), h.invoice(id))
			}
		},
		"three reminders then Lost": func(t *testing.T) {
			h := startTenant(t, "reminders", year, "idle: 5 business days", "idle: 4 seconds", "every: 2 business days", "every: 4 seconds",
				`  hours:
    - { days: [mon, tue, wed, thu, fri], from: "09:00", to: "17:30" }
`, "", `  quiet: { from: "20:00", to: "08:00" }
`, "")
			h.startLead("one", "", false)
			h.progress("one", "Proposed")
			h.awaitEnd("one", opportunity.Lost)
			want := strings.Repeat("priya.raman@harbour-street.example: First Aid: are you still interested?\n", 3)
			if got := strings.Join(h.mails(), "\n") + "\n"; got != want {
				t.Errorf("mails:\n%s", got)
			}
		},
		"event cancelled": func(t *testing.T) {
			h := startTenant(t, "event-cancelled", year)
			h.startLead("one", "", true)
			if _, err := h.Query(`mutation($id: ID!) { event { update(eventId: $id, input: {lifecycleState: "cancelled"}) { errors { message } } } }`,
				map[string]any{"id": globalID(opportunity.TypeEvent, 1)}); err != nil {
				t.Fatal(err)
			}
			// Oppflow reads the event once a day. An operator's refresh makes Oppflow read the
			// event at once.
			h.wantDone(h.client.Update(t.Context(), "one", opportunity.Refresh{}))
			harness.Eventually(t, time.Minute, "the owner gets a mail", func() bool { return len(h.mails()) > 0 })
			h.progress("one", "Lost")
			h.awaitEnd("one", opportunity.Lost)
			if got := strings.Join(h.mails(), "\n"); got != "nora.whitfield@training.example: An event of First Aid was cancelled" {
				t.Errorf("unexpected mails: %s", got)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t)
		})
	}
}
