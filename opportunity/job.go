package opportunity

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Job is an effect that is under way or waits for its turn. A worker inspects the
// effect, sends one request for a missing part, and inspects again after each request:
// an answer without errors proves nothing.
type Job struct {
	// Effect is the effect to ensure, with a key that is unique over the whole life.
	Effect Effect `json:"effect"`
	// Chain is the number of the effects that belong together and have an order.
	Chain int      `json:"chain"`
	Stage JobStage `json:"stage"`
	// Done says that the effect stands, for a move that is not made yet.
	Done bool `json:"done,omitempty"`
	// Begun says that a request for the effect was sent, or was about to be sent, and
	// was not rejected; Touched says that a request was carried out, or may have been.
	Begun   bool  `json:"begun,omitempty"`
	Touched bool  `json:"touched,omitempty"`
	Trace   Trace `json:"trace,omitzero"`
	// Sent is the last request that the API reported as carried out.
	Sent *Act `json:"sent,omitempty"`
	// NotBefore is the time of the next inspection; Aside says that others need not wait
	// until then.
	NotBefore time.Time `json:"notBefore,omitzero"`
	Aside     bool      `json:"aside,omitempty"`
	// Errors counts the requests in a row whose fate was unknown at first, Rounds the
	// inspections in a row that the API did not answer.
	Errors int `json:"errors,omitempty"`
	Rounds int `json:"rounds,omitempty"`
	// Calling says that a call of a service for the effect is under way.
	Calling bool `json:"calling,omitempty"`
	// Problem says why the job waits for an operator; "" while it does not.
	Problem string `json:"problem,omitempty"`
	// Number and Of count the repetitions of a follow-up; both are 0 for others.
	Number int `json:"number,omitempty"`
	Of     int `json:"of,omitempty"`
}

// JobStage says what a job is for.
type JobStage string

// The stages.
const (
	// JobBefore: the effect must stand before a move is made.
	JobBefore JobStage = "before"
	// JobAfter: the effect comes after a move or an outside event, or when a follow-up
	// is due.
	JobAfter JobStage = "after"
	// JobUndo: the effect is undone.
	JobUndo JobStage = "undo"
)

// Undoes reports whether the job undoes the effect.
func (j Job) Undoes() bool { return j.Stage == JobUndo }

// isDue reports whether the job can be worked on.
func (j Job) isDue(now time.Time) bool {
	return !j.Done && !j.Calling && j.Problem == "" && !j.NotBefore.After(now)
}

// DueJob returns the effect to work on next. Effects to undo come first, the last one
// first. Then come the effects before the next move, and then the effects after a move.
// Within a chain each effect waits for the effects before it.
func (s *State) DueJob(now time.Time) (Job, bool) {
	if !s.mayAct() {
		return Job{}, false
	}
	for _, j := range slices.Backward(s.Jobs) {
		if j.Stage == JobUndo && j.isDue(now) {
			return j, true
		}
	}
	if move := s.nextMove(); move != nil {
		for _, j := range s.Jobs {
			if j.Chain == move.Chain && j.Stage == JobBefore && !j.Done {
				if j.isDue(now) {
					return j, true
				}
				break
			}
		}
	}
	held := make(map[int]bool)
	for _, j := range s.Jobs {
		if j.Stage != JobAfter || held[j.Chain] {
			continue
		}
		if j.isDue(now) {
			return j, true
		}
		held[j.Chain] = !j.Aside || j.Problem != ""
	}
	return Job{}, false
}

// JobsAt returns the earliest time at which an effect under way is due for an
// inspection; zero when no effect waits for a time.
func (s *EffectState) JobsAt(now time.Time) time.Time { return s.jobsAt(now) }

// Finding is the result of an inspection of an effect.
type Finding struct {
	// Act is the next missing request; nil when there is none.
	Act *Act
	// Again is the time of the next inspection, when there is nothing to do before;
	// Aside says that later effects need not wait for this effect.
	Again time.Time
	Aside bool
	// Error says why the effect cannot be ensured.
	Error *Error
	Trace Trace
	// Contacts are the contacts found for attendees, by their index.
	Contacts []ID
	// Reservation is the state of the places in the API, nil when it was not read.
	Reservation *Reservation
}

// Found stores the result of an inspection of the effect of the key. It returns the next
// request for the effect, or nil when there is none now.
func (s *State) Found(key string, found Finding, now time.Time) *Act {
	j := s.job(key)
	if j == nil {
		return nil
	}
	j.Trace, j.NotBefore, j.Aside, j.Rounds, j.Calling = found.Trace, time.Time{}, false, 0, false
	s.identify(found.Contacts)
	if found.Reservation != nil {
		s.Reservation = *found.Reservation
	}
	switch {
	case found.Error != nil:
		s.jobFailed(j, found.Error.told(), now)
	case found.Act != nil && j.Sent != nil && reflect.DeepEqual(*j.Sent, *found.Act):
		s.jobFailed(j, fmt.Sprintf("the API answered that it did (%s), and nothing of it shows", found.Act.Kind.Summary()), now)
	case found.Act != nil:
		j.Begun = true
		return found.Act
	case !found.Again.IsZero():
		j.NotBefore, j.Aside = found.Again, found.Aside
	default:
		s.jobStands(j, now)
	}
	return nil
}

// Unanswered counts an inspection of the effect of the key that the API did not answer:
// from then on commands go before an effect after a move.
func (s *EffectState) Unanswered(key string) {
	if j := s.job(key); j != nil {
		j.Rounds++
	}
}

// GivesWay reports whether commands go before the effect.
func (j Job) GivesWay() bool { return j.Stage == JobAfter && j.Rounds > 0 }

// told returns the text of an error for an operator: our own words, and of the API's
// errors only the label, since the rest may name people.
func (e *Error) told() string {
	if e == nil || e.Label != "" || e.Message == "" {
		return e.label()
	}
	return clip(e.Message, MaxKeptMessage)
}

// jobErrors is how many requests in a row may have an unknown fate before an operator
// gets attention, or the effect fails its move.
const jobErrors = 5

// Acted stores the result of the request for the effect of the key; a request that was
// not sent changes nothing.
func (s *State) Acted(key string, act Act, answer Answer, trace Trace, contacts []ID, now time.Time) {
	j := s.job(key)
	if j == nil {
		return
	}
	j.Calling = false
	switch answer.Fate {
	case FateDone:
		j.Trace, j.Sent, j.Errors, j.Touched = trace, &act, 0, true
		s.identify(contacts)
		s.calmAbout(AttentionEffect, key)
		s.calmAbout(AttentionService, key)
		if !act.Kind.IsSeen() {
			s.jobStands(j, now)
		}
	case FateRejected:
		j.Begun = j.Touched // a request rejected at once leaves nothing to undo
		s.jobFailed(j, answer.Error.told(), now)
	case FateUnknown:
		j.Sent, j.Touched = nil, true
		s.jobUnknown(j, act, now)
	case FateNotSent:
	}
}

// jobUnknown handles a request whose result is unknown. Another inspection decides,
// except for mails and log entries.
func (s *State) jobUnknown(j *Job, act Act, now time.Time) {
	j.Errors++
	switch {
	case !act.Kind.IsSeen() && !act.Kind.MayRepeat():
		s.stick(j, fmt.Sprintf("did it happen (%s)? Its fate is unknown, and the API does not show it. Answer confirm (it did), retry (it did not) or skip (never mind)",
			act.Kind.Summary()), now)
	case j.Errors < jobErrors:
	case j.Stage == JobBefore:
		s.jobFailed(j, fmt.Sprintf("the API failed %d times at it (%s)", j.Errors, act.Kind.Summary()), now)
	default:
		j.NotBefore = now.Add(min(time.Minute<<min(j.Errors-jobErrors, 6), time.Hour))
		s.Attend(AttentionEffect, j.Effect.Key, fmt.Sprintf("the API failed %d times at it (%s); it is tried again and again", j.Errors, act.Kind.Summary()), now)
	}
}

// The pauses between calls of a service that does not respond, and how many calls come
// before attention.
const (
	firstCallPause = 5 * time.Second
	lastCallPause  = 10 * time.Minute
	callsToTell    = 2
)

// Unserved handles a call of a service that did not respond. The service is called again
// later with the same idempotency key. Without a reason it is called again at once.
func (s *State) Unserved(key, reason string, fate Fate, now time.Time) {
	j := s.job(key)
	if j == nil {
		return
	}
	j.Calling, j.Touched, j.Sent = false, j.Touched || fate == FateUnknown, nil
	if reason == "" {
		return
	}
	j.Errors++
	j.NotBefore = now.Add(min(firstCallPause<<min(j.Errors-1, 10), lastCallPause))
	if j.Errors >= callsToTell {
		s.Attend(AttentionService, key, reason+"; it is called again and again. Answer confirm (it is done), retry (call it now) or skip (never mind)", now)
	}
}

// Withdraw takes back a follow-up when nothing was done for it, so that it is planned
// again.
func (s *State) Withdraw(key string, now time.Time) {
	s.calmJob(key)
	s.drop(key)
	_, planned, _ := strings.Cut(key, "/") // the key without the number of its chain
	s.Done = slices.DeleteFunc(s.Done, func(d DoneFollowUp) bool { return d.Key == planned })
	s.note(now, "a follow-up was withdrawn, since a message came before it: "+planned)
	s.replan()
}

// jobStands handles an effect with nothing missing, or with nothing left to undo.
func (s *State) jobStands(j *Job, now time.Time) {
	key := j.Effect.Key
	s.calmAbout(AttentionEffect, key)
	how := EffectThere
	switch {
	case j.Stage == JobUndo:
		how = EffectUndone
	case j.Begun:
		how = EffectDone
	}
	s.enter(*j, how, "", now)
	if j.Effect.Kind == EffectAccount {
		s.knowAccount(*j)
	}
	if j.Stage == JobBefore {
		j.Done = true
		return
	}
	s.drop(key)
	s.planSoon(s.isWatched(), s.Rules.Quiet, now)
}

// jobFailed handles an effect that cannot be ensured. An effect before a move fails the
// move, any other effect waits for an operator.
func (s *State) jobFailed(j *Job, why string, now time.Time) {
	if j.Stage == JobBefore {
		s.enter(*j, EffectFailed, why, now)
		s.failMove(*j, why, now)
		return
	}
	if j.Stage == JobUndo {
		why = "it could not be taken back: " + why
	}
	s.stick(j, why+". Answer confirm (it is done), retry (try it again) or skip (never mind)", now)
}

// stick leaves the job to an operator.
func (s *State) stick(j *Job, problem string, now time.Time) {
	j.Problem = problem
	s.Attend(AttentionEffect, j.Effect.Key, problem, now)
	s.note(now, fmt.Sprintf("an effect waits for an operator: %s (%s)", j.Effect.Kind, j.Effect.Key))
}

// retryJob makes the effect due again.
func (s *State) retryJob(key string, now time.Time) {
	j := s.job(key)
	j.Problem, j.Errors, j.Rounds, j.Sent, j.NotBefore = "", 0, 0, nil, time.Time{}
	s.calmJob(key)
	s.note(now, "an operator answered retry: "+string(j.Effect.Kind))
}

// skipJob leaves the effect as it is.
func (s *State) skipJob(key, reason string, now time.Time) {
	j := *s.job(key)
	s.calmJob(key)
	s.note(now, "an operator answered skip: "+string(j.Effect.Kind))
	how := EffectSkipped
	if j.Stage == JobUndo {
		how = EffectLeft
	}
	s.enter(j, how, reason, now)
	s.drop(key)
	s.planSoon(s.isWatched(), s.Rules.Quiet, now)
}

// startChain queues effects as jobs of one chain, whose keys get the number of the
// chain.
func (s *State) startChain(stage JobStage, chain int, effects []Effect, now time.Time) {
	taken := jsonSize(s.Jobs)
	for _, effect := range effects {
		effect.Key = fmt.Sprintf("%d/%s", chain, effect.Key)
		job := Job{Effect: effect, Chain: chain, Stage: stage}
		if taken += jsonSize(job); taken > MaxJobBytes && stage != JobBefore { // without these no move is made
			s.enter(job, EffectLeft, "too many effects wait already", now)
			s.Attend(AttentionEffect, effect.Key, "it was left out, since too many effects wait already; do it by hand", now)
			continue
		}
		s.Jobs = append(s.Jobs, job)
	}
}

// Happened queues the planned effects of the first outside event.
func (s *State) Happened(plan Plan, now time.Time) {
	s.Occasions = slices.Delete(s.Occasions, 0, min(1, len(s.Occasions)))
	s.tell(plan, now)
	s.startChain(JobAfter, s.nextChain(), plan.After, now)
}

// abandonJobs leaves the effects after moves as they are when a run ends; the ledger
// lists them, so that a person can do them by hand.
func (s *State) abandonJobs(now time.Time) {
	for _, j := range s.Jobs {
		if j.Stage == JobAfter {
			s.enter(j, EffectLeft, "the run of the opportunity has ended", now)
		}
	}
	s.Jobs = slices.DeleteFunc(s.Jobs, func(j Job) bool { return j.Stage == JobAfter })
}

// AbandonUndo leaves the effects that could not be undone as they are.
func (s *State) AbandonUndo(now time.Time) {
	for _, j := range s.Jobs {
		s.enter(j, EffectLeft, "the run of the opportunity has ended", now)
	}
	s.Jobs = nil
}
