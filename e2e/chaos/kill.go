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
	"github.com/oppflow/oppflow/sandbox/ledger"
)

// killWorkers kills all workers, so that whichever had the task is among them.
func (s *Storm) killWorkers(place Place, evidence string) {
	for _, w := range s.workers {
		w.Kill()
	}
	s.killed(place, evidence)
}

// probe starts an opportunity of the disruptions' own.
func (s *Storm) probe(ctx context.Context) (sender, opportunity.Reference, error) {
	s.probes++
	reference := opportunity.Reference(fmt.Sprintf("probe-%d-%d", s.options.Seed, s.probes))
	from := sender{storm: s, number: firstProbe + s.probes}
	ctx, cancel := context.WithTimeout(ctx, 2*patience)
	defer cancel()
	return from, reference, from.start(ctx, Script{Reference: reference, Start: opportunity.Start{Name: "Probe", Region: "UK", EntryStep: "Proposed"}})
}

// firstProbe is the number of the first sender that belongs to a disruption.
const firstProbe = 10_000

// signal sends a message of a disruption and returns its request id.
func (s *Storm) signal(ctx context.Context, from sender, reference opportunity.Reference, command opportunity.Command) string {
	s.requests++
	id := fmt.Sprintf("%s/%d", reference, s.requests)
	from.send(ctx, reference, Step{Deed: Send, Command: command.WithID(id), Way: audit.BySignal})
	return id
}

// killBeforeSend has the workers ask for new tokens, keeps these back, and kills the workers while an activity waits for
// one: it has begun, and its request cannot have been sent. It is tried again when the moment did not come.
func (s *Storm) killBeforeSend(ctx context.Context) error {
	for deadline := time.Now().Add(2 * patience); ; {
		err := s.tryBeforeSend(ctx)
		if err == nil || ctx.Err() != nil || time.Now().After(deadline) {
			return err
		}
		s.count(func(r *Report) { r.Missed[BeforeSend]++ })
	}
}

func (s *Storm) tryBeforeSend(ctx context.Context) error {
	from, reference, err := s.probe(ctx)
	if err != nil {
		return err
	}
	before, err := s.lastRequest(ctx)
	if err != nil {
		return err
	}
	tokens, err := s.sandbox.Set(ctx, fault.Rule{Kind: fault.HoldBefore, Operation: "token"})
	if err != nil {
		return err
	}
	defer func() { _ = s.sandbox.Remove(context.WithoutCancel(ctx), tokens) }()
	if _, err := s.sandbox.Set(ctx, fault.Rule{Kind: fault.ExpireTokens, Times: 1}); err != nil {
		return err
	}
	s.signal(ctx, from, reference, opportunity.AddInterests{Interests: opportunity.Interests{alikeInterest()}})
	evidence := ""
	// An activity that waits longer than its send window sends nothing, and what follows it is another activity.
	err = await(ctx, min(patience, 2*s.options.activityTime()), "an activity that waits for a token", func() (bool, error) {
		status, err := s.sandbox.Fault(ctx, tokens)
		if err != nil || status.Held == 0 {
			return false, err
		}
		begun, err := s.begunActivity(ctx, reference)
		if err != nil || begun == "" {
			return false, err
		}
		entries, err := s.sandbox.Ledger(ctx, before)
		if err != nil {
			return false, err
		}
		for _, entry := range entries {
			if entry.Answered.IsZero() && !isToken(entry) {
				return false, nil // something is on its way
			}
		}
		evidence = fmt.Sprintf("%s of %s had begun; %d requests for a token were held, none for the API was on its way", begun, reference, status.Held)
		return true, nil
	})
	if err != nil {
		return err
	}
	s.killWorkers(BeforeSend, evidence)
	return nil
}

func isToken(entry ledger.Entry) bool {
	return len(entry.Operations) == 1 && entry.Operations[0] == "token"
}

// begunActivity returns the type of an activity of the reference that a worker has begun, "" without one.
func (s *Storm) begunActivity(ctx context.Context, reference opportunity.Reference) (string, error) {
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

// lastRequest is the number of the newest request in the ledger.
func (s *Storm) lastRequest(ctx context.Context) (int64, error) {
	entries, err := s.sandbox.Ledger(ctx, 0)
	if err != nil || len(entries) == 0 {
		return 0, err
	}
	return entries[len(entries)-1].Number, nil
}

// killUnanswered holds a request in the sandbox, before it runs or after, and kills the workers meanwhile. The request is
// let go at once, so that it commits long before its activity times out.
func (s *Storm) killUnanswered(ctx context.Context, ran bool) error {
	kind := fault.HoldBefore
	if ran {
		kind = fault.HoldAfter
	}
	rule, err := s.hold(ctx, kind)
	if err != nil {
		return err
	}
	defer func() { _ = s.sandbox.Remove(context.WithoutCancel(ctx), rule) }()
	number, err := s.heldRequest(ctx, kind)
	if err != nil {
		return err
	}
	s.killWorkers(Unanswered, fmt.Sprintf("request %d was held (%s)", number, kind))
	return nil
}

// hold holds the next request that adds an interest, and sees to it that there is one.
func (s *Storm) hold(ctx context.Context, kind fault.Kind) (int, error) {
	from, reference, err := s.probe(ctx)
	if err != nil {
		return 0, err
	}
	rule, err := s.sandbox.Set(ctx, fault.Rule{Kind: kind, Operation: "opportunities.addInterest", Times: 1})
	if err != nil {
		return 0, err
	}
	s.signal(ctx, from, reference, opportunity.AddInterests{Interests: opportunity.Interests{alikeInterest(), alikeInterest()}})
	err = await(ctx, patience, "a request that is held", func() (bool, error) {
		status, err := s.sandbox.Fault(ctx, rule)
		return status.Held > 0, err
	})
	if err != nil {
		err = errors.Join(err, s.sandbox.Remove(context.WithoutCancel(ctx), rule))
	}
	return rule, err
}

// heldRequest returns the number of the newest request that met the fault.
func (s *Storm) heldRequest(ctx context.Context, kind fault.Kind) (int64, error) {
	entries, err := s.sandbox.Ledger(ctx, 0)
	number := entriesLast(entries, func(e ledger.Entry) bool { return e.Answered.IsZero() && !isToken(e) })
	if kind == fault.HoldAfter { // what has run is written down with its fault
		number = entriesLast(entries, func(e ledger.Entry) bool { return e.Answered.IsZero() && e.Fault == string(kind) })
	}
	return number, err
}

func entriesLast(entries []ledger.Entry, choose func(ledger.Entry) bool) int64 {
	for i := len(entries) - 1; i >= 0; i-- {
		if choose(entries[i]) {
			return entries[i].Number
		}
	}
	return 0
}

// killUnreported keeps an answer back, freezes the Temporal server, lets the answer go, and kills the workers, which have
// it and cannot report it.
func (s *Storm) killUnreported(ctx context.Context) error {
	rule, err := s.hold(ctx, fault.HoldAfter)
	if err != nil {
		return err
	}
	defer func() { _ = s.sandbox.Remove(context.WithoutCancel(ctx), rule) }()
	number, err := s.heldRequest(ctx, fault.HoldAfter)
	if err != nil {
		return err
	}
	server := s.parts.Server()
	if err := server.Pause(); err != nil {
		return err
	}
	defer func() { _ = server.Continue() }()
	if err := s.sandbox.Release(ctx, rule); err != nil {
		return err
	}
	err = await(ctx, patience, "an answer that is delivered", func() (bool, error) {
		entries, err := s.sandbox.Ledger(ctx, number-1)
		return len(entries) > 0 && !entries[0].Answered.IsZero() && !entries[0].Undelivered, err
	})
	if err != nil {
		return err
	}
	// The answer is in the worker's socket. The worker reads the answer during this pause.
	if err := pause(ctx, 50*time.Millisecond); err != nil {
		return err
	}
	s.killWorkers(Unreported, fmt.Sprintf("request %d was answered while the Temporal server was frozen", number))
	return nil
}

// killContinuing has an opportunity grow until its run is continued, freezes the workers at that moment, looks whether
// the next run has done anything yet, and kills the workers if not.
func (s *Storm) killContinuing(ctx context.Context) error {
	from, reference, err := s.probe(ctx)
	if err != nil {
		return err
	}
	growing, stop := context.WithCancel(ctx)
	defer stop()
	grown := make(chan struct{})
	go func() {
		defer close(grown)
		for n := 0; growing.Err() == nil; n++ {
			s.growth(growing, from, reference, n)
		}
	}()
	defer func() { stop(); <-grown }()
	for range attempts {
		run, err := s.currentRun(ctx, reference)
		if err != nil {
			return err
		}
		next, err := s.awaitContinued(ctx, reference, run)
		if err != nil {
			return err
		}
		s.pauseWorkers()
		events, err := s.events(ctx, lifecycle.WorkflowID(reference), next)
		if err == nil && !has(events, enums.EVENT_TYPE_WORKFLOW_TASK_COMPLETED) {
			s.killWorkers(Continuing, fmt.Sprintf("run %s of %s was continued by %s, which had %d events and no completed task", run, reference, next, len(events)))
			return nil
		}
		s.continueWorkers()
		if err != nil {
			return err
		}
		s.count(func(r *Report) { r.Missed[Continuing]++ })
	}
	return fmt.Errorf("%d runs were continued too fast", attempts)
}

// growth sends a small message.
func (s *Storm) growth(ctx context.Context, from sender, reference opportunity.Reference, n int) {
	id := fmt.Sprintf("%s/growth %d", reference, n)
	from.send(ctx, reference, Step{
		Deed: Send, Command: opportunity.UpdateDetails{RequestID: id, Name: fmt.Sprintf("Growth %d", n)}, Way: audit.BySignal, GivesUp: ctx.Err() != nil,
	})
	_ = pause(ctx, 15*time.Millisecond)
}

// awaitContinued waits for the end of the run and returns the run that continues it.
func (s *Storm) awaitContinued(ctx context.Context, reference opportunity.Reference, run string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 4*patience)
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
	return "", errors.New("the run ended otherwise")
}

// killCompleting has an opportunity won, freezes the workers when the last move is reported, looks whether the run has
// ended yet, and kills the workers if not.
func (s *Storm) killCompleting(ctx context.Context) error {
	for range attempts {
		done, err := s.tryCompleting(ctx)
		if done || err != nil {
			return err
		}
		s.count(func(r *Report) { r.Missed[Completing]++ })
	}
	return fmt.Errorf("%d runs ended too fast", attempts)
}

func (s *Storm) tryCompleting(ctx context.Context) (bool, error) {
	from, reference, err := s.probe(ctx)
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
	within, cancel := context.WithTimeout(ctx, 3*patience)
	defer cancel()
	events := s.temporal.GetWorkflowHistory(within, id, run, true, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		event, err := events.Next()
		if err != nil {
			return false, err
		}
		if !reportsWon(event) {
			continue
		}
		s.pauseWorkers()
		seen, err := s.events(ctx, id, run)
		if err == nil && !has(seen, enums.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED) {
			s.killWorkers(Completing, fmt.Sprintf("event %d of %s reported the move to Won; the run had %d events and no end", event.GetEventId(), reference, len(seen)))
			return true, nil
		}
		s.continueWorkers()
		return false, err
	}
	return false, nil
}

// reportsWon reports whether the event is the answer to a move that won the opportunity.
func reportsWon(event *historypb.HistoryEvent) bool {
	for _, payload := range event.GetActivityTaskCompletedEventAttributes().GetResult().GetPayloads() {
		if strings.Contains(string(payload.GetData()), `"state":"Won"`) {
			return true
		}
	}
	return false
}

func has(events []*historypb.HistoryEvent, kind enums.EventType) bool {
	for _, event := range events {
		if event.GetEventType() == kind {
			return true
		}
	}
	return false
}

func (s *Storm) pauseWorkers() {
	for _, w := range s.workers {
		_ = w.Pause() // one that does not run stays so
	}
}

func (s *Storm) continueWorkers() {
	for _, w := range s.workers {
		_ = w.Continue()
	}
}
