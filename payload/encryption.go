package payload

import (
	"context"
	"errors"
	"log/slog"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
	commonpb "go.temporal.io/api/common/v1"
	failurepb "go.temporal.io/api/failure/v1"
	"go.temporal.io/api/proxy"
	sdkpb "go.temporal.io/api/sdk/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// codeNotDecrypted is the gRPC status code of a response that cannot be decrypted. The SDK does not
// repeat a request that fails with codeNotDecrypted, and the Temporal server does not use this code
// for another problem of a run.
const codeNotDecrypted = codes.DataLoss

// Encryption encrypts the payloads of a Temporal client's requests, and decrypts the payloads of
// the responses. An Encryption without keys encrypts nothing, and fails every workflow task that
// contains an encrypted payload.
type Encryption struct {
	codec            *Codec
	logger           *slog.Logger
	payloads, errors grpc.UnaryClientInterceptor // both interceptors process responses

	unencrypted, undecrypted metric.Int64Counter
}

// NewEncryption returns an Encryption with the keys of the ring, or without keys if the ring is
// nil. A nil logger logs nothing.
func NewEncryption(ring *KeyRing, logger *slog.Logger) (*Encryption, error) {
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	e := &Encryption{codec: NewCodec(ring), logger: logger}
	err := e.CountIn(noop.Meter{})
	if err != nil {
		return nil, err
	}
	e.payloads, err = proxy.NewPayloadVisitorInterceptor(proxy.PayloadVisitorInterceptorOptions{
		Inbound: &proxy.VisitPayloadsOptions{Visitor: e.decode, SkipSearchAttributes: true},
	})
	if err != nil {
		return nil, err
	}
	e.errors, err = proxy.NewFailureVisitorInterceptor(proxy.FailureVisitorInterceptorOptions{
		Inbound: &proxy.VisitFailuresOptions{Visitor: decodeFailure},
	})
	return e, err
}

// CountIn makes the Encryption count, in the meter, the messages that arrive in clear and the tasks
// that it cannot decrypt. Call CountIn before AddTo.
func (e *Encryption) CountIn(meter metric.Meter) error {
	var err, other error
	e.unencrypted, err = meter.Int64Counter("oppflow.payload.unencrypted", metric.WithDescription("Messages that arrived in clear at a worker with encryption keys"))
	e.undecrypted, other = meter.Int64Counter("oppflow.payload.undecrypted", metric.WithDescription("Tasks with a payload that the worker could not decrypt"))
	return errors.Join(err, other)
}

// AddTo adds the encryption to the options of a client. AddTo must be the last change of the dial
// options, because every later interceptor sees encrypted payloads.
func (e *Encryption) AddTo(o *client.Options) {
	o.ConnectionOptions.DialOptions = append(o.ConnectionOptions.DialOptions, grpc.WithChainUnaryInterceptor(e.intercept))
}

func (e *Encryption) intercept(ctx context.Context, method string, request, reply any, connection *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
	sent, err := e.encodeRequest(ctx, request)
	if err != nil {
		return err
	}
	received := func(ctx context.Context, method string, request, reply any, connection *grpc.ClientConn, options ...grpc.CallOption) error {
		err := invoke(ctx, method, request, reply, connection, options...)
		if err == nil && e.codec.ring != nil {
			e.reportUnencrypted(ctx, reply)
		}
		return err
	}
	payloads := func(ctx context.Context, method string, request, reply any, connection *grpc.ClientConn, options ...grpc.CallOption) error {
		return e.payloads(ctx, method, request, reply, connection, received, options...)
	}
	err = e.errors(ctx, method, sent, reply, connection, payloads, options...)
	if isVisitError(err) {
		return e.refuse(ctx, request, reply, err, func(ctx context.Context, method string, request, reply any) error {
			return invoke(ctx, method, request, reply, connection, options...)
		})
	}
	return err
}

// encodeRequest returns an encrypted copy of the request. The request itself stays in clear,
// because the SDK may send the request again.
func (e *Encryption) encodeRequest(ctx context.Context, request any) (any, error) {
	plain, ok := request.(proto.Message)
	if e.codec.ring == nil || !ok {
		return request, nil
	}
	sent := proto.Clone(plain)
	if err := proxy.VisitFailures(ctx, sent, proxy.VisitFailuresOptions{Visitor: encodeFailure}); err != nil {
		return nil, status.Error(codes.FailedPrecondition, err.Error())
	}
	err := proxy.VisitPayloads(ctx, sent, proxy.VisitPayloadsOptions{
		SkipSearchAttributes: true,
		Visitor: func(c *proxy.VisitPayloadsContext, payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
			if staysClear(c.Parent) {
				return payloads, nil
			}
			return eachPayload(payloads, func(p *commonpb.Payload) (*commonpb.Payload, error) {
				if isWorkflowMetadata(p) {
					return p, nil
				}
				return e.codec.encrypt(p)
			})
		},
	})
	if err != nil {
		return nil, status.Error(codes.FailedPrecondition, err.Error())
	}
	return sent, nil
}

func staysClear(parent proto.Message) bool {
	switch parent.(type) {
	case *commonpb.Memo, *sdkpb.UserMetadata:
		return true
	}
	return false
}

// isWorkflowMetadata recognises the response to the SDK's own query __temporal_workflow_metadata,
// which contains the current details and the names of the messages.
func isWorkflowMetadata(p *commonpb.Payload) bool {
	m := p.GetMetadata()
	return string(m[converter.MetadataEncoding]) == converter.MetadataEncodingProtoJSON &&
		string(m[converter.MetadataMessageType]) == string((*sdkpb.WorkflowMetadata)(nil).ProtoReflect().Descriptor().FullName())
}

// If a header, a memo or a summary cannot be decrypted, decode returns the payload unchanged,
// because the payload is no message and no result. Memos and summaries may be encrypted, because
// programs with other SDKs encrypt them.
func (e *Encryption) decode(c *proxy.VisitPayloadsContext, payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	_, isHeader := c.Parent.(*commonpb.Header)
	optional := isHeader || staysClear(c.Parent)
	return eachPayload(payloads, func(p *commonpb.Payload) (*commonpb.Payload, error) {
		plain, err := e.codec.decrypt(c, p)
		if err != nil && optional {
			return p, nil
		}
		return plain, err
	})
}

// encodeFailure moves the text and the stack trace of a failure into a payload.
func encodeFailure(_ *proxy.VisitFailuresContext, f *failurepb.Failure) error {
	if f.GetEncodedAttributes() != nil {
		return nil // another program has already encoded the failure
	}
	return converter.EncodeCommonFailureAttributes(converter.GetDefaultDataConverter(), f)
}

func decodeFailure(_ *proxy.VisitFailuresContext, f *failurepb.Failure) error {
	if f.GetEncodedAttributes() == nil || IsEncrypted(f.GetEncodedAttributes()) {
		return nil
	}
	converter.DecodeCommonFailureAttributes(converter.GetDefaultDataConverter(), f)
	f.EncodedAttributes = nil
	return nil
}

// isVisitError reports whether the error comes from the decryption of a response's payloads, and
// not from the server or the network.
func isVisitError(err error) bool {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	_, isStatus := status.FromError(err)
	return !isStatus
}

// refuse handles a response with a payload that cannot be decrypted. If the response is a task,
// refuse does not pass the task to the worker.
func (e *Encryption) refuse(ctx context.Context, request, reply any, cause error, invoke sendFunc) error {
	switch reply := reply.(type) {
	case *workflowservice.PollWorkflowTaskQueueResponse:
		poll, _ := request.(*workflowservice.PollWorkflowTaskQueueRequest)
		e.failTask(ctx, reply, sender{poll.GetNamespace(), poll.GetIdentity()}, cause, invoke)
		proto.Reset(reply)
		return nil
	case *workflowservice.RespondWorkflowTaskCompletedResponse:
		completed, _ := request.(*workflowservice.RespondWorkflowTaskCompletedRequest)
		e.failTask(ctx, reply.GetWorkflowTask(), sender{completed.GetNamespace(), completed.GetIdentity()}, cause, invoke)
		reply.WorkflowTask = nil
		return nil
	case *workflowservice.PollActivityTaskQueueResponse:
		e.undecrypted.Add(ctx, 1)
		e.logger.ErrorContext(ctx, "an activity task cannot be decrypted; the task ends with its time-out",
			"workflow", reply.GetWorkflowExecution().GetWorkflowId(), "activity", reply.GetActivityId(), "error", cause)
		proto.Reset(reply)
		return nil
	}
	return status.Error(codeNotDecrypted, cause.Error())
}
