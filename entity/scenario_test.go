package entity_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/oppflow/oppflow/entity"
	"github.com/oppflow/oppflow/entity/queue"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// scenario is a test of one opportunity with drawn callers, a fake TMS and an operator.
type scenario struct {
	state    *entity.State
	tms      *fakeTMS
	accepted []sentCommand
	final    map[string]opportunity.Outcome // final outcomes
	// operatorCommands are the operator commands that had an id.
	operatorCommands []sentOperatorCommand
	// inDoubt contains the ids of requests whose change may have been made when the run was closed.
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

// interests draws interests that differ in their quantity. Some of the interests reserve places,
// and some have an unknown name.
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

func (s *scenario) now() time.Time { return s.tms.now }

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
	case 2, 3: // each expiry has a different time, so that the test can distinguish the expiries
		command = opportunity.ExtendReservations{Until: s.now().Add(time.Duration(rapid.IntRange(1, 900).Draw(t, "hours"))*time.Hour + time.Duration(s.commands)*6*time.Minute)}
	case 0: // each progress has a different target, so that the test can distinguish the transitions
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

// send sends the next batch to the fake TMS, as the workflow does. wrong says whether faults of the
// API are drawn.
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
			s.state.ApplyResults(batch, repeat(notSentResult, len(batch)), always, s.now())
			return
		case 1: // the API handles and returns only a part of the changes
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
		decided = s.state.ReadBack(batch, decided, s.tms.snapshot(), nil, always)
		if slices.ContainsFunc(decided, func(a exchange.ChangeResult) bool { return a.Status == exchange.StatusUnknown }) {
			s.state.MarkUnattributed(s.tms.snapshot())
		}
	}
	s.state.ApplyResults(batch, decided, always, s.now())
}

// answerQuestion answers the waiting question like an operator who reads the record.
func (s *scenario) answerQuestion(t *rapid.T) {
	question := s.state.Question
	if question == nil {
		return
	}
	// After the operator has read the record, the operator knows the origin of all interests.
	s.state.MarkUnattributed(s.tms.snapshot())
	at := slices.IndexFunc(s.state.Queue, func(e queue.Command) bool { return e.Request == question.Request })
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

// changeByHand changes the record by hand while no change is being sent, and requests a refresh at
// once.
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

// finish executes all waiting requests and effects.
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
			s.state.ApplyResults(batch, []exchange.ChangeResult{s.tms.apply(batch[0])}, always, s.now())
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

// TestAcceptedMeansDoneOnce sends messages to a fake TMS that rejects requests, interrupts requests
// and loses results. Operators and people in the TMS intervene, and from time to time the state is
// passed to the next run.
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
			// A person adds an interest of a kind that no message requests, and no refresh follows.
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
