package harness

import (
	"context"
	"slices"
	"testing"
	"time"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/settings"
	"github.com/oppflow/oppflow/settings/testrun"
	"github.com/oppflow/oppflow/stack"
	"github.com/oppflow/oppflow/worker/host"
)

// Parts are the real things a test talks to.
type Parts struct {
	*stack.Stack
	// T is the test that brought them, or one below it.
	T *testing.T
	// Output is what the parts wrote.
	Output *Output
	// Temporal is a client of the test's namespace, and Client one of the contract.
	Temporal client.Client
	Client   *lifecycle.Client
	// API is a client of the sandbox.
	API *administrate.Client
}

// In returns the same parts for a test below the one that brought them.
func (p *Parts) In(t *testing.T) *Parts {
	below := *p
	below.T = t
	return &below
}

// Times of the parts, so that a test need not wait for a lost answer as long as a
// tenant does. TimesOfATenant gives the others back.
const (
	SendWindow = 2 * time.Second
	AnswerTime = 2 * time.Second
	SettleTime = 2 * time.Second
)

// Bring starts a sandbox and a worker for the test, which work in a namespace of
// the test's own on a Temporal server that tests share. They are gone when the
// test ends. Under the race detector they are built with it, too.
func Bring(t *testing.T, o stack.Options) *Parts {
	t.Helper()
	o.Race = testrun.Race
	return BringAsTold(t, o)
}

// BringAsTold is Bring for parts that need not be slower than they are: without
// the race detector unless it is asked for.
func BringAsTold(t *testing.T, o stack.Options) *Parts {
	t.Helper()
	output := new(Output)
	o.NoUI, o.Setup, o.Output = true, prepare, output
	// Tests send at any rate; those about the limit are against a sandbox of their own.
	if !slices.Contains(o.SandboxArgs, "--rate") {
		o.SandboxArgs = append([]string{"--no-rate-limit"}, o.SandboxArgs...)
	}
	o.WorkerArgs = slices.Concat([]string{
		"--api-rate", "1000", // a worker that starts while the server knows another one begins with a small part of the rate
		"--send-window", SendWindow.String(), "--answer-time", AnswerTime.String(), "--settle-time", SettleTime.String(), "--quiet-time", "500ms",
	}, o.WorkerArgs) // the last one of a flag counts
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute) // the server is built the first time
	defer cancel()
	var err error
	if o.Beside, o.Namespace, err = shared.namespace(ctx, o); err != nil {
		t.Fatal(err)
	}
	o.DynamicConfig = nil // it is the server's
	s, err := stack.Up(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	p := &Parts{Stack: s, T: t, Output: output}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("what the parts wrote:\n%s", output.Tail(20_000))
		}
		if output.Contains("WARNING: DATA RACE") {
			t.Errorf("a part has a data race:\n%s", output.Tail(50_000))
		}
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		if err := s.Down(ctx); err != nil {
			t.Error(err)
		}
	})
	p.connect()
	return p
}

func (p *Parts) connect() {
	p.T.Helper()
	connection, _, err := host.Connect(p.T.Context(), host.Plain(p.TemporalAddress(), p.Namespace()), nil)
	if err != nil {
		p.T.Fatal(err)
	}
	p.T.Cleanup(connection.Close)
	p.Temporal, p.Client = connection, lifecycle.NewClient(connection)
	p.API, err = administrate.New(administrate.Options{URL: p.APIURL(), Tokens: administrate.StaticToken(p.APIToken()), RequestsPerSecond: 1000})
	if err != nil {
		p.T.Fatal(err)
	}
}

// Status returns the status of the newest run of a reference.
func (p *Parts) Status(reference opportunity.Reference) enums.WorkflowExecutionStatus {
	p.T.Helper()
	described, err := p.Temporal.DescribeWorkflow(p.T.Context(), lifecycle.WorkflowID(reference), "")
	if err != nil {
		p.T.Fatal(err)
	}
	return described.RawResponse.GetWorkflowExecutionInfo().GetStatus()
}

// TimesOfATenant returns the worker's flags for the send window and the time
// for an answer that a tenant has by default; the other tests have about 2 s of each.
func TimesOfATenant() []string {
	return []string{"--send-window", settings.DefaultSendWindow.String(), "--answer-time", settings.DefaultAnswerTime.String()}
}

// Interests returns a message that adds one interest of the quantity.
func Interests(quantity int) opportunity.AddInterests {
	amount, _ := opportunity.ParseAmount("10.00") // it is one
	return opportunity.AddInterests{Interests: opportunity.Interests{{Item: "Q291cnNlVGVtcGxhdGU6MTE=", Quantity: quantity, UnitAmount: amount}}}
}
