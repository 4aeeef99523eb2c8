package runs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
	commonpb "go.temporal.io/api/common/v1"
	enums "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"github.com/oppflow/oppflow/opportunity"
)

// Temporal updates the index of runs (its visibility store) with a delay. The worker lists the runs
// until the index shows at least one run of the reference, at most listTries times.
const (
	listPause = 100 * time.Millisecond
	listTries = 4
)

var errNotListed = errors.New("the visibility store of Temporal lists no run of the reference")

const maxEarlierRuns = 20

// Reader reads the runs of a workflow from Temporal's index of runs, and reads their start messages
// from their histories.
type Reader struct {
	temporal      client.Client
	lister        *lister
	dataConverter converter.DataConverter
}

// NewReader returns a Reader. dataConverter decodes the start messages, and now is the clock for
// the rate of list requests.
func NewReader(temporal client.Client, dataConverter converter.DataConverter, now func() time.Time) *Reader {
	return &Reader{temporal: temporal, lister: newLister(temporal, now), dataConverter: dataConverter}
}

// Others returns the runs of the workflow in the order of the index of runs, without the run own.
// The result lags says that the index shows no run of the workflow, or cannot be read. The error
// says that Temporal rejected the list request because the namespace sends too many list requests.
func (r *Reader) Others(ctx context.Context, id, own string, urgent bool) (runs []*workflowpb.WorkflowExecutionInfo, lags bool, err error) {
	if strings.ContainsAny(id, `'"\`+"`") {
		return nil, true, nil // the id must not be part of a query; an unneeded search costs one request, but a missed run leads to a second record
	}
	var busy error
	runs, err = backoff.Retry(ctx, func() ([]*workflowpb.WorkflowExecutionInfo, error) {
		listed, err := r.lister.list(ctx, &workflowservice.ListWorkflowExecutionsRequest{
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

// StartDiffers reports whether an earlier run had a start message with another digest, and no
// earlier run had a start message with the given digest. StartDiffers ignores a failed run, which
// created no record, unless an operator made the run fail. StartDiffers also ignores a run whose
// start message Temporal no longer stores.
func (r *Reader) StartDiffers(ctx context.Context, digest string, runs []*workflowpb.WorkflowExecutionInfo) bool {
	if digest == "" {
		return false
	}
	others := false
	for _, run := range runs[:min(len(runs), maxEarlierRuns)] {
		had, known := r.startDigestOf(ctx, run)
		switch {
		case !known, !r.mayHaveCreated(ctx, run):
		case had == digest:
			return false
		default:
			others = true
		}
	}
	return others
}

func (r *Reader) startDigestOf(ctx context.Context, run *workflowpb.WorkflowExecutionInfo) (string, bool) {
	started := r.firstEvent(ctx, run, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT).GetWorkflowExecutionStartedEventAttributes()
	payloads := started.GetInput().GetPayloads()
	if len(payloads) == 0 {
		return "", false
	}
	if data := r.decodePayload(payloads[0]); data != nil {
		start, err := opportunity.DecodeStart(data)
		return start.Digest(), err == nil
	}
	if len(payloads) < 2 {
		return "", false
	}
	var carried struct {
		StartDigest string `json:"startDigest"`
	}
	err := json.Unmarshal(r.decodePayload(payloads[1]), &carried)
	return carried.StartDigest, err == nil && carried.StartDigest != ""
}

func (r *Reader) mayHaveCreated(ctx context.Context, run *workflowpb.WorkflowExecutionInfo) bool {
	if run.GetStatus() != enums.WORKFLOW_EXECUTION_STATUS_FAILED {
		return true
	}
	failed := r.firstEvent(ctx, run, enums.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT).GetWorkflowExecutionFailedEventAttributes()
	return failed.GetFailure().GetApplicationFailureInfo().GetType() == string(opportunity.Skipped)
}

func (r *Reader) firstEvent(ctx context.Context, run *workflowpb.WorkflowExecutionInfo, filter enums.HistoryEventFilterType) *historypb.HistoryEvent {
	events := r.temporal.GetWorkflowHistory(ctx, run.GetExecution().GetWorkflowId(), run.GetExecution().GetRunId(), false, filter)
	if !events.HasNext() {
		return nil
	}
	event, err := events.Next()
	if err != nil {
		return nil
	}
	return event
}

func (r *Reader) decodePayload(payload *commonpb.Payload) []byte {
	if string(payload.GetMetadata()[converter.MetadataEncoding]) == converter.MetadataEncodingNil {
		return nil
	}
	var data json.RawMessage
	if err := r.dataConverter.FromPayload(payload, &data); err != nil || string(data) == "null" {
		return nil
	}
	return data
}
