package workflows_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/oppflow/oppflow/opportunity"
)

// unansweredProposal returns an opportunity with the reminders of the example playbook. The
// opportunity has no contact who could receive the reminders. The first reminder is due on
// 2041-12-02.
func unansweredProposal(t *testing.T) *tenantFixture {
	h := newTenantFixture(t, example(t, "reminders"))
	h.at(time.Hour, func() { h.update("p", "progress", to("Proposed")) })
	return h
}

// blockedMail returns the key of the one mail that waits for an operator.
func (h *tenantFixture) blockedMail() string {
	h.t.Helper()
	view := h.view()
	if len(view.RunningEffects) != 1 || view.RunningEffects[0].Problem == "" || len(h.attention()) != 1 || h.attention()[0] != "effect" {
		h.t.Fatalf("active effects %+v, attention %v; want one mail that waits", view.RunningEffects, h.attention())
	}
	return view.RunningEffects[0].Key
}

func (h *tenantFixture) wantMailsOn(want ...string) {
	h.t.Helper()
	outbox, err := h.sandbox.Outbox(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	var got []string
	for _, mail := range outbox {
		got = append(got, mail.SentAt.Format(time.DateOnly))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		h.t.Errorf("mails (-want +got):\n%s", diff)
	}
}

const day = 24 * time.Hour

// An opportunity does not become Lost while its customer has received no reminder. After the first
// reminder is sent, the later reminders are sent at their usual intervals.
func TestRemindersWaitForAMailThatWasNotSent(t *testing.T) {
	h := unansweredProposal(t)
	h.at(21*day, func() { // 2041-12-16, a Monday
		h.wantMailsOn()
		key := h.blockedMail()
		view := h.view()
		if reason := view.Attention[0].Reason; view.Step.Name != "Proposed" || len(view.FollowUps) != 3 ||
			!strings.Contains(reason, `the mail "First Aid: are you still interested?" was not sent: the opportunity has no contact`) ||
			!strings.HasSuffix(reason, "The later follow-ups of this series wait for this answer") {
			t.Errorf("in step %s with %d planned follow-ups: %s", view.Step.Name, len(view.FollowUps), reason)
		}
		h.setPeople()
		h.update("r", "retry", opportunity.Retry{Request: key})
	})
	h.run(opportunity.Start{Name: "First Aid", Region: "UK"}, nil)
	h.wantDone("p", "r")
	h.wantMailsOn("2041-12-16", "2041-12-18", "2041-12-20")
	if ended, now := h.ended(), h.env.Now().Format(time.DateOnly); ended.State != opportunity.Lost || now != "2041-12-24" {
		t.Errorf("it ended on %s as %+v", now, ended)
	}
}

// An operator may skip a mail of a series of follow-ups. After a skipped mail, Oppflow also skips
// the end of the series, because the end is for customers who received every mail.
func TestTheEndIsLeftOutAfterASkippedMail(t *testing.T) {
	h := unansweredProposal(t)
	h.at(21*day, func() {
		h.setPeople()
		h.update("s", "skip", opportunity.Skip{Request: h.blockedMail(), Reason: "we talked"})
	})
	h.at(60*day, func() {
		h.wantMailsOn("2041-12-18", "2041-12-20")
		view := h.view()
		if view.Step.Name != "Proposed" || len(view.FollowUps) != 0 || len(view.SkippedFollowUps) != 1 ||
			!strings.HasSuffix(view.SkippedFollowUps[0].Key, "/then") || view.SkippedFollowUps[0].Reason != opportunity.SkippedNotSent {
			t.Errorf("in step %s, planned %+v, skipped %+v", view.Step.Name, view.FollowUps, view.SkippedFollowUps)
		}
		h.update("l", "progress", to("Lost"))
	})
	h.run(opportunity.Start{Name: "First Aid", Region: "UK"}, nil)
	h.wantDone("p", "s", "l")
}

// A mail was due before the opportunity was lost. The first retry of the mail sends nothing, and
// asks the operator again.
func TestARetryAfterTheEndAsksFirst(t *testing.T) {
	for name, c := range map[string]struct {
		message opportunity.OperatorCommand
		mails   []string
	}{
		"retry": {opportunity.Retry{}, []string{"2041-12-07"}},
		"skip":  {opportunity.Skip{Reason: "too late"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			h := unansweredProposal(t)
			var key string
			h.at(10*day, func() {
				key = h.blockedMail()
				h.setPeople()
				h.update("l", "progress", to("Lost"))
			})
			h.at(11*day, func() { h.update("r", "retry", opportunity.Retry{Request: key}) })
			h.at(12*day, func() {
				h.wantMailsOn()
				if got := h.blockedMail(); got != key {
					t.Errorf("%s waits, want %s", got, key)
				}
				if reason := h.view().Attention[0].Reason; !strings.Contains(reason, `the opportunity moved to step "Lost" after the mail became due`) {
					t.Errorf("attention: %s", reason)
				}
				switch message := c.message.(type) {
				case opportunity.Retry:
					message.Request = key
					h.update("again", "retry", message)
				case opportunity.Skip:
					message.Request = key
					h.update("again", "skip", message)
				}
			})
			h.run(opportunity.Start{Name: "First Aid", Region: "UK"}, nil)
			h.wantDone("l", "r", "again")
			h.wantMailsOn(c.mails...)
		})
	}
}
