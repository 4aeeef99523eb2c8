package exchange

import (
	"time"

	"github.com/oppflow/oppflow/opportunity"
)

// PlaybookFeatures say which rules the worker's playbook has. A run requests a plan only when the
// playbook has rules to plan. The zero value means a worker without a playbook.
type PlaybookFeatures struct {
	// Version is the version number of the namespace's playbook; 0 when the namespace has none.
	Version int `json:"version,omitempty"`
	// Digest identifies the playbook; "" means that the worker has no playbook.
	Digest string `json:"digest,omitempty"`
	// Transitions, Reactions and FollowUps say that the playbook has rules of that kind.
	Transitions bool `json:"moves,omitempty"`
	Reactions   bool `json:"happenings,omitempty"`
	FollowUps   bool `json:"followUps,omitempty"`
	// FollowUpSteps are the steps in which the playbook has follow-ups; "" means every step,
	// because earlier workers do not name the steps.
	FollowUpSteps StepPatterns `json:"at,omitempty"`
	// Learners says that the playbook may register learners, create contacts for learners, or send mails
	// to learners.
	Learners bool `json:"learners,omitempty"`
	// QuietTime is how long a run waits after a change before it plans the follow-ups again, in
	// nanoseconds. A further change restarts the wait, up to six times this time in total. 0 means
	// no wait, as in workers before this setting.
	QuietTime time.Duration `json:"quiet,omitempty"`
	// Spread is the part of a day, in nanoseconds, over which the next daily reads of many
	// opportunities are distributed. Spread matters for opportunities that were read in the same
	// moment. 0 means no distribution, as in workers before this setting.
	Spread time.Duration `json:"spread,omitempty"`
}

// ShouldPoll reports whether the playbook has rules that need repeated reads of the record.
func (r PlaybookFeatures) ShouldPoll() bool { return r.Reactions || r.FollowUps }

// HasFollowUpsIn reports whether the playbook has follow-ups in the step.
func (r PlaybookFeatures) HasFollowUpsIn(step opportunity.Step) bool {
	return r.FollowUps && r.FollowUpSteps.Matches(step)
}
