package chaos

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	enums "go.temporal.io/api/enums/v1"
	"golang.org/x/sync/errgroup"

	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

const maxResets = 24

func (s *Experiment) resetPaused(ctx context.Context) error {
	open, err := s.resettableReferences(ctx)
	if err != nil {
		return err
	}
	return s.resetAllWhilePaused(ctx, ResetPaused, open[:min(len(open), maxResets)], func(ctx context.Context, reference opportunity.Reference, n int) error {
		return s.reset(ctx, reference, n%2 == 0)
	})
}

// resetOld resets earlier runs of chains while the opportunities are paused. The reset of an
// earlier run ends the later runs of the chain. If no chain has an earlier run, resetOld sends
// messages to a probe until the probe's run continues as new.
func (s *Experiment) resetOld(ctx context.Context) error {
	open, err := s.resettableReferences(ctx)
	if err != nil {
		return err
	}
	old := map[opportunity.Reference]string{}
	for _, reference := range open {
		if len(old) == maxResets {
			break
		}
		if run, err := s.oldRun(ctx, reference); err == nil && run != "" {
			old[reference] = run
		}
	}
	if len(old) == 0 {
		from, reference, err := s.startProbe(ctx)
		if err != nil {
			return err
		}
		growing, stop := context.WithCancel(ctx)
		grown := make(chan struct{})
		go func() {
			defer close(grown)
			for n := 0; growing.Err() == nil; n++ {
				s.sendFiller(growing, from, reference, n)
			}
		}()
		defer func() { stop(); <-grown }()
		if err := await(ctx, 2*momentTimeout, "a run that continues as new", func() (bool, error) {
			run, err := s.oldRun(ctx, reference)
			old[reference] = run
			return run != "", err
		}); err != nil {
			return err
		}
	}
	open = slices.DeleteFunc(s.references(), func(reference opportunity.Reference) bool { return old[reference] == "" })
	return s.resetAllWhilePaused(ctx, ResetOld, open, func(ctx context.Context, reference opportunity.Reference, _ int) error {
		return s.resetRun(ctx, reference, s.oldRun, true)
	})
}

// resettableReferences are the open opportunities that get only signals, in an order that depends
// on the seed. After a reset Temporal delivers signals before updates, so a mix of signals and
// updates would change the order of the messages.
func (s *Experiment) resettableReferences(ctx context.Context) ([]opportunity.Reference, error) {
	var open []opportunity.Reference
	for _, script := range s.plan.Scripts {
		if !script.SignalsOnly || !s.isStarted(script.Reference) {
			continue
		}
		about, err := s.temporal.DescribeWorkflow(ctx, lifecycle.WorkflowID(script.Reference), "")
		switch {
		case isMissing(err):
		case err != nil:
			return nil, err
		case about.Status == enums.WORKFLOW_EXECUTION_STATUS_RUNNING:
			open = append(open, script.Reference)
		}
	}
	s.random.Shuffle(len(open), func(i, j int) { open[i], open[j] = open[j], open[i] })
	return open, nil
}

// oldRun returns the oldest run of the chain that ends with the current run, or "" if the chain has
// no earlier run. oldRun does not go back beyond a run that a reset created. The server would not
// deliver the messages of such a run to a new run.
func (s *Experiment) oldRun(ctx context.Context, reference opportunity.Reference) (string, error) {
	current, err := s.currentRun(ctx, reference)
	if err != nil {
		return "", err
	}
	oldest := ""
	for run := current; ; {
		events, err := s.readHistory(ctx, lifecycle.WorkflowID(reference), run)
		if err != nil {
			return "", err
		}
		if !resetTime(events).IsZero() {
			return oldest, nil
		}
		if run = events[0].GetWorkflowExecutionStartedEventAttributes().GetContinuedExecutionRunId(); run == "" {
			return oldest, nil
		}
		oldest = run
	}
}

// No opportunity stays paused after the disruption, even if an error occurs.
func (s *Experiment) resetAllWhilePaused(ctx context.Context, what DisruptionKind, open []opportunity.Reference, reset func(context.Context, opportunity.Reference, int) error) error {
	if len(open) == 0 {
		return errors.New("the disruption found no open run that it can reset")
	}
	var resets atomic.Int32
	var resetting errgroup.Group
	for n, reference := range open {
		resetting.Go(func() error {
			from := time.Now()
			done, err := s.resetWhilePaused(ctx, reference, func(ctx context.Context) error { return reset(ctx, reference, n) })
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), momentTimeout)
			defer cancel()
			err = errors.Join(err, sender{experiment: s}.retry(ctx, func(ctx context.Context) error {
				return ignoreEnded(s.client.Signal(ctx, reference, opportunity.Resume{}))
			}))
			if err != nil {
				return fmt.Errorf("%s: %w", reference, err)
			}
			if done {
				resets.Add(1)
				s.recordPeriod(what, from, time.Now(), reference)
			}
			return nil
		})
	}
	err := resetting.Wait()
	if err == nil && resets.Load() == 0 {
		err = errors.New("no run was reset, because all runs ended before the disruption paused their opportunities")
	}
	return err
}

// resetWhilePaused returns false if the run ended before the pause.
func (s *Experiment) resetWhilePaused(ctx context.Context, reference opportunity.Reference, reset func(context.Context) error) (bool, error) {
	insist := sender{experiment: s}.retry
	if err := insist(ctx, func(ctx context.Context) error {
		return ignoreEnded(s.client.Signal(ctx, reference, opportunity.Pause{Reason: "the chaos test"}))
	}); err != nil {
		return false, err
	}
	ended := false
	// If a change is under way, the opportunity is paused after the end of the change.
	if err := await(ctx, momentTimeout, "a pause", func() (bool, error) {
		about, err := s.temporal.DescribeWorkflow(ctx, lifecycle.WorkflowID(reference), "")
		if err != nil {
			return false, err
		}
		if ended = about.Status != enums.WORKFLOW_EXECUTION_STATUS_RUNNING; ended {
			return true, nil
		}
		view, err := s.client.View(ctx, reference)
		return view.Paused != nil, err
	}); err != nil || ended {
		return false, err
	}
	if err := sleep(ctx, s.options.HoldTime); err != nil {
		return false, err
	}
	var refused error
	err := insist(ctx, func(ctx context.Context) error {
		if refused = reset(ctx); isBusy(refused) || errors.Is(refused, errPending) {
			return refused
		}
		return nil
	})
	if errors.Is(refused, errNoRun) {
		return false, nil
	}
	err = errors.Join(err, refused)
	return err == nil, err
}

func ignoreEnded(err error) error {
	var own *opportunity.Error
	if errors.As(err, &own) && own.Type == opportunity.Closed {
		return nil
	}
	return err
}
