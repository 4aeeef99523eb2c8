package payload_test

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	commandpb "go.temporal.io/api/command/v1"
	commonpb "go.temporal.io/api/common/v1"
	enums "go.temporal.io/api/enums/v1"
	errordetailspb "go.temporal.io/api/errordetails/v1"
	failurepb "go.temporal.io/api/failure/v1"
	historypb "go.temporal.io/api/history/v1"
	protocolpb "go.temporal.io/api/protocol/v1"
	querypb "go.temporal.io/api/query/v1"
	sdkpb "go.temporal.io/api/sdk/v1"
	updatepb "go.temporal.io/api/update/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/oppflow/oppflow/payload"
)

// frontend is a fake Temporal service that stores the requests and returns the responses that a
// test sets.
type frontend struct {
	workflowservice.UnimplementedWorkflowServiceServer
	task     *workflowservice.PollWorkflowTaskQueueResponse
	activity *workflowservice.PollActivityTaskQueueResponse
	query    *workflowservice.QueryWorkflowResponse
	queryErr error

	mu       sync.Mutex
	requests []proto.Message
}

func (f *frontend) keep(m proto.Message) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.requests = append(f.requests, m)
}

func (f *frontend) received() []proto.Message {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.requests)
}

func (f *frontend) PollWorkflowTaskQueue(context.Context, *workflowservice.PollWorkflowTaskQueueRequest) (*workflowservice.PollWorkflowTaskQueueResponse, error) {
	return f.task, nil
}

func (f *frontend) PollActivityTaskQueue(context.Context, *workflowservice.PollActivityTaskQueueRequest) (*workflowservice.PollActivityTaskQueueResponse, error) {
	return f.activity, nil
}

func (f *frontend) RespondWorkflowTaskCompleted(_ context.Context, r *workflowservice.RespondWorkflowTaskCompletedRequest) (*workflowservice.RespondWorkflowTaskCompletedResponse, error) {
	f.keep(r)
	return &workflowservice.RespondWorkflowTaskCompletedResponse{WorkflowTask: f.task, ResetHistoryEventId: 7}, nil
}

func (f *frontend) RespondWorkflowTaskFailed(_ context.Context, r *workflowservice.RespondWorkflowTaskFailedRequest) (*workflowservice.RespondWorkflowTaskFailedResponse, error) {
	f.keep(r)
	return &workflowservice.RespondWorkflowTaskFailedResponse{}, nil
}

func (f *frontend) RespondQueryTaskCompleted(_ context.Context, r *workflowservice.RespondQueryTaskCompletedRequest) (*workflowservice.RespondQueryTaskCompletedResponse, error) {
	f.keep(r)
	return &workflowservice.RespondQueryTaskCompletedResponse{}, nil
}

func (f *frontend) RespondActivityTaskFailed(_ context.Context, r *workflowservice.RespondActivityTaskFailedRequest) (*workflowservice.RespondActivityTaskFailedResponse, error) {
	f.keep(r)
	return &workflowservice.RespondActivityTaskFailedResponse{}, nil
}

func (f *frontend) QueryWorkflow(context.Context, *workflowservice.QueryWorkflowRequest) (*workflowservice.QueryWorkflowResponse, error) {
	return f.query, f.queryErr
}

// dial connects to the fake Temporal service with the keys of the ring.
func dial(t *testing.T, f *frontend, ring *payload.KeyRing) workflowservice.WorkflowServiceClient {
	t.Helper()
	return dialObserved(t, f, ring, nil, nil)
}

func dialObserved(t *testing.T, f *frontend, ring *payload.KeyRing, logger *slog.Logger, meter metric.Meter) workflowservice.WorkflowServiceClient {
	t.Helper()
	encryption, err := payload.NewEncryption(ring, logger)
	if err != nil {
		t.Fatal(err)
	}
	if meter != nil {
		if err := encryption.CountIn(meter); err != nil {
			t.Fatal(err)
		}
	}
	var options client.Options
	encryption.AddTo(&options)
	listener := bufconn.Listen(1 << 20)
	server := grpc.NewServer()
	workflowservice.RegisterWorkflowServiceServer(server, f)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	connection, err := grpc.NewClient("passthrough:///temporal", append(options.ConnectionOptions.DialOptions,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	return workflowservice.NewWorkflowServiceClient(connection)
}

func payloads(all ...*commonpb.Payload) *commonpb.Payloads { return &commonpb.Payloads{Payloads: all} }

func anyOf(t *testing.T, m proto.Message) *anypb.Any {
	t.Helper()
	a, err := anypb.New(m)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

const person = "Ada Lovelace"

func personal() *commonpb.Payload { return jsonPayload(`"` + person + `"`) }

func texted(text string) *commonpb.Payload { return jsonPayload(`"` + text + `"`) }

// An encrypted request contains no personal data in clear. Search attributes, the memo, the user
// metadata and the description of the workflow are not encrypted. The caller's request stays in
// clear, because the SDK may send the request again.
func TestRequestsAreEncrypted(t *testing.T) {
	t.Parallel()
	f := &frontend{}
	ring := newKeyFile(t, newKeys(t)).open()
	request := &workflowservice.RespondWorkflowTaskCompletedRequest{
		Commands: []*commandpb.Command{
			{
				CommandType:  enums.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK,
				UserMetadata: &sdkpb.UserMetadata{Summary: texted("the summary"), Details: texted("the details")},
				Attributes: &commandpb.Command_ScheduleActivityTaskCommandAttributes{ScheduleActivityTaskCommandAttributes: &commandpb.ScheduleActivityTaskCommandAttributes{
					Input: payloads(personal()), Header: &commonpb.Header{Fields: map[string]*commonpb.Payload{"trace": personal()}},
				}},
			},
			{
				CommandType: enums.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION,
				Attributes: &commandpb.Command_ContinueAsNewWorkflowExecutionCommandAttributes{ContinueAsNewWorkflowExecutionCommandAttributes: &commandpb.ContinueAsNewWorkflowExecutionCommandAttributes{
					Input: payloads(personal()), Memo: &commonpb.Memo{Fields: map[string]*commonpb.Payload{"memo": texted("the memo")}},
					SearchAttributes: &commonpb.SearchAttributes{IndexedFields: map[string]*commonpb.Payload{"Step": texted("the attribute")}},
				}},
			},
			{
				CommandType: enums.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION,
				Attributes: &commandpb.Command_FailWorkflowExecutionCommandAttributes{FailWorkflowExecutionCommandAttributes: &commandpb.FailWorkflowExecutionCommandAttributes{
					Failure: failureOf(person),
				}},
			},
		},
		Messages: []*protocolpb.Message{
			{Body: anyOf(t, &updatepb.Acceptance{AcceptedRequest: &updatepb.Request{Input: &updatepb.Input{Name: "progress", Args: payloads(personal())}}})},
			{Body: anyOf(t, &updatepb.Response{Outcome: &updatepb.Outcome{Value: &updatepb.Outcome_Success{Success: payloads(personal())}}})},
			{Body: anyOf(t, &updatepb.Rejection{Failure: failureOf(person)})},
		},
		QueryResults: map[string]*querypb.WorkflowQueryResult{
			"view": {Answer: payloads(personal())},
			"metadata": {Answer: payloads(&commonpb.Payload{
				Metadata: map[string][]byte{"encoding": []byte("json/protobuf"), "messageType": []byte("temporal.api.sdk.v1.WorkflowMetadata")},
				Data:     []byte(`{"currentDetails":"the current details"}`),
			})},
		},
	}
	former := proto.Clone(request)
	if _, err := dial(t, f, ring).RespondWorkflowTaskCompleted(t.Context(), request); err != nil {
		t.Fatal(err)
	}
	if !proto.Equal(request, former) {
		t.Error("the caller's request has changed")
	}
	sent := f.received()[0].(*workflowservice.RespondWorkflowTaskCompletedRequest)
	text := clearText(t, sent)
	if strings.Contains(text, person) {
		t.Errorf("the request contains the person: %s", text)
	}
	for _, visible := range []string{"the summary", "the details", "the memo", "the attribute", "the current details", "Encoded failure"} {
		if !strings.Contains(text, visible) {
			t.Errorf("the request does not contain %q", visible)
		}
	}
	if before := clearText(t, former); strings.Count(before, person) < 9 {
		t.Errorf("the search is blind: %s", before)
	}
}

func failureOf(text string) *failurepb.Failure {
	return &failurepb.Failure{
		Message: text, StackTrace: text, Cause: &failurepb.Failure{Message: text},
		FailureInfo: &failurepb.Failure_ApplicationFailureInfo{ApplicationFailureInfo: &failurepb.ApplicationFailureInfo{Type: "Conflict", Details: payloads(personal())}},
	}
}

// clearText returns all texts and all bytes of the message.
func clearText(t *testing.T, m proto.Message) string {
	t.Helper()
	binary, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	text, err := protojson.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return string(binary) + string(text)
}

// taskOf returns a workflow task with a signal, an update and a failed activity, whose payloads the
// codec encrypts.
func taskOf(t *testing.T, codec *payload.Codec) *workflowservice.PollWorkflowTaskQueueResponse {
	t.Helper()
	sent := encrypt(t, codec, personal())
	return &workflowservice.PollWorkflowTaskQueueResponse{
		TaskToken: []byte("token"), Attempt: 1, WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: "opportunity/x"},
		History: &historypb.History{Events: []*historypb.HistoryEvent{
			{Attributes: &historypb.HistoryEvent_WorkflowExecutionSignaledEventAttributes{WorkflowExecutionSignaledEventAttributes: &historypb.WorkflowExecutionSignaledEventAttributes{SignalName: "progress", Input: payloads(sent)}}},
			{Attributes: &historypb.HistoryEvent_ActivityTaskFailedEventAttributes{ActivityTaskFailedEventAttributes: &historypb.ActivityTaskFailedEventAttributes{
				Failure: &failurepb.Failure{Message: "Encoded failure", EncodedAttributes: encrypt(t, codec, jsonPayload(`{"message":"no `+person+`","stack_trace":"the stack"}`))},
			}}},
		}},
		Messages: []*protocolpb.Message{{Body: anyOf(t, &updatepb.Request{Input: &updatepb.Input{Name: "progress", Args: payloads(sent)}})}},
	}
}

func TestTasksAreDecrypted(t *testing.T) {
	t.Parallel()
	ring := newKeyFile(t, newKeys(t)).open()
	f := &frontend{task: taskOf(t, payload.NewCodec(ring))}
	task, err := dial(t, f, ring).PollWorkflowTaskQueue(t.Context(), &workflowservice.PollWorkflowTaskQueueRequest{})
	if err != nil {
		t.Fatal(err)
	}
	events := task.GetHistory().GetEvents()
	if got := events[0].GetWorkflowExecutionSignaledEventAttributes().GetInput().GetPayloads()[0]; !proto.Equal(got, personal()) {
		t.Errorf("the signal is %v", got)
	}
	failure := events[1].GetActivityTaskFailedEventAttributes().GetFailure()
	if failure.GetMessage() != "no "+person || failure.GetStackTrace() != "the stack" || failure.GetEncodedAttributes() != nil {
		t.Errorf("the failure is %v", failure)
	}
	var update updatepb.Request
	if err := task.GetMessages()[0].GetBody().UnmarshalTo(&update); err != nil || !proto.Equal(update.GetInput().GetArgs().GetPayloads()[0], personal()) {
		t.Errorf("the update is %v, %v", &update, err)
	}
}

// A worker without the key receives no workflow task. The server receives the reason of the failure
// in clear, and repeats the workflow task.
func TestTaskWithoutKeyFails(t *testing.T) {
	t.Parallel()
	keys := newKeys(t)
	codec := payload.NewCodec(newKeyFile(t, keys).open())
	for name, ring := range map[string]*payload.KeyRing{"another key": newKeyFile(t, newKeys(t)).open(), "no keys": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &frontend{task: taskOf(t, codec)}
			service := dial(t, f, ring)
			task, err := service.PollWorkflowTaskQueue(t.Context(), &workflowservice.PollWorkflowTaskQueueRequest{Namespace: "sales", Identity: "me"})
			if err != nil || len(task.GetTaskToken()) > 0 || task.GetHistory() != nil {
				t.Errorf("the worker received %v, %v", task, err)
			}
			completed, err := service.RespondWorkflowTaskCompleted(t.Context(), &workflowservice.RespondWorkflowTaskCompletedRequest{Namespace: "sales", Identity: "me"})
			if err != nil || completed.GetWorkflowTask() != nil || completed.GetResetHistoryEventId() != 7 {
				t.Errorf("the worker received %v, %v", completed, err)
			}
			var failed []*workflowservice.RespondWorkflowTaskFailedRequest
			for _, r := range f.received() {
				if r, ok := r.(*workflowservice.RespondWorkflowTaskFailedRequest); ok {
					failed = append(failed, r)
				}
			}
			if len(failed) != 2 {
				t.Fatalf("%d failed tasks were reported; want 2", len(failed))
			}
			for _, r := range failed {
				if string(r.GetTaskToken()) != "token" || r.GetNamespace() != "sales" || r.GetIdentity() != "me" {
					t.Errorf("reported as %v", r)
				}
				if text := r.GetFailure().GetMessage(); !strings.Contains(text, "encrypted with the key "+keys.Primary().String()) {
					t.Errorf("the reason is %q", text)
				}
			}
		})
	}
}

// A query to a worker without the key fails at once, with the reason.
func TestQueryTaskWithoutKeyFails(t *testing.T) {
	t.Parallel()
	f := &frontend{task: taskOf(t, newCodec(t))}
	f.task.Attempt, f.task.Query = 5, &querypb.WorkflowQuery{QueryType: "view"}
	if _, err := dial(t, f, nil).PollWorkflowTaskQueue(t.Context(), &workflowservice.PollWorkflowTaskQueueRequest{}); err != nil {
		t.Fatal(err)
	}
	failed, ok := f.received()[0].(*workflowservice.RespondQueryTaskCompletedRequest)
	if !ok || failed.GetCompletedType() != enums.QUERY_RESULT_TYPE_FAILED || !strings.Contains(failed.GetErrorMessage(), "has no keys") {
		t.Errorf("reported as %v", f.received())
	}
}

// If the input of an activity cannot be decrypted, the activity does not run and the server gets no
// result.
func TestActivityWithoutKeyDoesNotRun(t *testing.T) {
	t.Parallel()
	f := &frontend{activity: &workflowservice.PollActivityTaskQueueResponse{TaskToken: []byte("token"), Input: payloads(encrypt(t, newCodec(t), personal()))}}
	task, err := dial(t, f, newKeyFile(t, newKeys(t)).open()).PollActivityTaskQueue(t.Context(), &workflowservice.PollActivityTaskQueueRequest{})
	if err != nil || len(task.GetTaskToken()) > 0 || task.GetInput() != nil {
		t.Errorf("the worker received %v, %v", task, err)
	}
	if sent := f.received(); len(sent) > 0 {
		t.Errorf("the worker sent %v", sent)
	}
}

// A caller without the key receives an error that names the missing key.
func TestResponseWithoutKey(t *testing.T) {
	t.Parallel()
	f := &frontend{query: &workflowservice.QueryWorkflowResponse{QueryResult: payloads(encrypt(t, newCodec(t), personal()))}}
	_, err := dial(t, f, nil).QueryWorkflow(t.Context(), &workflowservice.QueryWorkflowRequest{})
	if status.Code(err) != codes.DataLoss || !strings.Contains(err.Error(), "has no keys") { // with the code FailedPrecondition, the SDK would report that no worker runs
		t.Errorf("got %v; want DataLoss with the reason", err)
	}
}

// If a header cannot be decrypted, the task does not fail.
func TestOptionalPayloadWithoutKey(t *testing.T) {
	t.Parallel()
	sent := encrypt(t, newCodec(t), personal())
	f := &frontend{activity: &workflowservice.PollActivityTaskQueueResponse{
		TaskToken: []byte("token"), Input: payloads(personal()), Header: &commonpb.Header{Fields: map[string]*commonpb.Payload{"trace": sent}},
	}}
	task, err := dial(t, f, nil).PollActivityTaskQueue(t.Context(), &workflowservice.PollActivityTaskQueueRequest{})
	if err != nil || !proto.Equal(task.GetHeader().GetFields()["trace"], sent) {
		t.Errorf("the worker received %v, %v", task, err)
	}
}

// The Encryption also decrypts the failure of a query, which is in the details of a gRPC error.
func TestFailedQueryIsDecrypted(t *testing.T) {
	t.Parallel()
	ring := newKeyFile(t, newKeys(t)).open()
	failed, err := status.New(codes.InvalidArgument, "query failed").WithDetails(&errordetailspb.QueryFailedFailure{Failure: &failurepb.Failure{
		Message: "Encoded failure", EncodedAttributes: encrypt(t, payload.NewCodec(ring), jsonPayload(`{"message":"no such request"}`)),
	}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = dial(t, &frontend{queryErr: failed.Err()}, ring).QueryWorkflow(t.Context(), &workflowservice.QueryWorkflowRequest{})
	details := status.Convert(err).Details()
	if len(details) != 1 || details[0].(*errordetailspb.QueryFailedFailure).GetFailure().GetMessage() != "no such request" {
		t.Errorf("got %v with %v", err, details)
	}
}

// A worker with keys handles a message in clear, and logs one warning with the name of the message
// and without the content. A worker without keys logs nothing.
func TestUnencryptedMessagesAreReported(t *testing.T) {
	t.Parallel()
	ring := newKeyFile(t, newKeys(t)).open()
	signal := func(id int64, name string, p *commonpb.Payload) *historypb.HistoryEvent {
		return &historypb.HistoryEvent{EventId: id, Attributes: &historypb.HistoryEvent_WorkflowExecutionSignaledEventAttributes{
			WorkflowExecutionSignaledEventAttributes: &historypb.WorkflowExecutionSignaledEventAttributes{SignalName: name, Input: payloads(p)},
		}}
	}
	started := func(earlier string) *historypb.HistoryEvent {
		return &historypb.HistoryEvent{EventId: 3, Attributes: &historypb.HistoryEvent_WorkflowExecutionStartedEventAttributes{
			WorkflowExecutionStartedEventAttributes: &historypb.WorkflowExecutionStartedEventAttributes{ContinuedExecutionRunId: earlier, Input: payloads(personal())},
		}}
	}
	task := &workflowservice.PollWorkflowTaskQueueResponse{
		TaskToken: []byte("token"), PreviousStartedEventId: 2,
		History: &historypb.History{Events: []*historypb.HistoryEvent{
			signal(1, "handledBefore", personal()), started("r"), started(""), signal(4, "progress", personal()),
			signal(5, "pause", encrypt(t, payload.NewCodec(ring), personal())),
			signal(6, "resume", &commonpb.Payload{Metadata: map[string][]byte{"encoding": []byte("binary/null")}}),
		}},
		Messages: []*protocolpb.Message{{Body: anyOf(t, &updatepb.Request{Input: &updatepb.Input{Name: "addInterests", Args: payloads(personal())}})}},
	}
	var log bytes.Buffer
	reader := sdkmetric.NewManualReader()
	meter := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)).Meter("test")
	received, err := dialObserved(t, &frontend{task: task}, ring, slog.New(slog.NewTextHandler(&log, nil)), meter).PollWorkflowTaskQueue(t.Context(), &workflowservice.PollWorkflowTaskQueueRequest{})
	if err != nil || len(received.GetHistory().GetEvents()) != 6 {
		t.Fatalf("received %v, %v", received, err)
	}
	for _, name := range []string{"message=start", "message=progress", "message=addInterests"} {
		if strings.Count(log.String(), name) != 1 {
			t.Errorf("the log does not contain %s once: %s", name, log.String())
		}
	}
	if strings.Count(log.String(), "not encrypted") != 3 || strings.Contains(log.String(), person) {
		t.Errorf("the log is %s", log.String())
	}
	var counted metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &counted); err != nil {
		t.Fatal(err)
	}
	sums := map[string]int64{}
	for _, m := range counted.ScopeMetrics[0].Metrics {
		if sum, ok := m.Data.(metricdata.Sum[int64]); ok && len(sum.DataPoints) > 0 {
			sums[m.Name] = sum.DataPoints[0].Value
		}
	}
	if sums["oppflow.payload.unencrypted"] != 3 || sums["oppflow.payload.undecrypted"] != 0 {
		t.Errorf("counted %v", sums)
	}
	log.Reset()
	for _, e := range task.GetHistory().GetEvents()[4:5] {
		e.Attributes = signal(5, "pause", personal()).Attributes
	}
	if _, err := dialObserved(t, &frontend{task: task}, nil, slog.New(slog.NewTextHandler(&log, nil)), nil).PollWorkflowTaskQueue(t.Context(), &workflowservice.PollWorkflowTaskQueueRequest{}); err != nil || log.Len() > 0 {
		t.Errorf("without keys the log is %q, %v", log.String(), err)
	}
}
