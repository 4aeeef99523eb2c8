package administrate

import (
	"context"
	"time"

	"github.com/shopspring/decimal"
)

// SampleOperation is a sample call of the client. All sample operations together send every schema
// name that the client can send to the API. Each kind of document has a sample operation that sets
// as few members as possible; with this operation, a check finds members that a tenant requires in
// addition.
type SampleOperation struct {
	Name string
	// Input is the value that Do passes to the client's method, or nil.
	Input any
	Do    func(ctx context.Context, c *Client) error
}

// CoreOperations returns the sample operations that every tenant needs. The ids in the sample
// operations are invented, because package schemacheck stores the documents and never sends them.
func CoreOperations() []SampleOperation {
	var s samples
	s.readOpportunities()
	s.changeOpportunities()
	s.addInterests()
	s.searchOpportunities()
	s.lookUpNames()
	return s
}

type samples []SampleOperation

func (s *samples) add(name string, input any, do func(ctx context.Context, c *Client) error) {
	*s = append(*s, SampleOperation{Name: name, Input: input, Do: do})
}

func (s *samples) read(name string, do func(ctx context.Context, c *Client) error) {
	s.add(name, nil, do)
}

func (s *samples) mutate(name string, m Mutation) {
	s.add(name, m, func(ctx context.Context, c *Client) error {
		results, err := c.Apply(ctx, []Mutation{m})
		if err == nil {
			err = results[0].Err
		}
		return err
	})
}

func (s *samples) search(name string, search Search) {
	s.add(name, search, func(ctx context.Context, c *Client) error {
		_, err := c.Opportunities(ctx, search)
		return err
	})
}

func (s *samples) lookup(name string, w LookupRequest) {
	s.add(name, w, func(ctx context.Context, c *Client) error {
		_, err := c.Lookup(ctx, w)
		return err
	})
}

func (s *samples) readOpportunities() {
	s.read("check the connection (hello)", func(ctx context.Context, c *Client) error { return c.Hello(ctx) })
	s.read("read an opportunity", func(ctx context.Context, c *Client) error {
		_, err := c.Opportunity(ctx, "id")
		return err
	})
	s.read("read the steps of opportunities", func(ctx context.Context, c *Client) error {
		_, err := c.OpportunitySteps(ctx, []string{"id", "id"})
		return err
	})
	s.read("read the interests of an opportunity", func(ctx context.Context, c *Client) error {
		_, err := c.Interests(ctx, "id", "")
		return err
	})
	s.read("read more interests of an opportunity", func(ctx context.Context, c *Client) error {
		_, err := c.Interests(ctx, "id", "cursor")
		return err
	})
}

func (s *samples) changeOpportunities() {
	attributes := []Attribute{{Key: "key", Value: "value"}}
	s.mutate("create an opportunity", NewOpportunity{Name: "name", RegionID: "id"})
	s.mutate("create an opportunity with an account", NewOpportunity{Name: "name", RegionID: "id", AccountID: "id"})
	s.mutate("create an opportunity with a currency", NewOpportunity{Name: "name", RegionID: "id", Currency: "USD"})
	s.mutate("create an opportunity in a given step", NewOpportunity{Name: "name", RegionID: "id", EntryStepID: "id"})
	s.mutate("create an opportunity with attributes", NewOpportunity{Name: "name", RegionID: "id", Attributes: attributes})
	s.mutate("update the account of an opportunity", UpdateOpportunity{ID: "id", AccountID: "id"})
	s.mutate("update the currency of an opportunity", UpdateOpportunity{ID: "id", Currency: "USD"})
	s.mutate("update the name of an opportunity", UpdateOpportunity{ID: "id", Name: "name"})
	s.mutate("update the attributes of an opportunity", UpdateOpportunity{ID: "id", Attributes: attributes})
	s.mutate("progress an opportunity", Progress{OpportunityID: "id", StepID: "id"})
	s.mutate("update an opportunity and read the whole record", UpdateOpportunity{ID: "id", Currency: "USD", Full: true})
	s.mutate("progress an opportunity and read the whole record", Progress{OpportunityID: "id", StepID: "id", Full: true})
	s.mutate("extend the reservations and read the whole record", ExtendReservations{OpportunityID: "id", Until: time.Unix(0, 0).UTC(), Full: true})
	s.mutate("extend the reservations of an opportunity", ExtendReservations{OpportunityID: "id", Until: time.Unix(0, 0).UTC()})
}

func (s *samples) addInterests() {
	price := decimal.RequireFromString("199.90")
	interest := AddInterest{OpportunityID: "id", ItemID: "id", Quantity: 1, UnitAmount: price}
	s.mutate("add an interest", interest)
	interest.Reserve, interest.TaxID = true, "id"
	s.mutate("add an interest with reserved places and a tax id", interest)
	for _, k := range kinds() {
		interest := AddInterest{OpportunityID: "id", ItemID: "id", Kind: k.kind, Quantity: 1, UnitAmount: price}
		s.mutate("add an interest: "+k.noun, interest)
		if k.learnersIn != "" {
			interest.NewLearners = []Learner{{FirstName: "first", LastName: "last"}, {FirstName: "first", LastName: "last", Email: "e@example.com"}}
			s.mutate("add an interest: "+k.noun+", with new learners", interest)
			interest.NewLearners, interest.ExistingLearners = nil, []string{"id"}
			s.mutate("add an interest: "+k.noun+", with existing learners", interest)
		}
		if k.expiryIn != "" {
			interest.ExpiresAt = "2026-12-31T23:59:59"
			s.mutate("add an interest: "+k.noun+", with an expiry time", interest)
		}
	}
}

func (s *samples) searchOpportunities() {
	s.search("search opportunities", Search{})
	s.search("search opportunities with attributes", Search{Attributes: true})
	s.search("search opportunities and read only id, name and attributes", Search{Attributes: true, Bare: true})
	s.search("search a page of opportunities", Search{First: 100, Offset: 100})
	s.search("search the next page of opportunities", Search{After: "cursor"})
	s.search("search opportunities in order", Search{Order: &Order{Field: ByID}})
	s.search("search opportunities in descending order", Search{Order: &Order{Field: ByID, Descending: true}})
	for _, f := range []OpportunityField{ByRegionName, ByID, ByStepID, ByName, ByAccountID, ByCreated} {
		s.search("search opportunities by "+string(f), Search{Filters: []Filter{{Field: f, Operation: Equal, Value: "value"}}})
	}
	for _, o := range []FilterOperation{Equal, NotEqual, Greater, GreaterEqual, Less, LessEqual, Like, WordLike, In, NotIn, Contains, IsNull, NotNull} {
		filter := Filter{Field: ByRegionName, Operation: o}
		switch o.operand() {
		case oneValue:
			filter.Value = "value"
		case manyValues:
			filter.Values = []string{"value", "value"}
		}
		s.search("search opportunities with the filter operation "+string(o), Search{Filters: []Filter{filter}})
	}
}

func (s *samples) lookUpNames() {
	s.lookup("look up steps", LookupRequest{Steps: &PageRequest{}})
	s.lookup("look up more steps", LookupRequest{Steps: &PageRequest{After: "cursor"}})
	s.lookup("look up regions", LookupRequest{Regions: &PageRequest{}})
	s.lookup("look up more regions", LookupRequest{Regions: &PageRequest{After: "cursor"}})
	s.lookup("look up currencies", LookupRequest{Currencies: &PageRequest{}})
	s.lookup("look up more currencies", LookupRequest{Currencies: &PageRequest{After: "cursor"}})
	s.lookup("look up accounts", LookupRequest{Accounts: []string{"name"}})
	s.lookup("look up items", LookupRequest{Items: []ItemName{{Text: "code"}, {Text: "title", Kind: Course}}})
}
