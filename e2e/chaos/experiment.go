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
	"sync"
	"sync/atomic"
	"time"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"golang.org/x/sync/errgroup"

	"github.com/oppflow/oppflow/e2e/chaos/audit"
	"github.com/oppflow/oppflow/e2e/chaos/tenant"
	"github.com/oppflow/oppflow/e2e/visibilityproxy"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/sandbox/adminclient"
	"github.com/oppflow/oppflow/settings"
	"github.com/oppflow/oppflow/stack"
	"github.com/oppflow/oppflow/worker/host"
)

// Experiment is a whole stack, the messages for the stack, and the disruptions.
type Experiment struct {
	options         Options
	plan            Plan
	data            string // directory of the databases
	keepData        bool   // Stop does not remove the directory data
	parts           *stack.Stack
	workers         []*stack.Process
	temporal        client.Client
	client          *lifecycle.Client
	sandbox         adminclient.Client
	service         *service               // of the tenant; nil if no disruption needs the service
	visibility      *visibilityproxy.Proxy // between the workers and the server; nil if no disruption delays visibility
	observations    *observationLog
	sampler         *sampler
	existingRecords []opportunity.ID
	startedAt       time.Time

	// probes, requests and deployments are counters for new names and ids. Only one disruption at a
	// time uses the counters.
	probes, requests, deployments int
	random                        *rand.Rand
	faultRounds                   uint64

	allFrozen atomic.Bool
	resetMu   sync.Mutex

	mu          sync.Mutex
	report      Report
	starts      map[opportunity.Reference]opportunity.Start
	terminated  map[opportunity.Reference][]string
	currentStep string
	// periods are the times in which disruptions were active. executions counts how often each kind
	// of disruption was executed.
	periods    []disruptionPeriod
	executions map[DisruptionKind]int
	restores   []audit.Restore
	resets     []audit.Reset
	// manualChanges are the changes of interests as another user of the TMS. earlierNames are the
	// names of contacts before another user of the TMS renamed them.
	manualChanges []audit.ManualChange
	earlierNames  map[opportunity.ID][]string
}

// Start starts the parts, including two workers.
func Start(ctx context.Context, o Options) (*Experiment, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	s := &Experiment{
		options: o, plan: NewPlan(o), data: o.Data, keepData: o.Data != "", observations: newObservationLog(), sampler: new(sampler), startedAt: time.Now(),
		starts: map[opportunity.Reference]opportunity.Start{}, terminated: map[opportunity.Reference][]string{},
		executions: map[DisruptionKind]int{}, earlierNames: map[opportunity.ID][]string{}, random: rand.New(rand.NewPCG(o.Seed, 3)), //nolint:gosec // it decides no secret
	}
	s.report = Report{Seed: o.Seed, Long: o.Long, MissedKills: map[KillPoint]int{}}
	if err := s.startParts(ctx); err != nil {
		return nil, errors.Join(err, s.Stop(context.WithoutCancel(ctx)))
	}
	return s, nil
}

func (s *Experiment) startParts(ctx context.Context) error {
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
	port, err := freePort(ctx) // the worker gets the token endpoint before the sandbox has chosen a port
	if err != nil {
		return err
	}
	options := stack.Options{
		Data: s.data, Race: s.options.Race, Progress: s.options.Progress, Output: s.options.Output, Setup: host.SetupAt, NoUI: true,
		APIPort: port,
		SandboxArgs: []string{
			"--no-rate-limit", "--client-id", "chaos", "--client-secret-file", secret, "--token-life", s.options.TokenLifetime.String(),
		},
		WorkerArgs: append(s.options.workerTimes(), "--api-rate", "1000"),
		WorkerEnv: []string{
			"ADMINISTRATE_TOKEN=", "ADMINISTRATE_CLIENT_ID=chaos", "ADMINISTRATE_CLIENT_SECRET_FILE=" + secret,
			fmt.Sprintf("ADMINISTRATE_TOKEN_URL=http://127.0.0.1:%d/oauth/token", port),
		},
	}
	if s.options.hasEffects() {
		path, err := tenant.WriteCatalogue(s.data)
		if err != nil {
			return err
		}
		options.SandboxArgs = append(options.SandboxArgs, "--catalogue", path)
	}
	if s.options.ContinueAfter > 0 {
		options.DynamicConfig = map[string]any{"limit.historyCount.suggestContinueAsNew": s.options.ContinueAfter}
	}
	if s.options.hasEffects() || s.plan.has(serviceKinds()...) {
		args, env, err := s.openService()
		if err != nil {
			return err
		}
		options.WorkerArgs, options.WorkerEnv = append(options.WorkerArgs, args...), append(options.WorkerEnv, env...)
	}
	if s.plan.has(DelayVisibility) {
		if options.TemporalPort, err = freePort(ctx); err != nil {
			return err
		}
		if s.visibility, err = visibilityproxy.Open(ctx, fmt.Sprintf("127.0.0.1:%d", options.TemporalPort)); err != nil {
			return err
		}
		options.WorkerEnv = append(options.WorkerEnv, "TEMPORAL_ADDRESS="+s.visibility.Address())
	}
	if s.parts, err = stack.Up(ctx, options); err != nil {
		return err
	}
	s.workers = []*stack.Process{s.parts.Worker(), s.parts.AddWorker()}
	if err := s.workers[1].Start(ctx); err != nil {
		return err
	}
	s.sandbox = adminclient.Client{APIURL: s.parts.APIURL(), Token: s.parts.APIToken()}
	s.temporal, _, err = host.Connect(ctx, settings.Temporal{Address: s.parts.TemporalAddress(), Environment: settings.Environment{}}, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	s.startedAt = time.Now()
	s.client = lifecycle.NewClientWithOptions(s.temporal, lifecycle.Options{MaxWait: 3 * time.Second})
	records, err := readRecords(ctx, s.tables(), settings.DefaultTagAttribute)
	for _, r := range records {
		s.existingRecords = append(s.existingRecords, r.ID)
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
		return 0, errors.Join(fmt.Errorf("the listener's address %v has no TCP port", listener.Addr()), listener.Close())
	}
	return address.Port, listener.Close()
}

func (s *Experiment) tables() string { return filepath.Join(s.data, "sandbox.db") }

// Stop stops the parts.
func (s *Experiment) Stop(ctx context.Context) error {
	var errs []error
	if s.temporal != nil {
		s.temporal.Close()
	}
	if s.parts != nil {
		errs = append(errs, s.parts.Down(ctx))
	}
	if s.visibility != nil {
		s.visibility.Close()
	}
	if s.service != nil {
		s.service.close()
	}
	if !s.keepData && s.data != "" {
		errs = append(errs, os.RemoveAll(s.data))
	}
	return errors.Join(errs...)
}

// graceTime is how long senders may send after the last disruption.
const graceTime = 40 * time.Second

// quietTimeout is the longest time from the last disruption until no message waits in any run.
const quietTimeout = 6 * time.Minute

// Execute sends all messages while the parts are disrupted, and then waits until no run has a
// waiting message. Execute returns an error if the experiment could not be executed.
func (s *Experiment) Execute(ctx context.Context) error {
	if err := s.setBackgroundFaults(ctx); err != nil {
		return err
	}
	telling, silence := context.WithCancel(ctx)
	defer silence()
	go s.reportProgressLoop(telling)
	go s.sampleLoop(telling)

	sending, stop := context.WithCancel(ctx)
	defer stop()
	disrupting, over := context.WithTimeout(ctx, s.maxDisruptionTime())
	defer over()
	enough := time.Now().Add(s.options.DisruptionTime)
	scripts := make(chan Script)
	var senders errgroup.Group
	for n := range s.options.Senders {
		senders.Go(func() error {
			for script := range scripts {
				if err := (sender{experiment: s, number: n}).play(sending, script); err != nil {
					s.recordProblem("%v", err)
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
	// A disruption before the first accepted message affects no message.
	_ = await(disrupting, momentTimeout, "messages", func() (bool, error) { return len(s.observations.all()) >= s.options.Senders, nil })
	s.disrupt(disrupting, s.plan.Disruptions, enough)
	s.reportProgress("all disruptions have ended; the chaos test now waits until no message of an opportunity waits")
	if err := errors.Join(s.startWorkers(ctx), s.sandbox.ClearFaults(ctx)); err != nil {
		return err
	}
	if s.options.Long {
		stop() // the senders play no further steps
	}
	time.AfterFunc(graceTime, stop)
	if err := senders.Wait(); err != nil {
		return err
	}
	if err := s.awaitAllQuiet(ctx); err != nil || !s.options.hasEffects() {
		return err
	}
	return s.awaitEffects(ctx)
}

// maxDisruptionTime is long enough to execute every kind of disruption once.
func (s *Experiment) maxDisruptionTime() time.Duration {
	return s.options.DisruptionTime + quietTimeout
}

// awaitAllQuiet waits until no run has a waiting message, except messages that wait behind a
// question. After quietTimeout, awaitAllQuiet checks each remaining run only for viewTimeout.
func (s *Experiment) awaitAllQuiet(ctx context.Context) error {
	calming, cancel := context.WithTimeout(ctx, quietTimeout)
	defer cancel()
	for _, reference := range s.references() {
		_, err := s.awaitQuiet(calming, reference)
		if err != nil && calming.Err() != nil {
			looking, over := context.WithTimeout(ctx, viewTimeout)
			_, err = s.awaitQuiet(looking, reference)
			over()
		}
		if err != nil {
			s.recordProblem("messages of the opportunity %s still wait after the end of the disruptions: %v", reference, err)
		}
	}
	s.reportProgress("no message waits")
	return nil
}

const viewTimeout = 2 * time.Second

// awaitQuiet waits until the run has ended, no message waits, or every waiting message waits behind
// a question. awaitQuiet also reports whether the run has a question.
func (s *Experiment) awaitQuiet(ctx context.Context, reference opportunity.Reference) (parked bool, err error) {
	err = await(ctx, quietTimeout, "a run in which no message waits", func() (bool, error) {
		within, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		view, err := s.client.View(within, reference)
		var own *opportunity.Error
		if errors.As(err, &own) && own.Type == opportunity.NotFound {
			return true, nil // the start of the opportunity never succeeded
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

// Evidence collects the evidence of all sources.
func (s *Experiment) Evidence(ctx context.Context) (audit.Evidence, error) {
	return s.collectEvidence(ctx, nil, s.references())
}

// collectEvidence queries only the workflows of the given references. collectEvidence reads all
// sources other than workflows completely.
func (s *Experiment) collectEvidence(ctx context.Context, known []audit.Chain, references []opportunity.Reference) (audit.Evidence, error) {
	s.mu.Lock()
	restores, resets, changes := slices.Clone(s.restores), slices.Clone(s.resets), slices.Clone(s.manualChanges)
	s.mu.Unlock()
	e := audit.Evidence{ExistingRecords: s.existingRecords, Restores: restores, Resets: resets, ManualChanges: changes, Observations: s.observations.all(), Samples: s.sampler.all()}
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
	if e.RequestLog, err = readRequestLog(s.tables() + ".requests"); err != nil {
		return e, err
	}
	e.ManualTransitions = manualTransitions(e.RequestLog)
	e.At = time.Now().UTC()
	if e.Records, err = readRecords(ctx, s.tables(), settings.DefaultTagAttribute); err != nil {
		return e, err
	}
	e.Bookings, err = readBookings(ctx, s.tables(), s.earlierNames)
	return e, err
}

// Report summarizes the experiment.
func (s *Experiment) Report(e audit.Evidence, violations []audit.Violation) Report {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.report
	r.Duration = time.Since(s.startedAt)
	r.Sent, r.Messages, r.Questions = len(e.Observations), e.Messages(), e.Questions()
	r.SendResults, r.Outcomes, r.Faults = map[audit.SendResult]int{}, map[string]int{}, map[string]int{}
	for _, t := range e.Observations {
		r.SendResults[t.Result]++
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
	for _, entry := range e.RequestLog {
		r.Requests++
		if entry.Fault != "" {
			r.Faults[entry.Fault]++
		}
		if isCommittedLate(entry) {
			r.Late++
		}
	}
	r.LostByRestore, r.Coverage, r.Violations = e.LostByRestore(), s.coverage(e), violations
	r.Playbook, r.EffectQuestions = s.options.Playbook, e.EffectQuestions()
	if s.options.hasEffects() {
		r.CheckedWins = audit.CheckedWins(e, audit.Tolerances{Effects: true})
		r.Registrations, r.Invoices, r.Mails = len(e.Bookings.Registrations), len(e.Bookings.Invoices), len(e.Bookings.Mails)
		if r.CheckedWins == 0 {
			r.Problems = append(slices.Clone(r.Problems), "the auditor checked no won record; the auditor can check a won record only when its effects have ended")
		}
	}
	return r
}

// Run starts, executes, audits and stops an experiment.
func Run(ctx context.Context, o Options, rules audit.Tolerances) (Report, error) {
	s, err := Start(ctx, o)
	if err != nil {
		return Report{}, err
	}
	report, err := s.run(ctx, rules)
	return report, errors.Join(err, s.Stop(context.WithoutCancel(ctx)))
}

func (s *Experiment) run(ctx context.Context, rules audit.Tolerances) (Report, error) {
	if err := s.Execute(ctx); err != nil {
		return Report{}, err
	}
	evidence, err := s.Evidence(ctx)
	if err != nil {
		return Report{}, err
	}
	rules.Effects = s.options.hasEffects()
	return s.Report(evidence, audit.Audit(evidence, rules)), nil
}

func (s *Experiment) recordStart(reference opportunity.Reference, start opportunity.Start) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.starts[reference] = start
}

func (s *Experiment) isStarted(reference opportunity.Reference) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, is := s.starts[reference]
	return is
}

func (s *Experiment) startOf(reference opportunity.Reference) opportunity.Start {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.starts[reference]
}

func (s *Experiment) references() []opportunity.Reference {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []opportunity.Reference
	for reference := range s.starts {
		list = append(list, reference)
	}
	slices.Sort(list)
	return list
}

func (s *Experiment) recordTermination(reference opportunity.Reference, run string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.terminated[reference] = append(s.terminated[reference], run)
	s.report.Terminations++
}

func (s *Experiment) terminatedRuns(reference opportunity.Reference) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.terminated[reference]
}
