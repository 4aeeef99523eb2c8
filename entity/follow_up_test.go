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

// reminder returns a follow-up of the series remind that is due the given number of hours after
// noon.
func reminder(number, hours int) exchange.FollowUp {
	return followUp("remind", number, hours)
}

func followUp(name string, number, hours int) exchange.FollowUp {
	return exchange.FollowUp{
		Key: fmt.Sprintf("%s/20261201T120000Z/%d", name, number), Name: name, Due: noon.Add(time.Duration(hours) * time.Hour), Number: number, Of: 9,
		Action: exchange.Action{Kind: opportunity.ActionAttention, Attention: "call them"},
	}
}

func withFollowUps(t reporter, planned ...exchange.FollowUp) *entity.State {
	t.Helper()
	s := openedState(t)
	s.SetPlaybook(&exchange.PlaybookFeatures{Digest: "d", FollowUps: true}, noon)
	planFollowUps(s, noon, planned...)
	return s
}

func planFollowUps(s *entity.State, now time.Time, planned ...exchange.FollowUp) {
	s.ApplyPlan(exchange.Plan{Digest: "d", FollowUps: planned}, recordNow(), nil, nil, now)
}

func hoursAfterNoon(at time.Time) string {
	if at.IsZero() {
		return "never"
	}
	return fmt.Sprint(at.Sub(noon).Hours())
}

func followUpKeys(s *entity.State) string {
	var all []string
	for _, f := range s.FollowUps {
		all = append(all, fmt.Sprint(f.Name, f.Number))
	}
	return strings.Join(all, " ")
}

// Right before each follow-up, runFollowUps plans all follow-ups again, as the workflow does.
// runFollowUps returns the done follow-ups with their times.
func runFollowUps(s *entity.State) string {
	var all []string
	for f, at, some := s.NextFollowUp(); some; f, at, some = s.NextFollowUp() {
		all = append(all, fmt.Sprintf("%s%d@%s", f.Name, f.Number, hoursAfterNoon(at)))
		planned := slices.Clone(s.FollowUps)
		for i := range planned {
			if planned[i].Due.Before(at) {
				planned[i].Due = at // a late follow-up is due at once
			}
		}
		planFollowUps(s, at, planned...)
		s.CompleteFollowUp(f.Key, at)
	}
	return strings.Join(all, " ")
}

func snoozedBy(f exchange.FollowUp, hours int) entity.SnoozedFollowUp {
	return entity.SnoozedFollowUp{Key: f.Key, Until: noon.Add(time.Duration(hours) * time.Hour)}
}

func TestFollowUpsAreDoneInTheirOrder(t *testing.T) {
	one, two, three := reminder(1, 10), reminder(2, 20), reminder(3, 30)
	other := followUp("too-long", 1, 15)
	for name, c := range map[string]struct {
		planned []exchange.FollowUp
		snoozed []entity.SnoozedFollowUp
		want    string
	}{
		"nothing is planned": {nil, nil, ""},
		"as they are due":    {[]exchange.FollowUp{one, other, two}, nil, "remind1@10 too-long1@15 remind2@20"},
		"whatever the order of the plan": {
			[]exchange.FollowUp{two, other, one}, nil, "remind1@10 too-long1@15 remind2@20",
		},
		"at the same time, the lower number first": {
			[]exchange.FollowUp{reminder(2, 10), followUp("a", 3, 10), one}, nil, "remind1@10 remind2@10 a3@10",
		},
		"one that is put off comes later": {
			[]exchange.FollowUp{one, other}, []entity.SnoozedFollowUp{snoozedBy(one, 18)}, "too-long1@15 remind1@18",
		},
		"one that is put off until before it is due comes when it is due": {
			[]exchange.FollowUp{one, other}, []entity.SnoozedFollowUp{snoozedBy(one, 5)}, "remind1@10 too-long1@15",
		},
		"what repeats it does not overtake it": {
			[]exchange.FollowUp{one, other, two, three},
			[]entity.SnoozedFollowUp{snoozedBy(one, 25)},
			"too-long1@15 remind1@25 remind2@25 remind3@30",
		},
		"nor does what comes after what comes after it": {
			[]exchange.FollowUp{one, two, three},
			[]entity.SnoozedFollowUp{snoozedBy(two, 50)},
			"remind1@10 remind2@50 remind3@50",
		},
	} {
		s := withFollowUps(t)
		s.SnoozedFollowUps = c.snoozed
		planFollowUps(s, noon, c.planned...)
		if got := runFollowUps(s); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
		if len(s.DoneFollowUps) != len(c.planned) || len(s.SnoozedFollowUps) != 0 {
			t.Errorf("%s: %d are done, %d of %d are still put off", name, len(s.DoneFollowUps), len(s.SnoozedFollowUps), len(c.planned))
		}
	}
}

func TestSetFollowUps(t *testing.T) {
	one, two := reminder(1, 10), reminder(2, 20)
	var many []exchange.FollowUp
	for n := range 30 {
		many = append(many, reminder(n+1, n+1))
	}
	for name, c := range map[string]struct {
		before  func(s *entity.State)
		planned []exchange.FollowUp
		want    string
		next    string
		snoozed int
	}{
		"what was planned before is forgotten": {
			func(s *entity.State) { planFollowUps(s, noon, followUp("other", 1, 5)) }, []exchange.FollowUp{one}, "remind1", "10", 0,
		},
		"nothing any more": {func(s *entity.State) { planFollowUps(s, noon, one) }, nil, "", "never", 0},
		"but never what was done": {
			func(s *entity.State) { s.CompleteFollowUp(one.Key, noon) }, []exchange.FollowUp{one, two}, "remind2", "20", 0,
		},
		"nor what was cancelled": {
			func(s *entity.State) {
				s.DoneFollowUps = append(s.DoneFollowUps, exchange.DoneFollowUp{Key: one.Key, At: noon, Cancelled: true})
			}, []exchange.FollowUp{one, two}, "remind2", "20", 0,
		},
		"what is put off stays so": {
			func(s *entity.State) { s.SnoozedFollowUps = []entity.SnoozedFollowUp{snoozedBy(one, 12)} },
			[]exchange.FollowUp{one, two},
			"remind1 remind2", "12", 1,
		},
		"but not when the time has come": {
			func(s *entity.State) { s.SnoozedFollowUps = []entity.SnoozedFollowUp{snoozedBy(one, 0)} },
			[]exchange.FollowUp{one, two},
			"remind1 remind2", "10", 0,
		},
		"nor when it is not planned any more": {
			func(s *entity.State) { s.SnoozedFollowUps = []entity.SnoozedFollowUp{snoozedBy(one, 12)} },
			[]exchange.FollowUp{two},
			"remind2", "20", 0,
		},
		"twenty are kept": {
			func(*entity.State) {}, many,
			"remind1 remind2 remind3 remind4 remind5 remind6 remind7 remind8 remind9 remind10 " +
				"remind11 remind12 remind13 remind14 remind15 remind16 remind17 remind18 remind19 remind20", "1", 0,
		},
	} {
		s := withFollowUps(t)
		c.before(s)
		planFollowUps(s, noon, c.planned...)
		s = continued(t, s)
		if got := followUpKeys(s); got != c.want || hoursAfterNoon(s.NextFollowUpAt()) != c.next || len(s.SnoozedFollowUps) != c.snoozed {
			t.Errorf("%s: planned are %q, the next at %s, %d put off; want %q, %s, %d", name, got, hoursAfterNoon(s.NextFollowUpAt()), len(s.SnoozedFollowUps), c.want, c.next, c.snoozed)
		}
	}
}

// TestSnoozedFollowUpsLeaveRoom: twenty follow-ups that are snoozed for months do not block the
// follow-ups that are not snoozed.
func TestSnoozedFollowUpsLeaveRoom(t *testing.T) {
	s := withFollowUps(t)
	var planned []exchange.FollowUp
	for n := range 25 {
		f := followUp(fmt.Sprint("f", n), 1, n+1)
		planned = append(planned, f)
		if n < opportunity.MaxFollowUps {
			s.SnoozedFollowUps = append(s.SnoozedFollowUps, snoozedBy(f, 2000))
		}
	}
	planFollowUps(s, noon, planned...)
	if next, at, _ := s.NextFollowUp(); next.Key != planned[20].Key || hoursAfterNoon(at) != "21" || len(s.FollowUps) != opportunity.MaxFollowUps {
		t.Errorf("the first of %d is %s at %s", len(s.FollowUps), next.Key, hoursAfterNoon(at))
	}
}

// TestFollowUpsAreCappedByBytes: long texts of the tenant do not make the state large, and the
// follow-up with the longest text is still done.
func TestFollowUpsAreCappedByBytes(t *testing.T) {
	var planned []exchange.FollowUp
	for n := range 20 {
		f := reminder(n+1, n+1)
		f.Action.Attention = strings.Repeat("<", 1500) // 9,000 bytes of JSON
		planned = append(planned, f)
	}
	s := withFollowUps(t, planned...)
	if got := followUpKeys(s); got != "remind1 remind2 remind3" {
		t.Errorf("planned are %s", got)
	}
	planned[0].Action.Attention = strings.Repeat("<", opportunity.MaxFollowUpBytes)
	if planFollowUps(s, noon, planned...); followUpKeys(s) != "remind1" {
		t.Errorf("planned are %s", followUpKeys(s))
	}
}

// TestRemainingFollowUpsArePlanned: when all stored follow-ups are done, the run plans the
// follow-ups that did not fit into the stored plan.
func TestRemainingFollowUpsArePlanned(t *testing.T) {
	var planned []exchange.FollowUp
	for n := range opportunity.MaxFollowUps + 1 {
		planned = append(planned, reminder(n+1, n+1))
	}
	for n, rest := range map[int]bool{1: false, opportunity.MaxFollowUps: false, opportunity.MaxFollowUps + 1: true} {
		s := withFollowUps(t, planned[:n]...)
		for _, f := range planned[:min(n, opportunity.MaxFollowUps)] {
			s.CompleteFollowUp(f.Key, noon)
		}
		if s.PlanDue != rest {
			t.Errorf("of %d: to be planned again is %t", n, s.PlanDue)
		}
	}
}

func TestAFollowUpIsDoneOnce(t *testing.T) {
	one, two := reminder(1, 10), reminder(2, 20)
	s := withFollowUps(t, one, two)
	for n := range 3 {
		s.CompleteFollowUp(one.Key, noon.Add(time.Duration(n)*time.Hour))
		planFollowUps(s, noon, one, two)
		s = continued(t, s)
	}
	if diff := cmp.Diff([]exchange.DoneFollowUp{{Key: one.Key, At: noon}}, s.DoneFollowUps); diff != "" || followUpKeys(s) != "remind2" {
		t.Errorf("planned are %q, done: %s", followUpKeys(s), diff)
	}
	told := 0
	for _, m := range s.Timeline {
		if m.Text == "follow-up started: "+one.Key {
			told++
		}
	}
	if told != 1 {
		t.Errorf("the timeline tells %d times", told)
	}
}

func TestSkippedFollowUpsAreShown(t *testing.T) {
	s := withFollowUps(t)
	var plan exchange.Plan
	for n := range opportunity.MaxSkippedFollowUps + 5 {
		plan.SkippedFollowUps = append(plan.SkippedFollowUps, opportunity.SkippedFollowUp{Key: fmt.Sprint("remind/20261201T120000Z/", n), Reason: opportunity.SkippedByCap})
	}
	s.SetFollowUps(plan, noon)
	if diff := cmp.Diff(plan.SkippedFollowUps[:opportunity.MaxSkippedFollowUps], continued(t, s).View().SkippedFollowUps); diff != "" {
		t.Error(diff)
	}
	if words := s.AttentionKinds(); len(words) != 0 {
		t.Errorf("it raises %v", words)
	}
	s.SetFollowUps(exchange.Plan{SkippedFollowUps: plan.SkippedFollowUps[7:8]}, noon)
	if diff := cmp.Diff(plan.SkippedFollowUps[7:8], s.View().SkippedFollowUps); diff != "" {
		t.Error(diff)
	}
	s.SetPlaybook(&exchange.PlaybookFeatures{Digest: "of another playbook"}, noon)
	if left := s.View().SkippedFollowUps; left != nil {
		t.Errorf("without follow-ups %v are left out", left)
	}
}
