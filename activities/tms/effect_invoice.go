package tms

import (
	"context"
	"strings"
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
	case billing.ActiveInvoiceID != "" && (invoice == nil || invoice.ID != billing.ActiveInvoiceID):
		out.Error = opportunity.Failf(opportunity.Conflict, "the invoice that counts, %s, is not what the opportunity shows as its sales document; look in the TMS", billing.ActiveInvoiceID)
		return out, nil
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
	id := opportunity.ID(invoice.ID)
	if out.Trace = in.Trace.Adding(opportunity.Record{Kind: opportunity.RecordInvoice, ID: id}); len(out.Trace.Records) > len(in.Trace.Records) {
		// It is a new one, whose texts are what stood there before.
		out.Trace.PurchaseOrder, out.Trace.Comments = invoice.PurchaseOrderRef, invoice.Comments
	}
	switch missing := unfilled(wanted, *invoice); {
	case invoice.Final(): // whoever made it so: it is not changed any more
		return out, nil
	case invoice.State != invoiceDraft:
		out.Error = opportunity.Failf(opportunity.Conflict, "the invoice %s is %s; look in the TMS", invoice.ID, invoice.State)
		return out, nil
	case len(missing) > 0:
		out.Act = &opportunity.Act{Kind: opportunity.ActFillInvoice, On: id, Values: missing}
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

// Which text of an invoice is to be written, as keys of Act.Values: what is not named
// stays.
const (
	purchaseOrder = "purchaseOrder"
	comments      = "comments"
)

// unfilled are the texts that the draft does not have yet. None leaves what is there.
func unfilled(wanted *opportunity.EnsureInvoice, invoice administrate.Invoice) map[string]string {
	missing := make(map[string]string)
	if wanted.PurchaseOrder != "" && !sameText(wanted.PurchaseOrder, invoice.PurchaseOrderRef) {
		missing[purchaseOrder] = wanted.PurchaseOrder
	}
	if wanted.Comments != "" && !sameText(wanted.Comments, invoice.Comments) {
		missing[comments] = wanted.Comments
	}
	return missing
}

// sameText compares what is written with what is read: an API may well write the ends
// of lines and the space around a text in its own way.
func sameText(a, b string) bool {
	return strings.TrimSpace(strings.ReplaceAll(a, "\r\n", "\n")) == strings.TrimSpace(strings.ReplaceAll(b, "\r\n", "\n"))
}

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
// effect wrote: what somebody has changed since is theirs.
func (e ensureInvoice) takeBack(in activities.EffectInput, out activities.InspectResult, invoice *administrate.Invoice) activities.InspectResult {
	records := in.Trace.Records
	if invoice == nil || len(records) == 0 || records[len(records)-1].ID != opportunity.ID(invoice.ID) {
		return out // what was filled in is there no more
	}
	back := make(map[string]string)
	for key, text := range map[string]struct{ wrote, there, before string }{
		purchaseOrder: {in.Effect.Invoice.PurchaseOrder, invoice.PurchaseOrderRef, in.Trace.PurchaseOrder},
		comments:      {in.Effect.Invoice.Comments, invoice.Comments, in.Trace.Comments},
	} {
		if text.wrote != "" && sameText(text.wrote, text.there) && !sameText(text.before, text.there) {
			back[key] = text.before
		}
	}
	switch {
	case len(back) == 0:
	case invoice.State != invoiceDraft:
		out.Error = noUndo("the invoice " + invoice.ID + " is " + invoice.State)
	default:
		out.Act = &opportunity.Act{Kind: opportunity.ActFillInvoice, On: opportunity.ID(invoice.ID), Values: back}
	}
	return out
}

// carryOut fills the draft in or makes it final. That an empty text empties what is
// there is assumed: where it does not, looking again tells.
func (e ensureInvoice) carryOut(ctx context.Context, in activities.EffectInput) (activities.CarryOutResult, error) {
	if run, other := anotherRun(ctx, in.Run); other {
		return activities.CarryOutResult{Sending: reset(run)}, nil
	}
	var err error
	if in.Act.Kind == opportunity.ActFinalise {
		_, err = e.api.FinaliseInvoice(inTime(ctx), string(in.Act.On))
	} else {
		order, hasOrder := in.Act.Values[purchaseOrder]
		text, hasText := in.Act.Values[comments]
		_, err = e.api.UpdateInvoice(inTime(ctx), administrate.UpdateInvoice{
			ID: string(in.Act.On), PurchaseOrderRef: order, NoPurchaseOrderRef: hasOrder && order == "", Comments: text, NoComments: hasText && text == "",
		})
	}
	return activities.CarryOutResult{Sending: sending(err), Trace: in.Trace}, nil
}
