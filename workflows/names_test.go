package workflows_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"go.temporal.io/sdk/temporal"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/opportunity"
)

// pathless makes the API fail to look up learning paths, until it is mended. Names of other things
// are looked up, in separate requests.
func (s *stage) pathless(mended func() bool) (path opportunity.Name) {
	path = opportunity.Name{Type: opportunity.TypePath, Text: "LP-1"}
	account := opportunity.Name{Type: opportunity.TypeAccount, Text: "Northgate"}
	s.record.names[path], s.record.names[account] = id(opportunity.TypePath, 1), id(opportunity.TypeAccount, 1)
	s.record.resolve = func(_ context.Context, in activities.ResolveInput) error {
		if slices.Contains(in.Names, path) && !mended() {
			return temporal.NewApplicationError("administrate: outcome of Lookup unknown", string(activities.ReasonErrors))
		}
		return nil
	}
	s.record.apply = func(_ int, in activities.ApplyInput) (bool, *activities.ApplyResult, error) {
		var missing []opportunity.Name
		for _, m := range in.Mutations {
			for _, name := range m.Names() {
				if !slices.ContainsFunc(in.Resolved, func(one opportunity.Resolved) bool { return one.Name == name }) && (name == path || name == account) {
					missing = append(missing, name)
				}
			}
		}
		if len(missing) > 0 {
			return false, &activities.ApplyResult{Sending: activities.Sending{Fate: opportunity.FateNotSent, Reason: activities.ReasonNames, Missing: missing}}, nil
		}
		return true, nil, nil
	}
	return path
}

// An interest names a learning path, and the API fails to look up learning paths. Earlier commands
// are carried out at once, and later commands once the interest is parked.
func TestANameThatCannotBeLookedUpHoldsUpItsCommandAlone(t *testing.T) {
	s := newStage(t)
	mended := false
	path := s.pathless(func() bool { return mended })
	bad := opportunity.AddInterests{RequestID: "bad", Interests: opportunity.Interests{{Item: path.Text, Kind: opportunity.Path, Quantity: 2, UnitAmount: add(1).Interests[0].UnitAmount}}}
	s.at(time.Second, func() {
		s.env.SignalWorkflow("updateDetails", opportunity.UpdateDetails{Account: "Northgate"})
		s.env.SignalWorkflow("addInterests", bad)
		s.env.SignalWorkflow("addInterests", add(3))
	})
	s.at(3*time.Minute, func() {
		if view := s.view(); len(view.Queue) != 2 || view.Queue[0].Request != "bad" {
			t.Errorf("after 3 minutes there wait %+v; want what the API took before the learning path to be done", view.Queue)
		}
		if got := s.attention(); !slices.Equal(got, []string{"operation"}) {
			t.Errorf("attention after 3 minutes: %v", got)
		}
	})
	s.at(25*time.Minute, func() {
		view := s.view()
		if len(view.Queue) != 0 || len(view.Parked) != 1 || view.Parked[0].Request != "bad" {
			t.Errorf("after 25 minutes: queue %+v, parked %+v", view.Queue, view.Parked)
		}
		if got := s.attention(); !slices.Equal(got, []string{"parked"}) {
			t.Errorf("attention after 25 minutes: %v", got)
		}
		mended = true
		s.env.SignalWorkflow("retry", opportunity.Retry{Request: "bad"})
	})
	s.win(time.Hour)
	s.run(start, nil)
	s.wantLog("create", "update ", "interest 3", "interest 2", "progress Opportunity", "progress Won")
}
