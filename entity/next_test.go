package entity_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/oppflow/oppflow/entity"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// TestNext: requested work has priority over background work, and the run does nothing while a
// question or a pause stops the opportunity.
func TestNext(t *testing.T) {
	t.Parallel()
	plans := func(s *entity.State) {
		s.SetPlaybook(&exchange.PlaybookFeatures{Digest: "d", FollowUps: true}, noon)
	}
	asked := func(s *entity.State) { accept(t, s, opportunity.UpdateDetails{Name: "First"}, "first") }
	refresh := func(s *entity.State) { s.RefreshDue = true }
	paused := func(s *entity.State) { s.Paused = &opportunity.PauseInfo{} }
	question := func(s *entity.State) { s.Question = &opportunity.Question{} }
	for name, c := range map[string]struct {
		have   []func(*entity.State)
		in     entity.Conditions
		before bool
		want   entity.Task
	}{
		"nothing":                           {want: entity.WaitForWork{}},
		"no record yet":                     {have: []func(*entity.State){asked, refresh, plans}, before: true, want: entity.WaitForWork{}},
		"a command":                         {have: []func(*entity.State){asked}, want: entity.SendCommands{}},
		"a plan":                            {have: []func(*entity.State){plans}, want: entity.PlanFollowUps{}},
		"a command and a plan":              {have: []func(*entity.State){plans, asked}, want: entity.SendCommands{}},
		"a read":                            {have: []func(*entity.State){plans, asked, refresh}, want: entity.ReadRecord{}},
		"a read that failed":                {have: []func(*entity.State){plans, refresh}, in: entity.Conditions{ReadFailed: true}, want: entity.ReadRecord{}},
		"a command, and a read that failed": {have: []func(*entity.State){asked, refresh}, in: entity.Conditions{ReadFailed: true}, want: entity.SendCommands{}},
		"a command while paused":            {have: []func(*entity.State){plans, asked, paused}, want: entity.WaitForWork{}},
		"a command behind a question":       {have: []func(*entity.State){plans, asked, question}, want: entity.WaitForWork{}},
		"a read that failed, and a message comes": {have: []func(*entity.State){refresh}, in: entity.Conditions{ReadFailed: true, MessagesArrived: true}, want: entity.WaitForWork{}},
	} {
		s := openedState(t)
		if c.before {
			s = entity.NewState("A-1", opportunity.Start{Name: "First Aid", Region: "DR"}, noon)
		}
		for _, have := range c.have {
			have(s)
		}
		if got := s.Next(noon.Add(time.Second), c.in); fmt.Sprintf("%T", got) != fmt.Sprintf("%T", c.want) {
			t.Errorf("%s: %T; want %T", name, got, c.want)
		}
	}
}
