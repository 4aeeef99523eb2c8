package graph

import (
	"context"
	"errors"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/oppflow/oppflow/sandbox/store"
)

// Done is a mutation that ran.
type Done struct {
	// Alias is its name in the request: the alias at the root and the alias inside the namespace.
	Alias string
	// Name is the namespace and the field, such as "opportunities.progress".
	Name string
	// Opportunity is the id of its opportunity, "" when there is none.
	Opportunity string
	// Refused is the refusal in the payload, or nil when there is none.
	Refused *store.RefusalError
	// Err is the error of an internal failure.
	Err error
}

// Observer observes the mutations of one request. Several goroutines may call it.
type Observer interface {
	// Begin is called before a mutation runs, when its result is not known yet. The mutation runs in the returned
	// context. An error keeps the mutation from running and is its failure.
	Begin(ctx context.Context, d Done) (context.Context, error)
	// End is called with the result of the mutation.
	End(Done)
}

type observerKey struct{}

// WithObserver makes o observe the mutations of a request.
func WithObserver(ctx context.Context, o Observer) context.Context {
	return context.WithValue(ctx, observerKey{}, &observed{Observer: o, turns: make(map[*graphql.FieldContext]*turn)})
}

type observed struct {
	Observer
	mu    sync.Mutex
	turns map[*graphql.FieldContext]*turn // by the field of the namespace
	// failed is the field at the root of the namespace with the first failed mutation.
	failed *graphql.FieldContext
}

// stopped reports whether a mutation failed in another namespace than that of the field.
func (o *observed) stopped(field *graphql.FieldContext) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.failed != nil && o.failed != field.Parent
}

func (o *observed) fail(field *graphql.FieldContext) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.failed == nil {
		o.failed = field.Parent
	}
}

// ErrStopped reports that a mutation did not run, because an earlier mutation had failed.
var ErrStopped = errors.New("not run, since a mutation before it failed")

// Mutations is an extension of the GraphQL server. It reports the mutations of each request to the request's
// Observer. With InOrder it runs the mutations inside a namespace in the order of the document.
type Mutations struct {
	InOrder bool
	// PlainLabels makes all refusals except Transition Not Found have one label.
	PlainLabels bool
	// Stop keeps the fields at the root after a namespace with a failed mutation from running.
	Stop bool
}

var (
	_ graphql.HandlerExtension = Mutations{}
	_ graphql.FieldInterceptor = Mutations{}
)

// ExtensionName implements graphql.HandlerExtension.
func (Mutations) ExtensionName() string { return "Mutations" }

// Validate implements graphql.HandlerExtension.
func (Mutations) Validate(graphql.ExecutableSchema) error { return nil }

// InterceptField implements graphql.FieldInterceptor.
func (m Mutations) InterceptField(ctx context.Context, next graphql.Resolver) (any, error) {
	field := graphql.GetFieldContext(ctx)
	if !IsNamespace(field.Object) || field.Parent == nil {
		return next(ctx)
	}
	o, ok := ctx.Value(observerKey{}).(*observed)
	if !ok {
		return next(ctx)
	}
	if m.Stop && o.stopped(field) {
		return nil, ErrStopped
	}
	if m.InOrder {
		defer o.turn(ctx, field).take(field.Field.Alias)()
	}
	done := Done{
		Alias: field.Parent.Field.Alias + "." + field.Field.Alias, Name: field.Parent.Field.Name + "." + field.Field.Name,
		Opportunity: subject(field.Args["input"]),
	}
	var payload any
	if ctx, done.Err = o.Begin(ctx, done); done.Err == nil {
		payload, done.Err = next(ctx)
	}
	if done.Err != nil {
		o.fail(field)
	} else {
		done.look(payload, m.PlainLabels)
	}
	o.End(done)
	return payload, done.Err
}

// subject returns the opportunity that an input names.
func subject(input any) string {
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

// look takes from a payload the refusals of the mutation and the id of the opportunity that was created.
func (d *Done) look(payload any, plain bool) {
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
		d.Refused = refused[0]
	}
}

// turn makes the fields of one namespace run one after the other.
type turn struct {
	begins map[string]chan struct{} // by alias: closed when the field may begin
	next   map[string]chan struct{} // by alias: to close when the field has ended
}

// turn returns the turns of a field's namespace.
func (o *observed) turn(ctx context.Context, field *graphql.FieldContext) *turn {
	o.mu.Lock()
	defer o.mu.Unlock()
	if t := o.turns[field.Parent]; t != nil {
		return t
	}
	t := &turn{begins: make(map[string]chan struct{}), next: make(map[string]chan struct{})}
	before := ""
	for _, f := range graphql.CollectFields(graphql.GetOperationContext(ctx), field.Parent.Field.Selections, []string{field.Object}) {
		if isTypeName(f.Field) {
			continue
		}
		begins := make(chan struct{})
		t.begins[f.Alias] = begins
		if before == "" {
			close(begins)
		} else {
			t.next[before] = begins
		}
		before = f.Alias
	}
	o.turns[field.Parent] = t
	return t
}

func isTypeName(f *ast.Field) bool { return f.Name == "__typename" }

// take waits for the turn of a field and returns a function that ends the turn.
func (t *turn) take(alias string) (end func()) {
	<-t.begins[alias]
	return func() {
		if next := t.next[alias]; next != nil {
			close(next)
		}
	}
}
