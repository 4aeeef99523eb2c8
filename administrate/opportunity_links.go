package administrate

import (
	"context"
)

// OpportunityLinks are the records that belong to an opportunity, and its attributes. Side
// effects of a transition read them before they change anything. All of this is documented or
// observed (4.1).
type OpportunityLinks struct {
	OpportunityID string
	Account       *Ref   // nil when there is none
	ContactID     string // empty when there is none
	Owner         *User  // nil when there is none; id, first name and contact
	Attributes    []Attribute
	// ActiveInvoiceID is the id of the active invoice, empty when there is none.
	ActiveInvoiceID string
	// Invoice is the sales document if that is an invoice, with id and state;
	// nil otherwise.
	Invoice *Invoice
}

// OpportunityLinks reads the OpportunityLinks of an opportunity in one request, and fails with
// NotFoundError when no opportunity has that id.
func (c *Client) OpportunityLinks(ctx context.Context, opportunityID string) (OpportunityLinks, error) {
	return findOne(ctx, c, newBuilder(&c.assumed), "Ties", "opportunities", "opportunity", opportunityID,
		"id account { "+selectRef+" } contact { id } owner { id firstName contact { id } } "+selectAttributes+
			" activeInvoiceId salesDocument { ... on Invoice { id lifecycleState } }", linksDTO.links)
}

type linksDTO struct {
	ID         string   `json:"id"`
	Account    *refDTO  `json:"account"`
	Contact    *idRef   `json:"contact"`
	Owner      *userDTO `json:"owner"`
	Attributes []struct {
		DefinitionKey string `json:"definitionKey"`
		Value         string `json:"value"`
	} `json:"attributes"`
	ActiveInvoiceID string      `json:"activeInvoiceId"`
	SalesDocument   *invoiceDTO `json:"salesDocument"`
}

func (t linksDTO) links() (OpportunityLinks, error) {
	owner, err := t.Owner.owner()
	if err != nil {
		return OpportunityLinks{}, err
	}
	out := OpportunityLinks{OpportunityID: t.ID, ContactID: t.Contact.id(), Owner: owner, ActiveInvoiceID: t.ActiveInvoiceID}
	if t.Account != nil {
		account := t.Account.ref()
		out.Account = &account
	}
	for _, a := range t.Attributes {
		out.Attributes = append(out.Attributes, Attribute{Key: a.DefinitionKey, Value: a.Value})
	}
	// For a document that is not an invoice nothing is selected.
	if t.SalesDocument != nil && t.SalesDocument.ID != "" {
		out.Invoice = &Invoice{ID: t.SalesDocument.ID, State: t.SalesDocument.LifecycleState}
	}
	return out, requireID(t.ID)
}
