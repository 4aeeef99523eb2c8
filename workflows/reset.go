package workflows

import (
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/opportunity"
)

// A reset makes a new run from a part of the history of another one, and gives it
// the messages that came later once more. What the other run put to the API in
// between is not in that history, so none of it may be sent again before the
// record is read. The workflow cannot see a reset, since its code must do the same
// as before; activities tell it, by the id of the run they are asked by.

// inherit finds out whether the run before was reset and did not notice, since it
// continued before it asked for anything: it then called itself by another name
// than the server does.
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

// wasReset reports whether the run was reset and has not been accounted for.
func (r *run) wasReset() bool { return r.told != "" && r.told != r.own }

// wasRestored reports whether the run is one of a backup of Temporal's database, which
// was restored, and has not been accounted for. What the workers had in hand before is
// settled then: none ran.
func (r *run) wasRestored() bool {
	own, _ := activities.SplitRun(r.own)
	told, _ := activities.SplitRun(r.told)
	return r.wasReset() && told == own
}

// unaccounted reports whether the run is one that was reset and has not found out yet
// what the run before did. It must not be asked in code that is replayed: the server's
// name for a run is another one in a run that was reset since.
func (r *run) unaccounted(ctx workflow.Context) bool {
	own, _ := activities.SplitRun(r.own)
	return own != "" && workflow.GetInfo(ctx).WorkflowExecution.RunID != own
}

// readmits reports whether a message that would be refused may be one that a run
// before has accepted, and carried out: a reset gives it to the run once more.
func (r *run) readmits(ctx workflow.Context) bool {
	if r.own == "" || !since(ctx, changeReadmit) {
		return false
	}
	var unaccounted bool
	told := workflow.SideEffect(ctx, func(ctx workflow.Context) any { return r.unaccounted(ctx) })
	return told.Get(&unaccounted) == nil && unaccounted
}

// accounted notes that what the run before did is known.
func (r *run) accounted(ctx workflow.Context) {
	if r.told != "" {
		r.own = r.told
	}
	r.state.Reset(workflow.Now(ctx))
}

// lookForReset accounts for a reset before what waits is reported failed: the run
// before may have done it. No activity may have told yet, so the worker is asked,
// which knows the run by the server's name for it.
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
	case r.state.ID == "":
		r.lookForRecord(ctx)
	default:
		r.accountForReset(ctx, r.state.Step.ID)
	}
}

// lookForRecord finds out whether the run before, which was reset, made the record
// or took one over, and what it did of all that waits.
func (r *run) lookForRecord(ctx workflow.Context) {
	if r.settleReset(ctx) != nil {
		return // cannot be cancelled
	}
	adopt := r.state.Start.Adopt
	if adopt == "" {
		if none, err := r.find(ctx, ""); err != nil || !none && r.state.ID == "" {
			r.doubtAll(ctx) // nobody can tell which is the record, if there is one
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
		r.accounted(ctx) // it was not taken over
	default:
		r.state.Known(record, record.Details.Region, workflow.Now(ctx))
		r.recount(ctx, "", record)
	}
}

// doubtAll notes that nothing can be told of all that waits.
func (r *run) doubtAll(ctx workflow.Context) {
	all := r.state.Backlog().Mutations
	r.state.Settle(all, slices.Repeat([]opportunity.Answer{{Fate: opportunity.FateUnknown}}, len(all)), workflow.Now(ctx))
}

// settleReset waits until nothing that the run before sent can commit any more: a
// worker may have had a request of it in hand.
func (r *run) settleReset(ctx workflow.Context) error {
	if r.wasRestored() {
		return nil
	}
	return wait(ctx, r.options.Times.SettleStarted(), "the run was reset: let the API settle before reading back")
}

// accountForReset finds out what the run before did of all that waits. What cannot
// be told becomes a question. from is the step in which the run knew the record, ""
// when it knew of none.
func (r *run) accountForReset(ctx workflow.Context, from opportunity.ID) {
	// It must be known even when the workflow is cancelled meanwhile.
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

// recount compares all that waits with the record.
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

// forgotten leaves what is unknown in the queue, to be decided with all the rest.
func forgotten(answers []opportunity.Answer) []opportunity.Answer {
	left := slices.Clone(answers)
	for i := range left {
		if unknown(left[i]) {
			left[i] = opportunity.Answer{Fate: opportunity.FateNotSent}
		}
	}
	return left
}
