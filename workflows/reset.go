package workflows

import (
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/opportunity"
)

// A reset makes a new run from a part of the history of another run. The server delivers all later
// messages to the new run once more. The requests that the other run sent after that part are not
// in the new history. So nothing may be sent again before the record is read. The workflow cannot
// see a reset, since its code must do the same as before. Activities report the reset, by the id of
// the run that they belong to.

// inherit finds out whether the run before was reset without noticing. That run then continued as
// new before it sent a request, and called itself by another id than the server does.
func (r *run) inherit(before string) {
	if r.state.Writer == "" {
		return
	}
	writer, epoch := activities.SplitRun(r.state.Writer)
	if writer != before {
		r.own = r.state.Writer
		return
	}
	r.own = activities.RunIn(epoch, r.own)
}

// wasReset reports whether the run was reset and the reset is not accounted for yet.
func (r *run) wasReset() bool { return r.told != "" && r.told != r.own }

// wasRestored reports whether the run comes from a restored backup of Temporal's database, and the
// restore is not accounted for yet. The requests that workers had in hand before are settled then,
// since no worker ran.
func (r *run) wasRestored() bool {
	own, _ := activities.SplitRun(r.own)
	told, _ := activities.SplitRun(r.told)
	return r.wasReset() && told == own
}

// unaccounted reports whether the run was reset and does not know yet what the run before did.
// Replayed code must not call it: after a later reset, the server knows the run by another id.
func (r *run) unaccounted(ctx workflow.Context) bool {
	own, _ := activities.SplitRun(r.own)
	return own != "" && workflow.GetInfo(ctx).WorkflowExecution.RunID != own
}

// readmits reports whether the run before may have accepted, and carried out, a message that would
// be refused; a reset delivers such a message to the run once more.
func (r *run) readmits(ctx workflow.Context) bool {
	if r.own == "" || !since(ctx, changeReadmit) {
		return false
	}
	var unaccounted bool
	told := workflow.SideEffect(ctx, func(ctx workflow.Context) any { return r.unaccounted(ctx) })
	return told.Get(&unaccounted) == nil && unaccounted
}

// accounted notes that the run now knows what the run before did.
func (r *run) accounted(ctx workflow.Context) {
	if r.told != "" {
		r.own = r.told
	}
	r.state.Reset(workflow.Now(ctx))
}

// lookForReset accounts for a reset before waiting messages are reported failed, since the run
// before may have carried them out. Perhaps no activity has reported the reset yet, so lookForReset
// asks the worker, which has the server's id of the run.
func (r *run) lookForReset(ctx workflow.Context) {
	change := "look for a reset before failing what waits"
	switch {
	case r.own == "":
		return
	case r.state.ID == "":
		change = "look for a reset before the record is known"
	case len(r.state.Queue) == 0:
		return
	}
	if workflow.GetVersion(ctx, change, workflow.DefaultVersion, 1) == workflow.DefaultVersion {
		return
	}
	side := workflow.SideEffect(ctx, func(ctx workflow.Context) any { return workflow.GetInfo(ctx).WorkflowExecution.RunID })
	var run string
	if side.Get(&run) != nil {
		return
	}
	_, epoch := activities.SplitRun(r.own)
	r.told = activities.RunIn(epoch, run)
	switch {
	case !r.wasReset():
		r.lookForRestore(ctx)
	case r.state.ID == "":
		r.lookForRecord(ctx)
	default:
		r.accountForReset(ctx, r.state.Step.ID)
	}
}

// lookForRestore accounts for a restore of Temporal's database before waiting messages are reported failed, since the run may
// have carried them out before the restore. After a restore, oppflow recover has every run read its record again. Only a
// worker knows the epoch of the namespace, so the read reports the restore.
func (r *run) lookForRestore(ctx workflow.Context) {
	if !r.state.NeedsReading() || !since(ctx, changeLastRead) {
		return
	}
	_, err := r.read(ctx, r.state.ID, activities.ToRead("read the record before failing what waits"))
	if err == nil && r.wasReset() {
		r.accountForReset(ctx, r.state.Step.ID)
	}
}

// lookForRecord finds out whether the run before, which was reset, made the record or took one
// over, and which of the waiting messages it carried out.
func (r *run) lookForRecord(ctx workflow.Context) {
	if r.settleReset(ctx) != nil {
		return // cannot be cancelled
	}
	adopt := r.state.Start.Adopt
	if adopt == "" {
		if none, err := r.find(ctx, ""); err != nil || !none && r.state.ID == "" {
			r.doubtAll(ctx) // the record is unknown, if there is a record
		}
		r.accounted(ctx)
		return
	}
	record, err := r.read(ctx, adopt, activities.ToRead("the run was reset: read the record that it may have taken over"))
	switch {
	case err != nil:
		r.doubtAll(ctx)
		r.accounted(ctx)
	case r.owner == activities.OwnerNobody, r.owner == activities.OwnerOther:
		r.accounted(ctx) // the record was not taken over
	default:
		r.state.Known(record, record.Details.Region, workflow.Now(ctx))
		r.recount(ctx, "", record)
	}
}

// doubtAll notes that the fate of all waiting changes is unknown.
func (r *run) doubtAll(ctx workflow.Context) {
	all := r.state.Backlog().Mutations
	r.state.Settle(all, slices.Repeat([]opportunity.Answer{{Fate: opportunity.FateUnknown}}, len(all)), workflow.Now(ctx))
}

// settleReset waits until no request of the run before can commit any more; a worker may have had
// such a request in hand.
func (r *run) settleReset(ctx workflow.Context) error {
	if r.wasRestored() {
		return nil
	}
	return wait(ctx, r.options.Times.SettleStarted(), "the run was reset: let the API settle before reading back")
}

// accountForReset finds out which of the waiting changes the run before made. Changes that the
// record does not decide become questions. from is the step in which the run knew the record, ""
// when the run knew of no record.
func (r *run) accountForReset(ctx workflow.Context, from opportunity.ID) {
	// The result must be known even when the workflow is cancelled in the meantime.
	ctx, stop := workflow.NewDisconnectedContext(ctx)
	defer stop()
	if r.settleReset(ctx) != nil {
		return // cannot be cancelled
	}
	record, err := r.read(ctx, r.state.ID, activities.ToRead("the run was reset: read back what became of all that waits"))
	if err != nil {
		r.doubtAll(ctx) // the record cannot be read
		r.accounted(ctx)
		return
	}
	r.recount(ctx, from, record)
}

// recount compares all waiting changes with the record.
func (r *run) recount(ctx workflow.Context, from opportunity.ID, record opportunity.Snapshot) {
	if failed, err := r.learn(ctx, r.state.Backlog().Mutations); err == nil {
		r.state.FailNames(r.state.Backlog().Mutations, failed, workflow.Now(ctx))
	}
	backlog := r.state.Backlog()
	answers := r.state.Recount(backlog, from, record, r.itemIDs())
	if r.wasRestored() {
		r.state.Restored(answers, record, workflow.Now(ctx))
	}
	r.state.Recounted(backlog, answers, record, workflow.Now(ctx))
	r.accounted(ctx)
}

// forgotten keeps unknown changes in the queue, to be decided together with all other waiting
// changes.
func forgotten(answers []opportunity.Answer) []opportunity.Answer {
	left := slices.Clone(answers)
	for i := range left {
		if unknown(left[i]) {
			left[i] = opportunity.Answer{Fate: opportunity.FateNotSent}
		}
	}
	return left
}
