package workflows_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/workflows"
)

func TestStoryByUpdates(t *testing.T) {
	s := newFixture(t)
	s.at(0, func() { s.update("open", "opened", lifecycle.CreateOutcomeInput{Start: &start}) })
	s.at(1*time.Second, func() { s.update("u", "updateDetails", opportunity.UpdateDetails{Currency: "USD"}) })
	s.at(2*time.Second, func() { s.update("i", "addInterests", add(1, 2)) })
	s.at(3*time.Second, func() { s.update("r", "addInterests", reserved(3)) })
	s.at(4*time.Second, func() { s.update("p", "progress", to("Opportunity")) })
	s.at(5*time.Second, func() { s.update("again", "progress", to("Opportunity")) })
	s.at(6*time.Second, func() { s.update("won", "progress", to("Won")) })
	s.run(start, nil)

	s.wantDone("u", "i", "r", "p", "won")
	s.wantLog("create", "update USD", "interest 1", "interest 2", "interest 3", "extend", "progress Opportunity", "progress Won")
	if got := s.results["open"].opened; got.State != opportunity.Done || got.Opportunity != id("Opportunity", 2) || got.Step.Name != "Proposed" || got.Step.Stage.State != opportunity.Open {
		t.Errorf("opened: got %+v", got)
	}
	if got := s.results["again"].outcome; got.State != opportunity.Failed || got.Error.Type != opportunity.TransitionNotFound || got.Error.Label != "Transition Not Found" {
		t.Errorf("the same move again: got %+v; want the documented refusal", got)
	}
	if got := s.results["r"].outcome.Results[0]; got.Interest != id("OpportunityInterest", 3) || got.ReservedUntil == nil {
		t.Errorf("reserved interest: got %+v; want its id and until when its places are held", got)
	}
	var ended opportunity.RunResult
	if err := s.env.GetWorkflowResult(&ended); err != nil {
		t.Fatal(err)
	}
	if ended.State != opportunity.Won || ended.Interests != 3 || ended.Total.String() != "1199.40" || ended.FailedRequests != 1 {
		t.Errorf("result: got %+v", ended)
	}
	// A single command is one request, and no activity reads data that a response already contained.
	want := []string{"CreateOpportunity", "ApplyCommands", "ApplyCommands", "ApplyCommands", "ApplyCommands", "ApplyCommands", "ApplyCommands"}
	if diff := cmp.Diff(want, s.tms.calls); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestSignalsTakeEffectInTheOrderTheyCame(t *testing.T) {
	s := newFixture(t)
	s.at(0, func() { // all in one workflow task, before the record exists
		s.env.SignalWorkflow("updateDetails", opportunity.UpdateDetails{Name: "a"})
		s.env.SignalWorkflow("addInterests", add(1))
		s.env.SignalWorkflow("progress", to("Opportunity"))
		s.env.SignalWorkflow("addInterests", add(2, 3))
		s.env.SignalWorkflow("updateDetails", opportunity.UpdateDetails{Name: "b"})
		s.env.SignalWorkflow("progress", to("Won"))
		s.env.SignalWorkflow("addInterests", add(4))
	})
	s.run(start, nil)
	s.wantLog("create", "update a", "interest 1", "progress Opportunity", "interest 2", "interest 3", "update b", "progress Won", "interest 4")
	if got := len(s.tms.batches); got != 3 {
		t.Errorf("%d requests; want 3: what waits together travels together, and a move ends its request", got)
	}
}

func TestInterestsOfTheStartComeFirst(t *testing.T) {
	s := newFixture(t)
	with := start
	with.Interests = add(1, 2).Interests
	s.at(0, func() { s.env.SignalWorkflow("addInterests", add(3)) })
	s.winAt(time.Second)
	s.run(with, nil)
	s.wantLog("create", "interest 1", "interest 2", "interest 3", "progress Opportunity", "progress Won")
}

func TestAnswersAllInterests(t *testing.T) {
	s := newFixture(t)
	s.tms.answersAllInterests = true
	s.at(time.Second, func() { s.update("1", "addInterests", add(1, 2)) })
	s.at(2*time.Second, func() { s.update("2", "addInterests", add(3)) })
	s.winAt(3 * time.Second)
	s.run(start, nil)
	s.wantDone("1", "2")
	if got := s.results["1"].outcome.Results; got[0].Interest != id("OpportunityInterest", 1) || got[1].Interest != id("OpportunityInterest", 2) {
		t.Errorf("ids of interests: got %+v", got)
	}
	if got := s.results["2"].outcome.Results[0].Interest; got != id("OpportunityInterest", 3) {
		t.Errorf("id of the third interest: got %s", got)
	}
}

func TestRequestIDTakesEffectOnce(t *testing.T) {
	s := newFixture(t)
	named := add(1)
	named.RequestID = "order-7"
	s.at(1*time.Second, func() {
		s.env.SignalWorkflow("addInterests", named)
		s.env.SignalWorkflow("addInterests", named)
		s.update("a", "addInterests", named)
	})
	s.at(2*time.Second, func() { s.update("b", "addInterests", named) })
	s.at(3*time.Second, func() {
		other := add(2)
		other.RequestID = "order-7"
		s.update("c", "addInterests", other)
		s.env.SignalWorkflow("addInterests", other)
		moved := to("Won")
		moved.RequestID = "order-7"
		s.update("d", "progress", moved)
	})
	s.at(4*time.Second, func() {
		got := s.view()
		if len(got.Attention) != 1 || got.Attention[0].Kind != opportunity.AttentionFailed && got.Attention[0].Kind != opportunity.AttentionMessage {
			t.Errorf("attention: got %+v; want the refused signal", got.Attention)
		}
	})
	s.winAt(5 * time.Second)
	s.run(start, nil)
	s.wantDone("a", "b")
	s.wantRefused("c", opportunity.Conflict)
	s.wantRefused("d", opportunity.Conflict)
	s.wantLog("create", "interest 1", "progress Opportunity", "progress Won")
	if s.results["b"].outcome.Results[0].Interest != s.results["a"].outcome.Results[0].Interest {
		t.Error("the repeated request was answered differently")
	}
}

func TestMessagesThatCannotBeReadNeverVanish(t *testing.T) {
	s := newFixture(t)
	s.at(time.Second, func() {
		s.env.SignalWorkflow("addInterest", add(1))                                        // misspelt
		s.env.SignalWorkflow("addInterests", map[string]any{"interest": []int{1}})         // unknown member
		s.env.SignalWorkflow("progress", "Won")                                            // no object
		s.env.SignalWorkflow("progress", nil)                                              // nothing
		s.env.SignalWorkflow("progress", []byte{1, 2, 3})                                  // not JSON at all
		s.env.SignalWorkflow("updateDetails", opportunity.UpdateDetails{RequestID: "#17"}) // an id of Oppflow
		s.env.SignalWorkflow("addInterests", map[string]any{"interests": []any{map[string]any{
			"item": id("CourseTemplate", 11), "quantity": 1, "unitAmount": "1.00",
			"learners": []any{map[string]any{"firstName": "Melissa", "lastName": "Green", "email": "melissa"}},
		}}})
		s.env.SignalWorkflow("addInterests", add(9))
	})
	s.at(2*time.Second, func() {
		view := s.view()
		if view.Failures != 7 || len(view.Attention) != 7 {
			t.Errorf("got %d failures and %d attentions; want 7 of both", view.Failures, len(view.Attention))
		}
		text, err := json.Marshal(view)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(strings.ToLower(string(text)), "melissa") {
			t.Error("the view names a learner")
		}
	})
	s.winAt(3 * time.Second)
	s.run(start, nil)
	s.wantLog("create", "interest 9", "progress Opportunity", "progress Won")
}

func TestUpdatesAreRefusedBeforeTheyAreWritten(t *testing.T) {
	s := newFixture(t)
	other := start
	other.Region = "US"
	s.at(time.Second, func() {
		s.update("empty", "addInterests", opportunity.AddInterests{})
		s.update("amount", "addInterests", map[string]any{"interests": []any{map[string]any{"item": id("Course", 1), "quantity": 1, "unitAmount": 199.90}}})
		s.update("unknown", "progress", map[string]any{"to": "Won", "force": true})
		s.update("open", "opened", lifecycle.CreateOutcomeInput{Start: &other})
		s.update("retry", "retry", opportunity.Retry{Request: "x"})
	})
	s.winAt(2 * time.Second)
	s.run(start, nil)
	s.wantRefused("empty", opportunity.Invalid)
	s.wantRefused("amount", opportunity.Invalid)
	s.wantRefused("unknown", opportunity.Invalid)
	s.wantRefused("open", opportunity.Conflict)
	s.wantRefused("retry", opportunity.NotFound)
	s.wantLog("create", "progress Opportunity", "progress Won")
}

func resultWithStatus(t exchange.ChangeStatus) *activities.ApplyResult {
	return &activities.ApplyResult{CallResult: activities.CallResult{Status: t}}
}

func TestNotSentIsSentAgainAndNobodyIsCharged(t *testing.T) {
	s := newFixture(t)
	s.tms.apply = func(n int, _ activities.ApplyInput) (bool, *activities.ApplyResult, error) {
		if n > 8 {
			return true, nil, nil
		}
		return false, &activities.ApplyResult{CallResult: activities.CallResult{Status: exchange.StatusNotSent, Reason: activities.ReasonUnreachable}}, nil
	}
	told := false
	s.at(time.Second, func() { s.env.SignalWorkflow("addInterests", add(1)) })
	s.at(2*time.Minute, func() {
		for _, a := range s.view().Attention {
			told = told || a.Kind == opportunity.AttentionAPI
		}
	})
	s.at(30*time.Minute, func() {
		if view := s.view(); len(view.Attention) > 0 || view.Failures > 0 {
			t.Errorf("after the API came back: %d failures, attention %+v", view.Failures, view.Attention)
		}
	})
	s.winAt(31 * time.Minute)
	s.run(start, nil)
	s.wantLog("create", "interest 1", "progress Opportunity", "progress Won")
	if !told {
		t.Error("nobody was told that the API is out of reach")
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	s := newFixture(t)
	var sent []time.Time
	s.tms.apply = func(n int, _ activities.ApplyInput) (bool, *activities.ApplyResult, error) {
		sent = append(sent, s.env.Now())
		if n > 1 {
			return true, nil, nil
		}
		return false, &activities.ApplyResult{CallResult: activities.CallResult{Status: exchange.StatusNotSent, Reason: activities.ReasonRateLimit, RetryAfter: 4 * time.Minute}}, nil
	}
	s.winAt(time.Second)
	s.run(start, nil)
	if wait := sent[1].Sub(sent[0]); wait < 4*time.Minute {
		t.Errorf("sent again after %s; the API asked for 4 minutes", wait)
	}
}

func TestRefusedDocumentIsSentOneByOne(t *testing.T) {
	s := newFixture(t)
	s.tms.apply = func(_ int, in activities.ApplyInput) (bool, *activities.ApplyResult, error) {
		for _, m := range in.Changes {
			if m.Interest != nil && m.Interest.Quantity == 2 {
				return false, &activities.ApplyResult{CallResult: activities.CallResult{
					Status: exchange.StatusRejected, Error: &opportunity.Error{Type: opportunity.Rejected, Label: "Request Refused"},
				}}, nil
			}
		}
		return true, nil, nil
	}
	s.at(0, func() {
		s.update("good", "addInterests", add(1))
		s.update("mixed", "addInterests", add(5, 2, 6))
		s.update("after", "addInterests", add(7))
	})
	s.winAt(time.Minute)
	s.run(start, nil)
	s.wantLog("create", "interest 1", "interest 5", "interest 6", "interest 7", "progress Opportunity", "progress Won")
	s.wantDone("good", "mixed", "after")
	if got := s.results["mixed"].outcome.Results; got[0].Error != nil || got[1].Error == nil || got[2].Error != nil {
		t.Errorf("results: got %+v; want only the second to fail", got)
	}
}

func TestAddInterestsFailsOnlyWhenNoneIsAdded(t *testing.T) {
	s := newFixture(t)
	s.at(time.Second, func() {
		s.update("some", "addInterests", add(1, 13))
		s.update("none", "addInterests", add(13, 13))
	})
	s.winAt(time.Minute)
	s.run(start, nil)
	s.wantDone("some")
	if got := s.results["none"].outcome; got.State != opportunity.Failed || got.Error.Label != "Sold Out" || len(got.Results) != 2 {
		t.Errorf("none stands: got %+v", got)
	}
}

func TestNamesAreResolvedOnce(t *testing.T) {
	s := newFixture(t)
	won := exchange.UnresolvedName{Type: opportunity.TypeStep, Text: "Won"}
	s.tms.names[won] = steps[2].ID
	s.tms.names[exchange.UnresolvedName{Type: opportunity.TypeStep, Text: "Opportunity"}] = steps[1].ID
	s.tms.apply = func(_ int, in activities.ApplyInput) (bool, *activities.ApplyResult, error) {
		for i, m := range in.Changes {
			for _, name := range m.Names() {
				found := false
				for _, one := range in.ResolvedNames {
					if found = one.UnresolvedName == name; found {
						in.Changes[i].Progress = &opportunity.Progress{To: string(one.ID)}
						break
					}
				}
				if !found {
					return false, &activities.ApplyResult{CallResult: activities.CallResult{
						Status: exchange.StatusNotSent, Reason: activities.ReasonUnresolvedNames, MissingNames: []exchange.UnresolvedName{name},
					}}, nil
				}
			}
		}
		return true, nil, nil
	}
	s.at(time.Second, func() {
		s.update("nowhere", "progress", to("Nowhere"))
		s.env.SignalWorkflow("progress", to("Opportunity"))
		s.env.SignalWorkflow("progress", to("Opportunity"))
		s.env.SignalWorkflow("progress", to("Won"))
	})
	s.run(start, nil)
	s.wantLog("create", "progress Opportunity", "progress Won")
	if got := s.results["nowhere"].outcome; got.State != opportunity.Failed || got.Error.Type != opportunity.NotFound {
		t.Errorf("unknown step: got %+v", got)
	}
	if n := strings.Count(strings.Join(s.tms.calls, " "), activities.ResolveNames); n != 3 {
		t.Errorf("%d look-ups; want one for each of three names", n)
	}
}

func TestCancelAnswersWaitingCommandsAndReleasesTheReservation(t *testing.T) {
	s := newFixture(t)
	blocked := false
	s.tms.apply = func(_ int, in activities.ApplyInput) (bool, *activities.ApplyResult, error) {
		if in.Changes[0].Update != nil && !blocked {
			blocked = true
			return false, &activities.ApplyResult{CallResult: activities.CallResult{Status: exchange.StatusNotSent, Reason: activities.ReasonUnreachable, RetryAfter: time.Hour}}, nil
		}
		return true, nil, nil
	}
	s.at(1*time.Second, func() { s.update("r", "addInterests", reserved(2)) })
	s.at(2*time.Second, func() {
		s.update("u", "updateDetails", opportunity.UpdateDetails{Currency: "USD"})
		s.env.SignalWorkflow("progress", to("Opportunity"))
	})
	s.at(10*time.Second, s.env.CancelWorkflow)
	s.run(start, nil)
	var cancelled *temporal.CanceledError
	if err := s.env.GetWorkflowError(); !errors.As(err, &cancelled) {
		t.Errorf("got %v; want Canceled", err)
	}
	s.wantLog("create", "interest 2", "extend", "release")
	if got := s.results["u"].outcome; got.State != opportunity.Failed || got.Error.Type != opportunity.Closed {
		t.Errorf("the update that waited: got %+v; want it failed as Closed", got)
	}
	if view := s.view(); view.Step.Name != "Proposed" || len(view.Queue) != 0 || view.Failures != 2 {
		t.Errorf("view: got %+v", view)
	}
}

func TestAWorkerWithoutTheInterceptorEndsNothing(t *testing.T) {
	env := newEnvironment(t)
	env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: lifecycle.WorkflowID("A-1")})
	workflows.Register(env, workflows.Options{})
	env.ExecuteWorkflow(lifecycle.WorkflowType, start)
	var panicked *temporal.PanicError
	if err := env.GetWorkflowError(); !errors.As(err, &panicked) {
		t.Errorf("got %v; want the task to fail", err)
	}
}

// Consecutive updates share a timer, and each update still returns after its own twenty seconds.
func TestUpdatesAreAnsweredInTime(t *testing.T) {
	s := newFixture(t)
	timers := 0
	s.env.SetOnTimerScheduledListener(func(string, time.Duration) { timers++ })
	s.tms.apply = func(n int, _ activities.ApplyInput) (bool, *activities.ApplyResult, error) {
		if n <= 3 {
			return true, nil, nil
		}
		return false, &activities.ApplyResult{CallResult: activities.CallResult{
			Status: exchange.StatusNotSent, Reason: activities.ReasonUnreachable, RetryAfter: 24 * time.Hour,
		}}, nil
	}
	for n := range 3 {
		s.at(time.Duration(n+1)*time.Second, func() { s.update(fmt.Sprint(n), "addInterests", add(n+1)) })
	}
	sent := map[string]time.Time{}
	for _, n := range []int{7, 13, 26} {
		s.at(time.Duration(n)*time.Second, func() {
			id := fmt.Sprint("late ", n)
			sent[id] = s.env.Now()
			s.update(id, "addInterests", add(n))
		})
	}
	for n := range 120 {
		s.at(time.Duration(n)*500*time.Millisecond, func() {
			for id, at := range sent {
				waited := s.env.Now().Sub(at)
				if done := s.results[id].done; done != (waited >= 20*time.Second) && (waited < 20*time.Second || waited > 22*time.Second) {
					t.Errorf("%s after %s: answered %t", id, waited, done)
				}
			}
		})
	}
	s.at(2*time.Minute, s.env.CancelWorkflow)
	s.run(start, nil)
	s.wantDone("0", "1", "2")
	for id := range sent {
		if got := s.results[id]; got.outcome.State != opportunity.Pending {
			t.Errorf("%s: got %+v; want pending", id, got)
		}
	}
	if timers > 6 { // one from the first update, one for each late update, one to send again
		t.Errorf("%d timers for 6 updates and a pause", timers)
	}
}

// A caller that sends a request again waits for the outcome of the request, so the run raises no
// attention if the request fails. The first message of the request may be an update that returned
// the outcome pending, or a signal.
func TestAskingAgainIsWaiting(t *testing.T) {
	s := newFixture(t)
	s.tms.apply = func(n int, _ activities.ApplyInput) (bool, *activities.ApplyResult, error) {
		if n > 1 {
			return true, nil, nil
		}
		return false, &activities.ApplyResult{CallResult: activities.CallResult{Status: exchange.StatusNotSent, Reason: activities.ReasonUnreachable, RetryAfter: time.Minute}}, nil
	}
	wrong := opportunity.Progress{To: "Won", RequestID: "wrong"}
	signalled := opportunity.Progress{To: "Won", RequestID: "signalled"}
	forgotten := opportunity.Progress{To: "Won", RequestID: "forgotten"}
	s.at(time.Second, func() { s.update("first", "progress", wrong) })
	s.at(2*time.Second, func() {
		s.env.SignalWorkflow("progress", signalled)
		s.env.SignalWorkflow("progress", forgotten)
	})
	s.at(50*time.Second, func() {
		s.update("again", "progress", wrong)
		s.update("asked", "progress", signalled)
	})
	s.at(5*time.Minute, func() {
		if got := s.view().Attention; len(got) != 1 || got[0].Request != "forgotten" {
			t.Errorf("attention: %+v", got)
		}
	})
	s.winAt(10 * time.Minute)
	s.run(start, nil)
	if got := s.results["first"].outcome.State; got != opportunity.Pending {
		t.Errorf("the first answer is %s; the test shows nothing", got)
	}
	for _, id := range []string{"again", "asked"} {
		if got := s.results[id]; got.outcome.Error == nil || got.outcome.Error.Type != opportunity.TransitionNotFound {
			t.Errorf("%s is answered %+v", id, got)
		}
	}
}
