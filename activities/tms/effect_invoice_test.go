package tms_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/sandbox"
)

// tokensTT are the training tokens of the tenant whose moves make something.
var tokensTT = id(opportunity.TypeTokens, "0123456789abcdef0123456789abcdef")

// newTenantRoom is a room over a TMS whose moves make something.
func newTenantRoom(t *testing.T, assume map[string]string) *room {
	t.Helper()
	return newRoomIn(t, tms.Mark{}, sandbox.Options{Catalogue: "../../sandbox/catalogue/tenant.yaml", Assume: assume})
}

// order is a record of the web shop: a place on an event for Ada, and three tokens. It
// is won with all that a move makes, but stands before that.
func (r *room) order() opportunity.ID {
	r.t.Helper()
	ctx, api := r.t.Context(), r.client()
	made, err := api.CreateOpportunity(ctx, administrate.NewOpportunity{
		Name: "Byrne Ltd", RegionID: string(id(opportunity.TypeRegion, "UK")), EntryStepID: string(id(opportunity.TypeStep, 2)),
		Attributes: []administrate.Attribute{{Key: "source", Value: "web"}},
	})
	if err == nil {
		_, err = api.Apply(ctx, []administrate.Mutation{
			administrate.AddInterest{
				OpportunityID: made.ID, ItemID: string(event), Kind: administrate.Event, Quantity: 1, UnitAmount: decimal.NewFromInt(7),
				NewLearners: []administrate.Learner{{FirstName: "ada", LastName: "Byrne", Email: "ada@example.com"}},
			},
			administrate.AddInterest{OpportunityID: made.ID, ItemID: string(tokensTT), Kind: administrate.Tokens, Quantity: 3},
		})
	}
	if err != nil {
		r.t.Fatal(err)
	}
	r.requested()
	return opportunity.ID(made.ID)
}

// win moves the record of an order to Won, beside the worker.
func (r *room) win(record opportunity.ID) {
	r.t.Helper()
	_, err := r.client().Progress(r.t.Context(), administrate.Progress{OpportunityID: string(record), StepID: string(id(opportunity.TypeStep, 4))})
	if err != nil {
		r.t.Fatal(err)
	}
	r.requested()
}

// invoice is that of the record.
func (r *room) invoice(record opportunity.ID) administrate.Invoice {
	r.t.Helper()
	billing, err := r.client().Billing(r.t.Context(), string(record))
	if err != nil || billing.Invoice == nil {
		r.t.Fatal(err, billing)
	}
	r.requested()
	return *billing.Invoice
}

// write writes to the invoice beside the worker.
func (r *room) write(u administrate.UpdateInvoice) {
	r.t.Helper()
	if _, err := r.client().UpdateInvoice(r.t.Context(), u); err != nil {
		r.t.Fatal(err)
	}
	r.requested()
}

func invoiceEffect(record opportunity.ID, invoice opportunity.EnsureInvoice) activities.EffectInput {
	return activities.EffectInput{Reference: "A-1", Opportunity: record, Effect: opportunity.Effect{
		Key: "1/x/after/1/invoice", Kind: opportunity.EffectInvoice, Invoice: &invoice,
	}}
}

func tokensEffect(record opportunity.ID, until time.Time, sold int) activities.EffectInput {
	return activities.EffectInput{
		Reference: "A-1", Opportunity: record,
		Interests: []opportunity.Held{{ID: "I", Item: string(event), Quantity: 9}, {ID: "J", Item: string(tokensTT), Quantity: sold}},
		Effect:    opportunity.Effect{Key: "1/x/after/1/tokens", Kind: opportunity.EffectTokens, Tokens: &opportunity.AwaitTokens{WaitUntil: until}},
	}
}

// look looks at the effect now.
func (r *room) look(in activities.EffectInput) activities.InspectResult {
	r.t.Helper()
	in.Now = r.now()
	return do[activities.InspectResult](r, activities.InspectEffect, in)
}

// awaited looks again whenever it is told to, and answers how often that was. It fails
// unless that ends.
func (r *room) awaited(in activities.EffectInput) (int, activities.InspectResult) {
	r.t.Helper()
	for looks := 1; looks < 100; looks++ {
		now := r.now()
		got := r.look(in)
		if got.Again.IsZero() {
			return looks, got
		}
		wait := got.Again.Sub(now)
		if wait < time.Second || got.Aside {
			r.t.Fatalf("look %d: again in %v, aside %v", looks, wait, got.Aside)
		}
		in.Trace = got.Trace
		r.pass(wait)
	}
	r.t.Fatal("it is looked at for ever")
	return 0, activities.InspectResult{}
}

func TestADraftIsWaitedForFilledInAndMadeFinal(t *testing.T) {
	r := newTenantRoom(t, nil)
	record := r.order()
	in := invoiceEffect(record, opportunity.EnsureInvoice{
		WaitUntil: r.in(2 * time.Hour), PurchaseOrder: "PO 17", Comments: "one\ntwo\n", FinaliseAt: r.in(48 * time.Hour),
	})
	if got := r.look(in); got.Again.IsZero() || got.Act != nil || got.Error != nil || got.Again.Sub(r.now()) > 20*time.Minute {
		t.Fatalf("without an invoice: %+v", got)
	}
	r.win(record)
	// It is filled in at once, and final when it is time. Nobody waits for that.
	done := r.ensure(in)
	r.want(done, 3, opportunity.ActFillInvoice)
	in.Trace = done.trace
	if got := r.look(in); !got.Aside || !got.Again.Equal(in.Effect.Invoice.FinaliseAt) {
		t.Errorf("before its time: %+v", got)
	}
	invoice := r.invoice(record)
	if invoice.State != "Draft" || invoice.PurchaseOrderRef != "PO 17" || invoice.Comments != "one\ntwo\n" {
		t.Errorf("filled in: %+v", invoice)
	}
	want := []opportunity.Record{{Kind: opportunity.RecordInvoice, ID: opportunity.ID(invoice.ID)}}
	if diff := cmp.Diff(want, done.trace.Records); diff != "" {
		t.Error(diff)
	}
	r.pass(48 * time.Hour)
	r.lose()
	r.want(r.ensure(in), 3, opportunity.ActFinalise)
	if !r.invoice(record).Final() {
		t.Errorf("in time: %+v", r.invoice(record))
	}
	r.want(r.ensure(in), 1)
	in.Undo = true
	r.wantProblem(r.ensure(in), 1, "is Final")
}

func TestADraftThatDoesNotComeIsTold(t *testing.T) {
	r := newTenantRoom(t, nil)
	record := r.order()
	in := invoiceEffect(record, opportunity.EnsureInvoice{WaitUntil: r.in(3 * time.Hour)})
	start := r.now()
	looks, got := r.awaited(in)
	if got.Error == nil || got.Error.Type != opportunity.NotFound || looks < 5 || looks > 60 {
		t.Errorf("after %d looks: %+v", looks, got)
	}
	if took := r.now().Sub(start); took > 3*time.Hour+time.Minute || took < 3*time.Hour-time.Minute {
		t.Errorf("it was waited for for %v", took)
	}
	in.Undo = true
	if got := r.look(in); got.Act != nil || got.Error != nil {
		t.Errorf("taken back: %+v", got)
	}
}

func TestADraftIsWrittenBackAsItWas(t *testing.T) {
	r := newTenantRoom(t, nil)
	record := r.order()
	r.win(record)
	invoice := r.invoice(record)
	r.write(administrate.UpdateInvoice{ID: invoice.ID, PurchaseOrderRef: "theirs"})
	before := r.invoice(record)
	in := invoiceEffect(record, opportunity.EnsureInvoice{WaitUntil: r.in(time.Hour), PurchaseOrder: "PO 17", Comments: "ours"})
	r.lose()
	done := r.ensure(in)
	r.want(done, 3, opportunity.ActFillInvoice)
	in.Trace = done.trace
	r.want(r.ensure(in), 1)

	in.Undo = true
	r.want(r.ensure(in), 3, opportunity.ActFillInvoice)
	if diff := cmp.Diff(before, r.invoice(record)); diff != "" {
		t.Errorf("taken back: %s", diff)
	}
	r.want(r.ensure(in), 1)

	// What somebody has changed since stays.
	in.Undo, in.Trace = false, opportunity.Trace{}
	in.Trace = r.ensure(in).trace
	r.write(administrate.UpdateInvoice{ID: invoice.ID, Comments: "changed"})
	in.Undo = true
	r.want(r.ensure(in), 3, opportunity.ActFillInvoice)
	if got := r.invoice(record); got.Comments != "changed" || got.PurchaseOrderRef != "theirs" {
		t.Errorf("taken back: %+v", got)
	}
}

func TestADraftThatIsNotFilledInIsTold(t *testing.T) {
	r := newTenantRoom(t, nil)
	record := r.order()
	r.win(record)
	in := invoiceEffect(record, opportunity.EnsureInvoice{WaitUntil: r.in(time.Hour), PurchaseOrder: "PO 17"})
	r.pretend("update", `{"data":{"invoices":{"update":{"errors":[],"invoice":{"id":"I","purchaseOrderReference":"PO 17"}}}}}`)
	r.wantProblem(r.ensure(in), 3, "nothing shows", opportunity.ActFillInvoice)
	r.pretend("update", `{"data":{"invoices":{"update":{"errors":[{"label":"Locked","message":"no"}]}}}}`)
	r.wantProblem(r.ensure(in), 2, "Locked", opportunity.ActFillInvoice)

	in.Effect.Invoice = &opportunity.EnsureInvoice{WaitUntil: r.in(time.Hour), FinaliseAt: r.in(-time.Second)}
	r.pretend("finalise", `{"data":{"invoices":{"finalise":{"errors":[],"invoice":{"id":"I","lifecycleState":"Final"}}}}}`)
	r.wantProblem(r.ensure(in), 3, "nothing shows", opportunity.ActFinalise)
}

// An invoice that is final is neither changed nor made final again, and one that is
// none any more is asked about.
func TestAnInvoiceThatIsNoDraft(t *testing.T) {
	r := newTenantRoom(t, nil)
	record := r.order()
	r.win(record)
	if _, err := r.client().FinaliseInvoice(t.Context(), r.invoice(record).ID); err != nil {
		t.Fatal(err)
	}
	r.requested()
	in := invoiceEffect(record, opportunity.EnsureInvoice{WaitUntil: r.in(time.Hour), PurchaseOrder: "PO 17", FinaliseAt: r.in(-time.Hour)})
	r.want(r.ensure(in), 1)
	for answer, says := range map[string]string{
		`"activeInvoiceId":null,"salesDocument":{"id":"I","lifecycleState":"Void"}`:  "void",
		`"activeInvoiceId":"I","salesDocument":{"id":"I","lifecycleState":"Merged"}`: "Merged",
		`"activeInvoiceId":"J","salesDocument":{"id":"I","lifecycleState":"Draft"}`:  "J",
		`"activeInvoiceId":"J","salesDocument":{}`:                                   "J",
	} {
		r.pretendRead(func(sent string) string {
			if !strings.Contains(sent, "query Billing") {
				return ""
			}
			return `{"data":{"opportunities":{"edges":[{"node":{"id":"O",` + answer + `}}],"pageInfo":{"totalRecords":1}}}}`
		})
		r.wantProblem(r.ensure(in), 1, says)
	}
}

func TestTokensAreWaitedFor(t *testing.T) {
	r := newTenantRoom(t, nil)
	record := r.order()
	in := tokensEffect(record, r.in(time.Hour), 3)
	if got := r.look(in); got.Again.IsZero() || got.Error != nil || got.Act != nil {
		t.Errorf("before: %+v", got)
	}
	r.win(record)
	r.want(r.ensure(in), 1)
	in.Undo = true
	r.want(r.ensure(in), 0)

	// Fewer than were sold, and nothing more comes.
	_, got := r.awaited(tokensEffect(record, r.in(time.Hour), 5))
	if got.Error == nil || !strings.Contains(got.Error.Message, "3 of 5 tokens") {
		t.Errorf("too few: %+v", got)
	}
	r.requested()
	r.want(r.ensure(tokensEffect(record, r.in(time.Hour), 0)), 0)
}

// A TMS that does not show what was issued is not waited for.
func TestTokensThatCannotBeSeenAreTold(t *testing.T) {
	r := newTenantRoom(t, map[string]string{"opportunity.tokenIssues": "absent"})
	record := r.order()
	r.wantProblem(r.ensure(tokensEffect(record, r.in(time.Hour), 3)), 1, "does not tell whether 3 tokens were issued")
}

func TestAnInvoiceOfAnotherRunIsLeftAlone(t *testing.T) {
	r := newTenantRoom(t, nil)
	record := r.order()
	for _, act := range []opportunity.ActKind{opportunity.ActFillInvoice, opportunity.ActFinalise} {
		in := invoiceEffect(record, opportunity.EnsureInvoice{})
		in.Act, in.Run = &opportunity.Act{Kind: act, On: "X"}, "another"
		out := do[activities.CarryOutResult](r, activities.CarryOutEffect, in)
		if out.Fate != opportunity.FateNotSent || out.Reason != activities.ReasonReset || out.Run == "" {
			t.Errorf("%s: %+v", act, out)
		}
	}
	if n := r.requested(); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}

// pretend answers the next mutation that holds the text without doing anything.
func (r *room) pretend(text, answer string) {
	done := false
	r.answerInstead(func(w http.ResponseWriter, q *http.Request) bool {
		sent := body(r.t, q)
		if done || !strings.Contains(sent, "mutation ") || !strings.Contains(sent, text) {
			return false
		}
		done = true
		if _, err := io.WriteString(w, answer); err != nil {
			r.t.Error(err)
		}
		return true
	})
}

// pretendRead answers reads itself; "" lets one pass to the sandbox.
func (r *room) pretendRead(answer func(sent string) string) {
	r.answerInstead(func(w http.ResponseWriter, q *http.Request) bool {
		text := answer(body(r.t, q))
		if text == "" {
			return false
		}
		if _, err := io.WriteString(w, text); err != nil {
			r.t.Error(err)
		}
		return true
	})
}
