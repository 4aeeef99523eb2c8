package tms_test

import (
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/sandbox"
	"github.com/oppflow/oppflow/sandbox/ledger"
)

// live is ensure over time. Where there is nothing to do yet, live continues when the
// effect wants its next look, after the callback of that wait. It also returns how long
// each wait was, with aside for waits that nothing else depends on.
func (r *room) live(in activities.EffectInput, meanwhile func(wait int)) (ended, []string) {
	r.t.Helper()
	out := ended{trace: in.Trace, attendees: in.Attendees}
	var waits []string
	var sent *opportunity.Act
	now := r.in(0)
	for range 40 {
		in.Trace, in.Act, in.Now = out.trace, nil, now
		looked := do[activities.InspectResult](r, activities.InspectEffect, in)
		out.trace = looked.Trace
		switch {
		case looked.Error != nil:
			out.problem = looked.Error.Error()
			return out, waits
		case looked.Act == nil && looked.Again.IsZero():
			return out, waits
		case looked.Act == nil:
			wait := looked.Again.Sub(now)
			if wait <= 0 {
				r.t.Fatalf("it is to be looked at again at once: %s", wait)
			}
			waits = append(waits, fmt.Sprint(wait)+map[bool]string{true: " aside"}[looked.Aside])
			r.pass(wait)
			now = looked.Again
			if meanwhile != nil {
				meanwhile(len(waits))
			}
			continue
		case sent != nil && reflect.DeepEqual(sent, looked.Act):
			out.problem = "nothing shows"
			return out, waits
		}
		in.Act = looked.Act
		in.Trace = out.trace
		acted := do[activities.CarryOutResult](r, activities.CarryOutEffect, in)
		out.acts = append(out.acts, looked.Act.Kind)
		switch acted.Fate {
		case opportunity.FateDone:
			out.trace, sent = acted.Trace, looked.Act
		case opportunity.FateRejected:
			out.problem = acted.Error.Error()
			return out, waits
		case opportunity.FateUnknown:
			sent = nil
		default:
			r.t.Fatalf("%+v", acted)
		}
	}
	r.t.Fatal("it never ends")
	return out, waits
}

// committed returns how often the field of a mutation took effect.
func (r *room) committed(field string) int {
	n := 0
	for _, entry := range r.box.Ledger().After(0, 1000) {
		for _, f := range entry.Fields {
			if f.Name == field && f.Outcome == ledger.Committed {
				n++
			}
		}
	}
	return n
}

// sold returns a room whose TMS drafts an invoice when an opportunity is won, and a
// record that is about to be won.
func sold(t *testing.T) (*room, opportunity.ID) {
	t.Helper()
	r := newRoomIn(t, tms.Mark{}, sandbox.Options{
		Catalogue: keeping(t, "- { from: 4, to: 5 }", "- { from: 4, to: 5, triggers: [account, token, invoice] }"),
	})
	start := opportunity.Start{Name: "Byrne Ltd", Region: string(regionDR), EntryStep: string(stepTwo)}
	record := r.create(activities.CreateInput{Reference: "A-1", Start: start, Looked: true}).Record.ID
	r.requested()
	return r, record
}

// win makes the move after which the TMS drafts the invoice.
func (r *room) win(record opportunity.ID) {
	r.t.Helper()
	if answers := r.apply(record, progress(string(stepWon))).Answers; len(answers) != 1 || answers[0].Fate != opportunity.FateDone {
		r.t.Fatalf("%+v", answers)
	}
	r.requested()
}

// billed returns the invoice of the record.
func (r *room) billed(record opportunity.ID) administrate.Invoice {
	r.t.Helper()
	billing, err := r.client().Billing(r.t.Context(), string(record))
	if err != nil || billing.Invoice == nil {
		r.t.Fatalf("%+v, %v", billing, err)
	}
	r.requested()
	return *billing.Invoice
}

// wantBilled fails unless the invoice has this state and these texts.
func (r *room) wantBilled(record opportunity.ID, state, purchaseOrder, comments string) {
	r.t.Helper()
	got := r.billed(record)
	if diff := cmp.Diff(administrate.Invoice{ID: got.ID, State: state, PurchaseOrderRef: purchaseOrder, Comments: comments}, got); diff != "" {
		r.t.Error(diff)
	}
}

// write changes the draft without the worker.
func (r *room) write(record opportunity.ID, purchaseOrder, comments string) {
	r.t.Helper()
	_, err := r.client().UpdateInvoice(r.t.Context(), administrate.UpdateInvoice{ID: r.billed(record).ID, PurchaseOrderRef: purchaseOrder, Comments: comments})
	if err != nil {
		r.t.Fatal(err)
	}
	r.requested()
}

// finalise makes the invoice final without the worker.
func (r *room) finalise(record opportunity.ID) {
	r.t.Helper()
	if _, err := r.client().FinaliseInvoice(r.t.Context(), r.billed(record).ID); err != nil {
		r.t.Fatal(err)
	}
	r.requested()
}

// invoiceEffect returns an effect that waits an hour for the draft.
func (r *room) invoiceEffect(record opportunity.ID, purchaseOrder, comments string, finalise time.Time) activities.EffectInput {
	return activities.EffectInput{Reference: "A-1", Opportunity: record, Effect: opportunity.Effect{
		Key: "1/win/after/5/invoice", Kind: opportunity.EffectInvoice, Invoice: &opportunity.EnsureInvoice{
			WaitUntil: r.in(time.Hour), PurchaseOrder: purchaseOrder, Comments: comments, FinaliseAt: finalise,
		},
	}}
}

func TestADraftThatComesLateIsFilledInOnceAndFinalInTime(t *testing.T) {
	r, record := sold(t)
	in := r.invoiceEffect(record, "PO 17", "First Aid\r\nfor \"Byrne\"\n", r.in(10*24*time.Hour))
	done, waits := r.live(in, func(wait int) {
		switch wait {
		case 5: // 28 minutes later
			n := r.requested()
			r.win(record)
			r.write(record, "old", "")
			if n != 5 {
				t.Errorf("%d requests while there was none", n)
			}
		case 6:
			r.wantBilled(record, "Draft", "PO 17", "First Aid\r\nfor \"Byrne\"")
		}
	})
	// Before the last look the invoice is seen, filled in, and seen filled in. Then it is seen, made
	// final, and seen final.
	r.want(done, 3, opportunity.ActFillInvoice, opportunity.ActFinalise)
	if diff := cmp.Diff([]string{"1m0s", "2m0s", "5m0s", "10m0s", "10m0s", "239h32m0s aside"}, waits); diff != "" {
		t.Error(diff)
	}
	r.wantBilled(record, "Final", "PO 17", "First Aid\r\nfor \"Byrne\"")
	r.wantRecords(done, opportunity.RecordInvoice, r.billed(record).ID)
	if done.trace.PurchaseOrder != "old" || done.trace.Comments != "" {
		t.Errorf("kept %+v", done.trace)
	}
	in.Trace = done.trace
	r.want(r.ensure(in), 1)
	r.want(r.ensure(r.invoiceEffect(record, "another", "another", r.in(-time.Hour))), 1) // final is final
	if updates, finals := r.committed("invoices.update"), r.committed("invoices.finalise"); updates != 2 || finals != 1 {
		t.Errorf("%d updates, one of them by somebody else, and final %d times", updates, finals)
	}
}

func TestADraftThatNeverComesIsTold(t *testing.T) {
	r, record := sold(t)
	in := r.invoiceEffect(record, "", "", time.Time{})
	out, waits := r.live(in, nil)
	r.wantProblem(out, 10, "the TMS has made no invoice by "+in.Effect.Invoice.WaitUntil.Format(time.RFC3339)+"; raise one there, then answer retry")
	if diff := cmp.Diff([]string{"1m0s", "2m0s", "5m0s", "10m0s", "10m0s", "10m0s", "10m0s", "10m0s", "2m0s"}, waits); diff != "" {
		t.Error(diff)
	}
	r.win(record)
	in.Trace = out.trace
	done, _ := r.live(in, nil)
	r.want(done, 1)
	r.wantBilled(record, "Draft", "", "")
	r.wantRecords(done, opportunity.RecordInvoice, r.billed(record).ID)
}

func TestAnInvoiceThatSomebodyMadeFinalIsLeft(t *testing.T) {
	r, record := sold(t)
	r.win(record)
	done, waits := r.live(r.invoiceEffect(record, "PO 17", "", r.in(10*24*time.Hour)), func(int) { r.finalise(record) })
	r.want(done, 1, opportunity.ActFillInvoice)
	if len(waits) != 1 {
		t.Errorf("waits %q", waits)
	}
	if n := r.committed("invoices.finalise"); n != 1 {
		t.Errorf("made final %d times", n)
	}
}

// Between the look and the request somebody else may make the invoice final, filled in or
// not.
func TestAnInvoiceThatSomebodyMakesFinalJustNow(t *testing.T) {
	for words, acts := range map[string][]opportunity.ActKind{
		"mutation UpdateInvoice":   {opportunity.ActFillInvoice},
		"mutation FinaliseInvoice": {opportunity.ActFillInvoice, opportunity.ActFinalise},
	} {
		r, record := sold(t)
		r.win(record)
		done := false
		r.answerInstead(func(_ http.ResponseWriter, q *http.Request) bool {
			if !done && strings.Contains(body(t, q), words) {
				done = true
				r.finalise(record)
			}
			return false
		})
		out, _ := r.live(r.invoiceEffect(record, "PO 17", "", r.in(-time.Minute)), nil)
		r.want(out, 2, acts...) // why the request was rejected, and the invoice's state
		if n := r.committed("invoices.finalise"); n != 1 {
			t.Errorf("made final %d times", n)
		}
	}
}

// Each request is lost, before or after the API carried it out. The draft is still filled
// in and made final once.
func TestAnInvoiceWhoseAnswerIsLost(t *testing.T) {
	for _, commits := range []bool{false, true} {
		for n := 1; n <= 2; n++ {
			r, record := sold(t)
			r.win(record)
			count := r.loseNth(n, commits)
			in := r.invoiceEffect(record, "PO 17", "First Aid", r.in(-time.Minute))
			done, _ := r.live(in, nil)
			if want := map[bool]int{true: 2, false: 3}[commits]; *count != want || done.problem != "" {
				t.Errorf("request %d, carried out %v: %d requests, want %d; problem %q", n, commits, *count, want, done.problem)
			}
			r.wantBilled(record, "Final", "PO 17", "First Aid")
			if updates, finals := r.committed("invoices.update"), r.committed("invoices.finalise"); updates != 1 || finals != 1 {
				t.Errorf("request %d, carried out %v: %d updates, final %d times", n, commits, updates, finals)
			}
		}
	}
}

func TestWhatPeopleChangeInADraftIsTheirs(t *testing.T) {
	r, record := sold(t)
	r.win(record)
	done, _ := r.live(r.invoiceEffect(record, "PO 17", "First Aid", r.in(10*24*time.Hour)), func(int) { r.write(record, "PO 18", "") })
	r.want(done, 3, opportunity.ActFillInvoice, opportunity.ActFinalise)
	r.wantBilled(record, "Final", "PO 18", "First Aid")
}

// billing returns the API's answer about the invoice of an opportunity.
func billing(active, document string) string {
	return fmt.Sprintf(`{"data":{"opportunities":{"edges":[{"node":{"id":"O","activeInvoiceId":%s,"salesDocument":%s}}],"pageInfo":{"totalRecords":1,"hasNextPage":false}}}}`, active, document)
}

func TestAnInvoiceThatIsNoDraftIsLookedAtByAnOperator(t *testing.T) {
	const draft = `{"id":"I","lifecycleState":"Draft","comments":"c","purchaseOrderReference":null}`
	r := newRoom(t, tms.Mark{})
	record := r.created("A-1")
	r.requested()
	known := opportunity.Trace{Records: []opportunity.Record{{ID: "I", Kind: opportunity.RecordInvoice}}}
	for answer, test := range map[string]struct {
		trace opportunity.Trace
		says  string
	}{
		billing("null", strings.Replace(draft, "Draft", "Void", 1)):    {opportunity.Trace{}, "the invoice I is void; raise another"},
		billing(`"I"`, strings.Replace(draft, "Draft", "Archived", 1)): {known, "the invoice I is neither a draft nor final but \"Archived\""},
		billing(`"J"`, draft): {known, "two invoices, J and I"},
		billing(`"J"`, "{}"):  {opportunity.Trace{}, "by J, and does not tell its state"},
		billing("null", "{}"): {known, "does not have the invoice I any more"},
	} {
		r.answerOnce("query Billing", answer)
		in := r.invoiceEffect(record, "PO 17", "", r.in(-time.Minute))
		in.Effect.Invoice.WaitUntil, in.Trace = r.in(-time.Minute), test.trace
		r.wantProblem(r.ensure(in), 1, test.says)
	}
}

// A new invoice that replaces a void one is filled in, too.
func TestAnInvoiceInTheStead(t *testing.T) {
	r, record := sold(t)
	r.win(record)
	r.write(record, "theirs", "")
	in := r.invoiceEffect(record, "PO 17", "", time.Time{})
	in.Trace = opportunity.Trace{PurchaseOrder: "of the other", Values: map[string]string{"looked": "I", "filled": "I", "asked": "I"}}
	done := r.ensure(in)
	r.want(done, 3, opportunity.ActFillInvoice)
	r.wantBilled(record, "Draft", "PO 17", "")
	if done.trace.PurchaseOrder != "theirs" {
		t.Errorf("kept %+v", done.trace)
	}
}

func TestAnAnswerThatDidNothingIsTold(t *testing.T) {
	r, record := sold(t)
	r.win(record)
	id := r.billed(record).ID
	r.answerOnce("mutation UpdateInvoice", `{"data":{"invoices":{"update":{"errors":[],"invoice":{"id":"`+id+`","comments":null,"purchaseOrderReference":"PO 17"}}}}}`)
	r.wantProblem(r.ensure(r.invoiceEffect(record, "PO 17", "", time.Time{})), 3, "nothing shows", opportunity.ActFillInvoice)
	r.answerOnce("mutation FinaliseInvoice", `{"data":{"invoices":{"finalise":{"errors":[],"invoice":{"id":"`+id+`","lifecycleState":"Draft","finalisedAt":null}}}}}`)
	r.wantProblem(r.ensure(r.invoiceEffect(record, "", "", r.in(-time.Minute))), 3, "nothing shows", opportunity.ActFinalise)
	r.answerOnce("mutation FinaliseInvoice", `{"data":{"invoices":{"finalise":{"errors":[{"label":"Missing","message":"no address","value":null}],"invoice":null}}}}`)
	r.wantProblem(r.ensure(r.invoiceEffect(record, "", "", r.in(-time.Minute))), 3, "Missing", opportunity.ActFinalise)
	r.wantBilled(record, "Draft", "", "")
}

func TestADraftIsAsBeforeOnceTakenBack(t *testing.T) {
	r, record := sold(t)
	r.win(record)
	r.write(record, "old", "")
	in := r.invoiceEffect(record, "PO 17", "First Aid\n", time.Time{})
	r.want(r.ensure(undo(in, ended{})), 0) // the effect wrote nothing
	done := r.ensure(in)
	r.want(done, 3, opportunity.ActFillInvoice)
	r.want(r.ensure(undo(in, done)), 3, opportunity.ActFillInvoice)
	r.wantBilled(record, "Draft", "old", "")
	r.want(r.ensure(undo(in, done)), 1)

	// A text that somebody has changed since stays.
	done = r.ensure(in)
	r.write(record, "PO 18", "")
	r.want(r.ensure(undo(in, done)), 3, opportunity.ActFillInvoice)
	r.wantBilled(record, "Draft", "PO 18", "")

	// A text that cannot be emptied is reported.
	done = r.ensure(r.invoiceEffect(record, "", "First Aid", time.Time{}))
	id := r.billed(record).ID
	r.answerOnce("mutation UpdateInvoice", `{"data":{"invoices":{"update":{"errors":[],"invoice":{"id":"`+id+`","comments":"First Aid"}}}}}`)
	in = r.invoiceEffect(record, "", "First Aid", time.Time{})
	r.wantProblem(r.ensure(undo(in, done)), 3, "nothing shows", opportunity.ActFillInvoice)

	// A final invoice cannot be put right either.
	r.finalise(record)
	r.wantProblem(r.ensure(undo(in, done)), 1, "no draft any more")
}

// Where the API shows neither text, only the answer to the update is known.
func TestTextsThatAreNotShown(t *testing.T) {
	r, record := sold(t)
	r.win(record)
	api, err := administrate.New(administrate.Options{
		URL: r.url, Tokens: administrate.StaticToken(r.token), Burst: 1000, RequestsPerSecond: 1000,
		Assumed: administrate.Assumptions{InvoiceComments: administrate.Off, InvoicePurchaseOrder: administrate.Off},
	})
	if err != nil {
		t.Fatal(err)
	}
	r.options.API = api
	r.worker(tms.Mark{})
	id := r.billed(record).ID
	in := r.invoiceEffect(record, "PO 17", "First Aid", r.in(time.Hour))

	r.answerOnce("mutation UpdateInvoice", `{"data":{"invoices":{"update":{"errors":[],"invoice":{"id":"`+id+`","comments":null,"purchaseOrderReference":"PO 17"}}}}}`)
	r.wantProblem(r.ensure(in), 3, "nothing shows", opportunity.ActFillInvoice)

	in.Trace.Values = map[string]string{"asked": "I", "filled": "I"} // another invoice, before it became void
	done, _ := r.live(in, func(int) { r.write(record, "PO 18", "") })
	r.want(done, 3, opportunity.ActFillInvoice, opportunity.ActFinalise)
	r.wantBilled(record, "Final", "PO 18", "First Aid")
	r.wantProblem(r.ensure(undo(in, done)), 1, "does not tell what stood there before")
}
