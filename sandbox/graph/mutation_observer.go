package graph

import (
	"context"
	"errors"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/oppflow/oppflow/sandbox/store"
)

// MutationResult describes a mutation and its outcome.
type MutationResult struct {
	// Alias is the alias of the mutation in the request: the alias at the root, a dot, and the
	// alias inside the GraphQL namespace.
	Alias string
	// Name is the GraphQL namespace, a dot and the field, such as "opportunities.progress".
	Name string
	// Opportunity is the id of the opportunity that the mutation names or creates, or "" if there
	// is no opportunity.
	Opportunity string
	// Refusal is the refusal in the payload, or nil if the mutation was not refused.
	Refusal *store.RefusalError
	// Err is the error of a mutation that failed internally, or nil.
	Err error
}

// Observer observes the mutations of one request. Several goroutines may call an Observer at the
// same time.
type Observer interface {
	// MutationObserver calls Begin before a mutation runs, so d has no outcome yet. The mutation
	// runs in the context that Begin returns. If Begin returns an error, the mutation does not run
	// and fails with the error of Begin.
	Begin(ctx context.Context, d MutationResult) (context.Context, error)
	// MutationObserver calls End with the result of the mutation.
	End(MutationResult)
}

type observerKey struct{}

// WithObserver makes o observe the mutations of a request.
func WithObserver(ctx context.Context, o Observer) context.Context {
	return context.WithValue(ctx, observerKey{}, &observedRequest{Observer: o, sequences: make(map[*graphql.FieldContext]*fieldSequence)})
}

type observedRequest struct {
	Observer
	mu        sync.Mutex
	sequences map[*graphql.FieldContext]*fieldSequence // by the field of the GraphQL namespace
	// failed is the root field of the GraphQL namespace that contains the first failed mutation.
	failed *graphql.FieldContext
}

// isStopped reports whether an earlier mutation has failed in another GraphQL namespace.
func (o *observedRequest) isStopped(field *graphql.FieldContext) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.failed != nil && o.failed != field.Parent
}

func (o *observedRequest) recordFailure(field *graphql.FieldContext) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.failed == nil {
		o.failed = field.Parent
	}
}

// ErrNotRun reports that a mutation did not run, because an earlier mutation had failed.
var ErrNotRun = errors.New("the mutation did not run, because an earlier mutation failed")

// MutationObserver is an extension of the GraphQL server that reports the mutations of each request
// to the request's Observer. With InOrder, MutationObserver runs the mutations inside a GraphQL
// namespace in the order of the document.
type MutationObserver struct {
	InOrder bool
	// SingleLabel gives the same label to all refusals, except to refusals with the label
	// "Transition Not Found".
	SingleLabel bool
	// StopAfterFailure stops a request after a failed mutation: the root fields after the failed
	// mutation's GraphQL namespace do not run.
	StopAfterFailure bool
}

var (
	_ graphql.HandlerExtension = MutationObserver{}
	_ graphql.FieldInterceptor = MutationObserver{}
)

// ExtensionName implements graphql.HandlerExtension.
func (MutationObserver) ExtensionName() string { return "Mutations" }

// Validate implements graphql.HandlerExtension.
func (MutationObserver) Validate(graphql.ExecutableSchema) error { return nil }

// InterceptField implements graphql.FieldInterceptor.
func (m MutationObserver) InterceptField(ctx context.Context, next graphql.Resolver) (any, error) {
	field := graphql.GetFieldContext(ctx)
	if !IsNamespace(field.Object) || field.Parent == nil {
		return next(ctx)
	}
	o, ok := ctx.Value(observerKey{}).(*observedRequest)
	if !ok {
		return next(ctx)
	}
	if m.StopAfterFailure && o.isStopped(field) {
		return nil, ErrNotRun
	}
	if m.InOrder {
		defer o.sequenceOf(ctx, field).await(field.Field.Alias)()
	}
	done := MutationResult{
		Alias: field.Parent.Field.Alias + "." + field.Field.Alias, Name: field.Parent.Field.Name + "." + field.Field.Name,
		Opportunity: opportunityIDOf(field.Args["input"]),
	}
	var payload any
	if ctx, done.Err = o.Begin(ctx, done); done.Err == nil {
		payload, done.Err = next(ctx)
	}
	if done.Err != nil {
		o.recordFailure(field)
	} else {
		done.readPayload(payload, m.SingleLabel)
	}
	o.End(done)
	return payload, done.Err
}

func opportunityIDOf(input any) string {
	switch in := input.(type) {
	case store.OpportunityUpdate:
		return in.ID
	case store.Progress:
		return in.OpportunityID
	case store.AddInterest:
		return in.OpportunityID
	case store.ExtendReservations:
		return in.OpportunityID
	}
	return ""
}

func (d *MutationResult) readPayload(payload any, plain bool) {
	var refused []*store.RefusalError
	switch p := payload.(type) {
	case *OpportunityPayload:
		refused = p.Errors
		if p.Opportunity != nil {
			d.Opportunity = p.Opportunity.GlobalID()
		}
	case *OpportunityExtendReservationsPayload:
		refused = p.Errors
	case *OpportunityAddInterestPayload:
		refused = p.Errors
	case *EventPayload:
		refused = p.Errors
	case *EventRegisterContactsPayload:
		refused = p.Errors
	case []*EventRegisterNamedLearnerPayload:
		for _, one := range p {
			refused = append(refused, one.Errors...)
		}
	case *LearnerPayload:
		refused = p.Errors
	case *RegistrationPayload:
		refused = p.Errors
	case *InvoicePayload:
		refused = p.Errors
	case *AccountPayload:
		refused = p.Errors
	case *ContactPayload:
		refused = p.Errors
	case []*ContactPayload:
		for _, one := range p {
			refused = append(refused, one.Errors...)
		}
	case *EmailPayload:
		refused = p.Errors
	case *ExternalLogPayload:
		refused = p.Errors
	case *ExternalLogsPayload:
		refused = p.Errors
	}
	for _, r := range refused {
		if plain && r.Label != store.LabelTransitionNotFound {
			r.Label = "Error"
		}
	}
	if len(refused) > 0 {
		d.Refusal = refused[0]
	}
}

// fieldSequence makes the fields of one GraphQL namespace run one after the other.
type fieldSequence struct {
	mayStart map[string]chan struct{} // by alias: closed when the field may start
	next     map[string]chan struct{} // by alias: closed when the field has ended
}

func (o *observedRequest) sequenceOf(ctx context.Context, field *graphql.FieldContext) *fieldSequence {
	o.mu.Lock()
	defer o.mu.Unlock()
	if t := o.sequences[field.Parent]; t != nil {
		return t
	}
	t := &fieldSequence{mayStart: make(map[string]chan struct{}), next: make(map[string]chan struct{})}
	before := ""
	for _, f := range graphql.CollectFields(graphql.GetOperationContext(ctx), field.Parent.Field.Selections, []string{field.Object}) {
		if isTypeName(f.Field) {
			continue
		}
		begins := make(chan struct{})
		t.mayStart[f.Alias] = begins
		if before == "" {
			close(begins)
		} else {
			t.next[before] = begins
		}
		before = f.Alias
	}
	o.sequences[field.Parent] = t
	return t
}

func isTypeName(f *ast.Field) bool { return f.Name == "__typename" }

// await waits until a field may start and returns a function that lets the next field start.
func (t *fieldSequence) await(alias string) (end func()) {
	<-t.mayStart[alias]
	return func() {
		if next := t.next[alias]; next != nil {
			close(next)
		}
	}
}
