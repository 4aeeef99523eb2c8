package opportunity_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/oppflow/oppflow/opportunity"
)

// Requested work goes before the background, and nothing goes while a question or a
// pause stops the opportunity.
func TestNext(t *testing.T) {
	t.Parallel()
	plans := func(s *opportunity.State) {
		s.SetPlaybook(&opportunity.PlaybookFeatures{Digest: "d", FollowUps: true}, noon)
	}
	asked := func(s *opportunity.State) { accept(t, s, opportunity.UpdateDetails{Name: "First"}, "first") }
	refresh := func(s *opportunity.State) { s.RefreshDue = true }
	paused := func(s *opportunity.State) { s.Paused = &opportunity.PauseInfo{} }
	question := func(s *opportunity.State) { s.Question = &opportunity.Question{} }
	for name, c := range map[string]struct {
		have   []func(*opportunity.State)
		in     opportunity.Conditions
		before bool
		want   opportunity.Task
	}{
		"nothing":                           {want: opportunity.WaitForWork{}},
		"no record yet":                     {have: []func(*opportunity.State){asked, refresh, plans}, before: true, want: opportunity.WaitForWork{}},
		"a command":                         {have: []func(*opportunity.State){asked}, want: opportunity.SendCommands{}},
		"a plan":                            {have: []func(*opportunity.State){plans}, want: opportunity.PlanFollowUps{}},
		"a command and a plan":              {have: []func(*opportunity.State){plans, asked}, want: opportunity.SendCommands{}},
		"a read":                            {have: []func(*opportunity.State){plans, asked, refresh}, want: opportunity.ReadRecord{}},
		"a read that failed":                {have: []func(*opportunity.State){plans, refresh}, in: opportunity.Conditions{ReadFailed: true}, want: opportunity.ReadRecord{}},
		"a command, and a read that failed": {have: []func(*opportunity.State){asked, refresh}, in: opportunity.Conditions{ReadFailed: true}, want: opportunity.SendCommands{}},
		"a command while paused":            {have: []func(*opportunity.State){plans, asked, paused}, want: opportunity.WaitForWork{}},
		"a command behind a question":       {have: []func(*opportunity.State){plans, asked, question}, want: opportunity.WaitForWork{}},
		"a read that failed, and a message comes": {have: []func(*opportunity.State){refresh}, in: opportunity.Conditions{ReadFailed: true, MessagesArrived: true}, want: opportunity.WaitForWork{}},
	} {
		s := openedState(t)
		if c.before {
			s = opportunity.NewState("A-1", opportunity.Start{Name: "First Aid", Region: "DR"}, noon)
		}
		for _, have := range c.have {
			have(s)
		}
		if got := s.Next(noon.Add(time.Second), c.in); fmt.Sprintf("%T", got) != fmt.Sprintf("%T", c.want) {
			t.Errorf("%s: %T; want %T", name, got, c.want)
		}
	}
}
