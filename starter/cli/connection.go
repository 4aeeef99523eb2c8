package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/settings"
	"github.com/oppflow/oppflow/telemetry"
	"github.com/oppflow/oppflow/worker/host"
)

// updateTimeout is 20 s longer than MaxUpdateWait, after which an update returns the outcome
// pending.
const (
	updateTimeout       = opportunity.MaxUpdateWait + updateTimeoutMargin
	updateTimeoutMargin = 20 * time.Second
)

type connection struct {
	program   *program
	temporal  settings.Temporal
	timeout   time.Duration
	namespace string // open sets the namespace
}

// timeout is how long the command waits for a response by default.
func (p *program) connection(fs *pflag.FlagSet, timeout time.Duration) *connection {
	c := &connection{program: p, timeout: timeout}
	c.temporal.Environment = p.env
	fs.Var((*durationFlag)(&c.timeout), "timeout", "how long to wait for a response")
	c.temporal.AddFlags(fs)
	return c
}

// The context that open returns limits the time of all calls of the command.
func (c *connection) open(ctx context.Context) (context.Context, client.Client, func(), error) {
	// The command reports no error if its traces could not be delivered.
	observer, err := host.StartTelemetry(ctx, settings.Telemetry{Environment: c.program.env},
		telemetry.Options{Service: "oppflow", Brief: true, Console: c.program.stderr})
	if err != nil {
		return nil, nil, nil, err
	}
	bounded, cancel := withTimeout(ctx, c.timeout)
	end := func() {
		cancel()
		_ = observer.Shutdown(ctx)
	}
	temporal, namespace, err := host.Connect(bounded, c.temporal, nil, observer.ClientOptions)
	if err != nil {
		end()
		return nil, nil, nil, err
	}
	c.namespace = namespace
	return bounded, temporal, func() { temporal.Close(); end() }, nil
}

func (c *connection) opportunities(ctx context.Context, work func(context.Context, *lifecycle.Client) error) error {
	ctx, temporal, done, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	// The client repeats requests until only updateTimeoutMargin of the timeout remains for the
	// last response.
	patience := max(opportunity.MaxUpdateWait, c.timeout-updateTimeoutMargin)
	return c.explainError(work(ctx, lifecycle.NewClientWithOptions(temporal, lifecycle.Options{MaxWait: patience})))
}

// explainError explains an error of Temporal in one line. explainError returns an error of the
// opportunity itself unchanged.
func (c *connection) explainError(err error) error {
	var own *opportunity.Error
	var missing *serviceerror.NamespaceNotFound
	var usage *usageError
	var explained *explainedError
	switch {
	case err == nil, errors.As(err, &own), errors.As(err, &usage), errors.As(err, &explained):
		return err
	case errors.As(err, &missing):
		return explainedf("there is no Temporal namespace %q; create it or set --temporal-namespace or TEMPORAL_NAMESPACE", c.namespace)
	case host.Reason(err) == host.Reason(context.DeadlineExceeded):
		return explainedf("no response within %v (--timeout); check that a worker runs", c.timeout)
	}
	return explainedf("%s", host.Reason(err))
}

type explainedError struct{ text string }

func (e *explainedError) Error() string { return e.text }

func explainedf(format string, args ...any) error {
	return &explainedError{text: fmt.Sprintf(format, args...)}
}

// If the user sets no request id with a flag, the method get creates a random request id.
type request struct{ id string }

func requestFlag(fs *pflag.FlagSet) *request {
	r := &request{}
	fs.Var((*requestID)(&r.id), "request-id", "your own id of this request; a repeated request with the same id takes effect only once and returns the same outcome (default: a random id)")
	return r
}

func (r *request) get() string {
	if r.id == "" {
		r.id = uuid.NewString()
	}
	return r.id
}

// Set rejects an empty request id, for example from a shell variable that is not set, because each
// repetition of the command would be a new request.
type requestID string

func (r *requestID) Set(text string) error {
	if text == "" {
		return errors.New("must not be empty; omit the flag to use a random id")
	}
	*r = requestID(text)
	return nil
}

func (r *requestID) String() string { return string(*r) }
func (r *requestID) Type() string   { return "string" }

type durationFlag time.Duration

func (l *durationFlag) Set(text string) error {
	value, err := time.ParseDuration(text)
	if err != nil || value <= 0 {
		return errors.New("must be a length of time greater than 0, such as 90s or 2m")
	}
	*l = durationFlag(value)
	return nil
}

func (l *durationFlag) String() string { return time.Duration(*l).String() }
func (l *durationFlag) Type() string   { return "duration" }

// reference returns the reference in the argument REF, which may also be a workflow id, as Temporal's
// Web UI shows it.
func reference(args []string) (opportunity.Reference, error) {
	ref := opportunity.Reference(args[0])
	if of, is := lifecycle.ReferenceOf(args[0]); is {
		ref = of
	}
	if err := ref.Validate(); err != nil {
		return "", asUsageError(err, map[string]string{"reference": "REF"})
	}
	return ref, nil
}

// completeNothing offers no completions, so that the shell does not complete a reference with names
// of files.
func completeNothing(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveNoFileComp
}
