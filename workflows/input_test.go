package workflows_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
	"google.golang.org/protobuf/proto"

	"github.com/oppflow/oppflow/entity"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

// plainJSON returns a payload in the encoding that every SDK writes.
func plainJSON(text string) converter.RawValue {
	return converter.NewRawValue(&commonpb.Payload{Metadata: map[string][]byte{"encoding": []byte("json/plain")}, Data: []byte(text)})
}

func (s *fixture) wantFailed(request string, want opportunity.ErrorType, says string) {
	s.t.Helper()
	got, err := s.outcomeOf(lifecycle.OutcomeInput{RequestID: request})
	if err != nil || got.State != opportunity.Failed || got.Error.Type != want || !strings.Contains(got.Error.Message, says) {
		s.t.Errorf("request %s: got %+v (%v), %v; want %s: %s", request, got, got.Error, err, want, says)
	}
}

type payloads = []any

// signalAll sends a signal with any number of payloads, because the method of the test environment
// sends only one payload.
func (s *fixture) signalAll(name string, all ...any) {
	s.t.Helper()
	several, err := converter.GetDefaultDataConverter().ToPayloads(all...)
	if err != nil {
		s.t.Fatal(err)
	}
	packed, err := proto.Marshal(several)
	if err != nil {
		s.t.Fatal(err)
	}
	s.env.SignalWorkflow(name, converter.NewRawValue(&commonpb.Payload{Metadata: map[string][]byte{"encoding": []byte(packedEncoding)}, Data: packed}))
}

// packedEncoding is the encoding of the one payload that contains all payloads of a signal until
// the signal is delivered.
const packedEncoding = "test/packed"

// unpackInterceptor delivers the signals of signalAll.
type unpackInterceptor struct {
	interceptor.WorkerInterceptorBase
}

type unpackInbound struct {
	interceptor.WorkflowInboundInterceptorBase
}

func (*unpackInterceptor) InterceptWorkflow(_ workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	in := &unpackInbound{}
	in.Next = next
	return in
}

func (i *unpackInbound) HandleSignal(ctx workflow.Context, in *interceptor.HandleSignalInput) error {
	if all := in.Arg.GetPayloads(); len(all) == 1 && string(all[0].GetMetadata()["encoding"]) == packedEncoding {
		in.Arg = new(commonpb.Payloads)
		if err := proto.Unmarshal(all[0].GetData(), in.Arg); err != nil {
			return err
		}
	}
	return i.Next.HandleSignal(ctx, in)
}

// A signal with any name is received, although the SDK reserves some names.
func TestASignalOfAnyNameIsAFailedRequest(t *testing.T) {
	s := newFixture(t)
	names := []string{
		"__temporal_x", "__temporal_", "__temporal_workflow_stream_x", "__temporal_workflow_metadata", "__stack_trace", "__enhanced_stack_trace", "__open_sessions",
		"", "other", "opened", "view", "outcome", "Progress", "progress ", strings.Repeat("x", 1000), "進捗",
	}
	s.at(time.Second, func() {
		for n, name := range names {
			s.env.SignalWorkflow(name, plainJSON(fmt.Sprintf(`{"to":"Won","requestId":"r%d"}`, n)))
			s.env.SignalWorkflow(name, nil)
		}
		s.env.SignalWorkflow("addInterests", add(1))
	})
	s.at(time.Minute, func() {
		if view := s.view(); view.Failures != 2*len(names) || !slices.Equal(s.attention(), []string{"message"}) {
			t.Errorf("%d failures, attention %v; want %d", view.Failures, s.attention(), 2*len(names))
		}
		for n := range names {
			s.wantFailed(fmt.Sprint("r", n), opportunity.Invalid, "there is no message called")
		}
		s.update("u", "__temporal_x", to("Won"))
		s.update("v", "nothing like it", to("Won"))
		for _, query := range []string{"__temporal_x", "__enhanced_stack_trace", "nothing like it"} {
			if _, err := s.env.QueryWorkflow(query); err == nil {
				t.Errorf("the query %s is answered", query)
			}
		}
	})
	s.winAt(time.Hour)
	s.run(start, nil)
	s.wantLog("create", "interest 1", "progress Opportunity", "progress Won")
	for _, update := range []string{"u", "v"} {
		if s.results[update].rejected == nil {
			t.Errorf("update %s: %+v; want it refused", update, s.results[update])
		}
	}
}

// The run rejects an invalid message as a whole. The failed request has the request id in the
// message, if the run can read this id.
func TestAMessageIsOnePayload(t *testing.T) {
	s := newFixture(t)
	for n, c := range []struct {
		name, payload, says string
	}{
		{"progress", `{"to":"Opportunity","requestId":"r"}`, "more than one payload"},
		{"addInterests", `{"interests":[{"item":"x","kind":"course","quantity":1,"unitAmount":"1"}],"requestId":"r"}`, "more than one payload"},
		{"pause", `{"requestId":"r"}`, "more than one payload"},
		{"close", `{"reason":"x","requestId":"r"}`, "more than one payload"},
	} {
		id := fmt.Sprint("r", n)
		payload := strings.ReplaceAll(c.payload, `"r"`, `"`+id+`"`)
		s.at(time.Second, func() {
			s.signalAll(c.name, plainJSON(payload), plainJSON(`{}`))
			s.updateAll(id, c.name, plainJSON(payload), plainJSON(`{}`))
			s.updateAll(id+" null", c.name, plainJSON(payload), plainJSON(`null`))
		})
		s.at(time.Minute, func() {
			s.wantFailed(id, opportunity.Invalid, c.says)
			s.wantRefused(id, opportunity.Invalid)
			s.wantRefused(id+" null", opportunity.Invalid)
		})
	}
	s.at(time.Minute, func() {
		s.updateAll("opened", "opened", plainJSON(`{}`), plainJSON(`{}`))
		for query, input := range map[string]string{"view": `{}`, "outcome": `{"requestId":"r0"}`} {
			if _, err := s.env.QueryWorkflow(query, plainJSON(input), plainJSON(`{}`)); err == nil || !strings.Contains(err.Error(), "more than one payload") {
				t.Errorf("the query %s with two payloads: %v", query, err)
			}
		}
		if _, err := s.env.QueryWorkflow("view", plainJSON(`{"at":"now"}`)); err == nil || !strings.Contains(err.Error(), `unknown member "at"`) {
			t.Errorf("the query view with a member: %v", err)
		}
		for _, nothing := range []any{nil, plainJSON(`{}`), plainJSON(` null `)} {
			if _, err := s.env.QueryWorkflow("view", nothing); err != nil {
				t.Errorf("the query view with nothing: %v", err)
			}
		}
	})
	s.at(2*time.Minute, func() { s.wantRefused("opened", opportunity.Invalid); s.env.SignalWorkflow("resume", nil) })
	s.winAt(time.Hour)
	s.run(start, nil)
	s.wantLog("create", "progress Opportunity", "progress Won")
}

// A message that requires no member may come without a payload, because the signals of a batch
// operation have no payload.
func TestAMessageWithoutMembersMayComeWithoutAPayload(t *testing.T) {
	for name, nothing := range map[string]payloads{
		"no payload": {}, "null": {nil}, "null as JSON": {plainJSON(" null\n")}, "no members": {plainJSON(`{}`)},
	} {
		t.Run(name, func(t *testing.T) {
			s := newFixture(t)
			s.at(time.Second, func() { s.signalAll("pause", nothing...) })
			s.at(2*time.Second, func() {
				if s.view().Paused == nil {
					t.Error("pause: not paused")
				}
				s.signalAll("refresh", nothing...)
				s.signalAll("resume", nothing...)
			})
			s.at(time.Minute, func() {
				if view := s.view(); view.Paused != nil || view.Failures > 0 || s.tms.reads != 1 {
					t.Errorf("paused %v, %d failures, %d reads", view.Paused, view.Failures, s.tms.reads)
				}
				for _, verb := range []string{"pause", "refresh", "resume", "opened"} {
					s.updateAll(verb, verb, nothing...)
				}
				s.signalAll("progress", nothing...)
				s.updateAll("progress", "progress", nothing...)
			})
			s.at(2*time.Minute, func() {
				s.wantDone("pause", "refresh", "resume")
				if got := s.results["opened"].opened; got.State != opportunity.Done {
					t.Errorf("opened: got %+v", s.results["opened"])
				}
				s.wantRefused("progress", opportunity.Invalid)
				if view := s.view(); view.Failures != 1 {
					t.Errorf("progress without a payload: %d failures; want 1", view.Failures)
				}
			})
			s.winAt(time.Hour)
			s.run(start, nil)
			s.wantLog("create", "progress Opportunity", "progress Won")
		})
	}
}

func TestAStartIsOneArgument(t *testing.T) {
	foreign := entity.NewState("A-1", start, time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC))
	foreign.ApplyCreated(exchange.Snapshot{ID: id("Opportunity", 7), Step: steps[0]}, opportunity.Ref{}, time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC))
	for name, arguments := range map[string]payloads{
		"a state":                 {nil, foreign},
		"a start and a state":     {start, foreign},
		"a start and an object":   {start, plainJSON(`{}`)},
		"a start and a text":      {start, "x"},
		"a start and no JSON":     {start, []byte("x")},
		"three arguments":         {start, nil, start},
		"three, the last is null": {start, nil, plainJSON(`null`)},
		"two starts":              {start, start},
		"null":                    {nil},
		"nothing":                 {},
	} {
		t.Run(name, func(t *testing.T) {
			s := newFixture(t)
			s.at(0, func() { s.update("open", "opened", lifecycle.CreateOutcomeInput{Start: &start}) })
			s.env.ExecuteWorkflow(lifecycle.WorkflowType, arguments...)
			s.wantInvalid("")
			s.wantRefused("open", opportunity.Invalid)
		})
	}
	for name, arguments := range map[string]payloads{"null": {start, nil}, "null as JSON": {start, plainJSON(`null`)}} {
		t.Run("the second is "+name, func(t *testing.T) {
			s := newFixture(t)
			s.at(0, func() { s.update("open", "opened", lifecycle.CreateOutcomeInput{Start: &start}) })
			s.env.ExecuteWorkflow(lifecycle.WorkflowType, arguments...)
			s.wantInvalid("more than one argument")
			s.wantRefused("open", opportunity.Invalid)
		})
	}
}

func (s *fixture) wantInvalid(says string) {
	s.t.Helper()
	var application *temporal.ApplicationError
	if err := s.env.GetWorkflowError(); !errors.As(err, &application) || application.Type() != string(opportunity.Invalid) || !strings.Contains(err.Error(), says) {
		s.t.Errorf("the run ended with %v; want Invalid: %s", err, says)
	}
	if len(s.tms.calls) > 0 {
		s.t.Errorf("asked of the API: %v", s.tms.calls)
	}
}

// The run rejects a start with a time limit or a schedule, so that Temporal neither times the run
// out nor starts the run again.
func TestAStartHasNoTimeLimitAndNoSchedule(t *testing.T) {
	for name, c := range map[string]struct {
		info func(*workflow.Info)
		says string
	}{
		"run timeout":       {func(i *workflow.Info) { i.WorkflowRunTimeout = time.Hour }, "run timeout"},
		"execution timeout": {func(i *workflow.Info) { i.WorkflowExecutionTimeout = 9 * 365 * 24 * time.Hour }, "execution timeout"},
		"retries":           {func(i *workflow.Info) { i.RetryPolicy = &temporal.RetryPolicy{} }, "retry policy"},
		"one attempt":       {func(i *workflow.Info) { i.RetryPolicy = &temporal.RetryPolicy{MaximumAttempts: 1} }, ""},
		"ten years": {func(i *workflow.Info) {
			i.WorkflowExecutionTimeout, i.WorkflowRunTimeout = 10*365*24*time.Hour, 11*365*24*time.Hour
		}, ""},
		"none": {func(i *workflow.Info) { i.WorkflowExecutionTimeout, i.WorkflowRunTimeout = 0, 0 }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newFixture(t)
			s.info = c.info
			s.at(0, func() { s.update("open", "opened", lifecycle.CreateOutcomeInput{Start: &start}) })
			s.winAt(time.Second)
			s.run(start, nil)
			if c.says == "" {
				s.wantLog("create", "progress Opportunity", "progress Won")
				return
			}
			s.wantInvalid(c.says)
			s.wantRefused("open", opportunity.Invalid)
		})
	}
	// If an earlier release accepted a start with a time limit or a schedule, the run continues.
	s := newFixture(t)
	s.info = func(i *workflow.Info) { i.WorkflowRunTimeout = time.Hour }
	state := entity.NewState("A-1", start, s.env.Now())
	s.winAt(time.Second)
	s.run(nil, state)
	s.wantLog("create", "progress Opportunity", "progress Won")
}

// A failed run does not end its cron schedule. A run with a cron schedule therefore continues as a
// run without a schedule, and the run without a schedule fails with the reason.
func TestAStartWithACronScheduleLeavesTheReferenceFree(t *testing.T) {
	for before, input := range map[string]any{"": start, "another one": start, "and another": "no start"} {
		s := newFixture(t)
		s.info = func(i *workflow.Info) { i.CronSchedule, i.ContinuedExecutionRunID = "* * * * *", before }
		s.at(0, func() { s.update("open", "opened", lifecycle.CreateOutcomeInput{Start: &start}) })
		s.run(input, nil)
		s.wantRefused("open", opportunity.Invalid)
		var next *workflow.ContinueAsNewError
		if err := s.env.GetWorkflowError(); !errors.As(err, &next) || len(s.tms.calls) > 0 {
			t.Fatalf("got %v, and %v were asked for", err, s.tms.calls)
		}
		var first, second json.RawMessage
		if err := converter.GetDefaultDataConverter().FromPayloads(next.Input, &first, &second); err != nil {
			t.Fatal(err)
		}
		s = newFixture(t)
		s.env.SetContinuedExecutionRunID("the run before")
		s.env.ExecuteWorkflow(next.WorkflowType.Name, nil, second)
		s.wantInvalid("cron schedule")
	}
	// The run also rejects a start whose second argument is a rejectedStart that the caller made
	// up. The rejection affects no other start.
	s := newFixture(t)
	s.env.ExecuteWorkflow(lifecycle.WorkflowType, start, plainJSON(`{"version":1073741824,"refused":{"type":"Closed"}}`))
	s.wantInvalid("more than one argument")
}

// The run rejects a message whose content would change when the message is decoded, both as a
// signal and as an update.
func TestMessagesAreReadStrictly(t *testing.T) {
	for name, payload := range map[string]string{
		"other capitals":     `{"TO":"Opportunity","requestId":"r"}`,
		"a lone surrogate":   `{"to":"Opportunity\ud800","requestId":"r"}`,
		"no UTF-8":           "{\"to\":\"Opportunity\xff\",\"requestId\":\"r\"}",
		"an empty requestId": `{"to":"Opportunity","requestId":""}`,
		"a member twice":     `{"to":"Opportunity","to":"Won","requestId":"r"}`,
	} {
		t.Run(name, func(t *testing.T) {
			s := newFixture(t)
			s.at(time.Second, func() {
				s.env.SignalWorkflow("progress", plainJSON(payload))
				s.updateAll("u", "progress", plainJSON(payload))
				opened := strings.NewReplacer(`"to"`, `"name"`, `"TO"`, `"Name"`).Replace(payload)
				s.updateAll("o", "opened", plainJSON(`{"start":`+strings.Replace(opened, `{`, `{"region":"UK",`, 1)+`}`))
			})
			s.at(time.Minute, func() {
				if view := s.view(); view.Failures != 1 || !slices.Equal(s.attention(), []string{"message"}) {
					t.Errorf("%d failures, attention %v", view.Failures, s.attention())
				}
				s.wantRefused("u", opportunity.Invalid)
				s.wantRefused("o", opportunity.Invalid)
			})
			s.winAt(time.Hour)
			s.run(start, nil)
			s.wantLog("create", "progress Opportunity", "progress Won")
		})
	}
}

// The run overwrites search attributes that a start sets. An attribute that the SDK cannot read
// does not stop the run, whoever set the attribute.
func TestSearchAttributesOfAStart(t *testing.T) {
	typed := func(typ, text string) *commonpb.Payload {
		return &commonpb.Payload{Metadata: map[string][]byte{"encoding": []byte("json/plain"), "type": []byte(typ)}, Data: []byte(text)}
	}
	for name, brought := range map[string]map[string]*commonpb.Payload{
		"lists of one": {
			"OpportunityState": typed("Keyword", `["Won"]`), "OpportunityStep": typed("Keyword", `["x"]`), "OpportunityReservedUntil": typed("Datetime", `["2026-01-01T00:00:00Z"]`),
		},
		"other values":      {"OpportunityAccount": typed("Keyword", `"x"`), "OpportunityAttention": typed("KeywordList", `["api"]`), "OpportunityReservedUntil": typed("Datetime", `"2026-01-01T00:00:00Z"`)},
		"the tenant's own":  {"CustomerClass": typed("Keyword", `["A"]`), "Since": typed("Datetime", `["2026-01-01T00:00:00Z"]`)},
		"of both":           {"CustomerClass": typed("Keyword", `["A"]`), "OpportunityAttention": typed("KeywordList", `"api"`), "OpportunityAccount": typed("Keyword", `["x"]`)},
		"a type of no name": {"CustomerClass": typed("Colour", `"red"`), "Size": {Data: []byte("x")}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newFixture(t)
			all := make(map[string]any)
			for key, payload := range brought {
				all[key] = payload
			}
			if err := s.env.SetSearchAttributesOnStart(all); err != nil { //nolint:staticcheck // the other one takes only what can be read
				t.Fatal(err)
			}
			var shown *commonpb.SearchAttributes
			s.info = func(info *workflow.Info) { shown = info.SearchAttributes } //nolint:staticcheck // what the SDK reads instead may panic
			s.at(0, func() { s.update("open", "opened", lifecycle.CreateOutcomeInput{Start: &start}) })
			s.at(time.Minute, func() {
				for key, want := range map[string]string{
					"OpportunityState": `"Open"`, "OpportunityStep": `"Proposed"`, "OpportunityAccount": "", "OpportunityAttention": "", "OpportunityReservedUntil": "",
				} {
					if got := string(shown.GetIndexedFields()[key].GetData()); got != want {
						t.Errorf("%s is %s; want %s", key, got, want)
					}
				}
				if s.upserts > 2 {
					t.Errorf("%d events for search attributes", s.upserts)
				}
			})
			s.winAt(time.Hour)
			s.run(start, nil)
			s.wantLog("create", "progress Opportunity", "progress Won")
		})
	}
}
