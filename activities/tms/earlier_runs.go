package tms

import (
	"context"
	"errors"
	"time"

	"github.com/cenkalti/backoff/v5"
	enums "go.temporal.io/api/enums/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/sdk/activity"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// earlierRunTimeout is how long the worker tries to list the other runs of a reference.
const earlierRunTimeout = 5 * time.Second

// checkEarlierRuns returns why the record must not be created now, or nil if it may be created. If
// the start differs from the start of an earlier run, the result is a Conflict.
func (a *Activities) checkEarlierRuns(ctx context.Context, in activities.CreateInput) *activities.CallResult {
	notSent := func(reason activities.Reason) *activities.CallResult {
		return &activities.CallResult{Status: exchange.StatusNotSent, Reason: reason}
	}
	ctx, cancel := context.WithTimeout(ctx, a.earlierRunTimeout)
	defer cancel()
	own := activity.GetInfo(ctx).WorkflowExecution
	sent, known := a.createAttempts.StartDigest(in.Reference)
	if in.NoEarlierRun && !known {
		return nil
	}
	runs, lags, err := a.runs.Others(ctx, own.ID, own.RunID, in.Start.Urgent)
	switch {
	case err != nil: // it is unknown whether there are other runs, so nothing is sent to the API
		return notSent(activities.ReasonNamespaceBusy)
	case a.runs.StartDiffers(ctx, in.StartDigest, runs):
		return startConflict(in.Reference)
	}
	if known && len(runs) == 0 && sent != "" && in.StartDigest != "" && sent != in.StartDigest { // the index does not show the earlier run yet
		return startConflict(in.Reference)
	}
	if len(runs) == 0 && !lags && !known && a.referenceTag.isDisabled() {
		return nil
	}
	// The index may show the current run before it shows an earlier run. An earlier run may therefore
	// exist even if the index shows only the current run.
	seen := notSent(activities.ReasonEarlierRun)
	seen.RetryAfter = a.settleTime(runs)
	return seen
}

// settleTime returns how long the API may still commit requests of the earlier runs. Only a run
// that was terminated or timed out ends before its requests have ended.
func (a *Activities) settleTime(runs []*workflowpb.WorkflowExecutionInfo) time.Duration {
	var longest time.Duration
	for _, run := range runs {
		switch run.GetStatus() {
		case enums.WORKFLOW_EXECUTION_STATUS_TERMINATED, enums.WORKFLOW_EXECUTION_STATUS_TIMED_OUT:
			longest = max(longest, run.GetCloseTime().AsTime().Add(a.times.SettleAfterStart()).Sub(a.now()))
		}
	}
	return longest
}

// settleTimeBefore returns how long the API may still commit requests of runs before the given run.
// If the index shows no earlier run, settleTimeBefore assumes that an earlier run was terminated
// just before the given run began.
func (a *Activities) settleTimeBefore(ctx context.Context, workflow, run string) time.Duration {
	ctx, cancel := context.WithTimeout(ctx, earlierRunTimeout)
	defer cancel()
	runs, _, err := a.runs.Others(ctx, workflow, run, false)
	if err != nil || len(runs) == 0 {
		return a.times.SettleAfterStart()
	}
	return a.settleTime(runs)
}

var errNotShown = errors.New("the index of runs shows no earlier run")

// hasDifferentStart reports whether an earlier run of the workflow had a different start message
// than this run. The caller has found a record with the reference tag, so there was an earlier run.
// The worker lists the runs until the index shows the earlier run, for at most earlierRunTimeout,
// because the namespace may have deleted the run. The result settling is how long the API may still
// commit requests of earlier runs. If the index shows no earlier run, settling is the settle time
// of a run that was terminated just now.
func (a *Activities) hasDifferentStart(ctx context.Context, digest string) (another bool, settling time.Duration) {
	if digest == "" {
		return false, 0
	}
	ctx, cancel := context.WithTimeout(ctx, earlierRunTimeout)
	defer cancel()
	own := activity.GetInfo(ctx).WorkflowExecution
	runs, err := backoff.Retry(ctx, func() ([]*workflowpb.WorkflowExecutionInfo, error) {
		runs, _, err := a.runs.Others(ctx, own.ID, own.RunID, true)
		if err == nil && len(runs) == 0 {
			err = errNotShown
		}
		return runs, err
	}, backoff.WithBackOff(backoff.NewConstantBackOff(time.Second)))
	if err != nil {
		return false, a.times.SettleAfterStart()
	}
	return a.runs.StartDiffers(ctx, digest, runs), a.settleTime(runs)
}

// adoptionConflict returns why the reference must not adopt the record, or nil if it may adopt the
// record. A reference that had another record in an earlier run must not adopt the record.
func (a *Activities) adoptionConflict(ctx context.Context, in activities.TagInput) *activities.CallResult {
	if in.WorkflowID == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, a.earlierRunTimeout)
	defer cancel()
	runs, _, err := a.runs.Others(ctx, in.WorkflowID, in.RunID, false)
	switch {
	case err != nil:
		return &activities.CallResult{Status: exchange.StatusNotSent, Reason: activities.ReasonNamespaceBusy}
	case a.runs.StartDiffers(ctx, opportunity.Start{Adopt: in.Opportunity}.Digest(), runs):
		return startConflict(in.Reference)
	}
	return nil
}

func startConflict(reference opportunity.Reference) *activities.CallResult {
	return &activities.CallResult{Status: exchange.StatusRejected, Error: opportunity.Failf(opportunity.Conflict,
		"reference %s: an earlier opportunity with different start data has used this reference; use another reference", reference)}
}
