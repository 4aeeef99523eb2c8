package administrate

import (
	"context"

	"github.com/oppflow/oppflow/administrate/transport"
)

// OpportunityLinks contains an opportunity's attributes, and the objects that belong to the
// opportunity, such as the account. All members of OpportunityLinks are documented or observed (API
// notes 4.1).
type OpportunityLinks struct {
	OpportunityID string
	Account       *Ref   // nil when there is none
	ContactID     string // empty when there is none
	Owner         *User  // with id, first name and contact; nil when the opportunity has no owner
	Attributes    []Attribute
	// ActiveInvoiceID is the id of the active invoice, "" if there is none.
	ActiveInvoiceID string
	// Invoice is the opportunity's sales document with its id and state. Invoice is nil when the
	// sales document is not an invoice.
	Invoice *Invoice
}

// OpportunityLinks reads the OpportunityLinks of an opportunity in one request. OpportunityLinks
// fails with NotFoundError when no opportunity has the id opportunityID.
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
	// The query selects only fields of the type Invoice, so a sales document of another type has no
	// id in the response.
	if t.SalesDocument != nil && t.SalesDocument.ID != "" {
		out.Invoice = &Invoice{ID: t.SalesDocument.ID, State: t.SalesDocument.LifecycleState}
	}
	return out, requireID(t.ID)
}

// OpportunitySteps reads 1 to 100 opportunities by their ids in one request, and sets only ID, Step
// and Account of each opportunity. The filter by id with the operation "in" is observed (API notes
// 3.3). The API decides the order of the opportunities. OpportunitySteps returns no error for an id
// that no opportunity has.
func (c *Client) OpportunitySteps(ctx context.Context, ids []string) ([]Opportunity, error) {
	const name = "OpportunitySteps"
	b := newBuilder(&c.assumed)
	b.location = name
	arguments := "filters: [" + b.inFilter("id", "ids", ids) + "], first: 100"
	selection := "id step { " + selectStep + " } account { " + selectRef + " }"
	page, err := findRows(ctx, c, b, name, "opportunities", arguments, selection, opportunityDTO.opportunity)
	if err == nil && page.nextCursor != "" { // the API returned more rows than there are ids
		return nil, transport.MalformedResponse(name)
	}
	return page.rows, err
}
