package workflows

import (
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// A reset makes a new run from the history of another run up to the reset point. The server
// delivers all messages after the reset point to the new run once more. The history of the new run
// does not contain the requests that the other run sent after the reset point. After a reset, the
// new run must therefore read the record before it sends a change. The workflow cannot detect a
// reset by itself, because replayed code must do the same as before the reset. An activity reports
// the reset: the activity returns the run id by which the server knows the run.

// detectMissedReset finds out whether the previous run was reset and did not detect the reset. A
// previous run that did not detect its reset continued as new before it sent a request. The run id
// that the previous run stored as its own differs from the server's run id of the previous run.
func (r *run) detectMissedReset(before string) {
	if r.state.PreviousRunID == "" {
		return
	}
	writer, epoch := activities.SplitEpochRunID(r.state.PreviousRunID)
	if writer != before {
		r.believedRunID = r.state.PreviousRunID
		return
	}
	r.believedRunID = activities.EpochRunID(epoch, r.believedRunID)
}

func (r *run) hasUnhandledReset() bool {
	return r.actualRunID != "" && r.actualRunID != r.believedRunID
}

// The API can no longer commit a request from before a restore, because no worker runs during the
// restore.
func (r *run) hasUnhandledRestore() bool {
	own, _ := activities.SplitEpochRunID(r.believedRunID)
	runID, _ := activities.SplitEpochRunID(r.actualRunID)
	return r.hasUnhandledReset() && runID == own
}

// isReplacedOnServer reports whether the run was reset and does not know yet what the run before
// the reset did. Only a validator or the function of a SideEffect may call isReplacedOnServer,
// because replay runs neither validators nor functions of a SideEffect. On replay after another
// reset, isReplacedOnServer would return another result.
func (r *run) isReplacedOnServer(ctx workflow.Context) bool {
	own, _ := activities.SplitEpochRunID(r.believedRunID)
	return own != "" && workflow.GetInfo(ctx).WorkflowExecution.RunID != own
}

// mayBeRedelivered reports whether the run before a reset may have accepted and executed a message
// that this run would reject.
func (r *run) mayBeRedelivered(ctx workflow.Context) bool {
	if r.believedRunID == "" || !hasChange(ctx, changeAcceptRedelivered) {
		return false
	}
	var unaccounted bool
	encoded := workflow.SideEffect(ctx, func(ctx workflow.Context) any { return r.isReplacedOnServer(ctx) })
	return encoded.Get(&unaccounted) == nil && unaccounted
}

func (r *run) markResetHandled(ctx workflow.Context) {
	if r.actualRunID != "" {
		r.believedRunID = r.actualRunID
	}
	r.state.ApplyReset(workflow.Now(ctx))
}

// detectReset detects and handles a reset before the run reports waiting messages as failed. The
// run before the reset may have executed the waiting messages. An activity may not have reported
// the reset yet, so detectReset reads the server's id of the run from the workflow info.
func (r *run) detectReset(ctx workflow.Context) {
	change := "look for a reset before failing what waits"
	switch {
	case r.believedRunID == "":
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
	_, epoch := activities.SplitEpochRunID(r.believedRunID)
	r.actualRunID = activities.EpochRunID(epoch, run)
	switch {
	case !r.hasUnhandledReset():
		r.detectRestore(ctx)
	case r.state.ID == "":
		r.findRecordAfterReset(ctx)
	default:
		r.readBackAfterReset(ctx, r.state.Step.ID)
	}
}

// detectRestore detects and handles a restore of Temporal's database before the run reports waiting
// messages as failed. The run may have executed the waiting messages between the backup and the
// restore. After a restore, the command "oppflow recover" makes every run read its record again.
// The result of this read reports the restore, because only a worker knows the epoch of the
// namespace.
func (r *run) detectRestore(ctx workflow.Context) {
	if !r.state.ShouldRefresh() || !hasChange(ctx, changeReadBeforeFailing) {
		return
	}
	_, err := r.readRecord(ctx, r.state.ID, activities.ReadOptions("read the record before Oppflow fails the waiting requests"))
	if err == nil && r.hasUnhandledReset() {
		r.readBackAfterReset(ctx, r.state.Step.ID)
	}
}

// findRecordAfterReset finds out whether the run before the reset created or adopted the record.
// findRecordAfterReset also finds out which of the waiting messages the run before the reset
// executed.
func (r *run) findRecordAfterReset(ctx workflow.Context) {
	if r.waitAfterReset(ctx) != nil {
		return // cannot be cancelled
	}
	adopt := r.state.Start.Adopt
	if adopt == "" {
		if none, err := r.findRecord(ctx, ""); err != nil || !none && r.state.ID == "" {
			r.markAllInDoubt(ctx) // it is unknown whether there is a record
		}
		r.markResetHandled(ctx)
		return
	}
	record, err := r.readRecord(ctx, adopt, activities.ReadOptions("the run was reset: read the record that the run may have adopted"))
	switch {
	case err != nil:
		r.markAllInDoubt(ctx)
		r.markResetHandled(ctx)
	case r.tagOwner == activities.TagOwnerNone, r.tagOwner == activities.TagOwnerOther:
		r.markResetHandled(ctx) // the record was not adopted
	default:
		r.state.AdoptAfterReset(record, record.Details.Region, workflow.Now(ctx))
		r.compareAfterReset(ctx, "", record)
	}
}

func (r *run) markAllInDoubt(ctx workflow.Context) {
	all := r.state.Backlog().Changes
	r.state.ApplyResults(all, slices.Repeat([]exchange.ChangeResult{{Status: exchange.StatusUnknown}}, len(all)), func() bool { return hasChange(ctx, changePlacesPerEvent) }, workflow.Now(ctx))
}

// waitAfterReset waits until the API can no longer commit a request of the run before the reset. A
// worker may have been sending a request at the time of the reset.
func (r *run) waitAfterReset(ctx workflow.Context) error {
	if r.hasUnhandledRestore() {
		return nil
	}
	d := r.options.Times.SettleAfterStart()
	if hasChange(ctx, changeResetWait) {
		r.setWait(ctx, outage{kind: opportunity.AttentionAPI, text: "the run was reset; a request of the run before the reset may still be under way, so Oppflow sends nothing before it has read the record"}, "", workflow.Now(ctx).Add(d))
		r.publish(ctx)
	}
	return wait(ctx, d, "the run was reset: wait for the settle time before reading the record back")
}

// If the record does not show whether a change was made, the change becomes a question. from is the
// step that the run last stored, or "" when the run knows no record.
func (r *run) readBackAfterReset(ctx workflow.Context, from opportunity.ID) {
	ctx, stop := workflow.NewDisconnectedContext(ctx)
	defer stop()
	if r.waitAfterReset(ctx) != nil {
		return // cannot be cancelled
	}
	record, err := r.readRecord(ctx, r.state.ID, activities.ReadOptions("the run was reset: read back all waiting changes"))
	if err != nil {
		r.markAllInDoubt(ctx) // the record cannot be read
		r.markResetHandled(ctx)
		return
	}
	r.compareAfterReset(ctx, from, record)
}

func (r *run) compareAfterReset(ctx workflow.Context, from opportunity.ID, record exchange.Snapshot) {
	if failed, err := r.resolveMissing(ctx, r.state.Backlog().Changes); err == nil {
		r.state.FailNames(r.state.Backlog().Changes, failed, workflow.Now(ctx))
	}
	backlog := r.state.Backlog()
	answers := r.state.ReadBackAfterReset(backlog, from, record, r.resolvedIDs(), func() bool { return hasChange(ctx, changeOverwrittenUpdates) })
	if r.hasUnhandledRestore() {
		r.state.ApplyRestore(answers, record, workflow.Now(ctx))
	}
	r.state.ApplyReadBackAfterReset(backlog, answers, record, func() bool { return hasChange(ctx, changePlacesPerEvent) }, workflow.Now(ctx))
	r.markResetHandled(ctx)
}

// requeueUnknown keeps unknown changes in the queue.
func requeueUnknown(answers []exchange.ChangeResult) []exchange.ChangeResult {
	left := slices.Clone(answers)
	for i := range left {
		if isUnknown(left[i]) {
			left[i] = exchange.ChangeResult{Status: exchange.StatusNotSent}
		}
	}
	return left
}
