package schemacheck

import (
	"context"
	"errors"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/administrate/transport"
)

// IntrospectionDisabledError says that the API did not return the tenant's schema. The probable
// cause is that introspection is switched off at the API.
type IntrospectionDisabledError struct {
	// Messages are the API's error messages, unchanged. Messages cannot quote values of a caller,
	// because the introspection query contains no values.
	Messages []string
}

// Error returns a text that contains the API's error messages.
func (e *IntrospectionDisabledError) Error() string {
	text := "administrate: the API does not show its schema; introspection is probably switched off at the API"
	if len(e.Messages) > 0 {
		text += ": " + strings.Join(e.Messages, "; ")
	}
	return text
}

var errMalformedSchema = errors.New("administrate: the schema in the response does not have the expected form")

// introspectionQuery is the standard introspection query, but without descriptions, which would
// make the response several times as large. The query does not request deprecated arguments and
// input members, because a server with an older GraphQL version would refuse the query.
const introspectionQuery = `query Introspection {
  __schema {
    queryType { name }
    mutationType { name }
    types {
      kind
      name
      fields(includeDeprecated: true) { name args { ...Input } type { ...Reference } }
      inputFields { ...Input }
      interfaces { name }
      enumValues(includeDeprecated: true) { name }
      possibleTypes { name }
    }
  }
}
fragment Input on __InputValue { name type { ...Reference } defaultValue }
fragment Reference on __Type {
  kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } }
}
`

func introspect(ctx context.Context, client *administrate.Client) (*ast.Schema, error) {
	doc := transport.Document{Name: "Introspection", Text: introspectionQuery, Keys: []string{"__schema"}}
	var got struct {
		Schema *schemaDTO `json:"__schema"`
	}
	err := client.Read(ctx, doc, &got)
	var refused *administrate.RefusedError
	var unknown *administrate.UnknownError
	switch {
	case errors.As(err, &refused):
		return nil, &IntrospectionDisabledError{Messages: refused.Messages}
	case errors.As(err, &unknown) && unknown.HasGraphQLErrors:
		return nil, &IntrospectionDisabledError{Messages: unknown.Messages}
	case err != nil:
		return nil, err
	case got.Schema == nil:
		return nil, &IntrospectionDisabledError{}
	}
	schema, err := got.Schema.schema()
	if err != nil {
		return nil, transport.MalformedResponse(doc.Name)
	}
	return schema, nil
}

type (
	schemaDTO struct {
		QueryType    *nameDTO  `json:"queryType"`
		MutationType *nameDTO  `json:"mutationType"`
		Types        []typeDTO `json:"types"`
	}
	nameDTO struct {
		Name string `json:"name"`
	}
	typeDTO struct {
		Kind          ast.DefinitionKind `json:"kind"`
		Name          string             `json:"name"`
		Fields        []fieldDTO         `json:"fields"`
		InputFields   []inputDTO         `json:"inputFields"`
		Interfaces    []nameDTO          `json:"interfaces"`
		EnumValues    []nameDTO          `json:"enumValues"`
		PossibleTypes []nameDTO          `json:"possibleTypes"`
	}
	fieldDTO struct {
		Name string      `json:"name"`
		Args []inputDTO  `json:"args"`
		Type *typeRefDTO `json:"type"`
	}
	inputDTO struct {
		Name         string      `json:"name"`
		Type         *typeRefDTO `json:"type"`
		DefaultValue *string     `json:"defaultValue"`
	}
	typeRefDTO struct {
		Kind   string      `json:"kind"`
		Name   string      `json:"name"`
		OfType *typeRefDTO `json:"ofType"`
	}
)

// The method schema does not validate the whole schema, because the client uses only a part of the
// schema.
func (s schemaDTO) schema() (*ast.Schema, error) {
	schema := &ast.Schema{
		Types:         map[string]*ast.Definition{},
		Directives:    map[string]*ast.DirectiveDefinition{},
		PossibleTypes: map[string][]*ast.Definition{},
		Implements:    map[string][]*ast.Definition{},
	}
	for _, t := range s.Types {
		definition, err := t.definition()
		if err != nil {
			return nil, err
		}
		schema.Types[t.Name] = definition
	}
	for _, t := range s.Types {
		definition := schema.Types[t.Name]
		if definition.Kind == ast.Object {
			schema.AddPossibleType(t.Name, definition)
		}
		for _, possible := range t.PossibleTypes {
			if member := schema.Types[possible.Name]; member != nil {
				schema.AddPossibleType(t.Name, member)
				schema.AddImplements(possible.Name, definition)
			}
		}
	}
	if s.QueryType == nil || schema.Types[s.QueryType.Name] == nil {
		return nil, errMalformedSchema
	}
	schema.Query = schema.Types[s.QueryType.Name]
	if s.MutationType != nil {
		schema.Mutation = schema.Types[s.MutationType.Name]
	}
	return schema, nil
}

func (t typeDTO) definition() (*ast.Definition, error) {
	switch t.Kind {
	case ast.Scalar, ast.Object, ast.Interface, ast.Union, ast.Enum, ast.InputObject:
	default:
		return nil, errMalformedSchema
	}
	d := &ast.Definition{Kind: t.Kind, Name: t.Name, BuiltIn: strings.HasPrefix(t.Name, "__")}
	for _, f := range t.Fields {
		typ, err := f.Type.typ()
		if err != nil {
			return nil, err
		}
		field := &ast.FieldDefinition{Name: f.Name, Type: typ}
		for _, a := range f.Args {
			typ, err := a.Type.typ()
			if err != nil {
				return nil, err
			}
			field.Arguments = append(field.Arguments, &ast.ArgumentDefinition{Name: a.Name, Type: typ, DefaultValue: a.value()})
		}
		d.Fields = append(d.Fields, field)
	}
	for _, f := range t.InputFields {
		typ, err := f.Type.typ()
		if err != nil {
			return nil, err
		}
		d.Fields = append(d.Fields, &ast.FieldDefinition{Name: f.Name, Type: typ, DefaultValue: f.value()})
	}
	for _, i := range t.Interfaces {
		d.Interfaces = append(d.Interfaces, i.Name)
	}
	for _, v := range t.EnumValues {
		d.EnumValues = append(d.EnumValues, &ast.EnumValueDefinition{Name: v.Name})
	}
	for _, p := range t.PossibleTypes {
		if t.Kind == ast.Union {
			d.Types = append(d.Types, p.Name)
		}
	}
	return d, nil
}

// The validation of a document only checks whether an input member has a default value, and ignores
// the value itself.
func (i inputDTO) value() *ast.Value {
	if i.DefaultValue == nil {
		return nil
	}
	return &ast.Value{Kind: ast.StringValue, Raw: *i.DefaultValue}
}

func (r *typeRefDTO) typ() (*ast.Type, error) {
	switch {
	case r == nil:
		return nil, errMalformedSchema
	case r.Kind == "NON_NULL":
		inner, err := r.OfType.typ()
		if err != nil || inner.NonNull {
			return nil, errMalformedSchema
		}
		inner.NonNull = true
		return inner, nil
	case r.Kind == "LIST":
		inner, err := r.OfType.typ()
		if err != nil {
			return nil, err
		}
		return ast.ListType(inner, nil), nil
	case r.Name == "":
		return nil, errMalformedSchema
	}
	return ast.NamedType(r.Name, nil), nil
}
