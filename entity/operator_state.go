package entity

import (
	"fmt"
	"slices"
	"time"

	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// OperatorState contains the decisions of operators, and everything that waits for an operator.
type OperatorState struct {
	// Paused is set while the opportunity is paused, so that nothing is sent for the opportunity.
	Paused *opportunity.PauseInfo `json:"paused,omitempty"`
	// Closing is set once an operator has closed the opportunity.
	Closing *opportunity.CloseInfo `json:"closing,omitempty"`
	// RefreshDue says that the record must be read again.
	RefreshDue bool `json:"refreshDue,omitempty"`

	Question *opportunity.Question `json:"question,omitempty"`
	// TaggedByOther says that the record has the reference tag of another reference, and that an
	// operator must still answer the question about the record. TagConfirmed says that an operator
	// answered that the record belongs to this opportunity in spite of its tag.
	TaggedByOther bool `json:"taggedByOther,omitempty"`
	TagConfirmed  bool `json:"tagConfirmed,omitempty"`
	// CreateAnyway says that an operator decided to create the record without a further search in
	// the TMS.
	CreateAnyway bool `json:"createAnyway,omitempty"`
	// CreateSkipped is set when an operator has decided not to create the record.
	CreateSkipped *opportunity.Error      `json:"createSkipped,omitempty"`
	Attention     []opportunity.Attention `json:"attention,omitempty"`
	// Wait says why Oppflow sends nothing now; Wait is nil when nothing prevents sending.
	Wait *opportunity.WaitInfo `json:"waits,omitempty"`
}

// RaiseAttention keeps the newest entries, and at least one entry of each kind.
const maxAttention = 20

// RaiseAttention adds an entry of attention. If an entry of the same kind about the same request
// exists, RaiseAttention only replaces the reason.
func (s *OperatorState) RaiseAttention(word opportunity.AttentionKind, request, text string, now time.Time) {
	for i := range s.Attention {
		if s.Attention[i].Kind == word && s.Attention[i].Request == request {
			s.Attention[i].Reason = text
			return
		}
	}
	s.Attention = append(s.Attention, opportunity.Attention{Kind: word, Request: request, Reason: text, Since: now})
	for len(s.Attention) > maxAttention {
		oldest := max(0, slices.IndexFunc(s.Attention, func(a opportunity.Attention) bool { return s.attentionCount(a.Kind) > 1 }))
		s.Attention = slices.Delete(s.Attention, oldest, oldest+1)
	}
}

func (s *OperatorState) attentionCount(word opportunity.AttentionKind) int {
	n := 0
	for _, a := range s.Attention {
		if a.Kind == word {
			n++
		}
	}
	return n
}

// ClearAttention removes all attention of the given kind.
func (s *OperatorState) ClearAttention(word opportunity.AttentionKind) {
	s.Attention = slices.DeleteFunc(s.Attention, func(a opportunity.Attention) bool { return a.Kind == word })
}

func (s *OperatorState) clearAttentionFor(word opportunity.AttentionKind, request string) {
	s.Attention = slices.DeleteFunc(s.Attention, func(a opportunity.Attention) bool { return a.Kind == word && a.Request == request })
}

// AttentionKinds returns the kinds of the stored attention in order, each kind once.
func (s *OperatorState) AttentionKinds() []string {
	words := []string{}
	for _, a := range s.Attention {
		if !slices.Contains(words, string(a.Kind)) {
			words = append(words, string(a.Kind))
		}
	}
	slices.Sort(words)
	return words
}

func (s *OperatorState) reportPlanProblems(plan exchange.Plan, now time.Time) {
	for _, problem := range plan.Problems {
		s.RaiseAttention(opportunity.AttentionPlaybook, opportunity.Truncate(problem, 60), problem, now)
	}
}

func (s *OperatorState) clearEffectAttention(key string) {
	for _, word := range []opportunity.AttentionKind{opportunity.AttentionEffect, opportunity.AttentionService} {
		s.clearAttentionFor(word, key)
	}
	s.CancelWait(key)
}

// applyRequestEnd raises attention when a request has failed and no caller waits for the outcome.
func (s *OperatorState) applyRequestEnd(e requestEnd) {
	if e.outcome.State != opportunity.Failed || !e.command.NoWaiter {
		return
	}
	word, text := opportunity.AttentionFailed, fmt.Sprintf("%s failed: %s", opportunity.RedactedName(e.command.MessageName), e.outcome.Error.PublicText())
	if e.command.Payload == nil {
		word = opportunity.AttentionMessage
	}
	s.RaiseAttention(word, e.command.Request, text, e.at)
}

// startClosing stores the reason of the first message close.
func (s *State) startClosing(c opportunity.Close, now time.Time) {
	if s.Closing != nil {
		return
	}
	s.Closing = &opportunity.CloseInfo{Reason: c.Reason, Since: now}
	s.appendTimeline(now, "an operator closed the opportunity")
}
