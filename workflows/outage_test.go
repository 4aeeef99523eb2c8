package workflows_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

// outage is a period in which every request fails.
type outage struct {
	stage  *fixture
	reason activities.Reason
	// lost says that the responses to changes are lost. If lost is false, changes are not sent.
	lost bool
	over bool
}

var reads = append(slices.Clone(unlimited), activities.ProbeAPI)

// outage makes every request fail until the outage ends.
func (s *fixture) outage(reason activities.Reason, lost bool) *outage {
	o := &outage{stage: s, reason: reason, lost: lost}
	s.failsAttempt = func(info activity.Info) error {
		if o.over {
			return nil
		}
		if slices.Contains(reads, info.ActivityType.Name) {
			return temporal.NewApplicationError("administrate: Something failed", string(reason))
		}
		if lost {
			return temporal.NewApplicationError("no answer", "")
		}
		return nil
	}
	away := activities.CallResult{Status: exchange.StatusNotSent, Reason: reason}
	s.tms.create = func(int) (bool, *activities.CreateResult, error) {
		if o.over {
			return true, nil, nil
		}
		return false, &activities.CreateResult{CallResult: away}, nil
	}
	s.tms.apply = func(_ int, in activities.ApplyInput) (bool, *activities.ApplyResult, error) {
		if s.needsLookup != nil {
			if missing := s.needsLookup(in); missing != nil {
				return false, missing, nil
			}
		}
		if o.over {
			return true, nil, nil
		}
		return false, &activities.ApplyResult{CallResult: away}, nil
	}
	return o
}

// needCourseLookup makes the worker need the id of a course that the worker does not know yet.
// Before the worker sends anything, the worker reports that the id is missing.
func (s *fixture) needCourseLookup() {
	course := exchange.UnresolvedName{Type: opportunity.TypeCourse, Text: "ABC-123"}
	s.tms.names[course] = id(opportunity.TypeCourse, 1)
	s.needsLookup = func(in activities.ApplyInput) *activities.ApplyResult {
		for _, m := range in.Changes {
			if slices.Contains(m.Names(), course) && !slices.ContainsFunc(in.ResolvedNames, func(one exchange.ResolvedName) bool { return one.UnresolvedName == course }) {
				return &activities.ApplyResult{CallResult: activities.CallResult{
					Status: exchange.StatusNotSent, Reason: activities.ReasonUnresolvedNames, MissingNames: []exchange.UnresolvedName{course},
				}}
			}
		}
		return nil
	}
}

// The view says from the beginning why a message waits for the API, and an attention entry for an
// operator appears within two minutes. When the API responds again, the run continues its work
// within two minutes, and the attention ends.
func TestAnOutageIsSeen(t *testing.T) {
	for _, kind := range []struct {
		reason activities.Reason
		word   opportunity.AttentionKind
		says   string
	}{
		{activities.ReasonUnreachable, opportunity.AttentionAPI, "cannot be reached"},
		{activities.ReasonAuthentication, opportunity.AttentionCredentials, "credentials"},
		{activities.ReasonWrongTenant, opportunity.AttentionCredentials, "another tenant"},
		{activities.ReasonRateLimit, opportunity.AttentionLimit, "limit"},
		{activities.ReasonSendDeadlinePassed, opportunity.AttentionClock, "clock"},
	} {
		for _, lost := range []bool{false, true} {
			for name, play := range map[string]struct {
				start any
				play  func(*fixture)
				send  func(*fixture)
			}{
				"a start":     {start: start},
				"an adoption": {start: adoptStart, play: createRecord},
				"a command":   {start: start, send: func(s *fixture) { s.env.SignalWorkflow("addInterests", add(1)) }},
				"a move with effects": {start: start, play: func(s *fixture) { withTransitionEffects(s, []string{"a"}, []string{"b"}) }, send: func(s *fixture) {
					s.env.SignalWorkflow("progress", to("Opportunity"))
				}},
				"a command with a name": {start: start, play: (*fixture).needCourseLookup, send: func(s *fixture) {
					s.env.SignalWorkflow("addInterests", opportunity.AddInterests{Interests: opportunity.Interests{{
						Item: "ABC-123", Kind: opportunity.Course, Quantity: 1, UnitAmount: add(1).Interests[0].UnitAmount,
					}}})
				}},
				"a refresh": {start: start, send: func(s *fixture) { s.env.SignalWorkflow("refresh", opportunity.Refresh{}) }},
			} {
				way := "not sent"
				if lost {
					way = "lost"
				}
				t.Run(string(kind.reason)+"/"+way+"/"+name, func(t *testing.T) {
					s := newFixture(t)
					if play.play != nil {
						play.play(s)
					}
					var o *outage
					begin := time.Duration(0)
					if play.send == nil {
						o = s.outage(kind.reason, lost)
					} else {
						begin = 10 * time.Second
						s.at(begin, func() { o = s.outage(kind.reason, lost); play.send(s) })
					}
					s.at(begin+2*time.Minute, func() {
						if got := s.attention(); !slices.Equal(got, []string{string(kind.word)}) {
							t.Errorf("attention 2 minutes after acceptance: %q; want %q", got, kind.word)
						}
						if w := s.view().Wait; w == nil || !strings.Contains(w.Reason, kind.says) && !lost || w.Reason == "" || w.Kind != kind.word {
							t.Errorf("the view does not say what is waited for: %+v", w)
						}
						since, _ := s.searchAttributes.GetTime(lifecycle.OpportunityWaitingSince)
						if waited := since.Sub(startTime.Add(begin)); waited < 0 || waited > 90*time.Second {
							t.Errorf("OpportunityWaitingSince is %s, %s after the acceptance; want the time at which the wait began", since, waited)
						}
					})
					s.at(begin+time.Hour, func() { o.over = true })
					s.at(begin+time.Hour+2*time.Minute, func() {
						if got := s.attention(); len(got) > 0 {
							t.Errorf("attention 2 minutes after the API's return: %q", got)
						}
						if since, set := s.searchAttributes.GetTime(lifecycle.OpportunityWaitingSince); set {
							t.Errorf("OpportunityWaitingSince is %s after the API's return, want it unset", since)
						}
						if v := s.view(); v.Wait != nil || len(v.Queue) > 0 || v.Opportunity == "" || v.Question != nil || len(v.RunningEffects) > 0 {
							t.Errorf("2 minutes after the API's return: %+v", v)
						}
					})
					s.winAt(2 * time.Hour)
					s.run(play.start, nil)
				})
			}
		}
	}
}

type eventCounter struct {
	interceptor.WorkerInterceptorBase
	events int
}

type eventCounterInbound struct {
	interceptor.WorkflowInboundInterceptorBase
	counter *eventCounter
}

type eventCounterOutbound struct {
	interceptor.WorkflowOutboundInterceptorBase
	counter *eventCounter
}

func (m *eventCounter) InterceptWorkflow(_ workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	in := &eventCounterInbound{counter: m}
	in.Next = next
	return in
}

func (m *eventCounterInbound) Init(outbound interceptor.WorkflowOutboundInterceptor) error {
	out := &eventCounterOutbound{counter: m.counter}
	out.Next = outbound
	return m.Next.Init(out)
}

// An activity adds three history events (scheduled, started, ended), and the end of the activity
// adds a workflow task of three history events. A timer adds two history events (started, fired),
// and the end of the timer also adds a workflow task.
const (
	activityEvents = 6
	timerEvents    = 5
)

func (m *eventCounterOutbound) ExecuteActivity(ctx workflow.Context, name string, args ...any) workflow.Future {
	m.counter.events += activityEvents
	return m.Next.ExecuteActivity(ctx, name, args...)
}

func (m *eventCounterOutbound) NewTimer(ctx workflow.Context, d time.Duration) workflow.Future {
	m.counter.events += timerEvents
	return m.Next.NewTimer(ctx, d)
}

func (m *eventCounterOutbound) NewTimerWithOptions(ctx workflow.Context, d time.Duration, o workflow.TimerOptions) workflow.Future {
	m.counter.events += timerEvents
	return m.Next.NewTimerWithOptions(ctx, d, o)
}

func (m *eventCounterOutbound) AwaitWithOptions(ctx workflow.Context, o workflow.AwaitOptions, condition func() bool) (bool, error) {
	m.counter.events += timerEvents
	return m.Next.AwaitWithOptions(ctx, o, condition)
}

func (m *eventCounterOutbound) UpsertTypedSearchAttributes(ctx workflow.Context, changes ...temporal.SearchAttributeUpdate) error {
	m.counter.events++
	return m.Next.UpsertTypedSearchAttributes(ctx, changes...)
}

// A day without the API adds few history events to an opportunity with a waiting message.
func TestADayOfOutageIsCheap(t *testing.T) {
	const most = 300
	for name, lost := range map[string]bool{"not sent": false, "lost": true} {
		t.Run(name, func(t *testing.T) {
			m := &eventCounter{}
			s := newFixtureWith(t, m)
			var o *outage
			before := 0
			s.at(time.Minute, func() {
				before = m.events
				o = s.outage(activities.ReasonUnreachable, lost)
				s.env.SignalWorkflow("addInterests", add(1))
			})
			s.at(24*time.Hour, func() {
				t.Logf("%d events", m.events-before)
				if m.events-before > most {
					t.Errorf("a day of outage took %d events; want at most %d", m.events-before, most)
				}
				o.over = true
			})
			s.at(24*time.Hour+2*time.Minute, func() {
				if v := s.view(); len(v.Queue) > 0 || len(v.Interests) != 1 {
					t.Errorf("2 minutes after the API's return: %+v", v)
				}
			})
			s.winAt(25 * time.Hour)
			s.run(start, nil)
			s.wantLog("create", "interest 1", "progress Opportunity", "progress Won")
		})
	}
}

// An opportunity that is closed or cancelled ends in bounded time, even while the API is
// unreachable.
func TestAnEndDoesNotWaitForTheAPIForEver(t *testing.T) {
	for _, way := range []string{"close", "cancel"} {
		for name, lost := range map[string]bool{"not sent": false, "lost": true} {
			for _, after := range []time.Duration{time.Second, 2 * time.Hour} {
				t.Run(way+", "+name+", after "+after.String(), func(t *testing.T) {
					t.Parallel()
					s := newFixture(t)
					withTransitionEffects(s, []string{"a"}, nil)
					s.at(time.Second, func() { s.env.SignalWorkflow("addInterests", reserved(1)) })
					s.at(time.Minute, func() {
						s.outage(activities.ReasonUnreachable, lost)
						s.env.SignalWorkflow("addInterests", add(2))
						s.env.SignalWorkflow("progress", to("Opportunity"))
					})
					begin := s.env.Now()
					s.at(time.Minute+after, func() {
						if way == "cancel" {
							s.env.CancelWorkflow()
							return
						}
						s.update("c", "close", closeCommand)
					})
					s.run(start, nil)
					if took := s.env.Now().Sub(begin) - time.Minute - after; took > 4*time.Hour {
						t.Errorf("it ended %s after the %s; want at most 4 hours", took, way)
					}
				})
			}
		}
	}
}

// When the API fails only for one operation, the run still executes commands, and the attention
// names the operation.
func TestOneFailingQueryDelaysNothingElse(t *testing.T) {
	for name, fails := range map[string]string{
		"the plan of what follows":      activities.PlanOpportunity,
		"the look at an effect":         activities.InspectEffect,
		"the record that is read again": activities.ReadOpportunity,
	} {
		t.Run(name, func(t *testing.T) {
			s := newFixture(t)
			b := withTransitionEffects(s, nil, []string{"invoice"})
			b.features.FollowUps = fails == activities.PlanOpportunity
			mended := false
			moved := false
			s.at(time.Second, func() {
				s.failsAttempt = func(info activity.Info) error {
					if info.ActivityType.Name == fails && moved && !mended {
						return temporal.NewApplicationError("administrate: the outcome of the API request Billing is unknown", string(activities.ReasonServerErrors))
					}
					return nil
				}
				moved = fails == activities.InspectEffect
				s.update("p", "progress", to("Opportunity"))
			})
			s.at(2*time.Second, func() { moved = true })
			if fails == activities.ReadOpportunity {
				s.at(3*time.Second, func() { s.env.SignalWorkflow("refresh", opportunity.Refresh{}) })
			}
			for n := range 3 {
				s.at(time.Duration(10+10*n)*time.Minute, func() { s.update("u"+string(rune('0'+n)), "addInterests", add(n+1)) })
				s.at(time.Duration(10+10*n)*time.Minute+2*time.Second, func() { s.wantDone("u" + string(rune('0'+n))) })
			}
			s.at(40*time.Minute, func() {
				if got := s.attention(); !slices.Equal(got, []string{"operation"}) {
					t.Errorf("attention: %q; want operation", got)
				}
				if w := s.view().Wait; w == nil || w.Kind != opportunity.AttentionOperation {
					t.Errorf("the view says %+v", w)
				}
				if working := s.view().RunningEffects; fails == activities.InspectEffect {
					s.update("skip", "skip", opportunity.Skip{Request: working[0].Key, Reason: "by hand"})
				}
			})
			s.at(41*time.Minute, func() {
				if v := s.view(); fails == activities.InspectEffect && (v.Wait != nil || len(v.RunningEffects)+len(v.Attention) > 0) {
					t.Errorf("after the effect was skipped: %+v, %+v, %+v", v.Wait, v.RunningEffects, v.Attention)
				}
				mended = true
			})
			s.winAt(3 * time.Hour)
			s.at(170*time.Minute, func() {
				if got := s.attention(); len(got) > 0 {
					t.Errorf("attention after the API was mended: %q", got)
				}
			})
			s.run(start, nil)
		})
	}
}

// A message waits for a request that is under way, and no response has been lost. The view names
// the request under way and the time of its start.
func TestTheViewShowsTheActiveRequest(t *testing.T) {
	s := newFixture(t)
	withTransitionEffects(s, []string{"account"}, nil)
	s.failsAttempt = func(info activity.Info) error {
		if now := s.env.Now().Sub(startTime); info.ActivityType.Name == activities.PlanOpportunity && now < 20*time.Second {
			return temporal.NewApplicationError("no answer", string(activities.ReasonUnreachable))
		}
		return nil
	}
	s.at(10*time.Second, func() { s.env.SignalWorkflow("progress", to("Opportunity")) })
	s.at(15*time.Second, func() {
		view := s.view()
		if view.Wait == nil || !strings.Contains(view.Wait.Reason, "plan the effects of the transition") || view.Wait.Since.Sub(startTime) != 10*time.Second {
			t.Errorf("%d commands wait, for %+v; want the plan, since it was asked for", len(view.Queue), view.Wait)
		}
	})
	s.at(time.Minute, func() {
		if view := s.view(); view.Wait != nil || len(view.Queue) > 0 {
			t.Errorf("%d commands wait, for %+v", len(view.Queue), view.Wait)
		}
	})
	s.winAt(2 * time.Minute)
	s.run(start, nil)
}
