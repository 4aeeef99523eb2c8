package lifecycle_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"pgregory.net/rapid"

	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

var progressToWon = opportunity.Progress{To: "Won"}

func TestErrorReachesTheCaller(t *testing.T) {
	for _, typ := range []opportunity.ErrorType{
		opportunity.Invalid, opportunity.Rejected, opportunity.TransitionNotFound, opportunity.NotFound, opportunity.Conflict,
		opportunity.Closed, opportunity.Paused, opportunity.Busy, opportunity.Undecided, opportunity.Skipped,
	} {
		t.Run(string(typ), func(t *testing.T) {
			want := opportunity.Error{Type: typ, Label: "Ä <label>", Message: "what was wrong: \"x\"", Value: "VG9rZW4="}
			for name, thrown := range map[string]error{"as it is": &want, "wrapped": fmt.Errorf("look: %w", &want)} {
				fault := lifecycle.ToTemporalError(thrown)
				n := &fakeNamespace{updateError: func(int) error { return throughTemporal(fault) }}
				_, err := lifecycle.NewClient(n).Update(t.Context(), "A-1", progressToWon)
				var got *opportunity.Error
				if !errors.As(err, &got) {
					t.Fatalf("%s: the caller gets %v", name, err)
				}
				if diff := cmp.Diff(want, *got); diff != "" {
					t.Errorf("%s: %s", name, diff)
				}
				// Programs with other SDKs get the type and the message of the error, and the
				// information whether a repetition is useful.
				var application *temporal.ApplicationError
				if back := throughTemporal(fault); !errors.As(back, &application) || application.Type() != string(typ) || application.Message() != want.Error() ||
					application.NonRetryable() != (typ != opportunity.Busy) || application.Category() != temporal.ApplicationErrorCategoryBenign {
					t.Errorf("%s: carried as %+v", name, application)
				}
			}
		})
	}
	other := errors.New("out of memory")
	if got := lifecycle.ToTemporalError(other); !errors.Is(got, other) || got.Error() != other.Error() {
		t.Errorf("another error became %v", got)
	}
	if lifecycle.ToTemporalError(nil) != nil {
		t.Error("no error became one")
	}
	// An error of another program that has the same form does not count as an error of Oppflow.
	n := &fakeNamespace{updateError: func(int) error {
		return throughTemporal(temporal.NewApplicationError("x", "Invalid", map[string]string{"message": "y"}))
	}}
	var own *opportunity.Error
	if _, err := lifecycle.NewClient(n).Update(t.Context(), "A-1", progressToWon); err == nil || errors.As(err, &own) {
		t.Errorf("the caller gets %v", err)
	}
}

func TestContinuingIsSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		continuing := throughTemporal(lifecycle.ToTemporalError(opportunity.Failf(opportunity.Continuing, "again")))
		n := &fakeNamespace{outcome: opportunity.Outcome{RequestID: "r", State: opportunity.Done}, updateError: func(n int) error {
			if n < 3 {
				return continuing
			}
			return nil
		}}
		got, err := lifecycle.NewClient(n).Update(t.Context(), "A-1", progressToWon)
		if err != nil || got.State != opportunity.Done || len(n.updates) != 3 {
			t.Fatalf("%+v, %v after %d updates", got, err, len(n.updates))
		}
		// The message stays one request, although it is sent in updates with different update ids.
		ids := map[string]bool{}
		for _, u := range n.updates {
			ids[u.UpdateID] = true
			if diff := cmp.Diff(n.updates[0].Args, u.Args); diff != "" {
				t.Errorf("sent again as another request: %s", diff)
			}
		}
		if len(ids) != 3 {
			t.Errorf("update ids %v", ids)
		}
		// After the end of the caller's context, the Client does not send the message again.
		ctx, cancel := context.WithCancel(t.Context())
		n = &fakeNamespace{updateError: func(n int) error {
			if n == 2 {
				cancel()
			}
			return continuing
		}}
		_, err = lifecycle.NewClient(n).Update(ctx, "A-1", progressToWon)
		var own *opportunity.Error
		if !errors.As(err, &own) || own.Type != opportunity.Continuing || len(n.updates) != 2 {
			t.Errorf("%v after %d updates", err, len(n.updates))
		}
	})
}

// An update whose run was reset is sent again to the new run, which remembers its request id. An
// update is not sent again if its run ended, or if its reference was started again.
func TestAnUpdateOfARunThatWasReset(t *testing.T) {
	const running, over = enums.WORKFLOW_EXECUTION_STATUS_RUNNING, enums.WORKFLOW_EXECUTION_STATUS_TERMINATED
	for name, c := range map[string]struct {
		status enums.WorkflowExecutionStatus
		firsts map[string]string
		sent   int
	}{
		"reset":                       {running, map[string]string{"the run that accepted": "first", "": "first"}, 2},
		"started again":               {running, map[string]string{"the run that accepted": "first", "": "second"}, 1},
		"ended":                       {over, map[string]string{"the run that accepted": "first", "": "first"}, 1},
		"a server that does not tell": {running, nil, 1},
	} {
		t.Run(name, func(t *testing.T) {
			n := &fakeNamespace{exists: true, status: c.status, firstRunIDs: c.firsts, updateError: func(n int) error {
				return []error{temporal.NewApplicationError("ended", "AcceptedUpdateCompletedWorkflow"), nil}[n-1]
			}}
			_, err := lifecycle.NewClient(n).Update(t.Context(), "A-1", progressToWon)
			var own *opportunity.Error
			switch {
			case len(n.updates) != c.sent:
				t.Errorf("sent %d times; want %d", len(n.updates), c.sent)
			case c.sent == 2 && (err != nil || n.updates[0].Args[0].(opportunity.Progress).RequestID != n.updates[1].Args[0].(opportunity.Progress).RequestID):
				t.Errorf("got %v for %+v", err, n.updates)
			case c.sent == 1 && (!errors.As(err, &own) || own.Type != opportunity.Closed):
				t.Errorf("got %v; want it closed", err)
			}
		})
	}
}

func TestCommandsGetAnID(t *testing.T) {
	list := opportunity.Interests{{Item: "VG9rZW5UeXBlOjE=", Quantity: 1}}
	until := time.Date(2026, 12, 31, 17, 0, 0, 0, time.UTC)
	for _, id := range []string{"", "mine"} {
		for _, command := range []opportunity.Message{
			opportunity.AddInterests{RequestID: id, Interests: list},
			opportunity.Progress{RequestID: id, To: "Won"},
			opportunity.UpdateDetails{RequestID: id, Name: "x"},
			opportunity.ExtendReservations{RequestID: id, Until: until},
			opportunity.Pause{RequestID: id},
			opportunity.Resume{RequestID: id},
			opportunity.Retry{RequestID: id, Request: "x"},
			opportunity.Confirm{RequestID: id, Request: "x"},
			opportunity.Skip{RequestID: id, Request: "x", Reason: "y"},
			opportunity.Acknowledge{RequestID: id, Request: "x"},
			opportunity.Refresh{RequestID: id},
			opportunity.Snooze{RequestID: id, FollowUp: "x", Until: until},
			opportunity.CancelFollowUp{RequestID: id, FollowUp: "x", Reason: "y"},
			opportunity.Close{RequestID: id, Reason: "y"},
		} {
			n := &fakeNamespace{outcome: opportunity.Outcome{State: opportunity.Done}}
			c := lifecycle.NewClient(n)
			for range 2 {
				if _, err := c.Update(t.Context(), "A-1", command); err != nil {
					t.Fatal(err)
				}
			}
			if err := c.Signal(t.Context(), "A-1", command); err != nil {
				t.Fatal(err)
			}
			ids := map[string]bool{}
			for _, sent := range []any{n.updates[0].Args[0], n.updates[1].Args[0], n.signals[3]} {
				got := sent.(opportunity.Message)
				ids[got.GetRequestID()] = true
				if got.Validate() != nil || got.MessageName() != command.MessageName() || reflect.TypeOf(got) != reflect.TypeOf(command) {
					t.Errorf("%+v was sent as %+v", command, got)
				}
			}
			if id != "" && (len(ids) != 1 || !ids[id]) || id == "" && (len(ids) != 3 || ids[""]) {
				t.Errorf("%s with id %q was sent under %v", command.MessageName(), id, ids)
			}
			if n.updates[0].UpdateName != string(command.MessageName()) || n.updates[0].WorkflowID != "opportunity/A-1" || n.signals[2] != string(command.MessageName()) || n.signals[0] != "opportunity/A-1" {
				t.Errorf("sent to %+v, %v", n.updates[0], n.signals)
			}
		}
	}
}

func TestAFailedRequestIsAnError(t *testing.T) {
	n := &fakeNamespace{outcome: opportunity.Outcome{RequestID: "r", State: opportunity.Failed, Error: opportunity.Failf(opportunity.TransitionNotFound, "no way")}}
	got, err := lifecycle.NewClient(n).Update(t.Context(), "A-1", progressToWon)
	var own *opportunity.Error
	if !errors.As(err, &own) || own.Type != opportunity.TransitionNotFound || got.State != opportunity.Failed {
		t.Errorf("%+v, %v", got, err)
	}
	n.outcome = opportunity.Outcome{RequestID: "r", State: opportunity.Pending}
	hasty := lifecycle.NewClientWithOptions(n, lifecycle.Options{MaxWait: time.Millisecond})
	if got, err = hasty.Update(t.Context(), "A-1", progressToWon); err != nil || got.State != opportunity.Pending {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestTemporalErrorsAreTranslated(t *testing.T) {
	for _, c := range []struct {
		name   string
		err    error
		exists bool
		want   string
	}{
		{"no such workflow", serviceerror.NewNotFound("x"), false, "NotFound: there is no opportunity A-1; start the opportunity first"},
		{"it has ended", serviceerror.NewNotFound("x"), true, "Closed: opportunity A-1 has ended; it accepts no more messages"},
		{"its reference is used up", serviceerror.NewWorkflowExecutionAlreadyStarted("x", "", ""), true, "Closed: opportunity A-1 has ended; only a start that adopts its record can use its reference again"},
		{"it ended meanwhile", throughTemporal(temporal.NewApplicationError("x", "AcceptedUpdateCompletedWorkflow")), true, "Closed: opportunity A-1 ended before it returned an outcome"},
		{"Temporal is away", serviceerror.NewUnavailable("away"), false, "away"},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := &fakeNamespace{exists: c.exists, updateError: func(int) error { return c.err }}
			l := lifecycle.NewClient(n)
			_, update := l.Update(t.Context(), "A-1", progressToWon)
			_, start := l.Start(t.Context(), "A-1", opportunity.Start{Name: "x", Region: "UK"})
			signal := l.Signal(t.Context(), "A-1", progressToWon)
			for what, err := range map[string]error{"update": update, "start": start, "signal": signal} {
				if err == nil || err.Error() != c.want {
					t.Errorf("%s: got %v, want %s", what, err, c.want)
				}
			}
		})
	}
}

func TestStartOptions(t *testing.T) {
	got := lifecycle.StartOptions("A-1")
	want := client.StartWorkflowOptions{
		ID: "opportunity/A-1", TaskQueue: "opportunities",
		WorkflowIDConflictPolicy: enums.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		WorkflowIDReusePolicy:    enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
	if lifecycle.WorkflowType != "Lifecycle" {
		t.Errorf("the workflow is called %q", lifecycle.WorkflowType)
	}
}

// A start contains a memo that says that the reference had no run before, and the server checks the
// content of this memo. If the server rejects this start because the reference had a run before,
// the client sends the start again without the memo.
func TestAStartProvesThatItIsTheFirst(t *testing.T) {
	start, adopt := opportunity.Start{Name: "x", Region: "UK"}, opportunity.Start{Adopt: "T3Bwb3J0dW5pdHk6MQ=="}
	ended := serviceerror.NewWorkflowExecutionAlreadyStarted("ended", "", "run")
	first := enums.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE
	again, anyEnd := enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY, enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE
	for name, c := range map[string]struct {
		start opportunity.Start
		fails func(n int) error
		want  []enums.WorkflowIdReusePolicy
		error opportunity.ErrorType
	}{
		"the first":           {start: start, want: []enums.WorkflowIdReusePolicy{first}},
		"again":               {start, func(n int) error { return []error{ended, nil}[n-1] }, []enums.WorkflowIdReusePolicy{first, again}, ""},
		"of one that is over": {start, func(int) error { return ended }, []enums.WorkflowIdReusePolicy{first, again}, opportunity.Closed},
		"adopted again":       {adopt, func(n int) error { return []error{ended, nil}[n-1] }, []enums.WorkflowIdReusePolicy{first, anyEnd}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			n := &fakeNamespace{updateError: c.fails, exists: true}
			_, err := lifecycle.NewClient(n).Start(t.Context(), "A-1", c.start)
			var own *opportunity.Error
			if errors.As(err, &own); (own == nil) != (c.error == "") || own != nil && own.Type != c.error {
				t.Errorf("got %v; want %q", err, c.error)
			}
			var got []enums.WorkflowIdReusePolicy
			for _, o := range n.startOptions {
				got = append(got, o.WorkflowIDReusePolicy)
				if _, says := o.Memo[lifecycle.MemoFirstStart]; says != (o.WorkflowIDReusePolicy == first) {
					t.Errorf("reuse policy %v has the memo %v", o.WorkflowIDReusePolicy, o.Memo)
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %v; want %v", got, c.want)
			}
		})
	}
}

func TestWorkflowIDNamesItsReference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		reference := opportunity.Reference(rapid.OneOf(
			rapid.String(), rapid.StringMatching(`(opportunity/){0,3}[A-Za-z0-9/ é#-]{1,30}`),
		).Draw(t, "reference"))
		got, ok := lifecycle.ReferenceOf(lifecycle.WorkflowID(reference))
		if ok != (reference != "") || got != reference {
			t.Fatalf("%q became %q, %v", reference, got, ok)
		}
	})
	for _, id := range []string{"", "opportunity/", "opportunity", "A-1", "Opportunity/A-1", " opportunity/A-1"} {
		if got, ok := lifecycle.ReferenceOf(id); ok {
			t.Errorf("%q names the opportunity %q", id, got)
		}
	}
}

// An operator registers the search attributes in Temporal and filters lists of runs by these
// attributes. The names and types of search attributes must therefore not change.
func TestSearchAttributes(t *testing.T) {
	want := map[string]enums.IndexedValueType{
		"OpportunityId":             enums.INDEXED_VALUE_TYPE_KEYWORD,
		"OpportunityAccount":        enums.INDEXED_VALUE_TYPE_KEYWORD,
		"OpportunityStep":           enums.INDEXED_VALUE_TYPE_KEYWORD,
		"OpportunityRegion":         enums.INDEXED_VALUE_TYPE_KEYWORD,
		"OpportunityState":          enums.INDEXED_VALUE_TYPE_KEYWORD,
		"OpportunityAttention":      enums.INDEXED_VALUE_TYPE_KEYWORD_LIST,
		"OpportunityNextActionTime": enums.INDEXED_VALUE_TYPE_DATETIME,
		"OpportunityReservedUntil":  enums.INDEXED_VALUE_TYPE_DATETIME,
		"OpportunityWaitingSince":   enums.INDEXED_VALUE_TYPE_DATETIME,
	}
	if diff := cmp.Diff(want, lifecycle.SearchAttributes()); diff != "" {
		t.Error(diff)
	}
}

// The Web UI shows a description beside each message. The JSON in the description is a valid
// payload after a user has filled in the blanks.
func TestDescriptionsCanBeTyped(t *testing.T) {
	fill := strings.NewReplacer(
		`"item":"<id>"`, `"item":"Q291cnNlOjE="`, `"email":"…"`, `"email":"a@b"`, `"<optional>"`, `"r"`, `"<name or id of the step>"`, `"Won"`,
		`"<name or id>"`, `"Administrate"`, `"<id>"`, `"r"`, `"<key>"`, `"f"`, "…", "x",
	)
	example := func(description string) []byte {
		_, members, _ := strings.Cut(description, "{")
		members = members[:strings.LastIndex(members, "}")+1]
		return []byte("{" + fill.Replace(members))
	}
	for _, m := range opportunity.MessageTypes() {
		var err error
		if m.IsOperatorCommand {
			_, err = opportunity.DecodeOperatorCommand(m.Name, example(m.Description))
		} else {
			_, err = opportunity.Decode(m.Name, example(m.Description))
		}
		if err != nil {
			t.Errorf("%s: %q: %v", m.Name, m.Description, err)
		}
	}
	var asked lifecycle.OutcomeInput
	if err := json.Unmarshal(example(lifecycle.OutcomeOf.Description), &asked); err != nil || asked.RequestID != "r" {
		t.Errorf("%s: %+v, %v", lifecycle.OutcomeOf.Description, asked, err)
	}
}

func TestPayloadsAreJSON(t *testing.T) {
	n := &fakeNamespace{outcome: opportunity.Outcome{State: opportunity.Done}}
	if _, err := lifecycle.NewClient(n).Update(t.Context(), "A-1", opportunity.Progress{RequestID: "r", To: "Won"}); err != nil {
		t.Fatal(err)
	}
	payload, err := converter.GetDefaultDataConverter().ToPayload(n.updates[0].Args[0])
	if err != nil || string(payload.GetData()) != `{"requestId":"r","to":"Won"}` || string(payload.GetMetadata()["encoding"]) != "json/plain" {
		t.Errorf("sent %s, %v", payload, err)
	}
}

// The SDK writes the workflow id into a gRPC header that may contain only ASCII, unless the client
// has set this header already.
func TestReferencesInAnyScript(t *testing.T) {
	for reference, want := range map[opportunity.Reference]string{
		"A-1": "", "Zürich-1": "workflow:opportunity%2FZ%C3%BCrich-1", "東京-1": "workflow:opportunity%2F%E6%9D%B1%E4%BA%AC-1",
	} {
		n := &fakeNamespace{outcome: opportunity.Outcome{State: opportunity.Done}}
		c := lifecycle.NewClient(n)
		ctx := t.Context()
		_, err := c.Start(ctx, reference, opportunity.Start{Name: "x", Region: "UK"})
		_, updated := c.Update(ctx, reference, opportunity.Progress{To: "Won"})
		_, instructed := c.Update(ctx, reference, opportunity.Pause{})
		signalled := c.Signal(ctx, reference, opportunity.Resume{})
		_, queried := c.Outcome(ctx, reference, "r")
		if err := errors.Join(err, updated, instructed, signalled, queried); err != nil {
			t.Errorf("%s: %v", reference, err)
		}
		n.updateError = func(int) error { return serviceerror.NewNotFound("none") }
		_ = c.Signal(ctx, reference, opportunity.Resume{}) // checks whether the reference has a run
		if len(n.resourceHeaders) != 7 {
			t.Errorf("%s: %d requests", reference, len(n.resourceHeaders))
		}
		for i, got := range n.resourceHeaders {
			if strings.Join(got, ",") != want {
				t.Errorf("%s: request %d names the workflow by %q; want %q", reference, i, got, want)
			}
		}
	}
	_, err := lifecycle.NewClient(&fakeNamespace{}).Start(t.Context(), "Zu\u0308rich-1", opportunity.Start{Name: "x", Region: "UK"})
	if own, is := lifecycle.FromTemporalError(err); !is || own.Type != opportunity.Invalid || !strings.Contains(own.Message, `"Z\u00fcrich-1"`) {
		t.Errorf("a reference in another form: %v", err)
	}
}
