package opportunity_test

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

	"github.com/oppflow/oppflow/opportunity"
)

// tms is the other side. It makes the changes of a request in order and remembers each one,
// so a change made twice, or out of turn, shows.
type tms struct {
	now       time.Time
	interests []opportunity.InterestRef
	made      map[opportunity.ID]string // what was made, by interest
	log       []string
	step      opportunity.Step
	name      string
	places    map[opportunity.ID]bool // interests whose places are held
	until     time.Time               // when they lapse; zero: never, since nobody said
	expiries  []expiry                // the requested expiries, in order
	asked     string                  // the request of the last expiry, when no place was requested after it
	refuses   map[string]bool         // changes it rejects
	poison    map[string]bool         // changes whose requests it refuses as a whole
	all       bool                    // it returns all interests, not only the new one
}

const byHand = "by hand"

// expiry is an expiry that the TMS was asked to set.
type expiry struct {
	change string
	until  time.Time // zero: it was rejected, or no places were held
}

// change identifies a change: its request, and which of its interests.
func change(m opportunity.Mutation) string {
	if m.Extend != nil && m.Extend.Until.IsZero() {
		return "extend"
	}
	return fmt.Sprintf("%s/%d", m.Request, m.Index)
}

// lapse ends places that were not extended in time; they cannot be extended any more.
func (r *tms) lapse() {
	if !r.until.IsZero() && !r.until.After(r.now) || len(r.places) == 0 {
		r.places, r.until = map[opportunity.ID]bool{}, time.Time{}
	}
}

func (r *tms) reservation() opportunity.Reservation {
	r.lapse()
	return opportunity.Reservation{Valid: !r.until.IsZero(), Until: r.until}
}

func (r *tms) apply(m opportunity.Mutation) opportunity.Answer {
	r.lapse()
	if m.Interest != nil && m.Interest.Reserve {
		r.asked = ""
	}
	if r.refuses[change(m)] {
		if m.Extend != nil {
			r.expiries = append(r.expiries, expiry{change: change(m)})
		}
		return rejected("Refused")
	}
	if m.Progress != nil && m.Progress.To == string(r.step.ID) { // a transition is one between two steps
		return rejected("Transition Not Found")
	}
	r.log = append(r.log, change(m))
	switch {
	case m.Interest != nil:
		added := ref(id("OpportunityInterest", len(r.made)+1), opportunity.ID(m.Interest.Item))
		r.interests = append(r.interests, added)
		r.made[added.ID] = change(m)
		if m.Interest.Reserve {
			r.places[added.ID] = true
		}
		answer := opportunity.Answer{Fate: opportunity.FateDone, Interests: []opportunity.InterestRef{added}}
		if r.all {
			answer.Interests = slices.Clone(r.interests)
		}
		return answer
	case m.Progress != nil:
		r.step = opportunity.Step{ID: opportunity.ID(m.Progress.To), Name: m.Progress.To, Stage: proposed.Stage}
		step := r.step
		return opportunity.Answer{Fate: opportunity.FateDone, Step: &step}
	case m.Update != nil:
		r.name = m.Update.Name
		return opportunity.Answer{Fate: opportunity.FateDone, Details: &opportunity.Details{Name: r.name}}
	}
	if len(r.places) > 0 { // an empty list of errors all the same
		switch {
		case m.Extend.Release:
			r.until = r.now
		case !m.Extend.Until.IsZero():
			r.until, r.asked = m.Extend.Until, m.Request
		default: // as the activity reports the time
			r.until = r.now.AddDate(0, 0, 14)
			if r.until.Before(m.Extend.NotBefore) {
				r.until = m.Extend.NotBefore
			}
		}
	}
	r.expiries = append(r.expiries, expiry{change(m), r.until})
	held := r.reservation()
	return opportunity.Answer{Fate: opportunity.FateDone, Reservation: &held}
}

// hand adds an interest by hand.
func (r *tms) hand(item opportunity.ID) {
	added := ref(id("OpportunityInterest", len(r.made)+1), item)
	r.interests = append(r.interests, added)
	r.made[added.ID] = byHand
}

func (r *tms) snapshot() opportunity.Snapshot {
	return opportunity.Snapshot{
		ID: record, Details: opportunity.Details{Name: r.name}, Step: r.step,
		Interests: slices.Clone(r.interests), Reservation: r.reservation(),
	}
}

// held reports whether the places were held as the change asked: until the requested time,
// by a later requested expiry, or by another expiry that is no shorter. An expiry may have
// been replaced before any read. Then it is unknown whether it was set, and this does not
// matter.
func (r *tms) held(change string, until time.Time) bool {
	tried := false
	for _, e := range r.expiries {
		tried = tried || e.change == change
		if tried && !e.until.IsZero() && (e.change != "extend" || !e.until.Before(until)) {
			return true
		}
	}
	return false
}

func (r *tms) count(change string) int {
	n := 0
	for _, made := range r.log {
		if made == change {
			n++
		}
	}
	return n
}

// stream is one opportunity between callers, the TMS and an operator.
type stream struct {
	state    *opportunity.State
	tms      *tms
	accepted []sent
	final    map[string]opportunity.Outcome // final outcomes
	// instructed are the operators' instructions that had an id.
	instructed []instructed
	// open holds the requests that were in doubt when the run was closed.
	open     map[string]bool
	commands int
	tag      int
}

// instructed is an instruction that was carried out.
type instructed struct {
	id          string
	instruction opportunity.Instruction
}

// sent is an accepted request.
type sent struct {
	id      string
	command opportunity.Command
}

const nameless = "nothing is called so"

// interests draws interests that differ in their quantity. Some will be rejected, some make
// their whole request fail, some have an unknown name.
func (s *stream) interests(t *rapid.T, most int) opportunity.Interests {
	var list opportunity.Interests
	for range rapid.IntRange(1, most).Draw(t, "interests") {
		s.tag++
		i := plain(s.tag)
		switch rapid.IntRange(0, 9).Draw(t, "sort") {
		case 0, 1, 2:
			i = reserving(s.tag)
		case 3:
			i.Item, i.Kind = nameless, opportunity.Course
		}
		list = append(list, i)
	}
	return list
}

func (s *stream) spoil(t *rapid.T, key string, changes int) {
	for i := range changes {
		switch rapid.IntRange(0, 11).Draw(t, "fault") {
		case 0:
			s.tms.refuses[fmt.Sprintf("%s/%d", key, i)] = true
		case 1:
			s.tms.poison[fmt.Sprintf("%s/%d", key, i)] = true
		}
	}
}

// begin makes the record, or finds the record of an earlier run.
func (s *stream) begin(t *rapid.T) {
	start := opportunity.Start{Name: "First Aid", Region: "DR"}
	if rapid.Bool().Draw(t, "start with interests") {
		start.Interests = s.interests(t, 4)
		for i := range start.Interests {
			if start.Interests[i].Item == nameless {
				start.Interests[i] = plain(start.Interests[i].Quantity)
			}
		}
		s.accepted = append(s.accepted, sent{opportunity.StartRequest, opportunity.AddInterests{Interests: start.Interests}})
	}
	s.state = opportunity.NewState("A-1", start, noon)
	if !rapid.Bool().Draw(t, "adopt") {
		s.state.Created(s.tms.snapshot(), opportunity.Named{ID: region}, noon)
		s.spoil(t, opportunity.StartRequest, len(start.Interests))
		return
	}
	for _, m := range start.Mutations()[:rapid.IntRange(0, len(start.Interests)).Draw(t, "made before")] {
		s.tms.apply(m)
	}
	s.state.Adopted(s.tms.snapshot(), opportunity.Named{ID: region}, nil, noon)
}

// now is the time, which moves on between all steps.
func (s *stream) now() time.Time { return s.tms.now }

// accept sends a new message, or repeats one.
func (s *stream) accept(t *rapid.T) {
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
		if _, err := s.state.Accept(add(plain(s.tag)), again.id, true, s.now()); !errors.As(err, &conflict) || conflict.Type != opportunity.Conflict {
			t.Fatalf("another message under %s: %v", again.id, err)
		}
		return
	}
	s.commands++
	var command opportunity.Command
	switch rapid.IntRange(0, 6).Draw(t, "command") {
	case 2, 3: // each has another time, so that they can be distinguished
		command = opportunity.ExtendReservations{Until: s.now().Add(time.Duration(rapid.IntRange(1, 900).Draw(t, "hours"))*time.Hour + time.Duration(s.commands)*6*time.Minute)}
	case 0: // every move has another target, so that they can be distinguished
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
	s.accepted = append(s.accepted, sent{key, command})
	changes := 1
	if interests, ok := command.(opportunity.AddInterests); ok {
		changes = len(interests.Interests)
	}
	s.spoil(t, key, changes)
}

// send sends the next batch to the TMS as the workflow does. how draws the faults on the
// way.
func (s *stream) send(t *rapid.T, wrong bool) {
	batch := s.state.NextBatch()
	if len(batch) == 0 {
		return
	}
	failed := map[opportunity.Name]*opportunity.Error{}
	for _, m := range batch {
		for _, name := range m.Names() {
			failed[name] = opportunity.Failf(opportunity.NotFound, nameless)
		}
	}
	if len(failed) > 0 {
		s.state.FailNames(batch, failed, s.now())
		return
	}
	if slices.ContainsFunc(batch, func(m opportunity.Mutation) bool { return s.tms.poison[change(m)] }) {
		s.state.Refused(batch, rejected("Request Refused").Error, s.now())
		return
	}
	made, answered, hole := len(batch), len(batch), -1
	readable := true
	if wrong {
		switch rapid.IntRange(0, 4).Draw(t, "wrong") {
		case 0: // proven not to have left
			s.state.Settle(batch, many(notSent, len(batch)), s.now())
			return
		case 1: // broken off in the middle, and so is the answer
			made = rapid.IntRange(0, len(batch)).Draw(t, "made")
			answered = rapid.IntRange(0, made).Draw(t, "answered")
		case 2: // one answer cannot be read
			hole = rapid.IntRange(0, len(batch)-1).Draw(t, "hole")
		case 3: // no answer at all
			made = rapid.IntRange(0, len(batch)).Draw(t, "made")
			answered = 0
		}
		readable = rapid.IntRange(0, 4).Draw(t, "readable") > 0
	}
	var answers []opportunity.Answer
	for _, m := range batch[:made] {
		answers = append(answers, s.tms.apply(m))
	}
	answers = answers[:answered]
	if hole >= 0 && answers[hole].Fate == opportunity.FateDone { // a rejected change takes no effect
		answers[hole] = unknown
	}
	decided := s.state.Review(batch, answers)
	if slices.ContainsFunc(decided, func(a opportunity.Answer) bool { return a.Fate == opportunity.FateUnknown }) && readable {
		decided = s.state.Recall(batch, decided, s.tms.snapshot(), nil)
		if slices.ContainsFunc(decided, func(a opportunity.Answer) bool { return a.Fate == opportunity.FateUnknown }) {
			s.state.Disown(s.tms.snapshot())
		}
	}
	s.state.Settle(batch, decided, s.now())
}

// operate answers the waiting question as an operator who looks at the record: a change that
// happened is skipped, any other is sent again.
func (s *stream) operate(t *rapid.T) {
	question := s.state.Question
	if question == nil {
		return
	}
	// Once an operator has looked, all interests of the record are explained.
	s.state.Disown(s.tms.snapshot())
	at := slices.IndexFunc(s.state.Queue, func(e opportunity.Entry) bool { return e.Request == question.Request })
	if at < 0 {
		t.Fatalf("the question is about %q, which does not wait", question.Request)
	}
	happened := false
	for i := range s.state.Queue[at].Changes {
		settled := i < len(s.state.Queue[at].Results) && (s.state.Queue[at].Results[i].Interest != "" || s.state.Queue[at].Results[i].Error != nil)
		happened = happened || !settled && s.tms.count(fmt.Sprintf("%s/%d", question.Request, i)) > 0
	}
	var err error
	if happened {
		err = instruct(s.state, opportunity.Skip{Request: question.Request, Reason: "it did"})
	} else {
		err = instruct(s.state, opportunity.Retry{Request: question.Request})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// instruct sends an instruction of an operator, or repeats one.
func (s *stream) instruct(t *rapid.T) {
	if len(s.instructed) > 0 && rapid.IntRange(0, 2).Draw(t, "again") == 0 {
		again := rapid.SampledFrom(s.instructed).Draw(t, "which")
		before := s.written(t)
		got, err := s.state.Instruct(again.instruction, again.id, s.now())
		if want := (opportunity.Outcome{RequestID: again.id, State: opportunity.Done}); err != nil || !cmp.Equal(want, got) {
			t.Fatalf("%s again: %+v, %v", again.id, got, err)
		}
		if _, err := s.state.Instruct(opportunity.Pause{Reason: "another " + again.id}, again.id, s.now()); !isConflict(err) {
			t.Fatalf("another instruction under %s: %v", again.id, err)
		}
		if _, err := s.state.Accept(opportunity.Progress{To: "Won"}, again.id, true, s.now()); !isConflict(err) {
			t.Fatalf("a command under the id of an instruction: %v", err)
		}
		if after := s.written(t); after != before {
			t.Fatalf("a repetition changed something: %s", cmp.Diff(before, after))
		}
		return
	}
	s.commands++
	instruction := rapid.SampledFrom([]opportunity.Instruction{
		opportunity.Pause{}, opportunity.Pause{Reason: fmt.Sprint("reason ", s.commands)}, opportunity.Resume{}, opportunity.Resume{},
	}).Draw(t, "instruction")
	key := ""
	if rapid.Bool().Draw(t, "named") {
		key = fmt.Sprint("instruction ", s.commands)
		s.instructed = append(s.instructed, instructed{key, instruction})
	}
	if len(s.accepted) > 0 {
		if taken := s.accepted[0].id; !strings.HasPrefix(taken, "#") {
			if _, err := s.state.Instruct(instruction, taken, s.now()); !isConflict(err) {
				t.Fatalf("an instruction under the id of a command: %v", err)
			}
		}
	}
	if _, err := s.state.Instruct(instruction, key, s.now()); err != nil {
		t.Fatal(err)
	}
	if pause, ok := instruction.(opportunity.Pause); ok != (s.state.Paused != nil) || ok && s.state.Paused.Reason != pause.Reason {
		t.Fatalf("after %+v: paused %+v", instruction, s.state.Paused)
	}
}

// written is the state as JSON, which holds all of it: see [TestStateSurvives].
func (s *stream) written(t *rapid.T) string {
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

// hand changes the record by hand and has it read again at once, when nothing is under way;
// the interests found then are the effect of no request.
func (s *stream) hand(t *rapid.T) {
	for range rapid.IntRange(0, 2).Draw(t, "added") {
		s.tms.hand(rapid.SampledFrom([]opportunity.ID{course, event, path}).Draw(t, "item"))
	}
	if len(s.tms.interests) > 0 && rapid.Bool().Draw(t, "remove") {
		at := rapid.IntRange(0, len(s.tms.interests)-1).Draw(t, "which")
		delete(s.tms.places, s.tms.interests[at].ID)
		s.tms.interests = slices.Delete(s.tms.interests, at, at+1)
	}
	if rapid.Bool().Draw(t, "moved") {
		s.tms.step = opportunity.Step{ID: id(opportunity.TypeStep, fmt.Sprint("hand ", len(s.tms.made))), Name: byHand, Stage: proposed.Stage}
	}
	s.refresh(t)
}

// refresh has the record read again and compares.
func (s *stream) refresh(t *rapid.T) {
	if err := instruct(s.state, opportunity.Refresh{}); err != nil {
		t.Fatal(err)
	}
	s.state = carried(t, s.state)
	if !s.state.NeedsReading() {
		t.Fatal("nothing is to be read")
	}
	waiting := len(s.state.Queue)
	s.state.Refreshed(s.tms.snapshot(), s.now())
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
	if s.state.NeedsReading() || s.state.Step != s.tms.step || s.state.Details.Name != s.tms.name || s.state.Reservation != s.tms.reservation() || len(s.state.Queue) != waiting {
		t.Fatalf("after a refresh: %+v", s.state)
	}
}

// finish works off everything that waits.
func (s *stream) finish(t *rapid.T) {
	if err := instruct(s.state, opportunity.Resume{}); err != nil {
		t.Fatal(err)
	}
	for range 10_000 {
		if s.state.Question == nil && !s.state.HasWork() {
			break
		}
		s.operate(t)
		s.send(t, false)
		s.check(t)
	}
	if len(s.state.Queue) > 0 || s.state.Question != nil || s.state.ExtendDue {
		t.Fatalf("%d requests wait for ever, question %+v", len(s.state.Queue), s.state.Question)
	}
}

// close ends the run in its current state, as the workflow does.
func (s *stream) close(t *rapid.T) {
	if err := instruct(s.state, opportunity.Close{Reason: "sold elsewhere"}); err != nil {
		t.Fatal(err)
	}
	if err := instruct(s.state, opportunity.Close{Reason: "another reason"}); err != nil {
		t.Fatal(err)
	}
	var closed *opportunity.Error
	if err := s.state.Admits(opportunity.Progress{To: "Won"}, "", s.now()); !errors.As(err, &closed) || closed.Type != opportunity.Closed || !strings.Contains(closed.Message, "sold elsewhere") {
		t.Fatalf("a closing opportunity admits a command: %v", err)
	}
	waiting := map[string]bool{}
	for _, e := range s.state.Queue {
		waiting[e.Request] = true
		s.open[e.Request] = e.Doubt || e.Tried
	}
	failures := s.state.Failures
	s.state.FailAll(s.state.Closing.Told(), s.now())
	for range 3 {
		if batch := s.state.ReleaseBatch(); len(batch) > 0 {
			s.state.Settle(batch, []opportunity.Answer{s.tms.apply(batch[0])}, s.now())
		}
	}
	if len(s.state.ReleaseBatch()) > 0 {
		t.Fatal("places are released for ever")
	}
	s.state.FailAll(s.state.Closing.Told(), s.now())
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
		if s.open[a.id] { // it was in doubt, or was sent before
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
	if end := s.state.End(); end.Closed != "sold elsewhere" {
		t.Fatalf("it ends as %+v", end)
	}
}

// check tests all that must hold at every moment.
func (s *stream) check(t *rapid.T) {
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
	doubts := slices.ContainsFunc(s.state.Queue, func(e opportunity.Entry) bool { return e.Doubt })
	if doubts != (s.state.Question != nil) || doubts != slices.Contains(s.state.Words(), "undecided") {
		t.Fatalf("in doubt: %v, question %+v, attention %v", doubts, s.state.Question, s.state.Words())
	}
	for _, i := range s.instructed {
		if got, err := s.state.Outcome(i.id); err != nil || got.State != opportunity.Done {
			t.Fatalf("the instruction %s: %+v, %v", i.id, got, err)
		}
	}
	paused := s.state.Paused != nil
	if paused && len(s.state.NextBatch()) > 0 {
		t.Fatalf("paused, and %v is to be sent", told(s.state.NextBatch()))
	}
	if view := s.state.View(); paused != (view.Paused != nil) || paused != slices.Contains(s.state.Words(), "paused") {
		t.Fatalf("paused: %v, shown %+v, attention %v", paused, view.Paused, s.state.Words())
	}
	if s.state.HasWork() != (len(s.state.NextBatch()) > 0) {
		t.Fatalf("has work: %v, batch %v", s.state.HasWork(), told(s.state.NextBatch()))
	}
	if len(s.state.Timeline) > opportunity.MaxTimeline || len(s.state.Attention) > 20 {
		t.Fatalf("%d in the timeline, %d need attention", len(s.state.Timeline), len(s.state.Attention))
	}
}

// account compares, when nothing waits any more, the outcomes of callers with the TMS.
func (s *stream) account(t *rapid.T) {
	var order []string // changes reported done, except those that may be made again
	stands := map[opportunity.ID]string{}
	name, unsure, failures := "First Aid", false, 0
	var asked time.Time // until when the places were last asked to be held
	for _, a := range s.accepted {
		got := s.final[a.id]
		if got.State == opportunity.Failed {
			failures++
		}
		// A change that an operator ended may have happened.
		open := func(e *opportunity.Error) bool {
			return e != nil && (e.Type == opportunity.Skipped || e.Type == opportunity.Undecided && s.open[a.id])
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
					asked = time.Time{} // its places may have been taken
				}
				switch {
				case result.Interest != "":
					one = true
					stands[result.Interest] = key
					order = append(order, key)
					if times != 1 {
						t.Fatalf("%s is reported done and was made %d times", key, times)
					}
					if made := s.tms.made[result.Interest]; made != key {
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
				// The run closed while it, or one before it, was being sent again: either
				// may be on the record.
				unsure = unsure || got.State == opportunity.Failed
			}
		case opportunity.ExtendReservations: // may be made again
			if got.State == opportunity.Done && s.tms.asked == a.id {
				asked = c.Until
			}
			if got.State == opportunity.Done && !s.tms.held(a.id+"/0", c.Until) {
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
	// An interest of the record without an outcome was made by hand, or ended by an
	// operator.
	known := map[opportunity.ID]bool{}
	for _, held := range s.state.Interests {
		known[held.ID] = true
	}
	there := map[opportunity.ID]bool{}
	for _, ref := range s.tms.interests {
		there[ref.ID] = true
		key := s.tms.made[ref.ID]
		if stands[ref.ID] == "" && key != byHand && !s.ended(key) {
			t.Fatalf("the record has %s, made for %s, and nobody was told", ref.ID, key)
		}
		if stands[ref.ID] != "" && !known[ref.ID] {
			t.Fatalf("%s stands, and is not shown", ref.ID)
		}
	}
	s.tms.lapse()
	if s.state.Closing != nil {
		for interest := range s.tms.places {
			t.Fatalf("closed, and the places of %s, taken for %s, are held", interest, s.tms.made[interest])
		}
		return
	}
	for interest := range s.tms.places { // also of those an operator skipped
		if s.tms.until.IsZero() {
			t.Fatalf("the places of %s, taken for %s, never lapse", interest, s.tms.made[interest])
		}
	}
	if !asked.IsZero() && len(s.tms.places) > 0 && !s.tms.until.Equal(asked) {
		t.Fatalf("the places are held until %s; they were last asked for until %s", s.tms.until, asked)
	}
	s.refresh(t)
}

// ended reports whether an operator ended the change.
func (s *stream) ended(key string) bool {
	for _, a := range s.accepted {
		for i, result := range s.final[a.id].Results {
			if fmt.Sprintf("%s/%d", a.id, i) == key {
				return result.Error != nil && (result.Error.Type == opportunity.Skipped || result.Error.Type == opportunity.Undecided && s.open[a.id])
			}
		}
	}
	return false
}

// TestAcceptedMeansDoneOnce runs messages against a TMS that refuses, breaks off and loses
// answers. Operators and people in the TMS step in, and the state is handed on in between.
// In the end it compares all outcomes with the TMS.
func TestAcceptedMeansDoneOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := &stream{final: map[string]opportunity.Outcome{}, open: map[string]bool{}, tms: &tms{
			now: noon, made: map[opportunity.ID]string{}, places: map[opportunity.ID]bool{}, step: proposed, name: "First Aid",
			refuses: map[string]bool{}, poison: map[string]bool{}, all: rapid.Bool().Draw(t, "answers all"),
		}}
		s.begin(t)
		send := func(t *rapid.T) { s.send(t, true) }
		t.Repeat(map[string]func(*rapid.T){
			"accept":   s.accept,
			"accept2":  s.accept,
			"send":     send,
			"send2":    send,
			"send3":    send,
			"operate":  s.operate,
			"instruct": s.instruct,
			"refresh":  s.hand,
			"carry":    func(t *rapid.T) { s.state = carried(t, s.state) },
			"wait": func(t *rapid.T) {
				s.tms.now = s.tms.now.Add(time.Duration(rapid.IntRange(1, 200).Draw(t, "hours")) * time.Hour)
			},
			// A person adds an interest of a kind that no message asks for, and nothing
			// reads it.
			"strange": func(*rapid.T) { s.tms.hand(tokens) },
			"":        s.check,
		})
		if rapid.IntRange(0, 3).Draw(t, "close") == 0 {
			s.close(t)
		} else {
			s.finish(t)
		}
		s.account(t)
	})
}
