// Package story plays the story of one opportunity, which the API documentation (Sales
// Opportunities) tells, through the opportunity's workflow. After every step of the story, package
// story compares the result with the documentation.
//
// Package story starts no programs and does not depend on a local stack. Package story works with
// every tenant that has the catalogue of the documentation.
package story

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"go.temporal.io/sdk/client"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

// SendMode says how the story sends its messages.
type SendMode int

const (
	// ByUpdate means that the story sends updates, which return the outcome.
	ByUpdate SendMode = iota
	// BySignal means that the story sends signals, which return nothing. When the view shows that
	// the run has carried out a signal, the story requests the outcome.
	BySignal
)

// Connections contains the connections to Temporal and to the API.
type Connections struct {
	// Temporal is a connection to a namespace with a worker.
	Temporal client.Client
	// API reads from the worker's TMS. The story writes nothing through API.
	API *administrate.Client
}

// Options contains the options of the story. The zero value is valid.
type Options struct {
	// Reference is the reference of the story's opportunity. No opportunity may have this reference
	// yet. If Reference is "", Play generates a reference.
	Reference opportunity.Reference
	// Send says how the story sends its messages.
	Send SendMode
	// If Between is not nil, Play calls Between after each step of the story except the last step,
	// with the name of the step. If Between returns an error, the story ends.
	Between func(ctx context.Context, after string) error
	// If Begin is not nil, Play calls Begin before each step of the story; number is 1 for the first
	// step. If End is not nil, Play calls End after each step of the story.
	Begin func(number, of int, say string)
	End   func(Result)
	// DefaultPlaybook says that the worker follows the default playbook, and that the TMS issues
	// training tokens and creates the invoice when the opportunity is won. With DefaultPlaybook, the
	// story also checks the effects of the win.
	DefaultPlaybook bool
	// StepTimeout is how long one step of the story may take, including restarts of parts; 0 means two
	// minutes.
	StepTimeout time.Duration
}

const (
	defaultStepTimeout = 2 * time.Minute
	retryInterval      = 100 * time.Millisecond
)

// Result is the result of one step of the story.
type Result struct {
	// Name is the name of the step, a single word.
	Name string
	// Description says in one line what the step did. Text says in one line what the result was.
	Description, Text string
	Checks            []Check
}

// Check compares one value with the documentation.
type Check struct{ What, Want, Got string }

// OK reports whether Want and Got are equal.
func (c Check) OK() bool { return c.Want == c.Got }

// String returns the comparison in one line.
func (c Check) String() string {
	if c.OK() {
		return fmt.Sprintf("%s: %q", c.What, c.Got)
	}
	return fmt.Sprintf("%s: %q, but the documentation says %q", c.What, c.Got, c.Want)
}

// Report is the result of the whole story.
type Report struct {
	Reference opportunity.Reference
	// WorkflowID and RunID are the ids of the first run of the workflow.
	WorkflowID, RunID string
	Results           []Result
	View              opportunity.View
	Ended             opportunity.RunResult
}

// Mismatches returns one line for each difference from the documentation.
func (r Report) Mismatches() []string {
	var all []string
	for _, result := range r.Results {
		for _, check := range result.Checks {
			if !check.OK() {
				all = append(all, result.Name+": "+check.String())
			}
		}
	}
	return all
}

// Compared returns the number of comparisons.
func (r Report) Compared() int {
	n := 0
	for _, result := range r.Results {
		n += len(result.Checks)
	}
	return n
}

// Play plays the story to its end. The report contains the differences from the documentation. If a
// step makes it impossible to continue the story, Play returns an error and a report of the earlier
// steps.
func Play(ctx context.Context, p Connections, o Options) (Report, error) {
	if o.Reference == "" {
		o.Reference = opportunity.Reference("story-" + uuid.NewString())
	}
	if o.StepTimeout <= 0 {
		o.StepTimeout = defaultStepTimeout
	}
	stage := &session{
		Connections: p, options: o, client: lifecycle.NewClient(p.Temporal),
		report: Report{Reference: o.Reference, WorkflowID: lifecycle.WorkflowID(o.Reference)},
	}
	steps := steps()
	if o.DefaultPlaybook {
		steps = append(steps, winning())
	}
	for i, s := range steps {
		if o.Begin != nil {
			o.Begin(i+1, len(steps), s.description)
		}
		result, err := stage.play(ctx, s)
		if err != nil {
			return stage.report, fmt.Errorf("%s: %w", s.description, err)
		}
		stage.report.Results = append(stage.report.Results, result)
		if o.End != nil {
			o.End(result)
		}
		if o.Between != nil && i+1 < len(steps) {
			if err := o.Between(ctx, s.name); err != nil {
				return stage.report, fmt.Errorf("after %s: %w", s.name, err)
			}
		}
	}
	return stage.report, nil
}

type step struct {
	name, description string
	action            func(context.Context, *session) error
	text              func(*session) string
	expect            func(*session) []Check
}

type session struct {
	Connections
	options Options
	client  *lifecycle.Client
	report  Report

	outcome    opportunity.Outcome        // outcome of the last message
	view       opportunity.View           // view of the workflow
	record     administrate.Opportunity   // record in the TMS
	found      []administrate.Opportunity // results of the search
	winObjects winObjects                 // objects that the default playbook ensured
}

func (s *session) play(ctx context.Context, one step) (Result, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, s.options.StepTimeout, fmt.Errorf("the step of the example was not done within %v", s.options.StepTimeout))
	defer cancel()
	s.outcome = opportunity.Outcome{}
	if err := one.action(ctx, s); err != nil {
		return Result{}, err
	}
	if err := s.readState(ctx); err != nil {
		return Result{}, err
	}
	return Result{Name: one.name, Description: one.description, Text: one.text(s), Checks: one.expect(s)}, nil
}

func (s *session) readState(ctx context.Context) (err error) {
	if s.view, err = s.readView(ctx); err != nil {
		return fmt.Errorf("the view cannot be read: %w", err)
	}
	s.report.View = s.view
	s.record, err = retry(ctx, func() (administrate.Opportunity, error) {
		return s.API.Opportunity(ctx, string(s.view.Opportunity))
	})
	if err != nil {
		return fmt.Errorf("the record cannot be read: %w", err)
	}
	return nil
}

func (s *session) readView(ctx context.Context) (opportunity.View, error) {
	return retry(ctx, func() (opportunity.View, error) { return s.client.View(ctx, s.options.Reference) })
}

func (s *session) start(ctx context.Context, start opportunity.Start) error {
	_, err := await(ctx, func() (opportunity.CreateOutcome, bool, error) {
		opened, err := s.client.Start(ctx, s.options.Reference, start)
		return opened, opened.State != opportunity.Pending, err
	})
	if err != nil {
		return err
	}
	first, err := retry(ctx, func() (string, error) {
		description, err := s.Temporal.DescribeWorkflow(ctx, s.report.WorkflowID, "")
		if err != nil {
			return "", err
		}
		return description.RawResponse.GetWorkflowExecutionInfo().GetFirstRunId(), nil
	})
	s.report.RunID = first
	return err
}

// The request id is the name of the story's step, so a message that is repeated after an unknown
// outcome takes effect once.
func (s *session) send(ctx context.Context, message opportunity.Command) error {
	before, err := s.readView(ctx)
	if err != nil {
		return err
	}
	if s.options.Send == BySignal {
		if err := s.signal(ctx, message, before); err != nil {
			return err
		}
	}
	s.outcome, err = await(ctx, func() (opportunity.Outcome, bool, error) {
		outcome, err := s.client.Update(ctx, s.options.Reference, message)
		if outcome.State == opportunity.Failed {
			err = nil // a failure is an outcome, too
		}
		return outcome, outcome.State != opportunity.Pending, err
	})
	var own *opportunity.Error
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &own):
		return err
	case own.Type != opportunity.Closed:
		s.outcome = opportunity.Outcome{RequestID: message.GetRequestID(), State: opportunity.Failed, Error: own}
		return nil
	}
	// If the message ended the workflow and its response was lost, the last view of the workflow
	// shows the outcome.
	after, err := s.readView(ctx)
	if err != nil {
		return err
	}
	s.outcome = opportunity.Outcome{RequestID: message.GetRequestID(), State: opportunity.Done}
	if after.Failures > before.Failures || len(after.Timeline) == len(before.Timeline) {
		s.outcome.State, s.outcome.Error = opportunity.Failed, own
	}
	return nil
}

// signal sends the message and waits until the view shows that the run has carried out the message.
// Only then may the story request the outcome, because the update for the outcome would itself
// carry out a message whose signal was lost.
func (s *session) signal(ctx context.Context, message opportunity.Command, before opportunity.View) error {
	_, err := retry(ctx, func() (struct{}, error) {
		return struct{}{}, s.client.Signal(ctx, s.options.Reference, message)
	})
	if err != nil {
		return err
	}
	_, err = await(ctx, func() (struct{}, bool, error) {
		view, err := s.client.View(ctx, s.options.Reference)
		return struct{}{}, len(view.Queue) == 0 && len(view.Timeline) > len(before.Timeline), err
	})
	return err
}

// retry repeats the attempt until the attempt succeeds, ctx ends, or the error is an
// *opportunity.Error or an *administrate.NotFoundError.
func retry[T any](ctx context.Context, try func() (T, error)) (T, error) {
	return await(ctx, func() (T, bool, error) {
		got, err := try()
		return got, true, err
	})
}

// await is like retry, but also repeats an attempt that returns done as false.
func await[T any](ctx context.Context, try func() (got T, done bool, err error)) (T, error) {
	for {
		got, done, err := try()
		if err == nil && done {
			return got, nil
		}
		var own *opportunity.Error
		var missing *administrate.NotFoundError
		if errors.As(err, &own) || errors.As(err, &missing) {
			return got, err
		}
		select {
		case <-ctx.Done():
			if err == nil {
				return got, context.Cause(ctx)
			}
			return got, fmt.Errorf("%w; the last error was: %w", context.Cause(ctx), err)
		case <-time.After(retryInterval):
		}
	}
}
