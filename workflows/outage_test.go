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
	"github.com/oppflow/oppflow/opportunity"
)

// An outage is the failure that every request meets for a time.
type outage struct {
	stage  *stage
	reason activities.Reason
	// lost says that the answers to changes are lost; otherwise changes are not sent.
	lost bool
	over bool
}

// reads are the activities that change nothing.
var reads = append(slices.Clone(unlimited), activities.ProbeAPI)

// outage makes every request fail from now on; either no change is sent, or the answers to changes
// are lost.
func (s *stage) outage(reason activities.Reason, lost bool) *outage {
	o := &outage{stage: s, reason: reason, lost: lost}
	s.fails = func(info activity.Info) error {
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
	away := activities.Sending{Fate: opportunity.FateNotSent, Reason: reason}
	s.record.create = func(int) (bool, *activities.CreateResult, error) {
		if o.over {
			return true, nil, nil
		}
		return false, &activities.CreateResult{Sending: away}, nil
	}
	s.record.apply = func(int, activities.ApplyInput) (bool, *activities.ApplyResult, error) {
		if o.over {
			return true, nil, nil
		}
		return false, &activities.ApplyResult{Sending: away}, nil
	}
	return o
}

// The view says from the beginning why a message waits for the API, and an operator finds the
// opportunity within two minutes. When the API is back, the work goes on within two minutes, and
// attention ends.
func TestAnOutageIsSeen(t *testing.T) {
	for _, kind := range []struct {
		reason activities.Reason
		word   opportunity.Word
	}{
		{activities.ReasonUnreachable, opportunity.AttentionAPI},
		{activities.ReasonAuthentication, opportunity.AttentionCredentials},
		{activities.ReasonTenant, opportunity.AttentionCredentials},
		{activities.ReasonRate, opportunity.AttentionLimit},
	} {
		for _, lost := range []bool{false, true} {
			for name, play := range map[string]struct {
				start any
				play  func(*stage)
				send  func(*stage)
			}{
				"a start":     {start: start},
				"an adoption": {start: adoptIt, play: standing},
				"a command":   {start: start, send: func(s *stage) { s.env.SignalWorkflow("addInterests", add(1)) }},
				"a move with effects": {start: start, play: func(s *stage) { moving(s, []string{"a"}, []string{"b"}) }, send: func(s *stage) {
					s.env.SignalWorkflow("progress", to("Opportunity"))
				}},
				"a refresh": {start: start, send: func(s *stage) { s.env.SignalWorkflow("refresh", opportunity.Refresh{}) }},
			} {
				way := "not sent"
				if lost {
					way = "lost"
				}
				t.Run(string(kind.reason)+"/"+way+"/"+name, func(t *testing.T) {
					s := newStage(t)
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
						if w := s.view().Waits; w == nil || w.Reason == "" || w.Word != kind.word {
							t.Errorf("the view does not say what is waited for: %+v", w)
						}
					})
					s.at(begin+time.Hour, func() { o.over = true })
					s.at(begin+time.Hour+2*time.Minute, func() {
						if got := s.attention(); len(got) > 0 {
							t.Errorf("attention 2 minutes after the API's return: %q", got)
						}
						if v := s.view(); v.Waits != nil || len(v.Queue) > 0 || v.Opportunity == "" || v.Question != nil || len(v.Working) > 0 {
							t.Errorf("2 minutes after the API's return: %+v", v)
						}
					})
					s.win(2 * time.Hour)
					s.run(play.start, nil)
				})
			}
		}
	}
}

// meter counts the requests of a run to the server.
type meter struct {
	interceptor.WorkerInterceptorBase
	events int
}

type meterIn struct {
	interceptor.WorkflowInboundInterceptorBase
	meter *meter
}

type meterOut struct {
	interceptor.WorkflowOutboundInterceptorBase
	meter *meter
}

func (m *meter) InterceptWorkflow(_ workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	in := &meterIn{meter: m}
	in.Next = next
	return in
}

func (m *meterIn) Init(outbound interceptor.WorkflowOutboundInterceptor) error {
	out := &meterOut{meter: m.meter}
	out.Next = outbound
	return m.Next.Init(out)
}

// An activity is scheduled, started and ended, and its end brings a workflow task of three events;
// the same holds for a timer, which is started and fires.
const (
	activityEvents = 6
	timerEvents    = 5
)

func (m *meterOut) ExecuteActivity(ctx workflow.Context, name string, args ...any) workflow.Future {
	m.meter.events += activityEvents
	return m.Next.ExecuteActivity(ctx, name, args...)
}

func (m *meterOut) NewTimer(ctx workflow.Context, d time.Duration) workflow.Future {
	m.meter.events += timerEvents
	return m.Next.NewTimer(ctx, d)
}

func (m *meterOut) NewTimerWithOptions(ctx workflow.Context, d time.Duration, o workflow.TimerOptions) workflow.Future {
	m.meter.events += timerEvents
	return m.Next.NewTimerWithOptions(ctx, d, o)
}

func (m *meterOut) AwaitWithOptions(ctx workflow.Context, o workflow.AwaitOptions, condition func() bool) (bool, error) {
	m.meter.events += timerEvents
	return m.Next.AwaitWithOptions(ctx, o, condition)
}

func (m *meterOut) UpsertTypedSearchAttributes(ctx workflow.Context, changes ...temporal.SearchAttributeUpdate) error {
	m.meter.events++
	return m.Next.UpsertTypedSearchAttributes(ctx, changes...)
}

// A day without the API costs an opportunity with a waiting message few events.
func TestADayOfOutageIsCheap(t *testing.T) {
	const most = 300
	for name, lost := range map[string]bool{"not sent": false, "lost": true} {
		t.Run(name, func(t *testing.T) {
			m := &meter{}
			s := newStageWith(t, m)
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
			s.win(25 * time.Hour)
			s.run(start, nil)
			s.wantLog("create", "interest 1", "progress Opportunity", "progress Won")
		})
	}
}

// An opportunity that is closed or cancelled ends in bounded time, also while the API is out of
// reach.
func TestAnEndDoesNotWaitForTheAPIForEver(t *testing.T) {
	for _, way := range []string{"close", "cancel"} {
		for name, lost := range map[string]bool{"not sent": false, "lost": true} {
			for _, after := range []time.Duration{time.Second, 2 * time.Hour} {
				t.Run(way+", "+name+", after "+after.String(), func(t *testing.T) {
					t.Parallel()
					s := newStage(t)
					moving(s, []string{"a"}, nil)
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
						s.update("c", "close", closeIt)
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

// When the API fails at one operation alone, commands go on, and the attention names this
// operation.
func TestOneFailingQueryHoldsUpNothingElse(t *testing.T) {
	for name, fails := range map[string]string{
		"the plan of what follows":      activities.PlanOpportunity,
		"the look at an effect":         activities.InspectEffect,
		"the record that is read again": activities.ReadOpportunity,
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			b := moving(s, nil, []string{"invoice"})
			b.has.FollowUps = fails == activities.PlanOpportunity
			mended := false
			moved := false
			s.at(time.Second, func() {
				s.fails = func(info activity.Info) error {
					if info.ActivityType.Name == fails && moved && !mended {
						return temporal.NewApplicationError("administrate: outcome of Billing unknown", string(activities.ReasonErrors))
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
				if w := s.view().Waits; w == nil || w.Word != opportunity.AttentionOperation {
					t.Errorf("the view says %+v", w)
				}
				if working := s.view().Working; fails == activities.InspectEffect {
					s.update("skip", "skip", opportunity.Skip{Request: working[0].Key, Reason: "by hand"})
				}
			})
			s.at(41*time.Minute, func() {
				if v := s.view(); fails == activities.InspectEffect && (v.Waits != nil || len(v.Working)+len(v.Attention) > 0) {
					t.Errorf("after the effect was skipped: %+v, %+v, %+v", v.Waits, v.Working, v.Attention)
				}
				mended = true
			})
			s.win(3 * time.Hour)
			s.at(170*time.Minute, func() {
				if got := s.attention(); len(got) > 0 {
					t.Errorf("attention after the API was mended: %q", got)
				}
			})
			s.run(start, nil)
		})
	}
}

// A message waits for a request that is under way, and no answer was lost yet. The view names the
// request under way, and the time since when.
func TestTheViewSaysWhatIsUnderWay(t *testing.T) {
	s := newStage(t)
	moving(s, []string{"account"}, nil)
	s.fails = func(info activity.Info) error {
		if now := s.env.Now().Sub(begun); info.ActivityType.Name == activities.PlanOpportunity && now < 20*time.Second {
			return temporal.NewApplicationError("no answer", string(activities.ReasonUnreachable))
		}
		return nil
	}
	s.at(10*time.Second, func() { s.env.SignalWorkflow("progress", to("Opportunity")) })
	s.at(15*time.Second, func() {
		view := s.view()
		if view.Waits == nil || !strings.Contains(view.Waits.Reason, "plan the effects of the move") || view.Waits.Since.Sub(begun) != 10*time.Second {
			t.Errorf("%d commands wait, for %+v; want the plan, since it was asked for", len(view.Queue), view.Waits)
		}
	})
	s.at(time.Minute, func() {
		if view := s.view(); view.Waits != nil || len(view.Queue) > 0 {
			t.Errorf("%d commands wait, for %+v", len(view.Queue), view.Waits)
		}
	})
	s.win(2 * time.Minute)
	s.run(start, nil)
}
