package entity_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// The quantities and prices in the view are those of the record. A value that the API does not
// return is marked in the view as requested.
func TestInterestValuesFollowTheRecord(t *testing.T) {
	price, other := amount(t, "10.00"), amount(t, "8.00")
	for name, row := range map[string]struct {
		ref   exchange.InterestRef
		want  opportunity.RecordedInterest
		total string
		line  string
	}{
		"changed": {
			exchange.InterestRef{Quantity: 5, UnitAmount: &other},
			opportunity.RecordedInterest{Quantity: 5, UnitAmount: other},
			"40.00", "the record was read again: 1 interest has a changed quantity or price",
		},
		"unchanged": {
			exchange.InterestRef{Quantity: 10, UnitAmount: &price},
			opportunity.RecordedInterest{Quantity: 10, UnitAmount: price},
			"100.00", "the record was read again from the TMS",
		},
		"not returned": {
			exchange.InterestRef{},
			opportunity.RecordedInterest{Quantity: 10, UnitAmount: price, AsRequested: true},
			"100.00", "the record was read again from the TMS",
		},
		"without a price": {
			exchange.InterestRef{Quantity: 5},
			opportunity.RecordedInterest{Quantity: 5, UnitAmount: price, AsRequested: true},
			"50.00", "the record was read again: 1 interest has a changed quantity or price",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := openedState(t)
			s.Interests = []opportunity.RecordedInterest{{ID: "I", Item: string(tokens), Kind: opportunity.Tokens, Quantity: 10, UnitAmount: price}}
			row.ref.ID, row.ref.Item = "I", tokens
			row.want.ID, row.want.Item, row.want.Kind = "I", string(tokens), opportunity.Tokens
			s.ApplyRefresh(recordNow(row.ref), noon)
			v := s.View()
			if diff := cmp.Diff([]opportunity.RecordedInterest{row.want}, v.Interests); diff != "" {
				t.Error(diff)
			}
			if last := s.Timeline[len(s.Timeline)-1].Text; v.Total.String() != row.total || last != row.line {
				t.Errorf("total %s, %q; want %s, %q", v.Total, last, row.total, row.line)
			}
			s.ApplyRefresh(recordNow(exchange.InterestRef{ID: "I", Item: tokens, Quantity: 1, UnitAmount: &price}), noon)
			if got := s.View().Interests[0]; got.AsRequested || got.Quantity != 1 {
				t.Errorf("a later read shows %+v", got)
			}
		})
	}
}
