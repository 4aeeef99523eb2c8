package host

import (
	"context"
	"strconv"

	commonpb "go.temporal.io/api/common/v1"
	protocolpb "go.temporal.io/api/protocol/v1"
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

// onTheWire adds what stands between the SDK and the network. The SDK's own
// interceptors come before those.
func onTheWire(o *client.Options) {
	o.ConnectionOptions.DialOptions = append(o.ConnectionOptions.DialOptions, grpc.WithChainUnaryInterceptor(asciiHeaders, smallUpdates))
}

// asciiHeaders lets requests about a workflow go out whatever script its id is in.
// The SDK names the workflow in a header, and values of headers are ASCII.
func asciiHeaders(ctx context.Context, method string, request, reply any, connection *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
	if sent, some := metadata.FromOutgoingContext(ctx); some {
		for key, values := range sent {
			for n, value := range values {
				if plain := lifecycle.ASCIIHeader(value); plain != value && !isBinary(key) {
					sent[key][n] = plain // it is a copy
				}
			}
		}
		ctx = metadata.NewOutgoingContext(ctx, sent)
	}
	return invoke(ctx, method, request, reply, connection, options...)
}

// isBinary reports whether the values of the header may be any bytes.
func isBinary(key string) bool { return len(key) > 4 && key[len(key)-4:] == "-bin" }

// smallUpdates replaces what an update brings by a note of its size when it is too
// large to be taken. A worker answers a task with every update it accepts or
// refuses in full, and the service then takes none of what the worker says.
func smallUpdates(ctx context.Context, method string, request, reply any, connection *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
	if err := invoke(ctx, method, request, reply, connection, options...); err != nil {
		return err
	}
	switch reply := reply.(type) {
	case *workflowservice.PollWorkflowTaskQueueResponse:
		return shrink(reply.GetMessages())
	case *workflowservice.RespondWorkflowTaskCompletedResponse:
		return shrink(reply.GetWorkflowTask().GetMessages())
	}
	return nil
}

func shrink(messages []*protocolpb.Message) error {
	for _, m := range messages {
		size := proto.Size(m.GetBody())
		if size <= opportunity.MaxUpdateBytes || !m.GetBody().MessageIs((*updatepb.Request)(nil)) {
			continue
		}
		var update updatepb.Request
		if err := m.GetBody().UnmarshalTo(&update); err != nil {
			return err
		}
		update.Input = &updatepb.Input{Name: update.GetInput().GetName(), Args: &commonpb.Payloads{Payloads: []*commonpb.Payload{{
			Metadata: map[string][]byte{converter.MetadataEncoding: []byte(workflows.EncodingTooLarge)}, Data: []byte(strconv.Itoa(size)),
		}}}}
		if err := m.GetBody().MarshalFrom(&update); err != nil {
			return err
		}
	}
	return nil
}
