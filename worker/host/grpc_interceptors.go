package host

import (
	"context"
	"strconv"
	"strings"
	"unicode/utf8"

	commonpb "go.temporal.io/api/common/v1"
	protocolpb "go.temporal.io/api/protocol/v1"
	"go.temporal.io/api/proxy"
	updatepb "go.temporal.io/api/update/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/workflows"
)

// addGRPCInterceptors adds Oppflow's gRPC interceptors between the SDK and the network, after the
// SDK's own interceptors.
func addGRPCInterceptors(o *client.Options) {
	o.ConnectionOptions.DialOptions = append(o.ConnectionOptions.DialOptions, grpc.WithChainUnaryInterceptor(asciiHeaders, sanitizeTasks))
}

// asciiHeaders escapes characters that are not ASCII, because the SDK puts the workflow id into a
// header, and a workflow id may contain any characters.
func asciiHeaders(ctx context.Context, method string, request, reply any, connection *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
	if sent, some := metadata.FromOutgoingContext(ctx); some {
		for key, values := range sent {
			for n, value := range values {
				if !strings.HasSuffix(key, "-bin") { // the suffix -bin marks a header that may contain any bytes
					sent[key][n] = lifecycle.ASCIIHeader(value) // sent is a copy of the headers
				}
			}
		}
		ctx = metadata.NewOutgoingContext(ctx, sent)
	}
	return invoke(ctx, method, request, reply, connection, options...)
}

// sanitizeTasks replaces the input of a caller by a placeholder if no worker can handle the input.
// The workflow recognises a placeholder and refuses the message. Without a placeholder, every
// workflow task with this input would fail, and the run would never continue.
func sanitizeTasks(ctx context.Context, method string, request, reply any, connection *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
	if err := invoke(ctx, method, request, reply, connection, options...); err != nil {
		return err
	}
	switch reply := reply.(type) {
	case *workflowservice.PollWorkflowTaskQueueResponse:
		return sanitizeTask(ctx, reply)
	case *workflowservice.RespondWorkflowTaskCompletedResponse:
		return sanitizeTask(ctx, reply.GetWorkflowTask())
	case *workflowservice.GetWorkflowExecutionHistoryResponse: // the SDK reads this response when it rebuilds the state of a run
		return replaceExternalPayloads(ctx, reply)
	}
	return nil
}

func sanitizeTask(ctx context.Context, task *workflowservice.PollWorkflowTaskQueueResponse) error {
	if task == nil {
		return nil
	}
	if err := replaceOversizedUpdates(task.GetMessages()); err != nil {
		return err
	}
	return replaceExternalPayloads(ctx, task)
}

// maxUpdateNameBytes is the maximum length of the name of an update in bytes; a longer name is cut
// off.
const maxUpdateNameBytes = 100

// If an update is too large, replaceOversizedUpdates replaces its payload by a placeholder with the
// size of the update. A worker's response to a task contains in full every update that the worker
// accepts or refuses. The service rejects a response that is too large.
func replaceOversizedUpdates(messages []*protocolpb.Message) error {
	for _, m := range messages {
		size := proto.Size(m.GetBody())
		if size <= maxUpdateNameBytes || !m.GetBody().MessageIs((*updatepb.Request)(nil)) {
			continue
		}
		var update updatepb.Request
		if err := m.GetBody().UnmarshalTo(&update); err != nil {
			return err
		}
		name := update.GetInput().GetName()
		if size <= opportunity.MaxUpdateBytes && len(name) <= maxUpdateNameBytes {
			continue
		}
		for len(name) > maxUpdateNameBytes || !utf8.ValidString(name) {
			name = name[:min(maxUpdateNameBytes, len(name)-1)]
		}
		err := m.GetBody().MarshalFrom(&updatepb.Request{
			Meta:  &updatepb.Meta{UpdateId: update.GetMeta().GetUpdateId()},
			Input: &updatepb.Input{Name: name, Args: &commonpb.Payloads{Payloads: []*commonpb.Payload{placeholderPayload(workflows.EncodingTooLarge, strconv.Itoa(size))}}},
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func placeholderPayload(encoding, text string) *commonpb.Payload {
	return &commonpb.Payload{Metadata: map[string][]byte{converter.MetadataEncoding: []byte(encoding)}, Data: []byte(text)}
}

// Without replaceExternalPayloads, the SDK would fail a workflow task with a payload in an external
// storage, because the worker has no external storage.
func replaceExternalPayloads(ctx context.Context, message proto.Message) error {
	return proxy.VisitPayloads(ctx, message, proxy.VisitPayloadsOptions{
		SkipSearchAttributes: true,
		Visitor: func(_ *proxy.VisitPayloadsContext, payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
			for n, payload := range payloads {
				if isExternalPayload(payload) {
					payloads[n] = placeholderPayload(workflows.EncodingExternalStorage, "")
				}
			}
			return payloads, nil
		},
	})
}

// isExternalPayload recognises a payload that refers to an external storage; the SDK uses the same
// rule.
func isExternalPayload(payload *commonpb.Payload) bool {
	switch string(payload.GetMetadata()[converter.MetadataEncoding]) {
	case "json/external-storage-reference":
		return true
	case converter.MetadataEncodingProtoJSON:
		return string(payload.GetMetadata()[converter.MetadataMessageType]) == "temporal.api.sdk.v1.ExternalStorageReference"
	}
	return false
}
