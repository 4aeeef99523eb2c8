package cli_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.temporal.io/api/serviceerror"

	"github.com/oppflow/oppflow/opportunity"
)

func TestCommandsSendTheMessagesOfTheContract(t *testing.T) {
	done := opportunity.Outcome{RequestID: "r-1", State: opportunity.Done}
	const workflow = "opportunity/lead-1"
	for _, test := range []struct {
		args   []string
		answer any
		want   message
		stdout string
	}{
		{
			[]string{"start", "lead-1", "--name", "First Aid course", "--region", "UK"},
			opportunity.CreateOutcome{State: opportunity.Done, Reference: "lead-1", Opportunity: "T3Bwb3J0dW5pdHk6Mg=="},
			message{"update with start", workflow, "opened", `{"start":{"name":"First Aid course","region":"UK"}}`},
			"T3Bwb3J0dW5pdHk6Mg==",
		},
		{
			[]string{"start", "lead-1", "--name", "n", "--region", "UK", "--account", "Administrate", "--currency", "USD", "--entry-step", "Proposed", "--request-id", "r", "--timeout", "500ms"},
			opportunity.CreateOutcome{State: opportunity.Pending, Reference: "lead-1"},
			message{"update with start", workflow, "opened", `{"start":{"requestId":"r","name":"n","region":"UK","account":"Administrate","currency":"USD","entryStep":"Proposed"}}`},
			"pending: the start of lead-1 is accepted, but the record does not exist yet; to see the outcome, run the same command again",
		},
		{
			[]string{"add-interest", "lead-1", "--request-id", "r-1", "--item", "ABC-123", "--kind", "course", "--amount", "199.90", "--learner", "Melissa Green <melissa@example.com>", "--learner", "Berg, Anna van den <anna@example.com>"},
			opportunity.Outcome{RequestID: "r-1", State: opportunity.Done, Results: []opportunity.InterestResult{{Interest: "T3Bwb3J0dW5pdHlJbnRlcmVzdDox", Item: "ABC-123"}}},
			message{"update", workflow, "addInterests", `{"requestId":"r-1","interests":[{"item":"ABC-123","kind":"course","quantity":1,"unitAmount":"199.90","learners":[
				{"firstName":"Melissa","lastName":"Green","email":"melissa@example.com"},{"firstName":"Anna van den","lastName":"Berg","email":"anna@example.com"}]}]}`},
			"interest T3Bwb3J0dW5pdHlJbnRlcmVzdDox  ABC-123  added",
		},
		{
			[]string{"add-interest", "lead-1", "--request-id", "r-1", "--item", "Q291cnNlOjE=", "--amount", "10", "--quantity", "3", "--reserve", "--contact", "UGVyc29uOjI=", "--contact", "UGVyc29uOjM=", "--tax", "VGF4OjE="},
			done,
			message{"update", workflow, "addInterests", `{"requestId":"r-1","interests":[{"item":"Q291cnNlOjE=","quantity":3,"unitAmount":"10.00","reserve":true,"contacts":["UGVyc29uOjI=","UGVyc29uOjM="],"tax":"VGF4OjE="}]}`},
			"done: lead-1, request r-1",
		},
		{
			[]string{"add-interest", "lead-1", "--request-id", "r-1", "--item", "Token", "--kind", "tokens", "--amount", "19.90", "--quantity", "10", "--expires-at", "2023-12-31T23:59:59", "--signal"},
			nil,
			message{"signal", workflow, "addInterests", `{"requestId":"r-1","interests":[{"item":"Token","kind":"tokens","quantity":10,"unitAmount":"19.90","expiresAt":"2023-12-31T23:59:59"}]}`},
			"sent: lead-1, request r-1",
		},
		{
			[]string{"update", "lead-1", "--account", "Administrate", "--currency", "USD", "--request-id", "r-1"},
			done,
			message{"update", workflow, "updateDetails", `{"requestId":"r-1","account":"Administrate","currency":"USD"}`},
			"done: lead-1, request r-1",
		},
		{
			[]string{"update", "lead-1", "--name", "n", "--request-id", "r-1", "--signal"},
			nil,
			message{"signal", workflow, "updateDetails", `{"requestId":"r-1","name":"n"}`},
			"sent: lead-1, request r-1",
		},
		{
			[]string{"progress", "lead-1", "--to", "Won", "--request-id", "r-1"},
			done,
			message{"update", workflow, "progress", `{"requestId":"r-1","to":"Won"}`},
			"done: lead-1, request r-1",
		},
		{
			[]string{"progress", "lead-1", "--to", "Won", "--request-id", "r-1", "--timeout", "500ms"},
			opportunity.Outcome{RequestID: "r-1", State: opportunity.Pending},
			message{"update", workflow, "progress", `{"requestId":"r-1","to":"Won"}`},
			"pending: request r-1 of lead-1 is accepted, but not done yet; see oppflow outcome lead-1 r-1",
		},
		{
			[]string{"progress", "lead-1", "--to", "Won", "--request-id", "r-1", "--signal"},
			nil,
			message{"signal", workflow, "progress", `{"requestId":"r-1","to":"Won"}`},
			"sent: lead-1, request r-1",
		},
		{
			[]string{"start", "lead-1", "--adopt", "T3Bwb3J0dW5pdHk6Mg=="},
			opportunity.CreateOutcome{State: opportunity.Done, Reference: "lead-1", Opportunity: "T3Bwb3J0dW5pdHk6Mg=="},
			message{"update with start", workflow, "opened", `{"start":{"adopt":"T3Bwb3J0dW5pdHk6Mg=="}}`},
			"T3Bwb3J0dW5pdHk6Mg==",
		},
		{
			[]string{"extend", "lead-1", "--until", "2026-12-31T17:00:00+01:00", "--request-id", "r-1"},
			done,
			message{"update", workflow, "extendReservations", `{"requestId":"r-1","until":"2026-12-31T17:00:00+01:00"}`},
			"done: lead-1, request r-1",
		},
		{
			[]string{"extend", "lead-1", "--until", "2026-12-31T17:00:00Z", "--request-id", "r-1", "--signal"},
			nil,
			message{"signal", workflow, "extendReservations", `{"requestId":"r-1","until":"2026-12-31T17:00:00Z"}`},
			"sent: lead-1, request r-1",
		},
		{
			[]string{"retry", "lead-1", "r-1", "--request-id", "o-1"},
			opportunity.Outcome{RequestID: "o-1", State: opportunity.Done},
			message{"update", workflow, "retry", `{"requestId":"o-1","request":"r-1"}`},
			"request r-1 of lead-1 is sent again; see oppflow outcome lead-1 r-1",
		},
		{
			[]string{"confirm", "lead-1", "r-1", "--request-id", "o-1"},
			opportunity.Outcome{RequestID: "o-1", State: opportunity.Done},
			message{"update", workflow, "confirm", `{"requestId":"o-1","request":"r-1"}`},
			"request r-1 of lead-1 is confirmed",
		},
		{
			[]string{"skip", "lead-1", "r-1", "--reason", "it is there", "--request-id", "o-1"},
			opportunity.Outcome{RequestID: "o-1", State: opportunity.Done},
			message{"update", workflow, "skip", `{"requestId":"o-1","request":"r-1","reason":"it is there"}`},
			"request r-1 of lead-1 is skipped",
		},
		{
			[]string{"skip", "lead-1", "r-1", "--reason", "it is there", "--request-id", "o-1", "--signal"},
			nil,
			message{"signal", workflow, "skip", `{"requestId":"o-1","request":"r-1","reason":"it is there"}`},
			"sent: lead-1, request o-1",
		},
		{
			[]string{"pause", "lead-1", "--reason", "being merged", "--request-id", "o-1"},
			opportunity.Outcome{RequestID: "o-1", State: opportunity.Done},
			message{"update", workflow, "pause", `{"requestId":"o-1","reason":"being merged"}`},
			"lead-1 is paused; end the pause with: oppflow resume lead-1",
		},
		{
			[]string{"pause", "lead-1", "--request-id", "o-1", "--signal"},
			nil,
			message{"signal", workflow, "pause", `{"requestId":"o-1"}`},
			"sent: lead-1, request o-1",
		},
		{
			[]string{"resume", "lead-1", "--request-id", "o-1"},
			opportunity.Outcome{RequestID: "o-1", State: opportunity.Done},
			message{"update", workflow, "resume", `{"requestId":"o-1"}`},
			"lead-1 is resumed",
		},
		{
			[]string{"refresh", "lead-1", "--request-id", "o-1", "--signal"},
			nil,
			message{"signal", workflow, "refresh", `{"requestId":"o-1"}`},
			"sent: lead-1, request o-1",
		},
		{
			[]string{"snooze", "lead-1", "remind/20261201T120000Z/2", "--until", "2026-12-31T17:00:00+01:00", "--reason", "on holiday", "--request-id", "o-1"},
			opportunity.Outcome{RequestID: "o-1", State: opportunity.Done},
			message{"update", workflow, "snooze", `{"requestId":"o-1","followUp":"remind/20261201T120000Z/2","until":"2026-12-31T17:00:00+01:00","reason":"on holiday"}`},
			"follow-up remind/20261201T120000Z/2 of lead-1 is not done before 2026-12-31T17:00:00+01:00",
		},
		{
			[]string{"snooze", "lead-1", "f", "--until", "2026-12-31T17:00:00Z", "--request-id", "o-1", "--signal"},
			nil,
			message{"signal", workflow, "snooze", `{"requestId":"o-1","followUp":"f","until":"2026-12-31T17:00:00Z"}`},
			"sent: lead-1, request o-1",
		},
		{
			[]string{"acknowledge", "lead-1", "#1", "--kind", "message", "--request-id", "o-1"},
			opportunity.Outcome{RequestID: "o-1", State: opportunity.Done},
			message{"update", workflow, "acknowledge", `{"requestId":"o-1","request":"#1","kind":"message"}`},
			"the attention about #1 of lead-1 is removed",
		},
		{
			[]string{"cancel-follow-up", "lead-1", "remind/20261201T120000Z/2", "--reason", "we talked", "--request-id", "o-1"},
			opportunity.Outcome{RequestID: "o-1", State: opportunity.Done},
			message{"update", workflow, "cancelFollowUp", `{"requestId":"o-1","followUp":"remind/20261201T120000Z/2","reason":"we talked"}`},
			"follow-up remind/20261201T120000Z/2 of lead-1 is cancelled",
		},
		{
			[]string{"close", "lead-1", "--reason", "by phone", "--request-id", "o-1"},
			opportunity.Outcome{RequestID: "o-1", State: opportunity.Done},
			message{"update", workflow, "close", `{"requestId":"o-1","reason":"by phone"}`},
			"lead-1 is being closed",
		},
		{
			[]string{"outcome", "lead-1", "r-1"},
			done,
			message{"query", workflow, "outcome", `{"requestId":"r-1"}`},
			"done: lead-1, request r-1",
		},
		{
			[]string{"outcome", "lead-1", "r-1"},
			opportunity.Outcome{RequestID: "r-1", State: opportunity.Pending},
			message{"query", workflow, "outcome", `{"requestId":"r-1"}`},
			"pending: request r-1 of lead-1 is accepted, but not done yet; see oppflow outcome lead-1 r-1",
		},
		{
			[]string{"show", "lead-1"},
			opportunity.View{Reference: "lead-1", Details: opportunity.Details{Name: "First Aid course"}},
			message{"query", workflow, "view", ``},
			"First Aid course",
		},
		{ // the workflow id, as the Web UI shows it
			[]string{"show", "opportunity/lead-1"},
			opportunity.View{Reference: "lead-1", Details: opportunity.Details{Name: "First Aid course"}},
			message{"query", workflow, "view", ``},
			"First Aid course",
		},
	} {
		t.Run(strings.Join(test.args, " "), func(t *testing.T) {
			service := &frontend{response: test.answer}
			oppflow(t, service.serve(t), test.args...).wantDone(t, test.stdout)
			got := service.only(t)
			if got.How != test.want.How || got.Workflow != test.want.Workflow || got.Name != test.want.Name {
				t.Errorf("sent %+v, want %+v", got, test.want)
			}
			if got.Payload != test.want.Payload && !sameJSON(got.Payload, test.want.Payload) {
				t.Errorf("sent %s, want %s", got.Payload, test.want.Payload)
			}
		})
	}
}

func TestGeneratedRequestIDIsShown(t *testing.T) {
	service := &frontend{}
	got := oppflow(t, service.serve(t), "progress", "lead-1", "--to", "Won", "--signal")
	got.wantDone(t)
	var sent opportunity.Progress
	if err := json.Unmarshal([]byte(service.only(t).Payload), &sent); err != nil {
		t.Fatal(err)
	}
	if sent.RequestID == "" || !strings.Contains(got.stdout, sent.RequestID) {
		t.Errorf("sent with request id %q, printed %q", sent.RequestID, got.stdout)
	}
}

func TestFailedOutcomeIsOneLineWithTypeLabelAndMessage(t *testing.T) {
	refusal := &opportunity.Error{Type: opportunity.TransitionNotFound, Label: "Transition Not Found", Message: "Transition from step A to step B not found"}
	failed := opportunity.Outcome{RequestID: "r-1", State: opportunity.Failed, Error: refusal}
	closed := &opportunity.Error{Type: opportunity.Closed, Message: "it has\nended"}

	service := &frontend{response: failed}
	args := []string{"progress", "lead-1", "--to", "Won", "--request-id", "r-1"}
	oppflow(t, service.serve(t), args...).wantUsageError(t, 1, "oppflow progress: TransitionNotFound: Transition Not Found: Transition from step A to step B not found")

	service = &frontend{response: failed}
	oppflow(t, service.serve(t), "outcome", "lead-1", "r-1").wantUsageError(t, 1, "oppflow outcome: TransitionNotFound: Transition Not Found: Transition from step A to step B not found")

	service = &frontend{response: closed}
	oppflow(t, service.serve(t), args...).wantUsageError(t, 1, "Closed: it has ended")

	// The exit code corresponds to the outcome: a failed outcome has an exit code other than 0.
	service = &frontend{response: failed}
	got := oppflow(t, service.serve(t), append(args, "--output", "json")...)
	if got.code != 1 || strings.Count(got.stderr, "\n") != 1 {
		t.Errorf("exit code %d, standard error %q", got.code, got.stderr)
	}
	var read opportunity.Outcome
	if err := json.Unmarshal([]byte(got.stdout), &read); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(failed, read); diff != "" {
		t.Errorf("outcome (-want +got):\n%s", diff)
	}
}

func TestWhatTemporalRefusesIsOneLine(t *testing.T) {
	for name, test := range map[string]struct {
		err  error
		want []string
	}{
		"no opportunity": {serviceerror.NewNotFound("workflow not found"), []string{"NotFound: there is no opportunity lead-1; start the opportunity first"}},
		"no namespace":   {serviceerror.NewNamespaceNotFound("default"), []string{`no Temporal namespace "default"`, "--temporal-namespace"}},
		"not allowed":    {serviceerror.NewPermissionDenied("not\nyours", ""), []string{"not yours"}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, args := range [][]string{
				{"show", "lead-1"},
				{"progress", "lead-1", "--to", "Won"},
				{"progress", "lead-1", "--to", "Won", "--signal"},
				{"pause", "lead-1"},
				{"outcome", "lead-1", "r-1"},
			} {
				service := &frontend{err: test.err}
				oppflow(t, service.serve(t), args...).wantUsageError(t, 1, test.want...)
			}
		})
	}
}

func TestTimeoutSaysHowToReadTheOutcome(t *testing.T) {
	t.Parallel()                                                        // the test waits
	service := &frontend{err: serviceerror.NewUnavailable("try again")} // the client tries again until its timeout
	env := service.serve(t)
	oppflow(t, env, "progress", "lead-1", "--to", "Won", "--timeout", "300ms", "--request-id", "r-1").
		wantUsageError(t, 1, "lead-1", "send the request again with --request-id r-1")
	oppflow(t, env, "close", "lead-1", "--reason", "so", "--timeout", "300ms", "--request-id", "o-1").
		wantUsageError(t, 1, "lead-1", "send the request again with --request-id o-1")
	oppflow(t, env, "start", "lead-1", "--name", "n", "--region", "UK", "--timeout", "300ms").
		wantUsageError(t, 1, "lead-1", "run the same command again")
	oppflow(t, env, "show", "lead-1", "--timeout", "300ms").wantUsageError(t, 1)

	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(200*time.Millisecond, cancel)
	run(ctx, env, "show", "lead-1").wantUsageError(t, 1, "interrupted")
}
