package exchange

import (
	"time"

	"github.com/oppflow/oppflow/opportunity"
)

// PlaybookFeatures says which kinds of rules the worker's playbook has. A run requests a plan only
// when the playbook has rules of the necessary kind. The zero value belongs to a worker without a
// playbook.
type PlaybookFeatures struct {
	// Version is the version number of the namespace's playbook, or 0 when the namespace has no
	// playbook.
	Version int `json:"version,omitempty"`
	// Digest identifies the playbook; "" means that the worker has no playbook.
	Digest string `json:"digest,omitempty"`
	// Transitions, Reactions and FollowUps say that the playbook has rules for transitions,
	// reactions or follow-ups.
	Transitions bool `json:"moves,omitempty"`
	Reactions   bool `json:"happenings,omitempty"`
	FollowUps   bool `json:"followUps,omitempty"`
	// FollowUpSteps are the steps for which the playbook has follow-ups. The empty text means every
	// step, because earlier workers do not list the steps.
	FollowUpSteps StepPatterns `json:"at,omitempty"`
	// Learners says that the playbook may register learners, create contacts for learners, or send
	// mails to learners.
	Learners bool `json:"learners,omitempty"`
	// QuietTime is the time, in nanoseconds, that a run waits after a change before the run plans
	// the follow-ups again. Each further change restarts QuietTime, but the run waits at most six
	// times QuietTime in total. If QuietTime is 0, the run does not wait; earlier workers, which
	// did not have QuietTime, send 0.
	QuietTime time.Duration `json:"quiet,omitempty"`
	// Spread is the time, in nanoseconds, over which the next daily reads of many opportunities are
	// distributed. Without Spread, opportunities that were read at the same moment would be read at
	// the same moment every day. If Spread is 0, the reads are not distributed; earlier workers,
	// which did not have Spread, send 0.
	Spread time.Duration `json:"spread,omitempty"`
	// KeepOpen says how long an opportunity takes messages after it has reached a final state.
	KeepOpen KeepOpen `json:"keepOpen,omitzero"`
	// NoticeWithin is the permitted delay, in nanoseconds, of the read that shows a transition by
	// hand. The delay begins when the record was last seen in the step before the transition. After
	// a longer delay, an operator decides about mails and calls. If NoticeWithin is 0, the run uses
	// its default; earlier workers, which did not have NoticeWithin, send 0.
	NoticeWithin time.Duration `json:"noticeWithin,omitempty"`
}

// KeepOpen contains the time, in nanoseconds, for which an opportunity takes messages after it has
// reached a final state. The worker calculates the time at the start of the activity, because a
// period in days depends on the tenant's time zone and holidays.
type KeepOpen struct {
	Won      time.Duration `json:"won,omitempty"`
	Lost     time.Duration `json:"lost,omitempty"`
	Archived time.Duration `json:"archived,omitempty"`
}

// In returns the time for a final state, or 0 for a state that is not final.
func (k KeepOpen) In(state opportunity.StageState) time.Duration {
	switch state {
	case opportunity.Won:
		return k.Won
	case opportunity.Lost:
		return k.Lost
	case opportunity.Archived:
		return k.Archived
	}
	return 0
}

// ShouldPoll reports whether the playbook has rules for which the run must read the record
// repeatedly.
func (r PlaybookFeatures) ShouldPoll() bool { return r.Reactions || r.FollowUps }

// HasFollowUpsIn reports whether the playbook may have follow-ups for the step.
func (r PlaybookFeatures) HasFollowUpsIn(step opportunity.Step) bool {
	return r.FollowUps && r.FollowUpSteps.Matches(step)
}
