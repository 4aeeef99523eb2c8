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

// TestAPersonWorksWithTheRecord: a new name and a new account in the TMS count as activity.
func TestAPersonWorksWithTheRecord(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(*opportunity.Details)
		want string
	}{
		{"a new name", func(d *opportunity.Details) { d.Name = "First Aid in June" }, "the name changed"},
		{"a new account", func(d *opportunity.Details) { d.Account.ID = "another" }, "the account changed"},
		{"an account that the read does not show", func(d *opportunity.Details) { d.Account.ID = "" }, ""},
		{"no change", func(*opportunity.Details) {}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := openedState(t)
			s.Details.Account.ID = "account"
			record := recordNow()
			record.Details = s.Details
			c.edit(&record.Details)
			before, later := s.LastActivity, noon.AddDate(0, 0, 3)
			s.ApplyRefresh(record, later)
			if active := s.LastActivity.Equal(later); active != (c.want != "") || !active && !s.LastActivity.Equal(before) {
				t.Errorf("the last activity is %s", s.LastActivity)
			}
			if last := s.Timeline[len(s.Timeline)-1].Text; c.want != "" && !strings.Contains(last, c.want) {
				t.Errorf("the timeline ends with %q", last)
			}
		})
	}
}
