package administrate

import (
	"encoding/json"
	"time"

	"github.com/oppflow/oppflow/administrate/transport"
)

// In the types below, a member that is null or missing in the response has the zero value.

type refDTO struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

func (n refDTO) ref() Ref { return Ref(n) }

type stepDTO struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Stage struct {
		ID    string `json:"id"`
		Name  string `json:"name"`
		State string `json:"state"`
	} `json:"stage"`
}

func (s stepDTO) step() Step {
	return Step{ID: s.ID, Name: s.Name, Stage: Stage(s.Stage)}
}

type financialUnitDTO struct {
	Name   string `json:"name"`
	Code   string `json:"code"`
	Symbol string `json:"symbol"`
}

func (u financialUnitDTO) currency() Currency { return Currency(u) }

type pageInfoDTO struct {
	TotalRecords int    `json:"totalRecords"`
	HasNextPage  bool   `json:"hasNextPage"`
	EndCursor    string `json:"endCursor"`
}

func (p pageInfoDTO) nextCursor() string {
	if !p.HasNextPage {
		return ""
	}
	return p.EndCursor
}

// connection is the JSON form in which the API returns every list of related objects (documented).
type connection[T any] struct {
	Edges []struct {
		Node *T `json:"node"`
	} `json:"edges"`
	PageInfo pageInfoDTO `json:"pageInfo"`
}

// nodes fails if a row is null, because the API returns null for a row that it could not read.
func (c connection[T]) nodes() ([]T, error) {
	rows := make([]T, 0, len(c.Edges))
	for _, edge := range c.Edges {
		if edge.Node == nil {
			return nil, transport.ErrMalformedValue
		}
		rows = append(rows, *edge.Node)
	}
	if c.PageInfo.HasNextPage && c.PageInfo.EndCursor == "" {
		return nil, transport.ErrMalformedValue
	}
	return rows, nil
}

type interestDTO struct {
	ID          string           `json:"id"`
	Typename    string           `json:"__typename"`
	TotalAmount transport.Amount `json:"totalAmount"`
	Item        itemDTO          `json:"item"`
	Quantity    *int             `json:"quantity"`
	UnitAmount  transport.Amount `json:"unitAmount"`
}

func (i interestDTO) interest() Interest {
	return Interest{
		ID:         i.ID,
		Item:       i.Item.item(),
		Total:      i.TotalAmount.NullDecimal,
		Quantity:   i.Quantity,
		UnitAmount: i.UnitAmount.NullDecimal,
	}
}

func interests(rows []interestDTO) ([]Interest, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	out := make([]Interest, len(rows))
	for i, row := range rows {
		if row.ID == "" {
			return nil, transport.ErrMalformedValue
		}
		out[i] = row.interest()
	}
	return out, nil
}

type interestsDTO struct{ connection[interestDTO] }

func (c interestsDTO) page() (InterestPage, error) {
	rows, err := c.nodes()
	if err != nil {
		return InterestPage{}, err
	}
	lines, err := interests(rows)
	if err != nil {
		return InterestPage{}, err
	}
	return InterestPage{Interests: lines, Count: c.PageInfo.TotalRecords, NextCursor: c.PageInfo.nextCursor()}, nil
}

type opportunityDTO struct {
	ID            string            `json:"id"`
	Name          string            `json:"name"`
	Step          stepDTO           `json:"step"`
	Account       *refDTO           `json:"account"`
	FinancialUnit *financialUnitDTO `json:"financialUnit"`
	Value         struct {
		GrandTotal transport.Amount `json:"grandTotal"`
	} `json:"value"`
	IsReservationValid     bool                `json:"isReservationValid"`
	ReservationsValidUntil transport.ZonedTime `json:"reservationsValidUntil"`
	Attributes             []struct {
		DefinitionKey string `json:"definitionKey"`
		Value         string `json:"value"`
	} `json:"attributes"`
	Interests interestsDTO        `json:"interests"`
	UpdatedAt transport.ZonedTime `json:"changed"`
}

func (o opportunityDTO) opportunity() (Opportunity, error) {
	if o.ID == "" {
		return Opportunity{}, transport.ErrMalformedValue
	}
	page, err := o.Interests.page()
	if err != nil {
		return Opportunity{}, err
	}
	out := Opportunity{
		ID:                  o.ID,
		Name:                o.Name,
		Step:                o.Step.step(),
		GrandTotal:          o.Value.GrandTotal.NullDecimal,
		Reservations:        Reservations{Valid: o.IsReservationValid, Until: o.ReservationsValidUntil.Time},
		Interests:           page.Interests,
		InterestCount:       page.Count,
		NextInterestsCursor: page.NextCursor,
		UpdatedAt:           o.UpdatedAt.Time,
	}
	if o.Account != nil {
		account := o.Account.ref()
		out.Account = &account
	}
	if o.FinancialUnit != nil {
		unit := o.FinancialUnit.currency()
		out.Currency = &unit
	}
	for _, a := range o.Attributes {
		out.Attributes = append(out.Attributes, Attribute{Key: a.DefinitionKey, Value: a.Value})
	}
	return out, nil
}

type anyTime struct {
	given bool       // true when the response contains the time, with or without an offset
	at    *time.Time // nil for a time without an offset
}

func (s *anyTime) UnmarshalJSON(raw []byte) error {
	var m transport.ZonedTime
	if m.UnmarshalJSON(raw) == nil {
		s.given, s.at = m.Time != nil, m.Time
		return nil
	}
	var local localTime
	if err := local.UnmarshalJSON(raw); err != nil {
		return err
	}
	s.given = true
	return nil
}

// localTime decodes a date and time without an offset (LocalDateTime), to the second.
type localTime LocalTime

func (l *localTime) UnmarshalJSON(raw []byte) error {
	if string(raw) == "null" {
		return nil
	}
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return transport.ErrMalformedValue
	}
	at, err := time.Parse(localTimeLayout, text) // time.Parse also accepts fractions of a second
	if err != nil {
		return transport.ErrMalformedValue
	}
	*l = localTime(at.Format(localTimeLayout))
	return nil
}
