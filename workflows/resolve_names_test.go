package workflows_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"go.temporal.io/sdk/temporal"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// failPathLookup makes the API fail to look up learning paths, until mended returns true. The API
// still looks up names of other types, in separate requests.
func (s *fixture) failPathLookup(mended func() bool) (path exchange.UnresolvedName) {
	path = exchange.UnresolvedName{Type: opportunity.TypePath, Text: "LP-1"}
	account := exchange.UnresolvedName{Type: opportunity.TypeAccount, Text: "Northgate"}
	s.tms.names[path], s.tms.names[account] = id(opportunity.TypePath, 1), id(opportunity.TypeAccount, 1)
	s.tms.resolve = func(_ context.Context, in activities.ResolveInput) error {
		if slices.Contains(in.Names, path) && !mended() {
			return temporal.NewApplicationError("administrate: the outcome of the API request Lookup is unknown", string(activities.ReasonServerErrors))
		}
		return nil
	}
	s.tms.apply = func(_ int, in activities.ApplyInput) (bool, *activities.ApplyResult, error) {
		var missing []exchange.UnresolvedName
		for _, m := range in.Changes {
			for _, name := range m.Names() {
				if !slices.ContainsFunc(in.ResolvedNames, func(one exchange.ResolvedName) bool { return one.UnresolvedName == name }) && (name == path || name == account) {
					missing = append(missing, name)
				}
			}
		}
		if len(missing) > 0 {
			return false, &activities.ApplyResult{CallResult: activities.CallResult{Status: exchange.StatusNotSent, Reason: activities.ReasonUnresolvedNames, MissingNames: missing}}, nil
		}
		return true, nil, nil
	}
	return path
}

// An interest names a learning path, and the API fails to look up learning paths. The run executes
// earlier commands at once, and executes later commands after the run has parked the command with
// the learning path.
func TestANameThatCannotBeLookedUpDelaysOnlyItsCommand(t *testing.T) {
	s := newFixture(t)
	mended := false
	path := s.failPathLookup(func() bool { return mended })
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
	s.winAt(time.Hour)
	s.run(start, nil)
	s.wantLog("create", "update ", "interest 3", "interest 2", "progress Opportunity", "progress Won")
}

// The API rejects a start whose account was merged, and the worker has looked the account up again.
// The run sends the start again with the current ids, without another look-up.
func TestAStartIsSentAgainWithNamesOfNow(t *testing.T) {
	s := newFixture(t)
	name := exchange.UnresolvedName{Type: opportunity.TypeAccount, Text: "Northgate"}
	before, now := exchange.ResolvedName{UnresolvedName: name, ID: id(opportunity.TypeAccount, 1)}, exchange.ResolvedName{UnresolvedName: name, ID: id(opportunity.TypeAccount, 2)}
	s.tms.names[name] = before.ID
	s.tms.create = func(n int) (bool, *activities.CreateResult, error) {
		sending := activities.CallResult{Status: exchange.StatusNotSent, Reason: activities.ReasonUnresolvedNames, MissingNames: []exchange.UnresolvedName{name}}
		switch n {
		case 1:
			return false, &activities.CreateResult{CallResult: sending}, nil
		case 2:
			if !slices.Equal(s.tms.resolvedNames, []exchange.ResolvedName{before}) {
				t.Errorf("sent with %+v, want %+v", s.tms.resolvedNames, before)
			}
			sending.ResolvedNames = []exchange.ResolvedName{now}
			return false, &activities.CreateResult{CallResult: sending}, nil
		}
		return true, nil, nil
	}
	s.winAt(time.Minute)
	s.run(opportunity.Start{Name: "First Aid course", Region: string(id(opportunity.TypeRegion, "UK")), Account: "Northgate"}, nil)
	if !slices.Equal(s.tms.resolvedNames, []exchange.ResolvedName{now}) {
		t.Errorf("sent again with %+v, want %+v", s.tms.resolvedNames, now)
	}
	create, resolve := activities.CreateOpportunity, activities.ResolveNames
	if got := s.tms.calls[:4]; !slices.Equal(got, []string{create, resolve, create, create}) {
		t.Errorf("calls %q", got)
	}
	s.wantLog("create", "progress Opportunity", "progress Won")
}
