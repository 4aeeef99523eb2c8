package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	commonpb "go.temporal.io/api/common/v1"
	enums "go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	querypb "go.temporal.io/api/query/v1"
	"go.temporal.io/api/serviceerror"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	updatepb "go.temporal.io/api/update/v1"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/oppflow/oppflow/e2e/harness"
	"github.com/oppflow/oppflow/opportunity"
)

// caller calls Oppflow as a service in any language does: with the names and the JSON of the
// contract and the protocol of Temporal.
type caller struct {
	t         *testing.T
	ctx       context.Context
	service   workflowservice.WorkflowServiceClient
	namespace string
}

func (p *parts) caller(t *testing.T) caller {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	return caller{t: t, ctx: ctx, service: p.temporal.WorkflowService(), namespace: p.Namespace()}
}

type (
	jsonOutcome struct {
		RequestID string       `json:"requestId"`
		State     string       `json:"state"`
		Results   []jsonResult `json:"results"`
		Note      string       `json:"note"`
		Error     *jsonError   `json:"error"`
	}
	jsonResult struct {
		Interest      string     `json:"interest"`
		Item          string     `json:"item"`
		ReservedUntil string     `json:"reservedUntil"`
		Error         *jsonError `json:"error"`
	}
	jsonError struct {
		Type    string `json:"type"`
		Label   string `json:"label"`
		Message string `json:"message"`
		Value   string `json:"value"`
	}
	jsonCreateStatus struct {
		State       string          `json:"state"`
		Reference   string          `json:"reference"`
		Opportunity opportunity.ID  `json:"opportunity"`
		Details     json.RawMessage `json:"details"`
		Step        json.RawMessage `json:"step"`
	}
)

func plainJSON(text string) *commonpb.Payload {
	return &commonpb.Payload{Metadata: map[string][]byte{"encoding": []byte("json/plain")}, Data: []byte(text)}
}

func inputOf(payloads ...*commonpb.Payload) *commonpb.Payloads {
	return &commonpb.Payloads{Payloads: payloads}
}

func executionOf(reference string) *commonpb.WorkflowExecution {
	return &commonpb.WorkflowExecution{WorkflowId: "opportunity/" + reference}
}

func (c caller) startRequest(reference string, input ...*commonpb.Payload) *workflowservice.StartWorkflowExecutionRequest {
	return &workflowservice.StartWorkflowExecutionRequest{
		Namespace: c.namespace, RequestId: uuid.NewString(), WorkflowId: "opportunity/" + reference,
		WorkflowType: &commonpb.WorkflowType{Name: "Lifecycle"}, TaskQueue: &taskqueuepb.TaskQueue{Name: "opportunities"},
		WorkflowIdConflictPolicy: enums.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		WorkflowIdReusePolicy:    enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY,
		Input:                    inputOf(input...),
	}
}

func (c caller) updateRequest(reference, name, id, payload string) *workflowservice.UpdateWorkflowExecutionRequest {
	return &workflowservice.UpdateWorkflowExecutionRequest{
		Namespace: c.namespace, WorkflowExecution: executionOf(reference),
		WaitPolicy: &updatepb.WaitPolicy{LifecycleStage: enums.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED},
		Request: &updatepb.Request{
			Meta:  &updatepb.Meta{UpdateId: id, Identity: "a service"},
			Input: &updatepb.Input{Name: name, Args: inputOf(plainJSON(payload))},
		},
	}
}

func (c caller) start(reference string, input ...*commonpb.Payload) error {
	_, err := c.service.StartWorkflowExecution(c.ctx, c.startRequest(reference, input...))
	return err
}

// isNotAccepted reports whether Temporal's error says that the message was not accepted. Temporal
// does not accept a message when the run is about to end or when a workflow task was lost.
func isNotAccepted(err error) bool {
	var lost *serviceerror.WorkflowNotReady
	var busy *serviceerror.ResourceExhausted
	return errors.As(err, &lost) || errors.As(err, &busy) && busy.Cause == enums.RESOURCE_EXHAUSTED_CAUSE_BUSY_WORKFLOW
}

func (c caller) signal(reference, name string, payload ...*commonpb.Payload) error {
	request := &workflowservice.SignalWorkflowExecutionRequest{
		Namespace: c.namespace, WorkflowExecution: executionOf(reference), SignalName: name, Input: inputOf(payload...), RequestId: uuid.NewString(),
	}
	for {
		if _, err := c.service.SignalWorkflowExecution(c.ctx, request); !isNotAccepted(err) {
			return err
		}
	}
}

func (c caller) update(reference, name, id, payload string) (*updatepb.Outcome, error) {
	for request := c.updateRequest(reference, name, id, payload); ; {
		answer, err := c.service.UpdateWorkflowExecution(c.ctx, request)
		if isNotAccepted(err) {
			continue
		}
		if err != nil || answer.GetOutcome() != nil {
			return answer.GetOutcome(), err
		}
	}
}

// open starts the workflow and sends the update opened, in one request.
func (c caller) open(reference, start string) (*updatepb.Outcome, error) {
	request := &workflowservice.ExecuteMultiOperationRequest{Namespace: c.namespace, Operations: []*workflowservice.ExecuteMultiOperationRequest_Operation{
		{Operation: &workflowservice.ExecuteMultiOperationRequest_Operation_StartWorkflow{StartWorkflow: c.startRequest(reference, plainJSON(start))}},
		{Operation: &workflowservice.ExecuteMultiOperationRequest_Operation_UpdateWorkflow{
			UpdateWorkflow: c.updateRequest(reference, "opened", uuid.NewString(), `{"start":`+start+`}`),
		}},
	}}
	for {
		answer, err := c.service.ExecuteMultiOperation(c.ctx, request)
		if err != nil {
			return nil, err
		}
		if outcome := answer.GetResponses()[1].GetUpdateWorkflow().GetOutcome(); outcome != nil {
			return outcome, nil
		}
	}
}

func (c caller) query(reference, name string, payload ...*commonpb.Payload) ([]byte, error) {
	answer, err := c.service.QueryWorkflow(c.ctx, &workflowservice.QueryWorkflowRequest{
		Namespace: c.namespace, Execution: executionOf(reference), Query: &querypb.WorkflowQuery{QueryType: name, QueryArgs: inputOf(payload...)},
	})
	if err != nil {
		return nil, err
	}
	return answer.GetQueryResult().GetPayloads()[0].GetData(), nil
}

func (c caller) outcome(reference, id string) (jsonOutcome, error) {
	data, err := c.query(reference, "outcome", plainJSON(fmt.Sprintf(`{"requestId":%q}`, id)))
	if err != nil {
		return jsonOutcome{}, err
	}
	return decode[jsonOutcome](c.t, data), nil
}

// decode decodes JSON and fails the test when the JSON has unknown members.
func decode[A any](t *testing.T, data []byte) A {
	t.Helper()
	var a A
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&a); err != nil {
		t.Errorf("%v in %s", err, data)
	}
	return a
}

func succeeded[A any](t *testing.T, outcome *updatepb.Outcome, err error) A {
	t.Helper()
	payloads := outcome.GetSuccess().GetPayloads()
	if err != nil || len(payloads) != 1 {
		t.Fatalf("the update returned %v, %v; want one payload", outcome, err)
	}
	if encoding := string(payloads[0].GetMetadata()["encoding"]); encoding != "json/plain" {
		t.Errorf("the result of the update is encoded as %q", encoding)
	}
	return decode[A](t, payloads[0].GetData())
}

// wantFailure returns the message of the failure.
func wantFailure(t *testing.T, want string, outcome *updatepb.Outcome, err error) jsonError {
	t.Helper()
	if err != nil || outcome.GetFailure() == nil {
		t.Errorf("the update returned %v, %v; want the failure %s", outcome, err, want)
		return jsonError{}
	}
	return contractFailure(t, want, outcome.GetFailure())
}

func contractFailure(t *testing.T, want string, failure *failurepb.Failure) jsonError {
	t.Helper()
	info := failure.GetApplicationFailureInfo()
	details := info.GetDetails().GetPayloads()
	if info.GetType() != want || len(details) != 1 || string(details[0].GetMetadata()["encoding"]) != "json/plain" {
		t.Errorf("failure: got %v; want an application failure of type %s with its error as JSON", failure, want)
		return jsonError{}
	}
	// A failure is retryable only if its cause can end without a person's action.
	if again := want == "Continuing" || want == "Busy"; info.GetNonRetryable() == again {
		t.Errorf("%s: non-retryable is %t", want, info.GetNonRetryable())
	}
	if info.GetCategory() != enums.APPLICATION_ERROR_CATEGORY_BENIGN {
		t.Errorf("the failure %s has the category %s; the SDK would count this failure as an error of the worker", want, info.GetCategory())
	}
	told := decode[jsonError](t, details[0].GetData())
	line := told.Type
	for _, part := range []string{told.Label, told.Message} {
		if part != "" {
			line += ": " + part
		}
	}
	if told.Type != want || failure.GetMessage() != line || strings.Contains(line, "\n") {
		t.Errorf("the failure has the message %q and the details %+v; want one line of type %s", failure.GetMessage(), told, want)
	}
	if failure.GetStackTrace() != "" || failure.GetCause() != nil {
		t.Errorf("the failure contains a stack trace or another internal detail: %v", failure)
	}
	return told
}

func wantFailed(t *testing.T, want string, got jsonOutcome) jsonError {
	t.Helper()
	if got.State != "failed" || got.Error == nil || got.Error.Type != want {
		t.Errorf("outcome: got %+v with %+v; want the request failed as %s", got, got.Error, want)
		return jsonError{}
	}
	return *got.Error
}

// sendMode is one of the two ways in which a message can be sent.
type sendMode struct {
	name string
	send func(c caller, reference, name, id, members string) jsonOutcome
}

func sendModes() []sendMode {
	return []sendMode{
		{"update", func(c caller, reference, name, id, members string) jsonOutcome {
			c.t.Helper()
			outcome, err := c.update(reference, name, uuid.NewString(), messageJSON(id, members))
			return succeeded[jsonOutcome](c.t, outcome, err)
		}},
		{"signal", func(c caller, reference, name, id, members string) jsonOutcome {
			c.t.Helper()
			if err := c.signal(reference, name, plainJSON(messageJSON(id, members))); err != nil {
				c.t.Fatal(err)
			}
			return c.settled(reference, id)
		}},
	}
}

func (c caller) settled(reference, id string) jsonOutcome {
	c.t.Helper()
	var got jsonOutcome
	harness.Eventually(c.t, time.Minute, "request "+id+" is no longer pending", func() bool {
		var err error
		got, err = c.outcome(reference, id)
		if failure := queryFailure(err); err != nil && failure.GetApplicationFailureInfo().GetType() != "NotFound" {
			c.t.Fatal(err)
		}
		return err == nil && got.State != "pending"
	})
	return got
}

func messageJSON(id, members string) string {
	if members == "" {
		return fmt.Sprintf(`{"requestId":%q}`, id)
	}
	return fmt.Sprintf(`{"requestId":%q,%s}`, id, members)
}

func queryFailure(err error) *failurepb.Failure {
	var failed *serviceerror.QueryFailed
	if errors.As(err, &failed) {
		return failed.Failure
	}
	return nil
}
