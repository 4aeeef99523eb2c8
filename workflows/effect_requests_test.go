package workflows_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// executions returns the number of activities that sent requests of effects.
func (r *fakeTMS) executions() int {
	n := 0
	for _, call := range r.calls {
		if call == activities.ExecuteEffect {
			n++
		}
	}
	return n
}

// withMissing makes a transition after which the named effects need requests of these kinds.
func withMissing(s *fixture, kinds ...exchange.EffectRequestKind) (*fakePlaybook, []string) {
	var names []string
	for n := range kinds {
		names = append(names, fmt.Sprintf("effect-%d", n))
	}
	b := withTransitionEffects(s, nil, names)
	for n, kind := range kinds {
		b.resources[names[n]].kind = kind
	}
	return b, names
}

func (b *fakePlaybook) doneCounts(names []string) (counts []int) {
	for _, name := range names {
		counts = append(counts, b.resources[name].done)
	}
	return counts
}

// One API request contains the independent requests of consecutive effects. An effect whose request
// depends on another request, and every effect after it, waits for the next inspection.
func TestIndependentRequestsOfEffectsTravelTogether(t *testing.T) {
	const set, contacts, attributes, invoice = exchange.RequestSetAccount, exchange.RequestCreateContacts, exchange.RequestSetAttributes, exchange.RequestFillInvoice
	for name, c := range map[string]struct {
		kinds                   []exchange.EffectRequestKind
		executions, inspections int
	}{
		"one":                           {[]exchange.EffectRequestKind{set}, 1, 2},
		"four":                          {[]exchange.EffectRequestKind{set, contacts, attributes, invoice}, 1, 2},
		"two of one kind":               {[]exchange.EffectRequestKind{attributes, attributes}, 2, 3},
		"a release between":             {[]exchange.EffectRequestKind{set, exchange.RequestRelease, contacts}, 3, 4},
		"the contacts of a new account": {[]exchange.EffectRequestKind{exchange.RequestCreateAccount, contacts}, 2, 3},
		"a final invoice":               {[]exchange.EffectRequestKind{attributes, exchange.RequestFinaliseInvoice}, 2, 3},
		"a mail ends the request":       {[]exchange.EffectRequestKind{set, exchange.RequestEmail, contacts}, 3, 4},
	} {
		t.Run(name, func(t *testing.T) {
			s := newFixture(t)
			b, names := withMissing(s, c.kinds...)
			s.at(time.Second, func() { s.update("p", "progress", to("Opportunity")) })
			s.at(time.Minute, func() {
				if e, i := s.tms.executions(), s.tms.inspections(); e != c.executions || i != c.inspections {
					t.Errorf("%d requests after %d inspections, want %d after %d", e, i, c.executions, c.inspections)
				}
				if got := b.doneCounts(names); slices.ContainsFunc(got, func(n int) bool { return n != 1 }) {
					t.Errorf("the effects were done %v times, want each once", got)
				}
				if v := s.view(); len(v.RunningEffects)+len(v.Attention) > 0 {
					t.Errorf("running %+v, attention %+v", v.RunningEffects, v.Attention)
				}
			})
			s.winAt(time.Hour)
			s.run(start, nil)
		})
	}
}

// Before a transition, each effect waits for the effect before it, because an effect that fails ends
// the transition.
func TestRequestsBeforeATransitionTravelAlone(t *testing.T) {
	s := newFixture(t)
	b := withTransitionEffects(s, []string{"account", "note"}, nil)
	b.resources["account"].kind, b.resources["account"].rejections = exchange.RequestSetAccount, 1
	s.at(time.Second, func() { s.update("p", "progress", to("Opportunity")) })
	s.at(time.Minute, func() {
		if got := s.results["p"].outcome.State; got != opportunity.Failed {
			t.Errorf("the transition is %s", got)
		}
		s.wantLog("create")
	})
	s.winAt(time.Hour)
	s.run(start, nil)
}

// Whatever happens to a request that contains the requests of three effects, each effect is done once,
// and a rejected effect waits for an operator.
func TestAJoinedRequestThatFailsIsDoneOnce(t *testing.T) {
	for name, c := range map[string]struct {
		prepare  func(b *fakePlaybook)
		at       func(s *fixture, b *fakePlaybook) // one minute after the transition
		requests int
	}{
		"the response is lost":                {func(b *fakePlaybook) { b.lost = loseFirst(false) }, nil, 2},
		"the response of a change is lost":    {func(b *fakePlaybook) { b.lost = loseFirst(true) }, nil, 1},
		"the API refuses joined requests":     {func(b *fakePlaybook) { b.refusesJoined = true }, nil, 4},
		"one of the requests is not sent":     {func(b *fakePlaybook) { b.resources["effect-1"].notSent = activities.ReasonRateLimit }, func(_ *fixture, b *fakePlaybook) { b.resources["effect-1"].notSent = "" }, 0},
		"the API ignores one of the requests": {func(b *fakePlaybook) { b.resources["effect-2"].ignoredRequests = 1 }, func(s *fixture, _ *fakePlaybook) { retryEffect(s) }, 2},
		"the API rejects one of the requests": {func(b *fakePlaybook) { b.resources["effect-1"].rejections = 1 }, func(s *fixture, b *fakePlaybook) {
			if v := s.view(); len(v.Attention) != 1 || !strings.Contains(v.Attention[0].Reason, "Sold Out") || len(v.RunningEffects) != 2 {
				s.t.Errorf("attention %+v, running %+v; want the rejected effect and the effect behind it", v.Attention, v.RunningEffects)
			}
			retryEffect(s)
		}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			s := newFixture(t)
			b, names := withMissing(s, exchange.RequestSetAccount, exchange.RequestCreateContacts, exchange.RequestFillInvoice)
			c.prepare(b)
			s.at(time.Second, func() { s.update("p", "progress", to("Opportunity")) })
			s.at(time.Minute, func() {
				if c.at != nil {
					c.at(s, b)
				}
			})
			s.at(30*time.Minute, func() {
				if got := b.doneCounts(names); !slices.Equal(got, []int{1, 1, 1}) {
					t.Errorf("the effects were done %v times, want each once", got)
				}
				if got := s.tms.executions(); c.requests > 0 && got != c.requests {
					t.Errorf("%d requests, want %d", got, c.requests)
				}
				if v := s.view(); len(v.RunningEffects)+len(v.Attention) > 0 {
					t.Errorf("running %+v, attention %+v", v.RunningEffects, v.Attention)
				}
			})
			s.winAt(time.Hour)
			s.run(start, nil)
		})
	}
}

func retryEffect(s *fixture) {
	s.env.SignalWorkflow("retry", opportunity.Retry{Request: s.view().RunningEffects[0].Key})
}

func loseFirst(commits bool) func(n int) (bool, bool) {
	return func(n int) (bool, bool) { return commits, n == 1 }
}

// A pause or a message that arrives while a request is under way comes before the next request that
// the response shows.
func TestWhatArrivesDuringARequestComesBeforeTheNextRequest(t *testing.T) {
	for name, send := range map[string]func(s *fixture){
		"a pause":   func(s *fixture) { s.env.SignalWorkflow("pause", map[string]string{"reason": "look"}) },
		"a message": func(s *fixture) { s.env.SignalWorkflow("addInterests", add(1)) },
		"nothing":   func(*fixture) {},
	} {
		t.Run(name, func(t *testing.T) {
			s := newFixture(t)
			b, names := withMissing(s, exchange.RequestCreateAccount)
			account := b.resources[names[0]]
			account.required, account.next = 2, &exchange.EffectRequest{Kind: exchange.RequestSetAccount, Target: "T3JnYW5pc2F0aW9uOjE="}
			sent := false
			b.lost = func(int) (bool, bool) {
				if !sent {
					sent = true
					send(s)
				}
				return false, false
			}
			s.at(time.Second, func() { s.update("p", "progress", to("Opportunity")) })
			s.at(time.Minute, func() {
				switch name {
				case "a pause":
					if account.done != 1 {
						t.Errorf("%d requests during the pause, want 1", account.done)
					}
					s.env.SignalWorkflow("resume", nil)
				case "nothing":
					if got := s.tms.inspections(); got != 2 {
						t.Errorf("%d inspections, want 2", got)
					}
				}
			})
			s.winAt(time.Hour)
			s.run(start, nil)
			if name == "a message" {
				s.wantLog("create", "progress Opportunity", "do effect-0", "interest 1", "do effect-0", "progress Won")
			}
			if account.done != 2 {
				t.Errorf("%d requests, want 2", account.done)
			}
		})
	}
}
