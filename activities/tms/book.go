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
	// Version is its number; 0 where the namespace has no playbook.
	Version int
	// Playbook is nil for one without rules.
	Playbook *playbook.Playbook
	// Keys are what requests to its services are signed with, by the names of their
	// secrets.
	Keys map[string]ServiceKey
}

// book returns the playbook that is in force when the activity is started.
func (a *Activities) book(ctx context.Context) (Book, error) { return a.bookAfter(ctx, 0) }

// bookAfter returns the playbook that is in force some time after the activity was
// started. The server's clock counts, which says when that was: the clocks of workers
// differ.
func (a *Activities) bookAfter(ctx context.Context, elapsed time.Duration) (Book, error) {
	started := activity.GetInfo(ctx).StartedTime
	if started.IsZero() {
		started = a.now()
	}
	return a.books(started.Add(elapsed))
}

// unready is the error of an activity on a worker that does not know which playbook is
// in force. The server offers the activity again, to any worker.
func unready(format string, a ...any) error {
	return temporal.NewApplicationError(fmt.Sprintf(format, a...), string(activities.ReasonPlaybook))
}
