package graph

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/oppflow/oppflow/sandbox/scalar"
)

// ScalarChecker is an extension of the GraphQL server. Before any field runs, ScalarChecker rejects
// a document with a value that is invalid for its scalar. ScalarChecker also keeps the written
// digits of a Decimal, without conversion to binary floating point.
type ScalarChecker struct {
	// InterestTypeByItem makes __typename of an interest depend on the kind of the interest's item.
	InterestTypeByItem bool

	schema *ast.Schema
}

var (
	_ graphql.HandlerExtension        = (*ScalarChecker)(nil)
	_ graphql.OperationContextMutator = (*ScalarChecker)(nil)
)

// ExtensionName implements graphql.HandlerExtension.
func (*ScalarChecker) ExtensionName() string { return "Literals" }

// Validate implements graphql.HandlerExtension.
func (l *ScalarChecker) Validate(s graphql.ExecutableSchema) error {
	l.schema = s.Schema()
	return nil
}

// MutateOperationContext implements graphql.OperationContextMutator. MutateOperationContext
// changes the parsed document, so the server must not share documents between requests.
func (l *ScalarChecker) MutateOperationContext(_ context.Context, o *graphql.OperationContext) *gqlerror.Error {
	for _, v := range o.Operation.VariableDefinitions {
		value, given := o.Variables[v.Variable]
		if v.DefaultValue != nil {
			if err := l.checkLiteral(v.DefaultValue); err != nil {
				return err
			}
			value = exactNumber(v.DefaultValue, value)
			if given {
				o.Variables[v.Variable] = value
			}
		}
		if err := l.checkVariable(v.Variable, v.Type, value, v.Position); err != nil {
			return err
		}
	}
	return l.checkSelections(o.Operation.SelectionSet, map[string]bool{})
}

func (l *ScalarChecker) checkSelections(set ast.SelectionSet, seen map[string]bool) *gqlerror.Error {
	for _, s := range set {
		var inner ast.SelectionSet
		switch s := s.(type) {
		case *ast.Field:
			for _, a := range s.Arguments {
				if err := l.checkLiteral(a.Value); err != nil {
					return err
				}
			}
			if l.InterestTypeByItem && s.Name == "__typename" && s.ObjectDefinition != nil && s.ObjectDefinition.Name == "OpportunityInterest" {
				s.Name = "kind"
			}
			inner = s.SelectionSet
		case *ast.InlineFragment:
			inner = s.SelectionSet
		case *ast.FragmentSpread:
			if s.Definition == nil || seen[s.Name] {
				continue
			}
			seen[s.Name] = true
			inner = s.Definition.SelectionSet
		}
		if err := l.checkSelections(inner, seen); err != nil {
			return err
		}
	}
	return nil
}

// checkLiteral checks a literal of the document and turns a number for a Decimal into text.
func (l *ScalarChecker) checkLiteral(v *ast.Value) *gqlerror.Error {
	if v == nil || v.Kind == ast.Variable {
		return nil
	}
	if v.Kind == ast.ListValue || v.Kind == ast.ObjectValue {
		for _, child := range v.Children {
			if err := l.checkLiteral(child.Value); err != nil {
				return err
			}
		}
	}
	if v.Definition == nil || v.Kind == ast.NullValue {
		return nil
	}
	if v.Definition.Name == scalar.Decimal && (v.Kind == ast.FloatValue || v.Kind == ast.IntValue) {
		v.Kind = ast.StringValue
	}
	if v.Kind == ast.ListValue { // the loop above has checked the entries
		return nil
	}
	return checkScalar(v.Definition.Name, scalarValue(v), v.Position, "")
}

func scalarValue(v *ast.Value) any {
	value, err := v.Value(nil)
	if err != nil {
		return v.Raw
	}
	return value
}

// exactNumber replaces each float64 and int64 by the text of the number in the document. Only
// default values contain a float64 or an int64.
func exactNumber(v *ast.Value, value any) any {
	switch value := value.(type) {
	case float64, int64:
		if v.Kind == ast.StringValue {
			return v.Raw
		}
	case []any:
		for i, child := range v.Children {
			if v.Kind == ast.ListValue && i < len(value) {
				value[i] = exactNumber(child.Value, value[i])
			}
		}
	case map[string]any:
		for _, child := range v.Children {
			if inner, ok := value[child.Name]; ok {
				value[child.Name] = exactNumber(child.Value, inner)
			}
		}
	}
	return value
}

func (l *ScalarChecker) checkVariable(path string, t *ast.Type, value any, at *ast.Position) *gqlerror.Error {
	if value == nil {
		return nil
	}
	if t.Elem != nil {
		list, ok := listEntries(value)
		if !ok { // a single value is a list of one value
			return l.checkVariable(path, t.Elem, value, at)
		}
		for _, entry := range list {
			if err := l.checkVariable(path, t.Elem, entry, at); err != nil {
				return err
			}
		}
		return nil
	}
	def := l.schema.Types[t.NamedType]
	if def == nil {
		return nil
	}
	// The GraphQL library ignores upper and lower case of enum values in variables, so
	// checkVariable compares the exact text.
	if name, ok := value.(string); ok && def.Kind == ast.Enum && def.EnumValues.ForName(name) == nil {
		refused := gqlerror.ErrorPosf(at, "variable $%s: %s is not a value of the enum %s", path, name, def.Name)
		errcode.Set(refused, errcode.ValidationFailed)
		return refused
	}
	if def.Kind == ast.InputObject {
		object, ok := value.(map[string]any)
		if !ok {
			return nil
		}
		for _, f := range def.Fields {
			if err := l.checkVariable(path+"."+f.Name, f.Type, object[f.Name], at); err != nil {
				return err
			}
		}
		return nil
	}
	return checkScalar(def.Name, value, at, path)
}

func checkScalar(name string, value any, at *ast.Position, variable string) *gqlerror.Error {
	err := scalar.Check(name, value)
	if err == nil {
		return nil
	}
	message := err.Error()
	if variable != "" {
		message = "variable $" + variable + ": " + message
	}
	refused := gqlerror.ErrorPosf(at, "%s", message)
	errcode.Set(refused, errcode.ValidationFailed)
	return refused
}
