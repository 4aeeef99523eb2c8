package host_test

import (
	"context"
	"strings"
	"testing"

	commonpb "go.temporal.io/api/common/v1"
	historypb "go.temporal.io/api/history/v1"
	protocolpb "go.temporal.io/api/protocol/v1"
	querypb "go.temporal.io/api/query/v1"
	updatepb "go.temporal.io/api/update/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/worker/host"
	"github.com/oppflow/oppflow/workflows"
)

// taskFrontend is a fake Temporal service that returns tasks with updates, and stores the header
// with the workflow id.
type taskFrontend struct {
	frontend
	messages       []*protocolpb.Message
	history        *historypb.History
	namedWorkflows []string
}

func (f *taskFrontend) PollWorkflowTaskQueue(context.Context, *workflowservice.PollWorkflowTaskQueueRequest) (*workflowservice.PollWorkflowTaskQueueResponse, error) {
	polled := &workflowservice.PollWorkflowTaskQueueResponse{Messages: f.messages, History: f.history}
	if f.history != nil {
		polled.Query = &querypb.WorkflowQuery{QueryArgs: f.history.GetEvents()[0].GetWorkflowExecutionStartedEventAttributes().GetInput()}
	}
	return polled, nil
}

func (f *taskFrontend) GetWorkflowExecutionHistory(context.Context, *workflowservice.GetWorkflowExecutionHistoryRequest) (*workflowservice.GetWorkflowExecutionHistoryResponse, error) {
	return &workflowservice.GetWorkflowExecutionHistoryResponse{History: f.history}, nil
}

func (f *taskFrontend) RespondWorkflowTaskCompleted(context.Context, *workflowservice.RespondWorkflowTaskCompletedRequest) (*workflowservice.RespondWorkflowTaskCompletedResponse, error) {
	return &workflowservice.RespondWorkflowTaskCompletedResponse{WorkflowTask: &workflowservice.PollWorkflowTaskQueueResponse{Messages: f.messages}}, nil
}

func (f *taskFrontend) SignalWorkflowExecution(ctx context.Context, _ *workflowservice.SignalWorkflowExecutionRequest) (*workflowservice.SignalWorkflowExecutionResponse, error) {
	headers, _ := metadata.FromIncomingContext(ctx)
	f.namedWorkflows = append(f.namedWorkflows, headers.Get("temporal-resource-id")...)
	return &workflowservice.SignalWorkflowExecutionResponse{}, nil
}

func TestReferencesInAnyScriptAreReached(t *testing.T) {
	f := &taskFrontend{}
	c, _, err := host.Connect(t.Context(), host.InsecureTemporal(serveAs(t, &f.frontend, f), ""), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for reference, want := range map[opportunity.Reference]string{
		"A-1":      "workflow:opportunity/A-1",
		"Zürich-1": "workflow:opportunity%2FZ%C3%BCrich-1",
		"東京-1":     "workflow:opportunity%2F%E6%9D%B1%E4%BA%AC-1",
	} {
		f.namedWorkflows = nil
		if err := c.SignalWorkflow(t.Context(), lifecycle.WorkflowID(reference), "", "pause", nil); err != nil || len(f.namedWorkflows) != 1 || f.namedWorkflows[0] != want {
			t.Errorf("%s: named %q, %v; want %q", reference, f.namedWorkflows, err, want)
		}
	}
}

func TestALargeUpdateIsLeftOutOfATask(t *testing.T) {
	message := func(input *updatepb.Input) *protocolpb.Message {
		body, err := anypb.New(&updatepb.Request{Meta: &updatepb.Meta{UpdateId: "u"}, Input: input})
		if err != nil {
			t.Fatal(err)
		}
		return &protocolpb.Message{Id: "m", Body: body}
	}
	payload := func(size int) *commonpb.Payload {
		return &commonpb.Payload{Metadata: map[string][]byte{"encoding": []byte("json/plain")}, Data: []byte(strings.Repeat("x", size))}
	}
	of := func(sizes ...int) *commonpb.Payloads {
		all := new(commonpb.Payloads)
		for _, size := range sizes {
			all.Payloads = append(all.Payloads, payload(size))
		}
		return all
	}
	const large = 2_200_000
	for name, c := range map[string]struct {
		input *updatepb.Input
		whole bool
	}{
		"a small one":     {&updatepb.Input{Name: "progress", Args: of(10)}, true},
		"the largest":     {&updatepb.Input{Name: "progress", Args: of(opportunity.MaxCommandBytes)}, true},
		"a large one":     {&updatepb.Input{Name: "progress", Args: of(large)}, false},
		"a second large":  {&updatepb.Input{Name: "progress", Args: of(10, large)}, false},
		"a large header":  {&updatepb.Input{Name: "progress", Args: of(10), Header: &commonpb.Header{Fields: map[string]*commonpb.Payload{"x": payload(large)}}}, false},
		"a large name":    {&updatepb.Input{Name: strings.Repeat("é", large/2), Args: of(10)}, false},
		"a long name":     {&updatepb.Input{Name: strings.Repeat("é", 60), Args: of(10)}, false},
		"an unknown name": {&updatepb.Input{Name: "nothing", Args: of(large)}, false},
	} {
		t.Run(name, func(t *testing.T) {
			want := message(c.input)
			f := &taskFrontend{messages: []*protocolpb.Message{message(&updatepb.Input{Name: "first", Args: of(1)}), message(c.input)}}
			connection, _, err := host.Connect(t.Context(), host.InsecureTemporal(serveAs(t, &f.frontend, f), ""), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer connection.Close()
			polled, err := connection.WorkflowService().PollWorkflowTaskQueue(t.Context(), &workflowservice.PollWorkflowTaskQueueRequest{})
			if err != nil {
				t.Fatal(err)
			}
			completed, err := connection.WorkflowService().RespondWorkflowTaskCompleted(t.Context(), &workflowservice.RespondWorkflowTaskCompletedRequest{})
			if err != nil {
				t.Fatal(err)
			}
			for _, got := range [][]*protocolpb.Message{polled.GetMessages(), completed.GetWorkflowTask().GetMessages()} {
				if len(got) != 2 || got[0].GetBody().String() != f.messages[0].GetBody().String() {
					t.Fatalf("%d messages", len(got))
				}
				var update updatepb.Request
				if err := got[1].GetBody().UnmarshalTo(&update); err != nil {
					t.Fatal(err)
				}
				if whole := proto.Equal(got[1].GetBody(), want.GetBody()); whole != c.whole {
					t.Errorf("left whole: %v; want %v", whole, c.whole)
				}
				args := update.GetInput().GetArgs().GetPayloads()
				if c.whole {
					continue
				}
				if size := proto.Size(&update); size > 1000 || update.GetMeta().GetUpdateId() != "u" || !strings.HasPrefix(c.input.GetName(), update.GetInput().GetName()) ||
					len(args) != 1 || string(args[0].GetMetadata()["encoding"]) != workflows.EncodingTooLarge {
					t.Errorf("%d bytes are left: %v", size, update.GetInput())
				}
			}
		})
	}
}

// If a payload in any place of a task refers to an external storage, the workflow receives a
// placeholder instead of the payload.
func TestAPayloadThatIsKeptElsewhereIsLeftOutOfATask(t *testing.T) {
	for name, reference := range map[string]*commonpb.Payload{
		"of old": {Metadata: map[string][]byte{"encoding": []byte("json/external-storage-reference")}, Data: []byte("{}")},
		"of now": {Metadata: map[string][]byte{"encoding": []byte("json/protobuf"), "messageType": []byte("temporal.api.sdk.v1.ExternalStorageReference")}, Data: []byte("{}")},
	} {
		all := &commonpb.Payloads{Payloads: []*commonpb.Payload{{Metadata: map[string][]byte{"encoding": []byte("json/plain")}, Data: []byte("{}")}, reference}}
		body, err := anypb.New(&updatepb.Request{Input: &updatepb.Input{Args: all}})
		if err != nil {
			t.Fatal(err)
		}
		started := &historypb.WorkflowExecutionStartedEventAttributes{Input: all, Memo: &commonpb.Memo{Fields: map[string]*commonpb.Payload{"x": reference}}}
		f := &taskFrontend{messages: []*protocolpb.Message{{Body: body}}, history: &historypb.History{Events: []*historypb.HistoryEvent{
			{Attributes: &historypb.HistoryEvent_WorkflowExecutionStartedEventAttributes{WorkflowExecutionStartedEventAttributes: started}},
			{Attributes: &historypb.HistoryEvent_WorkflowExecutionSignaledEventAttributes{WorkflowExecutionSignaledEventAttributes: &historypb.WorkflowExecutionSignaledEventAttributes{Input: all}}},
		}}}
		connection, _, err := host.Connect(t.Context(), host.InsecureTemporal(serveAs(t, &f.frontend, f), ""), nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(connection.Close)
		polled, err := connection.WorkflowService().PollWorkflowTaskQueue(t.Context(), &workflowservice.PollWorkflowTaskQueueRequest{})
		if err != nil {
			t.Fatal(err)
		}
		read, err := connection.WorkflowService().GetWorkflowExecutionHistory(t.Context(), &workflowservice.GetWorkflowExecutionHistoryRequest{})
		if err != nil {
			t.Fatal(err)
		}
		var update updatepb.Request
		if err := polled.GetMessages()[0].GetBody().UnmarshalTo(&update); err != nil {
			t.Fatal(err)
		}
		found := [][]*commonpb.Payload{
			update.GetInput().GetArgs().GetPayloads(), polled.GetQuery().GetQueryArgs().GetPayloads(),
		}
		for _, history := range []*historypb.History{polled.GetHistory(), read.GetHistory()} {
			begun := history.GetEvents()[0].GetWorkflowExecutionStartedEventAttributes()
			found = append(found, begun.GetInput().GetPayloads(), history.GetEvents()[1].GetWorkflowExecutionSignaledEventAttributes().GetInput().GetPayloads(),
				[]*commonpb.Payload{all.GetPayloads()[0], begun.GetMemo().GetFields()["x"]})
		}
		for n, payloads := range found {
			if len(payloads) != 2 || !proto.Equal(payloads[0], all.GetPayloads()[0]) || string(payloads[1].GetMetadata()["encoding"]) != workflows.EncodingExternalStorage {
				t.Errorf("%s, place %d: %v", name, n, payloads)
			}
		}
	}
}
