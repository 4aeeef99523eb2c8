// Package manual contains the transitions that people make by hand in the TMS. Only package entity may
// import this package.
package manual

import (
	"cmp"
	"fmt"
	"time"

	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// Transition is a transition by hand whose effects are not planned yet.
type Transition struct {
	// From is the last known step before the transition. To is the step in which a read found the
	// record.
	From opportunity.Step `json:"from"`
	To   opportunity.Step `json:"to"`
	// NoticedAt is the time of the read that found the record in To. Late says that the record was
	// last seen in From longer ago than the permitted delay, or at an unknown time.
	NoticedAt time.Time `json:"noticedAt"`
	Late      bool      `json:"late,omitempty"`
	// AfterReset says that the run was reset after NoticedAt. The run before the reset may have done
	// the effects.
	AfterReset bool `json:"afterReset,omitempty"`
}

// DefaultNoticeWithin is the permitted delay, unless the worker gives another delay. The delay
// begins when the record was last seen in the step before the transition, and ends with the read
// that finds the transition. After a longer delay, an operator decides about mails and calls.
// DefaultNoticeWithin is twice the longest time between two daily reads.
const DefaultNoticeWithin = 2 * 24 * time.Hour

// NewTransition returns the transition by hand that a read found at the time now. seenAt is the
// time at which the record was last seen in the step from; zero when that time is unknown. The
// transition is late if more than the time within has passed since seenAt; 0 means
// DefaultNoticeWithin.
func NewTransition(from, to opportunity.Step, seenAt, now time.Time, within time.Duration) *Transition {
	return &Transition{From: from, To: to, NoticedAt: now, Late: seenAt.IsZero() || now.Sub(seenAt) > cmp.Or(within, DefaultNoticeWithin)}
}

// Cause returns the transition as the cause of a plan.
func (t *Transition) Cause() exchange.PlanCause {
	return exchange.PlanCause{Kind: exchange.CauseTransition, From: t.From, To: t.To}
}

// NeedsOperator reports whether an operator decides about the effect: a mail or a call after a
// transition that was noticed late.
func (t *Transition) NeedsOperator(e exchange.Effect) bool {
	return t.Late && (e.Kind == opportunity.EffectEmail || e.Kind == opportunity.EffectCall)
}

// Question returns the question to an operator about the effect.
func (t *Transition) Question(e exchange.Effect) string {
	answers := "Answer retry (Oppflow sends the mail), confirm (the mail was sent) or skip (Oppflow drops the mail)"
	if e.Kind == opportunity.EffectCall {
		answers = "Answer retry (Oppflow calls the service), confirm (the call was carried out) or skip (Oppflow drops the call)"
	}
	return fmt.Sprintf("the transition to %s was made by hand and noticed late. %s", t.To.Name, answers)
}
