package workflows

import (
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

// open makes sure that the record exists. When the run has grown long by trying, open returns nil
// without a record, and the run continues as new first. Its error is the cancellation or an
// *opportunity.Error. The latter says why the record cannot be created or taken over, or that an
// operator closed the opportunity.
func (r *run) open(ctx workflow.Context) error {
	looked := false
	for r.state.ID == "" {
		r.takeSignals(ctx)
		r.show(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if r.state.Closing != nil {
			return r.fail(ctx, r.state.Closing.Told())
		}
		if r.mayContinue(ctx) && r.letsIn(ctx) {
			return nil
		}
		if r.mustShed(ctx) {
			r.state.Shed(workflow.Now(ctx))
			continue
		}
		r.state.RefreshDue = false // there is no record to read yet; the refresh only cut a wait short
		if r.state.IsHeld() {
			if err := r.awaitOperator(ctx); err != nil {
				return err
			}
			continue
		}
		if r.state.Start.Adopt != "" {
			if err := r.adopt(ctx); err != nil {
				return r.fail(ctx, err)
			}
			continue
		}
		result := r.create(ctx, looked || r.state.CreateAnyway)
		var err error
		switch {
		case result.Fate == opportunity.FateDone:
			r.state.Created(result.Record, result.Region, workflow.Now(ctx))
			r.state.Ruled(result.Rules, workflow.Now(ctx))
			r.recovered()
		case result.Fate == opportunity.FateRejected:
			err = result.Error
		case result.Fate == opportunity.FateUnknown:
			r.state.CreateAnyway = false
			if err = r.settle(ctx, result.Reason); err == nil {
				looked, err = r.find(ctx, "")
			}
			if err == nil && looked && result.Failing {
				err = r.backOff(ctx, activities.Sending{Reason: activities.ReasonErrors})
			}
		case result.Reason == activities.ReasonNames:
			err = r.resolveStart(ctx, result.Missing)
		case result.Reason == activities.ReasonSeen:
			if err = r.settleEarlier(ctx, result.RetryAfter); err == nil {
				looked, err = r.find(ctx, r.state.StartDigest)
			}
		case result.Reason == activities.ReasonReset:
			r.state.CreateAnyway = false
			r.told = result.Run
			if err = r.settleReset(ctx); err == nil {
				looked, err = r.find(ctx, "")
				r.accounted(ctx) // a record that was not found is a question, or does not exist
			}
		default:
			err = r.backOff(ctx, result.Sending)
		}
		if err != nil {
			return r.fail(ctx, err)
		}
	}
	r.show(ctx)
	return nil
}

// fail notes why the record cannot be created, for the callers that wait for the record.
func (r *run) fail(ctx workflow.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	r.failed = err
	return err
}

// create sends one request for the record.
func (r *run) create(ctx workflow.Context, looked bool) activities.CreateResult {
	// The request is completed even when the workflow is cancelled in the meantime.
	ctx, stop := workflow.NewDisconnectedContext(ctx)
	defer stop()
	start := *r.state.Start
	input := activities.CreateInput{
		Reference: r.state.Reference, Start: start, StartDigest: r.state.StartDigest, Resolved: r.known(start.Names()), Looked: looked, Run: r.own,
		First: isFirst(workflow.GetInfo(ctx)),
	}
	input.Start.Interests = nil // interests are added later; their learners need not travel twice
	ctx = workflow.WithActivityOptions(ctx, r.toChange("create the opportunity"))
	return change(ctx, r, activities.CreateOpportunity, input, func(result activities.CreateResult) bool { return result.Proves(input) },
		func(s activities.Sending) activities.CreateResult { return activities.CreateResult{Sending: s} })
}

// isFirst reports whether the namespace knows of no earlier run of the reference; a run after a
// reset has the memo of the run before, and another id.
func isFirst(info *workflow.Info) bool {
	_, is := info.Memo.GetFields()[lifecycle.MemoFirstStart]
	return is && info.WorkflowExecution.RunID == info.FirstRunID && info.WorkflowExecution.RunID == info.OriginalRunID
}

// find looks for the record by its mark and takes it over. It returns true when there is no record,
// so that the run can create one. A result that decides nothing becomes a question. Its error is a
// Conflict: the start of an earlier run has another digest, where "" is not compared.
func (r *run) find(ctx workflow.Context, digest string) (bool, error) {
	ctx, stop := workflow.NewDisconnectedContext(ctx)
	defer stop()
	found, region, settling, err := r.marked(ctx, digest)
	if err == nil {
		err = r.settleEarlier(ctx, settling)
	}
	if conflict, is := errors.AsType[*opportunity.Error](err); is {
		return false, conflict
	}
	var record opportunity.Snapshot
	if err == nil && len(found) == 1 {
		record, err = r.read(ctx, found[0], activities.ToRead("read the opportunity that was found"))
	}
	if err == nil && len(found) == 1 {
		err = r.learnNames(ctx, r.state.Start.Mutations())
	}
	switch {
	case err != nil:
		r.state.AskAboutCreate(reasonOf(err), workflow.Now(ctx))
	case len(found) > 1:
		r.state.AskAboutCreate(fmt.Sprintf("%d records carry its mark", len(found)), workflow.Now(ctx))
	case len(found) == 1 && r.wasReset():
		r.state.Created(record, region, workflow.Now(ctx))
		r.recount(ctx, "", record)
	case len(found) == 1:
		r.state.Adopted(record, region, r.itemIDs(), workflow.Now(ctx))
	default:
		return true, nil
	}
	return false, nil
}

// reasonOf says in one line why a look failed.
func reasonOf(err error) string {
	var application *temporal.ApplicationError
	if errors.As(err, &application) {
		return "looking for it failed: " + application.Message()
	}
	return "looking for it failed: " + err.Error()
}

// errBlind says that no mark is set, so that no record can be found.
var errBlind = errors.New("the worker's mark setting leaves no way")

// settleEarlier waits until no request of an earlier run, which was terminated, can be committed any more. A record that
// is read before would show the effect of such a request as one of this run.
func (r *run) settleEarlier(ctx workflow.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	r.waitFor(ctx, outage{word: opportunity.AttentionAPI, text: "an earlier run was terminated; what it may have on its way is waited for"}, "", workflow.Now(ctx).Add(d))
	r.show(ctx)
	return wait(ctx, d, "an earlier run was terminated: let the API settle before looking for the record")
}

// marked returns the ids of the records that carry the reference's mark. Its error is an
// *opportunity.Error when such records exist and the start of an earlier run has another digest.
func (r *run) marked(ctx workflow.Context, digest string) (found []opportunity.ID, region opportunity.Named, settling time.Duration, err error) {
	start := r.state.Start
	input := activities.FindInput{Reference: r.state.Reference, Region: start.Region, Resolved: r.known(start.Names()), StartDigest: digest}
	for {
		l := look{activity: activities.FindOpportunity, input: input, options: activities.ToReadBack("look for the opportunity by its mark")}
		page, err := lookFor(ctx, r, l, func(page activities.FindResult) bool { return page.Proves(input) })
		if err != nil {
			return nil, region, 0, err
		}
		switch {
		case page.Blind:
			return nil, region, 0, errBlind
		case page.Conflict != nil:
			return nil, region, 0, page.Conflict
		}
		found, settling = append(found, page.Found...), max(settling, page.Settling)
		if page.Next == "" {
			return found, page.Region, settling, nil
		}
		input.After = page.Next
	}
}

// awaitOperator waits until an operator decides about a create of unknown fate, or ends the pause,
// or until the run should continue as new. When the operator skips the create, the run ends.
func (r *run) awaitOperator(ctx workflow.Context) error {
	if err := workflow.Await(ctx, func() bool {
		return !r.state.IsHeld() || r.state.CreateSkipped != nil || r.state.Closing != nil || r.mayContinue(ctx) || r.mustShed(ctx)
	}); err != nil {
		return err
	}
	if reason := r.state.CreateSkipped; reason != nil {
		return r.fail(ctx, reason)
	}
	return nil
}

// resolveStart looks up the names in the start.
func (r *run) resolveStart(ctx workflow.Context, missing []opportunity.Name) error {
	failed, err := r.resolve(ctx, missing)
	if err != nil {
		return err
	}
	for _, name := range missing {
		if reason := failed[name]; reason != nil {
			return reason
		}
	}
	return nil
}
