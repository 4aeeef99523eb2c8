package entity_test

import (
	"strings"
	"testing"

	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

const keptFigures = "the currency changed from GBP to EUR; the amounts of the interests keep their figures"

// TestANewCurrencyKeepsTheFigures: the outcome and the timeline say that amounts are not converted.
func TestANewCurrencyKeepsTheFigures(t *testing.T) {
	in := func(currency string) *opportunity.Details {
		return &opportunity.Details{Name: "First Aid", Currency: currency}
	}
	for _, c := range []struct {
		name      string
		interests int
		from, to  string
		want      string
	}{
		{"another currency", 1, "GBP", "EUR", keptFigures},
		{"the same currency", 1, "EUR", "EUR", ""},
		{"no interest", 0, "GBP", "EUR", ""},
		{"no currency before", 1, "", "EUR", ""},
		{"a currency that the API does not show", 1, "GBP", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := openedState(t)
			if c.interests > 0 {
				accept(t, s, addInterests(opportunity.Interest{Item: string(course), Quantity: 1}), "interest")
				sendBatch(t, s, exchange.ChangeResult{Status: exchange.StatusDone, Interests: []exchange.InterestRef{interestRef("a", course)}})
			}
			s.Details.Currency = c.from
			accept(t, s, opportunity.UpdateDetails{Currency: "EUR"}, "currency")
			sendBatch(t, s, exchange.ChangeResult{Status: exchange.StatusDone, Details: in(c.to)})
			got := outcome(t, s, "currency")
			if got.State != opportunity.Done || got.Note != c.want {
				t.Errorf("the outcome is %+v, want the note %q", got, c.want)
			}
			if last := s.Timeline[len(s.Timeline)-1].Text; strings.Contains(last, keptFigures) != (c.want != "") {
				t.Errorf("the timeline ends with %q", last)
			}
		})
	}
}

// TestAPersonChangesTheCurrency: a change of the currency in the TMS is in the timeline.
func TestAPersonChangesTheCurrency(t *testing.T) {
	s := openedState(t)
	accept(t, s, addInterests(opportunity.Interest{Item: string(course), Quantity: 1}), "interest")
	sendBatch(t, s, exchange.ChangeResult{Status: exchange.StatusDone, Interests: []exchange.InterestRef{interestRef("a", course)}})
	s.Details.Currency = "GBP"
	record := recordNow(interestRef("a", course))
	record.Details.Currency = "EUR"
	s.ApplyRefresh(record, noon)
	if last := s.Timeline[len(s.Timeline)-1].Text; !strings.Contains(last, keptFigures) {
		t.Errorf("the timeline ends with %q", last)
	}
}
