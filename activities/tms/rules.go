package tms

import (
	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/playbook"
)

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
		rules.Quiet = a.times.Quiet()
	}
	return rules
}
