package entity_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/oppflow/oppflow/entity"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// fakeTMS is a TMS in memory. It makes the changes of a request in order and remembers each
// change, so that a change made twice, or out of order, is detected.
type fakeTMS struct {
	now               time.Time
	interests         []exchange.InterestRef
	madeBy            map[opportunity.ID]string // the change that made each interest
	log               []string
	step              opportunity.Step
	name              string
	reserved          map[opportunity.ID]bool // interests whose places are reserved
	until             time.Time               // when the places expire; zero: never, because no expiry was set
	expiries          []requestedExpiry       // the requested expiries, in order
	lastExpiryRequest string                  // the request of the last expiry, when no place was requested after that expiry
	rejects           map[string]bool         // changes that the TMS rejects
	rejectsRequest    map[string]bool         // changes whose requests the TMS rejects as a whole
	returnsAll        bool                    // the TMS returns all interests, not only the new one
}

const byHand = "by hand"

// requestedExpiry is an expiry that a request asked the TMS to set.
type requestedExpiry struct {
	change string
	until  time.Time // zero: the expiry was rejected, or no places were reserved
}

// changeKey identifies a change by its request and by the index of the interest.
func changeKey(m exchange.Change) string {
	if m.ReservationChange != nil && m.ReservationChange.Until.IsZero() {
		return "extend"
	}
	return fmt.Sprintf("%s/%d", m.Request, m.Index)
}

// expireReservation ends a reservation that was not extended in time. An expired reservation
// cannot be extended any more.
func (r *fakeTMS) expireReservation() {
	if !r.until.IsZero() && !r.until.After(r.now) || len(r.reserved) == 0 {
		r.reserved, r.until = map[opportunity.ID]bool{}, time.Time{}
	}
}

func (r *fakeTMS) reservation() opportunity.Reservation {
	r.expireReservation()
	return opportunity.Reservation{Valid: !r.until.IsZero(), Until: r.until}
}

func (r *fakeTMS) apply(m exchange.Change) exchange.ChangeResult {
	r.expireReservation()
	if m.Interest != nil && m.Interest.Reserve {
		r.lastExpiryRequest = ""
	}
	if r.rejects[changeKey(m)] {
		if m.ReservationChange != nil {
			r.expiries = append(r.expiries, requestedExpiry{change: changeKey(m)})
		}
		return rejectedResult("Refused")
	}
	if m.Progress != nil && m.Progress.To == string(r.step.ID) { // a transition connects two steps
		return rejectedResult("Transition Not Found")
	}
	r.log = append(r.log, changeKey(m))
	switch {
	case m.Interest != nil:
		added := interestRef(id("OpportunityInterest", len(r.madeBy)+1), opportunity.ID(m.Interest.Item))
		r.interests = append(r.interests, added)
		r.madeBy[added.ID] = changeKey(m)
		if m.Interest.Reserve {
			r.reserved[added.ID] = true
		}
		answer := exchange.ChangeResult{Status: exchange.StatusDone, Interests: []exchange.InterestRef{added}}
		if r.returnsAll {
			answer.Interests = slices.Clone(r.interests)
		}
		return answer
	case m.Progress != nil:
		r.step = opportunity.Step{ID: opportunity.ID(m.Progress.To), Name: m.Progress.To, Stage: proposed.Stage}
		step := r.step
		return exchange.ChangeResult{Status: exchange.StatusDone, Step: &step}
	case m.Update != nil:
		r.name = m.Update.Name
		return exchange.ChangeResult{Status: exchange.StatusDone, Details: &opportunity.Details{Name: r.name}}
	}
	if len(r.reserved) > 0 { // without places, the TMS sets nothing and returns no error
		switch {
		case m.ReservationChange.Release:
			r.until = r.now
		case !m.ReservationChange.Until.IsZero():
			r.until, r.lastExpiryRequest = m.ReservationChange.Until, m.Request
		default: // the activity sets this time
			r.until = r.now.AddDate(0, 0, 14)
			if r.until.Before(m.ReservationChange.NotBefore) {
				r.until = m.ReservationChange.NotBefore
			}
		}
	}
	r.expiries = append(r.expiries, requestedExpiry{changeKey(m), r.until})
	held := r.reservation()
	return exchange.ChangeResult{Status: exchange.StatusDone, Reservation: &held}
}

// addByHand adds an interest by hand.
func (r *fakeTMS) addByHand(item opportunity.ID) {
	added := interestRef(id("OpportunityInterest", len(r.madeBy)+1), item)
	r.interests = append(r.interests, added)
	r.madeBy[added.ID] = byHand
}

func (r *fakeTMS) snapshot() exchange.Snapshot {
	return exchange.Snapshot{
		ID: record, Details: opportunity.Details{Name: r.name}, Step: r.step,
		Interests: slices.Clone(r.interests), Reservation: r.reservation(),
	}
}

// wasReserved reports whether the places were reserved as the change requested: until the
// requested time, by a later requested expiry, or by another expiry that is no shorter. An expiry
// may have been replaced before any read. Then it is unknown whether that expiry was set, and
// this does not matter.
func (r *fakeTMS) wasReserved(change string, until time.Time) bool {
	tried := false
	for _, e := range r.expiries {
		tried = tried || e.change == change
		if tried && !e.until.IsZero() && (e.change != "extend" || !e.until.Before(until)) {
			return true
		}
	}
	return false
}

func (r *fakeTMS) count(change string) int {
	n := 0
	for _, made := range r.log {
		if made == change {
			n++
		}
	}
	return n
}

// scenario is one opportunity between callers, the TMS and an operator.
type scenario struct {
	state    *entity.State
	tms      *fakeTMS
	accepted []sentCommand
	final    map[string]opportunity.Outcome // final outcomes
	// operatorCommands are the operator commands that had an id.
	operatorCommands []sentOperatorCommand
	// inDoubt holds the requests whose change may have been made when the run was closed.
	inDoubt  map[string]bool
	commands int
	tag      int
}

// sentOperatorCommand is an executed operator command.
type sentOperatorCommand struct {
	id      string
	command opportunity.OperatorCommand
}

// sentCommand is an accepted command.
type sentCommand struct {
	id      string
	command opportunity.Command
}

const unknownName = "nothing is called so"

// interests draws interests that differ in their quantity. Some reserve places, some have an
// unknown name.
func (s *scenario) interests(t *rapid.T, most int) opportunity.Interests {
	var list opportunity.Interests
	for range rapid.IntRange(1, most).Draw(t, "interests") {
		s.tag++
		i := plainInterest(s.tag)
		switch rapid.IntRange(0, 9).Draw(t, "sort") {
		case 0, 1, 2:
			i = reservingInterest(s.tag)
		case 3:
			i.Item, i.Kind = unknownName, opportunity.Course
		}
		list = append(list, i)
	}
	return list
}

func (s *scenario) injectFaults(t *rapid.T, key string, changes int) {
	for i := range changes {
		switch rapid.IntRange(0, 11).Draw(t, "fault") {
		case 0:
			s.tms.rejects[fmt.Sprintf("%s/%d", key, i)] = true
		case 1:
			s.tms.rejectsRequest[fmt.Sprintf("%s/%d", key, i)] = true
		}
	}
}

// begin creates the record, or finds the record of an earlier run.
func (s *scenario) begin(t *rapid.T) {
	start := opportunity.Start{Name: "First Aid", Region: "DR"}
	if rapid.Bool().Draw(t, "start with interests") {
		start.Interests = s.interests(t, 4)
		for i := range start.Interests {
			if start.Interests[i].Item == unknownName {
				start.Interests[i] = plainInterest(start.Interests[i].Quantity)
			}
		}
		s.accepted = append(s.accepted, sentCommand{opportunity.StartRequestID, opportunity.AddInterests{Interests: start.Interests}})
	}
	s.state = entity.NewState("A-1", start, noon)
	if !rapid.Bool().Draw(t, "adopt") {
		s.state.ApplyCreated(s.tms.snapshot(), opportunity.Ref{ID: region}, noon)
		s.injectFaults(t, opportunity.StartRequestID, len(start.Interests))
		return
	}
	for _, m := range exchange.StartChanges(start)[:rapid.IntRange(0, len(start.Interests)).Draw(t, "made before")] {
		s.tms.apply(m)
	}
	s.state.AdoptFound(s.tms.snapshot(), opportunity.Ref{ID: region}, nil, noon)
}

// now returns the time, which advances between the steps.
func (s *scenario) now() time.Time { return s.tms.now }

// accept sends a new command, or repeats one.
func (s *scenario) accept(t *rapid.T) {
	if len(s.accepted) > 0 && rapid.IntRange(0, 3).Draw(t, "again") == 0 {
		again := rapid.SampledFrom(s.accepted).Draw(t, "which")
		if strings.HasPrefix(again.id, "#") {
			return
		}
		waiting := len(s.state.Queue)
		if key, err := s.state.Accept(again.command, again.id, true, s.now()); err != nil || key != again.id || len(s.state.Queue) != waiting {
			t.Fatalf("a repetition of %s: %q, %v", again.id, key, err)
		}
		s.tag++
		var conflict *opportunity.Error
		if _, err := s.state.Accept(addInterests(plainInterest(s.tag)), again.id, true, s.now()); !errors.As(err, &conflict) || conflict.Type != opportunity.Conflict {
			t.Fatalf("another message under %s: %v", again.id, err)
		}
		return
	}
	s.commands++
	var command opportunity.Command
	switch rapid.IntRange(0, 6).Draw(t, "command") {
	case 2, 3: // every expiry has another time, so that the expiries can be distinguished
		command = opportunity.ExtendReservations{Until: s.now().Add(time.Duration(rapid.IntRange(1, 900).Draw(t, "hours"))*time.Hour + time.Duration(s.commands)*6*time.Minute)}
	case 0: // every progress has another target, so that the transitions can be distinguished
		command = opportunity.Progress{To: string(id(opportunity.TypeStep, 100+s.commands))}
	case 1:
		command = opportunity.UpdateDetails{Name: fmt.Sprint("name ", s.commands)}
	default:
		command = opportunity.AddInterests{Interests: s.interests(t, 7)}
	}
	key := ""
	if rapid.Bool().Draw(t, "named") {
		key = fmt.Sprint("request ", s.commands)
	}
	key, err := s.state.Accept(command, key, rapid.Bool().Draw(t, "silent"), s.now())
	if err != nil {
		t.Fatal(err)
	}
	s.accepted = append(s.accepted, sentCommand{key, command})
	changes := 1
	if interests, ok := command.(opportunity.AddInterests); ok {
		changes = len(interests.Interests)
	}
	s.injectFaults(t, key, changes)
}

// send sends the next batch to the TMS as the workflow does. wrong says that faults are drawn.
func (s *scenario) send(t *rapid.T, wrong bool) {
	batch := s.state.NextBatch()
	if len(batch) == 0 {
		return
	}
	failed := map[exchange.UnresolvedName]*opportunity.Error{}
	for _, m := range batch {
		for _, name := range m.Names() {
			failed[name] = opportunity.Failf(opportunity.NotFound, unknownName)
		}
	}
	if len(failed) > 0 {
		s.state.FailNames(batch, failed, s.now())
		return
	}
	if slices.ContainsFunc(batch, func(m exchange.Change) bool { return s.tms.rejectsRequest[changeKey(m)] }) {
		s.state.ApplyRejectedRequest(batch, rejectedResult("Request Refused").Error, s.now())
		return
	}
	made, answered, hole := len(batch), len(batch), -1
	readable := true
	if wrong {
		switch rapid.IntRange(0, 4).Draw(t, "wrong") {
		case 0: // proven not sent
			s.state.ApplyResults(batch, repeat(notSentResult, len(batch)), s.now())
			return
		case 1: // the request and the response stop in the middle
			made = rapid.IntRange(0, len(batch)).Draw(t, "made")
			answered = rapid.IntRange(0, made).Draw(t, "answered")
		case 2: // one result cannot be read
			hole = rapid.IntRange(0, len(batch)-1).Draw(t, "hole")
		case 3: // no response
			made = rapid.IntRange(0, len(batch)).Draw(t, "made")
			answered = 0
		}
		readable = rapid.IntRange(0, 4).Draw(t, "readable") > 0
	}
	var answers []exchange.ChangeResult
	for _, m := range batch[:made] {
		answers = append(answers, s.tms.apply(m))
	}
	answers = answers[:answered]
	if hole >= 0 && answers[hole].Status == exchange.StatusDone { // a rejected change takes no effect
		answers[hole] = unknownResult
	}
	decided := s.state.VerifyResults(batch, answers)
	if slices.ContainsFunc(decided, func(a exchange.ChangeResult) bool { return a.Status == exchange.StatusUnknown }) && readable {
		decided = s.state.ReadBack(batch, decided, s.tms.snapshot(), nil)
		if slices.ContainsFunc(decided, func(a exchange.ChangeResult) bool { return a.Status == exchange.StatusUnknown }) {
			s.state.MarkUnattributed(s.tms.snapshot())
		}
	}
	s.state.ApplyResults(batch, decided, s.now())
}

// answerQuestion answers the waiting question as an operator who reads the record: a command with
// a change that was made is skipped, any other command is sent again.
func (s *scenario) answerQuestion(t *rapid.T) {
	question := s.state.Question
	if question == nil {
		return
	}
	// After the operator has read the record, all its interests are explained.
	s.state.MarkUnattributed(s.tms.snapshot())
	at := slices.IndexFunc(s.state.Queue, func(e entity.QueuedCommand) bool { return e.Request == question.Request })
	if at < 0 {
		t.Fatalf("the question is about %q, which does not wait", question.Request)
	}
	happened := false
	for i := range s.state.Queue[at].ChangeCount {
		settled := i < len(s.state.Queue[at].Results) && (s.state.Queue[at].Results[i].Interest != "" || s.state.Queue[at].Results[i].Error != nil)
		happened = happened || !settled && s.tms.count(fmt.Sprintf("%s/%d", question.Request, i)) > 0
	}
	var err error
	if happened {
		err = execute(s.state, opportunity.Skip{Request: question.Request, Reason: "it did"})
	} else {
		err = execute(s.state, opportunity.Retry{Request: question.Request})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// sendOperatorCommand sends an operator command, or repeats one.
func (s *scenario) sendOperatorCommand(t *rapid.T) {
	if len(s.operatorCommands) > 0 && rapid.IntRange(0, 2).Draw(t, "again") == 0 {
		again := rapid.SampledFrom(s.operatorCommands).Draw(t, "which")
		before := s.stateJSON(t)
		got, err := s.state.Execute(again.command, again.id, s.now())
		if want := (opportunity.Outcome{RequestID: again.id, State: opportunity.Done}); err != nil || !cmp.Equal(want, got) {
			t.Fatalf("%s again: %+v, %v", again.id, got, err)
		}
		if _, err := s.state.Execute(opportunity.Pause{Reason: "another " + again.id}, again.id, s.now()); !isConflict(err) {
			t.Fatalf("another instruction under %s: %v", again.id, err)
		}
		if _, err := s.state.Accept(opportunity.Progress{To: "Won"}, again.id, true, s.now()); !isConflict(err) {
			t.Fatalf("a command under the id of an instruction: %v", err)
		}
		if after := s.stateJSON(t); after != before {
			t.Fatalf("a repetition changed something: %s", cmp.Diff(before, after))
		}
		return
	}
	s.commands++
	instruction := rapid.SampledFrom([]opportunity.OperatorCommand{
		opportunity.Pause{}, opportunity.Pause{Reason: fmt.Sprint("reason ", s.commands)}, opportunity.Resume{}, opportunity.Resume{},
	}).Draw(t, "instruction")
	key := ""
	if rapid.Bool().Draw(t, "named") {
		key = fmt.Sprint("instruction ", s.commands)
		s.operatorCommands = append(s.operatorCommands, sentOperatorCommand{key, instruction})
	}
	if len(s.accepted) > 0 {
		if taken := s.accepted[0].id; !strings.HasPrefix(taken, "#") {
			if _, err := s.state.Execute(instruction, taken, s.now()); !isConflict(err) {
				t.Fatalf("an instruction under the id of a command: %v", err)
			}
		}
	}
	if _, err := s.state.Execute(instruction, key, s.now()); err != nil {
		t.Fatal(err)
	}
	if pause, ok := instruction.(opportunity.Pause); ok != (s.state.Paused != nil) || ok && s.state.Paused.Reason != pause.Reason {
		t.Fatalf("after %+v: paused %+v", instruction, s.state.Paused)
	}
}

// stateJSON returns the state as JSON, which contains the whole state: see [TestStateRoundTrip].
func (s *scenario) stateJSON(t *rapid.T) string {
	data, err := json.Marshal(s.state)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func isConflict(err error) bool {
	var own *opportunity.Error
	return errors.As(err, &own) && own.Type == opportunity.Conflict
}

// changeByHand changes the record by hand and requests a refresh at once, when no change is being
// sent. The interests that the refresh finds are the effect of no request.
func (s *scenario) changeByHand(t *rapid.T) {
	for range rapid.IntRange(0, 2).Draw(t, "added") {
		s.tms.addByHand(rapid.SampledFrom([]opportunity.ID{course, event, path}).Draw(t, "item"))
	}
	if len(s.tms.interests) > 0 && rapid.Bool().Draw(t, "remove") {
		at := rapid.IntRange(0, len(s.tms.interests)-1).Draw(t, "which")
		delete(s.tms.reserved, s.tms.interests[at].ID)
		s.tms.interests = slices.Delete(s.tms.interests, at, at+1)
	}
	if rapid.Bool().Draw(t, "moved") {
		s.tms.step = opportunity.Step{ID: id(opportunity.TypeStep, fmt.Sprint("hand ", len(s.tms.madeBy))), Name: byHand, Stage: proposed.Stage}
	}
	s.refresh(t)
}

// refresh requests a read of the record, applies the record, and compares.
func (s *scenario) refresh(t *rapid.T) {
	if err := execute(s.state, opportunity.Refresh{}); err != nil {
		t.Fatal(err)
	}
	s.state = continued(t, s.state)
	if !s.state.ShouldRefresh() {
		t.Fatal("nothing is to be read")
	}
	waiting := len(s.state.Queue)
	s.state.ApplyRefresh(s.tms.snapshot(), s.now())
	var there, shown []opportunity.ID
	for _, ref := range s.tms.interests {
		there = append(there, ref.ID)
	}
	for _, held := range s.state.Interests {
		shown = append(shown, held.ID)
	}
	slices.Sort(there)
	slices.Sort(shown)
	if diff := cmp.Diff(there, shown); diff != "" {
		t.Fatalf("after a refresh the record has other interests than are shown: %s", diff)
	}
	if s.state.ShouldRefresh() || s.state.Step != s.tms.step || s.state.Details.Name != s.tms.name || s.state.Reservation != s.tms.reservation() || len(s.state.Queue) != waiting {
		t.Fatalf("after a refresh: %+v", s.state)
	}
}

// finish executes everything that waits.
func (s *scenario) finish(t *rapid.T) {
	if err := execute(s.state, opportunity.Resume{}); err != nil {
		t.Fatal(err)
	}
	for range 10_000 {
		if s.state.Question == nil && !s.state.HasBatch() {
			break
		}
		s.answerQuestion(t)
		s.send(t, false)
		s.check(t)
	}
	if len(s.state.Queue) > 0 || s.state.Question != nil || s.state.ExpiryPending {
		t.Fatalf("%d requests wait for ever, question %+v", len(s.state.Queue), s.state.Question)
	}
}

// close ends the run in its current state, as the workflow does.
func (s *scenario) close(t *rapid.T) {
	if err := execute(s.state, opportunity.Close{Reason: "sold elsewhere"}); err != nil {
		t.Fatal(err)
	}
	if err := execute(s.state, opportunity.Close{Reason: "another reason"}); err != nil {
		t.Fatal(err)
	}
	var closed *opportunity.Error
	if err := s.state.CheckUpdate(opportunity.Progress{To: "Won"}, "", s.now()); !errors.As(err, &closed) || closed.Type != opportunity.Closed || !strings.Contains(closed.Message, "sold elsewhere") {
		t.Fatalf("a closing opportunity admits a command: %v", err)
	}
	waiting := map[string]bool{}
	for _, e := range s.state.Queue {
		waiting[e.Request] = true
		s.inDoubt[e.Request] = e.InDoubt || e.MaybeApplied
	}
	failures := s.state.Failures
	s.state.FailAll(s.state.Closing.RequestError(), s.now())
	for range 3 {
		if batch := s.state.ReleaseBatch(); len(batch) > 0 {
			s.state.ApplyResults(batch, []exchange.ChangeResult{s.tms.apply(batch[0])}, s.now())
		}
	}
	if len(s.state.ReleaseBatch()) > 0 {
		t.Fatal("places are released for ever")
	}
	s.state.FailAll(s.state.Closing.RequestError(), s.now())
	s.check(t)
	failed := 0
	for _, a := range s.accepted {
		got := s.final[a.id]
		var whys []*opportunity.Error
		whys = append(whys, got.Error)
		for _, result := range got.Results {
			if result.Interest == "" {
				whys = append(whys, result.Error)
			}
		}
		want := opportunity.Closed
		if s.inDoubt[a.id] { // the request was in doubt, or was sent before
			want = opportunity.Undecided
		}
		told := slices.ContainsFunc(whys, func(e *opportunity.Error) bool { return e != nil && e.Type == want })
		if told != waiting[a.id] {
			t.Fatalf("%s waited: %v, and is told %+v", a.id, waiting[a.id], got)
		}
		if waiting[a.id] && got.State == opportunity.Failed {
			failed++
		}
	}
	if s.state.Failures != failures+failed || s.state.Question != nil {
		t.Fatalf("%d failures of %d before and %d closed, question %+v", s.state.Failures, failures, failed, s.state.Question)
	}
	if end := s.state.Result(); end.CloseReason != "sold elsewhere" {
		t.Fatalf("it ends as %+v", end)
	}
}

// check tests everything that must hold at any time.
func (s *scenario) check(t *rapid.T) {
	for _, a := range s.accepted {
		got, err := s.state.Outcome(a.id)
		if err != nil {
			t.Fatalf("%s: %v", a.id, err)
		}
		if (got.State == opportunity.Pending) != s.state.IsPending(a.id) {
			t.Fatalf("%s is %s, pending: %v", a.id, got.State, s.state.IsPending(a.id))
		}
		before, ended := s.final[a.id]
		if ended {
			if !reflect.DeepEqual(before, got) { // cmp.Diff takes ten times as long for this
				if diff := cmp.Diff(before, got); diff != "" {
					t.Fatalf("the outcome of %s changed: %s", a.id, diff)
				}
			}
		} else if got.State != opportunity.Pending {
			s.final[a.id] = got
		}
	}
	doubts := slices.ContainsFunc(s.state.Queue, func(e entity.QueuedCommand) bool { return e.InDoubt })
	if doubts != (s.state.Question != nil) || doubts != slices.Contains(s.state.AttentionKinds(), "undecided") {
		t.Fatalf("in doubt: %v, question %+v, attention %v", doubts, s.state.Question, s.state.AttentionKinds())
	}
	for _, i := range s.operatorCommands {
		if got, err := s.state.Outcome(i.id); err != nil || got.State != opportunity.Done {
			t.Fatalf("the instruction %s: %+v, %v", i.id, got, err)
		}
	}
	paused := s.state.Paused != nil
	if paused && len(s.state.NextBatch()) > 0 {
		t.Fatalf("paused, and %v is to be sent", batchText(s.state.NextBatch()))
	}
	if view := s.state.View(); paused != (view.Paused != nil) || paused != slices.Contains(s.state.AttentionKinds(), "paused") {
		t.Fatalf("paused: %v, shown %+v, attention %v", paused, view.Paused, s.state.AttentionKinds())
	}
	if s.state.HasBatch() != (len(s.state.NextBatch()) > 0) {
		t.Fatalf("has work: %v, batch %v", s.state.HasBatch(), batchText(s.state.NextBatch()))
	}
	if len(s.state.Timeline) > opportunity.MaxTimeline || len(s.state.Attention) > 20 {
		t.Fatalf("%d in the timeline, %d need attention", len(s.state.Timeline), len(s.state.Attention))
	}
}

// checkOutcomes compares, when nothing waits any more, the outcomes of callers with the TMS.
func (s *scenario) checkOutcomes(t *rapid.T) {
	var order []string // changes reported done, except those that may be made again
	stands := map[opportunity.ID]string{}
	name, unsure, failures := "First Aid", false, 0
	var asked time.Time // until when the places were last requested
	for _, a := range s.accepted {
		got := s.final[a.id]
		if got.State == opportunity.Failed {
			failures++
		}
		// A change whose request an operator ended may have been made.
		open := func(e *opportunity.Error) bool {
			return e != nil && (e.Type == opportunity.Skipped || e.Type == opportunity.Undecided && s.inDoubt[a.id])
		}
		switch c := a.command.(type) {
		case opportunity.AddInterests:
			if len(got.Results) != len(c.Interests) {
				t.Fatalf("%s: %d results for %d interests", a.id, len(got.Results), len(c.Interests))
			}
			one := false
			for i, result := range got.Results {
				key := fmt.Sprintf("%s/%d", a.id, i)
				times := s.tms.count(key)
				if c.Interests[i].Reserve && open(result.Error) {
					asked = time.Time{} // the places of the interest may have been reserved
				}
				switch {
				case result.Interest != "":
					one = true
					stands[result.Interest] = key
					order = append(order, key)
					if times != 1 {
						t.Fatalf("%s is reported done and was made %d times", key, times)
					}
					if made := s.tms.madeBy[result.Interest]; made != key {
						t.Fatalf("%s was made for %s and is reported as %s", result.Interest, made, key)
					}
				case result.Error == nil:
					t.Fatalf("%s has neither interest nor error", key)
				case times > 1 || times == 1 && !open(result.Error):
					t.Fatalf("%s is reported failed (%v) and was made %d times", key, result.Error, times)
				}
			}
			if one != (got.State == opportunity.Done) {
				t.Fatalf("%s is %s, but an interest stands: %v", a.id, got.State, one)
			}
		case opportunity.Progress:
			times := s.tms.count(a.id + "/0")
			if got.State == opportunity.Done && times != 1 || got.State == opportunity.Failed && times > 0 && !open(got.Error) || times > 1 {
				t.Fatalf("the move %s is %+v and was made %d times", a.id, got, times)
			}
			if got.State == opportunity.Done {
				order = append(order, a.id+"/0")
			}
		case opportunity.UpdateDetails: // may be made again
			times := s.tms.count(a.id + "/0")
			if got.State == opportunity.Done && times == 0 || got.State == opportunity.Failed && times > 0 && !open(got.Error) {
				t.Fatalf("the update %s is %+v and was made %d times", a.id, got, times)
			}
			if times > 0 {
				name = c.Name
				// The run closed while this update, or an earlier one, was being sent again. Either
				// may be on the record.
				unsure = unsure || got.State == opportunity.Failed
			}
		case opportunity.ExtendReservations: // may be made again
			if got.State == opportunity.Done && s.tms.lastExpiryRequest == a.id {
				asked = c.Until
			}
			if got.State == opportunity.Done && !s.tms.wasReserved(a.id+"/0", c.Until) {
				t.Fatalf("the places are reported held until %s, and never were", c.Until)
			}
		}
	}
	var made []string
	for _, key := range s.tms.log {
		if slices.Contains(order, key) {
			made = append(made, key)
		}
	}
	if diff := cmp.Diff(order, made); diff != "" {
		t.Fatalf("changes were not made in the order of their messages: %s", diff)
	}
	if s.tms.name != name && !unsure {
		t.Fatalf("the record is called %q, want %q", s.tms.name, name)
	}
	if s.state.Failures != failures {
		t.Fatalf("%d failures are counted, %d were reported", s.state.Failures, failures)
	}
	// An interest of the record without an outcome was added by hand, or an operator ended the
	// change.
	known := map[opportunity.ID]bool{}
	for _, held := range s.state.Interests {
		known[held.ID] = true
	}
	there := map[opportunity.ID]bool{}
	for _, ref := range s.tms.interests {
		there[ref.ID] = true
		key := s.tms.madeBy[ref.ID]
		if stands[ref.ID] == "" && key != byHand && !s.isEnded(key) {
			t.Fatalf("the record has %s, made for %s, and nobody was told", ref.ID, key)
		}
		if stands[ref.ID] != "" && !known[ref.ID] {
			t.Fatalf("%s stands, and is not shown", ref.ID)
		}
	}
	s.tms.expireReservation()
	if s.state.Closing != nil {
		for interest := range s.tms.reserved {
			t.Fatalf("closed, and the places of %s, taken for %s, are held", interest, s.tms.madeBy[interest])
		}
		return
	}
	for interest := range s.tms.reserved { // including the interests that an operator skipped
		if s.tms.until.IsZero() {
			t.Fatalf("the places of %s, taken for %s, never expire", interest, s.tms.madeBy[interest])
		}
	}
	if !asked.IsZero() && len(s.tms.reserved) > 0 && !s.tms.until.Equal(asked) {
		t.Fatalf("the places are held until %s; they were last asked for until %s", s.tms.until, asked)
	}
	s.refresh(t)
}

// isEnded reports whether an operator ended the change.
func (s *scenario) isEnded(key string) bool {
	for _, a := range s.accepted {
		for i, result := range s.final[a.id].Results {
			if fmt.Sprintf("%s/%d", a.id, i) == key {
				return result.Error != nil && (result.Error.Type == opportunity.Skipped || result.Error.Type == opportunity.Undecided && s.inDoubt[a.id])
			}
		}
	}
	return false
}

// TestAcceptedMeansDoneOnce runs messages against a TMS that rejects requests, interrupts
// requests and loses results. Operators and people in the TMS intervene, and the state is handed
// to the next run in between. In the end, the test compares all outcomes with the TMS.
func TestAcceptedMeansDoneOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := &scenario{final: map[string]opportunity.Outcome{}, inDoubt: map[string]bool{}, tms: &fakeTMS{
			now: noon, madeBy: map[opportunity.ID]string{}, reserved: map[opportunity.ID]bool{}, step: proposed, name: "First Aid",
			rejects: map[string]bool{}, rejectsRequest: map[string]bool{}, returnsAll: rapid.Bool().Draw(t, "answers all"),
		}}
		s.begin(t)
		send := func(t *rapid.T) { s.send(t, true) }
		t.Repeat(map[string]func(*rapid.T){
			"accept":   s.accept,
			"accept2":  s.accept,
			"send":     send,
			"send2":    send,
			"send3":    send,
			"operate":  s.answerQuestion,
			"instruct": s.sendOperatorCommand,
			"refresh":  s.changeByHand,
			"carry":    func(t *rapid.T) { s.state = continued(t, s.state) },
			"wait": func(t *rapid.T) {
				s.tms.now = s.tms.now.Add(time.Duration(rapid.IntRange(1, 200).Draw(t, "hours")) * time.Hour)
			},
			// A person adds an interest of a kind that no message asks for, and no refresh
			// follows.
			"strange": func(*rapid.T) { s.tms.addByHand(tokens) },
			"":        s.check,
		})
		if rapid.IntRange(0, 3).Draw(t, "close") == 0 {
			s.close(t)
		} else {
			s.finish(t)
		}
		s.checkOutcomes(t)
	})
}
