package e2e_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/otel/trace"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"github.com/oppflow/oppflow/e2e/harness"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/settings"
	"github.com/oppflow/oppflow/stack"
	"github.com/oppflow/oppflow/starter/cli"
	"github.com/oppflow/oppflow/starter/story"
	"github.com/oppflow/oppflow/telemetry"
	"github.com/oppflow/oppflow/telemetry/telemetrytest"
	"github.com/oppflow/oppflow/worker/host"
)

// otelVariables sets variables of OpenTelemetry for this process and for the parts that it starts.
// otelVariables removes all other variables of OpenTelemetry.
func otelVariables(t *testing.T, pairs ...string) {
	t.Helper()
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "OTEL_") {
			t.Setenv(name, "")
		}
	}
	for _, pair := range pairs {
		name, value, _ := strings.Cut(pair, "=")
		t.Setenv(name, value)
	}
}

// The function that connectTraced returns sends the service's spans.
func (p *parts) connectTraced(service string) (client.Client, func()) {
	p.t.Helper()
	on, err := host.StartTelemetry(p.t.Context(), settings.Telemetry{}, telemetry.Options{Service: service})
	if err != nil {
		p.t.Fatal(err)
	}
	if !on.On() {
		p.t.Fatal("the parts trace nothing, although the test sets a collector")
	}
	connection, _, err := host.Connect(p.t.Context(), host.InsecureTemporal(p.TemporalAddress(), p.Namespace()), nil, on.ClientOptions)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(connection.Close)
	return connection, func() {
		p.t.Helper()
		if err := on.Shutdown(p.t.Context()); err != nil {
			p.t.Error(err)
		}
	}
}

func startTrace(t *testing.T, ctx context.Context) (context.Context, trace.SpanContext) {
	t.Helper()
	var config trace.SpanContextConfig
	for _, id := range [][]byte{config.TraceID[:], config.SpanID[:]} {
		if _, err := rand.Read(id); err != nil {
			t.Fatal(err)
		}
	}
	config.TraceFlags, config.Remote = trace.FlagsSampled, true
	began := trace.NewSpanContext(config)
	return trace.ContextWithSpanContext(ctx, began), began
}

// spanChain finds the spans with the given names, from the span that began the trace to the last
// name.
func spanChain(t *testing.T, c *telemetrytest.Collector, began trace.SpanContext, names ...string) telemetrytest.Span {
	t.Helper()
	spans := c.Spans()
	parents := []telemetrytest.Span{{ID: began.SpanID().String()}}
	for _, name := range names {
		var children []telemetrytest.Span
		for _, s := range spans {
			if s.Trace == began.TraceID().String() && s.Name == name && slices.ContainsFunc(parents, func(p telemetrytest.Span) bool { return p.ID == s.Parent }) {
				children = append(children, s)
			}
		}
		if len(children) == 0 {
			var there []string
			for _, s := range spans {
				if s.Trace == began.TraceID().String() {
					there = append(there, fmt.Sprintf("%s (%s below %s)", s.Name, s.ID, s.Parent))
				}
			}
			t.Fatalf("no span %q has a parent among %v with the names %q; the trace has %q", name, parents, names, there)
		}
		parents = children
	}
	return parents[len(parents)-1]
}

// A sender finds in its own trace what happened to the message: the workflow, the activity and the
// request to the API.
func TestOneTraceFromTheSenderToTheAPI(t *testing.T) {
	otelVariables(t)
	collector := telemetrytest.Start(t)
	p := startParts(t, stack.Options{Data: t.TempDir(), WorkerEnv: []string{
		"OTEL_EXPORTER_OTLP_ENDPOINT=" + collector.URL,
		// The export intervals are longer than the test, so spans arrive because the worker flushes
		// its spans when the worker stops.
		"OTEL_BSP_SCHEDULE_DELAY=600000", "OTEL_METRIC_EXPORT_INTERVAL=600000",
	}})
	otelVariables(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+collector.GRPC, "OTEL_EXPORTER_OTLP_PROTOCOL=grpc", "OTEL_METRICS_EXPORTER=none")
	connection, flush := p.connectTraced("shop")
	otelVariables(t) // the parts that are started again have variables of their own
	service := lifecycle.NewClient(connection)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()

	// The first worker is killed while an update waits for the API to return. Another worker
	// handles the update.
	const reference = opportunity.Reference("traced")
	if _, err := service.Start(ctx, reference, opportunity.Start{Name: "Traced", Region: "UK"}); err != nil {
		t.Fatal(err)
	}
	if err := p.Sandbox().Stop(ctx); err != nil {
		t.Fatal(err)
	}
	inKilled, killed := startTrace(t, ctx)
	answered := make(chan error, 1)
	go func() {
		_, err := service.Update(inKilled, reference, harness.Interests(1))
		answered <- err
	}()
	// The test must not kill the worker while an API request is under way. A kill during an API
	// request would make the result of the request unknown, and the two updates would share a later
	// request. After three attempts of an API request, the workflow waits for four seconds.
	harness.Eventually(t, time.Minute, "the update waits between two attempts", func() bool {
		events, timers := p.Runs(reference)[0].Events, 0
		for _, event := range events {
			if event.GetEventType() == enums.EVENT_TYPE_TIMER_STARTED {
				timers++
			}
		}
		return timers >= 3 && events[len(events)-1].GetEventType() == enums.EVENT_TYPE_TIMER_STARTED
	})
	p.Worker().Kill()
	if err := p.Worker().Start(ctx); err != nil {
		t.Fatal(err)
	}
	if err := p.Sandbox().Start(ctx); err != nil {
		t.Fatal(err)
	}
	if err := <-answered; err != nil {
		t.Fatal(err)
	}

	inUpdate, update := startTrace(t, ctx)
	if _, err := service.Update(inUpdate, reference, harness.Interests(2)); err != nil {
		t.Fatal(err)
	}
	inSignal, signal := startTrace(t, ctx)
	if err := service.Signal(inSignal, reference, opportunity.UpdateDetails{Name: "Traced on"}); err != nil {
		t.Fatal(err)
	}
	harness.Eventually(t, time.Minute, "the signal has taken effect", func() bool {
		view, err := p.client.View(ctx, reference)
		return err == nil && view.Details.Name == "Traced on"
	})

	// Two messages wait for a worker, and the worker then sends both messages in one API request.
	if err := p.Worker().Stop(ctx); err != nil {
		t.Fatal(err)
	}
	inFirst, first := startTrace(t, ctx)
	inSecond, second := startTrace(t, ctx)
	for _, in := range []context.Context{inFirst, inSecond} {
		if err := service.Signal(in, reference, harness.Interests(3)); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Worker().Start(ctx); err != nil {
		t.Fatal(err)
	}
	inWon, won := startTrace(t, ctx)
	for _, step := range []string{"Opportunity", "Won"} {
		if _, err := service.Update(inWon, reference, opportunity.Progress{To: step}); err != nil {
			t.Fatal(err)
		}
	}
	// One more message begins and ends under one worker, so that no span of its trace is lost.
	inStart, start := startTrace(t, ctx)
	const other = opportunity.Reference("traced from its start")
	if _, err := service.Start(inStart, other, opportunity.Start{Name: "Traced", Region: "UK"}); err != nil {
		t.Fatal(err)
	}
	for _, step := range []string{"Opportunity", "Won"} {
		if _, err := p.client.Update(ctx, other, opportunity.Progress{To: step}); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range []opportunity.Reference{reference, other} {
		if _, err := p.client.Wait(ctx, r); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Worker().Stop(ctx); err != nil {
		t.Fatal(err)
	}
	flush()

	sent := spanChain(t, collector, update, "UpdateWorkflow:addInterests", "HandleUpdate:addInterests", "StartActivity:ApplyCommands", "RunActivity:ApplyCommands", "mutation Apply")
	if sent.Service != "oppflow-worker" || sent.Failed || sent.Attributes["server.address"] != "127.0.0.1" {
		t.Errorf("unexpected span of the request: %+v", sent)
	}
	if by := spanChain(t, collector, update, "UpdateWorkflow:addInterests"); by.Service != "shop" || by.Attributes["temporalWorkflowID"] != lifecycle.WorkflowID(reference) {
		t.Errorf("unexpected span of the sender: %+v", by)
	}
	spanChain(t, collector, signal, "SignalWorkflow:updateDetails", "HandleSignal:updateDetails", "StartActivity:ApplyCommands", "RunActivity:ApplyCommands", "mutation Apply")
	spanChain(t, collector, won, "UpdateWorkflow:progress", "HandleUpdate:progress", "StartActivity:ApplyCommands", "RunActivity:ApplyCommands", "mutation Apply")
	spanChain(t, collector, start, "UpdateWithStartWorkflow:opened", "RunWorkflow:Lifecycle", "StartActivity:CreateOpportunity", "RunActivity:CreateOpportunity", "mutation Apply")

	together := spanChain(t, collector, first, "SignalWorkflow:addInterests", "HandleSignal:addInterests", "StartActivity:ApplyCommands")
	if !slices.Contains(together.Links, second.TraceID().String()) {
		t.Errorf("the API request with both changes is not linked to the trace of the second change: %+v", together)
	}
	spanChain(t, collector, first, "SignalWorkflow:addInterests", "HandleSignal:addInterests", "StartActivity:ApplyCommands", "RunActivity:ApplyCommands", "mutation Apply")

	// The worker that handled the update is dead, and its spans are lost. The spans of the next
	// worker are children of the sender's span.
	spanChain(t, collector, killed, "UpdateWorkflow:addInterests", "StartActivity:ApplyCommands", "RunActivity:ApplyCommands", "mutation Apply")
	for _, s := range collector.Spans() {
		if s.Trace == killed.TraceID().String() && s.Name == "HandleUpdate:addInterests" {
			t.Errorf("replaying a workflow exported a span again: %+v", s)
		}
	}

	measured := collector.Metrics()
	for _, name := range []string{"temporal_request_latency", "temporal_workflow_completed", "temporal_activity_execution_latency", "http.client.request.duration"} {
		if len(measured[name]) == 0 {
			t.Errorf("no metric %s", name)
		}
	}
	// The histories that were recorded with tracing can be replayed without tracing.
	p.Replay(reference, "traced")
	p.Replay(other, "traced-from-its-start")
}

// Traces and metrics contain no content of an opportunity: no learners, no courses, no prices, no
// responses of the API, no tokens.
func TestTelemetryHasNoPersonalData(t *testing.T) {
	otelVariables(t)
	collector := telemetrytest.Start(t)
	p := startParts(t, stack.Options{WorkerEnv: []string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + collector.URL}})
	otelVariables(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+collector.URL)
	connection, flush := p.connectTraced("shop")
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()

	for name, send := range map[string]story.SendMode{"by update": story.ByUpdate, "by signal": story.BySignal} {
		report, err := story.Play(ctx, story.Connections{Temporal: connection, API: p.api}, story.Options{Reference: opportunity.Reference("private " + name), Send: send})
		if err != nil || len(report.Mismatches()) > 0 {
			t.Fatal(err, report.Mismatches())
		}
	}
	// A malformed message, and an error that quotes the message, must not put the message into a
	// trace or metric.
	const reference = opportunity.Reference("private too")
	service := lifecycle.NewClient(connection)
	if _, err := service.Start(ctx, reference, opportunity.Start{Name: "Confidential Zoë", Region: "UK"}); err != nil {
		t.Fatal(err)
	}
	if _, err := service.Update(ctx, reference, opportunity.Progress{To: "Zoë's step"}); err == nil {
		t.Error("the API found a step that does not exist")
	}
	if _, err := service.Start(ctx, "private three", opportunity.Start{Name: "Confidential Zoë", Region: "Zoë's region"}); err == nil {
		t.Error("the API found a region that does not exist")
	}
	if err := connection.SignalWorkflow(ctx, lifecycle.WorkflowID(reference), "", "zoe@example.com", "Zoë"); err != nil {
		t.Fatal(err)
	}
	harness.Eventually(t, time.Minute, "the view shows the malformed signal as failed", func() bool {
		view, err := p.client.View(ctx, reference)
		return err == nil && view.Failures >= 2
	})
	var stdout, stderr bytes.Buffer
	code := cli.Main(ctx, []string{
		"add-interest", string(reference), "--item", "Q291cnNlVGVtcGxhdGU6MTE=", "--quantity", "1", "--amount", "199.90",
		"--learner", "Melissa Green <melissa@example.com>",
	}, append(os.Environ(), p.Environ()...), &stdout, &stderr)
	if code != host.ExitDone {
		t.Fatalf("add-interest: %d, %s", code, stderr.String())
	}
	if err := p.Worker().Stop(ctx); err != nil {
		t.Fatal(err)
	}
	flush()

	for _, service := range []string{"shop", "oppflow", "oppflow-worker"} {
		if !slices.Contains(collector.Services(), service) {
			t.Errorf("the collector got no spans of %s, only spans of %q", service, collector.Services())
		}
	}
	if n := len(collector.Spans()); n < 100 {
		t.Errorf("the collector got only %d spans; the test needs more", n)
	}
	if len(collector.Find("HandleSignal:other")) == 0 {
		t.Error("the malformed signal was not traced")
	}
	kinds := map[string]bool{}
	for _, s := range collector.Spans() {
		kinds[s.Attributes["error.type"]] = true
	}
	if len(kinds) < 2 {
		t.Errorf("no rejected update was traced: %v", kinds)
	}
	for _, private := range []string{
		"Melissa", "melissa", "Green", "example.com", "199.90", "19.90", "Zoë", "Confidential", "First Aid", "My New Course", "ABC-123", "U.S. Dollars",
		"Transition", "newLearners", "firstName", "mutation(", "$m0", "Bearer", p.APIToken(), "/graphql",
	} {
		if collector.Contains(private) {
			t.Errorf("the telemetry contains %q", private)
		}
	}
}

// Without a variable that asks for telemetry, the parts send no telemetry, not even to
// OpenTelemetry's default address. A command prints the same output whether its trace is delivered
// or not.
func TestTelemetryIsOffByDefault(t *testing.T) {
	otelVariables(t)
	var connections atomic.Int32
	for _, address := range []string{"127.0.0.1:4318", "127.0.0.1:4317"} {
		var config net.ListenConfig
		listener, err := config.Listen(t.Context(), "tcp", address)
		if err != nil {
			t.Skipf("another program uses OpenTelemetry's default port: %v", err)
		}
		t.Cleanup(func() { _ = listener.Close() })
		go func() {
			for {
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				connections.Add(1)
				_ = conn.Close()
			}
		}()
	}
	// The export intervals are short, so a part with unwanted telemetry sends the telemetry at
	// once.
	quick := []string{"OTEL_BSP_SCHEDULE_DELAY=10", "OTEL_METRIC_EXPORT_INTERVAL=10"}
	p := startParts(t, stack.Options{WorkerEnv: quick})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	command := func(args ...string) (int, string, time.Duration) {
		t.Helper()
		var stdout, stderr bytes.Buffer
		began := time.Now()
		code := cli.Main(ctx, args, append(os.Environ(), p.Environ()...), &stdout, &stderr)
		return code, stdout.String() + stderr.String(), time.Since(began)
	}
	if code, said, _ := command("start", "quiet", "--name", "Quiet", "--region", "UK"); code != host.ExitDone {
		t.Fatalf("start: %d, %s", code, said)
	}
	code, calm, _ := command("show", "quiet")
	if code != host.ExitDone || !strings.Contains(calm, "Quiet") {
		t.Fatalf("oppflow show: exit code %d, %s", code, calm)
	}
	if err := p.Worker().Stop(ctx); err != nil { // the worker flushes its remaining telemetry
		t.Fatal(err)
	}
	if n := connections.Load(); n != 0 {
		t.Errorf("%d connections to a collector, although no variable requests telemetry", n)
	}
	if err := p.Worker().Start(ctx); err != nil {
		t.Fatal(err)
	}
	// For some seconds the server may send queries to the sticky queue of the worker that stopped
	// first.
	if code, said, _ := command("show", "quiet"); code != host.ExitDone || said != calm {
		t.Errorf("after a restart of the worker: exit code %d\n%s\nbefore the restart:\n%s", code, said, calm)
	}

	// The same command runs with a collector that closes the connection, with a collector that does
	// not exist, and with a collector that never responds.
	hung, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = hung.Close() }()
	for _, variables := range [][]string{
		{"OTEL_TRACES_EXPORTER=otlp"},
		{"OTEL_TRACES_EXPORTER=otlp", "OTEL_EXPORTER_OTLP_PROTOCOL=grpc"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT=http://" + hung.Addr().String()},
	} {
		otelVariables(t, variables...)
		before := connections.Load()
		code, said, took := command("show", "quiet")
		if code != host.ExitDone || said != calm {
			t.Errorf("%q: %d\n%s\nwithout:\n%s", variables, code, said, calm)
		}
		if took > 5*time.Second {
			t.Errorf("%q: the command took %s", variables, took)
		}
		if variables[0] == "OTEL_TRACES_EXPORTER=otlp" && connections.Load() == before {
			t.Errorf("%q: the command did not connect to the collector; the test does not check this variable", variables)
		}
	}
	otelVariables(t, "OTEL_TRACES_EXPORTER=carrier-pigeon")
	if code, said, _ := command("show", "quiet"); code != host.ExitUsage || strings.Count(said, "\n") != 1 || !strings.Contains(said, "OTEL_TRACES_EXPORTER") {
		t.Errorf("a wrong value of a variable: exit code %d, %s", code, said)
	}
}
