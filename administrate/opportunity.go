package administrate

import (
	"context"
	"time"

	"github.com/shopspring/decimal"

	"github.com/oppflow/oppflow/administrate/transport"
)

// Ref is a record with id and name, such as an account or a region. The id is opaque.
type Ref struct {
	ID   string
	Name string
}

// Stage is the phase of the sale that a step belongs to. State is Open, Won, Lost or Archived
// (documented).
type Stage struct {
	ID    string
	Name  string
	State string
}

// Step is the step of an opportunity.
type Step struct {
	ID    string
	Name  string
	Stage Stage
}

// Currency is a financial unit. Code is what the API accepts as financialUnitId
// (documented: the bare code, such as USD). Code and Symbol are empty for a unit that is
// not a currency.
type Currency struct {
	Name   string
	Code   string
	Symbol string
}

// Attribute is one custom attribute. Values are always text (observed: "true"
// for a ticked box).
type Attribute struct {
	Key   string // the definition's key
	Value string
}

// Reservations are the places that are reserved for an opportunity's interests, all with one
// expiry. Valid and Until come from the API. Before the first ExtendReservations, Until is nil
// whether or not places are reserved (observed).
type Reservations struct {
	Valid bool
	Until *time.Time
}

// Item is the subject of an interest.
type Item struct {
	ID    string
	Type  string // CourseTemplate, Event, LearningPath or TrainingTokenType
	Code  string // empty for a TrainingTokenType
	Title string // its title or name
}

// Interest is one item that an opportunity may buy.
type Interest struct {
	ID    string
	Item  Item
	Total decimal.NullDecimal
	// Quantity and UnitAmount are filled in only by operations that read interests in full.
	// Quantity and UnitAmount are nil if the tenant's schema does not have the fields (see
	// Assumptions).
	Quantity   *int
	UnitAmount decimal.NullDecimal
}

// Opportunity is a record. Each operation says which members it fills in. The zero value
// of a member means that the member was not read or is empty.
type Opportunity struct {
	ID           string
	Name         string
	Step         Step
	Account      *Ref      // nil when there is none
	Currency     *Currency // nil when there is none
	GrandTotal   decimal.NullDecimal
	Attributes   []Attribute
	Reservations Reservations
	Interests    []Interest
	// InterestCount is the number the number of all interests, read or not.
	InterestCount int
	// NextInterestsCursor is the cursor for Client.Interests when the member Interests does not
	// contain all interests.
	NextInterestsCursor string
	// UpdatedAt is the time of the last change. UpdatedAt is nil when the client did not read the
	// time or the API returned no time.
	UpdatedAt *time.Time
}

// InterestPage is a part of an opportunity's interests.
type InterestPage struct {
	Interests  []Interest
	Count      int    // of all interests
	NextCursor string // the cursor of the next page, empty on the last one
}

// Opportunity reads one opportunity with its first 100 interests, in one request; Interests
// continues from NextInterestsCursor. Opportunity fills in every member except UpdatedAt.
// Opportunity fails with NotFoundError when no opportunity has that id.
func (c *Client) Opportunity(ctx context.Context, id string) (Opportunity, error) {
	return c.readOpportunity(ctx, "Opportunity", id, func(b *builder) string { return b.assumed.selectFull() })
}

// OpportunityWithUpdatedAt reads one opportunity like Opportunity. OpportunityWithUpdatedAt also
// reads the time of the last change, unless OpportunityUpdated is switched off.
func (c *Client) OpportunityWithUpdatedAt(ctx context.Context, id string) (Opportunity, error) {
	return c.readOpportunity(ctx, "ChangedOpportunity", id, func(b *builder) string {
		return b.assumed.selectFull() + b.assumed.selectUpdatedAt()
	})
}

// Interests reads up to 100 interests of an opportunity after a cursor. An empty cursor selects the
// first page. A cursor is a position in the list (documented). If interests are removed between two
// pages, the next page misses rows.
func (c *Client) Interests(ctx context.Context, opportunityID, after string) (InterestPage, error) {
	o, err := c.readOpportunity(ctx, "Interests", opportunityID, func(b *builder) string {
		if after == "" {
			return "id " + b.assumed.selectInterests("")
		}
		return "id " + b.assumed.selectInterests(", after: "+b.bindText("after", "after", "String", after))
	})
	if err != nil {
		return InterestPage{}, err
	}
	return InterestPage{Interests: o.Interests, Count: o.InterestCount, NextCursor: o.NextInterestsCursor}, nil
}

// readOpportunity reads one record with a filter by id (observed). The value of the filter is text,
// as in every filter.
func (c *Client) readOpportunity(
	ctx context.Context, name, id string, selection func(*builder) string,
) (Opportunity, error) {
	b := newBuilder(&c.assumed)
	b.root("opportunities(filters: [{field: id, operation: eq, value: %s}]) { edges { node { %s } } }",
		b.bindRequired("id", "id", "String", id), selection(b))
	doc, err := b.document("query", name)
	if err != nil {
		return Opportunity{}, err
	}
	var got struct {
		Opportunities *connection[opportunityDTO] `json:"opportunities"`
	}
	if err := c.Read(ctx, doc, &got); err != nil {
		return Opportunity{}, err
	}
	if got.Opportunities == nil {
		return Opportunity{}, transport.MalformedResponse(name)
	}
	rows, err := got.Opportunities.nodes()
	if err != nil {
		return Opportunity{}, transport.MalformedResponse(name)
	}
	if len(rows) == 0 {
		return Opportunity{}, &NotFoundError{RecordKind: "opportunity", ID: id}
	}
	if len(rows) > 1 { // the API returned several rows for one id
		return Opportunity{}, transport.MalformedResponse(name)
	}
	o, err := rows[0].opportunity()
	if err != nil {
		return Opportunity{}, transport.MalformedResponse(name)
	}
	return o, nil
}
