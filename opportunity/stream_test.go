package opportunity_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/oppflow/oppflow/opportunity"
)

// tms is the other side: a record that makes changes in the order of a request,
// and remembers each one, so that one made twice, or out of turn, shows.
type tms struct {
	interests []opportunity.InterestRef
	made      map[opportunity.ID]string // what was made, by interest
	log       []string
	step      opportunity.Step
	name      string
	held      opportunity.Reservation
	refuses   map[string]bool // changes it turns down
	poison    map[string]bool // changes whose requests it refuses as a whole
	all       bool            // it answers all interests, not only the new one
}

// change names a change: its request, and which of its interests.
func change(m opportunity.Mutation) string {
	if m.Extend != nil {
		return "extend"
	}
	return fmt.Sprintf("%s/%d", m.Request, m.Index)
}

func (r *tms) apply(m opportunity.Mutation) opportunity.Answer {
	if r.refuses[change(m)] {
		return rejected("Refused")
	}
	r.log = append(r.log, change(m))
	switch {
	case m.Interest != nil:
		added := ref(id("OpportunityInterest", len(r.interests)+1), opportunity.ID(m.Interest.Item))
		r.interests = append(r.interests, added)
		r.made[added.ID] = change(m)
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
	r.held = opportunity.Reservation{Valid: true, Until: noon}
	held := r.held
	return opportunity.Answer{Fate: opportunity.FateDone, Reservation: &held}
}

func (r *tms) snapshot() opportunity.Snapshot {
	return opportunity.Snapshot{
		ID: record, Details: opportunity.Details{Name: r.name}, Step: r.step,
		Interests: slices.Clone(r.interests), Reservation: r.held,
	}
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
	final    map[string]opportunity.Outcome // outcomes that may not change any more
	commands int
	tag      int
}

// sent is an accepted request.
type sent struct {
	id      string
	command opportunity.Command
}

const nameless = "nothing is called so"

// interests draws interests that differ in their quantity; some will be turned
// down, some make their request be refused, some have a name nobody knows.
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

// open makes the record, or finds it as an earlier run left it.
func (s *stream) open(t *rapid.T) {
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

// accept sends a new message, or one again.
func (s *stream) accept(t *rapid.T) {
	if len(s.accepted) > 0 && rapid.IntRange(0, 3).Draw(t, "again") == 0 {
		again := rapid.SampledFrom(s.accepted).Draw(t, "which")
		if strings.HasPrefix(again.id, "#") {
			return
		}
		waiting := len(s.state.Queue)
		if key, err := s.state.Accept(again.command, again.id, true, noon); err != nil || key != again.id || len(s.state.Queue) != waiting {
			t.Fatalf("a repetition of %s: %q, %v", again.id, key, err)
		}
		s.tag++
		var conflict *opportunity.Error
		if _, err := s.state.Accept(add(plain(s.tag)), again.id, true, noon); !errors.As(err, &conflict) || conflict.Type != opportunity.Conflict {
			t.Fatalf("another message under %s: %v", again.id, err)
		}
		return
	}
	s.commands++
	var command opportunity.Command
	switch rapid.IntRange(0, 4).Draw(t, "command") {
	case 0: // every move goes somewhere else, so that it can be told from others
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
	key, err := s.state.Accept(command, key, rapid.Bool().Draw(t, "silent"), noon)
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

// send puts the next batch to the TMS as the workflow does. how draws what goes
// wrong on the way.
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
		s.state.FailNames(batch, failed, noon)
		return
	}
	if slices.ContainsFunc(batch, func(m opportunity.Mutation) bool { return s.tms.poison[change(m)] }) {
		s.state.Refused(batch, rejected("Request Refused").Error, noon)
		return
	}
	made, answered, hole := len(batch), len(batch), -1
	readable := true
	if wrong {
		switch rapid.IntRange(0, 4).Draw(t, "wrong") {
		case 0: // proven not to have left
			s.state.Settle(batch, many(notSent, len(batch)), noon)
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
	if hole >= 0 && answers[hole].Fate == opportunity.FateDone { // what is turned down takes no effect
		answers[hole] = unknown
	}
	decided := s.state.Review(batch, answers)
	if slices.ContainsFunc(decided, func(a opportunity.Answer) bool { return a.Fate == opportunity.FateUnknown }) && readable {
		decided = s.state.Recall(batch, decided, s.tms.snapshot(), nil)
		if slices.ContainsFunc(decided, func(a opportunity.Answer) bool { return a.Fate == opportunity.FateUnknown }) {
			s.state.Disown(s.tms.snapshot())
		}
	}
	s.state.Settle(batch, decided, noon)
}

// operate answers the question that waits as an operator does who looks at the
// record: what happened is skipped, what did not is sent again.
func (s *stream) operate(t *rapid.T) {
	question := s.state.Question
	if question == nil {
		return
	}
	// As soon as a human has looked, what the record has is accounted for.
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

// check holds whatever may be said at any moment.
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
			if diff := cmp.Diff(before, got); diff != "" {
				t.Fatalf("the outcome of %s changed: %s", a.id, diff)
			}
		} else if got.State != opportunity.Pending {
			s.final[a.id] = got
		}
	}
	doubts := slices.ContainsFunc(s.state.Queue, func(e opportunity.Entry) bool { return e.Doubt })
	if doubts != (s.state.Question != nil) || doubts != slices.Contains(s.state.Words(), "undecided") {
		t.Fatalf("in doubt: %v, question %+v, attention %v", doubts, s.state.Question, s.state.Words())
	}
	if s.state.HasWork() != (len(s.state.NextBatch()) > 0) {
		t.Fatalf("has work: %v, batch %v", s.state.HasWork(), told(s.state.NextBatch()))
	}
	if len(s.state.Timeline) > opportunity.MaxTimeline || len(s.state.Attention) > 20 {
		t.Fatalf("%d in the timeline, %d need attention", len(s.state.Timeline), len(s.state.Attention))
	}
}

// account compares, when nothing waits any more, what callers were told with
// what the TMS has.
func (s *stream) account(t *rapid.T) {
	var order []string // changes that were reported done, but for updates
	stands := map[opportunity.ID]string{}
	name, failures, reserved := "First Aid", 0, false
	for _, a := range s.accepted {
		got := s.final[a.id]
		if got.State == opportunity.Failed {
			failures++
		}
		skipped := func(e *opportunity.Error) bool { return e != nil && e.Type == opportunity.Skipped }
		switch c := a.command.(type) {
		case opportunity.AddInterests:
			if len(got.Results) != len(c.Interests) {
				t.Fatalf("%s: %d results for %d interests", a.id, len(got.Results), len(c.Interests))
			}
			one := false
			for i, result := range got.Results {
				key := fmt.Sprintf("%s/%d", a.id, i)
				times := s.tms.count(key)
				switch {
				case result.Interest != "":
					one = true
					stands[result.Interest] = key
					order = append(order, key)
					reserved = reserved || c.Interests[i].Reserve && result.Error == nil
					if times != 1 {
						t.Fatalf("%s is reported done and was made %d times", key, times)
					}
				case result.Error == nil:
					t.Fatalf("%s has neither interest nor error", key)
				case times > 1 || times == 1 && !skipped(result.Error):
					t.Fatalf("%s is reported failed (%v) and was made %d times", key, result.Error, times)
				}
			}
			if one != (got.State == opportunity.Done) {
				t.Fatalf("%s is %s, but an interest stands: %v", a.id, got.State, one)
			}
		case opportunity.Progress:
			times := s.tms.count(a.id + "/0")
			if got.State == opportunity.Done && times != 1 || got.State == opportunity.Failed && times > 0 && !skipped(got.Error) || times > 1 {
				t.Fatalf("the move %s is %+v and was made %d times", a.id, got, times)
			}
			if got.State == opportunity.Done {
				order = append(order, a.id+"/0")
			}
		case opportunity.UpdateDetails: // may be made again
			times := s.tms.count(a.id + "/0")
			if (got.State == opportunity.Done) != (times > 0) && !skipped(got.Error) {
				t.Fatalf("the update %s is %+v and was made %d times", a.id, got, times)
			}
			if times > 0 {
				name = c.Name
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
	if s.tms.name != name {
		t.Fatalf("the record is called %q, want %q", s.tms.name, name)
	}
	if s.state.Failures != failures {
		t.Fatalf("%d failures are counted, %d were reported", s.state.Failures, failures)
	}
	known := map[opportunity.ID]string{}
	for _, held := range s.state.Interests {
		known[held.ID] = s.tms.made[held.ID]
	}
	if diff := cmp.Diff(stands, known); diff != "" {
		t.Fatalf("outcomes and state disagree about what stands, or about whose it is: %s", diff)
	}
	for interest, key := range s.tms.made {
		if known[interest] == "" && !s.skipped(key) {
			t.Fatalf("the record has %s, made for %s, unknown to the state", interest, key)
		}
	}
	if reserved && (!s.tms.held.Valid || s.state.ExtendDue) {
		t.Fatalf("places were reported taken and lapse: %+v, due: %v", s.tms.held, s.state.ExtendDue)
	}
}

// skipped reports whether an operator ended the change.
func (s *stream) skipped(key string) bool {
	for _, a := range s.accepted {
		for i, result := range s.final[a.id].Results {
			if fmt.Sprintf("%s/%d", a.id, i) == key {
				return result.Error != nil && result.Error.Type == opportunity.Skipped
			}
		}
	}
	return false
}

// TestAcceptedMeansDoneOnce runs messages against a TMS that refuses, breaks off
// and loses answers, hands the state on in between, and settles accounts.
func TestAcceptedMeansDoneOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := &stream{final: map[string]opportunity.Outcome{}, tms: &tms{
			made: map[opportunity.ID]string{}, step: proposed, name: "First Aid",
			refuses: map[string]bool{}, poison: map[string]bool{}, all: rapid.Bool().Draw(t, "answers all"),
		}}
		s.open(t)
		t.Repeat(map[string]func(*rapid.T){
			"accept":  s.accept,
			"accept2": s.accept,
			"send":    func(t *rapid.T) { s.send(t, true) },
			"send2":   func(t *rapid.T) { s.send(t, true) },
			"operate": s.operate,
			"carry":   func(t *rapid.T) { s.state = carried(t, s.state) },
			"strange": func(*rapid.T) { // a human adds an interest of another kind in the TMS
				s.tms.interests = append(s.tms.interests, ref(id("OpportunityInterest", fmt.Sprint("strange", len(s.tms.interests))), path))
			},
			"": s.check,
		})
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
		s.account(t)
	})
}
