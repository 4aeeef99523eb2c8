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

// headerKey is the header in which every SDK of Temporal carries the trace.
const headerKey = "_tracer-data"

// Requests tell which requests the messages and the activities of a workflow are about. A workflow takes messages in
// and works them off later, several at a time; by their requests an activity finds the traces it belongs to.
type Requests struct {
	// OfMessage answers the id of the request a signal or update makes, "" when it makes none or has none. update is
	// the update's id, "" for a signal. payload is what was sent and may be nil or anything.
	OfMessage func(update string, payload *commonpb.Payload) string
	// OfActivity answers the ids of the requests an activity carries out, in order, and whether it is one that carries
	// out requests at all. One that is not belongs to whatever was carried out before it.
	OfActivity func(activity string, args []any) (ids []string, carries bool)
}

// tracing traces clients, workflows and activities with Temporal's own interceptor. It adds to it that
//   - an activity stands in the trace of the message that caused it rather than in that of the start,
//   - what a rebuilt workflow goes through again makes no spans again.
//
// It adds no event and no command to a workflow: a history recorded with it replays without it, and the other way round.
type tracing struct {
	interceptor.Interceptor
	tracer   tracer
	requests Requests
}

func newTracing(t trace.Tracer, requests Requests) (interceptor.Interceptor, error) {
	inner, err := temporalotel.NewTracer(temporalotel.TracerOptions{
		Tracer: t, TextMapPropagator: propagation.TraceContext{}, DisableBaggage: true, SpanContextKey: spanKey{},
		HeaderKey: headerKey, SpanStarter: startSpan,
		AllowInvalidParentSpans: true, // a header nobody understands fails no workflow
	})
	if err != nil {
		return nil, err
	}
	own := tracer{inner}
	return &tracing{Interceptor: interceptor.NewTracingInterceptor(own), tracer: own, requests: requests}, nil
}

type spanKey struct{}

// causes is what an activity is carried out for: the first message's span, and those of the others that go with it.
type causes struct {
	first  trace.SpanContext
	others []trace.SpanContext
}

// Finish lets it stand where a span is expected. The span is another one's to finish.
func (c *causes) Finish(*interceptor.TracerFinishSpanOptions) {}

// tracer lets causes be parents of spans.
type tracer struct{ interceptor.Tracer }

func (t tracer) StartSpan(o *interceptor.TracerStartSpanOptions) (interceptor.TracerSpan, error) {
	if !plainName.MatchString(o.Name) {
		o.Name = otherName
	}
	of, ok := o.Parent.(*causes)
	if !ok {
		return t.Tracer.StartSpan(o)
	}
	parent, err := t.UnmarshalSpan(carry(of.first))
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
	if of, ok := s.(*causes); ok {
		return carry(of.first), nil
	}
	return t.Tracer.MarshalSpan(s)
}

// carry writes down a span as the header does.
func carry(s trace.SpanContext) map[string]string {
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(trace.ContextWithSpanContext(context.Background(), s), carrier)
	return carrier
}

// sender is the span of whoever sent what ctx is about, as the header tells.
func sender(ctx workflow.Context) trace.SpanContext {
	payload := interceptor.WorkflowHeader(ctx)[headerKey]
	var carried map[string]string
	if payload == nil || converter.GetDefaultDataConverter().FromPayload(payload, &carried) != nil {
		return trace.SpanContext{}
	}
	return trace.SpanContextFromContext(propagation.TraceContext{}.Extract(context.Background(), propagation.MapCarrier(carried)))
}

// InterceptWorkflow puts the SDK's interceptor between two of ours: the outer one passes it by on replay, the inner one
// knows what it has put into the context.
func (t *tracing) InterceptWorkflow(ctx workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	inner := &messages{requests: t.requests, of: map[string]trace.SpanContext{}}
	inner.Next = next
	outer := &replays{past: inner}
	outer.Next = t.Interceptor.InterceptWorkflow(ctx, inner)
	return outer
}

// replays passes the SDK's interceptor by when the workflow goes through what it has been through already: it would
// make the spans of updates again, and one of the whole run for every worker that rebuilds it.
type replays struct {
	interceptor.WorkflowInboundInterceptorBase
	past interceptor.WorkflowInboundInterceptor
}

func (r *replays) ExecuteWorkflow(ctx workflow.Context, in *interceptor.ExecuteWorkflowInput) (any, error) {
	if !workflow.IsReplaying(ctx) {
		return r.Next.ExecuteWorkflow(ctx, in)
	}
	if starter := sender(ctx); starter.IsValid() {
		ctx = workflow.WithValue(ctx, spanKey{}, &causes{first: starter})
	}
	return r.past.ExecuteWorkflow(ctx, in)
}

func (r *replays) ExecuteUpdate(ctx workflow.Context, in *interceptor.UpdateInput) (any, error) {
	if !workflow.IsReplaying(ctx) {
		return r.Next.ExecuteUpdate(ctx, in)
	}
	return r.past.ExecuteUpdate(ctx, in)
}

// messages remembers, for one run in one worker, the spans of the messages that came. It is rebuilt with the run from
// the headers in the history. What waits when a run continues as new stands in the trace of the start from then on.
type messages struct {
	interceptor.WorkflowInboundInterceptorBase
	requests Requests
	of       map[string]trace.SpanContext // by request; a run takes no more of them than its history may hold
	current  *causes                      // of the last activity that carried out requests
}

func (m *messages) Init(outbound interceptor.WorkflowOutboundInterceptor) error {
	out := &outgoing{messages: m}
	out.Next = outbound
	return m.Next.Init(out)
}

func (m *messages) HandleSignal(ctx workflow.Context, in *interceptor.HandleSignalInput) error {
	var payload *commonpb.Payload
	if all := in.Arg.GetPayloads(); len(all) > 0 {
		payload = all[0]
	}
	m.note(ctx, "", payload)
	return m.Next.HandleSignal(ctx, in)
}

func (m *messages) ExecuteUpdate(ctx workflow.Context, in *interceptor.UpdateInput) (any, error) {
	var payload *commonpb.Payload
	if len(in.Args) > 0 {
		if raw, ok := in.Args[0].(converter.RawValue); ok {
			payload = raw.Payload()
		}
	}
	m.note(ctx, workflow.GetCurrentUpdateInfo(ctx).ID, payload)
	return m.Next.ExecuteUpdate(ctx, in)
}

// note remembers whose request it is. One that is asked again was caused by whoever asked first.
func (m *messages) note(ctx workflow.Context, update string, payload *commonpb.Payload) {
	if m.requests.OfMessage == nil {
		return
	}
	id := m.requests.OfMessage(update, payload)
	if _, known := m.of[id]; known || id == "" {
		return
	}
	from := sender(ctx)
	if handling, ok := ctx.Value(spanKey{}).(interface{ SpanContext() trace.SpanContext }); ok {
		from = handling.SpanContext()
	}
	if from.IsValid() {
		m.of[id] = from
	}
}

// causesOf finds what an activity is carried out for; nil when only the start is known.
func (m *messages) causesOf(activity string, args []any) *causes {
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
		from, known := m.of[id]
		switch {
		case !known || seen[from.SpanID()]:
		case m.current == nil:
			m.current = &causes{first: from}
		default:
			m.current.others = append(m.current.others, from)
		}
		seen[from.SpanID()] = true
	}
	return m.current
}

// outgoing is nearest to the workflow: what it puts into the context, the SDK's interceptor finds.
type outgoing struct {
	interceptor.WorkflowOutboundInterceptorBase
	messages *messages
}

func (o *outgoing) ExecuteActivity(ctx workflow.Context, activity string, args ...any) workflow.Future {
	if of := o.messages.causesOf(activity, args); of != nil {
		ctx = workflow.WithValue(ctx, spanKey{}, of)
	}
	return o.Next.ExecuteActivity(ctx, activity, args...)
}
