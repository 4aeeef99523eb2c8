package tms

import (
	"context"
	"errors"
	"strings"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/opportunity"
)

// ensureInvoice waits for the draft that the TMS makes, fills it in and makes it
// final in time. Nobody has seen the API raise an invoice.
type ensureInvoice struct{ *Activities }

// The states of an invoice (observed), beside Final.
const (
	invoiceDraft = "Draft"
	invoiceVoid  = "Void"
)

// What is kept of the effect under keys of Trace.Values is the id of the invoice it is
// about: an invoice may become void, and another take its place. Under keptLooked it is
// the one of which it is kept what stood there before, under keptAsked the one of which
// the API answered that it holds what was to be written, and under keptFilled the one that
// was seen filled in: what it holds from then on is for people to change.
const keptFilled = "filled"

// The texts of an invoice, as an act names them that writes them back.
const (
	textPurchaseOrder = "purchaseOrder"
	textComments      = "comments"
)

// draftText is one text of a draft.
type draftText struct {
	name string
	// wanted is what the effect writes, "" when it leaves it; there is what stands
	// there, and before what did.
	wanted, there, before string
	// shown says that the API tells what stands there.
	shown bool
}

// textsOf are those that the effect writes.
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
	if in.Undo && in.Trace.Values[keptLooked] == "" { // nothing was ever written
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

// noInvoice says that there is none when there should be.
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

// found looks what the invoice still needs. One that is final stands, whoever made it
// so and whatever it holds.
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

// unfilled reports whether a text is not what it is to be. Of one that the API does not
// show, the answer of the update is all there is.
func (ensureInvoice) unfilled(in activities.EffectInput, invoice string, all []draftText) bool {
	for _, t := range all {
		if t.shown && !same(t.there, t.wanted) || !t.shown && in.Trace.Values[keptAsked] != invoice {
			return true
		}
	}
	return false
}

// lookedAt keeps what stands in the draft before anything is written to it.
func lookedAt(trace opportunity.Trace, invoice administrate.Invoice) opportunity.Trace {
	if trace.Values[keptLooked] == invoice.ID {
		return trace
	}
	trace.PurchaseOrder, trace.Comments = invoice.PurchaseOrderRef, invoice.Comments
	return keep(trace, keptLooked, invoice.ID)
}

// same compares texts as people do: an API may trim what it is given, and end lines in
// a way of its own.
func same(a, b string) bool {
	plain := func(s string) string { return strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n")) }
	return plain(a) == plain(b)
}

// holds reports whether an answer tells what was to be written, if anything was.
func holds(answered, wanted string) bool {
	return strings.TrimSpace(wanted) == "" || same(answered, wanted)
}

// undo writes back what stood in the draft, as far as it still holds what the effect
// wrote.
func (e ensureInvoice) undo(out *activities.InspectResult, in activities.EffectInput, billing administrate.Billing) {
	invoice := billing.Invoice
	if invoice == nil || invoice.ID != in.Trace.Values[keptLooked] || invoice.State == invoiceVoid {
		return // it counts no more
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
		// Somebody was faster. Looking again finds it so.
		result.Sending = sending(nil)
	}
	return result, nil
}

// filling is the update that writes what the effect wants, or what stood there before.
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

// isFinal looks whether the invoice of the act is final, after the API turned it down.
func (e ensureInvoice) isFinal(ctx context.Context, in activities.EffectInput) bool {
	billing, err := e.api.Billing(ctx, string(in.Opportunity))
	return err == nil && billing.Invoice != nil && billing.Invoice.ID == string(in.Act.On) && billing.Invoice.Final()
}
