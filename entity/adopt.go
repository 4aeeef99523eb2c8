package entity

import (
	"time"

	"github.com/oppflow/oppflow/entity/readback"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// AdoptFound takes over a record that was found by its reference tag. An earlier run created the
// record, or the response to the request that created the record was lost. The interests of the
// record count as the first interests of the start if they match item by item and no other match is
// possible. If several matches are possible, AdoptFound raises a question, because a second send of
// the same interest would double the interest.
func (s *State) AdoptFound(record exchange.Snapshot, region opportunity.Ref, resolved map[exchange.UnresolvedName]opportunity.ID, now time.Time) {
	start := s.Start
	s.ApplyCreated(record, region, now)
	s.appendTimeline(now, "the record was found by its reference tag and adopted")
	if start == nil || len(start.Interests) == 0 || len(record.Interests) == 0 {
		s.MarkUnattributed(record)
		return
	}
	entry := &s.Queue[0]
	entry.Results = make([]opportunity.InterestResult, entry.ChangeCount)
	asked := exchange.StartChanges(*start)
	wishes := make([]readback.ExpectedInterest, len(asked))
	for i, m := range asked {
		wishes[i] = readback.ExpectedInterestOf(m, resolved)
	}
	there := record.Interests[:min(len(record.Interests), len(asked))]
	for !readback.IsUniquePrefix(there, wishes) {
		entry.InDoubt = true
		there = there[:len(there)-1]
	}
	for i, ref := range there {
		interest := *asked[i].Interest
		entry.Results[i] = opportunity.InterestResult{Item: interest.Item, Interest: ref.ID}
		s.Interests = append(s.Interests, interest.Recorded(ref.ID))
		// The earlier request to create the record may not have set the expiry time of the places.
		s.ExpiryPending = s.ExpiryPending || interest.Reserve && !record.Reservation.Valid
	}
	s.MarkUnattributed(record)
	if entry.RemainingChangeCount() == 0 {
		finished := *entry
		s.Queue = s.Queue[1:]
		s.endRequest(finished, nil, now)
	}
	s.updateQuestion(now)
}

// AdoptAfterReset takes over a record that exists when a run begins after a reset. The run before
// the reset may have made changes that the record shows. AdoptAfterReset does not count any
// interest of the record as an interest of the start.
func (s *State) AdoptAfterReset(record exchange.Snapshot, region opportunity.Ref, now time.Time) {
	s.setRecord(record, region, now)
	s.Entered, s.LastActivity = now, now
	s.appendTimeline(now, "the record was adopted in step "+record.Step.Name)
}

// Adopt takes over the record whose id is in the start. The view shows the interests of the record,
// but these interests never count as the effect of a request.
func (s *State) Adopt(record exchange.Snapshot, region opportunity.Ref, now time.Time) {
	s.setRecord(record, region, now)
	since, adopted := exchange.AdoptionTimes(record, now)
	s.Entered, s.LastActivity, s.AdoptedAt = since, since, adopted
	s.appendTimeline(now, "the record was adopted in step "+record.Step.Name)
	s.addUnknownInterests(record)
}

// RaiseCreateQuestion asks an operator whether the record exists.
func (s *State) RaiseCreateQuestion(because string, now time.Time) {
	s.Question = &opportunity.Question{
		Request: opportunity.CreateRequestID, MessageName: "start", Since: now,
		Text: "was the record created? Oppflow cannot decide this: " + because +
			". Search for the record in the TMS. Then answer confirm with the id of the record (the record was created), retry (the record was not created: create the record) or skip (end this run without a record).",
	}
	s.RaiseAttention(opportunity.AttentionUndecided, opportunity.CreateRequestID, s.Question.Text, now)
	s.appendTimeline(now, "a question waits for an operator: was the record created?")
}

func (s *State) resolveCreateQuestion(text string, now time.Time) {
	s.Question = nil
	s.ClearAttention(opportunity.AttentionUndecided)
	s.appendTimeline(now, text)
}

func (s *State) isCreateQuestion(request string) bool {
	return request == opportunity.CreateRequestID && s.ID == "" && s.Question != nil
}
