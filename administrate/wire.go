package administrate

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/shopspring/decimal"
)

// The shapes of answers; a member that is null or missing stays zero.

var errAnswer = errors.New("a member is not of the expected form")

// amount decodes a decimal from text or from a number, never through a float.
type amount struct{ decimal.NullDecimal }

func (a *amount) UnmarshalJSON(raw []byte) error {
	if string(raw) == "null" {
		return nil
	}
	text := string(raw)
	if len(raw) > 0 && raw[0] == '"' {
		if err := json.Unmarshal(raw, &text); err != nil {
			return errAnswer
		}
	}
	if len(text) > 70 {
		return errAnswer
	}
	value, err := decimal.NewFromString(text)
	if err != nil || !reasonable(value) {
		return errAnswer
	}
	a.NullDecimal = decimal.NewNullDecimal(value)
	return nil
}

// moment decodes a date and time with an offset (TimeZonedDateTime).
type moment struct{ *time.Time }

func (m *moment) UnmarshalJSON(raw []byte) error {
	if string(raw) == "null" {
		return nil
	}
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return errAnswer
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return errAnswer
	}
	m.Time = &at
	return nil
}

type namedAnswer struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

func (n namedAnswer) named() Named { return Named(n) }

type stepAnswer struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Stage struct {
		ID    string `json:"id"`
		Name  string `json:"name"`
		State string `json:"state"`
	} `json:"stage"`
}

func (s stepAnswer) step() Step {
	return Step{ID: s.ID, Name: s.Name, Stage: Stage(s.Stage)}
}

type unitAnswer struct {
	Name   string `json:"name"`
	Code   string `json:"code"`
	Symbol string `json:"symbol"`
}

func (u unitAnswer) currency() Currency { return Currency(u) }

type pageInfoAnswer struct {
	TotalRecords int    `json:"totalRecords"`
	HasNextPage  bool   `json:"hasNextPage"`
	EndCursor    string `json:"endCursor"`
}

// more is the cursor of the next page.
func (p pageInfoAnswer) more() string {
	if !p.HasNextPage {
		return ""
	}
	return p.EndCursor
}

// connection is the form of every one-to-many member (documented).
type connection[T any] struct {
	Edges []struct {
		Node *T `json:"node"`
	} `json:"edges"`
	PageInfo pageInfoAnswer `json:"pageInfo"`
}

// nodes returns the rows. The API could not give a null row, and nodes then fails: no
// list is better than an unnoticed gap. nodes also fails for a page that promises another
// page without a cursor.
func (c connection[T]) nodes() ([]T, error) {
	rows := make([]T, 0, len(c.Edges))
	for _, edge := range c.Edges {
		if edge.Node == nil {
			return nil, errAnswer
		}
		rows = append(rows, *edge.Node)
	}
	if c.PageInfo.HasNextPage && c.PageInfo.EndCursor == "" {
		return nil, errAnswer
	}
	return rows, nil
}

type itemAnswer struct {
	ID            string `json:"id"`
	Typename      string `json:"__typename"`
	TemplateCode  string `json:"templateCode"`
	TemplateTitle string `json:"templateTitle"`
	EventCode     string `json:"eventCode"`
	EventTitle    string `json:"eventTitle"`
	PathCode      string `json:"pathCode"`
	PathName      string `json:"pathName"`
	TokenName     string `json:"tokenName"`
}

func (i itemAnswer) item() Item {
	return Item{
		ID:    i.ID,
		Type:  i.Typename,
		Code:  i.TemplateCode + i.EventCode + i.PathCode, // an item has one type only
		Title: i.TemplateTitle + i.EventTitle + i.PathName + i.TokenName,
	}
}

type interestAnswer struct {
	ID          string     `json:"id"`
	Typename    string     `json:"__typename"`
	TotalAmount amount     `json:"totalAmount"`
	Item        itemAnswer `json:"item"`
	Quantity    *int       `json:"quantity"`
	UnitAmount  amount     `json:"unitAmount"`
}

func (i interestAnswer) interest() Interest {
	return Interest{
		ID:         i.ID,
		Item:       i.Item.item(),
		Total:      i.TotalAmount.NullDecimal,
		Quantity:   i.Quantity,
		UnitAmount: i.UnitAmount.NullDecimal,
	}
}

// interests converts rows and refuses a row without an id.
func interests(rows []interestAnswer) ([]Interest, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	out := make([]Interest, len(rows))
	for i, row := range rows {
		if row.ID == "" {
			return nil, errAnswer
		}
		out[i] = row.interest()
	}
	return out, nil
}

type interestsAnswer struct{ connection[interestAnswer] }

func (c interestsAnswer) page() (InterestPage, error) {
	rows, err := c.nodes()
	if err != nil {
		return InterestPage{}, err
	}
	lines, err := interests(rows)
	if err != nil {
		return InterestPage{}, err
	}
	return InterestPage{Interests: lines, Count: c.PageInfo.TotalRecords, More: c.PageInfo.more()}, nil
}

type opportunityAnswer struct {
	ID            string       `json:"id"`
	Name          string       `json:"name"`
	Step          stepAnswer   `json:"step"`
	Account       *namedAnswer `json:"account"`
	FinancialUnit *unitAnswer  `json:"financialUnit"`
	Value         struct {
		GrandTotal amount `json:"grandTotal"`
	} `json:"value"`
	IsReservationValid     bool   `json:"isReservationValid"`
	ReservationsValidUntil moment `json:"reservationsValidUntil"`
	Attributes             []struct {
		DefinitionKey string `json:"definitionKey"`
		Value         string `json:"value"`
	} `json:"attributes"`
	Interests interestsAnswer `json:"interests"`
	Changed   moment          `json:"changed"`
}

func (o opportunityAnswer) opportunity() (Opportunity, error) {
	if o.ID == "" {
		return Opportunity{}, errAnswer
	}
	page, err := o.Interests.page()
	if err != nil {
		return Opportunity{}, err
	}
	out := Opportunity{
		ID:            o.ID,
		Name:          o.Name,
		Step:          o.Step.step(),
		GrandTotal:    o.Value.GrandTotal.NullDecimal,
		Reservations:  Reservations{Valid: o.IsReservationValid, Until: o.ReservationsValidUntil.Time},
		Interests:     page.Interests,
		InterestCount: page.Count,
		MoreInterests: page.More,
		Changed:       o.Changed.Time,
	}
	if o.Account != nil {
		account := o.Account.named()
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

// stamp is a time with or without an offset.
type stamp struct {
	given bool       // it has a value
	at    *time.Time // nil without an offset
}

func (s *stamp) UnmarshalJSON(raw []byte) error {
	var m moment
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
		return errAnswer
	}
	at, err := time.Parse(localTimeLayout, text) // accepts parts of a second, too
	if err != nil {
		return errAnswer
	}
	*l = localTime(at.Format(localTimeLayout))
	return nil
}
