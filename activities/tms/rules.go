package tms

import (
	"time"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/playbook"
)

// lookSpread is over how much of a day the daily looks are spread of the opportunities that
// were looked at together, as after an outage or an import.
const lookSpread = 6 * time.Hour

// rules tells what the worker's playbook has; nil where that is nothing, so that a
// worker without one answers as if there were no playbooks.
func (a *Activities) rules() *activities.Rules {
	has := a.playbook.Has()
	if has == (playbook.Contents{}) {
		return nil
	}
	rules := &activities.Rules{
		Digest: a.playbook.Digest(), Moves: has.Moves, Happenings: has.Happenings, FollowUps: has.FollowUps, Learners: has.Learners,
	}
	if has.Happenings || has.FollowUps {
		rules.Quiet, rules.Spread = a.times.Quiet(), lookSpread
	}
	return rules
}
