package entity

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/oppflow/oppflow/entity/markdown"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// SnoozedFollowUp is a planned follow-up that an operator delayed with the message snooze.
type SnoozedFollowUp struct {
	Key    string    `json:"key"`
	Until  time.Time `json:"until"`
	Reason string    `json:"reason,omitempty"`
}

// CompleteFollowUp stores that the follow-up with the given key was done, so that no later plan
// makes the follow-up due again.
func (s *State) CompleteFollowUp(key string, now time.Time) {
	if s.endFollowUp(exchange.DoneFollowUp{Key: key, At: now}) {
		s.appendTimeline(now, "follow-up started: "+key)
	}
	if len(s.FollowUps) == 0 && s.FollowUpsTruncated {
		s.requestPlan()
	}
}

// cancelFollowUp removes the planned follow-up without doing its action. Then the later follow-ups
// are planned again, because the cancellation of a late follow-up moves the times of the later
// follow-ups.
func (s *State) cancelFollowUp(c opportunity.CancelFollowUp, now time.Time) {
	effect := exchange.Effect{Key: c.FollowUp}
	for _, f := range s.FollowUps {
		if f.Key == c.FollowUp {
			effect.Kind = opportunity.EffectKind(f.Action.Kind)
		}
	}
	s.endFollowUp(exchange.DoneFollowUp{Key: c.FollowUp, At: now, Cancelled: true})
	s.appendTimeline(now, "an operator cancelled a follow-up: "+c.FollowUp)
	s.recordEffectResult(ActiveEffect{Effect: effect}, opportunity.EffectSkipped, c.Reason, now)
	s.requestPlan()
}

// snooze delays the follow-up. A second snooze of the same follow-up replaces the end time of the
// first snooze. snooze also requests a new plan, so that the run wakes up at the right time.
func (s *State) snooze(z opportunity.Snooze, now time.Time) {
	s.SnoozedFollowUps = slices.DeleteFunc(s.SnoozedFollowUps, func(o SnoozedFollowUp) bool { return o.Key == z.FollowUp })
	s.SnoozedFollowUps = append(s.SnoozedFollowUps, SnoozedFollowUp{Key: z.FollowUp, Until: z.Until.UTC(), Reason: z.Reason})
	s.appendTimeline(now, "an operator snoozed a follow-up until "+z.Until.UTC().Format(time.RFC3339)+": "+z.FollowUp)
	s.requestPlan()
}

// NextFollowUp returns the follow-up that is due first, and the time of this follow-up. A follow-up
// waits while an earlier follow-up of its series waits for an operator.
func (s *State) NextFollowUp() (exchange.FollowUp, time.Time, bool) {
	waiting := s.blockedSeries()
	for _, next := range s.scheduledFollowUps(s.FollowUps) {
		if !slices.Contains(waiting, next.Series()) {
			return next.FollowUp, next.at, true
		}
	}
	return exchange.FollowUp{}, time.Time{}, false
}

// NextFollowUpAt returns the time of the next follow-up, or zero when no follow-up is planned.
func (s *State) NextFollowUpAt() time.Time {
	_, at, _ := s.NextFollowUp()
	return at
}

// blockedSeries returns each series with a follow-up that waits for an operator, or that an
// operator retries.
func (s *EffectState) blockedSeries() []string {
	var all []string
	for _, j := range s.ActiveEffects {
		if j.Series != "" && j.BlockedIn != "" {
			all = append(all, j.Series)
		}
	}
	return all
}

// HasUnmarkedBlock reports whether a mail or a follow-up waits for an operator although BlockedIn
// is not set.
func (s *EffectState) HasUnmarkedBlock() bool {
	return slices.ContainsFunc(s.ActiveEffects, ActiveEffect.isUnmarkedBlock)
}

func (j ActiveEffect) isUnmarkedBlock() bool {
	return j.Problem != "" && j.BlockedIn == "" && j.IsAfter() && (j.Number > 0 || j.Effect.Kind == opportunity.EffectEmail)
}

// MarkBlocks stores the current step as the step in which mails and follow-ups began to wait for an
// operator. After MarkBlocks, the later follow-ups of the same series wait, too.
func (s *State) MarkBlocks(now time.Time) {
	for i := range s.ActiveEffects {
		j := &s.ActiveEffects[i]
		if !j.isUnmarkedBlock() {
			continue
		}
		j.BlockedIn = s.Step.ID
		if j.Series != "" && j.Number < j.Of {
			j.Problem += ". The later follow-ups of this series wait for this answer"
			s.RaiseAttention(opportunity.AttentionEffect, j.Effect.Key, j.Problem, now)
		}
	}
}

// asksBeforeRetry reports whether an operator must answer retry a second time before a mail is
// sent. The operator must decide again when the opportunity has ended since the mail began to wait.
func (s *State) asksBeforeRetry(j ActiveEffect) bool {
	return j.Effect.Kind == opportunity.EffectEmail && j.BlockedIn != "" && j.BlockedIn != s.Step.ID && s.Step.Stage.State.IsFinal()
}

// endBlockedFollowUp stores the time at which a follow-up that waited for an operator ended. The
// next follow-up of the series keeps its planned distance from this end time.
func (s *State) endBlockedFollowUp(j ActiveEffect, done bool, now time.Time) {
	_, planned, _ := strings.Cut(j.Effect.Key, "/") // the key without the number of its chain
	for i := range s.DoneFollowUps {
		if s.DoneFollowUps[i].Key == planned && j.Series != "" {
			s.DoneFollowUps[i].NotDone = !done
			if j.BlockedIn != "" {
				s.DoneFollowUps[i].At = now
			}
		}
	}
}

func (s *State) nextFollowUpText() string {
	next, at, some := s.NextFollowUp()
	if !some {
		return ""
	}
	text := fmt.Sprintf("%s (%s, %d of %d) at %s", markdown.Escape(next.Name), markdown.Escape(string(next.Action.Kind)), next.Number, next.Of, at.UTC().Format(time.RFC3339))
	if len(s.FollowUps) > 1 {
		text += fmt.Sprintf("; %d more planned", len(s.FollowUps)-1)
	}
	return text
}
