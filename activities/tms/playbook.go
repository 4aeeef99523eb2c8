package tms

import (
	"context"
	"fmt"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms/service"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/playbook"
)

// VersionedPlaybook is one version of the tenant's playbook, with its number.
type VersionedPlaybook struct {
	// Version is the number of this version; 0 means that the namespace has no playbook.
	Version int
	// Playbook is nil for a playbook without rules.
	Playbook *playbook.Playbook
	// ServiceKeys are the keys that sign requests to the services of the playbook, by the names of
	// the secrets in the playbook.
	ServiceKeys map[string]service.Key
	// NameProblems has one line for each name in the playbook that does not exist in the tenant's TMS
	// any more.
	NameProblems []string
}

func (a *Activities) currentPlaybook(ctx context.Context) (VersionedPlaybook, error) {
	return a.playbookAfterStart(ctx, 0)
}

// The start time comes from the Temporal server's clock, because the clocks of workers differ.
func (a *Activities) playbookAfterStart(ctx context.Context, elapsed time.Duration) (VersionedPlaybook, error) {
	return a.playbookAt(a.startedAt(ctx).Add(elapsed))
}

func (a *Activities) startedAt(ctx context.Context) time.Time {
	if started := activity.GetInfo(ctx).StartedTime; !started.IsZero() {
		return started
	}
	return a.now()
}

// The Temporal server retries an activity with this error on any worker.
func playbookUnavailable(format string, a ...any) error {
	return temporal.NewApplicationError(fmt.Sprintf(format, a...), string(activities.ReasonPlaybookUnavailable))
}

// dailyReadSpread is the time over which the daily reads are spread, so that the worker does not
// read many opportunities at the same time, for example after an outage or an import.
const dailyReadSpread = 6 * time.Hour

// playbookFeatures returns the features of the playbook in force, or nil if the playbook has no
// features and the namespace has no playbook.
//
// An activity must call playbookFeatures before it sends a request, because playbookFeatures
// returns an error if the worker does not know the playbook in force.
func (a *Activities) playbookFeatures(ctx context.Context) (*activities.PlaybookFeatures, error) {
	book, err := a.currentPlaybook(ctx)
	if err != nil {
		return nil, err
	}
	return a.featuresOf(ctx, book), nil
}

func (a *Activities) featuresOf(ctx context.Context, book VersionedPlaybook) *activities.PlaybookFeatures {
	has, keepOpen := book.Playbook.Features(), book.Playbook.KeepOpen(a.startedAt(ctx))
	if !has.Transitions && !has.Reactions && !has.FollowUps && keepOpen == (exchange.KeepOpen{}) {
		if book.Version == 0 {
			return nil
		}
		return &activities.PlaybookFeatures{Version: book.Version}
	}
	rules := &activities.PlaybookFeatures{
		Version: book.Version,
		Digest:  book.Playbook.Digest(), Transitions: has.Transitions, Reactions: has.Reactions, FollowUps: has.FollowUps, Learners: has.Learners,
		KeepOpen: keepOpen,
	}
	if has.Transitions {
		rules.NoticeWithin = a.times.NoticeWithin()
	}
	if has.Reactions || has.FollowUps {
		rules.QuietTime, rules.Spread = a.times.Quiet(), dailyReadSpread
		if len(book.NameProblems) == 0 { // otherwise the workflow plans in every step, and the plans report the wrong names
			rules.FollowUpSteps = has.Steps
		}
	}
	return rules
}

func playbookUnavailableResult(err error) activities.CallResult {
	return activities.CallResult{
		Status: exchange.StatusNotSent, Reason: activities.ReasonPlaybookUnavailable, Error: opportunity.Failf(opportunity.Rejected, "%s", err),
	}
}
