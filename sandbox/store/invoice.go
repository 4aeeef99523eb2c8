package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/shopspring/decimal"

	"github.com/oppflow/oppflow/sandbox/assumptions"
	"github.com/oppflow/oppflow/sandbox/connection"
	"github.com/oppflow/oppflow/sandbox/globalid"
)

// These are the states of an invoice (observed).
const (
	invoiceDraft = "Draft"
	invoiceFinal = "Final"
)

// SalesDocument is the document that bills an opportunity.
type SalesDocument interface{ isSalesDocument() }

// Invoice is a document that bills an opportunity.
type Invoice struct {
	ID             int64
	OpportunityID  int64
	Account        Account
	FinancialUnit  FinancialUnit
	LifecycleState string
	Comments       *string
	// PurchaseOrderReference has the name purchaseOrderRef in the input of invoices.update.
	PurchaseOrderReference *string
	CreatedAt              time.Time
	FinalisedAt            *time.Time
}

func (Invoice) isSalesDocument() {}

// GlobalID returns the API's id of the invoice.
func (i Invoice) GlobalID() string { return globalid.EncodeInt(globalid.Invoice, i.ID) }

// InvoicePage is a page of invoices.
type InvoicePage = connection.Page[Invoice]

// InvoiceEdge is an invoice with its cursor.
type InvoiceEdge = connection.Edge[Invoice]

// InvoiceLine is one line of an invoice: a learner on an event, or another sold item.
type InvoiceLine struct {
	InterestID int64
	LearnerID  *int64
	Quantity   int
	UnitAmount decimal.Decimal
}

var invoices = listing[Invoice]{
	from: `invoices v JOIN accounts a ON a.id = v.account_id JOIN currencies c ON c.code = v.currency_code`,
	columns: `v.id, v.opportunity_id, v.lifecycle_state, v.comments, v.purchase_order_reference, v.created_at, v.finalised_at,
		c.code, c.name, c.symbol, a.id, a.name, a.email_address`,
	key: "v.id",
	fields: map[string]column{
		"id":             intKeyColumn("v.id", globalid.Invoice),
		"accountId":      intKeyColumn("v.account_id", globalid.Account),
		"lifecycleState": {sql: "v.lifecycle_state"},
	},
	scan: func(row scanner) (Invoice, error) {
		var i Invoice
		var c Currency
		var created int64
		var finalised *int64
		err := row.Scan(&i.ID, &i.OpportunityID, &i.LifecycleState, &i.Comments, &i.PurchaseOrderReference, &created, &finalised,
			&c.Code, &c.Name, &c.Symbol, &i.Account.ID, &i.Account.Name, &i.Account.EmailAddress)
		i.FinancialUnit, i.CreatedAt, i.FinalisedAt = c, time.UnixMicro(created).UTC(), optionalTime(finalised)
		return i, err
	},
}

// Invoices searches the invoices.
func (s *Store) Invoices(ctx context.Context, q Search) (*InvoicePage, error) {
	return invoices.page(ctx, s, q)
}

// ActiveInvoice returns the newest invoice of the opportunity that is not void, or nil if no such
// invoice exists.
func (s *Store) ActiveInvoice(ctx context.Context, opportunity int64) (*Invoice, error) {
	return activeInvoice(ctx, s.read, opportunity)
}

func activeInvoice(ctx context.Context, q queryer, opportunity int64) (*Invoice, error) {
	return invoices.first(ctx, q, " WHERE v.opportunity_id = ? AND v.lifecycle_state <> 'Void' ORDER BY v.id DESC LIMIT 1", opportunity)
}

// InvoiceLines returns the lines of an invoice, in the order on the invoice.
func (s *Store) InvoiceLines(ctx context.Context, invoice int64) ([]*InvoiceLine, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT interest_id, learner_id, quantity, unit_amount FROM invoice_lines WHERE invoice_id = ? ORDER BY id`, invoice)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	lines := []*InvoiceLine{}
	for rows.Next() {
		var l InvoiceLine
		var unit int64
		if err := rows.Scan(&l.InterestID, &l.LearnerID, &l.Quantity, &unit); err != nil {
			return nil, err
		}
		l.UnitAmount = fromCents(unit)
		lines = append(lines, &l)
	}
	return lines, rows.Err()
}

// draftInvoice creates a draft invoice in the opportunity's currency. The invoice has a line for
// each learner on an event (documented), and a line for every sold item that is not an event. The
// invoice has no line for a cancelled learner. By default, draftInvoice does nothing for an
// opportunity that already has an invoice.
func (s *Store) draftInvoice(ctx context.Context, tx *sql.Tx, o *Opportunity) error {
	before, err := activeInvoice(ctx, tx, o.ID)
	if err != nil || before != nil && !s.choices.Is(assumptions.TriggerInvoice, "another") {
		return err
	}
	if o.Account == nil && s.choices.Is(assumptions.TriggerInvoiceAccount, "skipped") {
		return nil
	}
	if o.Account == nil {
		return newRefusal(LabelInvalidValue, "", "an invoice needs an account, but the opportunity has no account")
	}
	var currency string
	if err := tx.QueryRowContext(ctx, `SELECT currency_code FROM opportunities WHERE id = ?`, o.ID).Scan(&currency); err != nil {
		return err
	}
	if isMutant("an invoice has the currency of the region") {
		if err := tx.QueryRowContext(ctx, `SELECT currency_code FROM regions WHERE id = ?`, o.Region.ID).Scan(&currency); err != nil {
			return err
		}
	}
	made, err := tx.ExecContext(ctx, `INSERT INTO invoices (opportunity_id, account_id, region_id, currency_code, created_at) VALUES (?, ?, ?, ?, ?)`,
		o.ID, o.Account.ID, o.Region.ID, currency, s.now().UnixMicro())
	if err != nil {
		return err
	}
	id, err := made.LastInsertId()
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO invoice_lines (invoice_id, interest_id, learner_id, quantity, unit_amount)
		SELECT ?1, i.id, l.id, iif(l.id IS NULL, i.quantity, 1), i.unit_amount FROM interests i
		LEFT JOIN learners l ON l.registration_id = i.registration_id AND NOT l.cancelled
		WHERE i.opportunity_id = ?2 AND (i.registration_id IS NULL OR l.id IS NOT NULL) ORDER BY i.id, l.id`, id, o.ID)
	return err
}

// InvoiceUpdate is the input of UpdateInvoice. UpdateInvoice changes only the fields whose member
// is not nil.
type InvoiceUpdate struct {
	InvoiceID        string
	Comments         *string
	PurchaseOrderRef *string
}

// UpdateInvoice writes the comments and the purchase order of a draft invoice.
func (s *Store) UpdateInvoice(ctx context.Context, in InvoiceUpdate) (*Invoice, error) {
	return s.changeInvoice(ctx, in.InvoiceID, func(ctx context.Context, tx *sql.Tx, i *Invoice) error {
		if i.LifecycleState != invoiceDraft && !s.choices.Is(assumptions.InvoiceFinal, "changed") {
			return notDraftRefusal(i)
		}
		_, err := tx.ExecContext(ctx, `UPDATE invoices SET comments = coalesce(?, comments), purchase_order_reference = coalesce(?, purchase_order_reference)
			WHERE id = ?`, in.Comments, in.PurchaseOrderRef, i.ID)
		return err
	})
}

// FinaliseInvoice makes a draft invoice final.
func (s *Store) FinaliseInvoice(ctx context.Context, id string) (*Invoice, error) {
	return s.changeInvoice(ctx, id, func(ctx context.Context, tx *sql.Tx, i *Invoice) error {
		if i.LifecycleState == invoiceFinal && s.choices.Is(assumptions.InvoiceFinal, "changed") {
			return nil
		}
		if i.LifecycleState != invoiceDraft {
			return notDraftRefusal(i)
		}
		_, err := tx.ExecContext(ctx, `UPDATE invoices SET lifecycle_state = ?, finalised_at = ? WHERE id = ?`, invoiceFinal, s.now().UnixMicro(), i.ID)
		return err
	})
}

func notDraftRefusal(i *Invoice) error {
	return newRefusal(LabelNotDraft, i.GlobalID(), "Invoice %s is %s, but only a draft invoice can be changed", i.GlobalID(), i.LifecycleState)
}

func (s *Store) changeInvoice(ctx context.Context, id string, f func(context.Context, *sql.Tx, *Invoice) error) (*Invoice, error) {
	var changed *Invoice
	err := s.inTransaction(ctx, func(ctx context.Context, tx *sql.Tx) error {
		key, err := intKey("invoiceId", id, globalid.Invoice)
		if err != nil {
			return err
		}
		i, err := invoices.byKey(ctx, tx, key)
		if err == nil && i == nil {
			err = notFound("Invoice", id)
		}
		if err == nil {
			err = f(ctx, tx, i)
		}
		if err == nil {
			changed, err = invoices.byKey(ctx, tx, key)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return changed, nil
}
