package graph

import (
	"context"
	"reflect"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator"
)

// Renamer is an extension of the GraphQL server that lets a document use the names of a
// SchemaVariant. After the validation of a document, Renamer translates the document into the names
// of the generated code. Responses have the names of the document, because the translation keeps
// the aliases.
type Renamer struct {
	codeSchema *ast.Schema
	// visibleTypes are the types of the schema that the server validates documents against.
	visibleTypes map[string]*ast.Definition
	// The maps types, members and arguments translate names in documents into names in the code. A
	// key of the map members consists of a type name in the code and a member name in the document.
	// A key of the map arguments consists of a type name in the code, a field name in the code and
	// an argument name in the document.
	types      map[string]string
	members    map[[2]string]string
	arguments  map[[3]string]string
	wrappedIDs map[string]idWrapper
	// typeNames contains the value of __typename for each type that implements an interface and is
	// renamed. A key of the map consists of the name of an interface and the name of a type in the
	// code.
	typeNames map[[2]string]string
	prefixes  idPrefixes
}

type idWrapper struct{ member, scalar string }

var (
	_ graphql.HandlerExtension        = (*Renamer)(nil)
	_ graphql.OperationContextMutator = (*Renamer)(nil)
	_ graphql.ResponseInterceptor     = (*Renamer)(nil)
)

// ExtensionName implements graphql.HandlerExtension.
func (*Renamer) ExtensionName() string { return "Dialect" }

// Validate implements graphql.HandlerExtension.
func (*Renamer) Validate(graphql.ExecutableSchema) error { return nil }

func (d *Renamer) isEmpty() bool {
	return len(d.types)+len(d.members)+len(d.arguments)+len(d.wrappedIDs)+len(d.prefixes) == 0
}

// MutateOperationContext implements graphql.OperationContextMutator. MutateOperationContext
// changes the parsed document, so the server must not share documents between requests. Extensions
// that need the original document must run before Renamer.
func (d *Renamer) MutateOperationContext(_ context.Context, o *graphql.OperationContext) *gqlerror.Error {
	if d.isEmpty() {
		return nil
	}
	variables := make(map[string]any, len(o.Variables))
	for _, v := range o.Operation.VariableDefinitions {
		if value, given := o.Variables[v.Variable]; given {
			variables[v.Variable] = d.renameVariable(v.Type, v.Definition, value)
		}
	}
	o.Variables = variables
	for _, operation := range o.Doc.Operations {
		for _, v := range operation.VariableDefinitions {
			v.DefaultValue = d.renameValue(v.DefaultValue)
			v.Type = d.typeRef(v.Type)
		}
		d.renameSelections(operation.SelectionSet)
	}
	for _, f := range o.Doc.Fragments {
		d.renameSelections(f.SelectionSet)
		f.TypeCondition = d.typeName(f.TypeCondition)
	}
	// The walk attaches the definitions of codeSchema to the document.
	validator.Walk(d.codeSchema, o.Doc, &validator.Events{})
	return nil
}

func (d *Renamer) typeName(name string) string {
	if old, ok := d.types[name]; ok {
		return old
	}
	if w, ok := d.wrappedIDs[name]; ok {
		return w.scalar
	}
	return name
}

func (d *Renamer) typeRef(t *ast.Type) *ast.Type {
	if t == nil {
		return nil
	}
	copied := *t
	copied.NamedType, copied.Elem = d.typeName(t.NamedType), d.typeRef(t.Elem)
	return &copied
}

func (d *Renamer) member(typ, name string) string {
	if old, ok := d.members[[2]string{d.typeName(typ), name}]; ok {
		return old
	}
	return name
}

func (d *Renamer) renameSelections(set ast.SelectionSet) {
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			owner := s.ObjectDefinition.Name
			s.Name = d.member(owner, s.Name) // the alias keeps the name in the document
			for _, a := range s.Arguments {
				a.Value = d.renameValue(a.Value)
				if old, ok := d.arguments[[3]string{d.typeName(owner), s.Name, a.Name}]; ok {
					a.Name = old
				}
			}
			d.renameSelections(s.SelectionSet)
		case *ast.InlineFragment:
			d.renameSelections(s.SelectionSet)
			s.TypeCondition = d.typeName(s.TypeCondition)
		}
	}
}

func (d *Renamer) renameValue(v *ast.Value) *ast.Value {
	if v == nil {
		return nil
	}
	switch v.Kind {
	case ast.StringValue, ast.BlockValue:
		v.Raw = d.prefixes.replaceIn(v.Raw)
	case ast.EnumValue:
		if v.Definition != nil {
			v.Raw = d.member(v.Definition.Name, v.Raw)
		}
	case ast.ListValue:
		for _, child := range v.Children {
			child.Value = d.renameValue(child.Value)
		}
	case ast.ObjectValue:
		for _, child := range v.Children {
			child.Value = d.renameValue(child.Value)
			if v.Definition != nil {
				child.Name = d.member(v.Definition.Name, child.Name)
			}
		}
		if v.Definition != nil && len(v.Children) == 1 {
			if _, ok := d.wrappedIDs[v.Definition.Name]; ok {
				return v.Children[0].Value
			}
		}
	}
	return v
}

// def is the definition of the named type inside all list types of t.
func (d *Renamer) renameVariable(t *ast.Type, def *ast.Definition, value any) any {
	if value == nil || def == nil {
		return value
	}
	if text, ok := value.(string); ok && def.Kind == ast.Scalar {
		return d.prefixes.replaceIn(text)
	}
	if list, ok := listEntries(value); ok && t.Elem != nil {
		read := make([]any, len(list))
		for i, entry := range list {
			read[i] = d.renameVariable(t.Elem, def, entry)
		}
		return read
	}
	if w, ok := d.wrappedIDs[def.Name]; ok {
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
			inner = d.renameVariable(field.Type, d.visibleTypes[field.Type.Name()], inner)
		}
		read[d.member(def.Name, name)] = inner
	}
	return read
}

// The GraphQL library may turn a single value into a typed slice such as []string, which is not a
// []any.
func listEntries(value any) ([]any, bool) {
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
