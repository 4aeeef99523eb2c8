package administrate

import (
	"context"
	"time"

	"github.com/shopspring/decimal"

	"github.com/oppflow/oppflow/administrate/transport"
)

// Ref is the id and the name of an object in the TMS, such as an account or a region. The id is
// opaque text.
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

// Step is a step of the sale, with its stage.
type Step struct {
	ID    string
	Name  string
	Stage Stage
}

// Currency is a financial unit. Code is the currency code, such as USD, which the API accepts as
// financialUnitId (documented). Code and Symbol are empty for a financial unit that is not a
// currency.
type Currency struct {
	Name   string
	Code   string
	Symbol string
}

// Attribute is one custom attribute. The API returns the value of every attribute as text, for
// example "true" for a ticked box (observed).
type Attribute struct {
	Key   string // the definitionKey of the custom field
	Value string
}

// Reservations describes the places that the TMS keeps free for an opportunity's interests. All
// reserved places of an opportunity have the same expiry time Until. The API returns no Until
// before the first ExtendReservations, even if places are already reserved (observed).
type Reservations struct {
	Valid bool
	Until *time.Time
}

// Item is the course, event, learning path or type of training token that an interest is about.
type Item struct {
	ID    string
	Type  string // CourseTemplate, Event, LearningPath or TrainingTokenType
	Code  string // empty for a TrainingTokenType
	Title string // the title or name of the item
}

// Interest is one item that an opportunity may buy.
type Interest struct {
	ID    string
	Item  Item
	Total decimal.NullDecimal
	// An operation sets Quantity and UnitAmount only if the operation reads all members of an
	// interest. If the tenant's schema has no field for the quantity or the unit amount (see
	// Assumptions), the member stays without a value.
	Quantity   *int
	UnitAmount decimal.NullDecimal
}

// Opportunity is a record. A member has its zero value if the operation did not read the member, or
// if the member is empty in the TMS.
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
	// InterestCount is the number of all interests on the record; the list Interests may contain
	// fewer interests.
	InterestCount int
	// NextInterestsCursor is the cursor for the method Client.Interests; it is empty when the list
	// Interests is complete.
	NextInterestsCursor string
	// UpdatedAt is the time at which the record was last changed. UpdatedAt is nil if the client
	// did not read this time or the API returned no value.
	UpdatedAt *time.Time
}

// InterestPage is one page of an opportunity's interests.
type InterestPage struct {
	Interests  []Interest
	Count      int    // the number of all interests of the opportunity
	NextCursor string // the cursor of the next page, empty on the last one
}

// Opportunity reads one opportunity with its first 100 interests in one request. The method
// Opportunity sets every member of the result except UpdatedAt. The method Opportunity fails with
// NotFoundError when no opportunity has the given id.
func (c *Client) Opportunity(ctx context.Context, id string) (Opportunity, error) {
	return c.readOpportunity(ctx, "Opportunity", id, func(b *builder) string { return b.assumed.selectFull() })
}

// OpportunityWithUpdatedAt reads one opportunity with the same members as the method
// Client.Opportunity. OpportunityWithUpdatedAt also sets UpdatedAt, unless
// Assumptions.OpportunityUpdated is Off.
func (c *Client) OpportunityWithUpdatedAt(ctx context.Context, id string) (Opportunity, error) {
	return c.readOpportunity(ctx, "ChangedOpportunity", id, func(b *builder) string {
		return b.assumed.selectFull() + b.assumed.selectUpdatedAt()
	})
}

// Interests reads one page of up to 100 interests of an opportunity. The page follows the cursor
// after; an empty cursor selects the first page. A cursor is a position in the list of interests
// (documented). If an interest is removed between the reads of two pages, the second read skips an
// interest.
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

// readOpportunity reads one record with a filter by id (observed).
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
	if len(rows) > 1 {
		return Opportunity{}, transport.MalformedResponse(name)
	}
	o, err := rows[0].opportunity()
	if err != nil {
		return Opportunity{}, transport.MalformedResponse(name)
	}
	return o, nil
}
