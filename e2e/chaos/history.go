package chaos

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enums "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	updatepb "go.temporal.io/api/update/v1"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/e2e/chaos/audit"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

func (s *Experiment) readHistory(ctx context.Context, workflow, run string) ([]*historypb.HistoryEvent, error) {
	var list []*historypb.HistoryEvent
	events := s.temporal.GetWorkflowHistory(ctx, workflow, run, false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		event, err := events.Next()
		if err != nil {
			return nil, err
		}
		list = append(list, event)
	}
	return list, nil
}

func (s *Experiment) currentRun(ctx context.Context, reference opportunity.Reference) (string, error) {
	about, err := s.temporal.DescribeWorkflow(ctx, lifecycle.WorkflowID(reference), "")
	if err != nil {
		return "", err
	}
	return about.WorkflowExecution.RunID, nil
}

// Workers must run while chains runs, because the workers answer the queries.
func (s *Experiment) chains(ctx context.Context, reference opportunity.Reference) ([]audit.Chain, error) {
	current, err := s.currentRun(ctx, reference)
	if isMissing(err) {
		return nil, nil // the start of the opportunity never succeeded
	}
	if err != nil {
		return nil, err
	}
	lasts := append(slices.Clone(s.terminatedRuns(reference)), current)
	var list []audit.Chain
	for _, last := range slices.Compact(lasts) {
		chain, err := s.chain(ctx, reference, last)
		if isMissing(err) {
			continue // the run was terminated after the backup from which the database was restored
		}
		if err != nil {
			return nil, err
		}
		if last != current && chain.Status != audit.Terminated {
			continue // this run was terminated after the backup, and the restored database has it as running
		}
		list = append(list, chain)
	}
	return list, nil
}

func (s *Experiment) chain(ctx context.Context, reference opportunity.Reference, last string) (audit.Chain, error) {
	id := lifecycle.WorkflowID(reference)
	c := audit.Chain{Reference: reference, Start: s.startOf(reference), Outcomes: map[string]opportunity.Outcome{}}
	about, err := s.temporal.DescribeWorkflow(ctx, id, last)
	if err != nil {
		return c, err
	}
	c.Status = statusOf(about.RawResponse.GetWorkflowExecutionInfo().GetStatus())
	// A run that was terminated before its first workflow task cannot be queried. The experiment
	// then queries the previous run of the chain, which has the same state as the terminated run.
	asked := ""
	var histories [][]*historypb.HistoryEvent
	for run := last; run != ""; {
		events, err := s.readHistory(ctx, id, run)
		if err != nil {
			return c, err
		}
		if asked == "" && hasEvent(events, enums.EVENT_TYPE_WORKFLOW_TASK_COMPLETED) {
			asked = run
		}
		c.Skipped = append(c.Skipped, skippedRequests(events)...)
		c.Runs, histories = slices.Insert(c.Runs, 0, run), slices.Insert(histories, 0, events)
		c.Accepted = append(acceptedMessages(run, events), c.Accepted...)
		reads, registered := readsAndRegistrations(events)
		c.Reads, c.RegisteredAt = append(c.Reads, reads...), append(c.RegisteredAt, registered...)
		run = events[0].GetWorkflowExecutionStartedEventAttributes().GetContinuedExecutionRunId()
	}
	asked = cmp.Or(asked, last)
	over := reportTimes(slices.Concat(histories...))
	for n := range c.Accepted {
		c.Accepted[n].ReportedAt = over[c.Accepted[n].Request]
	}
	if err := s.query(ctx, &c.View, id, asked, lifecycle.View.Name); err != nil {
		return c, err
	}
	requests := []string{opportunity.StartRequestID}
	for _, a := range c.Accepted {
		requests = append(requests, a.Request)
	}
	slices.Sort(requests)
	for _, request := range slices.Compact(requests) {
		var outcome opportunity.Outcome
		err := s.query(ctx, &outcome, id, asked, lifecycle.OutcomeOf.Name, lifecycle.OutcomeInput{RequestID: request})
		var own *opportunity.Error
		if known, ok := lifecycle.FromTemporalError(err); ok {
			own = known
		}
		switch {
		case err == nil:
			c.Outcomes[request] = outcome
		case own == nil || own.Type != opportunity.NotFound:
			return c, errors.Join(err, errors.New("the outcome could not be read for the request "+request))
		}
	}
	return c, nil
}

func skippedRequests(events []*historypb.HistoryEvent) []string {
	var list []string
	for _, event := range events {
		attributes := event.GetWorkflowExecutionSignaledEventAttributes()
		var skip opportunity.Skip
		if opportunity.MessageName(attributes.GetSignalName()) == skip.MessageName() && json.Unmarshal([]byte(firstPayload(attributes.GetInput())), &skip) == nil {
			list = append(list, skip.Request)
		}
	}
	return list
}

// resetTime returns the time of the reset that created the run with these events, or zero if no
// reset created the run.
func resetTime(events []*historypb.HistoryEvent) time.Time {
	var at time.Time
	for _, event := range events {
		if event.GetWorkflowTaskFailedEventAttributes().GetCause() == enums.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW {
			at = event.GetEventTime().AsTime()
		}
	}
	return at
}

// query queries a run. query repeats a query that timed out because a worker was killed. query also
// repeats a query that fails with an error that is not in Oppflow's contract, for two reasons.
// First, the SDK drops the error of a query when a worker sends the query's result together with a
// workflow task. Second, a busy worker may report a deadlock of a workflow that only waits for the
// processor.
func (s *Experiment) query(ctx context.Context, answer any, workflow, run, name string, args ...any) error {
	ctx, cancel := context.WithTimeout(ctx, momentTimeout)
	defer cancel()
	for {
		value, err := s.temporal.QueryWorkflow(ctx, workflow, run, name, args...)
		if err == nil {
			return value.Get(answer)
		}
		var failed *serviceerror.QueryFailed
		_, known := lifecycle.FromTemporalError(err)
		if again := isBusy(err) || errors.As(err, &failed) && !known; !again || sleep(ctx, retryInterval) != nil {
			return err
		}
	}
}

func statusOf(status enums.WorkflowExecutionStatus) audit.Status {
	switch status {
	case enums.WORKFLOW_EXECUTION_STATUS_COMPLETED:
		return audit.Completed
	case enums.WORKFLOW_EXECUTION_STATUS_FAILED:
		return audit.Rejected
	case enums.WORKFLOW_EXECUTION_STATUS_CANCELED:
		return audit.Canceled
	case enums.WORKFLOW_EXECUTION_STATUS_TERMINATED:
		return audit.Terminated
	default:
		return audit.Running
	}
}

type acceptedMessage struct {
	audit.Accepted
	update string // id of the update, "" for a signal
}

func (t *acceptedMessage) fromUpdate(request *updatepb.Request) {
	t.update = request.GetMeta().GetUpdateId()
	t.Transport, t.Message, t.Request = audit.ByUpdate, opportunity.MessageName(request.GetInput().GetName()), t.update
	for _, payload := range request.GetInput().GetArgs().GetPayloads() {
		t.Payload = payload.GetData()
	}
}

func acceptedMessages(run string, events []*historypb.HistoryEvent) []audit.Accepted {
	var list []audit.Accepted
	byUpdate, admitted := map[string]int{}, map[string]*updatepb.Request{}
	for _, event := range events {
		a := acceptedMessage{Accepted: audit.Accepted{Run: run, Event: event.GetEventId(), At: event.GetEventTime().AsTime()}}
		switch {
		case event.GetWorkflowExecutionSignaledEventAttributes() != nil:
			attributes := event.GetWorkflowExecutionSignaledEventAttributes()
			a.Transport, a.Message = audit.BySignal, opportunity.MessageName(attributes.GetSignalName())
			for _, payload := range attributes.GetInput().GetPayloads() {
				a.Payload = payload.GetData()
			}
		case event.GetWorkflowExecutionUpdateAdmittedEventAttributes() != nil: // after a reset the server delivers an update again in such an event
			request := event.GetWorkflowExecutionUpdateAdmittedEventAttributes().GetRequest()
			admitted[request.GetMeta().GetUpdateId()] = request
			continue
		case event.GetWorkflowExecutionUpdateAcceptedEventAttributes() != nil:
			attributes := event.GetWorkflowExecutionUpdateAcceptedEventAttributes()
			if a.fromUpdate(attributes.GetAcceptedRequest()); attributes.GetAcceptedRequest() == nil {
				a.fromUpdate(admitted[attributes.GetProtocolInstanceId()])
			}
		case event.GetWorkflowExecutionUpdateCompletedEventAttributes() != nil:
			attributes := event.GetWorkflowExecutionUpdateCompletedEventAttributes()
			if at, ok := byUpdate[attributes.GetMeta().GetUpdateId()]; ok && attributes.GetOutcome().GetFailure() != nil {
				list[at].Refusal = attributes.GetOutcome().GetFailure().GetMessage()
			}
			continue
		default:
			continue
		}
		if !isCommand(a.Message) {
			continue
		}
		var named struct {
			RequestID string `json:"requestId"`
		}
		if json.Unmarshal(a.Payload, &named) == nil && named.RequestID != "" {
			a.Request = named.RequestID
		}
		if a.update != "" {
			byUpdate[a.update] = len(list)
		}
		list = append(list, a.Accepted)
	}
	return list
}

// A change with an unknown result counts as reported at the time at which the record was read back.
func reportTimes(events []*historypb.HistoryEvent) map[string]time.Time {
	over := map[string]time.Time{}
	var unknown []string
	scheduled := map[int64]*historypb.ActivityTaskScheduledEventAttributes{} // the activities of the current run
	for _, event := range events {
		at := event.GetEventTime().AsTime()
		var of int64
		known := false
		switch event.GetEventType() {
		case enums.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
			clear(scheduled)
		case enums.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
			scheduled[event.GetEventId()] = event.GetActivityTaskScheduledEventAttributes()
		case enums.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
			attributes := event.GetActivityTaskCompletedEventAttributes()
			of, known = attributes.GetScheduledEventId(), !strings.Contains(firstPayload(attributes.GetResult()), `"fate":"unknown"`)
		case enums.EVENT_TYPE_ACTIVITY_TASK_FAILED:
			of = event.GetActivityTaskFailedEventAttributes().GetScheduledEventId()
		case enums.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT:
			of = event.GetActivityTaskTimedOutEventAttributes().GetScheduledEventId()
		case enums.EVENT_TYPE_ACTIVITY_TASK_CANCELED:
			of = event.GetActivityTaskCanceledEventAttributes().GetScheduledEventId()
		}
		switch asked := scheduled[of]; asked.GetActivityType().GetName() {
		case activities.ReadOpportunity:
			if known {
				for _, request := range unknown {
					over[request] = at
				}
				unknown = nil
			}
		case activities.ApplyCommands:
			var input activities.ApplyInput
			_ = json.Unmarshal([]byte(firstPayload(asked.GetInput())), &input) // an input that cannot be read names no request
			for _, mutation := range input.Changes {
				over[mutation.Request] = at
				if !known {
					unknown = append(unknown, mutation.Request)
				}
			}
		}
	}
	return over
}

// readsAndRegistrations returns the reads of the record, and the times at which requests to register
// learners were scheduled.
func readsAndRegistrations(events []*historypb.HistoryEvent) (reads []audit.Period, registered []time.Time) {
	scheduled := map[int64]time.Time{}
	for _, event := range events {
		at := event.GetEventTime().AsTime()
		switch asked := event.GetActivityTaskScheduledEventAttributes(); asked.GetActivityType().GetName() {
		case activities.ReadOpportunity, activities.PlanOpportunity:
			scheduled[event.GetEventId()] = at
		case activities.ExecuteEffect:
			var input activities.EffectInput
			if json.Unmarshal([]byte(firstPayload(asked.GetInput())), &input) == nil && input.Request != nil && input.Request.Kind == exchange.RequestRegister {
				registered = append(registered, at)
			}
		}
		if from, known := scheduled[event.GetActivityTaskCompletedEventAttributes().GetScheduledEventId()]; known {
			reads = append(reads, audit.Period{From: from, To: at})
		}
	}
	return reads, registered
}

func firstPayload(payloads *commonpb.Payloads) string {
	for _, payload := range payloads.GetPayloads() {
		return string(payload.GetData())
	}
	return ""
}

func isCommand(verb opportunity.MessageName) bool {
	return slices.Contains([]opportunity.MessageName{
		opportunity.MessageAddInterests, opportunity.MessageProgress, opportunity.MessageUpdateDetails, opportunity.MessageExtendReservations,
	}, verb)
}
