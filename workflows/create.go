package workflows

import (
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

// When the history is long, ensureCreated returns nil without a record, and the run continues as
// new before the next attempt. The error of ensureCreated is the error of a cancellation or an
// *opportunity.Error. An *opportunity.Error says why the record cannot be created or adopted, or
// that an operator closed the opportunity.
func (r *run) ensureCreated(ctx workflow.Context) error {
	looked := false
	for r.state.ID == "" {
		r.drainSignals(ctx)
		r.publish(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if r.state.Closing != nil {
			return r.setCreateError(ctx, r.state.Closing.RequestError())
		}
		if r.canContinueAsNew(ctx) && r.canContinueAfterYield(ctx) {
			return nil
		}
		if r.shouldShed(ctx) {
			r.state.Shed(workflow.Now(ctx))
			continue
		}
		r.state.RefreshDue = false // there is no record to read yet; the refresh only ends a wait early
		if r.state.IsStopped() {
			if err := r.awaitOperator(ctx); err != nil {
				return err
			}
			continue
		}
		if r.state.Start.Adopt != "" {
			if err := r.adopt(ctx); err != nil {
				return r.setCreateError(ctx, err)
			}
			continue
		}
		result := r.sendCreate(ctx, looked || r.state.CreateAnyway)
		var err error
		switch {
		case result.Status == exchange.StatusDone:
			r.state.ApplyCreated(result.Record, result.Region, workflow.Now(ctx))
			r.state.SetPlaybook(result.PlaybookFeatures, workflow.Now(ctx))
			r.resetBackOff()
		case result.Status == exchange.StatusRejected:
			err = result.Error
		case result.Status == exchange.StatusUnknown:
			r.state.CreateAnyway = false
			if err = r.waitSettleTime(ctx, result.Reason); err == nil {
				looked, err = r.findRecord(ctx, "")
			}
			if err == nil && looked && result.ServerError {
				err = r.backOff(ctx, activities.CallResult{Reason: activities.ReasonServerErrors})
			}
		case result.Reason == activities.ReasonUnresolvedNames:
			err = r.resolveStartNames(ctx, result.CallResult)
		case result.Reason == activities.ReasonEarlierRun:
			if err = r.waitForEarlierRuns(ctx, result.RetryAfter); err == nil {
				looked, err = r.findRecord(ctx, r.state.StartDigest)
			}
		case result.Reason == activities.ReasonReset:
			r.state.CreateAnyway = false
			r.actualRunID = result.RunID
			if err = r.waitAfterReset(ctx); err == nil {
				looked, err = r.findRecord(ctx, "")
				r.markResetHandled(ctx) // the record does not exist, or an operator gets a question about it
			}
		default:
			err = r.backOff(ctx, result.CallResult)
		}
		if err != nil {
			return r.setCreateError(ctx, err)
		}
	}
	r.publish(ctx)
	return nil
}

// setCreateError stores why the record cannot be created, for the callers that wait for the record.
func (r *run) setCreateError(ctx workflow.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	r.createError = err
	return err
}

func (r *run) sendCreate(ctx workflow.Context, looked bool) activities.CreateResult {
	ctx, stop := workflow.NewDisconnectedContext(ctx)
	defer stop()
	start := *r.state.Start
	input := activities.CreateInput{
		Reference: r.state.Reference, Start: start, StartDigest: r.state.StartDigest, ResolvedNames: r.cachedNames(exchange.StartNames(start)), SkipEarlierRunCheck: looked, RunID: r.believedRunID,
		NoEarlierRun: isFirstRun(workflow.GetInfo(ctx)),
	}
	input.Start.Interests = nil // interests are added later; their learners need not be sent twice
	ctx = workflow.WithActivityOptions(ctx, r.changeOptions("create the opportunity"))
	return executeChange(ctx, r, activities.CreateOpportunity, input, func(result activities.CreateResult) bool { return result.Proves(input) },
		func(s activities.CallResult) activities.CreateResult { return activities.CreateResult{CallResult: s} })
}

// isFirstRun reports whether the namespace knows of no earlier run of the reference. A run after a
// reset has the memo of the run before the reset, but a different run id.
func isFirstRun(info *workflow.Info) bool {
	_, is := info.Memo.GetFields()[lifecycle.MemoFirstStart]
	return is && info.WorkflowExecution.RunID == info.FirstRunID && info.WorkflowExecution.RunID == info.OriginalRunID
}

// findRecord finds the record by its reference tag and takes the record over. findRecord returns
// true when there is no record, so that the run can create the record. If the search does not show
// whether the record exists, findRecord raises a question. findRecord returns a Conflict when the
// start of an earlier run has another digest. The digest "" is not compared.
func (r *run) findRecord(ctx workflow.Context, digest string) (bool, error) {
	ctx, stop := workflow.NewDisconnectedContext(ctx)
	defer stop()
	found, region, settling, err := r.findTagged(ctx, digest)
	if err == nil {
		err = r.waitForEarlierRuns(ctx, settling)
	}
	if conflict, is := errors.AsType[*opportunity.Error](err); is {
		return false, conflict
	}
	var record exchange.Snapshot
	if err == nil && len(found) == 1 {
		record, err = r.readRecord(ctx, found[0], activities.ReadOptions("read the record that the search found"))
	}
	if err == nil && len(found) == 1 {
		err = r.ensureNamesResolved(ctx, exchange.StartChanges(*r.state.Start))
	}
	switch {
	case err != nil:
		r.state.RaiseCreateQuestion(readFailureText(err), workflow.Now(ctx))
	case len(found) > 1:
		r.state.RaiseCreateQuestion(fmt.Sprintf("%d records have the reference tag", len(found)), workflow.Now(ctx))
	case len(found) == 1 && r.hasUnhandledReset():
		r.state.ApplyCreated(record, region, workflow.Now(ctx))
		r.compareAfterReset(ctx, "", record)
	case len(found) == 1:
		r.state.AdoptFound(record, region, r.resolvedIDs(), workflow.Now(ctx))
	default:
		return true, nil
	}
	return false, nil
}

func readFailureText(err error) string {
	var application *temporal.ApplicationError
	if errors.As(err, &application) {
		return "the read failed: " + application.Message()
	}
	return "the read failed: " + err.Error()
}

var errTagDisabled = errors.New("the worker writes no reference tags (--reference-tag none)")

// waitForEarlierRuns waits until the API can no longer commit a request of an earlier run that was
// terminated. Without this wait, this run could mistake the effect of the terminated run's request
// for the effect of its own request.
func (r *run) waitForEarlierRuns(ctx workflow.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	r.setWait(ctx, outage{kind: opportunity.AttentionAPI, text: "an earlier run was terminated; the last request of the terminated run may still be under way, so Oppflow sends nothing for now"}, "", workflow.Now(ctx).Add(d))
	r.publish(ctx)
	return wait(ctx, d, "an earlier run was terminated: wait for the settle time")
}

// The error of findTagged is an *opportunity.Error when tagged records exist and the start of an
// earlier run has another digest.
func (r *run) findTagged(ctx workflow.Context, digest string) (found []opportunity.ID, region opportunity.Ref, settling time.Duration, err error) {
	start := r.state.Start
	input := activities.FindInput{Reference: r.state.Reference, Region: start.Region, ResolvedNames: r.cachedNames(exchange.StartNames(*start)), StartDigest: digest}
	for {
		l := apiRead{activity: activities.FindOpportunity, input: input, options: activities.ReadBackOptions("search for the record by its reference tag")}
		page, err := readUntilAnswered(ctx, r, l, func(page activities.FindResult) bool { return page.Proves(input) })
		if err != nil {
			return nil, region, 0, err
		}
		switch {
		case page.TagDisabled:
			return nil, region, 0, errTagDisabled
		case page.Conflict != nil:
			return nil, region, 0, page.Conflict
		}
		found, settling = append(found, page.Found...), max(settling, page.SettleTime)
		if page.Next == "" {
			return found, page.Region, settling, nil
		}
		input.After = page.Next
	}
}

// awaitOperator waits until an operator decides about a create request of unknown status or ends
// the pause. awaitOperator also returns when the run should continue as new. When the operator
// skips the creation of the record, the run ends.
func (r *run) awaitOperator(ctx workflow.Context) error {
	if err := workflow.Await(ctx, func() bool {
		return !r.state.IsStopped() || r.state.CreateSkipped != nil || r.state.Closing != nil || r.canContinueAsNew(ctx) || r.shouldShed(ctx)
	}); err != nil {
		return err
	}
	if reason := r.state.CreateSkipped; reason != nil {
		return r.setCreateError(ctx, reason)
	}
	return nil
}

// resolveStartNames looks up the names of the start whose ids are missing. If the worker has
// already looked up names whose ids changed, resolveStartNames stores the new ids and looks nothing
// up.
func (r *run) resolveStartNames(ctx workflow.Context, sending activities.CallResult) error {
	if len(sending.ResolvedNames) > 0 {
		for _, one := range sending.ResolvedNames {
			r.resolvedNames[one.UnresolvedName] = one
		}
		return nil
	}
	failed, err := r.resolveNames(ctx, sending.MissingNames)
	if err != nil {
		return err
	}
	for _, name := range sending.MissingNames {
		if reason := failed[name]; reason != nil {
			return reason
		}
	}
	return nil
}
