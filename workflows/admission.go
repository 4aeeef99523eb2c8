package workflows

import (
	"encoding/json"
	"time"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/entity"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

// arguments contains the two arguments of a run. input is the start from a caller. carriedState is
// the state that the previous run carried over.
type arguments struct {
	input, carriedState messagePayload
}

func admitStart(ctx workflow.Context, reference opportunity.Reference, a arguments) (*entity.State, error) {
	state, refused := admitStartStrictly(ctx, reference, a)
	if refused == nil {
		return state, nil
	}
	_, loosely := decodeStartLoosely(a.input)
	if a.carriedState.isEmpty() && loosely != nil {
		return nil, refused // earlier releases rejected the start, too
	}
	if workflow.GetVersion(ctx, changeStrictStarts, workflow.DefaultVersion, 1) != workflow.DefaultVersion {
		return nil, refused
	}
	// If carriedState contains a state, this worker replays a run whose start an earlier release
	// accepted.
	if state := readState(a.carriedState.raw); state != nil {
		return state, nil
	}
	start, err := decodeStartLoosely(a.input)
	if err != nil {
		return nil, err
	}
	return entity.NewState(reference, start, workflow.Now(ctx)), nil
}

func admitStartStrictly(ctx workflow.Context, reference opportunity.Reference, a arguments) (*entity.State, error) {
	if err := checkStartOptions(workflow.GetInfo(ctx)); err != nil {
		return nil, err
	}
	if a.carriedState.isGiven() {
		return nil, opportunity.Invalidf("more than one argument; one JSON object is expected, such as {…}")
	}
	payload, err := a.input.json()
	if err != nil {
		return nil, err
	}
	start, err := opportunity.DecodeStart(payload)
	if err != nil {
		return nil, err
	}
	return entity.NewState(reference, start, workflow.Now(ctx)), nil
}

func decodeStartLoosely(s messagePayload) (opportunity.Start, error) {
	payload, err := payloadJSON(s.raw)
	if err != nil {
		return opportunity.Start{}, err
	}
	return opportunity.DecodeStartLoose(payload)
}

// unlimited is the smallest time limit that counts as no limit. Test environments set such long
// limits.
const unlimited = 10 * 365 * 24 * time.Hour

// checkStartOptions rejects options with which Temporal would end the run while messages wait.
// checkStartOptions also rejects options with which Temporal would start the run again after its
// end.
func checkStartOptions(info *workflow.Info) error {
	limited := func(limit time.Duration) bool { return limit > 0 && limit < unlimited }
	switch policy := info.RetryPolicy; {
	case info.CronSchedule != "":
		return opportunity.Invalidf("cron schedule: not supported; leave the cron schedule out, because an opportunity is started only once")
	case limited(info.WorkflowExecutionTimeout):
		return opportunity.Invalidf("workflow execution timeout: %s is given; leave the timeout out, because the timeout would lose waiting messages", info.WorkflowExecutionTimeout)
	case limited(info.WorkflowRunTimeout):
		return opportunity.Invalidf("workflow run timeout: %s is given; leave the timeout out, because the timeout would lose waiting messages", info.WorkflowRunTimeout)
	case policy != nil && policy.MaximumAttempts != 1:
		return opportunity.Invalidf("retry policy: not supported; leave the retry policy out, because a failed start is not repeated")
	}
	return nil
}

// rejectedStart is the reason why a run with a cron schedule was rejected. The rejected run carries
// the reason over to the next run.
type rejectedStart struct {
	// Version prevents workers that do not know rejectedStart from reading a rejectedStart as a
	// state.
	Version int                `json:"version"`
	Reason  *opportunity.Error `json:"refused"`
}

// rejectedStartVersion is higher than every version of a state.
const rejectedStartVersion = 1 << 30

// If a run with a cron schedule fails, Temporal starts the next run, so the reference would stay in
// use. A run with a cron schedule therefore continues as a run without a schedule.
func rejectStart(ctx workflow.Context, reason error) error {
	if refused, own := lifecycle.FromTemporalError(reason); own && workflow.GetInfo(ctx).CronSchedule != "" {
		return workflow.NewContinueAsNewError(ctx, lifecycle.WorkflowType, nil, rejectedStart{Version: rejectedStartVersion, Reason: refused})
	}
	return lifecycle.ToTemporalError(reason)
}

func readRejectedStart(carried converter.RawValue) error {
	var r rejectedStart
	if payload, err := payloadJSON(carried); err == nil {
		err = json.Unmarshal(payload, &r)
		if err != nil {
			r = rejectedStart{} // no rejectedStart: the payload is a state, or readState reports the error
		}
	}
	if r.Version != rejectedStartVersion || r.Reason == nil {
		return nil
	}
	return r.Reason
}
