package graph

import (
	"context"
	"reflect"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator"
)

// Dialect is an extension of the GraphQL server. It lets a document use the names of a Shape. After the validation it
// translates the document back into the names of the generated code. Answers have the names of the document, by its
// aliases.
type Dialect struct {
	code *ast.Schema
	// shown are the types that documents see.
	shown map[string]*ast.Definition
	// These maps go from names in documents to names in the code. A key of types is a type. A key of members is a
	// type in the code and a member in the document. A key of arguments is a type and a field in the code and an
	// argument in the document.
	types     map[string]string
	members   map[[2]string]string
	arguments map[[3]string]string
	wrapped   map[string]wrap
	// told is the value of __typename for a type of the code that implements an interface under another name.
	told map[[2]string]string
	// prefixes are the prefixes of ids in documents and in answers.
	prefixes prefixes
}

// wrap is an input type that wraps a scalar, its only member.
type wrap struct{ member, scalar string }

var (
	_ graphql.HandlerExtension        = (*Dialect)(nil)
	_ graphql.OperationContextMutator = (*Dialect)(nil)
	_ graphql.ResponseInterceptor     = (*Dialect)(nil)
)

// ExtensionName implements graphql.HandlerExtension.
func (*Dialect) ExtensionName() string { return "Dialect" }

// Validate implements graphql.HandlerExtension.
func (*Dialect) Validate(graphql.ExecutableSchema) error { return nil }

// none reports whether every name is the same as in the code.
func (d *Dialect) none() bool {
	return len(d.types)+len(d.members)+len(d.arguments)+len(d.wrapped)+len(d.prefixes) == 0
}

// MutateOperationContext implements graphql.OperationContextMutator. It changes the parsed document, so the server
// must not share documents between requests. Extensions that need the original document run before it.
func (d *Dialect) MutateOperationContext(_ context.Context, o *graphql.OperationContext) *gqlerror.Error {
	if d.none() {
		return nil
	}
	variables := make(map[string]any, len(o.Variables))
	for _, v := range o.Operation.VariableDefinitions {
		if value, given := o.Variables[v.Variable]; given {
			variables[v.Variable] = d.variable(v.Type, v.Definition, value)
		}
	}
	o.Variables = variables
	for _, operation := range o.Doc.Operations {
		for _, v := range operation.VariableDefinitions {
			v.DefaultValue = d.value(v.DefaultValue)
			v.Type = d.typ(v.Type)
		}
		d.selections(operation.SelectionSet)
	}
	for _, f := range o.Doc.Fragments {
		d.selections(f.SelectionSet)
		f.TypeCondition = d.typeName(f.TypeCondition)
	}
	// The walk sets the document's definitions from the code. It validates nothing again.
	validator.Walk(d.code, o.Doc, &validator.Events{})
	return nil
}

func (d *Dialect) typeName(name string) string {
	if old, ok := d.types[name]; ok {
		return old
	}
	if w, ok := d.wrapped[name]; ok {
		return w.scalar
	}
	return name
}

func (d *Dialect) typ(t *ast.Type) *ast.Type {
	if t == nil {
		return nil
	}
	copied := *t
	copied.NamedType, copied.Elem = d.typeName(t.NamedType), d.typ(t.Elem)
	return &copied
}

// member returns the name in the code of a member of a type.
func (d *Dialect) member(typ, name string) string {
	if old, ok := d.members[[2]string{d.typeName(typ), name}]; ok {
		return old
	}
	return name
}

func (d *Dialect) selections(set ast.SelectionSet) {
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			owner := s.ObjectDefinition.Name
			s.Name = d.member(owner, s.Name) // the alias keeps the name in the document
			for _, a := range s.Arguments {
				a.Value = d.value(a.Value)
				if old, ok := d.arguments[[3]string{d.typeName(owner), s.Name, a.Name}]; ok {
					a.Name = old
				}
			}
			d.selections(s.SelectionSet)
		case *ast.InlineFragment:
			d.selections(s.SelectionSet)
			s.TypeCondition = d.typeName(s.TypeCondition)
		}
	}
}

// value translates a value in the document back.
func (d *Dialect) value(v *ast.Value) *ast.Value {
	if v == nil {
		return nil
	}
	switch v.Kind {
	case ast.StringValue, ast.BlockValue:
		v.Raw = d.prefixes.text(v.Raw)
	case ast.EnumValue:
		if v.Definition != nil {
			v.Raw = d.member(v.Definition.Name, v.Raw)
		}
	case ast.ListValue:
		for _, child := range v.Children {
			child.Value = d.value(child.Value)
		}
	case ast.ObjectValue:
		for _, child := range v.Children {
			child.Value = d.value(child.Value)
			if v.Definition != nil {
				child.Name = d.member(v.Definition.Name, child.Name)
			}
		}
		if v.Definition != nil && len(v.Children) == 1 {
			if _, ok := d.wrapped[v.Definition.Name]; ok {
				return v.Children[0].Value
			}
		}
	}
	return v
}

// variable translates a value of the request back. def is the definition of the type's innermost name.
func (d *Dialect) variable(t *ast.Type, def *ast.Definition, value any) any {
	if value == nil || def == nil {
		return value
	}
	if text, ok := value.(string); ok && def.Kind == ast.Scalar {
		return d.prefixes.text(text)
	}
	if list, ok := entries(value); ok && t.Elem != nil {
		read := make([]any, len(list))
		for i, entry := range list {
			read[i] = d.variable(t.Elem, def, entry)
		}
		return read
	}
	if w, ok := d.wrapped[def.Name]; ok {
		if object, ok := value.(map[string]any); ok {
			return object[w.member]
		}
		return value
	}
	if def.Kind == ast.Enum {
		if name, ok := value.(string); ok {
			return d.member(def.Name, name)
		}
		return value
	}
	object, ok := value.(map[string]any)
	if !ok || def.Kind != ast.InputObject {
		return value
	}
	read := make(map[string]any, len(object))
	for name, inner := range object {
		if field := def.Fields.ForName(name); field != nil {
			inner = d.variable(field.Type, d.shown[field.Type.Name()], inner)
		}
		read[d.member(def.Name, name)] = inner
	}
	return read
}

// entries returns the entries of a list. The GraphQL library turns single values into lists of its own types.
func entries(value any) ([]any, bool) {
	if list, ok := value.([]any); ok {
		return list, true
	}
	list := reflect.ValueOf(value)
	if list.Kind() != reflect.Slice {
		return nil, false
	}
	all := make([]any, list.Len())
	for i := range all {
		all[i] = list.Index(i).Interface()
	}
	return all, true
}
