package administrate

import (
	"context"
	"time"

	"github.com/shopspring/decimal"
)

// SampleOperation is one use of the client. All sample operations together send every name that the
// client can send. For each document, one sample operation has as few members as possible, to find
// further members that a tenant requires.
type SampleOperation struct {
	Name string
	// Input is an argument of the operation. Tests use all inputs to check that the operations
	// cover every method and member.
	Input any
	Do    func(ctx context.Context, c *Client) error
}

// CoreOperations returns the operations that every tenant needs. The ids are invented, because a
// recorder keeps the documents and sends none.
func CoreOperations() []SampleOperation {
	price := decimal.RequireFromString("199.90")
	attributes := []Attribute{{Key: "key", Value: "value"}}
	var all []SampleOperation
	read := func(name string, do func(ctx context.Context, c *Client) error) {
		all = append(all, SampleOperation{Name: name, Do: do})
	}
	mutate := func(name string, m Mutation) {
		all = append(all, SampleOperation{name, m, func(ctx context.Context, c *Client) error {
			answers, err := c.Apply(ctx, []Mutation{m})
			if err == nil {
				err = answers[0].Err
			}
			return err
		}})
	}
	search := func(name string, s Search) {
		all = append(all, SampleOperation{name, s, func(ctx context.Context, c *Client) error {
			_, err := c.Opportunities(ctx, s)
			return err
		}})
	}
	lookup := func(name string, w LookupRequest) {
		all = append(all, SampleOperation{name, w, func(ctx context.Context, c *Client) error {
			_, err := c.Lookup(ctx, w)
			return err
		}})
	}

	read("hello", func(ctx context.Context, c *Client) error { return c.Hello(ctx) })
	read("read an opportunity", func(ctx context.Context, c *Client) error {
		_, err := c.Opportunity(ctx, "id")
		return err
	})
	read("read its interests", func(ctx context.Context, c *Client) error {
		_, err := c.Interests(ctx, "id", "")
		return err
	})
	read("read more of its interests", func(ctx context.Context, c *Client) error {
		_, err := c.Interests(ctx, "id", "cursor")
		return err
	})

	mutate("create", NewOpportunity{Name: "name", RegionID: "id"})
	mutate("create with an account", NewOpportunity{Name: "name", RegionID: "id", AccountID: "id"})
	mutate("create with a currency", NewOpportunity{Name: "name", RegionID: "id", Currency: "USD"})
	mutate("create in a step", NewOpportunity{Name: "name", RegionID: "id", EntryStepID: "id"})
	mutate("create with attributes", NewOpportunity{Name: "name", RegionID: "id", Attributes: attributes})
	mutate("update the account", UpdateOpportunity{ID: "id", AccountID: "id"})
	mutate("update the currency", UpdateOpportunity{ID: "id", Currency: "USD"})
	mutate("update the name", UpdateOpportunity{ID: "id", Name: "name"})
	mutate("update attributes", UpdateOpportunity{ID: "id", Attributes: attributes})
	mutate("progress", Progress{OpportunityID: "id", StepID: "id"})
	mutate("extend reservations", ExtendReservations{OpportunityID: "id", Until: time.Unix(0, 0).UTC()})

	interest := AddInterest{OpportunityID: "id", ItemID: "id", Quantity: 1, UnitAmount: price}
	mutate("add an interest", interest)
	interest.Reserve, interest.TaxID = true, "id"
	mutate("add an interest with places and tax", interest)
	for _, k := range kinds() {
		interest := AddInterest{OpportunityID: "id", ItemID: "id", Kind: k.kind, Quantity: 1, UnitAmount: price}
		mutate("add an interest: "+k.noun, interest)
		if k.learnersIn != "" {
			interest.NewLearners = []Learner{{FirstName: "first", LastName: "last"}, {FirstName: "first", LastName: "last", Email: "e@example.com"}}
			mutate("add an interest: "+k.noun+", new learners", interest)
			interest.NewLearners, interest.ExistingLearners = nil, []string{"id"}
			mutate("add an interest: "+k.noun+", known learners", interest)
		}
		if k.expiryIn != "" {
			interest.ExpiresAt = "2026-12-31T23:59:59"
			mutate("add an interest: "+k.noun+" that expire", interest)
		}
	}

	search("search", Search{})
	search("search with attributes", Search{Attributes: true})
	search("search bare rows", Search{Attributes: true, Bare: true})
	search("search a page", Search{First: 100, Offset: 100})
	search("search the next page", Search{After: "cursor"})
	search("search in order", Search{Order: &Order{Field: ByID}})
	search("search in descending order", Search{Order: &Order{Field: ByID, Descending: true}})
	for _, f := range []OpportunityField{ByRegionName, ByID, ByStepID, ByName, ByAccountID, ByCreated} {
		search("search by "+string(f), Search{Filters: []Filter{{Field: f, Operation: Equal, Value: "value"}}})
	}
	for _, o := range []FilterOperation{Equal, NotEqual, Greater, GreaterEqual, Less, LessEqual, Like, WordLike, In, NotIn, Contains, IsNull, NotNull} {
		filter := Filter{Field: ByRegionName, Operation: o}
		switch o.operand() {
		case oneValue:
			filter.Value = "value"
		case manyValues:
			filter.Values = []string{"value", "value"}
		}
		search("search with "+string(o), Search{Filters: []Filter{filter}})
	}

	lookup("look up steps", LookupRequest{Steps: &PageRequest{}})
	lookup("look up more steps", LookupRequest{Steps: &PageRequest{After: "cursor"}})
	lookup("look up regions", LookupRequest{Regions: &PageRequest{}})
	lookup("look up more regions", LookupRequest{Regions: &PageRequest{After: "cursor"}})
	lookup("look up currencies", LookupRequest{Currencies: &PageRequest{}})
	lookup("look up more currencies", LookupRequest{Currencies: &PageRequest{After: "cursor"}})
	lookup("look up accounts", LookupRequest{Accounts: []string{"name"}})
	lookup("look up items", LookupRequest{Items: []ItemName{{Text: "code"}, {Text: "title", Kind: Course}}})
	return all
}
