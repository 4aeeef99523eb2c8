package entity

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// ActiveEffect is an effect that Oppflow works on, or that waits for its turn. A worker inspects
// the effect, sends one request for a missing part, and inspects the effect again after each
// request, because a response without errors proves nothing.
type ActiveEffect struct {
	// Effect is the effect to ensure. The key of Effect is unique over the whole life of the
	// opportunity.
	Effect exchange.Effect `json:"effect"`
	// Chain is the number of the chain that contains the effect; a chain is all effects of one
	// plan.
	Chain int                     `json:"chain"`
	Stage opportunity.EffectStage `json:"stage"`
	// Done says that the effect is complete and that the transition after the effect is not made
	// yet.
	Done bool `json:"done,omitempty"`
	// Attempted says that a request for the effect was sent, or was about to be sent, and was not
	// rejected. MayHaveApplied says that a request for the effect took effect, or may have taken
	// effect.
	Attempted      bool               `json:"begun,omitempty"`
	MayHaveApplied bool               `json:"touched,omitempty"`
	UndoEntry      exchange.UndoEntry `json:"trace,omitzero"`
	// LastConfirmed is the last request that the API reported as done.
	LastConfirmed *exchange.EffectRequest `json:"sent,omitempty"`
	// NotBefore is the time of the next inspection. NonBlocking says that Oppflow may work on other
	// effects before NotBefore.
	NotBefore   time.Time `json:"notBefore,omitzero"`
	NonBlocking bool      `json:"aside,omitempty"`
	// Errors counts the consecutive requests whose change status was unknown after the request was
	// sent. FailedInspections counts the consecutive inspections to which the API did not respond.
	Errors            int `json:"errors,omitempty"`
	FailedInspections int `json:"rounds,omitempty"`
	// Calling says that a call of a service for the effect is running.
	Calling bool `json:"calling,omitempty"`
	// Problem says why the effect waits for an operator; "" while the effect waits for no
	// operator.
	Problem string `json:"problem,omitempty"`
	// AsksPeople says that Problem asks an operator whether each attendee and the contact with the
	// attendee's e-mail address are the same person. Note becomes the reason of the effect's
	// result.
	AsksPeople bool   `json:"asksPeople,omitempty"`
	Note       string `json:"note,omitempty"`
	// Number is the position of a follow-up among its repetitions, and Of is the number of
	// repetitions; both are 0 for effects of other kinds.
	Number int `json:"number,omitempty"`
	Of     int `json:"of,omitempty"`
	// Series is the series of a follow-up; "" for effects of other kinds, and for follow-ups that
	// earlier versions started.
	Series string `json:"series,omitempty"`
	// BlockedIn is the step in which a mail or a follow-up began to wait for an operator; "" when
	// the effect has not waited, or when that step is unknown.
	BlockedIn opportunity.ID `json:"blockedIn,omitempty"`
}

// IsUndo reports whether the effect is being undone.
func (j ActiveEffect) IsUndo() bool { return j.Stage == opportunity.EffectStageUndo }

func (j ActiveEffect) isDue(now time.Time) bool {
	return !j.Done && !j.Calling && j.Problem == "" && !j.NotBefore.After(now)
}

// DueEffect returns the effect on which Oppflow must work next. Effects to undo come first, in
// reverse order. The effects before the next transition come second, and the effects of
// EffectStageAfter come last. Within a chain, each effect waits for the effects before it.
func (s *State) DueEffect(now time.Time) (ActiveEffect, bool) {
	if !s.canProceed() {
		return ActiveEffect{}, false
	}
	for _, j := range slices.Backward(s.ActiveEffects) {
		if j.Stage == opportunity.EffectStageUndo && j.isDue(now) {
			return j, true
		}
	}
	if move := s.nextTransition(); move != nil {
		for _, j := range s.ActiveEffects {
			if j.Chain == move.Chain && j.Stage == opportunity.EffectStageBefore && !j.Done {
				if j.isDue(now) {
					return j, true
				}
				break
			}
		}
	}
	held := make(map[int]bool)
	for _, j := range s.ActiveEffects {
		if j.Stage != opportunity.EffectStageAfter || held[j.Chain] {
			continue
		}
		if j.isDue(now) {
			return j, true
		}
		held[j.Chain] = !j.NonBlocking || j.Problem != ""
	}
	return ActiveEffect{}, false
}

// EffectsAhead returns the later effects of the same chain that can be inspected together with the
// effect of the given key. The list ends before the first effect that is not due or whose result a
// read of the TMS cannot show.
func (s *EffectState) EffectsAhead(key string, now time.Time) []ActiveEffect {
	at := slices.IndexFunc(s.ActiveEffects, func(j ActiveEffect) bool { return j.Effect.Key == key })
	if at < 0 || s.ActiveEffects[at].IsUndo() || !s.ActiveEffects[at].Effect.Kind.IsVerifiable() {
		return nil
	}
	var ahead []ActiveEffect
	for _, j := range s.ActiveEffects[at+1:] {
		if j.Chain != s.ActiveEffects[at].Chain || j.Stage != s.ActiveEffects[at].Stage {
			continue
		}
		if !j.isDue(now) || !j.Effect.Kind.IsVerifiable() {
			break
		}
		ahead = append(ahead, j)
	}
	return ahead
}

// NextInspectionAt returns the earliest time at which an active effect is due for an inspection,
// or zero when no effect waits for a time.
func (s *EffectState) NextInspectionAt(now time.Time) time.Time { return s.nextInspectionAt(now) }

// Inspection is the result of an inspection of an effect.
type Inspection struct {
	// NextRequest is the next missing request; nil when no request is missing.
	NextRequest *exchange.EffectRequest
	// RecheckAt is the time of the next inspection, when no request is necessary before that time.
	// NonBlocking says that later effects need not wait for this effect.
	RecheckAt   time.Time
	NonBlocking bool
	// Error says why the effect cannot be ensured.
	Error     *opportunity.Error
	UndoEntry exchange.UndoEntry
	// Contacts[i] is the id of the contact that was found for attendee i.
	Contacts []opportunity.ID
	// Reservation is the reservation that the API returned, nil when the reservation was not
	// read.
	Reservation *opportunity.Reservation
	// Details are details of the record that the inspection read; empty members were not read.
	Details *opportunity.Details
	// PeopleInDoubt are the indexes of the attendees in Error about whom an operator must decide.
	// The operator decides whether the attendee and the contact with the attendee's e-mail address
	// are the same person.
	PeopleInDoubt []int
	// Note is a text for the operator about the complete effect. Overbooked are the events that are
	// overbooked after the effect registered learners.
	Note       string
	Overbooked []exchange.OverbookedEvent
	// Places says for each interest whether its places are reserved, if the effect reserves places.
	Places []exchange.InterestPlaces
}

// ApplyInspection stores the result of an inspection of the effect with the given key.
// ApplyInspection returns the next request for the effect, or nil when no request must be sent now.
func (s *State) ApplyInspection(key string, found Inspection, now time.Time) *exchange.EffectRequest {
	j := s.activeEffect(key)
	if j == nil {
		return nil
	}
	j.UndoEntry, j.NotBefore, j.NonBlocking, j.FailedInspections, j.Calling = found.UndoEntry, time.Time{}, false, 0, false
	s.setContacts(found.Contacts)
	if found.Reservation != nil {
		s.Reservation = *found.Reservation
	}
	if found.Details != nil {
		s.setDetails(*found.Details)
	}
	for _, known := range found.Places {
		s.setPlaces(known, now)
	}
	switch {
	case found.Error != nil && len(found.PeopleInDoubt) > 0:
		s.askAboutPeople(j, found, now)
	case found.Error != nil:
		s.failEffect(j, found.Error.OperatorText(), now)
	case found.NextRequest != nil && j.LastConfirmed != nil && reflect.DeepEqual(*j.LastConfirmed, *found.NextRequest):
		s.failEffect(j, fmt.Sprintf("the API reported that the request succeeded (%s), but the TMS does not show the result of the request", found.NextRequest.Describe("")), now)
	case found.NextRequest != nil:
		j.Attempted = true
		return found.NextRequest
	case !found.RecheckAt.IsZero():
		j.NotBefore, j.NonBlocking = found.RecheckAt, found.NonBlocking
	default:
		j.addNote(found.Note)
		s.reportOverbooked(found.Overbooked, now)
		s.completeEffect(j, now)
	}
	return nil
}

// NeedsContacts reports whether the request registers attendees whose contact does not exist yet.
func NeedsContacts(request exchange.EffectRequest) bool {
	return request.Kind == exchange.RequestRegister && len(request.Attendees) > 0
}

// WithCreatedContacts returns the inspection with the contacts of the attendees that its registration
// names by their indexes. created are the new contacts, in the order of the attendees. If the
// inspection needs no new contacts, or if a contact is missing, WithCreatedContacts returns false and
// the unchanged inspection.
func (i Inspection) WithCreatedContacts(created []opportunity.ID) (Inspection, bool) {
	if i.NextRequest == nil || !NeedsContacts(*i.NextRequest) {
		return i, false
	}
	request := *i.NextRequest
	request.IDs, request.Attendees = slices.Clone(request.IDs), nil
	trace := i.UndoEntry
	for _, attendee := range i.NextRequest.Attendees {
		if attendee < 0 || attendee >= len(created) || created[attendee] == "" {
			return i, false
		}
		contact := created[attendee]
		if !slices.Contains(request.IDs, contact) {
			request.IDs = append(request.IDs, contact)
		}
		trace = trace.WithObject(opportunity.TouchedObject{Kind: opportunity.ObjectLearner, Event: request.Target, Contact: contact, Created: true})
	}
	i.NextRequest, i.UndoEntry = &request, trace
	return i, true
}

// CountFailedInspection counts an inspection of the effect with the given key that failed because
// the API did not respond.
func (s *EffectState) CountFailedInspection(key string) {
	if j := s.activeEffect(key); j != nil {
		j.FailedInspections++
	}
}

// IsAfter reports whether the stage of the effect is EffectStageAfter.
func (j ActiveEffect) IsAfter() bool { return j.Stage == opportunity.EffectStageAfter }

// ShouldYield reports whether Oppflow carries out commands before the effect.
func (j ActiveEffect) ShouldYield() bool {
	return j.Stage == opportunity.EffectStageAfter && j.FailedInspections > 0
}

// maxEffectErrors is how many consecutive requests may have an unknown status before attention is
// raised, or before the effect fails its transition.
const maxEffectErrors = 5

// ApplyEffectRequestResult stores the result of the request for the effect with the given key.
func (s *State) ApplyEffectRequestResult(key string, act exchange.EffectRequest, answer exchange.ChangeResult, trace exchange.UndoEntry, contacts []opportunity.ID, now time.Time) {
	j := s.activeEffect(key)
	if j == nil {
		return
	}
	j.Calling = false
	if answer.Status != exchange.StatusNotSent {
		s.RecordSeenAt = time.Time{}
	}
	switch answer.Status {
	case exchange.StatusDone:
		j.UndoEntry, j.LastConfirmed, j.Errors, j.MayHaveApplied = trace, &act, 0, true
		s.setContacts(contacts)
		s.clearAttentionFor(opportunity.AttentionEffect, key)
		s.clearAttentionFor(opportunity.AttentionService, key)
		if !act.Kind.IsVerifiable() {
			s.completeEffect(j, now)
		}
	case exchange.StatusRejected:
		j.Attempted = j.MayHaveApplied // a first request that is rejected leaves nothing to undo
		s.failEffect(j, fmt.Sprintf("%s (response to: %s)", answer.Error.OperatorText(), act.Describe(answer.About)), now)
	case exchange.StatusUnknown:
		j.LastConfirmed, j.MayHaveApplied = nil, true
		s.handleUnknownResult(j, act, now)
	case exchange.StatusNotSent:
	}
}

// The next inspection shows whether the request took effect. For emails and log entries, no
// inspection shows the result, so an operator decides.
func (s *State) handleUnknownResult(j *ActiveEffect, act exchange.EffectRequest, now time.Time) {
	j.Errors++
	switch {
	case !act.Kind.IsVerifiable() && !act.Kind.IsIdempotent():
		s.blockEffect(j, fmt.Sprintf("was this request carried out: %s? The API does not show whether the request was carried out. Answer confirm (the request was carried out), retry (the request was not carried out) or skip (continue without the request)",
			act.Kind.Summary()), now)
	case j.Errors < maxEffectErrors:
	case j.Stage == opportunity.EffectStageBefore:
		s.failEffect(j, fmt.Sprintf("the API failed %d times to carry out the request: %s", j.Errors, act.Describe("")), now)
	default:
		j.NotBefore = now.Add(min(time.Minute<<min(j.Errors-maxEffectErrors, 6), time.Hour))
		s.raiseEffectAttention(j.Effect, fmt.Sprintf("the API failed %d times to carry out the request: %s; Oppflow repeats the request", j.Errors, act.Describe("")), now)
	}
}

const (
	firstCallBackOff     = 5 * time.Second
	maxCallBackOff       = 10 * time.Minute
	callsBeforeAttention = 2
)

// ApplyCallFailure handles a call of a service that did not respond. The service is called again
// later with the same idempotency key. When reason is empty, the service is called again at once.
func (s *State) ApplyCallFailure(key, reason string, status exchange.ChangeStatus, now time.Time) {
	j := s.activeEffect(key)
	if j == nil {
		return
	}
	s.RecordSeenAt = time.Time{}
	j.Calling, j.MayHaveApplied, j.LastConfirmed = false, j.MayHaveApplied || status == exchange.StatusUnknown, nil
	if reason == "" {
		return
	}
	j.Errors++
	j.NotBefore = now.Add(callBackOff(j.Errors))
	if j.Errors >= callsBeforeAttention {
		s.RaiseAttention(opportunity.AttentionService, key, reason+"; Oppflow keeps calling the service. Answer confirm (the call was carried out), retry (the call was not carried out: call the service now) or skip (continue without the call)", now)
	}
}

func callBackOff(failures int) time.Duration {
	return min(firstCallBackOff<<min(failures-1, 10), maxCallBackOff)
}

// serviceWait returns the wait of the queue for the next call of a service before a transition, or
// nil if no failed call delays the queue.
func (s *State) serviceWait() *opportunity.WaitInfo {
	for _, j := range s.ActiveEffects {
		call := exchange.SettingsOf[exchange.CallService](j.Effect.Settings)
		if j.Stage == opportunity.EffectStageBefore && j.Errors > 0 && !j.NotBefore.IsZero() && call != nil {
			return &opportunity.WaitInfo{
				Kind: opportunity.AttentionService, Request: j.Effect.Key, Since: j.NotBefore.Add(-callBackOff(j.Errors)), Until: j.NotBefore,
				Reason: "the service " + call.Service + " did not carry out the call before the transition; Oppflow repeats the call",
			}
		}
	}
	return nil
}

// PostponeEffect handles a request that was not sent, for a reason that concerns only the effect
// with the given key. Oppflow inspects the effect again later, and sends the queued commands first.
func (s *State) PostponeEffect(key, reason string, now time.Time) {
	j := s.activeEffect(key)
	if j == nil {
		return
	}
	j.NotBefore = now.Add(min(firstCallBackOff<<min(j.FailedInspections, 10), maxCallBackOff))
	j.FailedInspections++
	s.RaiseAttention(opportunity.AttentionOperation, key, reason, now)
}

// WithdrawFollowUp withdraws a follow-up for which nothing was done, so that the follow-up is
// planned again.
func (s *State) WithdrawFollowUp(key string, now time.Time) {
	s.clearEffectAttention(key)
	s.removeActiveEffect(key)
	_, planned, _ := strings.Cut(key, "/") // the key without the number of its chain
	s.DoneFollowUps = slices.DeleteFunc(s.DoneFollowUps, func(d exchange.DoneFollowUp) bool { return d.Key == planned })
	s.appendTimeline(now, "a follow-up was withdrawn, because a message arrived before the follow-up began: "+planned)
	s.requestPlan()
}

// completeEffect handles an effect with no missing part, or with nothing left to undo.
func (s *State) completeEffect(j *ActiveEffect, now time.Time) {
	key := j.Effect.Key
	s.clearAttentionFor(opportunity.AttentionEffect, key)
	how := opportunity.EffectUnchanged
	switch {
	case j.Stage == opportunity.EffectStageUndo:
		how = opportunity.EffectUndone
	case j.Attempted:
		how = opportunity.EffectDone
	}
	s.recordEffectResult(*j, how, j.Note, now)
	switch j.Effect.Kind {
	case opportunity.EffectAccount:
		s.setAccount(*j)
	case opportunity.EffectRegister:
		s.setRegistrations(*j)
	}
	if j.Stage == opportunity.EffectStageBefore {
		j.Done = true
		return
	}
	if j.BlockedIn != "" {
		s.endBlockedFollowUp(*j, true, now)
	}
	s.removeActiveEffect(key)
	s.setPlanDueAfterQuiet(s.shouldPoll(), s.Playbook.QuietTime, now)
}

// If the effect comes before a transition, failEffect fails the transition. An effect that does not
// come before a transition waits for an operator.
func (s *State) failEffect(j *ActiveEffect, why string, now time.Time) {
	if j.Stage == opportunity.EffectStageBefore {
		s.recordEffectResult(*j, opportunity.EffectFailed, why, now)
		s.failTransition(*j, why, now)
		return
	}
	if j.Stage == opportunity.EffectStageUndo {
		why = "the effect could not be undone: " + why
	}
	s.blockEffect(j, why+". Answer confirm (the effect has its wanted result), retry (Oppflow tries the effect again) or skip (Oppflow drops the effect)", now)
}

func (s *State) blockEffect(j *ActiveEffect, problem string, now time.Time) {
	j.Problem = problem
	s.raiseEffectAttention(j.Effect, problem, now)
	s.appendTimeline(now, fmt.Sprintf("an effect waits for an operator: %s (%s)", j.Effect.Kind, j.Effect.Key))
}

// raiseEffectAttention raises attention that names the effect, because a list of attention shows
// only the reason.
func (s *State) raiseEffectAttention(effect exchange.Effect, problem string, now time.Time) {
	s.RaiseAttention(opportunity.AttentionEffect, effect.Key, fmt.Sprintf("effect %s (%s): %s", effect.Kind, effect.Key, problem), now)
}

// retryEffect makes the effect due again. If the effect is a mail and the opportunity has ended
// since the mail began to wait, retryEffect asks the operator once more.
func (s *State) retryEffect(key string, now time.Time) {
	j := s.activeEffect(key)
	if s.asksBeforeRetry(*j) {
		j.BlockedIn = s.Step.ID
		s.blockEffect(j, fmt.Sprintf("the mail was not sent, because the opportunity moved to step %q after the mail became due. Answer retry again (Oppflow sends the mail), skip (Oppflow drops the mail) or confirm (the mail was sent)", s.Step.Name), now)
		return
	}
	j.Problem, j.Errors, j.FailedInspections, j.LastConfirmed, j.NotBefore = "", 0, 0, nil, time.Time{}
	s.clearEffectAttention(key)
	s.appendTimeline(now, "an operator answered retry: "+string(j.Effect.Kind))
}

func (s *State) skipEffect(key, reason string, now time.Time) {
	j := *s.activeEffect(key)
	s.clearEffectAttention(key)
	s.appendTimeline(now, "an operator answered skip: "+string(j.Effect.Kind))
	how := opportunity.EffectSkipped
	if j.Stage == opportunity.EffectStageUndo {
		how = opportunity.EffectAbandoned
	}
	s.recordEffectResult(j, how, reason, now)
	s.endBlockedFollowUp(j, false, now)
	s.removeActiveEffect(key)
	s.setPlanDueAfterQuiet(s.shouldPoll(), s.Playbook.QuietTime, now)
}

func (s *State) startChain(stage opportunity.EffectStage, chain int, effects []exchange.Effect, now time.Time) {
	taken := exchange.JSONSize(s.ActiveEffects)
	for _, effect := range effects {
		effect.Key = fmt.Sprintf("%d/%s", chain, effect.Key)
		active := ActiveEffect{Effect: effect, Chain: chain, Stage: stage}
		if taken += exchange.JSONSize(active); taken > opportunity.MaxActiveEffectBytes && stage != opportunity.EffectStageBefore { // a transition must not be made without the effects before it
			s.recordEffectResult(active, opportunity.EffectAbandoned, "too many effects wait already", now)
			s.raiseEffectAttention(effect, "the effect was not started, because too many effects wait already; carry the effect out by hand", now)
			continue
		}
		s.ActiveEffects = append(s.ActiveEffects, active)
	}
}

// ApplyReactionPlan starts the planned effects of the first external change.
func (s *State) ApplyReactionPlan(plan exchange.Plan, now time.Time) {
	s.ExternalChanges = slices.Delete(s.ExternalChanges, 0, min(1, len(s.ExternalChanges)))
	s.reportPlanProblems(plan, now)
	s.startChain(opportunity.EffectStageAfter, s.nextChain(), plan.After, now)
}

// EffectResults lists the abandoned effects, so that a person can carry the effects out by hand.
func (s *State) abandonEffects(now time.Time) {
	if m := s.ManualTransition; m != nil {
		s.ManualTransition = nil
		s.appendTimeline(now, "the effects of the transition by hand to "+m.To.Name+" were not planned, because the run of the opportunity has ended")
	}
	for _, j := range s.ActiveEffects {
		if j.Stage == opportunity.EffectStageAfter {
			s.recordEffectResult(j, opportunity.EffectAbandoned, "the run of the opportunity has ended", now)
		}
	}
	s.ActiveEffects = slices.DeleteFunc(s.ActiveEffects, func(j ActiveEffect) bool { return j.Stage == opportunity.EffectStageAfter })
}

// AbandonUndo ends the work on the effects that could not be undone.
func (s *State) AbandonUndo(now time.Time) {
	for _, j := range s.ActiveEffects {
		s.recordEffectResult(j, opportunity.EffectAbandoned, "the run of the opportunity has ended", now)
	}
	s.ActiveEffects = nil
}
