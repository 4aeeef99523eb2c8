package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	sdktemporal "go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/devserver/readyfile"
)

// If DEVSERVER_TEST_PROGRAM is set, the test binary runs as the program devserver.
const programVariable = "DEVSERVER_TEST_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(programVariable) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

type process struct {
	*exec.Cmd
	readyfile.Report
	readyFile string
	out       *bytes.Buffer
	exit      chan struct{}
}

// program starts devserver as a process and does not wait until devserver is ready.
func program(t *testing.T, args ...string) *process {
	t.Helper()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{readyFile: filepath.Join(t.TempDir(), "ready.json"), out: new(bytes.Buffer), exit: make(chan struct{})}
	p.Cmd = exec.CommandContext(t.Context(), executable, append([]string{"--ready-file", p.readyFile}, args...)...)
	p.Env = append(os.Environ(), programVariable+"=1")
	p.Stdout, p.Stderr = p.out, p.out
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.Wait()
		close(p.exit)
	}()
	t.Cleanup(func() {
		_ = p.Process.Kill()
		<-p.exit
	})
	return p
}

func up(t *testing.T, args ...string) *process {
	t.Helper()
	p := program(t, args...)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		var err error
		if p.Report, err = readyfile.Read(p.readyFile); err == nil {
			return p
		}
		if !errors.Is(err, os.ErrNotExist) {
			t.Fatalf("ready file: %v", err)
		}
		select {
		case <-p.exit:
			t.Fatalf("it ended: %s", p.out)
		default:
		}
		if time.Now().After(deadline) {
			t.Fatal("it is not ready after a minute")
		}
	}
}

func (p *process) terminate(t *testing.T) {
	t.Helper()
	start := time.Now()
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-p.exit
	if code := p.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit status %d after SIGTERM: %s", code, p.out)
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("it took %v to stop", took)
	}
	if _, err := os.Stat(p.readyFile); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the ready file is still there: %v", err)
	}
}

func dial(t *testing.T, address string) client.Client {
	t.Helper()
	c, err := client.Dial(client.Options{HostPort: address, Logger: sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

var (
	stage  = sdktemporal.NewSearchAttributeKeyKeyword("Stage")
	labels = sdktemporal.NewSearchAttributeKeyKeywordList("Labels")
)

// counterWorkflow adds up the numbers that it receives in signals and updates, and ends after a
// signal with the number 0.
func counterWorkflow(ctx workflow.Context) (int, error) {
	sum, end := 0, false
	err := workflow.SetUpdateHandler(ctx, "add", func(ctx workflow.Context, n int) (int, error) {
		sum += n
		return sum, workflow.UpsertTypedSearchAttributes(ctx, stage.ValueSet("Counting"), labels.ValueSet([]string{"a", "b"}))
	})
	if err != nil {
		return 0, err
	}
	if err := workflow.SetQueryHandler(ctx, "sum", func() (int, error) { return sum, nil }); err != nil {
		return 0, err
	}
	workflow.Go(ctx, func(ctx workflow.Context) {
		for {
			var n int
			workflow.GetSignalChannel(ctx, "add").Receive(ctx, &n)
			sum += n
			end = end || n == 0
		}
	})
	err = workflow.Await(ctx, func() bool { return end })
	return sum, err
}

func startWorker(t *testing.T, c client.Client) worker.Worker {
	t.Helper()
	w := worker.New(c, "counters", worker.Options{})
	w.RegisterWorkflowWithOptions(counterWorkflow, workflow.RegisterOptions{Name: "counter"})
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	var once sync.Once
	t.Cleanup(func() { once.Do(w.Stop) })
	return w
}

func add(t *testing.T, c client.Client, id string, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	handle, err := c.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID: id, UpdateName: "add", Args: []any{n}, WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	if err == nil {
		err = handle.Get(ctx, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func wantCount(t *testing.T, c client.Client, id string, want int) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		answer, err := c.QueryWorkflow(t.Context(), id, "", "sum")
		if err != nil {
			t.Fatal(err)
		}
		var got int
		if err := answer.Get(&got); err != nil {
			t.Fatal(err)
		}
		if got == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the sum is %d, want %d", got, want)
		}
	}
}

// wantFound waits, because the server writes visibility data a short time after the history.
func wantFound(t *testing.T, c client.Client, query string, want int64) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		count, err := c.CountWorkflow(t.Context(), &workflowservice.CountWorkflowExecutionsRequest{Query: query})
		if err != nil {
			t.Fatal(err) // for example an unknown search attribute: the server must know the attribute when the server is ready
		}
		if count.Count == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s finds %d, want %d", query, count.Count, want)
		}
	}
}

// All features of the Temporal server that Oppflow needs work, also after a restart of the server.
// The server does not lose an accepted message if the process is killed with kill -9.
func TestServer(t *testing.T) {
	db := filepath.Join(t.TempDir(), "odd %41?#name.db")
	args := []string{
		"--port", "0", "--ui-port", "0", "--db", db,
		"--search-attribute", "Stage=Keyword", "--search-attribute", "Labels=KeywordList",
		"--dynamic-config-value", "limit.historyCount.suggestContinueAsNew=321",
	}
	p := up(t, args...)
	c := dial(t, p.Temporal)
	// A query can use the search attributes as soon as the server is ready.
	if _, err := c.CountWorkflow(t.Context(), &workflowservice.CountWorkflowExecutionsRequest{Query: "Stage = 'x' AND Labels = 'y'"}); err != nil {
		t.Error(err)
	}
	for _, path := range []string{"/", "/namespaces/default/workflows", "/api/v1/namespaces/default"} {
		if status, body := get(t, p.UI+path); status != http.StatusOK || len(body) == 0 {
			t.Errorf("the Web UI answers %d to %s", status, path)
		}
	}
	w := startWorker(t, c)

	start := c.NewWithStartWorkflowOperation(client.StartWorkflowOptions{
		ID: "one", TaskQueue: "counters", StaticSummary: "the first counter",
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
	}, "counter")
	handle, err := c.UpdateWithStartWorkflow(t.Context(), client.UpdateWithStartWorkflowOptions{
		StartWorkflowOperation: start,
		UpdateOptions:          client.UpdateWorkflowOptions{UpdateName: "add", Args: []any{1}, WaitForStage: client.WorkflowUpdateStageCompleted},
	})
	if err != nil {
		t.Fatal(err)
	}
	var sum int
	if err := handle.Get(t.Context(), &sum); err != nil || sum != 1 {
		t.Errorf("update with start answers %d, %v", sum, err)
	}
	if err := c.SignalWorkflow(t.Context(), "one", "", "add", 10); err != nil {
		t.Fatal(err)
	}
	add(t, c, "one", 100)
	wantCount(t, c, "one", 111)
	wantFound(t, c, "Stage = 'Counting' AND Labels = 'b'", 1)
	description, err := c.DescribeWorkflow(t.Context(), "one", "")
	if err != nil {
		t.Fatal(err)
	}
	if summary, err := description.GetStaticSummary(); err != nil || summary != "the first counter" {
		t.Errorf("the summary is %q, %v", summary, err)
	}
	second := program(t, args...)
	<-second.exit
	if text := second.out.String(); second.ProcessState.ExitCode() != 1 || !strings.Contains(text, "another server uses this file") || strings.Count(text, "\n") != 1 {
		t.Errorf("a second server on the file: %d, %q", second.ProcessState.ExitCode(), text)
	}
	if err := c.SignalWorkflow(t.Context(), "one", "", "add", 1000); err != nil {
		t.Errorf("after the second server: %v", err)
	}
	wantCount(t, c, "one", 1111)

	// The test kills the server before a worker has received the last accepted signal.
	w.Stop()
	if err := c.SignalWorkflow(t.Context(), "one", "", "add", 10000); err != nil {
		t.Fatal(err)
	}
	if err := p.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-p.exit
	_, port, err := net.SplitHostPort(p.Temporal)
	if err != nil {
		t.Fatal(err)
	}
	again := up(t, append([]string{"--port", port}, args[2:]...)...)
	if again.Temporal != p.Temporal {
		t.Errorf("it came back at %s, not at %s", again.Temporal, p.Temporal)
	}
	startWorker(t, c)
	add(t, c, "one", 0)
	wantCount(t, c, "one", 11111)
	wantFound(t, c, "Stage = 'Counting' AND ExecutionStatus = 'Running'", 1)
	again.terminate(t)

	third := up(t, append(args, "--search-attribute", "Size=Int")...)
	c3 := dial(t, third.Temporal)
	startWorker(t, c3)
	add(t, c3, "one", 1)
	wantCount(t, c3, "one", 11112)
	if err := c3.SignalWorkflow(t.Context(), "one", "", "add", 0); err != nil {
		t.Fatal(err)
	}
	wantFound(t, c3, "Stage = 'Counting' AND Size IS NULL AND ExecutionStatus = 'Completed'", 1)
	third.terminate(t)

	clash := program(t, "--port", "0", "--headless", "--db", db, "--search-attribute", "Stage=Int")
	<-clash.exit
	if text := clash.out.String(); clash.ProcessState.ExitCode() != 1 || !strings.Contains(text, "Stage already has the type Keyword, which cannot be changed to Int") {
		t.Errorf("a clash of types: %d, %q", clash.ProcessState.ExitCode(), text)
	}
}

func get(t *testing.T, url string) (int, []byte) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, body
}

// A headless server with its data in memory stores closed workflows for the duration of the
// constant retention, supports worker heartbeats, and writes only one line of output.
func TestServerInMemory(t *testing.T) {
	p := up(t, "--port", "0", "--headless", "--namespace", "training")
	if p.UI != "" {
		t.Errorf("headless, but UI %q", p.UI)
	}
	c := dial(t, p.Temporal)
	answer, err := c.WorkflowService().DescribeNamespace(t.Context(), &workflowservice.DescribeNamespaceRequest{Namespace: "training"})
	if err != nil {
		t.Fatal(err)
	}
	if kept := answer.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration(); kept != retention {
		t.Errorf("closed workflows are kept for %v", kept)
	}
	if !answer.GetNamespaceInfo().GetCapabilities().GetWorkerHeartbeats() {
		t.Error("worker heartbeats are off")
	}
	p.terminate(t)
	if got := p.out.String(); got != "Temporal server: "+p.Temporal+", namespace training\n" {
		t.Errorf("it wrote %q", got)
	}
}

// A server that receives SIGTERM while it starts also stops cleanly.
func TestStopBeforeReady(t *testing.T) {
	for _, wait := range []time.Duration{0, 100 * time.Millisecond, 200 * time.Millisecond, 300 * time.Millisecond} {
		db := filepath.Join(t.TempDir(), "x.db")
		p := program(t, "--port", "0", "--ui-port", "0", "--db", db)
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
			if _, err := os.Stat(db + ".lock"); err == nil {
				break
			}
			if time.Now().After(deadline) {
				t.Fatal("it does nothing")
			}
		}
		select {
		case <-p.exit:
			t.Fatalf("it ended by itself: %s", p.out)
		case <-time.After(wait):
		}
		p.terminate(t)
	}
}

func TestTakenPort(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"--port", port, "--headless"}, {"--port", "0", "--ui-port", port}} {
		p := program(t, args...)
		<-p.exit
		text := p.out.String()
		if p.ProcessState.ExitCode() != 1 || !strings.Contains(text, port+": the port is in use") || strings.Count(text, "\n") != 1 {
			t.Errorf("%q: exit status %d, %q", args, p.ProcessState.ExitCode(), text)
		}
	}
}
