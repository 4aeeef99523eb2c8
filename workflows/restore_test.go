package workflows_test

import (
	"fmt"
	"testing"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/entity"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

func fixtureAfterRestore(t *testing.T, over *fakeTMS, epoch string) *fixture {
	t.Helper()
	s := newFixtureOver(t, over)
	s.knownRun = "the run"
	s.tms.run = activities.EpochRunID(epoch, s.knownRun)
	return s
}

// The previous run has the same id in all tests.
func (s *fixture) carriedState() *entity.State {
	state := s.continued()
	_, epoch := activities.SplitEpochRunID(state.PreviousRunID)
	state.PreviousRunID = activities.EpochRunID(epoch, "the run before")
	return state
}

// backupState returns the state of a run at the time of a backup. At this time, the message
// order-77 waits because of a pause.
func (s *fixture) backupState() *entity.State {
	s.at(2*time.Second, func() {
		s.env.SignalWorkflow("pause", opportunity.Pause{Reason: "backup"})
		s.env.SignalWorkflow("addInterests", orderCommand("order-77", 2))
	})
	s.at(3*time.Second, func() {
		s.env.SetContinueAsNewSuggested(true)
		s.env.SignalWorkflow("refresh", opportunity.Refresh{})
	})
	s.run(start, nil)
	return s.carriedState()
}

func orderCommand(id string, n int) opportunity.AddInterests {
	c := addIn(n)
	c.RequestID = id
	return c
}

// The view shows the changes that were made after the backup, and the run makes none of these
// changes again. Some messages that request these changes waited at the time of the backup. A
// caller sends the other messages once more.
func TestNothingIsDoneTwiceAfterARestore(t *testing.T) {
	first := newFixture(t)
	first.at(time.Second, func() { first.update("order-76", "addInterests", addIn(1)) })
	backup := first.backupState()

	lost := newFixtureOver(t, first.tms)
	lost.at(time.Second, func() { lost.update("resume", "resume", opportunity.Resume{}) })
	lost.at(2*time.Second, func() { lost.update("order-78", "addInterests", orderCommand("order-78", 3)) })
	lost.at(time.Minute, lost.env.CancelWorkflow)
	lost.run(nil, backup)
	made := []string{"create", "interest 1", "interest 2", "interest 3"}
	lost.wantLog(made...)

	over := lost.tms
	for _, c := range []struct {
		answer string
		log    []string
	}{
		{"confirm", made},
		{"skip", made},
		{"retry", append(append([]string{}, made...), "interest 3")},
	} {
		s := fixtureAfterRestore(t, over, "second")
		s.at(time.Second, func() { s.env.SignalWorkflow("refresh", opportunity.Refresh{}) })
		s.at(2*time.Second, func() {
			if v := s.view(); len(v.Interests) != 3 {
				t.Errorf("%s: %d interests are shown; the record has 3", c.answer, len(v.Interests))
			}
			s.update("resume", "resume", opportunity.Resume{})
		})
		s.at(3*time.Second, func() { s.env.SignalWorkflow("addInterests", orderCommand("order-78", 3)) })
		s.at(time.Minute, func() {
			s.wantLog(made...)
			if outcome, err := s.outcomeOf(lifecycle.OutcomeInput{RequestID: "order-77"}); err != nil || outcome.State != opportunity.Done {
				t.Errorf("%s: order-77 is %+v, %v; want done", c.answer, outcome, err)
			}
			v := s.view()
			if v.Question == nil || v.Question.Request != "order-78" {
				t.Fatalf("%s: the question is %+v; want one about order-78", c.answer, v.Question)
			}
			switch c.answer {
			case "confirm":
				s.update("answer", "confirm", opportunity.Confirm{Request: "order-78"})
			case "skip":
				s.update("answer", "skip", opportunity.Skip{Request: "order-78", Reason: "asked twice"})
			case "retry":
				s.update("answer", "retry", opportunity.Retry{Request: "order-78"})
			}
		})
		s.at(2*time.Minute, func() {
			s.wantDone("answer")
			s.wantLog(c.log...)
			s.update("another", "addInterests", addIn(3)) // the question is raised only once
		})
		s.at(3*time.Minute, func() { s.wantDone("another"); s.wantLog(append(c.log, "interest 3")...) })
		s.winAt(4 * time.Minute)
		s.run(nil, backup)
		if v := s.view(); v.Failures != 0 && c.answer != "skip" {
			t.Errorf("%s: %d failures", c.answer, v.Failures)
		}
	}
}

// A run that the restore brings back is closed or cancelled in the first workflow task after the
// restore. A message that was executed after the backup is still reported done.
func TestARestoredRunThatEndsAtOnceReportsWhatWasDone(t *testing.T) {
	for name, end := range map[string]func(s *fixture){
		"closed":    func(s *fixture) { s.env.SignalWorkflow("close", opportunity.Close{Reason: "sold elsewhere"}) },
		"cancelled": func(s *fixture) { s.env.CancelWorkflow() },
	} {
		t.Run(name, func(t *testing.T) {
			first := newFixture(t)
			backup := first.backupState()

			lost := newFixtureOver(t, first.tms)
			lost.at(time.Second, func() { lost.update("resume", "resume", opportunity.Resume{}) })
			lost.at(time.Minute, lost.env.CancelWorkflow)
			lost.run(nil, backup)
			lost.wantLog("create", "interest 2")

			s := fixtureAfterRestore(t, lost.tms, "second")
			s.info = func(i *workflow.Info) { i.WorkflowExecution.RunID = s.knownRun } // the run was not reset
			s.at(time.Second, func() {
				s.env.SignalWorkflow("refresh", opportunity.Refresh{})
				s.env.SignalWorkflow("addInterests", orderCommand("order-78", 3)) // a new command, which is not executed any more
				end(s)
			})
			s.run(nil, backup)
			s.wantLog("create", "interest 2")
			for request, want := range map[string]opportunity.OutcomeState{"order-77": opportunity.Done, "order-78": opportunity.Failed} {
				if outcome, err := s.outcomeOf(lifecycle.OutcomeInput{RequestID: request}); err != nil || outcome.State != want {
					t.Errorf("%s is %+v, %v; want %s", request, outcome, err, want)
				}
			}
		})
	}
}

// The next run knows the epoch, so the run is compared with the record only once for each restore.
func TestARunIsComparedOnceForEachRestore(t *testing.T) {
	first := newFixture(t)
	first.at(time.Second, func() { first.env.SetContinueAsNewSuggested(true); first.env.SignalWorkflow("addInterests", addIn(1)) })
	first.run(start, nil)
	state := first.carriedState()
	for n, epoch := range []string{"second", "second", "third"} {
		s := fixtureAfterRestore(t, first.tms, epoch)
		s.tms.calls = nil
		s.at(time.Second, func() { s.update(fmt.Sprint("i", n), "addInterests", addIn(2)) })
		s.at(2*time.Second, func() {
			s.wantDone(fmt.Sprint("i", n))
			s.env.SetContinueAsNewSuggested(true)
			s.update("r", "refresh", opportunity.Refresh{})
		})
		s.run(nil, state)
		next := s.carriedState()
		_, known := activities.SplitEpochRunID(state.PreviousRunID)
		reads := 0
		for _, call := range s.tms.calls {
			if call == activities.ReadOpportunity {
				reads++
			}
		}
		want := 0
		if known != epoch {
			want++
		}
		if reads != want {
			t.Errorf("%s: the record is read %d times; want %d", epoch, reads, want)
		}
		if _, epochNow := activities.SplitEpochRunID(next.PreviousRunID); epochNow != epoch {
			t.Errorf("the epoch handed over is %q; want %q", epochNow, epoch)
		}
		state, first = next, s
	}
}

// If a caller repeats a start that the restored database does not contain, the new run finds the
// existing record.
func TestAStartAfterARestoreFindsItsRecord(t *testing.T) {
	first := newFixture(t)
	first.at(time.Second, func() { first.env.SignalWorkflow("addInterests", addIn(1)) })
	first.at(time.Minute, first.env.CancelWorkflow)
	first.run(start, nil)
	s := fixtureAfterRestore(t, first.tms, "second")
	s.at(10*time.Second, func() {
		if v := s.view(); v.Opportunity == "" || len(v.Interests) != 1 {
			t.Errorf("the record is %q with %d interests; want the one that there is, with 1", v.Opportunity, len(v.Interests))
		}
	})
	s.winAt(5 * time.Minute)
	s.run(start, nil)
	if s.tms.creates != 0 {
		t.Error("another record was created")
	}
}

// A mail of a follow-up became due after the backup, and was sent. After the restore, only the
// timer of the follow-up wakes the run. An operator decides about the mail.
func TestAFollowUpFromBeforeARestoreIsNotSentAgain(t *testing.T) {
	first := newFixture(t)
	followUps(first, emailFollowUp)
	first.at(3*time.Second, func() {
		first.env.SetContinueAsNewSuggested(true)
		first.env.SignalWorkflow("refresh", opportunity.Refresh{})
	})
	first.run(start, nil)
	backup := first.carriedState()

	lost := newFixtureOver(t, first.tms)
	followUps(lost, emailFollowUp)
	lost.at(3*time.Hour, lost.env.CancelWorkflow)
	lost.run(nil, backup)
	sent := []string{"create", "do mail"}
	lost.wantLog(sent...)

	s := fixtureAfterRestore(t, lost.tms, "second")
	s.env.SetStartTime(startTime.Add(4 * time.Hour))
	followUps(s, emailFollowUp)
	s.at(time.Hour, func() {
		s.wantLog(sent...)
		v := s.view()
		if len(v.RunningEffects) != 1 || len(v.Attention) != 1 || v.Attention[0].Kind != opportunity.AttentionEffect {
			t.Fatalf("effects %+v, attention %+v; want a question about the mail", v.RunningEffects, v.Attention)
		}
		s.update("answer", "confirm", opportunity.Confirm{Request: v.RunningEffects[0].Key})
	})
	s.at(2*time.Hour, func() { s.wantDone("answer"); s.wantLog(sent...) })
	s.winAt(3 * time.Hour)
	s.run(nil, backup)
}
