package workflows_test

import (
	"fmt"
	"testing"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// manualCompletion describes how somebody completes an activity instead of the worker.
type manualCompletion struct {
	// payload is the result of the activity; nil means no result.
	payload *commonpb.Payload
	// err, when set, makes the activity fail.
	err error
}

// completedFuture is the future of an activity that the worker executes and somebody else
// completes.
type completedFuture struct {
	workflow.Future
	manual *manualCompletion
}

func (c completedFuture) Get(ctx workflow.Context, value any) error {
	if err := c.Future.Get(ctx, nil); temporal.IsCanceledError(err) {
		return err
	}
	switch {
	case c.manual.err != nil:
		return c.manual.err
	case c.manual.payload == nil || value == nil:
		return nil
	}
	return converter.GetDefaultDataConverter().FromPayload(c.manual.payload, value)
}

func (l *fixtureOutbound) ExecuteActivity(ctx workflow.Context, name string, args ...any) workflow.Future {
	if l.fixture.losesActivity != nil && l.fixture.losesActivity(name) {
		lost, _ := workflow.NewFuture(ctx)
		return lost
	}
	future := l.Next.ExecuteActivity(ctx, name, args...)
	if l.fixture.byHand == nil {
		return future
	}
	if hand := l.fixture.byHand(name); hand != nil {
		return completedFuture{future, hand}
	}
	return future
}

func manualCompletions() map[string]*manualCompletion {
	text := func(data string) *manualCompletion {
		return &manualCompletion{payload: &commonpb.Payload{
			Metadata: map[string][]byte{converter.MetadataEncoding: []byte(converter.MetadataEncodingJSON)}, Data: []byte(data),
		}}
	}
	other := id("Opportunity", 77)
	return map[string]*manualCompletion{
		"{}":         text("{}"),
		"null":       text("null"),
		"no payload": {},
		"a text":     text(`"done"`),
		"a list":     text(`[]`),
		"of another record": text(fmt.Sprintf(`{"fate":"done","about":"another","reference":"B-2","run":"r","record":{"id":%q},"owner":"us",
			"answers":[],"resolved":[],"region":{"id":"x"}}`, other)),
		"fails": {err: temporal.NewNonRetryableApplicationError("by hand", "", nil)},
	}
}

// An operator completes or resets an activity just before its first attempt sends the request. The
// worker sends the request when the send window is nearly over, and the API commits the change when
// the settle time is nearly over. The run reads the record back only after the API has committed
// the change.
func TestAnAttemptThatSendsAfterTheActivityHasEnded(t *testing.T) {
	ways := manualCompletions()
	ways["another attempt"] = nil
	for how, hand := range ways {
		t.Run(how, func(t *testing.T) {
			s := newFixture(t)
			with := addIn(1)
			mutation := exchange.Change{Interest: &with.Interests[0]}
			s.tms.apply = func(n int, in activities.ApplyInput) (bool, *activities.ApplyResult, error) {
				if n > 1 {
					return true, nil, nil
				}
				sending := activities.CallResult{Status: exchange.StatusUnknown, Reason: activities.ReasonAttemptNotEnded, Subject: in.Subject()}
				return false, &activities.ApplyResult{CallResult: sending}, nil
			}
			asked := 0
			s.byHand = func(name string) *manualCompletion {
				if name != activities.ApplyCommands {
					return nil
				}
				if asked++; asked > 1 {
					return nil
				}
				return hand
			}
			s.at(time.Second, func() { s.env.SignalWorkflow("addInterests", with) })
			s.at(time.Second+activities.DefaultSendWindow+activities.DefaultSettleTime-time.Second, func() {
				s.tms.mu.Lock()
				defer s.tms.mu.Unlock()
				s.tms.applyChange(mutation)
			})
			s.winAt(10 * time.Minute)
			s.run(start, nil)
			s.wantLog("create", "interest 1", "progress Opportunity", "progress Won")
		})
	}
}

// For each kind of activity, somebody completes the activity instead of the worker, with a result
// that proves nothing. The workflow finds out whether the change was made, and no change is made
// twice.
func TestActivitiesCompletedByHand(t *testing.T) {
	created := func(s *fixture) { s.run(start, nil) }
	adopted := func(s *fixture) { createRecord(s); s.run(adoptStart, nil) }
	ofRecord := []string{"create", "do account", "progress Opportunity", "do mail", "interest 1", "progress Won"}
	ofAdoption := []string{"mark By hand of A-1", "do account", "progress Opportunity", "do mail", "interest 1", "progress Won"}
	for name, c := range map[string]struct {
		activity string
		nth      int
		run      func(*fixture)
		want     []string
	}{
		"create":              {activities.CreateOpportunity, 1, created, ofRecord},
		"find":                {activities.FindOpportunity, 1, created, ofRecord},
		"read what was found": {activities.ReadOpportunity, 1, created, ofRecord},
		"look up names":       {activities.ResolveNames, 1, created, ofRecord},
		"plan a move":         {activities.PlanOpportunity, 1, created, ofRecord},
		"look at an effect":   {activities.InspectEffect, 1, created, ofRecord},
		"look again":          {activities.InspectEffect, 2, created, ofRecord},
		"carry an effect out": {activities.ExecuteEffect, 1, created, ofRecord},
		"move":                {activities.ApplyCommands, 2, created, ofRecord},
		"add an interest":     {activities.ApplyCommands, 3, created, ofRecord},
		"whose mark":          {activities.ReadOpportunity, 1, adopted, ofAdoption},
		"mark":                {activities.TagOpportunity, 1, adopted, ofAdoption},
		"whose mark again":    {activities.ReadOpportunity, 2, adopted, ofAdoption},
		"read the record":     {activities.ReadOpportunity, 3, adopted, ofAdoption},
		"read another page":   {activities.ReadOpportunity, 4, adopted, ofAdoption},
	} {
		for how, hand := range manualCompletions() {
			t.Run(name+"/"+how, func(t *testing.T) {
				t.Parallel()
				s := newFixture(t)
				withTransitionEffects(s, []string{"account"}, []string{"mail"})
				named, calls := false, 0
				s.tms.apply = func(int, activities.ApplyInput) (bool, *activities.ApplyResult, error) {
					if named {
						return true, nil, nil
					}
					named = true // the first transition names a step that needs a look-up
					return false, &activities.ApplyResult{CallResult: activities.CallResult{
						Status: exchange.StatusNotSent, Reason: activities.ReasonUnresolvedNames,
						MissingNames: []exchange.UnresolvedName{{Type: opportunity.TypeStep, Text: "Opportunity"}},
					}}, nil
				}
				if c.activity == activities.FindOpportunity || name == "read what was found" {
					s.tms.create = func(int) (bool, *activities.CreateResult, error) {
						return true, &activities.CreateResult{CallResult: activities.CallResult{Status: exchange.StatusUnknown}}, nil
					}
				}
				s.byHand = func(called string) *manualCompletion {
					if called != c.activity {
						return nil
					}
					if calls++; calls == c.nth {
						return hand
					}
					return nil
				}
				s.at(time.Second, func() { s.env.SignalWorkflow("progress", to("Opportunity")) })
				s.at(20*time.Minute, func() { s.env.SignalWorkflow("addInterests", addIn(1)) })
				var view opportunity.View
				s.at(39*time.Minute, func() { view = s.view() })
				s.at(40*time.Minute, func() { s.env.SignalWorkflow("progress", to("Won")) })
				c.run(s)
				s.wantLog(c.want...)
				if calls < c.nth {
					t.Errorf("the activity was asked for %d times; want at least %d", calls, c.nth)
				}
				if view.Step == nil || view.Step.Name != "Opportunity" || len(view.Interests) != len(s.tms.items) || view.Question != nil || len(view.Attention) != 0 {
					t.Errorf("view: %+v; want the record as it is", view)
				}
			})
		}
	}
}

// The run does not treat the result of a probe that was completed by hand as a response of the API.
func TestAProbeCompletedByHand(t *testing.T) {
	for how, hand := range manualCompletions() {
		s := newFixture(t)
		s.tms.apply = func(int, activities.ApplyInput) (bool, *activities.ApplyResult, error) {
			return false, &activities.ApplyResult{CallResult: activities.CallResult{Status: exchange.StatusUnknown, ServerError: true}}, nil
		}
		s.byHand = func(called string) *manualCompletion {
			if called != activities.ProbeAPI {
				return nil
			}
			return hand
		}
		s.at(time.Second, func() { s.env.SignalWorkflow("addInterests", add(1)) })
		s.at(time.Hour, func() {
			if v := s.view(); len(v.Parked) != 0 {
				t.Errorf("%s: parked %+v; want it to wait until the API responds", how, v.Parked)
			}
			s.env.CancelWorkflow()
		})
		s.run(start, nil)
	}
}
