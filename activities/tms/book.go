package tms

import (
	"context"
	"fmt"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"github.com/oppflow/oppflow/activities"
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
