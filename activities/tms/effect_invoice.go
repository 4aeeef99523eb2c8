package tms

import (
	"context"
	"time"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/opportunity"
)

// ensureInvoice waits for the draft that the TMS makes, fills it in and makes it
// final in time. Nobody has seen the API raise an invoice.
type ensureInvoice struct{ *Activities }

// The states of an invoice (observed).
const (
	invoiceDraft = "Draft"
	invoiceVoid  = "Void"
)

func (e ensureInvoice) inspect(ctx context.Context, in activities.EffectInput) (activities.InspectResult, error) {
	out := activities.InspectResult{Trace: in.Trace, Run: runOf(ctx)}
	wanted := in.Effect.Invoice
	if wanted == nil {
		out.Error = opportunity.Invalidf("the effect does not say what the invoice is to be")
		return out, nil
	}
	billing, err := e.api.Billing(ctx, string(in.Opportunity))
	if err != nil {
		return out, reading(err)
	}
	invoice := billing.Invoice
	if in.Undo {
		return e.takeBack(in, out, invoice), nil
	}
	switch {
	case invoice == nil && in.Now.Before(wanted.WaitUntil):
		out.Again = lookAgain(in.Now, wanted.WaitUntil)
		return out, nil
	case invoice == nil:
		out.Error = opportunity.Failf(opportunity.NotFound, "the TMS has made no invoice by %s; raise one there, then answer retry", stamp(wanted.WaitUntil))
		return out, nil
	case invoice.State == invoiceVoid:
		out.Error = opportunity.Failf(opportunity.Conflict, "the invoice %s is void; raise another one in the TMS, then answer retry", invoice.ID)
		return out, nil
	}
	out.Trace = in.Trace.Adding(opportunity.Record{Kind: opportunity.RecordInvoice, ID: opportunity.ID(invoice.ID)})
	if invoice.Final() {
		return out, nil // whoever made it so: it is not changed any more
	}
	if fill(wanted.PurchaseOrder, invoice.PurchaseOrderRef) || fill(wanted.Comments, invoice.Comments) {
		if in.Trace.Values[keptLooked] == "" {
			out.Trace.PurchaseOrder, out.Trace.Comments = invoice.PurchaseOrderRef, invoice.Comments
			out.Trace = keep(out.Trace, keptLooked, "yes")
		}
		out.Act = &opportunity.Act{Kind: opportunity.ActFillInvoice, On: opportunity.ID(invoice.ID)}
		return out, nil
	}
	switch {
	case wanted.FinaliseAt.IsZero():
	case in.Now.Before(wanted.FinaliseAt):
		out.Again, out.Aside = wanted.FinaliseAt, true
	default:
		out.Act = &opportunity.Act{Kind: opportunity.ActFinalise, On: opportunity.ID(invoice.ID)}
	}
	return out, nil
}

// fill reports whether a text is to be written: none leaves what is there.
func fill(wanted, there string) bool { return wanted != "" && wanted != there }

// lookAgain is when to look again for what the TMS is to make: after a minute at
// first, and less often the longer it takes.
func lookAgain(now, until time.Time) time.Time {
	next := now.Add(max(time.Minute, min(until.Sub(now)/8, 10*time.Minute)))
	if next.After(until) {
		return until
	}
	return next
}

// takeBack writes back what stood in the draft, as far as it still holds what the
// effect wrote.
func (e ensureInvoice) takeBack(in activities.EffectInput, out activities.InspectResult, invoice *administrate.Invoice) activities.InspectResult {
	wanted, before := in.Effect.Invoice, in.Trace
	if invoice == nil || invoice.State != invoiceDraft || before.Values[keptLooked] == "" {
		return out
	}
	theirs := func(wanted, there, before string) bool { return wanted == "" || there != wanted || there == before }
	if theirs(wanted.PurchaseOrder, invoice.PurchaseOrderRef, before.PurchaseOrder) && theirs(wanted.Comments, invoice.Comments, before.Comments) {
		return out
	}
	if wanted.PurchaseOrder != "" && before.PurchaseOrder == "" || wanted.Comments != "" && before.Comments == "" {
		out.Error = opportunity.Failf(opportunity.Rejected, "the invoice %s was filled in, and nobody has seen the API empty a text of it; do it in the TMS", invoice.ID)
		return out
	}
	out.Act = &opportunity.Act{Kind: opportunity.ActFillInvoice, On: opportunity.ID(invoice.ID)}
	return out
}

func (e ensureInvoice) carryOut(ctx context.Context, in activities.EffectInput) (activities.CarryOutResult, error) {
	if run, other := anotherRun(ctx, in.Run); other {
		return activities.CarryOutResult{Sending: reset(run)}, nil
	}
	var err error
	switch {
	case in.Act.Kind == opportunity.ActFinalise:
		_, err = e.api.FinaliseInvoice(inTime(ctx), string(in.Act.On))
	case in.Undo:
		_, err = e.api.UpdateInvoice(inTime(ctx), administrate.UpdateInvoice{
			ID: string(in.Act.On), PurchaseOrderRef: in.Trace.PurchaseOrder, Comments: in.Trace.Comments,
		})
	default:
		_, err = e.api.UpdateInvoice(inTime(ctx), administrate.UpdateInvoice{
			ID: string(in.Act.On), PurchaseOrderRef: in.Effect.Invoice.PurchaseOrder, Comments: in.Effect.Invoice.Comments,
		})
	}
	return activities.CarryOutResult{Sending: sending(err), Trace: in.Trace}, nil
}
