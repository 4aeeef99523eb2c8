package chaos

import (
	"context"
	"errors"
	"fmt"
	"time"

	activitypb "go.temporal.io/api/activity/v1"
	commonpb "go.temporal.io/api/common/v1"
	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/sandbox/fault"
)

type runningChange struct {
	experiment *Experiment
	reference  opportunity.Reference
	execution  *commonpb.WorkflowExecution
	activity   string
}

type activityOperation struct {
	name  string
	apply func(context.Context, runningChange) error
}

func activityOperations() []activityOperation {
	return []activityOperation{
		{"complete", func(ctx context.Context, c runningChange) error { return c.complete(ctx) }},
		{"fail", func(ctx context.Context, c runningChange) error { return c.fail(ctx) }},
		{"pause, fail, unpause", func(ctx context.Context, c runningChange) error {
			return errors.Join(c.pause(ctx), c.fail(ctx), c.unpause(ctx))
		}},
		{"reset, fail", func(ctx context.Context, c runningChange) error { return errors.Join(c.reset(ctx), c.fail(ctx)) }},
		{"update options", func(ctx context.Context, c runningChange) error { return c.update(ctx) }},
		{"pause, fail, reset", func(ctx context.Context, c runningChange) error {
			return errors.Join(c.pause(ctx), c.fail(ctx), c.reset(ctx))
		}},
		{"update options, reset, fail", func(ctx context.Context, c runningChange) error {
			return errors.Join(c.update(ctx), c.reset(ctx), c.fail(ctx))
		}},
	}
}

func (c runningChange) complete(ctx context.Context) error {
	result := &commonpb.Payloads{Payloads: []*commonpb.Payload{{Metadata: map[string][]byte{"encoding": []byte("json/plain")}, Data: []byte("{}")}}}
	_, err := c.experiment.temporal.WorkflowService().RespondActivityTaskCompletedById(ctx, &workflowservice.RespondActivityTaskCompletedByIdRequest{
		Namespace: c.experiment.parts.Namespace(), WorkflowId: c.execution.GetWorkflowId(), RunId: c.execution.GetRunId(), ActivityId: c.activity, Result: result,
	})
	return err
}

func (c runningChange) fail(ctx context.Context) error {
	_, err := c.experiment.temporal.WorkflowService().RespondActivityTaskFailedById(ctx, &workflowservice.RespondActivityTaskFailedByIdRequest{
		Namespace: c.experiment.parts.Namespace(), WorkflowId: c.execution.GetWorkflowId(), RunId: c.execution.GetRunId(), ActivityId: c.activity,
	})
	return err
}

func (c runningChange) pause(ctx context.Context) error {
	_, err := c.experiment.temporal.WorkflowService().PauseActivity(ctx, &workflowservice.PauseActivityRequest{
		Namespace: c.experiment.parts.Namespace(), Execution: c.execution, Activity: &workflowservice.PauseActivityRequest_Id{Id: c.activity},
	})
	return err
}

func (c runningChange) unpause(ctx context.Context) error {
	_, err := c.experiment.temporal.WorkflowService().UnpauseActivity(ctx, &workflowservice.UnpauseActivityRequest{
		Namespace: c.experiment.parts.Namespace(), Execution: c.execution, Activity: &workflowservice.UnpauseActivityRequest_Id{Id: c.activity},
		ResetAttempts: true, ResetHeartbeat: true,
	})
	return err
}

func (c runningChange) reset(ctx context.Context) error {
	_, err := c.experiment.temporal.WorkflowService().ResetActivity(ctx, &workflowservice.ResetActivityRequest{
		Namespace: c.experiment.parts.Namespace(), Execution: c.execution, Activity: &workflowservice.ResetActivityRequest_Id{Id: c.activity}, ResetHeartbeat: true,
	})
	return err
}

func (c runningChange) update(ctx context.Context) error {
	_, err := c.experiment.temporal.WorkflowService().UpdateActivityOptions(ctx, &workflowservice.UpdateActivityOptionsRequest{
		Namespace: c.experiment.parts.Namespace(), Execution: c.execution, Activity: &workflowservice.UpdateActivityOptionsRequest_Id{Id: c.activity},
		ActivityOptions: &activitypb.ActivityOptions{
			StartToCloseTimeout: durationpb.New(time.Second), RetryPolicy: &commonpb.RetryPolicy{MaximumAttempts: 3},
		},
		UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"start_to_close_timeout", "retry_policy.maximum_attempts"}},
	})
	return err
}

// operateActivities applies at most one activity operation to each opportunity. A fault makes the
// API respond slowly, so that changes are still under way when the operation begins. The long form
// of the experiment repeats the operations for twice as long, because each operation affects only
// the messages of one opportunity.
func (s *Experiment) operateActivities(ctx context.Context) error {
	slow, err := s.sandbox.SetFault(ctx, fault.Rule{Kind: fault.Slow, Operation: fault.AnyMutation, Delay: fault.Duration(s.options.SlowTime)})
	if err != nil {
		return err
	}
	defer func() { _ = s.sandbox.RemoveFault(context.WithoutCancel(ctx), slow) }()
	all, pulled, count := activityOperations(), map[opportunity.Reference]bool{}, map[string]int{}
	length := s.options.HoldTime
	if s.options.Long {
		length *= 2
	}
	for deadline := time.Now().Add(length); time.Now().Before(deadline) && ctx.Err() == nil; {
		for _, reference := range s.references() {
			if pulled[reference] {
				continue
			}
			c, found := s.runningChange(ctx, reference)
			if !found {
				continue
			}
			one, from := all[len(pulled)%len(all)], time.Now()
			err := one.apply(ctx, c)
			var over *serviceerror.NotFound
			if errors.As(err, &over) {
				continue // the change and its activity ended in the meantime
			}
			if err != nil && ctx.Err() == nil {
				return fmt.Errorf("%s: %s: %w", reference, one.name, err)
			}
			pulled[reference] = true
			count[one.name]++
			// If the activity operation leaves the change status unknown, Oppflow reads the record
			// back after the activity time and the settle time.
			s.recordPeriod(OperateActivities, from, time.Now().Add(s.options.activityTime()+s.options.Times.Settle()), reference)
		}
		_ = sleep(ctx, 20*time.Millisecond)
	}
	if len(pulled) == 0 {
		return errors.New("no activity that sends a change was running, so the chaos test applied none of Temporal's activity operations")
	}
	s.reportProgress("activity operations: " + formatCounts(count))
	return nil
}

// runningChange returns the opportunity's change if the first attempt of the change's activity is
// running.
func (s *Experiment) runningChange(ctx context.Context, reference opportunity.Reference) (runningChange, bool) {
	about, err := s.temporal.DescribeWorkflow(ctx, lifecycle.WorkflowID(reference), "")
	if err != nil {
		return runningChange{}, false
	}
	for _, pending := range about.RawResponse.GetPendingActivities() {
		if pending.GetState() == enums.PENDING_ACTIVITY_STATE_STARTED && pending.GetActivityType().GetName() == activities.ApplyCommands && pending.GetAttempt() == 1 {
			return runningChange{s, reference, about.RawResponse.GetWorkflowExecutionInfo().GetExecution(), pending.GetActivityId()}, true
		}
	}
	return runningChange{}, false
}
