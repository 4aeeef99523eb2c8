package playbook

import (
	"time"

	"github.com/oppflow/oppflow/exchange"
)

// InvoiceRule says what the invoice contains and when Oppflow makes the invoice final.
type InvoiceRule struct {
	// Wait is the longest time for which Oppflow waits for the TMS to create the draft invoice; the default is 1 hour.
	Wait Period `json:"wait,omitzero"`
	// PurchaseOrder is a template for the purchase order of the invoice.
	PurchaseOrder Text `json:"purchaseOrder,omitempty"`
	// Comments is a template for the comments of the invoice.
	Comments Text `json:"comments,omitempty"`
	// FinaliseBeforeStart says how long before the first event starts Oppflow makes the invoice
	// final. Without FinaliseBeforeStart, the invoice stays a draft.
	FinaliseBeforeStart *Period `json:"finaliseBeforeStart,omitempty"`
}

func (r *InvoiceRule) undo() (exchange.UndoLevel, string) {
	if r.FinaliseBeforeStart != nil {
		return exchange.UndoNone, "a final invoice cannot be made a draft again"
	}
	return exchange.UndoExact, "the earlier texts of the draft are written back"
}

func (r *InvoiceRule) adviceBefore() string { return "or omit the member \"finaliseBeforeStart\"" }

func (r *InvoiceRule) describe() string {
	text := "Oppflow waits at most " + waitOrDefault(r.Wait).String() + " for the draft invoice"
	if r.PurchaseOrder != "" {
		text += ", sets the purchase order " + quote(r.PurchaseOrder)
	}
	if r.Comments != "" {
		text += ", sets the comments " + quote(r.Comments)
	}
	if r.FinaliseBeforeStart == nil {
		return text + " and leaves the invoice a draft"
	}
	return text + " and makes the invoice final " + r.FinaliseBeforeStart.String() + " before the first event starts"
}

func (r *InvoiceRule) check(c *checker, path string) {
	c.checkPeriod(path+".wait", r.Wait, true)
	c.checkText(path+".purchaseOrder", r.PurchaseOrder, Variables{}, true)
	c.checkText(path+".comments", r.Comments, Variables{}, false)
	if r.FinaliseBeforeStart != nil {
		c.checkPeriod(path+".finaliseBeforeStart", *r.FinaliseBeforeStart, false)
	}
}

func (r *InvoiceRule) plan(p *planner, rule string) any {
	return exchange.EnsureInvoice{
		WaitUntil: p.waitDeadline(r.Wait), PurchaseOrder: oneLine(p.render(rule, r.PurchaseOrder)),
		Comments: p.render(rule, r.Comments), FinaliseAt: p.finaliseAt(rule, r.FinaliseBeforeStart),
	}
}

func (r *InvoiceRule) usesFirstStart() bool {
	return r.FinaliseBeforeStart != nil || r.PurchaseOrder.usesFirstStart() || r.Comments.usesFirstStart()
}

// finaliseAt returns when Oppflow makes an invoice final, or the zero time if the invoice stays a
// draft.
func (p *planner) finaliseAt(rule string, before *Period) time.Time {
	if before == nil {
		return time.Time{}
	}
	start := p.facts.firstStart()
	if start.IsZero() {
		p.addProblem("%s: no future event of the opportunity is known, so the invoice stays a draft", rule)
		return time.Time{}
	}
	return laterOf(p.calendar.subtract(start, *before), p.facts.Now).UTC()
}
