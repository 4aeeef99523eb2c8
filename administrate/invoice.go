package administrate

import (
	"context"
	"time"
)

// Invoice is what an opportunity is billed by. It is read with Ties; the API
// has no way to raise one that anybody has seen (5.4).
type Invoice struct {
	ID    string
	State string // Draft, Final or Void (observed, 3.6); not answered by UpdateInvoice
	// Comments and PurchaseOrderRef are answered by UpdateInvoice, whose answer is
	// where they were observed, and read with Ties.
	Comments         string
	PurchaseOrderRef string
	// FinalisedAt is answered by FinaliseInvoice only; nil also where the API
	// gives that time without an offset.
	FinalisedAt *time.Time
}

// Final says whether the invoice is finalised.
func (i Invoice) Final() bool { return i.State == "Final" }

// UpdateInvoice changes the members that are not empty. They are observed (5.4).
type UpdateInvoice struct {
	ID               string
	Comments         string
	PurchaseOrderRef string
}

// UpdateInvoice sends one invoices.update and answers what the invoice then
// holds: compare it with what was asked for.
func (c *Client) UpdateInvoice(ctx context.Context, u UpdateInvoice) (Invoice, error) {
	return c.changeInvoice(ctx, "UpdateInvoice", u.build)
}

func (u UpdateInvoice) build(b *builder) errand {
	in := object{"invoiceId: " + b.required("ID", "invoiceId", "ID", u.ID)}
	if u.Comments != "" {
		in.set("comments", b.text("Comments", "comments", "String", u.Comments))
	}
	if u.PurchaseOrderRef != "" {
		in.set("purchaseOrderRef", b.text("PurchaseOrderRef", "purchaseOrderRef", "String", u.PurchaseOrderRef))
	}
	if len(in) == 1 {
		b.invalid("ID", "is all there is; give at least one member to change")
	}
	return errand{
		namespace: "invoices", field: "update", arguments: "input: " + in.String(),
		result: "invoice { id comments purchaseOrderReference }",
	}
}

// FinaliseInvoice makes a draft final (observed, 5.4) and answers its state: only
// one that is Final has been finalised.
func (c *Client) FinaliseInvoice(ctx context.Context, invoiceID string) (Invoice, error) {
	return c.changeInvoice(ctx, "FinaliseInvoice", func(b *builder) errand {
		return errand{
			namespace: "invoices", field: "finalise",
			arguments: "input: {invoiceId: " + b.required("invoiceID", "invoiceId", "ID", invoiceID) + "}",
			result:    "invoice { id lifecycleState finalisedAt }",
		}
	})
}

func (c *Client) changeInvoice(ctx context.Context, name string, build func(*builder) errand) (Invoice, error) {
	r, err := c.run(ctx, name, build)
	if err != nil {
		return Invoice{}, err
	}
	var payload struct {
		Invoice *invoiceAnswer `json:"invoice"`
	}
	if err := r.payload(&payload); err != nil {
		return Invoice{}, err
	}
	if payload.Invoice == nil {
		return Invoice{}, r.unknown("the answer has neither errors nor the invoice")
	}
	i, err := payload.Invoice.invoice()
	if err != nil {
		return Invoice{}, r.unknown("the answer is not of the expected form")
	}
	return i, nil
}

type invoiceAnswer struct {
	ID                     string `json:"id"`
	LifecycleState         string `json:"lifecycleState"`
	Comments               string `json:"comments"`
	PurchaseOrderReference string `json:"purchaseOrderReference"`
	FinalisedAt            stamp  `json:"finalisedAt"`
}

func (i invoiceAnswer) invoice() (Invoice, error) {
	return Invoice{
		ID: i.ID, State: i.LifecycleState, Comments: i.Comments, PurchaseOrderRef: i.PurchaseOrderReference,
		FinalisedAt: i.FinalisedAt.at,
	}, identified(i.ID)
}
