package entity_test

import (
	"testing"
	"time"

	"github.com/oppflow/oppflow/entity"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// The state counts as equal to the record only for a short time, and only while nothing indicates a
// change.
func TestKnownRecord(t *testing.T) {
	for name, c := range map[string]struct {
		change func(s *entity.State)
		after  time.Duration
		want   bool
	}{
		"just read":                     {want: true},
		"as old as allowed":             {after: exchange.MaxRecordAge, want: true},
		"older":                         {after: exchange.MaxRecordAge + time.Nanosecond},
		"the record is to be read":      {change: func(s *entity.State) { s.RefreshDue = true }},
		"after a reset":                 {change: func(s *entity.State) { s.ApplyReset(noon) }},
		"the step is not confirmed":     {change: func(s *entity.State) { s.StepUnconfirmed = true }},
		"places without an expiry":      {change: func(s *entity.State) { s.ExpiryPending = true }},
		"places that have expired":      {change: func(s *entity.State) { s.Reservation = opportunity.Reservation{Valid: true, Until: noon} }},
		"a transition by hand":          {change: func(s *entity.State) { s.AddManualTransition(opportunity.Step{ID: "other"}, noon) }},
		"an interest of unknown origin": {change: func(s *entity.State) { s.Unattributed = []opportunity.ID{"one"} }},
		"an interest of unknown kind":   {change: func(s *entity.State) { s.Interests = []opportunity.RecordedInterest{{ID: "one"}} }},
		"a service is called":           {change: func(s *entity.State) { s.ActiveEffects = []entity.ActiveEffect{{Calling: true}} }},
		"a request with a change undone": {change: func(s *entity.State) {
			s.ConfirmRecord(nil, []exchange.ChangeResult{{Status: exchange.StatusDone}, {Status: exchange.StatusRejected}}, noon)
		}},
		"a request that was made": {change: func(s *entity.State) {
			s.ConfirmRecord(nil, []exchange.ChangeResult{{Status: exchange.StatusDone}}, noon)
		}, want: true},
		"a request of an effect": {change: func(s *entity.State) {
			s.ActiveEffects = []entity.ActiveEffect{{Effect: exchange.Effect{Key: "1/a", Kind: opportunity.EffectAttributes}, Stage: opportunity.EffectStageAfter}}
			s.ApplyEffectRequestResult("1/a", exchange.EffectRequest{Kind: exchange.RequestSetAttributes}, exchange.ChangeResult{Status: exchange.StatusDone}, exchange.UndoEntry{}, nil, noon)
		}},
		"a rejected request": {change: func(s *entity.State) {
			s.ApplyRejectedRequest(nil, &opportunity.Error{Type: opportunity.Rejected}, noon)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := openedState(t)
			s.ApplySnapshot(recordNow(), noon)
			if c.change != nil {
				c.change(s)
			}
			got, is := s.KnownRecord(noon.Add(c.after))
			if is != c.want || is && (got.ID != s.ID || got.Step != s.Step || got.Details != s.Details || len(got.Interests) > 0) {
				t.Errorf("the known record is %+v, %t; want %t", got, is, c.want)
			}
		})
	}
}

// A response that contains the whole record confirms the state only if both are equal.
func TestConfirmRecord(t *testing.T) {
	amount := func(text string) *opportunity.Amount {
		a, err := opportunity.ParseAmount(text)
		if err != nil {
			t.Fatal(err)
		}
		return &a
	}
	for name, c := range map[string]struct {
		change func(r *exchange.Snapshot)
		want   bool
	}{
		"equal":                  {change: func(*exchange.Snapshot) {}, want: true},
		"values are not shown":   {change: func(r *exchange.Snapshot) { r.Interests[0].Quantity, r.Interests[0].UnitAmount = 0, nil }, want: true},
		"the region is shown":    {change: func(r *exchange.Snapshot) { r.Details.Region = opportunity.Ref{ID: "region"} }, want: true},
		"another step":           {change: func(r *exchange.Snapshot) { r.Step.ID = "other" }},
		"another account":        {change: func(r *exchange.Snapshot) { r.Details.Account.ID = "other" }},
		"another currency":       {change: func(r *exchange.Snapshot) { r.Details.Currency = "JPY" }},
		"another name":           {change: func(r *exchange.Snapshot) { r.Details.Name = "other" }},
		"another reservation":    {change: func(r *exchange.Snapshot) { r.Reservation.Until = noon }},
		"an interest more":       {change: func(r *exchange.Snapshot) { r.Interests = append(r.Interests, exchange.InterestRef{ID: "more"}) }},
		"an interest less":       {change: func(r *exchange.Snapshot) { r.Interests = nil }},
		"another interest":       {change: func(r *exchange.Snapshot) { r.Interests[0].ID = "other" }},
		"another quantity":       {change: func(r *exchange.Snapshot) { r.Interests[0].Quantity = 3 }},
		"another unit amount":    {change: func(r *exchange.Snapshot) { r.Interests[0].UnitAmount = amount("1") }},
		"the record of somebody": {change: func(r *exchange.Snapshot) { r.ID = "other" }},
	} {
		t.Run(name, func(t *testing.T) {
			s := openedState(t)
			record := recordNow()
			record.Interests = []exchange.InterestRef{{ID: "one", Item: "item", Quantity: 2, UnitAmount: amount("199.90")}}
			s.ApplySnapshot(record, noon)
			c.change(&record)
			later := noon.Add(exchange.MaxRecordAge)
			shown := len(record.Interests) > 0 && record.Interests[0].UnitAmount != nil
			s.ConfirmRecord(&record, []exchange.ChangeResult{{Status: exchange.StatusDone}}, later)
			if got := s.RecordSeenAt.Equal(later); got != c.want || !c.want && !s.RecordSeenAt.IsZero() {
				t.Errorf("last seen at %v, want a confirmation: %t", s.RecordSeenAt, c.want)
			}
			if c.want && s.Interests[0].AsRequested == shown {
				t.Errorf("the values of the interest are shown: %t, but marked as requested: %t", shown, s.Interests[0].AsRequested)
			}
		})
	}
}
