package tms

import (
	"context"
	"errors"
	"strings"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/opportunity"
)

// ensureInvoice waits for the draft that the TMS makes, fills in the draft and makes it
// final in time. An invoice that the API raises was never observed.
type ensureInvoice struct{ *Activities }

// The states of an invoice (observed), beside Final.
const (
	invoiceDraft = "Draft"
	invoiceVoid  = "Void"
)

// keptFilled is a key of Trace.Values, like keptLooked and keptAsked. Each of them holds
// the id of an invoice, because an invoice may become void and another may take its place.
//
// For the invoice in keptLooked, the earlier texts are kept. For the invoice in keptAsked,
// the API answered that it has the wanted texts. The invoice in keptFilled was found
// filled in by an inspection: from then on its texts are for people to change.
const keptFilled = "filled"

// The names of the texts of an invoice in an act that writes the texts back.
const (
	textPurchaseOrder = "purchaseOrder"
	textComments      = "comments"
)

type draftText struct {
	name string
	// wanted is the text that the effect writes, "" when the effect leaves the text. there
	// is the current text, and before is the earlier text.
	wanted, there, before string
	// shown says that the API shows the current text.
	shown bool
}

// textsOf returns the texts that the effect writes.
func textsOf(in activities.EffectInput, billing administrate.Billing) []draftText {
	wanted, trace, invoice := in.Effect.Invoice, in.Trace, billing.Invoice
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

func (e ensureInvoice) inspect(ctx context.Context, in activities.EffectInput) (activities.InspectResult, error) {
	out := activities.InspectResult{Trace: in.Trace, Run: runOf(ctx)}
	wanted := in.Effect.Invoice
	if wanted == nil {
		out.Error = opportunity.Invalidf("the effect does not say what the invoice is to be")
		return out, nil
	}
	if in.Undo && in.Trace.Values[keptLooked] == "" { // the effect wrote nothing
		return out, nil
	}
	billing, err := e.api.Billing(ctx, string(in.Opportunity))
	if err != nil {
		return out, reading(err)
	}
	invoice := billing.Invoice
	switch {
	case in.Undo:
		e.undo(&out, in, billing)
	case invoice == nil && in.Now.Before(wanted.WaitUntil):
		out.Trace, out.Again = await(in.Trace, in.Now, wanted.WaitUntil)
	case invoice == nil:
		out.Error = noInvoice(in, billing)
	case billing.ActiveInvoiceID != "" && billing.ActiveInvoiceID != invoice.ID:
		out.Error = opportunity.Failf(opportunity.Conflict, "the TMS tells of two invoices, %s and %s, and which of them counts is not known; look there", billing.ActiveInvoiceID, invoice.ID)
	case invoice.State == invoiceVoid:
		out.Error = opportunity.Failf(opportunity.Conflict, "the invoice %s is void; raise another one in the TMS, then answer retry", invoice.ID)
	default:
		out.Trace = in.Trace.Adding(opportunity.Record{Kind: opportunity.RecordInvoice, ID: opportunity.ID(invoice.ID)})
		e.found(&out, in, billing)
	}
	return out, nil
}

// noInvoice returns the error for an invoice that is missing after its time.
func noInvoice(in activities.EffectInput, billing administrate.Billing) *opportunity.Error {
	known := ""
	for _, record := range in.Trace.Records {
		if record.Kind == opportunity.RecordInvoice {
			known = string(record.ID)
		}
	}
	switch {
	case billing.ActiveInvoiceID != "":
		return opportunity.Failf(opportunity.Conflict, "the TMS bills the opportunity by %s, and does not tell its state; look there", billing.ActiveInvoiceID)
	case known != "":
		return opportunity.Failf(opportunity.Conflict, "the opportunity does not have the invoice %s any more, nor another; raise one in the TMS, then answer retry", known)
	}
	return opportunity.Failf(opportunity.NotFound, "the TMS has made no invoice by %s; raise one there, then answer retry", stamp(in.Effect.Invoice.WaitUntil))
}

// found finds out what the invoice still needs. A final invoice stands, no matter who
// made it final and what it holds.
func (e ensureInvoice) found(out *activities.InspectResult, in activities.EffectInput, billing administrate.Billing) {
	wanted, invoice := in.Effect.Invoice, billing.Invoice
	switch {
	case invoice.Final():
		return
	case invoice.State != invoiceDraft:
		out.Error = opportunity.Failf(opportunity.Conflict, "the invoice %s is neither a draft nor final but %q; look in the TMS", invoice.ID, invoice.State)
		return
	}
	if all := textsOf(in, billing); len(all) > 0 && in.Trace.Values[keptFilled] != invoice.ID {
		if e.unfilled(in, invoice.ID, all) {
			out.Trace = lookedAt(out.Trace, *invoice)
			out.Act = &opportunity.Act{Kind: opportunity.ActFillInvoice, On: opportunity.ID(invoice.ID)}
			return
		}
		out.Trace = keep(out.Trace, keptFilled, invoice.ID)
	}
	switch {
	case wanted.FinaliseAt.IsZero():
	case in.Now.Before(wanted.FinaliseAt):
		out.Again, out.Aside = wanted.FinaliseAt, true
	default:
		out.Act = &opportunity.Act{Kind: opportunity.ActFinalise, On: opportunity.ID(invoice.ID)}
	}
}

// unfilled reports whether a text differs from the wanted text. For a text that the API
// does not show, only the answer to the update counts.
func (ensureInvoice) unfilled(in activities.EffectInput, invoice string, all []draftText) bool {
	for _, t := range all {
		if t.shown && !same(t.there, t.wanted) || !t.shown && in.Trace.Values[keptAsked] != invoice {
			return true
		}
	}
	return false
}

// lookedAt keeps the texts of the draft before the effect writes to it.
func lookedAt(trace opportunity.Trace, invoice administrate.Invoice) opportunity.Trace {
	if trace.Values[keptLooked] == invoice.ID {
		return trace
	}
	trace.PurchaseOrder, trace.Comments = invoice.PurchaseOrderRef, invoice.Comments
	return keep(trace, keptLooked, invoice.ID)
}

// same compares texts as people do. An API may trim a text, and may use other line
// endings.
func same(a, b string) bool {
	plain := func(s string) string { return strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n")) }
	return plain(a) == plain(b)
}

// holds reports whether the answer holds the wanted text. No wanted text is always held.
func holds(answered, wanted string) bool {
	return strings.TrimSpace(wanted) == "" || same(answered, wanted)
}

// undo writes back the earlier texts of the draft, where the draft still holds the texts
// that the effect wrote.
func (e ensureInvoice) undo(out *activities.InspectResult, in activities.EffectInput, billing administrate.Billing) {
	invoice := billing.Invoice
	if invoice == nil || invoice.ID != in.Trace.Values[keptLooked] || invoice.State == invoiceVoid {
		return // the invoice does not count any more
	}
	ours := make(map[string]string)
	for _, t := range textsOf(in, billing) {
		switch {
		case !t.shown:
			out.Error = opportunity.Failf(opportunity.Rejected, "the invoice %s may have been filled in, and the API does not tell what stood there before; put it right in the TMS, then answer skip", invoice.ID)
			return
		case same(t.there, t.wanted) && !same(t.there, t.before):
			ours[t.name] = "before"
		}
	}
	switch {
	case len(ours) == 0:
	case invoice.State != invoiceDraft:
		out.Error = opportunity.Failf(opportunity.Conflict, "the invoice %s was filled in and is no draft any more; put it right in the TMS, then answer skip", invoice.ID)
	default:
		out.Act = &opportunity.Act{Kind: opportunity.ActFillInvoice, On: opportunity.ID(invoice.ID), Values: ours}
	}
}

func (e ensureInvoice) carryOut(ctx context.Context, in activities.EffectInput) (activities.CarryOutResult, error) {
	if run, other := anotherRun(ctx, in.Run); other {
		return activities.CarryOutResult{Sending: reset(run)}, nil
	}
	if in.Effect.Invoice == nil {
		return rejected(opportunity.Invalidf("the effect does not say what the invoice is to be")), nil
	}
	result := activities.CarryOutResult{Trace: in.Trace}
	var err error
	if in.Act.Kind == opportunity.ActFinalise {
		_, err = e.api.FinaliseInvoice(e.inTime(ctx), string(in.Act.On))
	} else {
		var answer administrate.Invoice
		answer, err = e.api.UpdateInvoice(e.inTime(ctx), filling(in))
		wanted := in.Effect.Invoice
		if err == nil && !in.Undo && holds(answer.PurchaseOrderRef, wanted.PurchaseOrder) && holds(answer.Comments, wanted.Comments) {
			result.Trace = keep(in.Trace, keptAsked, string(in.Act.On))
		}
	}
	result.Sending = sending(err)
	if errors.As(err, new(*administrate.RejectedError)) && e.isFinal(ctx, in) {
		// Somebody else made the invoice final first, and the next inspection finds it final.
		result.Sending = sending(nil)
	}
	return result, nil
}

// filling returns the update that writes the effect's texts, or the earlier texts.
func filling(in activities.EffectInput) administrate.UpdateInvoice {
	wanted, before := in.Effect.Invoice, in.Trace
	update := administrate.UpdateInvoice{ID: string(in.Act.On)}
	if !in.Undo {
		update.PurchaseOrderRef, update.Comments = strings.TrimSpace(wanted.PurchaseOrder), strings.TrimSpace(wanted.Comments)
		return update
	}
	if _, back := in.Act.Values[textPurchaseOrder]; back {
		update.PurchaseOrderRef, update.NoPurchaseOrderRef = before.PurchaseOrder, before.PurchaseOrder == ""
	}
	if _, back := in.Act.Values[textComments]; back {
		update.Comments, update.NoComments = before.Comments, before.Comments == ""
	}
	return update
}

// isFinal reports whether the invoice of the act is final, after the API rejected the
// act.
func (e ensureInvoice) isFinal(ctx context.Context, in activities.EffectInput) bool {
	billing, err := e.api.Billing(ctx, string(in.Opportunity))
	return err == nil && billing.Invoice != nil && billing.Invoice.ID == string(in.Act.On) && billing.Invoice.Final()
}
