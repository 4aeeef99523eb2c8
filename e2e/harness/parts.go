package harness

import (
	"context"
	"slices"
	"testing"
	"time"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/administrate/oauth"
	"github.com/oppflow/oppflow/administrate/transport"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/settings"
	"github.com/oppflow/oppflow/settings/testrun"
	"github.com/oppflow/oppflow/stack"
	"github.com/oppflow/oppflow/worker/host"
)

// Parts are the real parts that a test uses.
type Parts struct {
	*stack.Stack
	// T is the test that started the parts, or a subtest of that test.
	T      *testing.T
	Output *Output
	// Temporal is a Temporal client of the test's namespace. Client is Oppflow's client in the
	// test's namespace.
	Temporal client.Client
	Client   *lifecycle.Client
	API      *administrate.Client
}

// In returns the same parts for a subtest of the test that started the parts.
func (p *Parts) In(t *testing.T) *Parts {
	below := *p
	below.T = t
	return &below
}

// SendWindow, ResponseTime and SettleTime are the times of the workers in tests. These three times
// are shorter than a tenant's times, so that a test waits less for a lost response.
const (
	SendWindow   = 2 * time.Second
	ResponseTime = 2 * time.Second
	SettleTime   = 2 * time.Second
)

// Start starts a sandbox and a worker for the test.
func Start(t *testing.T, o stack.Options) *Parts {
	t.Helper()
	o.Race = testrun.Race
	return StartWithoutRace(t, o)
}

// StartWithoutRace is Start, but builds the parts with the race detector only if the options ask
// for the detector.
func StartWithoutRace(t *testing.T, o stack.Options) *Parts {
	t.Helper()
	output := new(Output)
	o.NoUI, o.Setup, o.Output = true, prepareNamespace, output
	// The sandbox does not limit the rate of requests.
	if !slices.Contains(o.SandboxArgs, "--rate") {
		o.SandboxArgs = append([]string{"--no-rate-limit"}, o.SandboxArgs...)
	}
	o.WorkerArgs = slices.Concat([]string{
		"--api-rate", "1000", // a worker that starts while another worker polls begins with a small share of --api-rate
		"--send-window", SendWindow.String(), "--response-time", ResponseTime.String(), "--settle-time", SettleTime.String(), "--quiet-time", "500ms",
	}, o.WorkerArgs) // the last value of a repeated flag counts
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute) // the server is built the first time
	defer cancel()
	var err error
	if o.ServerFrom, o.Namespace, err = shared.namespace(ctx, o); err != nil {
		t.Fatal(err)
	}
	o.DynamicConfig = nil // the shared Temporal server already has the dynamic configuration
	s, err := stack.Up(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	p := &Parts{Stack: s, T: t, Output: output}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("output of the Temporal server, the sandbox and the workers:\n%s", output.Tail(20_000))
		}
		if output.Contains("WARNING: DATA RACE") {
			t.Errorf("the race detector found a data race in a process of the test:\n%s", output.Tail(50_000))
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
	connection, _, err := host.Connect(p.T.Context(), host.InsecureTemporal(p.TemporalAddress(), p.Namespace()), nil)
	if err != nil {
		p.T.Fatal(err)
	}
	p.T.Cleanup(connection.Close)
	p.Temporal, p.Client = connection, lifecycle.NewClient(connection)
	p.API, err = administrate.New(administrate.Options{Options: transport.Options{URL: p.APIURL(), Tokens: oauth.StaticToken(p.APIToken()), RequestsPerSecond: 1000}})
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

// DefaultTimes returns the worker's flags with a tenant's default send window and response time.
func DefaultTimes() []string {
	return []string{"--send-window", settings.DefaultSendWindow.String(), "--response-time", settings.DefaultResponseTime.String()}
}

// Interests returns a message that adds one interest with the given quantity.
func Interests(quantity int) opportunity.AddInterests {
	amount, _ := opportunity.ParseAmount("10.00") // the error is nil, because 10.00 is a valid amount
	return opportunity.AddInterests{Interests: opportunity.Interests{{Item: "Q291cnNlVGVtcGxhdGU6MTE=", Quantity: quantity, UnitAmount: amount}}}
}
