package entity_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/oppflow/oppflow/entity"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

func snoozeBy(f exchange.FollowUp, hours int) opportunity.Snooze {
	return opportunity.Snooze{FollowUp: f.Key, Until: noon.Add(time.Duration(hours) * time.Hour)}
}

func TestFollowUpIsSnoozed(t *testing.T) {
	one, two := reminder(1, 10), followUp("too-long", 1, 15)
	s := withFollowUps(t, one, two)
	asked := snoozeBy(one, 20)
	asked.Reason = "on holiday"
	if err := execute(s, asked); err != nil {
		t.Fatal(err)
	}
	s = continued(t, s)
	if !s.PlanDue {
		t.Error("a run that waits for another time does not wake")
	}
	planFollowUps(s, noon, one, two)
	want := []opportunity.PlannedFollowUp{
		{Key: two.Key, Name: "too-long", Due: two.Due, Number: 1, Of: 9, Action: opportunity.ActionAttention},
		{Key: one.Key, Name: "remind", Due: one.Due, SnoozedUntil: asked.Until, Reason: "on holiday", Number: 1, Of: 9, Action: opportunity.ActionAttention},
	}
	if diff := cmp.Diff(want, s.View().FollowUps); diff != "" {
		t.Error(diff)
	}
	if card := s.CurrentDetails(); !strings.Contains(card, "- **Next follow-up:** too-long (attention, 1 of 9) at 2026-11-24T03:00:00Z; 1 more planned\n") {
		t.Errorf("the card is %s", card)
	}
	// A second snooze replaces the time of the first snooze, even by an earlier time.
	if err := execute(s, snoozeBy(one, 12)); err != nil {
		t.Fatal(err)
	}
	if hoursAfterNoon(s.NextFollowUpAt()) != "12" || len(s.SnoozedFollowUps) != 1 || s.SnoozedFollowUps[0].Reason != "" {
		t.Errorf("the next is to be done at %s, put off are %+v", hoursAfterNoon(s.NextFollowUpAt()), s.SnoozedFollowUps)
	}
	planFollowUps(s, noon, one, two)
	for now, want := range map[int]string{11: "", 12: one.Key} {
		f, due := s.DueFollowUp(noon.Add(time.Duration(now) * time.Hour))
		if due != (want != "") || due && f.Key != want {
			t.Errorf("at %d o'clock %s is due: %t", now, f.Key, due)
		}
	}
}

func TestAFollowUpIsCancelled(t *testing.T) {
	one, two := reminder(1, 10), reminder(2, 20)
	s := withFollowUps(t, one, two)
	if err := execute(s, snoozeBy(one, 12)); err != nil {
		t.Fatal(err)
	}
	planFollowUps(s, noon, one, two)
	if err := execute(s, opportunity.CancelFollowUp{FollowUp: one.Key, Reason: "we talked"}); err != nil {
		t.Fatal(err)
	}
	if !s.PlanDue {
		t.Error("what comes after it is not planned again")
	}
	for range 2 {
		planFollowUps(s, noon, one, two)
		s = continued(t, s)
	}
	if diff := cmp.Diff([]exchange.DoneFollowUp{{Key: one.Key, At: noon, Cancelled: true}}, s.DoneFollowUps); diff != "" || followUpKeys(s) != "remind2" || len(s.SnoozedFollowUps) > 0 {
		t.Errorf("planned are %q, put off %v, done: %s", followUpKeys(s), s.SnoozedFollowUps, diff)
	}
	shown := s.View().EffectResults
	if len(shown) != 1 || shown[0].Key != one.Key || shown[0].Outcome != opportunity.EffectSkipped || shown[0].Reason != "we talked" {
		t.Errorf("what became of it: %+v", shown)
	}
	if !slices.ContainsFunc(s.Timeline, func(m opportunity.TimelineEntry) bool {
		return m.Text == "an operator cancelled a follow-up: "+one.Key
	}) {
		t.Errorf("the timeline is %+v", s.Timeline)
	}
}

func TestCheckSnooze(t *testing.T) {
	one := reminder(1, 10)
	var many []exchange.FollowUp
	for n := range 7 {
		many = append(many, followUp(fmt.Sprint("f", n), 1, n+1))
	}
	listed := `the planned follow-ups are f0/20261201T120000Z/1, f1/20261201T120000Z/1, f2/20261201T120000Z/1, f3/20261201T120000Z/1, f4/20261201T120000Z/1`
	for name, c := range map[string]struct {
		planned []exchange.FollowUp
		before  func(s *entity.State)
		asked   opportunity.OperatorCommand
		typ     opportunity.ErrorType
		want    string
	}{
		"nothing is planned": {nil, nil, snoozeBy(one, 20), opportunity.NotFound, `no follow-up "` + one.Key + `" is planned; the opportunity has no planned follow-up`},
		"others are":         {many[:5], nil, snoozeBy(one, 20), opportunity.NotFound, `no follow-up "` + one.Key + `" is planned; ` + listed},
		"many others are": {
			many, nil,
			opportunity.CancelFollowUp{FollowUp: "x", Reason: "y"},
			opportunity.NotFound,
			`no follow-up "x" is planned; ` + listed + " and 2 more, which the view shows",
		},
		"it was done": {
			many, func(s *entity.State) { s.CompleteFollowUp(many[1].Key, noon) }, snoozeBy(many[1], 20), opportunity.NotFound,
			`follow-up "` + many[1].Key + `" is no longer planned: the follow-up was done or cancelled`,
		},
		"the time has passed": {
			many, nil, snoozeBy(many[0], 0), opportunity.Invalid, "until: this time has passed; give a time in the future",
		},
		"too many are put off": {
			many, func(s *entity.State) {
				for n := range opportunity.MaxFollowUps {
					s.SnoozedFollowUps = append(s.SnoozedFollowUps, entity.SnoozedFollowUp{Key: fmt.Sprint(n), Until: noon.Add(time.Hour)})
				}
			}, snoozeBy(many[0], 20), opportunity.Invalid, "followUp: 20 follow-ups of the opportunity are snoozed already, which is the limit",
		},
		"too many were cancelled": {
			many, func(s *entity.State) {
				for n := range opportunity.MaxCancelledFollowUps {
					s.DoneFollowUps = append(s.DoneFollowUps, exchange.DoneFollowUp{Key: fmt.Sprint(n), At: noon, Cancelled: true}, exchange.DoneFollowUp{Key: fmt.Sprint("done", n), At: noon})
				}
			},
			opportunity.CancelFollowUp{FollowUp: many[0].Key, Reason: "y"},
			opportunity.Invalid,
			"followUp: 100 follow-ups of the opportunity are cancelled already, which is the limit; snooze this follow-up until a distant time, or change the playbook",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := withFollowUps(t, c.planned...)
			if c.before != nil {
				c.before(s)
			}
			before := continued(t, s)
			wantError(t, s.CheckOperatorCommand(c.asked, "r", noon), c.typ, c.want)
			_, err := s.Execute(c.asked, "r", noon)
			wantError(t, err, c.typ, c.want)
			if diff := sameState(before, s); diff != "" {
				t.Errorf("it changed something: %s", diff)
			}
		})
	}
}

// TestCancelledFollowUpsLimit: the last follow-up below the limit can still be cancelled. A snoozed
// follow-up may be snoozed to another time, even when the maximum number of follow-ups is snoozed.
func TestCancelledFollowUpsLimit(t *testing.T) {
	one, two := reminder(1, 10), reminder(2, 20)
	s := withFollowUps(t, one, two)
	for n := range opportunity.MaxCancelledFollowUps - 1 {
		s.DoneFollowUps = append(s.DoneFollowUps, exchange.DoneFollowUp{Key: fmt.Sprint(n), At: noon, Cancelled: true})
	}
	s.SnoozedFollowUps = []entity.SnoozedFollowUp{snoozedBy(one, 12)}
	for n := range opportunity.MaxFollowUps - 1 {
		s.SnoozedFollowUps = append(s.SnoozedFollowUps, entity.SnoozedFollowUp{Key: fmt.Sprint(n), Until: noon.Add(time.Hour)})
	}
	for _, asked := range []opportunity.OperatorCommand{snoozeBy(one, 13), opportunity.CancelFollowUp{FollowUp: two.Key, Reason: "y"}} {
		if err := execute(s, asked); err != nil {
			t.Errorf("%s: %v", asked.MessageName(), err)
		}
	}
}

// TestSnoozeIsExecutedOnce: a repetition of a snooze returns the first outcome. The repetition may
// come after the snooze ended or after the follow-up was done, and may state the time in any time
// zone.
func TestSnoozeIsExecutedOnce(t *testing.T) {
	one, two := reminder(1, 10), reminder(2, 20)
	s := withFollowUps(t, one, two)
	off, cancel := snoozeBy(one, 12), opportunity.CancelFollowUp{FollowUp: two.Key, Reason: "we talked"}
	for _, asked := range []opportunity.OperatorCommand{off, cancel} {
		if _, err := s.Execute(asked, string(asked.MessageName()), noon); err != nil {
			t.Fatal(err)
		}
	}
	s.CompleteFollowUp(one.Key, noon.Add(12*time.Hour))
	s = continued(t, s)
	before := continued(t, s)
	off.Until = off.Until.In(time.FixedZone("", 3600))
	for _, asked := range []opportunity.OperatorCommand{off, cancel} {
		late := noon.Add(100 * time.Hour)
		wantError(t, s.CheckOperatorCommand(asked, string(asked.MessageName()), late), "", "")
		if got, err := s.Execute(asked, string(asked.MessageName()), late); err != nil || got.State != opportunity.Done {
			t.Errorf("%s again: %+v, %v", asked.MessageName(), got, err)
		}
	}
	if diff := sameState(before, s); diff != "" {
		t.Errorf("a repetition changed something: %s", diff)
	}
	off.Until = off.Until.Add(time.Hour)
	wantError(t, s.CheckOperatorCommand(off, "snooze", noon), opportunity.Conflict, `requestId "snooze" was used for another message; give each message an id of its own`)
}
