package chaos

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"golang.org/x/sync/errgroup"

	"github.com/oppflow/oppflow/e2e/chaos/audit"
	"github.com/oppflow/oppflow/e2e/index"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/sandbox/remote"
	"github.com/oppflow/oppflow/settings"
	"github.com/oppflow/oppflow/stack"
	"github.com/oppflow/oppflow/worker/host"
)

// Storm is a whole stack, what is sent to it and what is done to it.
type Storm struct {
	options  Options
	plan     Plan
	data     string // directory of the databases
	kept     bool   // the directory stays
	parts    *stack.Stack
	workers  []*stack.Process
	temporal client.Client
	client   *lifecycle.Client
	sandbox  remote.Sandbox
	service  *service     // of the tenant; nil where no playbook calls it
	index    *index.Index // between the workers and the server; nil where nothing changes what it shows
	journal  *journal
	sampler  *sampler
	before   []opportunity.ID
	began    time.Time

	// Only the disruptions count these, one after the other.
	probes, requests, deployed int
	// chance is what disruptions choose by.
	chance *rand.Rand
	// ordered counts how often the bad days were put in force.
	ordered uint64

	// allFrozen says that no worker does anything.
	allFrozen atomic.Bool
	// resetting is held while a run is reset.
	resetting sync.Mutex

	mu         sync.Mutex
	report     Report
	starts     map[opportunity.Reference]opportunity.Start
	terminated map[opportunity.Reference][]string
	doing      string
	// periods are the times in which disruptions were on, carried how often each was carried out.
	periods []period
	carried map[Trouble]int
	// restores are those of Temporal's database.
	restores []audit.Restore
	resets   []audit.Reset
}

// Begin brings the parts up, two workers among them. End ends them.
func Begin(ctx context.Context, o Options) (*Storm, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	s := &Storm{
		options: o, plan: NewPlan(o), data: o.Data, kept: o.Data != "", journal: newJournal(), sampler: new(sampler), began: time.Now(),
		starts: map[opportunity.Reference]opportunity.Start{}, terminated: map[opportunity.Reference][]string{},
		carried: map[Trouble]int{}, chance: rand.New(rand.NewPCG(o.Seed, 3)), //nolint:gosec // it decides no secret
	}
	s.report = Report{Seed: o.Seed, Long: o.Long, Missed: map[Place]int{}}
	if err := s.bring(ctx); err != nil {
		return nil, errors.Join(err, s.End(context.WithoutCancel(ctx)))
	}
	return s, nil
}

func (s *Storm) bring(ctx context.Context) error {
	var err error
	if s.data == "" {
		if s.data, err = os.MkdirTemp("", "oppflow-chaos-"); err != nil {
			return err
		}
	} else if err := os.MkdirAll(s.data, 0o700); err != nil {
		return err
	}
	secret := filepath.Join(s.data, "secret")
	if err := os.WriteFile(secret, []byte("correct-horse-battery-staple\n"), 0o600); err != nil {
		return err
	}
	port, err := freePort(ctx) // the worker is told the token endpoint before the sandbox has chosen a port
	if err != nil {
		return err
	}
	options := stack.Options{
		Data: s.data, Race: s.options.Race, Progress: s.options.Progress, Output: s.options.Output, Setup: host.SetupAt, NoUI: true,
		APIPort: port,
		SandboxArgs: []string{
			"--no-rate-limit", "--client-id", "chaos", "--client-secret-file", secret, "--token-life", s.options.TokenLife.String(),
		},
		WorkerArgs: append(s.options.workerTimes(), "--api-rate", "1000"),
		WorkerEnv: []string{
			"ADMINISTRATE_TOKEN=", "ADMINISTRATE_CLIENT_ID=chaos", "ADMINISTRATE_CLIENT_SECRET_FILE=" + secret,
			fmt.Sprintf("ADMINISTRATE_TOKEN_URL=http://127.0.0.1:%d/oauth/token", port),
		},
	}
	if s.options.ContinueAfter > 0 {
		options.DynamicConfig = map[string]any{"limit.historyCount.suggestContinueAsNew": s.options.ContinueAfter}
	}
	if s.plan.has(needService()...) {
		args, env, err := s.openService()
		if err != nil {
			return err
		}
		options.WorkerArgs, options.WorkerEnv = append(options.WorkerArgs, args...), append(options.WorkerEnv, env...)
	}
	if s.plan.has(LagIndex) {
		if options.TemporalPort, err = freePort(ctx); err != nil {
			return err
		}
		if s.index, err = index.Open(ctx, fmt.Sprintf("127.0.0.1:%d", options.TemporalPort)); err != nil {
			return err
		}
		options.WorkerEnv = append(options.WorkerEnv, "TEMPORAL_ADDRESS="+s.index.Address())
	}
	if s.parts, err = stack.Up(ctx, options); err != nil {
		return err
	}
	s.workers = []*stack.Process{s.parts.Worker(), s.parts.AddWorker()}
	if err := s.workers[1].Start(ctx); err != nil {
		return err
	}
	s.sandbox = remote.Sandbox{APIURL: s.parts.APIURL(), Token: s.parts.APIToken()}
	s.temporal, _, err = host.Connect(ctx, settings.Temporal{Address: s.parts.TemporalAddress(), Environment: settings.Environment{}}, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	s.began = time.Now()
	s.client = lifecycle.NewClientWithOptions(s.temporal, lifecycle.Options{Patience: 3 * time.Second})
	records, err := readRecords(ctx, s.tables(), settings.DefaultMarkAttribute)
	for _, r := range records {
		s.before = append(s.before, r.ID)
	}
	return err
}

func freePort(ctx context.Context) (int, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	address, ok := listener.Addr().(*net.TCPAddr)
	if !ok {
		return 0, errors.Join(fmt.Errorf("%v is no address with a port", listener.Addr()), listener.Close())
	}
	return address.Port, listener.Close()
}

// tables is the file of the sandbox's tables.
func (s *Storm) tables() string { return filepath.Join(s.data, "sandbox.db") }

// End ends the parts.
func (s *Storm) End(ctx context.Context) error {
	var errs []error
	if s.temporal != nil {
		s.temporal.Close()
	}
	if s.parts != nil {
		errs = append(errs, s.parts.Down(ctx))
	}
	if s.index != nil {
		s.index.Close()
	}
	if s.service != nil {
		s.service.close()
	}
	if !s.kept && s.data != "" {
		errs = append(errs, os.RemoveAll(s.data))
	}
	return errors.Join(errs...)
}

// grace is how long senders may go on when nothing disrupts them any more.
const grace = 40 * time.Second

// calm is how long the runs may take to become quiet when nothing disrupts them any more.
const calm = 6 * time.Minute

// Blow sends everything while everything is disrupted, then lets all calm down. Its error says that the storm could not
// be carried out. Evidence returns the results of the storm.
func (s *Storm) Blow(ctx context.Context) error {
	if err := s.order(ctx); err != nil {
		return err
	}
	telling, silence := context.WithCancel(ctx)
	defer silence()
	go s.tellOften(telling)
	go s.sampleOften(telling)

	sending, stop := context.WithCancel(ctx)
	defer stop()
	disrupting, over := context.WithTimeout(ctx, s.length())
	defer over()
	scripts := make(chan Script)
	var senders errgroup.Group
	for n := range s.options.Senders {
		senders.Go(func() error {
			for script := range scripts {
				if err := (sender{storm: s, number: n}).play(sending, script); err != nil {
					s.problem("%v", err)
				}
			}
			return nil
		})
	}
	senders.Go(func() error {
		defer close(scripts)
		for _, script := range s.plan.Scripts {
			select {
			case scripts <- script:
			case <-sending.Done():
				return nil
			}
		}
		return nil
	})
	// What is disrupted before anything is accepted meets nothing.
	_ = await(disrupting, patience, "messages", func() (bool, error) { return len(s.journal.all()) >= s.options.Senders, nil })
	s.disrupt(disrupting, s.plan.Disruptions)
	s.tell("calm down")
	if err := errors.Join(s.startWorkers(ctx), s.sandbox.Clear(ctx)); err != nil {
		return err
	}
	if s.options.Long {
		stop() // the rest of the scripts is for another day
	}
	time.AfterFunc(grace, stop)
	if err := senders.Wait(); err != nil {
		return err
	}
	return s.quiet(ctx)
}

// length bounds how long the parts are disrupted: in the short form, each disruption has its turn.
func (s *Storm) length() time.Duration {
	if s.options.Long {
		return s.options.Length
	}
	return max(s.options.Length, calm)
}

// quiet waits until in no run anything waits but behind a question. When it has waited for long enough, it only looks which
// of the others do.
func (s *Storm) quiet(ctx context.Context) error {
	calming, cancel := context.WithTimeout(ctx, calm)
	defer cancel()
	for _, reference := range s.references() {
		_, err := s.awaitQuiet(calming, reference)
		if err != nil && calming.Err() != nil {
			looking, over := context.WithTimeout(ctx, lookWithin)
			_, err = s.awaitQuiet(looking, reference)
			over()
		}
		if err != nil {
			s.problem("%s does not become quiet: %v", reference, err)
		}
	}
	s.tell("quiet")
	return nil
}

// lookWithin bounds how long one opportunity is looked at.
const lookWithin = 2 * time.Second

// awaitQuiet waits until the run has ended, or until every waiting message waits behind a question. It reports whether
// there is such a question.
func (s *Storm) awaitQuiet(ctx context.Context, reference opportunity.Reference) (parked bool, err error) {
	err = await(ctx, calm, "a run in which nothing waits", func() (bool, error) {
		within, cancel := context.WithTimeout(ctx, callWithin)
		defer cancel()
		view, err := s.client.View(within, reference)
		var own *opportunity.Error
		if errors.As(err, &own) && own.Type == opportunity.NotFound {
			return true, nil // its start never came through
		}
		if err != nil {
			return false, err
		}
		parked = view.Question != nil && view.Closing == nil
		if parked || view.Opportunity != "" && len(view.Queue) == 0 && view.Closing == nil {
			return true, nil
		}
		about, err := s.temporal.DescribeWorkflow(within, lifecycle.WorkflowID(reference), "")
		return err == nil && about.Status != enums.WORKFLOW_EXECUTION_STATUS_RUNNING, err
	})
	return parked, err
}

// Evidence asks all witnesses.
func (s *Storm) Evidence(ctx context.Context) (audit.Evidence, error) {
	return s.ask(ctx, nil, s.references())
}

// Again asks all witnesses once more after something happened to the given references alone. Of the others the workflows
// are not asked again.
func (s *Storm) Again(ctx context.Context, before audit.Evidence, references ...opportunity.Reference) (audit.Evidence, error) {
	kept := slices.DeleteFunc(slices.Clone(before.Chains), func(c audit.Chain) bool { return slices.Contains(references, c.Reference) })
	return s.ask(ctx, kept, references)
}

// ask asks the workflows of the references, and all other witnesses.
func (s *Storm) ask(ctx context.Context, known []audit.Chain, references []opportunity.Reference) (audit.Evidence, error) {
	s.mu.Lock()
	restores, resets := slices.Clone(s.restores), slices.Clone(s.resets)
	s.mu.Unlock()
	e := audit.Evidence{Before: s.before, Restores: restores, Resets: resets, Told: s.journal.all(), Samples: s.sampler.all()}
	chains := make([][]audit.Chain, len(references))
	asking, asked := errgroup.WithContext(ctx)
	asking.SetLimit(4)
	for n, reference := range references {
		asking.Go(func() error {
			var err error
			chains[n], err = s.chains(asked, reference)
			if err != nil {
				err = fmt.Errorf("%s: %w", reference, err)
			}
			return err
		})
	}
	if err := asking.Wait(); err != nil {
		return e, err
	}
	e.Chains = slices.Concat(append(chains, known)...)
	var err error
	if e.Ledger, err = readLedger(s.tables() + ".ledger"); err != nil {
		return e, err
	}
	e.ByHand = handMoves(e.Ledger)
	e.At = time.Now().UTC()
	e.Records, err = readRecords(ctx, s.tables(), settings.DefaultMarkAttribute)
	return e, err
}

// Report sums up the storm.
func (s *Storm) Report(e audit.Evidence, violations []audit.Violation) Report {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.report
	r.Took = time.Since(s.began)
	r.Sent, r.Messages, r.Questions = len(e.Told), e.Messages(), e.Questions()
	r.Told, r.Outcomes, r.Faults = map[audit.Fate]int{}, map[string]int{}, map[string]int{}
	for _, t := range e.Told {
		r.Told[t.Fate]++
	}
	seen := map[opportunity.Reference]bool{}
	for _, c := range e.Chains {
		seen[c.Reference] = true
		r.Continued += len(c.Runs) - 1
		for _, outcome := range c.Outcomes {
			r.Outcomes[string(outcome.State)]++
		}
	}
	r.Opportunities = len(seen)
	for _, entry := range e.Ledger {
		r.Requests++
		if entry.Fault != "" {
			r.Faults[entry.Fault]++
		}
		if committedLate(entry) {
			r.Late++
		}
	}
	r.Gone, r.Met, r.Violations = e.Gone(), s.met(e), violations
	return r
}

// Run is a whole storm: it begins, blows, is audited and ends.
func Run(ctx context.Context, o Options, rules audit.Rules) (Report, error) {
	s, err := Begin(ctx, o)
	if err != nil {
		return Report{}, err
	}
	report, err := s.run(ctx, rules)
	return report, errors.Join(err, s.End(context.WithoutCancel(ctx)))
}

func (s *Storm) run(ctx context.Context, rules audit.Rules) (Report, error) {
	if err := s.Blow(ctx); err != nil {
		return Report{}, err
	}
	evidence, err := s.Evidence(ctx)
	if err != nil {
		return Report{}, err
	}
	return s.Report(evidence, audit.Audit(evidence, rules)), nil
}

// begun notes that a reference is in use.
func (s *Storm) begun(reference opportunity.Reference, start opportunity.Start) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.starts[reference] = start
}

func (s *Storm) isBegun(reference opportunity.Reference) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, is := s.starts[reference]
	return is
}

func (s *Storm) startOf(reference opportunity.Reference) opportunity.Start {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.starts[reference]
}

func (s *Storm) references() []opportunity.Reference {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []opportunity.Reference
	for reference := range s.starts {
		list = append(list, reference)
	}
	slices.Sort(list)
	return list
}

// ended notes that a run of a reference was terminated.
func (s *Storm) ended(reference opportunity.Reference, run string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.terminated[reference] = append(s.terminated[reference], run)
	s.report.Terminations++
}

func (s *Storm) earlier(reference opportunity.Reference) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.terminated[reference]
}

func (s *Storm) count(change func(*Report)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.report)
}

func (s *Storm) killed(place Place, evidence string) {
	s.count(func(r *Report) {
		r.Kills = append(r.Kills, Kill{Place: place, At: time.Now().UTC(), Evidence: evidence})
	})
	s.tell("killed " + string(place) + ": " + evidence)
}

func (s *Storm) problem(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	s.count(func(r *Report) { r.Problems = append(r.Problems, text) })
	s.tell("problem: " + text)
}

// tell says what is being done.
func (s *Storm) tell(text string) {
	s.mu.Lock()
	s.doing = text
	s.mu.Unlock()
	if s.options.Progress != nil {
		s.options.Progress(fmt.Sprintf("%4.0f s  %s", time.Since(s.began).Seconds(), strings.TrimSpace(text)))
	}
}

// tellOften says every 30 seconds how far it is.
func (s *Storm) tellOften(ctx context.Context) {
	for pause(ctx, 30*time.Second) == nil {
		told := s.journal.all()
		s.mu.Lock()
		text := fmt.Sprintf("%d opportunities, %d messages sent, %d kills, %d freezes, %d restarts; now: %s",
			len(s.starts), len(told), len(s.report.Kills), s.report.Freezes, s.report.Restarts, s.doing)
		s.mu.Unlock()
		if s.options.Progress != nil {
			s.options.Progress(fmt.Sprintf("%4.0f s  %s", time.Since(s.began).Seconds(), text))
		}
	}
}
