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
	"github.com/oppflow/oppflow/administrate/oauth"
	"github.com/oppflow/oppflow/administrate/transport"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/sandbox"
	"github.com/oppflow/oppflow/sandbox/requestlog"
)

// runUntilDone runs an effect as runEffect does, but does not end when the effect waits. For each
// wait, runUntilDone moves the clock to the time of the next inspection and calls meanwhile.
// runUntilDone also returns the length of each wait, and marks waits that do not block later
// effects with "aside".
func (r *fixture) runUntilDone(in activities.EffectInput, meanwhile func(wait int)) (effectOutcome, []string) {
	r.t.Helper()
	out := effectOutcome{undoEntry: in.UndoEntry, attendees: in.Attendees}
	var waits []string
	var sent *exchange.EffectRequest
	now := r.timeIn(0)
	for range 40 {
		in.UndoEntry, in.Request, in.Now = out.undoEntry, nil, now
		looked := mustRunActivity[activities.InspectResult](r, activities.InspectEffect, in)
		out.undoEntry = looked.UndoEntry
		switch {
		case looked.Error != nil:
			out.problem = looked.Error.Error()
			return out, waits
		case looked.Request == nil && looked.RecheckAt.IsZero():
			return out, waits
		case looked.Request == nil:
			wait := looked.RecheckAt.Sub(now)
			if wait <= 0 {
				r.t.Fatalf("it is to be looked at again at once: %s", wait)
			}
			waits = append(waits, fmt.Sprint(wait)+map[bool]string{true: " aside"}[looked.NonBlocking])
			r.advanceClock(wait)
			now = looked.RecheckAt
			if meanwhile != nil {
				meanwhile(len(waits))
			}
			continue
		case sent != nil && reflect.DeepEqual(sent, looked.Request):
			out.problem = "nothing shows"
			return out, waits
		}
		in.Request = looked.Request
		in.UndoEntry = out.undoEntry
		acted := mustRunActivity[activities.ExecuteResult](r, activities.ExecuteEffect, in)
		out.requests = append(out.requests, looked.Request.Kind)
		switch acted.Status {
		case exchange.StatusDone:
			out.undoEntry, sent = acted.UndoEntry, looked.Request
		case exchange.StatusRejected:
			out.problem = acted.Error.Error()
			return out, waits
		case exchange.StatusUnknown:
			sent = nil
		default:
			r.t.Fatalf("%+v", acted)
		}
	}
	r.t.Fatal("it never ends")
	return out, waits
}

func (r *fixture) committedChanges(field string) int {
	n := 0
	for _, entry := range r.sandbox.RequestLog().After(0, 1000) {
		for _, f := range entry.Fields {
			if f.Name == field && f.Outcome == requestlog.Committed {
				n++
			}
		}
	}
	return n
}

// newSoldFixture returns a fixture whose TMS drafts an invoice when an opportunity is won, and
// a record that is about to be won.
func newSoldFixture(t *testing.T) (*fixture, opportunity.ID) {
	t.Helper()
	r := newFixtureIn(t, tms.ReferenceTag{}, sandbox.Options{
		Catalogue: catalogueWith(t, "- { from: 4, to: 5 }", "- { from: 4, to: 5, triggers: [account, token, invoice] }"),
	})
	start := opportunity.Start{Name: "Byrne Ltd", Region: string(regionDR), EntryStep: string(stepTwo)}
	record := r.create(activities.CreateInput{Reference: "A-1", Start: start, SkipEarlierRunCheck: true}).Record.ID
	r.requestCount()
	return r, record
}

func (r *fixture) moveToWon(record opportunity.ID) {
	r.t.Helper()
	if answers := r.apply(record, progress(string(stepWon))).Results; len(answers) != 1 || answers[0].Status != exchange.StatusDone {
		r.t.Fatalf("%+v", answers)
	}
	r.requestCount()
}

func (r *fixture) invoice(record opportunity.ID) administrate.Invoice {
	r.t.Helper()
	billing, err := r.client().Billing(r.t.Context(), string(record))
	if err != nil || billing.Invoice == nil {
		r.t.Fatalf("%+v, %v", billing, err)
	}
	r.requestCount()
	return *billing.Invoice
}

func (r *fixture) wantInvoice(record opportunity.ID, state, purchaseOrder, comments string) {
	r.t.Helper()
	got := r.invoice(record)
	if diff := cmp.Diff(administrate.Invoice{ID: got.ID, State: state, PurchaseOrderRef: purchaseOrder, Comments: comments}, got); diff != "" {
		r.t.Error(diff)
	}
}

func (r *fixture) writeInvoice(record opportunity.ID, purchaseOrder, comments string) {
	r.t.Helper()
	_, err := r.client().UpdateInvoice(r.t.Context(), administrate.UpdateInvoice{ID: r.invoice(record).ID, PurchaseOrderRef: purchaseOrder, Comments: comments})
	if err != nil {
		r.t.Fatal(err)
	}
	r.requestCount()
}

func (r *fixture) finalise(record opportunity.ID) {
	r.t.Helper()
	if _, err := r.client().FinaliseInvoice(r.t.Context(), r.invoice(record).ID); err != nil {
		r.t.Fatal(err)
	}
	r.requestCount()
}

// invoiceEffect returns an effect that waits an hour for the draft.
func (r *fixture) invoiceEffect(record opportunity.ID, purchaseOrder, comments string, finalise time.Time) activities.EffectInput {
	return activities.EffectInput{Reference: "A-1", Opportunity: record, Effect: exchange.Effect{
		Key: "1/win/after/5/invoice", Kind: opportunity.EffectInvoice, Settings: exchange.NewSettings(exchange.EnsureInvoice{
			WaitUntil: r.timeIn(time.Hour), PurchaseOrder: purchaseOrder, Comments: comments, FinaliseAt: finalise,
		}),
	}}
}

func TestADraftThatComesLateIsFilledInOnceAndFinalInTime(t *testing.T) {
	r, record := newSoldFixture(t)
	in := r.invoiceEffect(record, "PO 17", "First Aid\r\nfor \"Byrne\"\n", r.timeIn(10*24*time.Hour))
	done, waits := r.runUntilDone(in, func(wait int) {
		switch wait {
		case 5: // 28 minutes later
			n := r.requestCount()
			r.moveToWon(record)
			r.writeInvoice(record, "old", "")
			if n != 5 {
				t.Errorf("%d requests while there was none", n)
			}
		case 6:
			r.wantInvoice(record, "Draft", "PO 17", "First Aid\r\nfor \"Byrne\"")
		}
	})
	// Before the last wait, the effect reads the draft, fills it in, and reads it again. After the
	// last wait, the effect reads the invoice, makes it final, and reads it again.
	r.wantEffect(done, 3, exchange.RequestFillInvoice, exchange.RequestFinaliseInvoice)
	if diff := cmp.Diff([]string{"1m0s", "2m0s", "5m0s", "10m0s", "10m0s", "239h32m0s aside"}, waits); diff != "" {
		t.Error(diff)
	}
	r.wantInvoice(record, "Final", "PO 17", "First Aid\r\nfor \"Byrne\"")
	r.wantRecords(done, opportunity.ObjectInvoice, r.invoice(record).ID)
	if done.undoEntry.PurchaseOrder != "old" || done.undoEntry.Comments != "" {
		t.Errorf("kept %+v", done.undoEntry)
	}
	in.UndoEntry = done.undoEntry
	r.wantEffect(r.runEffect(in), 1)
	r.wantEffect(r.runEffect(r.invoiceEffect(record, "another", "another", r.timeIn(-time.Hour))), 1) // a final invoice stays as it is
	if updates, finals := r.committedChanges("invoices.update"), r.committedChanges("invoices.finalise"); updates != 2 || finals != 1 {
		t.Errorf("%d updates, one of them by somebody else, and final %d times", updates, finals)
	}
}

func TestMissingDraftIsReported(t *testing.T) {
	r, record := newSoldFixture(t)
	in := r.invoiceEffect(record, "", "", time.Time{})
	out, waits := r.runUntilDone(in, nil)
	r.wantProblem(out, 10, "the TMS created no invoice before the deadline "+settings[exchange.EnsureInvoice](in.Effect).WaitUntil.Format(time.RFC3339)+"; create an invoice in the TMS, then send the message retry")
	if diff := cmp.Diff([]string{"1m0s", "2m0s", "5m0s", "10m0s", "10m0s", "10m0s", "10m0s", "10m0s", "2m0s"}, waits); diff != "" {
		t.Error(diff)
	}
	r.moveToWon(record)
	in.UndoEntry = out.undoEntry
	done, _ := r.runUntilDone(in, nil)
	r.wantEffect(done, 1)
	r.wantInvoice(record, "Draft", "", "")
	r.wantRecords(done, opportunity.ObjectInvoice, r.invoice(record).ID)
}

func TestAnInvoiceThatSomebodyMadeFinalIsLeft(t *testing.T) {
	r, record := newSoldFixture(t)
	r.moveToWon(record)
	done, waits := r.runUntilDone(r.invoiceEffect(record, "PO 17", "", r.timeIn(10*24*time.Hour)), func(int) { r.finalise(record) })
	r.wantEffect(done, 1, exchange.RequestFillInvoice)
	if len(waits) != 1 {
		t.Errorf("waits %q", waits)
	}
	if n := r.committedChanges("invoices.finalise"); n != 1 {
		t.Errorf("made final %d times", n)
	}
}

// Somebody else may make the invoice final between the inspection and the request, with or without
// the wanted texts.
func TestAnInvoiceThatSomebodyMakesFinalJustNow(t *testing.T) {
	for words, acts := range map[string][]exchange.EffectRequestKind{
		"mutation UpdateInvoice":   {exchange.RequestFillInvoice},
		"mutation FinaliseInvoice": {exchange.RequestFillInvoice, exchange.RequestFinaliseInvoice},
	} {
		r, record := newSoldFixture(t)
		r.moveToWon(record)
		done := false
		r.interceptRequests(func(_ http.ResponseWriter, q *http.Request) bool {
			if !done && strings.Contains(readBody(t, q), words) {
				done = true
				r.finalise(record)
			}
			return false
		})
		out, _ := r.runUntilDone(r.invoiceEffect(record, "PO 17", "", r.timeIn(-time.Minute)), nil)
		r.wantEffect(out, 2, acts...) // why the request was rejected, and the invoice's state
		if n := r.committedChanges("invoices.finalise"); n != 1 {
			t.Errorf("made final %d times", n)
		}
	}
}

// Each test case loses the response to one request; the API executes or does not execute this
// request.
func TestAnInvoiceWhoseAnswerIsLost(t *testing.T) {
	for _, commits := range []bool{false, true} {
		for n := 1; n <= 2; n++ {
			r, record := newSoldFixture(t)
			r.moveToWon(record)
			count := r.loseNthAnswer(n, commits)
			in := r.invoiceEffect(record, "PO 17", "First Aid", r.timeIn(-time.Minute))
			done, _ := r.runUntilDone(in, nil)
			if want := map[bool]int{true: 2, false: 3}[commits]; *count != want || done.problem != "" {
				t.Errorf("request %d, carried out %v: %d requests, want %d; problem %q", n, commits, *count, want, done.problem)
			}
			r.wantInvoice(record, "Final", "PO 17", "First Aid")
			if updates, finals := r.committedChanges("invoices.update"), r.committedChanges("invoices.finalise"); updates != 1 || finals != 1 {
				t.Errorf("request %d, carried out %v: %d updates, final %d times", n, commits, updates, finals)
			}
		}
	}
}

func TestManualChangesOfADraftAreKept(t *testing.T) {
	r, record := newSoldFixture(t)
	r.moveToWon(record)
	done, _ := r.runUntilDone(r.invoiceEffect(record, "PO 17", "First Aid", r.timeIn(10*24*time.Hour)), func(int) { r.writeInvoice(record, "PO 18", "") })
	r.wantEffect(done, 3, exchange.RequestFillInvoice, exchange.RequestFinaliseInvoice)
	r.wantInvoice(record, "Final", "PO 18", "First Aid")
}

func billing(active, document string) string {
	return fmt.Sprintf(`{"data":{"opportunities":{"edges":[{"node":{"id":"O","activeInvoiceId":%s,"salesDocument":%s}}],"pageInfo":{"totalRecords":1,"hasNextPage":false}}}}`, active, document)
}

func TestInvoiceThatIsNoDraftNeedsAnOperator(t *testing.T) {
	const draft = `{"id":"I","lifecycleState":"Draft","comments":"c","purchaseOrderReference":null}`
	r := newFixture(t, tms.ReferenceTag{})
	record := r.createRecord("A-1")
	r.requestCount()
	known := exchange.UndoEntry{Objects: []opportunity.TouchedObject{{ID: "I", Kind: opportunity.ObjectInvoice}}}
	for answer, test := range map[string]struct {
		trace exchange.UndoEntry
		says  string
	}{
		billing("null", strings.Replace(draft, "Draft", "Void", 1)):    {exchange.UndoEntry{}, "the invoice I is void; create another"},
		billing(`"I"`, strings.Replace(draft, "Draft", "Archived", 1)): {known, "the invoice I has the state \"Archived\", but a draft or a final invoice is expected"},
		billing(`"J"`, draft): {known, "two invoices, J and I"},
		billing(`"J"`, "{}"):  {exchange.UndoEntry{}, "has the invoice J, but the API does not show the state"},
		billing("null", "{}"): {known, "no longer has the invoice I"},
	} {
		r.respondOnce("query Billing", answer)
		in := r.invoiceEffect(record, "PO 17", "", r.timeIn(-time.Minute))
		changeSettings(&in.Effect, func(i *exchange.EnsureInvoice) { i.WaitUntil = r.timeIn(-time.Minute) })
		in.UndoEntry = test.trace
		r.wantProblem(r.runEffect(in), 1, test.says)
	}
}

func TestReplacementInvoice(t *testing.T) {
	r, record := newSoldFixture(t)
	r.moveToWon(record)
	r.writeInvoice(record, "theirs", "")
	in := r.invoiceEffect(record, "PO 17", "", time.Time{})
	in.UndoEntry = exchange.UndoEntry{PurchaseOrder: "of the other", Notes: map[string]string{"looked": "I", "filled": "I", "asked": "I"}}
	done := r.runEffect(in)
	r.wantEffect(done, 3, exchange.RequestFillInvoice)
	r.wantInvoice(record, "Draft", "PO 17", "")
	if done.undoEntry.PurchaseOrder != "theirs" {
		t.Errorf("kept %+v", done.undoEntry)
	}
}

func TestUpdateWithoutEffectIsReported(t *testing.T) {
	r, record := newSoldFixture(t)
	r.moveToWon(record)
	id := r.invoice(record).ID
	r.respondOnce("mutation UpdateInvoice", `{"data":{"invoices":{"update":{"errors":[],"invoice":{"id":"`+id+`","comments":null,"purchaseOrderReference":"PO 17"}}}}}`)
	r.wantProblem(r.runEffect(r.invoiceEffect(record, "PO 17", "", time.Time{})), 3, "nothing shows", exchange.RequestFillInvoice)
	r.respondOnce("mutation FinaliseInvoice", `{"data":{"invoices":{"finalise":{"errors":[],"invoice":{"id":"`+id+`","lifecycleState":"Draft","finalisedAt":null}}}}}`)
	r.wantProblem(r.runEffect(r.invoiceEffect(record, "", "", r.timeIn(-time.Minute))), 3, "nothing shows", exchange.RequestFinaliseInvoice)
	r.respondOnce("mutation FinaliseInvoice", `{"data":{"invoices":{"finalise":{"errors":[{"label":"Missing","message":"no address","value":null}],"invoice":null}}}}`)
	r.wantProblem(r.runEffect(r.invoiceEffect(record, "", "", r.timeIn(-time.Minute))), 3, "Missing", exchange.RequestFinaliseInvoice)
	r.wantInvoice(record, "Draft", "", "")
}

func TestUndoRestoresTheDraft(t *testing.T) {
	r, record := newSoldFixture(t)
	r.moveToWon(record)
	r.writeInvoice(record, "old", "")
	in := r.invoiceEffect(record, "PO 17", "First Aid\n", time.Time{})
	r.wantEffect(r.runEffect(undoInput(in, effectOutcome{})), 0) // the effect wrote nothing
	done := r.runEffect(in)
	r.wantEffect(done, 3, exchange.RequestFillInvoice)
	r.wantEffect(r.runEffect(undoInput(in, done)), 3, exchange.RequestFillInvoice)
	r.wantInvoice(record, "Draft", "old", "")
	r.wantEffect(r.runEffect(undoInput(in, done)), 1)

	// The undo keeps a text that somebody changed after the effect.
	done = r.runEffect(in)
	r.writeInvoice(record, "PO 18", "")
	r.wantEffect(r.runEffect(undoInput(in, done)), 3, exchange.RequestFillInvoice)
	r.wantInvoice(record, "Draft", "PO 18", "")

	done = r.runEffect(r.invoiceEffect(record, "", "First Aid", time.Time{}))
	id := r.invoice(record).ID
	r.respondOnce("mutation UpdateInvoice", `{"data":{"invoices":{"update":{"errors":[],"invoice":{"id":"`+id+`","comments":"First Aid"}}}}}`)
	in = r.invoiceEffect(record, "", "First Aid", time.Time{})
	r.wantProblem(r.runEffect(undoInput(in, done)), 3, "nothing shows", exchange.RequestFillInvoice)

	// The undo cannot write back the earlier texts of a final invoice either.
	r.finalise(record)
	r.wantProblem(r.runEffect(undoInput(in, done)), 1, "no longer a draft")
}

// If the API does not show the texts of an invoice, only the response to the update proves these
// texts.
func TestTextsThatAreNotShown(t *testing.T) {
	r, record := newSoldFixture(t)
	r.moveToWon(record)
	api, err := administrate.New(administrate.Options{Options: transport.Options{
		URL: r.url, Tokens: oauth.StaticToken(r.token), Burst: 1000, RequestsPerSecond: 1000,
	}, Assumed: administrate.Assumptions{InvoiceComments: administrate.Off, InvoicePurchaseOrder: administrate.Off}})
	if err != nil {
		t.Fatal(err)
	}
	r.options.API = api
	r.newWorker(tms.ReferenceTag{})
	id := r.invoice(record).ID
	in := r.invoiceEffect(record, "PO 17", "First Aid", r.timeIn(time.Hour))

	r.respondOnce("mutation UpdateInvoice", `{"data":{"invoices":{"update":{"errors":[],"invoice":{"id":"`+id+`","comments":null,"purchaseOrderReference":"PO 17"}}}}}`)
	r.wantProblem(r.runEffect(in), 3, "nothing shows", exchange.RequestFillInvoice)

	in.UndoEntry.Notes = map[string]string{"asked": "I", "filled": "I"} // another invoice, before it became void
	done, _ := r.runUntilDone(in, func(int) { r.writeInvoice(record, "PO 18", "") })
	r.wantEffect(done, 3, exchange.RequestFillInvoice, exchange.RequestFinaliseInvoice)
	r.wantInvoice(record, "Final", "PO 18", "First Aid")
	r.wantProblem(r.runEffect(undoInput(in, done)), 1, "does not show the earlier texts")
}
