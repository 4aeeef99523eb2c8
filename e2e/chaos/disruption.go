package chaos

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/sandbox/fault"
	"github.com/oppflow/oppflow/sandbox/ledger"
)

// Disruption is one thing done to the parts.
type Disruption struct {
	What Trouble
	// Pause goes before it.
	Pause time.Duration
	// Odd chooses between two ways of doing it.
	Odd bool
}

// Trouble is a kind of disruption.
type Trouble string

// The kinds of disruptions.
const (
	KillAnywhere   Trouble = "kill a worker"
	KillBeforeSend Trouble = "kill the workers before they send"
	KillUnanswered Trouble = "kill the workers before the answer"
	KillUnreported Trouble = "kill the workers before they report"
	KillContinuing Trouble = "kill the workers during continue-as-new"
	KillCompleting Trouble = "kill the workers during completion"
	RestartServer  Trouble = "restart the Temporal server"
	FreezeWorker   Trouble = "freeze a worker"
	CommitLate     Trouble = "commit a change late"
	CutOff         Trouble = "cut the API off"
	FailQuery      Trouble = "fail one query"
	PullLevers     Trouble = "pull levers on changes"
	ResetPaused    Trouble = "reset runs behind a pause"
	ResetOld       Trouble = "reset old runs"
	FailService    Trouble = "fail the tenant's service"
	FollowUp       Trouble = "send when follow-ups come due"
	MoveByHand     Trouble = "move by hand in the TMS"
	LagIndex       Trouble = "let the index of runs lag"
	DeployPlaybook Trouble = "deploy a playbook"
	LackEffect     Trouble = "run a worker that lacks an effect kind"
	Restore        Trouble = "restore Temporal's database"
)

// oldTroubles are visited in each form.
func oldTroubles() []Trouble {
	return []Trouble{KillAnywhere, KillBeforeSend, KillUnanswered, KillUnreported, KillContinuing, KillCompleting, RestartServer, FreezeWorker}
}

// newTroubles are all visited in the long form, and some of them, by the seed, in the others.
func newTroubles() []Trouble {
	return []Trouble{
		CutOff, FailQuery, PullLevers, ResetPaused, ResetOld, FailService, FollowUp, MoveByHand, LagIndex, DeployPlaybook, LackEffect,
	}
}

// needService are the disruptions that need a playbook that calls a service.
func needService() []Trouble { return []Trouble{FailService, FollowUp, DeployPlaybook, LackEffect} }

// Troubles are all kinds of disruptions.
func Troubles() []Trouble {
	return slices.Concat([]Trouble{CommitLate}, oldTroubles(), newTroubles(), []Trouble{Restore})
}

// disruptions makes the list: each kind once in an order of its own, and, in the long form, more of them than there is
// time for. A change is committed late only once, since no other disruption comes until its activity has ended. The
// database is restored only once, since opportunities that lost a message may then wait for an operator.
func disruptions(o Options) []Disruption {
	chance := rand.New(rand.NewPCG(o.Seed, 2)) //nolint:gosec // it decides no secret
	fresh, first := newTroubles(), []Trouble{CommitLate}
	restores := []Trouble{Restore}
	if !o.Long {
		fresh = append(fresh, Restore)
		chance.Shuffle(len(fresh), func(i, j int) { fresh[i], fresh[j] = fresh[j], fresh[i] })
		fresh = fresh[:min(len(fresh), o.Fresh)]
		restores = nil
	}
	kinds := append(oldTroubles(), fresh...)
	if len(o.Only) > 0 {
		others := func(t Trouble) bool { return !slices.Contains(o.Only, t) }
		kinds = slices.DeleteFunc(append(oldTroubles(), newTroubles()...), others)
		first, restores = slices.DeleteFunc(first, others), slices.DeleteFunc([]Trouble{Restore}, others)
	}
	var list []Disruption
	for _, kind := range first {
		list = append(list, Disruption{What: kind, Pause: o.Pause})
	}
	for rounds := 1 + int(o.Length/(4*time.Minute)); rounds > 0; rounds-- {
		chance.Shuffle(len(kinds), func(i, j int) { kinds[i], kinds[j] = kinds[j], kinds[i] })
		for _, kind := range append(slices.Clone(kinds), restores...) {
			list = append(list, Disruption{What: kind, Pause: time.Duration(chance.Int64N(int64(o.Pause))), Odd: chance.IntN(2) == 1})
		}
		restores = nil
		if !o.Long {
			break
		}
	}
	return list
}

// kinds are the kinds of disruptions that the plan has, each once, in the order of the first of each.
func (p Plan) kinds() []Trouble {
	var kinds []Trouble
	for _, d := range p.Disruptions {
		if !slices.Contains(kinds, d.What) {
			kinds = append(kinds, d.What)
		}
	}
	return kinds
}

// has reports whether the plan has a disruption of one of the kinds.
func (p Plan) has(kinds ...Trouble) bool {
	return slices.ContainsFunc(p.Disruptions, func(d Disruption) bool { return slices.Contains(kinds, d.What) })
}

// disrupt carries the list out, until it or the context ends. What goes wrong is noted and does not end it.
func (s *Storm) disrupt(ctx context.Context, list []Disruption) {
	for _, d := range list {
		if pause(ctx, d.Pause) != nil {
			return
		}
		var err error
		for range tries {
			s.tell(string(d.What))
			from := time.Now()
			err = s.trouble(ctx, d)
			// Whatever came of it, the workers run again.
			if again := s.startWorkers(context.WithoutCancel(ctx)); again != nil {
				err = errors.Join(err, again)
			}
			if err == nil {
				s.count(func(*Report) { s.carried[d.What]++ })
				if !slices.Contains(aboutSome(), d.What) {
					s.on(d.What, from, time.Now(), "")
				}
			}
			if err == nil || ctx.Err() != nil {
				break
			}
			s.tell(fmt.Sprintf("it did not come to that: %v", err))
		}
		if err != nil && ctx.Err() == nil {
			s.problem("%s: %v", d.What, err)
		}
	}
}

func (s *Storm) trouble(ctx context.Context, d Disruption) error {
	switch d.What {
	case KillAnywhere:
		n := 0
		if d.Odd {
			n = 1
		}
		s.killed(Anywhere, fmt.Sprintf("worker %d, pid %d", n+1, s.workers[n].PID()))
		s.workers[n].Kill()
		return nil
	case KillBeforeSend:
		return s.killBeforeSend(ctx)
	case KillUnanswered:
		return s.killUnanswered(ctx, d.Odd)
	case KillUnreported:
		return s.killUnreported(ctx)
	case KillContinuing:
		return s.killContinuing(ctx)
	case KillCompleting:
		return s.killCompleting(ctx)
	case RestartServer:
		return s.restartServer(ctx, d.Odd)
	case FreezeWorker:
		return s.freeze(ctx, d.Odd)
	case CommitLate:
		return s.commitLate(ctx)
	case CutOff:
		return s.cutOff(ctx, d.Odd)
	case FailQuery:
		return s.failQuery(ctx)
	case PullLevers:
		return s.pullLevers(ctx)
	case ResetPaused:
		return s.resetPaused(ctx)
	case ResetOld:
		return s.resetOld(ctx)
	case FailService:
		return s.failService(ctx)
	case FollowUp:
		return s.sendWhenDue(ctx)
	case MoveByHand:
		return s.moveByHand(ctx)
	case DeployPlaybook:
		return s.deployPlaybook(ctx)
	case LackEffect:
		return s.lackEffect(ctx)
	case LagIndex:
		return s.lagIndex(ctx, d.Odd)
	case Restore:
		return s.restore(ctx)
	}
	return fmt.Errorf("nobody knows how to %s", d.What)
}

// tries is how often a disruption is tried whose moment does not come: what the storm
// does otherwise may keep it from coming.
const tries = 3

// patience bounds how long a disruption waits for its moment.
const patience = 45 * time.Second

// attempts is how often a kill that depends on a moment is tried.
const attempts = 12

func (s *Storm) startWorkers(ctx context.Context) error {
	var errs []error
	for _, w := range s.workers {
		if w.Running() {
			continue
		}
		if err := w.Start(ctx); err != nil {
			errs = append(errs, err)
			continue
		}
		s.count(func(r *Report) { r.WorkerStarts++ })
	}
	return errors.Join(errs...)
}

// restartServer ends the Temporal server, at once or with grace, and starts it again on its databases.
func (s *Storm) restartServer(ctx context.Context, atOnce bool) error {
	server := s.parts.Server()
	if atOnce {
		server.Kill()
	} else if err := server.Stop(context.WithoutCancel(ctx)); err != nil {
		s.tell(err.Error()) // it was killed, which is as good
	}
	if err := server.Start(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	s.count(func(r *Report) { r.Restarts++ })
	return nil
}

// freeze freezes a worker, or all of them, for longer than an activity may take, and lets it go on.
//
// A frozen client keeps its connections. A late request would then be committed when the client wakes, after the settle
// time. The product may rely on the settle time. Nothing is late meanwhile.
func (s *Storm) freeze(ctx context.Context, all bool) error {
	if err := s.punctual(ctx); err != nil {
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
	err := pause(ctx, s.options.Freeze)
	for _, w := range frozen {
		err = errors.Join(err, w.Continue())
	}
	s.count(func(r *Report) { r.Freezes++ })
	return errors.Join(err, s.order(context.WithoutCancel(ctx)))
}

// commitLate has a change committed after the worker that sent it has given it up. No worker is killed meanwhile: the
// activity is over as soon as the worker gives up, and the change comes after that. No other request is late. Another
// fault may meet the change, and its token may end before it is carried out: then another change is sent. No tokens are
// expired meanwhile.
func (s *Storm) commitLate(ctx context.Context) error {
	from, reference, err := s.probe(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = s.order(context.WithoutCancel(ctx)) }()
	for deadline := time.Now().Add(2 * patience); ; {
		late, err := s.tryCommitLate(ctx, from, reference)
		switch {
		case err == nil && committedLate(late):
			return nil
		case err == nil && isLate(late):
			err = fmt.Errorf("request %d was late and committed nothing: status %d, %v", late.Number, late.Status, late.Fields)
		case err == nil:
			err = errors.New("no change of the probe was late")
		}
		if ctx.Err() != nil || time.Now().After(deadline) {
			return err
		}
	}
}

// tryCommitLate sends a change and makes it late. It returns the late request, or an empty one when another fault
// decided the result of the change.
func (s *Storm) tryCommitLate(ctx context.Context, from sender, reference opportunity.Reference) (late ledger.Entry, err error) {
	if err := s.lift(ctx, fault.Late, fault.ExpireTokens); err != nil {
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
	if _, err := s.sandbox.Set(ctx, fault.Rule{
		Kind: fault.Late, Operation: "opportunities.addInterest", Mentions: string(view.Opportunity), // what others ask for may be refused
		Times: 1, After: fault.Duration(s.options.LateBy),
	}); err != nil {
		return late, err
	}
	request := s.signal(ctx, from, reference, opportunity.AddInterests{Interests: opportunity.Interests{alikeInterest()}})
	err = await(ctx, patience, "a change that is committed late", func() (bool, error) {
		entries, err := s.sandbox.Ledger(ctx, before)
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

// isLate reports whether the request was carried out after its client had given it up.
func isLate(entry ledger.Entry) bool {
	return entry.Fault == string(fault.Late) && entry.Gone && !entry.Answered.IsZero()
}

// committedLate reports whether a change of the request was committed after its client had given it up.
func committedLate(entry ledger.Entry) bool {
	return isLate(entry) && slices.ContainsFunc(entry.Fields, func(field ledger.Field) bool { return field.Outcome == ledger.Committed })
}

// lift takes the faults of some kinds out of force.
func (s *Storm) lift(ctx context.Context, kinds ...fault.Kind) error {
	list, err := s.sandbox.Faults(ctx)
	if err != nil {
		return err
	}
	for _, status := range list {
		if slices.Contains(kinds, status.Kind) {
			if err := s.sandbox.Remove(ctx, status.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// punctual takes the fault that makes requests late out of force and waits until what was late is committed.
func (s *Storm) punctual(ctx context.Context) error {
	if err := s.lift(ctx, fault.Late); err != nil {
		return err
	}
	return pause(ctx, 2*s.options.LateBy)
}

// order puts the bad days in force, from their beginning.
func (s *Storm) order(ctx context.Context) error {
	if err := s.sandbox.Clear(ctx); err != nil {
		return err
	}
	s.ordered++
	for _, rule := range badDays(s.options, s.ordered) {
		if _, err := s.sandbox.Set(ctx, rule); err != nil {
			return err
		}
	}
	return nil
}

// await asks until the answer is yes, at most for the given time. Errors are asked about again.
func await(ctx context.Context, within time.Duration, what string, ask func() (bool, error)) error {
	deadline := time.Now().Add(within)
	for {
		yes, err := ask()
		if yes && err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return errors.Join(fmt.Errorf("not within %v: %s", within, what), err)
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
}
