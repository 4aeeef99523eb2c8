package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/e2e/harness"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/stack"
)

type cliRunner struct {
	*parts
	program string
}

func (p *parts) cliRunner() *cliRunner {
	p.t.Helper()
	program, err := harness.Program()
	if err != nil {
		p.t.Fatal(err)
	}
	return &cliRunner{parts: p, program: program}
}

func (s *cliRunner) command(ctx context.Context, args ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, s.program, args...)
	command.Env = append([]string{"TEMPORAL_CONFIG_FILE=" + os.DevNull, "HOME=" + os.Getenv("HOME")}, s.Environ()...)
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = 30 * time.Second
	return command
}

func (s *cliRunner) try(args ...string) (code int, stdout, stderr string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 2*time.Minute)
	defer cancel()
	command := s.command(ctx, args...)
	var out, told bytes.Buffer
	command.Stdout, command.Stderr = &out, &told
	code = exitCode(s.t, command.Run())
	return code, out.String(), told.String()
}

func exitCode(t *testing.T, err error) int {
	t.Helper()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	}
	t.Fatal(err)
	return -1
}

// wantSuccess runs a command that must succeed and print every text in want.
func (s *cliRunner) wantSuccess(args []string, want ...string) string {
	s.t.Helper()
	code, stdout, stderr := s.try(args...)
	if code != 0 || stderr != "" {
		s.t.Fatalf("%v: exit code %d, %s%s", args, code, stdout, stderr)
	}
	for _, text := range want {
		if !strings.Contains(stdout, text) {
			s.t.Errorf("%v: %q is missing in:\n%s", args, text, stdout)
		}
	}
	return stdout
}

// wantFailure runs a command that must fail with one line that contains every text in want.
func (s *cliRunner) wantFailure(args []string, code int, want ...string) {
	s.t.Helper()
	got, stdout, stderr := s.try(args...)
	if got != code || strings.Count(stderr, "\n") != 1 || stdout != "" {
		s.t.Errorf("%v: exit code %d, %q, %q; want %d and one line", args, got, stdout, stderr, code)
	}
	for _, text := range want {
		if !strings.Contains(stderr, text) {
			s.t.Errorf("%v: %q is missing in %q", args, text, stderr)
		}
	}
}

func (s *cliRunner) listed(args ...string) []string {
	s.t.Helper()
	var read struct {
		Count         int
		Opportunities []struct{ Reference string }
	}
	if err := json.Unmarshal([]byte(s.wantSuccess(append([]string{"list", "--output", "json"}, args...))), &read); err != nil {
		s.t.Fatal(err)
	}
	references := []string{}
	for _, o := range read.Opportunities {
		references = append(references, o.Reference)
	}
	slices.Sort(references)
	if read.Count != len(references) {
		s.t.Errorf("%v: the count is %d, but the list has %d opportunities", args, read.Count, len(references))
	}
	return references
}

type runningWatch struct {
	t       *testing.T
	command *exec.Cmd
	out     harness.Output
	errors  harness.Output
	ended   chan error
}

func (s *cliRunner) watch(args ...string) *runningWatch {
	s.t.Helper()
	w := &runningWatch{t: s.t, command: s.command(s.t.Context(), append([]string{"watch"}, args...)...), ended: make(chan error, 1)}
	w.command.Stdout, w.command.Stderr = &w.out, &w.errors
	if err := w.command.Start(); err != nil {
		s.t.Fatal(err)
	}
	go func() { w.ended <- w.command.Wait() }()
	s.t.Cleanup(func() { _ = w.command.Process.Kill() })
	return w
}

func (w *runningWatch) until(text string) {
	w.t.Helper()
	defer func() {
		if w.t.Failed() {
			w.t.Logf("told:\n%s", w.out.Tail(5000))
		}
	}()
	harness.Eventually(w.t, time.Minute, "watch prints "+text, func() bool { return w.out.Contains(text) })
}

func (w *runningWatch) wait() int {
	w.t.Helper()
	select {
	case err := <-w.ended:
		return exitCode(w.t, err)
	case <-time.After(time.Minute):
		w.t.Fatalf("the command watch does not end; its output is:\n%s", w.out.Tail(5000))
	}
	return -1
}

// hostileRegion is a region name that ends the quoted text of a query, unless the query escapes the
// name.
const hostileRegion = `O'Neill "and" \ "or" WorkflowType != "x" --`

func catalogueWith(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile("../sandbox/catalogue/default.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const regions = "\nregions:\n"
	text, rest, found := strings.Cut(string(content), regions)
	if !found {
		t.Fatal("the default catalogue has no regions")
	}
	quoted := "'" + strings.ReplaceAll(hostileRegion, "'", "''") + "'"
	path := filepath.Join(t.TempDir(), "catalogue.yaml")
	if err := os.WriteFile(path, []byte(text+regions+"  - { id: ON, name: "+quoted+", currency: GBP }\n"+rest), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestCommandLine(t *testing.T) {
	t.Parallel()
	g := newAPIProxy(t)
	p := startParts(t, stack.Options{
		SandboxArgs: []string{"--catalogue", catalogueWith(t)},
		WorkerEnv:   []string{"ADMINISTRATE_URL=" + g.URL + "/graphql"},
	})
	g.setTarget(t, p.APIURL())
	s := p.cliRunner()
	const event = "Q291cnNlOjE="

	t.Run("messages", func(t *testing.T) {
		s.t = t
		s.wantSuccess([]string{"start", "lead", "--name", "First Aid course", "--region", "UK", "--currency", "GBP"}, "lead", "Proposed")
		s.wantSuccess([]string{"add-interest", "lead", "--item", event, "--quantity", "2", "--amount", "10", "--reserve", "--request-id", "add"}, "reserved until")
		until := time.Now().Add(72 * time.Hour).UTC().Truncate(time.Second).Format(time.RFC3339)
		s.wantSuccess([]string{"extend", "lead", "--until", until, "--request-id", "extend"}, "done: lead, request extend")
		s.wantSuccess([]string{"show", "lead"}, "reserved until "+until)
		s.wantSuccess([]string{"outcome", "lead", "extend"}, "done: lead, request extend")
		s.wantSuccess([]string{"outcome", "lead", "add", "--output", "json"}, `"state": "done"`, `"reservedUntil"`)
		s.wantFailure([]string{"outcome", "lead", "never"}, 1, "NotFound", "never")
		s.wantFailure([]string{"extend", "lead", "--until", "2020-01-01T00:00:00Z"}, 1, "Invalid")
		s.wantFailure([]string{"progress", "lead", "--to", "Won", "--request-id", "won"}, 1, "TransitionNotFound")
		s.wantFailure([]string{"outcome", "lead", "won"}, 1, "TransitionNotFound")
	})

	t.Run("operators", func(t *testing.T) {
		s.t = t
		s.wantSuccess([]string{"pause", "lead", "--reason", "being merged", "--request-id", "p"}, "lead is paused", "oppflow resume lead")
		s.wantSuccess([]string{"pause", "lead", "--reason", "being merged", "--request-id", "p"}, "lead is paused")
		s.wantFailure([]string{"pause", "lead", "--reason", "another", "--request-id", "p"}, 1, "Conflict")
		s.wantFailure([]string{"progress", "lead", "--to", "Opportunity"}, 1, "Paused", "being merged")
		s.wantSuccess([]string{"progress", "lead", "--to", "Opportunity", "--signal", "--request-id", "waits"}, "sent: lead, request waits")
		s.wantSuccess([]string{"show", "lead"}, "being merged", "progress to Opportunity", "Proposed")
		harness.Eventually(t, time.Minute, "list finds the paused opportunity", func() bool { return slices.Equal(s.listed("--attention", "paused"), []string{"lead"}) })
		s.wantSuccess([]string{"outcome", "lead", "waits"}, "pending: request waits of lead")
		s.wantSuccess([]string{"resume", "lead"}, "lead is resumed")
		harness.Eventually(t, time.Minute, "the waiting request is done", func() bool {
			code, stdout, _ := s.try("outcome", "lead", "waits")
			return code == 0 && strings.Contains(stdout, "done: lead, request waits")
		})
		record := p.view("lead").Opportunity
		if _, err := p.Query(`mutation($o: ID!) { opportunities { update(input: {id: $o, name: "by hand"}) { errors { message } } } }`, map[string]any{"o": record}); err != nil {
			t.Fatal(err)
		}
		s.wantSuccess([]string{"refresh", "lead"}, "read again")
		harness.Eventually(t, time.Minute, "the record is read again", func() bool { return p.view("lead").Details.Name == "by hand" })
		s.wantSuccess([]string{"close", "lead", "--reason", "by phone", "--signal"}, "sent: lead")
		harness.Eventually(t, time.Minute, "the run is closed", func() bool {
			_, err := p.client.Update(t.Context(), "lead", opportunity.Progress{To: "Won"})
			var own *opportunity.Error
			return errors.As(err, &own) && own.Type == opportunity.Closed
		})
		s.wantFailure([]string{"pause", "lead"}, 1, "Closed")
		// A start adopts an existing record, except a record that has a reference tag with a
		// reference other than the opportunity's own.
		s.wantFailure([]string{"start", "theft", "--adopt", string(record)}, 1, "Conflict", "reference tag")
		s.wantSuccess([]string{"start", "adopted", "--adopt", "T3Bwb3J0dW5pdHk6MQ=="}, "T3Bwb3J0dW5pdHk6MQ==", "Annual first aid refresher")
		s.wantFailure([]string{"start", "nothing", "--adopt", "T3Bwb3J0dW5pdHk6OTk5OTk5"}, 1, "NotFound")
	})

	t.Run("list", func(t *testing.T) {
		s.t = t
		s.wantSuccess([]string{"start", `odd 'one" \`, "--name", "Odd", "--region", hostileRegion}, "Odd")
		const uk = "UmVnaW9uOlVL" // the id of the region UK; the lists below find the region by its name
		s.wantSuccess([]string{"start", "plain", "--name", "Plain", "--region", uk}, "Plain")
		odd := []string{`odd 'one" \`}
		running := []string{"adopted", odd[0], "plain"}
		harness.Eventually(t, time.Minute, "list finds all opportunities", func() bool { return slices.Equal(s.listed("--status", "running"), running) })
		for _, test := range []struct {
			args []string
			want []string
		}{
			{nil, []string{"adopted", "lead", "nothing", odd[0], "plain", "theft"}},
			{[]string{"--region", hostileRegion}, odd},
			{[]string{"--region", `UK" or WorkflowType != "x`}, []string{}},
			{[]string{"--region", `UK" or "1" = "1`}, []string{}},
			{[]string{"--region", `\`}, []string{}},
			{[]string{"--region", `%`}, []string{}},
			{[]string{"--step", "Opportunity", "--status", "closed"}, []string{"lead"}},
			{[]string{"--state", "open", "--region", "UK", "--status", "running"}, []string{"plain"}},
			{[]string{"--state", "won"}, []string{}},
			{[]string{"--attention", "any"}, []string{}},
			{[]string{"--status", "failed"}, []string{"nothing", "theft"}},
			{[]string{"--status", "completed"}, []string{"lead"}},
			{[]string{"--status", "closed"}, []string{"lead", "nothing", "theft"}},
			{[]string{"--query", `OpportunityStep = "Opportunity" or OpportunityRegion = "UK"`, "--status", "completed"}, []string{"lead"}},
			{[]string{"--query", `OpportunityRegion in ("UK", 'it\'s')`, "--status", "running"}, []string{"plain"}},
		} {
			if got := s.listed(test.args...); !slices.Equal(got, test.want) {
				t.Errorf("%q lists %q, want %q", test.args, got, test.want)
			}
		}
		s.wantSuccess([]string{"list", "--limit", "1"}, "1 of 6 opportunities are shown; set --limit to show more")
		s.wantSuccess([]string{"list", "--region", "UK"}, "plain", "running", "Open", "Proposed")
		s.wantFailure([]string{"list", "--query", `Colour = "red"`}, 2, "--query", "Colour")
		s.wantFailure([]string{"list", "--query", `OpportunityStep is`}, 2, "--query")
	})

	// A change is in doubt.
	t.Run("questions", func(t *testing.T) {
		s.t = t
		for _, answer := range []struct {
			verb []string
			told string
			code int // exit code of the outcome of the request in question
			want string
			made int
		}{
			{[]string{"retry", "doubted", "order-7"}, "request order-7 of doubted is sent again; see oppflow outcome doubted order-7", 0, "done: doubted, request order-7", 2},
			{[]string{"skip", "skipped", "order-7", "--reason", "it is there"}, "request order-7 of skipped is skipped", 1, "Skipped: it is there", 1},
		} {
			reference := answer.verb[1]
			s.wantSuccess([]string{"start", reference, "--name", reference, "--region", "UK"})
			record := p.view(opportunity.Reference(reference)).Opportunity
			g.intercept(record, dropRequest(func() {
				_, err := p.api.AddInterest(t.Context(), administrate.AddInterest{OpportunityID: string(record), ItemID: pathItem, Kind: administrate.LearningPath, Quantity: 1})
				if err != nil {
					t.Error(err)
				}
			}))
			s.wantSuccess([]string{"add-interest", reference, "--item", "Q291cnNlVGVtcGxhdGU6MTE=", "--amount", "10", "--signal", "--request-id", "order-7"})
			harness.Eventually(t, time.Minute, "a question waits", func() bool { return p.view(opportunity.Reference(reference)).Question != nil })
			s.wantSuccess([]string{"show", reference}, "Question", "oppflow retry "+reference+" order-7", "oppflow skip "+reference+" order-7 --reason")
			harness.Eventually(t, time.Minute, "list finds the question", func() bool { return slices.Equal(s.listed("--attention", "undecided"), []string{reference}) })
			s.wantFailure([]string{"retry", reference, "another"}, 1, "NotFound")
			s.wantSuccess(answer.verb, answer.told)
			harness.Eventually(t, time.Minute, "the answer has taken effect", func() bool {
				code, stdout, stderr := s.try("outcome", reference, "order-7")
				return code == answer.code && strings.Contains(stdout+stderr, answer.want)
			})
			if made := p.Opportunity(record).InterestCount; made != answer.made {
				t.Errorf("%s: the record has %d interests, want %d", answer.verb[0], made, answer.made)
			}
		}
	})

	t.Run("check and version", func(t *testing.T) {
		s.t = t
		before, err := p.Query(`{ opportunities(first: 100) { edges { node { id name updatedAt step { id } interests { pageInfo { totalRecords } } } } } }`, nil)
		if err != nil {
			t.Fatal(err)
		}
		s.wantSuccess([]string{"check"}, "supports everything that Oppflow sends")
		after, err := p.Query(`{ opportunities(first: 100) { edges { node { id name updatedAt step { id } interests { pageInfo { totalRecords } } } } } }`, nil)
		if err != nil || after != before {
			t.Errorf("the check changed records: %v\n%s\n%s", err, before, after)
		}
		for _, args := range [][]string{{"version"}, {"--version"}} {
			if out := s.wantSuccess(args, "oppflow ", "go1."); strings.Count(out, "\n") != 1 {
				t.Errorf("%v: %q", args, out)
			}
		}
	})
}

func (p *parts) view(reference opportunity.Reference) opportunity.View {
	p.t.Helper()
	view, err := p.client.View(p.t.Context(), reference)
	if err != nil {
		p.t.Fatal(err)
	}
	return view
}

// The command watch shows every entry of the timeline on real parts.
func TestWatch(t *testing.T) {
	t.Parallel()
	p := startParts(t, stack.Options{DynamicConfig: map[string]any{"limit.historyCount.suggestContinueAsNew": 60}})
	s := p.cliRunner()

	t.Run("across runs and without a worker", func(t *testing.T) {
		s.t, p.t = t, t
		s.wantSuccess([]string{"start", "long", "--name", "Long", "--region", "UK"})
		plain, lines := s.watch("long"), s.watch("long", "--output", "json")
		plain.until("created in step Proposed")
		for p.view("long").Runs < 3 {
			s.wantSuccess([]string{"add-interest", "long", "--item", "Q291cnNlVGVtcGxhdGU6MTE=", "--quantity", "1", "--amount", "10"})
		}
		p.Worker().Kill()
		for _, w := range []*runningWatch{plain, lines} {
			w.until("no worker responds")
		}
		s.wantSuccess([]string{"progress", "long", "--to", "Opportunity", "--signal"})
		s.wantSuccess([]string{"progress", "long", "--to", "Won", "--signal"})
		if err := p.Worker().Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, w := range []*runningWatch{plain, lines} {
			if code := w.wait(); code != 0 || w.errors.Tail(1000) != "" {
				t.Errorf("exit code %d, %s", code, w.errors.Tail(1000))
			}
		}
		out := plain.out.Tail(100_000)
		for _, want := range []string{"step                  Won (stage Won, Won)", "ended                 Won in step Won"} {
			if strings.Count(out, want) != 1 {
				t.Errorf("the output does not contain %q exactly once:\n%s", want, out)
			}
		}
		view := p.view("long")
		for _, m := range view.Timeline {
			if strings.Count(out, m.Text) < 1 {
				t.Errorf("the output does not contain %q:\n%s", m.Text, out)
			}
		}
		if strings.Count(out, "created in step Proposed") != 1 || strings.Count(out, "no worker responds") != 1 {
			t.Errorf("the output does not contain each line exactly once:\n%s", out)
		}
		decoder := json.NewDecoder(strings.NewReader(lines.out.Tail(1_000_000)))
		moments, last := 0, ""
		for {
			var read struct {
				Event string
				Ended *opportunity.RunResult
			}
			err := decoder.Decode(&read)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			last = read.Event
			if read.Event == "entry" {
				moments++
			}
			if read.Event == "ended" && (read.Ended == nil || read.Ended.State != opportunity.Won) {
				t.Errorf("unexpected result of the run: %+v", read.Ended)
			}
		}
		if last != "ended" || moments < 5 {
			t.Errorf("watch printed %d entries and at last the event %q; want at least 5 entries and the event ended", moments, last)
		}

		s.wantSuccess([]string{"watch", "long"}, "ended                 Won in step Won")
	})

	t.Run("other ends", func(t *testing.T) {
		s.t, p.t = t, t
		s.wantFailure([]string{"watch", "unknown"}, 1, "NotFound: there is no opportunity unknown")
		for _, reference := range []string{"closed", "cancelled", "terminated", "left"} {
			s.wantSuccess([]string{"start", reference, "--name", reference, "--region", "UK"})
		}
		closed, cancelled, terminated, left := s.watch("closed"), s.watch("cancelled"), s.watch("terminated"), s.watch("left")
		for _, w := range []*runningWatch{closed, cancelled, terminated, left} {
			w.until("created in step Proposed")
		}
		s.wantSuccess([]string{"close", "closed", "--reason", "by phone"}, "is being closed")
		if code := closed.wait(); code != 0 || !closed.out.Contains("closed by an operator: by phone") {
			t.Errorf("closed: exit code %d, %s%s", code, closed.out.Tail(2000), closed.errors.Tail(2000))
		}
		if err := p.temporal.CancelWorkflow(t.Context(), lifecycle.WorkflowID("cancelled"), ""); err != nil {
			t.Fatal(err)
		}
		if code := cancelled.wait(); code != 1 || !cancelled.errors.Contains("opportunity cancelled was cancelled") {
			t.Errorf("cancelled: exit code %d, %s%s", code, cancelled.out.Tail(2000), cancelled.errors.Tail(2000))
		}
		if err := p.temporal.TerminateWorkflow(t.Context(), lifecycle.WorkflowID("terminated"), "", "for the test"); err != nil {
			t.Fatal(err)
		}
		if code := terminated.wait(); code != 1 || !terminated.errors.Contains("opportunity terminated was terminated") {
			t.Errorf("terminated: exit code %d, %s%s", code, terminated.out.Tail(2000), terminated.errors.Tail(2000))
		}
		if err := left.command.Process.Signal(syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
		if code := left.wait(); code != 130 || left.errors.Tail(1000) != "" {
			t.Errorf("Ctrl-C: exit code %d, %s", code, left.errors.Tail(1000))
		}
		if view := p.view("left"); view.Step == nil || view.Closing != nil {
			t.Errorf("the command changed the opportunity: %+v", view)
		}
		code, _, stderr := s.try("watch", "left", "--timeout", "1s")
		if code != 1 || !strings.Contains(stderr, "left did not end within 1s") || strings.Count(stderr, "\n") != 1 {
			t.Errorf("exit code %d, %s", code, stderr)
		}
	})
}
