package entity

import (
	"cmp"
	"fmt"
	"time"

	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

func (s *OperatorState) reportOverbooked(events []exchange.OverbookedEvent, now time.Time) {
	for _, event := range events {
		s.RaiseAttention(opportunity.AttentionEffect, overbookedKey(event.Event),
			fmt.Sprintf("the event %s (%s) is overbooked by %d; free some of the places on the event, or move learners to another event", cmp.Or(event.Title, "without a title"), event.Event, event.By), now)
	}
}

// ClearOverbooked removes the attention about an overbooked event, because a read has shown that
// the event is not overbooked any more.
func (s *OperatorState) ClearOverbooked(event opportunity.ID) {
	s.clearAttentionFor(opportunity.AttentionEffect, overbookedKey(event))
}

// overbookedKey returns the text that replaces the request id in the attention about an overbooked
// event.
func overbookedKey(event opportunity.ID) string { return string(event) }
