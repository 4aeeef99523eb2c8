package administrate

import (
	"context"
)

// Ties are the records that belong to an opportunity, and its attributes. Side effects of
// a transition look at them before they act. All of it is documented or observed (4.1).
type Ties struct {
	OpportunityID string
	Account       *Named // nil when there is none
	ContactID     string // empty when there is none
	Owner         *User  // nil when there is none; id, first name and contact
	Attributes    []Attribute
	// ActiveInvoiceID is the invoice that counts, empty when there is none.
	ActiveInvoiceID string
	// Invoice is the sales document if that is an invoice, with id and state;
	// nil otherwise.
	Invoice *Invoice
}

// Ties reads the ties in one request, and fails with NotFoundError when no opportunity
// has that id.
func (c *Client) Ties(ctx context.Context, opportunityID string) (Ties, error) {
	return findOne(ctx, c, newBuilder(&c.assumed), "Ties", "opportunities", "opportunity", opportunityID,
		"id account { "+selectNamed+" } contact { id } owner { id firstName contact { id } } "+selectAttributes+
			" activeInvoiceId salesDocument { ... on Invoice { id lifecycleState } }", tiesAnswer.ties)
}

type tiesAnswer struct {
	ID         string       `json:"id"`
	Account    *namedAnswer `json:"account"`
	Contact    *reference   `json:"contact"`
	Owner      *userAnswer  `json:"owner"`
	Attributes []struct {
		DefinitionKey string `json:"definitionKey"`
		Value         string `json:"value"`
	} `json:"attributes"`
	ActiveInvoiceID string         `json:"activeInvoiceId"`
	SalesDocument   *invoiceAnswer `json:"salesDocument"`
}

func (t tiesAnswer) ties() (Ties, error) {
	owner, err := t.Owner.owner()
	if err != nil {
		return Ties{}, err
	}
	out := Ties{OpportunityID: t.ID, ContactID: t.Contact.id(), Owner: owner, ActiveInvoiceID: t.ActiveInvoiceID}
	if t.Account != nil {
		account := t.Account.named()
		out.Account = &account
	}
	for _, a := range t.Attributes {
		out.Attributes = append(out.Attributes, Attribute{Key: a.DefinitionKey, Value: a.Value})
	}
	// For a document that is not an invoice nothing is selected.
	if t.SalesDocument != nil && t.SalesDocument.ID != "" {
		out.Invoice = &Invoice{ID: t.SalesDocument.ID, State: t.SalesDocument.LifecycleState}
	}
	return out, identified(t.ID)
}
