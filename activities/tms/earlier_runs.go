package tms

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	commonpb "go.temporal.io/api/common/v1"
	enums "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// earlierRunTimeout is how long the worker tries to list other runs. The namespace limits the
// number of list requests per second.
const earlierRunTimeout = 5 * time.Second

// Temporal updates the index of runs (its visibility store) with a delay. The worker lists the runs
// until the index shows the current run, at most listTries times. The first pause between two lists
// is listPause, and the later pauses are longer.
const (
	listPause = 100 * time.Millisecond
	listTries = 4
)

var errNotListed = errors.New("Temporal's visibility store lists no run of the reference")

// maxEarlierRuns is how many earlier runs of a reference the worker reads at most.
const maxEarlierRuns = 20

// checkEarlierRuns returns why the record must not be created now, or nil if it may be created. The
// reason is that the reference may have a record already. A start that differs from the start of an
// earlier run is a Conflict.
func (a *Activities) checkEarlierRuns(ctx context.Context, in activities.CreateInput) *activities.CallResult {
	notSent := func(reason activities.Reason) *activities.CallResult {
		return &activities.CallResult{Status: exchange.StatusNotSent, Reason: reason}
	}
	ctx, cancel := context.WithTimeout(ctx, a.earlierRunTimeout)
	defer cancel()
	own := activity.GetInfo(ctx).WorkflowExecution
	sent, known := a.createAttempts.startDigest(in.Reference)
	if in.NoEarlierRun && !known {
		return nil
	}
	runs, lags, err := a.otherRuns(ctx, own.ID, own.RunID, in.Start.Urgent)
	switch {
	case err != nil: // it is unknown whether there are other runs, so nothing is sent to the API
		return notSent(activities.ReasonNamespaceBusy)
	case a.startDiffers(ctx, in.StartDigest, runs):
		return startConflict(in.Reference)
	}
	if known && len(runs) == 0 && sent != "" && in.StartDigest != "" && sent != in.StartDigest { // the index does not show the earlier run yet
		return startConflict(in.Reference)
	}
	if len(runs) == 0 && !lags && !known && a.referenceTag.isDisabled() {
		return nil // the record cannot be found without a tag
	}
	// An index that shows only the current run proves nothing, because the index may show the
	// current run before an earlier run.
	seen := notSent(activities.ReasonEarlierRun)
	seen.RetryAfter = a.settleTime(runs)
	return seen
}

// settleTime returns how long the API may still commit requests of the earlier runs. The API may
// still receive a request of a run that was terminated. Every other run waits for its requests
// before it ends.
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
// If the index shows no earlier run, an earlier run may have been terminated just before the given
// run began.
func (a *Activities) settleTimeBefore(ctx context.Context, workflow, run string) time.Duration {
	ctx, cancel := context.WithTimeout(ctx, earlierRunTimeout)
	defer cancel()
	runs, _, err := a.otherRuns(ctx, workflow, run, false)
	if err != nil || len(runs) == 0 {
		return a.times.SettleAfterStart()
	}
	return a.settleTime(runs)
}

// hasDifferentStart reports whether an earlier run of the workflow had another start than this run.
// The caller has found a record with the reference tag, so there was an earlier run.
// hasDifferentStart lists the runs until the index shows the earlier run, for at most
// earlierRunTimeout. If the index does not show the earlier run in this time, the namespace may
// have deleted the run. For a run that the index does not show, another is false, and settling
// assumes a run that was terminated just before this run began. settling is how long the API may
// still commit requests of earlier runs.
func (a *Activities) hasDifferentStart(ctx context.Context, digest string) (another bool, settling time.Duration) {
	if digest == "" {
		return false, 0
	}
	ctx, cancel := context.WithTimeout(ctx, earlierRunTimeout)
	defer cancel()
	own := activity.GetInfo(ctx).WorkflowExecution
	runs, err := backoff.Retry(ctx, func() ([]*workflowpb.WorkflowExecutionInfo, error) {
		runs, _, err := a.otherRuns(ctx, own.ID, own.RunID, true)
		if err == nil && len(runs) == 0 {
			err = errNotListed
		}
		return runs, err
	}, backoff.WithBackOff(backoff.NewConstantBackOff(time.Second)))
	if err != nil {
		return false, a.times.SettleAfterStart()
	}
	return a.startDiffers(ctx, digest, runs), a.settleTime(runs)
}

// adoptionConflict returns why the reference must not adopt the record, or nil if it may adopt the
// record. The reason is an earlier run of the reference that had another record.
func (a *Activities) adoptionConflict(ctx context.Context, in activities.TagInput) *activities.CallResult {
	if in.WorkflowID == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, a.earlierRunTimeout)
	defer cancel()
	runs, _, err := a.otherRuns(ctx, in.WorkflowID, in.RunID, false)
	switch {
	case err != nil:
		return &activities.CallResult{Status: exchange.StatusNotSent, Reason: activities.ReasonNamespaceBusy}
	case a.startDiffers(ctx, opportunity.Start{Adopt: in.Opportunity}.Digest(), runs):
		return startConflict(in.Reference)
	}
	return nil
}

func startConflict(reference opportunity.Reference) *activities.CallResult {
	return &activities.CallResult{Status: exchange.StatusRejected, Error: opportunity.Failf(opportunity.Conflict,
		"reference %s: an earlier opportunity with different start data has used this reference; use another reference", reference)}
}

// otherRuns returns the runs of the workflow that the index of runs shows, without the run own, the
// latest first. lags says that the index does not show own, or cannot be read. The error says that
// Temporal rejected the list request because the namespace sends too many.
func (a *Activities) otherRuns(ctx context.Context, id, own string, urgent bool) (runs []*workflowpb.WorkflowExecutionInfo, lags bool, err error) {
	if strings.ContainsAny(id, `'"\`+"`") {
		return nil, true, nil // the id must not be part of a query; an unneeded search costs one request, but a missed run leads to a second record
	}
	var busy error
	runs, err = backoff.Retry(ctx, func() ([]*workflowpb.WorkflowExecutionInfo, error) {
		listed, err := a.runLister.list(ctx, &workflowservice.ListWorkflowExecutionsRequest{
			PageSize: maxEarlierRuns + 1, Query: fmt.Sprintf("WorkflowId = '%s'", id),
		}, urgent)
		switch {
		case err != nil && isOverloaded(err):
			busy = err
			return nil, backoff.Permanent(err)
		case err != nil:
			return nil, backoff.Permanent(err)
		case len(listed.GetExecutions()) == 0:
			return nil, errNotListed
		}
		return slices.DeleteFunc(slices.Clone(listed.GetExecutions()), func(run *workflowpb.WorkflowExecutionInfo) bool {
			return run.GetExecution().GetRunId() == own
		}), nil
	}, backoff.WithBackOff(&backoff.ExponentialBackOff{InitialInterval: listPause, Multiplier: 2, MaxInterval: listPause << listTries}), backoff.WithMaxTries(listTries))
	return runs, err != nil && busy == nil, busy
}

// startDiffers reports whether at least one earlier run counts, and no earlier run that counts had
// a start with the digest. A run that failed created no record and does not count, unless an
// operator made the run fail. A run whose start Temporal no longer stores does not count either.
func (a *Activities) startDiffers(ctx context.Context, digest string, runs []*workflowpb.WorkflowExecutionInfo) bool {
	if digest == "" {
		return false
	}
	others := false
	for _, run := range runs[:min(len(runs), maxEarlierRuns)] {
		had, known := a.startDigestOf(ctx, run)
		switch {
		case !known, !a.mayHaveCreated(ctx, run):
		case had == digest:
			return false
		default:
			others = true
		}
	}
	return others
}

// startDigestOf returns the digest of the start of a run, if the run's history contains the
// start.
func (a *Activities) startDigestOf(ctx context.Context, run *workflowpb.WorkflowExecutionInfo) (string, bool) {
	started := a.firstEvent(ctx, run, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT).GetWorkflowExecutionStartedEventAttributes()
	payloads := started.GetInput().GetPayloads()
	if len(payloads) == 0 {
		return "", false
	}
	if data := a.decodePayload(payloads[0]); data != nil {
		start, err := opportunity.DecodeStart(data)
		return start.Digest(), err == nil
	}
	if len(payloads) < 2 {
		return "", false
	}
	var carried struct {
		StartDigest string `json:"startDigest"`
	}
	err := json.Unmarshal(a.decodePayload(payloads[1]), &carried)
	return carried.StartDigest, err == nil && carried.StartDigest != ""
}

// mayHaveCreated reports whether the run may have created a record, judged by how the run ended.
func (a *Activities) mayHaveCreated(ctx context.Context, run *workflowpb.WorkflowExecutionInfo) bool {
	if run.GetStatus() != enums.WORKFLOW_EXECUTION_STATUS_FAILED {
		return true
	}
	failed := a.firstEvent(ctx, run, enums.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT).GetWorkflowExecutionFailedEventAttributes()
	return failed.GetFailure().GetApplicationFailureInfo().GetType() == string(opportunity.Skipped)
}

// firstEvent returns the first history event of the run that passes the filter, or nil.
func (a *Activities) firstEvent(ctx context.Context, run *workflowpb.WorkflowExecutionInfo, filter enums.HistoryEventFilterType) *historypb.HistoryEvent {
	events := a.temporal.GetWorkflowHistory(ctx, run.GetExecution().GetWorkflowId(), run.GetExecution().GetRunId(), false, filter)
	if !events.HasNext() {
		return nil
	}
	event, err := events.Next()
	if err != nil {
		return nil
	}
	return event
}

func (a *Activities) decodePayload(payload *commonpb.Payload) []byte {
	if string(payload.GetMetadata()[converter.MetadataEncoding]) == converter.MetadataEncodingNil {
		return nil
	}
	var data json.RawMessage
	if err := a.dataConverter.FromPayload(payload, &data); err != nil || string(data) == "null" {
		return nil
	}
	return data
}

const maxCreateAttempts = 20_000

// createAttempts are the latest references for which this worker has sent a create request. The
// worker needs createAttempts because the index of runs may not yet show the run that made the
// request.
type createAttempts struct {
	mu      sync.Mutex
	digests map[opportunity.Reference]string // digests of the starts
	order   []opportunity.Reference
}

// startDigest returns the digest of the start for which this worker requested a record of the
// reference.
func (r *createAttempts) startDigest(reference opportunity.Reference) (string, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	digest, known := r.digests[reference]
	return digest, known
}

func (r *createAttempts) add(reference opportunity.Reference, digest string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, known := r.digests[reference]; known {
		return
	}
	if r.digests == nil {
		r.digests = make(map[opportunity.Reference]string)
	}
	if len(r.order) >= maxCreateAttempts {
		delete(r.digests, r.order[0])
		r.order = r.order[1:]
	}
	r.digests[reference] = digest
	r.order = append(r.order, reference)
}
