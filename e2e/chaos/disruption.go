package chaos

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/sandbox/fault"
	"github.com/oppflow/oppflow/sandbox/requestlog"
)

// Disruption is one planned disturbance of the workers, the Temporal server, the API or the
// opportunities.
type Disruption struct {
	Kind  DisruptionKind
	Pause time.Duration
	// Alternative chooses between two forms of the disruption.
	Alternative bool
}

// DisruptionKind is a kind of disruption.
type DisruptionKind string

// The kinds of disruptions.
const (
	KillAnywhere            DisruptionKind = "kill a worker"
	KillBeforeSend          DisruptionKind = "kill the workers before they send a request"
	KillBeforeAnswer        DisruptionKind = "kill the workers before they receive a response"
	KillBeforeReport        DisruptionKind = "kill the workers before they report a response"
	KillDuringContinueAsNew DisruptionKind = "kill the workers during continue-as-new"
	KillDuringCompletion    DisruptionKind = "kill the workers while a run completes"
	RestartServer           DisruptionKind = "restart the Temporal server"
	FreezeWorker            DisruptionKind = "freeze a worker"
	CommitLate              DisruptionKind = "commit a change late"
	BlockAPI                DisruptionKind = "cut the API off"
	FailQuery               DisruptionKind = "fail one query"
	OperateActivities       DisruptionKind = "apply Temporal's activity operations to changes"
	ResetPaused             DisruptionKind = "reset paused runs"
	ResetOld                DisruptionKind = "reset old runs"
	FailService             DisruptionKind = "fail the tenant's service"
	SendWhenDue             DisruptionKind = "send a message when a follow-up comes due"
	TransitionManually      DisruptionKind = "make a transition as another user of the TMS"
	ChangeManually          DisruptionKind = "change interests and contacts as another user of the TMS"
	DelayVisibility         DisruptionKind = "let visibility lag"
	DeployPlaybook          DisruptionKind = "deploy a playbook"
	RunWorkerWithoutEffect  DisruptionKind = "run a worker that lacks an effect kind"
	Restore                 DisruptionKind = "restore Temporal's database"
)

// requiredKinds are the kinds of disruptions that every form of the experiment executes.
func requiredKinds() []DisruptionKind {
	return []DisruptionKind{KillAnywhere, KillBeforeSend, KillBeforeAnswer, KillBeforeReport, KillDuringContinueAsNew, KillDuringCompletion, RestartServer, FreezeWorker}
}

// optionalKinds are the kinds of disruptions that only the long form of the experiment executes
// completely. In any other form of the experiment, the seed chooses some of the optional kinds.
func optionalKinds() []DisruptionKind {
	return []DisruptionKind{
		BlockAPI, FailQuery, OperateActivities, ResetPaused, ResetOld, FailService, SendWhenDue, TransitionManually, ChangeManually, DelayVisibility, DeployPlaybook, RunWorkerWithoutEffect,
	}
}

// serviceKinds are the disruptions that need a playbook that calls a service.
func serviceKinds() []DisruptionKind {
	return []DisruptionKind{FailService, SendWhenDue, DeployPlaybook, RunWorkerWithoutEffect}
}

// DisruptionKinds are all kinds of disruptions.
func DisruptionKinds() []DisruptionKind {
	return slices.Concat([]DisruptionKind{CommitLate}, requiredKinds(), optionalKinds(), []DisruptionKind{Restore})
}

// newDisruptions returns the planned disruptions in rounds. Each round has each kind once, in a
// random order. For the long form of the experiment, newDisruptions plans more disruptions than the
// experiment has time for. In each round of disruptions, the long form kills a worker three times,
// because a worker is back within a second and one kill affects few messages. CommitLate occurs
// only once, because CommitLate blocks other disruptions until the activity of the late change has
// ended. Restore occurs at most once, because an opportunity that lost a message in a restore may
// then wait for an operator.
func newDisruptions(o Options) []Disruption {
	chance := rand.New(rand.NewPCG(o.Seed, 2)) //nolint:gosec // it decides no secret
	fresh, first := optionalKinds(), []DisruptionKind{CommitLate}
	if !o.hasEffects() { // only effects depend on the interests and contacts that people change
		fresh = slices.DeleteFunc(fresh, func(t DisruptionKind) bool { return t == ChangeManually })
	}
	restores := []DisruptionKind{Restore}
	if !o.Long {
		fresh = append(fresh, Restore)
		chance.Shuffle(len(fresh), func(i, j int) { fresh[i], fresh[j] = fresh[j], fresh[i] })
		fresh = fresh[:min(len(fresh), o.OptionalKinds)]
		restores = nil
	}
	kinds := append(requiredKinds(), fresh...)
	if o.Long {
		kinds = append(kinds, KillAnywhere, KillAnywhere)
	}
	if len(o.Only) > 0 {
		others := func(t DisruptionKind) bool { return !slices.Contains(o.Only, t) }
		kinds = slices.DeleteFunc(append(requiredKinds(), optionalKinds()...), others)
		first, restores = slices.DeleteFunc(first, others), slices.DeleteFunc([]DisruptionKind{Restore}, others)
	}
	var list []Disruption
	for _, kind := range first {
		list = append(list, Disruption{Kind: kind, Pause: o.Pause})
	}
	for rounds := 1 + int(o.DisruptionTime/(4*time.Minute)); rounds > 0; rounds-- {
		chance.Shuffle(len(kinds), func(i, j int) { kinds[i], kinds[j] = kinds[j], kinds[i] })
		for _, kind := range append(slices.Clone(kinds), restores...) {
			list = append(list, Disruption{Kind: kind, Pause: time.Duration(chance.Int64N(int64(o.Pause))), Alternative: chance.IntN(2) == 1})
		}
		restores = nil
		if !o.Long {
			break
		}
	}
	return list
}

func (p Plan) kinds() []DisruptionKind {
	var kinds []DisruptionKind
	for _, d := range p.Disruptions {
		if !slices.Contains(kinds, d.Kind) {
			kinds = append(kinds, d.Kind)
		}
	}
	return kinds
}

func (p Plan) has(kinds ...DisruptionKind) bool {
	return slices.ContainsFunc(p.Disruptions, func(d Disruption) bool { return slices.Contains(kinds, d.Kind) })
}

// disrupt executes the disruptions of the list, until the list or the context ends. After the time
// enough, disrupt skips every kind of disruption that was executed before. When a disruption fails,
// disrupt continues with the next disruption.
func (s *Experiment) disrupt(ctx context.Context, list []Disruption, enough time.Time) {
	failed := make(map[DisruptionKind]error)
	defer func() {
		for _, kind := range slices.Sorted(maps.Keys(failed)) {
			if !s.wasExecuted(kind) {
				s.recordProblem("%s: %v", kind, failed[kind])
			}
		}
	}()
	for _, d := range list {
		if time.Now().After(enough) && s.wasExecuted(d.Kind) {
			continue
		}
		if sleep(ctx, d.Pause) != nil {
			return
		}
		d = s.balance(d)
		var err error
		for range disruptionAttempts {
			s.reportProgress(string(d.Kind))
			from := time.Now()
			err = s.runDisruption(ctx, d)
			// The workers must run again even if the disruption failed.
			if again := s.startWorkers(context.WithoutCancel(ctx)); again != nil {
				err = errors.Join(err, again)
			}
			if err == nil {
				s.updateReport(func(*Report) { s.executions[d.Kind]++ })
				if !slices.Contains(perOpportunityKinds(), d.Kind) {
					s.recordPeriod(d.Kind, from, time.Now(), "")
				}
			}
			if err == nil || ctx.Err() != nil {
				break
			}
			s.reportProgress(fmt.Sprintf("an attempt to execute the disruption failed: %v", err))
		}
		if err != nil && ctx.Err() == nil {
			failed[d.Kind] = err
		}
	}
}

// In the long form of the experiment, balance replaces a kind of disruption that was executed
// before by the kind during which the fewest messages were sent. In any other case, balance returns
// the disruption unchanged.
func (s *Experiment) balance(d Disruption) Disruption {
	if !s.options.Long || !s.wasExecuted(d.Kind) {
		return d
	}
	sent := s.observations.all()
	s.mu.Lock()
	defer s.mu.Unlock()
	reached := make(map[DisruptionKind]int)
	for _, p := range s.periods {
		for _, o := range sent {
			if (p.reference == "" || p.reference == o.Reference) && !o.SentAt.Before(p.from.Add(-nearTime)) && !o.SentAt.After(p.to) {
				reached[p.kind]++
			}
		}
	}
	for _, kind := range s.plan.kinds() {
		if kind != CommitLate && kind != Restore && s.executions[kind] > 0 && reached[kind] < reached[d.Kind] {
			d.Kind = kind
		}
	}
	return d
}

// nearTime is how long balance expects a message to wait. balance counts a message for a disruption
// that began at most nearTime after the message was sent.
const nearTime = 5 * time.Second

func (s *Experiment) wasExecuted(kind DisruptionKind) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.executions[kind] > 0
}

func (s *Experiment) runDisruption(ctx context.Context, d Disruption) error {
	switch d.Kind {
	case KillAnywhere:
		n := 0
		if d.Alternative {
			n = 1
		}
		s.recordKill(AnyPoint, fmt.Sprintf("worker %d, pid %d", n+1, s.workers[n].PID()))
		s.workers[n].Kill()
		return nil
	case KillBeforeSend:
		return s.killBeforeSend(ctx)
	case KillBeforeAnswer:
		return s.killBeforeAnswer(ctx, d.Alternative)
	case KillBeforeReport:
		return s.killBeforeReport(ctx)
	case KillDuringContinueAsNew:
		return s.killDuringContinueAsNew(ctx)
	case KillDuringCompletion:
		return s.killDuringCompletion(ctx)
	case RestartServer:
		return s.restartServer(ctx, d.Alternative)
	case FreezeWorker:
		return s.freeze(ctx, d.Alternative)
	case CommitLate:
		return s.commitLate(ctx)
	case BlockAPI:
		return s.blockAPI(ctx, d.Alternative)
	case FailQuery:
		return s.failQuery(ctx)
	case OperateActivities:
		return s.operateActivities(ctx)
	case ResetPaused:
		return s.resetPaused(ctx)
	case ResetOld:
		return s.resetOld(ctx)
	case FailService:
		return s.failService(ctx)
	case SendWhenDue:
		return s.sendWhenDue(ctx)
	case TransitionManually:
		return s.transitionManually(ctx)
	case ChangeManually:
		return s.changeManually(ctx)
	case DeployPlaybook:
		return s.deployPlaybook(ctx)
	case RunWorkerWithoutEffect:
		return s.runWorkerWithoutEffect(ctx)
	case DelayVisibility:
		return s.delayVisibility(ctx, d.Alternative)
	case Restore:
		return s.restore(ctx)
	}
	return fmt.Errorf("unknown disruption: %s", d.Kind)
}

// disruptionAttempts is how often a disruption is tried if the state that the disruption needs does
// not occur.
const disruptionAttempts = 3

// momentTimeout is how long a disruption waits for the state that the disruption needs.
const momentTimeout = 45 * time.Second

// killAttempts is how often the chaos test tries to kill the workers during continue-as-new or
// while a run completes.
const killAttempts = 12

func (s *Experiment) startWorkers(ctx context.Context) error {
	var errs []error
	for _, w := range s.workers {
		if w.Running() {
			continue
		}
		if err := w.Start(ctx); err != nil {
			errs = append(errs, err)
			continue
		}
		s.updateReport(func(r *Report) { r.WorkerStarts++ })
	}
	return errors.Join(errs...)
}

// restartServer kills or stops the Temporal server, and starts the server again with the same
// databases. In the long form, restartServer restarts the server three times, because messages cannot
// be sent while the server is down.
func (s *Experiment) restartServer(ctx context.Context, atOnce bool) error {
	server := s.parts.Server()
	for n := 0; n < s.rounds(3) && ctx.Err() == nil; n++ {
		if atOnce {
			server.Kill()
		} else if err := server.Stop(context.WithoutCancel(ctx)); err != nil {
			s.reportProgress(err.Error()) // the server was killed instead of stopped, which is enough here
		}
		if err := server.Start(context.WithoutCancel(ctx)); err != nil {
			return err
		}
		s.updateReport(func(r *Report) { r.Restarts++ })
		_ = sleep(ctx, s.options.HoldTime) // ends early when the context ends
	}
	return nil
}

// freeze freezes a worker, or all workers, for longer than the timeout of an activity, and then
// lets the frozen workers continue.
//
// A frozen client keeps its connections. A request with the fault Late would be committed only
// after the frozen client continues, and therefore after the settle time. Oppflow may assume that
// the API commits every change within the settle time, so no request gets the fault Late during the
// freeze.
func (s *Experiment) freeze(ctx context.Context, all bool) error {
	if err := s.stopLateFault(ctx); err != nil {
		return err
	}
	frozen := s.workers[:1]
	if all && s.options.Long {
		frozen = s.workers
	}
	s.allFrozen.Store(len(frozen) == len(s.workers))
	defer s.allFrozen.Store(false)
	for _, w := range frozen {
		if err := w.Pause(); err != nil {
			return err
		}
	}
	err := sleep(ctx, s.options.Freeze)
	for _, w := range frozen {
		err = errors.Join(err, w.Continue())
	}
	s.updateReport(func(r *Report) { r.Freezes++ })
	return errors.Join(err, s.setBackgroundFaults(context.WithoutCancel(ctx)))
}

// commitLate makes the API commit a change after the worker that sent the change has stopped
// waiting for the response. commitLate kills no worker: the activity ends when the worker stops
// waiting, and the commit follows. During commitLate no other request is late, and no fault expires
// tokens. If another fault or an expired token prevents the late commit, commitLate sends another
// change.
func (s *Experiment) commitLate(ctx context.Context) error {
	from, reference, err := s.startProbe(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = s.setBackgroundFaults(context.WithoutCancel(ctx)) }()
	for deadline := time.Now().Add(2 * momentTimeout); ; {
		late, err := s.tryCommitLate(ctx, from, reference)
		switch {
		case err == nil && isCommittedLate(late):
			return nil
		case err == nil && isLate(late):
			err = fmt.Errorf("the sandbox committed no change for the late API request %d: HTTP status %d, fields %v", late.Number, late.Status, late.Fields)
		case err == nil:
			err = errors.New("the sandbox did not execute any API request of the probe opportunity late")
		}
		if ctx.Err() != nil || time.Now().After(deadline) {
			return err
		}
	}
}

// tryCommitLate sends a change and makes the API commit the change late. tryCommitLate returns the
// late request, or an empty entry if another fault decided the result of the change.
func (s *Experiment) tryCommitLate(ctx context.Context, from sender, reference opportunity.Reference) (late requestlog.Entry, err error) {
	if err := s.removeFaults(ctx, fault.Late, fault.ExpireTokens); err != nil {
		return late, err
	}
	before, err := s.lastRequest(ctx)
	if err != nil {
		return late, err
	}
	view, err := s.client.View(ctx, reference)
	if err != nil {
		return late, err
	}
	if _, err := s.sandbox.SetFault(ctx, fault.Rule{
		Kind: fault.Late, Operation: "opportunities.addInterest", Contains: string(view.Opportunity), // the API may reject the changes of other opportunities
		Times: 1, Delay: fault.Duration(s.options.LateBy),
	}); err != nil {
		return late, err
	}
	request := s.signal(ctx, from, reference, opportunity.AddInterests{Interests: opportunity.Interests{commonInterest()}})
	err = await(ctx, momentTimeout, "a change that the sandbox commits late", func() (bool, error) {
		entries, err := s.sandbox.RequestLog(ctx, before)
		for _, entry := range entries {
			if isLate(entry) { // no other rule makes requests late
				late = entry
			}
		}
		if err != nil || isLate(late) {
			return isLate(late), err
		}
		outcome, err := s.client.Outcome(ctx, reference, request)
		return err == nil && outcome.State != opportunity.Pending, nil
	})
	return late, err
}

// isLate reports whether the API handled the request after its client had stopped waiting.
func isLate(entry requestlog.Entry) bool {
	return entry.Fault == string(fault.Late) && entry.ClientGone && !entry.Answered.IsZero()
}

func isCommittedLate(entry requestlog.Entry) bool {
	return isLate(entry) && slices.ContainsFunc(entry.Fields, func(field requestlog.Field) bool { return field.Outcome == requestlog.Committed })
}

func (s *Experiment) removeFaults(ctx context.Context, kinds ...fault.Kind) error {
	list, err := s.sandbox.Faults(ctx)
	if err != nil {
		return err
	}
	for _, status := range list {
		if slices.Contains(kinds, status.Kind) {
			if err := s.sandbox.RemoveFault(ctx, status.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Experiment) stopLateFault(ctx context.Context) error {
	if err := s.removeFaults(ctx, fault.Late); err != nil {
		return err
	}
	return sleep(ctx, 2*s.options.LateBy)
}

func (s *Experiment) setBackgroundFaults(ctx context.Context) error {
	if err := s.sandbox.ClearFaults(ctx); err != nil {
		return err
	}
	s.faultRounds++
	for _, rule := range backgroundFaults(s.options, s.faultRounds) {
		if _, err := s.sandbox.SetFault(ctx, rule); err != nil {
			return err
		}
	}
	return nil
}

func await(ctx context.Context, within time.Duration, what string, ask func() (bool, error)) error {
	deadline := time.Now().Add(within)
	for {
		yes, err := ask()
		if yes && err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return errors.Join(fmt.Errorf("timeout after %v while waiting for %s", within, what), err)
		}
		if err := sleep(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
}
