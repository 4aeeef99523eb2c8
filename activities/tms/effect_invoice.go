package tms

import (
	"context"
	"errors"
	"strings"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms/runs"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// invoiceHandler waits for the draft invoice that the TMS creates. invoiceHandler fills in the
// draft and makes the invoice final at the configured time. The handler relies on assumptions,
// because no invoice that the API created was ever observed.
type invoiceHandler struct{ *Activities }

func (h effectHandlers) Invoice() effectHandler { return invoiceHandler{h.activities} }

// These constants are the observed states of an invoice, except the state Final.
const (
	invoiceDraft = "Draft"
	invoiceVoid  = "Void"
)

// Each note contains the id of an invoice, because a new invoice may replace a void invoice.
type invoiceNotes struct {
	// Inspected is the id of the invoice whose original texts the undo entry contains.
	Inspected string `note:"looked"`
	// Confirmed is the id of the invoice for which the API's response confirmed the wanted texts.
	Confirmed string `note:"asked"`
	// Filled is the id of the invoice on which an inspection found the wanted texts. After Filled
	// is set, the effect does not overwrite changes that people make to the texts of the invoice.
	Filled string `note:"filled"`
}

// These constants are the names of invoice texts in a request that restores the original texts.
const (
	textPurchaseOrder = "purchaseOrder"
	textComments      = "comments"
)

type draftText struct {
	name string
	// wanted is the text that the effect writes, "" when the effect leaves the text unchanged.
	// current is the text that the API shows now, and before is the text before the effect.
	wanted, current, before string
	// visible says that the API shows the current text.
	visible bool
}

func draftTexts(in activities.EffectInput, billing administrate.Billing) []draftText {
	wanted, trace, invoice := settingsOf[exchange.EnsureInvoice](in), in.UndoEntry, billing.Invoice
	var all []draftText
	for _, t := range []draftText{
		{textPurchaseOrder, wanted.PurchaseOrder, invoice.PurchaseOrderRef, trace.PurchaseOrder, billing.ShowsPurchaseOrder},
		{textComments, wanted.Comments, invoice.Comments, trace.Comments, billing.ShowsComments},
	} {
		if strings.TrimSpace(t.wanted) != "" {
			all = append(all, t)
		}
	}
	return all
}

func (e invoiceHandler) inspect(ctx context.Context, in activities.EffectInput) (activities.InspectResult, error) {
	out := activities.InspectResult{UndoEntry: in.UndoEntry, RunID: runs.CurrentID(ctx)}
	wanted := settingsOf[exchange.EnsureInvoice](in)
	if wanted == nil {
		out.Error = opportunity.Invalidf("the effect has no settings for the invoice")
		return out, nil
	}
	if in.Undo && notesOf[invoiceNotes](in.UndoEntry).Inspected == "" { // the effect wrote nothing
		return out, nil
	}
	billing, err := e.api.Billing(ctx, string(in.Opportunity))
	if err != nil {
		return out, readError(err)
	}
	invoice := billing.Invoice
	switch {
	case in.Undo:
		e.inspectUndo(&out, in, billing)
	case invoice == nil && in.Now.Before(wanted.WaitUntil):
		out.UndoEntry, out.RecheckAt = nextPoll(in.UndoEntry, in.Now, wanted.WaitUntil)
	case invoice == nil:
		out.Error = missingInvoiceError(in, billing)
	case billing.ActiveInvoiceID != "" && billing.ActiveInvoiceID != invoice.ID:
		out.Error = opportunity.Failf(opportunity.Conflict, "the TMS shows two invoices, %s and %s, and the API does not show which invoice is valid; check both invoices in the TMS", billing.ActiveInvoiceID, invoice.ID)
	case invoice.State == invoiceVoid:
		out.Error = opportunity.Failf(opportunity.Conflict, "the invoice %s is void; create another invoice in the TMS, then send the message retry", invoice.ID)
	default:
		out.UndoEntry = in.UndoEntry.WithObject(opportunity.TouchedObject{Kind: opportunity.ObjectInvoice, ID: opportunity.ID(invoice.ID)})
		e.inspectInvoice(&out, in, billing)
	}
	return out, nil
}

func missingInvoiceError(in activities.EffectInput, billing administrate.Billing) *opportunity.Error {
	known := ""
	for _, record := range in.UndoEntry.Objects {
		if record.Kind == opportunity.ObjectInvoice {
			known = string(record.ID)
		}
	}
	switch {
	case billing.ActiveInvoiceID != "":
		return opportunity.Failf(opportunity.Conflict, "the opportunity has the invoice %s, but the API does not show the state of the invoice; check the invoice in the TMS", billing.ActiveInvoiceID)
	case known != "":
		return opportunity.Failf(opportunity.Conflict, "the opportunity no longer has the invoice %s and has no other invoice; create an invoice in the TMS, then send the message retry", known)
	}
	return opportunity.Failf(opportunity.NotFound, "the TMS created no invoice before the deadline %s; create an invoice in the TMS, then send the message retry", formatTime(settingsOf[exchange.EnsureInvoice](in).WaitUntil))
}

// A final invoice needs no request, even if somebody else made the invoice final.
func (e invoiceHandler) inspectInvoice(out *activities.InspectResult, in activities.EffectInput, billing administrate.Billing) {
	wanted, invoice := settingsOf[exchange.EnsureInvoice](in), billing.Invoice
	switch {
	case invoice.Final():
		return
	case invoice.State != invoiceDraft:
		out.Error = opportunity.Failf(opportunity.Conflict, "the invoice %s has the state %q, but a draft or a final invoice is expected; check the invoice in the TMS", invoice.ID, invoice.State)
		return
	}
	if all := draftTexts(in, billing); len(all) > 0 && notesOf[invoiceNotes](in.UndoEntry).Filled != invoice.ID {
		if e.needsFilling(in, invoice.ID, all) {
			out.UndoEntry = withOriginalTexts(out.UndoEntry, *invoice)
			out.Request = &exchange.EffectRequest{Kind: exchange.RequestFillInvoice, Target: opportunity.ID(invoice.ID)}
			return
		}
		notes := notesOf[invoiceNotes](out.UndoEntry)
		notes.Filled = invoice.ID
		out.UndoEntry = withNotes(out.UndoEntry, notes)
	}
	switch {
	case wanted.FinaliseAt.IsZero():
	case in.Now.Before(wanted.FinaliseAt):
		out.RecheckAt, out.NonBlocking = wanted.FinaliseAt, true
	default:
		out.Request = &exchange.EffectRequest{Kind: exchange.RequestFinaliseInvoice, Target: opportunity.ID(invoice.ID)}
	}
}

// For a text that the API does not show, the response to the update decides whether the text is
// written.
func (invoiceHandler) needsFilling(in activities.EffectInput, invoice string, all []draftText) bool {
	for _, t := range all {
		if t.visible && !isSameText(t.current, t.wanted) || !t.visible && notesOf[invoiceNotes](in.UndoEntry).Confirmed != invoice {
			return true
		}
	}
	return false
}

func withOriginalTexts(trace exchange.UndoEntry, invoice administrate.Invoice) exchange.UndoEntry {
	notes := notesOf[invoiceNotes](trace)
	if notes.Inspected == invoice.ID {
		return trace
	}
	trace.PurchaseOrder, trace.Comments = invoice.PurchaseOrderRef, invoice.Comments
	notes.Inspected = invoice.ID
	return withNotes(trace, notes)
}

// isSameText reports whether two texts are equal apart from outer white space and line endings,
// which the API may change.
func isSameText(a, b string) bool {
	plain := func(s string) string { return strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n")) }
	return plain(a) == plain(b)
}

func isConfirmedText(answered, wanted string) bool {
	return strings.TrimSpace(wanted) == "" || isSameText(answered, wanted)
}

// inspectUndo returns a request to write back an earlier text of the draft, if the draft still has
// the text that the effect wrote.
func (e invoiceHandler) inspectUndo(out *activities.InspectResult, in activities.EffectInput, billing administrate.Billing) {
	invoice := billing.Invoice
	if invoice == nil || invoice.ID != notesOf[invoiceNotes](in.UndoEntry).Inspected || invoice.State == invoiceVoid {
		return // the invoice that the effect filled in is void or replaced, so nothing is left to undo
	}
	ours := make(map[string]string)
	for _, t := range draftTexts(in, billing) {
		switch {
		case !t.visible:
			out.Error = opportunity.Failf(opportunity.Rejected, "the invoice %s may have been filled in, and the API does not show the earlier texts; correct the invoice in the TMS, then send the message confirm", invoice.ID)
			return
		case isSameText(t.current, t.wanted) && !isSameText(t.current, t.before):
			ours[t.name] = "before"
		}
	}
	switch {
	case len(ours) == 0:
	case invoice.State != invoiceDraft:
		out.Error = opportunity.Failf(opportunity.Conflict, "the invoice %s was filled in and is no longer a draft; correct the invoice in the TMS, then send the message confirm", invoice.ID)
	default:
		out.Request = &exchange.EffectRequest{Kind: exchange.RequestFillInvoice, Target: opportunity.ID(invoice.ID), Values: ours}
	}
}

func (e invoiceHandler) execute(ctx context.Context, in activities.EffectInput) (activities.ExecuteResult, error) {
	if run, other := runs.DetectReset(ctx, in.RunID); other {
		return activities.ExecuteResult{CallResult: runs.ResetResult(run)}, nil
	}
	wanted := settingsOf[exchange.EnsureInvoice](in)
	if wanted == nil {
		return rejectedResult(opportunity.Invalidf("the effect has no settings for the invoice")), nil
	}
	result := activities.ExecuteResult{UndoEntry: in.UndoEntry}
	var err error
	if in.Request.Kind == exchange.RequestFinaliseInvoice {
		_, err = e.api.FinaliseInvoice(e.withSendDeadline(ctx), string(in.Request.Target))
	} else {
		var answer administrate.Invoice
		answer, err = e.api.UpdateInvoice(e.withSendDeadline(ctx), invoiceUpdate(in))
		if err == nil && !in.Undo && isConfirmedText(answer.PurchaseOrderRef, wanted.PurchaseOrder) && isConfirmedText(answer.Comments, wanted.Comments) {
			notes := notesOf[invoiceNotes](in.UndoEntry)
			notes.Confirmed = string(in.Request.Target)
			result.UndoEntry = withNotes(in.UndoEntry, notes)
		}
	}
	result.CallResult = callResult(err)
	if errors.As(err, new(*administrate.RejectedError)) && e.isFinal(ctx, in) {
		// Somebody else made the invoice final before this request.
		result.CallResult = callResult(nil)
	}
	return result, nil
}

func invoiceUpdate(in activities.EffectInput) administrate.UpdateInvoice {
	wanted, before := settingsOf[exchange.EnsureInvoice](in), in.UndoEntry
	update := administrate.UpdateInvoice{ID: string(in.Request.Target)}
	if !in.Undo {
		update.PurchaseOrderRef, update.Comments = strings.TrimSpace(wanted.PurchaseOrder), strings.TrimSpace(wanted.Comments)
		return update
	}
	if _, back := in.Request.Values[textPurchaseOrder]; back {
		update.PurchaseOrderRef, update.NoPurchaseOrderRef = before.PurchaseOrder, before.PurchaseOrder == ""
	}
	if _, back := in.Request.Values[textComments]; back {
		update.Comments, update.NoComments = before.Comments, before.Comments == ""
	}
	return update
}

// isFinal reports whether the invoice of the request is final, after the API rejected the
// request.
func (e invoiceHandler) isFinal(ctx context.Context, in activities.EffectInput) bool {
	billing, err := e.api.Billing(ctx, string(in.Opportunity))
	return err == nil && billing.Invoice != nil && billing.Invoice.ID == string(in.Request.Target) && billing.Invoice.Final()
}
