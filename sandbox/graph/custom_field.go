package graph

import (
	"context"

	"github.com/oppflow/oppflow/sandbox/store"
)

// CustomFieldValue returns the resolvers of the fields of a custom value that
// store.CustomFieldValue does not contain.
func (r *Resolver) CustomFieldValue() CustomFieldValueResolver { return customFieldValue{r} }

func (r query) CustomFieldTemplate(ctx context.Context, typ string) (*store.CustomFieldTemplate, error) {
	return r.Store.CustomFieldTemplateOf(ctx, typ)
}

type customFieldValue struct{ *Resolver }

func (r customFieldValue) Definition(ctx context.Context, v *store.CustomFieldValue) (*store.CustomFieldDefinition, error) {
	return r.Store.CustomFieldByKey(ctx, v.DefinitionKey)
}
