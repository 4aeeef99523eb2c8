package tms

import (
	"context"
	"fmt"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/playbook"
)

// Book is a version of the tenant's playbook.
type Book struct {
	// Version is the number of the version; 0 where the namespace has no playbook.
	Version int
	// Playbook is nil for a playbook without rules.
	Playbook *playbook.Playbook
	// Keys are the keys that sign requests to the services of the playbook, by the names of
	// their secrets.
	Keys map[string]ServiceKey
}

// book returns the playbook that is in force at the start of the activity.
func (a *Activities) book(ctx context.Context) (Book, error) { return a.bookAfter(ctx, 0) }

// bookAfter returns the playbook that is in force some time after the start of the
// activity. The server's clock says when the activity started, because the clocks of
// workers differ.
func (a *Activities) bookAfter(ctx context.Context, elapsed time.Duration) (Book, error) {
	started := activity.GetInfo(ctx).StartedTime
	if started.IsZero() {
		started = a.now()
	}
	return a.books(started.Add(elapsed))
}

// unready returns the error of an activity on a worker that does not know which playbook
// is in force. The server offers the activity again, to any worker.
func unready(format string, a ...any) error {
	return temporal.NewApplicationError(fmt.Sprintf(format, a...), string(activities.ReasonPlaybook))
}

// lookSpread is the part of a day over which daily looks are spread. It is for
// opportunities that were looked at together, as after an outage or an import.
const lookSpread = 6 * time.Hour

// rules returns what the playbook in force has. It returns nil where the playbook has
// nothing and the namespace has no playbook. A worker then answers as if there were no
// playbooks.
//
// rules runs before anything is sent. A worker that does not know the playbook returns an
// error.
func (a *Activities) rules(ctx context.Context) (*activities.Rules, error) {
	book, err := a.book(ctx)
	if err != nil {
		return nil, err
	}
	return a.rulesOf(book), nil
}

func (a *Activities) rulesOf(book Book) *activities.Rules {
	has := book.Playbook.Has()
	if !has.Moves && !has.Happenings && !has.FollowUps {
		if book.Version == 0 {
			return nil
		}
		return &activities.Rules{Version: book.Version}
	}
	rules := &activities.Rules{
		Version: book.Version,
		Digest:  book.Playbook.Digest(), Moves: has.Moves, Happenings: has.Happenings, FollowUps: has.FollowUps, Learners: has.Learners,
	}
	if has.Happenings || has.FollowUps {
		rules.Quiet, rules.Spread, rules.At = a.times.Quiet(), lookSpread, has.At
	}
	return rules
}

// ruleless returns the fate of a request of a worker that does not know which playbook is
// in force.
func ruleless(err error) activities.Sending {
	return activities.Sending{
		Fate: opportunity.FateNotSent, Reason: activities.ReasonPlaybook, Error: opportunity.Failf(opportunity.Rejected, "%s", err),
	}
}
