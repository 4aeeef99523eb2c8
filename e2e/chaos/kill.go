package chaos

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	enums "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/e2e/chaos/audit"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/sandbox/fault"
	"github.com/oppflow/oppflow/sandbox/requestlog"
)

// killWorkers kills all workers, because any of the workers may execute the activity that the kill
// must interrupt.
func (s *Experiment) killWorkers(place KillPoint, evidence string) {
	for _, w := range s.workers {
		w.Kill()
	}
	s.recordKill(place, evidence)
}

func (s *Experiment) startProbe(ctx context.Context) (sender, opportunity.Reference, error) {
	s.probes++
	reference := opportunity.Reference(fmt.Sprintf("probe-%d-%d", s.options.Seed, s.probes))
	from := sender{experiment: s, number: firstProbe + s.probes}
	ctx, cancel := context.WithTimeout(ctx, 2*momentTimeout)
	defer cancel()
	return from, reference, from.start(ctx, Script{Reference: reference, Start: opportunity.Start{Name: "Probe", Region: "UK", EntryStep: "Proposed"}})
}

// firstProbe is the number of the first sender that belongs to a disruption.
const firstProbe = 10_000

func (s *Experiment) signal(ctx context.Context, from sender, reference opportunity.Reference, command opportunity.Command) string {
	s.requests++
	id := fmt.Sprintf("%s/%d", reference, s.requests)
	from.send(ctx, reference, Step{Action: Send, Command: command.WithRequestID(id), Transport: audit.BySignal})
	return id
}

// killBeforeSend makes the workers request new tokens, holds the tokens back, and kills the workers
// while an activity waits for a token. The activity has begun, and the activity's request cannot
// have been sent without a token.
func (s *Experiment) killBeforeSend(ctx context.Context) error {
	for deadline := time.Now().Add(2 * momentTimeout); ; {
		err := s.tryKillBeforeSend(ctx)
		if err == nil || ctx.Err() != nil || time.Now().After(deadline) {
			return err
		}
		s.updateReport(func(r *Report) { r.MissedKills[BeforeSend]++ })
	}
}

func (s *Experiment) tryKillBeforeSend(ctx context.Context) error {
	from, reference, err := s.startProbe(ctx)
	if err != nil {
		return err
	}
	before, err := s.lastRequest(ctx)
	if err != nil {
		return err
	}
	tokens, err := s.sandbox.SetFault(ctx, fault.Rule{Kind: fault.HoldBefore, Operation: "token"})
	if err != nil {
		return err
	}
	defer func() { _ = s.sandbox.RemoveFault(context.WithoutCancel(ctx), tokens) }()
	if _, err := s.sandbox.SetFault(ctx, fault.Rule{Kind: fault.ExpireTokens, Times: 1}); err != nil {
		return err
	}
	s.signal(ctx, from, reference, opportunity.AddInterests{Interests: opportunity.Interests{commonInterest()}})
	evidence := ""
	// An activity that waits longer than its send window sends nothing. The workflow then schedules
	// another activity, so the wait covers two activities.
	err = await(ctx, min(momentTimeout, 2*s.options.activityTime()), "an activity that waits for an access token", func() (bool, error) {
		status, err := s.sandbox.Fault(ctx, tokens)
		if err != nil || status.Held == 0 {
			return false, err
		}
		begun, err := s.startedActivity(ctx, reference)
		if err != nil || begun == "" {
			return false, err
		}
		entries, err := s.sandbox.RequestLog(ctx, before)
		if err != nil {
			return false, err
		}
		for _, entry := range entries {
			if entry.Answered.IsZero() && !isTokenRequest(entry) {
				return false, nil // a request is under way
			}
		}
		evidence = fmt.Sprintf("activity %s of opportunity %s had begun; the sandbox held back %d token requests, and no API request was under way", begun, reference, status.Held)
		return true, nil
	})
	if err != nil {
		return err
	}
	s.killWorkers(BeforeSend, evidence)
	return nil
}

func isTokenRequest(entry requestlog.Entry) bool {
	return len(entry.Operations) == 1 && entry.Operations[0] == "token"
}

// startedActivity returns the type of a running activity that sends changes of the reference, or ""
// if no such activity is running.
func (s *Experiment) startedActivity(ctx context.Context, reference opportunity.Reference) (string, error) {
	about, err := s.temporal.DescribeWorkflow(ctx, lifecycle.WorkflowID(reference), "")
	if err != nil {
		return "", err
	}
	for _, pending := range about.RawResponse.GetPendingActivities() {
		name := pending.GetActivityType().GetName()
		if pending.GetState() == enums.PENDING_ACTIVITY_STATE_STARTED && name == activities.ApplyCommands {
			return name, nil
		}
	}
	return "", nil
}

func (s *Experiment) lastRequest(ctx context.Context) (int64, error) {
	entries, err := s.sandbox.RequestLog(ctx, 0)
	if err != nil || len(entries) == 0 {
		return 0, err
	}
	return entries[len(entries)-1].Number, nil
}

// killBeforeAnswer holds a request in the sandbox before or after the request runs, and kills the
// workers while the request is held. Right after the kill, killBeforeAnswer releases the request.
// The request therefore commits long before its activity times out.
func (s *Experiment) killBeforeAnswer(ctx context.Context, ran bool) error {
	kind := fault.HoldBefore
	if ran {
		kind = fault.HoldAfter
	}
	rule, err := s.holdNextInterest(ctx, kind)
	if err != nil {
		return err
	}
	defer func() { _ = s.sandbox.RemoveFault(context.WithoutCancel(ctx), rule) }()
	number, err := s.lastHeldRequest(ctx, kind)
	if err != nil {
		return err
	}
	s.killWorkers(BeforeAnswer, fmt.Sprintf("the sandbox held back request %d (fault %s)", number, kind))
	return nil
}

// holdNextInterest makes the sandbox hold the next request that adds an interest, and sends a
// message that adds an interest.
func (s *Experiment) holdNextInterest(ctx context.Context, kind fault.Kind) (int, error) {
	from, reference, err := s.startProbe(ctx)
	if err != nil {
		return 0, err
	}
	rule, err := s.sandbox.SetFault(ctx, fault.Rule{Kind: kind, Operation: "opportunities.addInterest", Times: 1})
	if err != nil {
		return 0, err
	}
	s.signal(ctx, from, reference, opportunity.AddInterests{Interests: opportunity.Interests{commonInterest(), commonInterest()}})
	err = await(ctx, momentTimeout, "a request that the sandbox holds back", func() (bool, error) {
		status, err := s.sandbox.Fault(ctx, rule)
		return status.Held > 0, err
	})
	if err != nil {
		err = errors.Join(err, s.sandbox.RemoveFault(context.WithoutCancel(ctx), rule))
	}
	return rule, err
}

func (s *Experiment) lastHeldRequest(ctx context.Context, kind fault.Kind) (int64, error) {
	entries, err := s.sandbox.RequestLog(ctx, 0)
	number := lastEntry(entries, func(e requestlog.Entry) bool { return e.Answered.IsZero() && !isTokenRequest(e) })
	if kind == fault.HoldAfter { // the log entry of a request that has run names its fault
		number = lastEntry(entries, func(e requestlog.Entry) bool { return e.Answered.IsZero() && e.Fault == string(kind) })
	}
	return number, err
}

func lastEntry(entries []requestlog.Entry, choose func(requestlog.Entry) bool) int64 {
	for i := len(entries) - 1; i >= 0; i-- {
		if choose(entries[i]) {
			return entries[i].Number
		}
	}
	return 0
}

// killBeforeReport holds a response back, freezes the Temporal server, and releases the response.
// killBeforeReport then kills the workers, which have the response and cannot report the response
// to the server.
func (s *Experiment) killBeforeReport(ctx context.Context) error {
	rule, err := s.holdNextInterest(ctx, fault.HoldAfter)
	if err != nil {
		return err
	}
	defer func() { _ = s.sandbox.RemoveFault(context.WithoutCancel(ctx), rule) }()
	number, err := s.lastHeldRequest(ctx, fault.HoldAfter)
	if err != nil {
		return err
	}
	server := s.parts.Server()
	if err := server.Pause(); err != nil {
		return err
	}
	defer func() { _ = server.Continue() }()
	if err := s.sandbox.ReleaseFault(ctx, rule); err != nil {
		return err
	}
	err = await(ctx, momentTimeout, "a response that the sandbox has delivered", func() (bool, error) {
		entries, err := s.sandbox.RequestLog(ctx, number-1)
		return len(entries) > 0 && !entries[0].Answered.IsZero() && !entries[0].Undelivered, err
	})
	if err != nil {
		return err
	}
	// During this pause the worker reads the response from its socket.
	if err := sleep(ctx, 50*time.Millisecond); err != nil {
		return err
	}
	s.killWorkers(BeforeReport, fmt.Sprintf("the sandbox responded to request %d while the Temporal server was frozen", number))
	return nil
}

// killDuringContinueAsNew sends messages until a run continues as new, and then freezes the
// workers. If the next run has not completed a workflow task when the workers are frozen,
// killDuringContinueAsNew kills the workers.
func (s *Experiment) killDuringContinueAsNew(ctx context.Context) error {
	from, reference, err := s.startProbe(ctx)
	if err != nil {
		return err
	}
	growing, stop := context.WithCancel(ctx)
	defer stop()
	grown := make(chan struct{})
	go func() {
		defer close(grown)
		for n := 0; growing.Err() == nil; n++ {
			s.sendFiller(growing, from, reference, n)
		}
	}()
	defer func() { stop(); <-grown }()
	for range killAttempts {
		run, err := s.currentRun(ctx, reference)
		if err != nil {
			return err
		}
		next, err := s.awaitContinued(ctx, reference, run)
		if err != nil {
			return err
		}
		s.freezeWorkers()
		events, err := s.readHistory(ctx, lifecycle.WorkflowID(reference), next)
		if err == nil && !hasEvent(events, enums.EVENT_TYPE_WORKFLOW_TASK_COMPLETED) {
			s.killWorkers(DuringContinueAsNew, fmt.Sprintf("run %s of opportunity %s continued as new in run %s, which had %d history events and no completed workflow task", run, reference, next, len(events)))
			return nil
		}
		s.unfreezeWorkers()
		if err != nil {
			return err
		}
		s.updateReport(func(r *Report) { r.MissedKills[DuringContinueAsNew]++ })
	}
	return fmt.Errorf("no workers were killed, because %d new runs completed a workflow task before the workers were frozen", killAttempts)
}

func (s *Experiment) sendFiller(ctx context.Context, from sender, reference opportunity.Reference, n int) {
	id := fmt.Sprintf("%s/growth %d", reference, n)
	from.send(ctx, reference, Step{
		Action: Send, Command: opportunity.UpdateDetails{RequestID: id, Name: fmt.Sprintf("Growth %d", n)}, Transport: audit.BySignal, NoRetry: ctx.Err() != nil,
	})
	_ = sleep(ctx, 15*time.Millisecond)
}

func (s *Experiment) awaitContinued(ctx context.Context, reference opportunity.Reference, run string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 4*momentTimeout)
	defer cancel()
	events := s.temporal.GetWorkflowHistory(ctx, lifecycle.WorkflowID(reference), run, true, enums.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT)
	for events.HasNext() {
		event, err := events.Next()
		if err != nil {
			return "", err
		}
		if next := event.GetWorkflowExecutionContinuedAsNewEventAttributes().GetNewExecutionRunId(); next != "" {
			return next, nil
		}
	}
	return "", errors.New("the run ended without continuing as new")
}

// killDuringCompletion moves an opportunity to a won step, and freezes the workers when the last
// transition is reported to Temporal. If the run has not ended at this point, killDuringCompletion
// kills the workers.
func (s *Experiment) killDuringCompletion(ctx context.Context) error {
	for range killAttempts {
		done, err := s.tryKillDuringCompletion(ctx)
		if done || err != nil {
			return err
		}
		s.updateReport(func(r *Report) { r.MissedKills[DuringCompletion]++ })
	}
	return fmt.Errorf("no workers were killed, because %d runs ended before the workers were frozen", killAttempts)
}

func (s *Experiment) tryKillDuringCompletion(ctx context.Context) (bool, error) {
	from, reference, err := s.startProbe(ctx)
	if err != nil {
		return false, err
	}
	id := lifecycle.WorkflowID(reference)
	run, err := s.currentRun(ctx, reference)
	if err != nil {
		return false, err
	}
	s.signal(ctx, from, reference, opportunity.Progress{To: "Opportunity"})
	s.signal(ctx, from, reference, opportunity.Progress{To: "Won"})
	within, cancel := context.WithTimeout(ctx, 3*momentTimeout)
	defer cancel()
	events := s.temporal.GetWorkflowHistory(within, id, run, true, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		event, err := events.Next()
		if err != nil {
			return false, err
		}
		if !isWonReport(event) {
			continue
		}
		s.freezeWorkers()
		seen, err := s.readHistory(ctx, id, run)
		if err == nil && !hasEvent(seen, enums.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED) {
			s.killWorkers(DuringCompletion, fmt.Sprintf("history event %d of opportunity %s reported the transition to Won; the run had %d history events and had not ended", event.GetEventId(), reference, len(seen)))
			return true, nil
		}
		s.unfreezeWorkers()
		return false, err
	}
	return false, nil
}

func isWonReport(event *historypb.HistoryEvent) bool {
	for _, payload := range event.GetActivityTaskCompletedEventAttributes().GetResult().GetPayloads() {
		if strings.Contains(string(payload.GetData()), `"state":"Won"`) {
			return true
		}
	}
	return false
}

func hasEvent(events []*historypb.HistoryEvent, kind enums.EventType) bool {
	for _, event := range events {
		if event.GetEventType() == kind {
			return true
		}
	}
	return false
}

func (s *Experiment) freezeWorkers() {
	for _, w := range s.workers {
		_ = w.Pause() // a worker that does not run stays stopped
	}
}

func (s *Experiment) unfreezeWorkers() {
	for _, w := range s.workers {
		_ = w.Continue()
	}
}
