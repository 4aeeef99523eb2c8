package telemetry

import (
	"context"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	commonpb "go.temporal.io/api/common/v1"
	temporalotel "go.temporal.io/sdk/contrib/opentelemetry"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/workflow"
)

// headerKey is the header in which every SDK of Temporal sends the trace.
const headerKey = "_tracer-data"

// Requests contains functions that find the request ids of the messages and of the activities of a
// workflow. A workflow first stores messages, and later executes several stored messages together.
// Package telemetry uses the request ids to find the traces of the messages that an activity
// executes.
type Requests struct {
	// OfMessage returns the request id of a signal or an update, or "" if the message makes no
	// request or has no request id. The parameter update is the id of the update, or "" for a
	// signal. The parameter payload is the content of the message, and may be nil or have any form.
	OfMessage func(update string, payload *commonpb.Payload) string
	// OfActivity returns the request ids of the requests that an activity executes, in their order.
	// carries says whether the activity executes any requests. An activity that executes no requests
	// is in the trace of the last activity that executed requests.
	OfActivity func(activity string, args []any) (ids []string, carries bool)
}

// tracing traces clients, workflows and activities with Temporal's own interceptor, with two
// differences. An activity is in the trace of the message that caused the activity, not in the
// trace of the workflow's start. A workflow that a worker rebuilds does not create its past spans
// again.
//
// The type tracing adds no history event and no command to a workflow. Workers with and without
// tracing can replay each other's histories.
type tracing struct {
	interceptor.Interceptor
	tracer   tracer
	requests Requests
}

func newTracing(t trace.Tracer, requests Requests) (interceptor.Interceptor, error) {
	inner, err := temporalotel.NewTracer(temporalotel.TracerOptions{
		Tracer: t, TextMapPropagator: propagation.TraceContext{}, DisableBaggage: true, SpanContextKey: spanKey{},
		HeaderKey: headerKey, SpanStarter: startSpan,
		AllowInvalidParentSpans: true, // an unreadable header does not fail a workflow
	})
	if err != nil {
		return nil, err
	}
	own := tracer{inner}
	return &tracing{Interceptor: interceptor.NewTracingInterceptor(own), tracer: own, requests: requests}, nil
}

type spanKey struct{}

// causingSpans contains the spans of the messages that caused an activity: the span of the first
// message, and the spans of the other messages.
type causingSpans struct {
	first  trace.SpanContext
	others []trace.SpanContext
}

// Finish does nothing. causingSpans has the method only to implement interceptor.TracerSpan.
func (c *causingSpans) Finish(*interceptor.TracerFinishSpanOptions) {}

// tracer is a Tracer that accepts causingSpans as the parent of a span.
type tracer struct{ interceptor.Tracer }

func (t tracer) StartSpan(o *interceptor.TracerStartSpanOptions) (interceptor.TracerSpan, error) {
	if !identifierPattern.MatchString(o.Name) {
		o.Name = otherSpanName
	}
	of, ok := o.Parent.(*causingSpans)
	if !ok {
		return t.Tracer.StartSpan(o)
	}
	parent, err := t.UnmarshalSpan(encodeSpan(of.first))
	if err != nil {
		return nil, err
	}
	o.Parent = parent
	started, err := t.Tracer.StartSpan(o)
	if linked, ok := started.(interface{ AddLink(trace.Link) }); ok {
		for _, other := range of.others {
			linked.AddLink(trace.Link{SpanContext: other})
		}
	}
	return started, err
}

func (t tracer) MarshalSpan(s interceptor.TracerSpan) (map[string]string, error) {
	if of, ok := s.(*causingSpans); ok {
		return encodeSpan(of.first), nil
	}
	return t.Tracer.MarshalSpan(s)
}

// encodeSpan encodes a span in the form of the header headerKey.
func encodeSpan(s trace.SpanContext) map[string]string {
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(trace.ContextWithSpanContext(context.Background(), s), carrier)
	return carrier
}

// senderSpan returns the span of a message's sender, from the header of the message in ctx.
func senderSpan(ctx workflow.Context) trace.SpanContext {
	payload := interceptor.WorkflowHeader(ctx)[headerKey]
	var carried map[string]string
	if payload == nil || converter.GetDefaultDataConverter().FromPayload(payload, &carried) != nil {
		return trace.SpanContext{}
	}
	return trace.SpanContextFromContext(propagation.TraceContext{}.Extract(context.Background(), propagation.MapCarrier(carried)))
}

// InterceptWorkflow puts the SDK's interceptor between two interceptors of this package. During a
// replay, the outer interceptor skips the SDK's interceptor. The inner interceptor finds the span
// that the SDK's interceptor has put into the context.
func (t *tracing) InterceptWorkflow(ctx workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	inner := &messageSpans{requests: t.requests, byRequest: map[string]trace.SpanContext{}}
	inner.Next = next
	outer := &replaySkipper{whenReplaying: inner}
	outer.Next = t.Interceptor.InterceptWorkflow(ctx, inner)
	return outer
}

// replaySkipper skips the SDK's interceptor while a workflow is replayed. Without replaySkipper,
// every worker that rebuilds a run would create the spans of the updates and the span of the whole
// run again.
type replaySkipper struct {
	interceptor.WorkflowInboundInterceptorBase
	whenReplaying interceptor.WorkflowInboundInterceptor
}

func (r *replaySkipper) ExecuteWorkflow(ctx workflow.Context, in *interceptor.ExecuteWorkflowInput) (any, error) {
	if !workflow.IsReplaying(ctx) {
		return r.Next.ExecuteWorkflow(ctx, in)
	}
	if starter := senderSpan(ctx); starter.IsValid() {
		ctx = workflow.WithValue(ctx, spanKey{}, &causingSpans{first: starter})
	}
	return r.whenReplaying.ExecuteWorkflow(ctx, in)
}

func (r *replaySkipper) ExecuteUpdate(ctx workflow.Context, in *interceptor.UpdateInput) (any, error) {
	if !workflow.IsReplaying(ctx) {
		return r.Next.ExecuteUpdate(ctx, in)
	}
	return r.whenReplaying.ExecuteUpdate(ctx, in)
}

// messageSpans contains the spans of the messages that one run received, in one worker. When a
// worker rebuilds a run, messageSpans is rebuilt from the headers in the history. After a continue
// as new, messages that wait are in the trace that contains the start of the workflow.
type messageSpans struct {
	interceptor.WorkflowInboundInterceptorBase
	requests  Requests
	byRequest map[string]trace.SpanContext // by request id; Temporal's limit for a history also limits the number of requests of a run
	current   *causingSpans                // of the last activity that executed requests
}

func (m *messageSpans) Init(outbound interceptor.WorkflowOutboundInterceptor) error {
	out := &outboundInterceptor{messages: m}
	out.Next = outbound
	return m.Next.Init(out)
}

func (m *messageSpans) HandleSignal(ctx workflow.Context, in *interceptor.HandleSignalInput) error {
	var payload *commonpb.Payload
	if all := in.Arg.GetPayloads(); len(all) > 0 {
		payload = all[0]
	}
	m.rememberSpan(ctx, "", payload)
	return m.Next.HandleSignal(ctx, in)
}

func (m *messageSpans) ExecuteUpdate(ctx workflow.Context, in *interceptor.UpdateInput) (any, error) {
	var payload *commonpb.Payload
	if len(in.Args) > 0 {
		if raw, ok := in.Args[0].(converter.RawValue); ok {
			payload = raw.Payload()
		}
	}
	m.rememberSpan(ctx, workflow.GetCurrentUpdateInfo(ctx).ID, payload)
	return m.Next.ExecuteUpdate(ctx, in)
}

// For a repeated request, rememberSpan keeps the span of the first sender.
func (m *messageSpans) rememberSpan(ctx workflow.Context, update string, payload *commonpb.Payload) {
	if m.requests.OfMessage == nil {
		return
	}
	id := m.requests.OfMessage(update, payload)
	if _, known := m.byRequest[id]; known || id == "" {
		return
	}
	from := senderSpan(ctx)
	if handling, ok := ctx.Value(spanKey{}).(interface{ SpanContext() trace.SpanContext }); ok {
		from = handling.SpanContext()
	}
	if from.IsValid() {
		m.byRequest[id] = from
	}
}

// causesOf returns the spans that caused an activity, or nil if no span of the activity's requests
// is known.
func (m *messageSpans) causesOf(activity string, args []any) *causingSpans {
	if m.requests.OfActivity == nil {
		return nil
	}
	ids, carries := m.requests.OfActivity(activity, args)
	if !carries {
		return m.current
	}
	m.current = nil
	seen := map[trace.SpanID]bool{}
	for _, id := range ids {
		from, known := m.byRequest[id]
		switch {
		case !known || seen[from.SpanID()]:
		case m.current == nil:
			m.current = &causingSpans{first: from}
		default:
			m.current.others = append(m.current.others, from)
		}
		seen[from.SpanID()] = true
	}
	return m.current
}

// outboundInterceptor is the interceptor nearest to the workflow, so the SDK's interceptor finds
// the values that outboundInterceptor puts into the context.
type outboundInterceptor struct {
	interceptor.WorkflowOutboundInterceptorBase
	messages *messageSpans
}

func (o *outboundInterceptor) ExecuteActivity(ctx workflow.Context, activity string, args ...any) workflow.Future {
	if of := o.messages.causesOf(activity, args); of != nil {
		ctx = workflow.WithValue(ctx, spanKey{}, of)
	}
	return o.Next.ExecuteActivity(ctx, activity, args...)
}
