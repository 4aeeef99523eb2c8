package administrate

import (
	"context"
	"time"
)

// Invoice is the invoice of an opportunity, read with OpportunityLinks or Billing. No operation of
// the API that creates an invoice was observed (API notes 5.4).
type Invoice struct {
	ID    string
	State string // Draft, Final or Void (observed, API notes 3.6); UpdateInvoice leaves State empty
	// Comments and PurchaseOrderRef are set in the result of UpdateInvoice. The method Billing sets
	// Comments only if ShowsComments is true, and PurchaseOrderRef only if ShowsPurchaseOrder is
	// true.
	Comments         string
	PurchaseOrderRef string
	// FinalisedAt is set only in the result of FinaliseInvoice. FinalisedAt is nil if the API
	// returns the time of finalisation without an offset.
	FinalisedAt *time.Time
}

// Final reports whether the invoice is finalised.
func (i Invoice) Final() bool { return i.State == "Final" }

// Billing contains the invoice data of an opportunity.
type Billing struct {
	// ActiveInvoiceID is the id of the active invoice, "" if there is none.
	ActiveInvoiceID string
	// Invoice is the opportunity's sales document with its state, comments and purchase order.
	// Invoice is nil when the sales document is not an invoice.
	Invoice *Invoice
	// ShowsComments says that Billing read the comments, and ShowsPurchaseOrder says that Billing
	// read the purchase order.
	ShowsComments, ShowsPurchaseOrder bool
}

// Billing reads the invoice data of an opportunity in one request. The id of the active invoice and
// the state of the sales document are observed (API notes 4.1). The comments and the purchase order
// of an invoice are observed only in the response to an update of the invoice (API notes 5.4). The
// client assumes that the sales document of an opportunity also has comments and a purchase order:
// see Assumptions.InvoiceComments and InvoicePurchaseOrder. Billing fails with NotFoundError when
// no opportunity has the id opportunityID.
func (c *Client) Billing(ctx context.Context, opportunityID string) (Billing, error) {
	shown := Billing{ShowsComments: c.assumed.InvoiceComments != Off, ShowsPurchaseOrder: c.assumed.InvoicePurchaseOrder != Off}
	selection := "id lifecycleState"
	if shown.ShowsComments {
		selection += " comments: " + string(c.assumed.InvoiceComments)
	}
	if shown.ShowsPurchaseOrder {
		selection += " purchaseOrderReference: " + string(c.assumed.InvoicePurchaseOrder)
	}
	return findOne(ctx, c, newBuilder(&c.assumed), "Billing", "opportunities", "opportunity", opportunityID,
		"id activeInvoiceId salesDocument { ... on Invoice { "+selection+" } }",
		func(answer billingDTO) (Billing, error) { return answer.billing(shown) })
}

// UpdateInvoice changes the comments and the purchase order of an invoice; an empty member changes
// nothing. The members are observed (API notes 5.4).
type UpdateInvoice struct {
	ID               string
	Comments         string
	PurchaseOrderRef string
	// NoComments clears the comments, and NoPurchaseOrderRef clears the purchase order; the client
	// sends an empty text for each. The API may ignore an empty text and keep the old text, so
	// check the texts in the returned Invoice.
	NoComments         bool
	NoPurchaseOrderRef bool
}

// UpdateInvoice sends one mutation invoices.update and returns the comments and the purchase order
// after the update.
func (c *Client) UpdateInvoice(ctx context.Context, u UpdateInvoice) (Invoice, error) {
	return c.changeInvoice(ctx, "UpdateInvoice", u.build)
}

func (u UpdateInvoice) build(b *builder) standaloneMutation {
	in := object{"invoiceId: " + b.bindRequired("ID", "invoiceId", "ID", u.ID)}
	if u.Comments != "" && u.NoComments || u.PurchaseOrderRef != "" && u.NoPurchaseOrderRef {
		b.invalid("ID", "the update sets and clears the same member (Comments or PurchaseOrderRef); either set or clear the member")
	}
	if u.Comments != "" || u.NoComments {
		in.set("comments", b.bindText("Comments", "comments", "String", u.Comments))
	}
	if u.PurchaseOrderRef != "" || u.NoPurchaseOrderRef {
		in.set("purchaseOrderRef", b.bindText("PurchaseOrderRef", "purchaseOrderRef", "String", u.PurchaseOrderRef))
	}
	if len(in) == 1 {
		b.invalid("ID", "the update changes nothing; give at least one member besides ID")
	}
	return standaloneMutation{
		namespace: "invoices", field: "update", arguments: "input: " + in.String(),
		selection: "invoice { id comments purchaseOrderReference }",
	}
}

// FinaliseInvoice changes an invoice from the state Draft to Final (observed, API notes 5.4) and
// returns the invoice with its state. FinaliseInvoice does not check that the returned state is
// Final; the caller must check the state.
func (c *Client) FinaliseInvoice(ctx context.Context, invoiceID string) (Invoice, error) {
	return c.changeInvoice(ctx, "FinaliseInvoice", func(b *builder) standaloneMutation {
		return standaloneMutation{
			namespace: "invoices", field: "finalise",
			arguments: "input: {invoiceId: " + b.bindRequired("invoiceID", "invoiceId", "ID", invoiceID) + "}",
			selection: "invoice { id lifecycleState finalisedAt }",
		}
	})
}

func (c *Client) changeInvoice(ctx context.Context, name string, build func(*builder) standaloneMutation) (Invoice, error) {
	r, err := c.sendStandalone(ctx, name, build)
	if err != nil {
		return Invoice{}, err
	}
	var payload struct {
		Invoice *invoiceDTO `json:"invoice"`
	}
	if err := r.decodePayload(&payload); err != nil {
		return Invoice{}, err
	}
	if payload.Invoice == nil {
		return Invoice{}, r.outcomeUnknown("the response contains neither errors nor the invoice")
	}
	i, err := payload.Invoice.invoice()
	if err != nil {
		return Invoice{}, r.outcomeUnknown("the response does not have the expected form")
	}
	return i, nil
}

type invoiceDTO struct {
	ID                     string  `json:"id"`
	LifecycleState         string  `json:"lifecycleState"`
	Comments               string  `json:"comments"`
	PurchaseOrderReference string  `json:"purchaseOrderReference"`
	FinalisedAt            anyTime `json:"finalisedAt"`
}

func (i invoiceDTO) invoice() (Invoice, error) {
	return Invoice{
		ID: i.ID, State: i.LifecycleState, Comments: i.Comments, PurchaseOrderRef: i.PurchaseOrderReference,
		FinalisedAt: i.FinalisedAt.at,
	}, requireID(i.ID)
}

type billingDTO struct {
	ID              string      `json:"id"`
	ActiveInvoiceID string      `json:"activeInvoiceId"`
	SalesDocument   *invoiceDTO `json:"salesDocument"`
}

func (b billingDTO) billing(out Billing) (Billing, error) {
	out.ActiveInvoiceID = b.ActiveInvoiceID
	// The query selects only fields of the type Invoice, so a sales document of another type has no
	// id in the response.
	if b.SalesDocument != nil && b.SalesDocument.ID != "" {
		invoice, err := b.SalesDocument.invoice()
		if err != nil {
			return out, err
		}
		out.Invoice = &invoice
	}
	return out, requireID(b.ID)
}
