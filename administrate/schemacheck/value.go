package schemacheck

import (
	"fmt"
	"maps"
	"slices"

	gql "github.com/vektah/gqlparser/v2/ast"
)

// badValues returns the reasons why the value of a variable does not match the type t of the
// tenant's schema. The validation of a document checks only the declared types of variables, not
// their values. If bindObject has bound an object, the document does not contain the members of
// this object, so only badValues can check the members. If the value of a variable is no object,
// the value always has the declared type of the variable.
func (c *checker) badValues(t *gql.Type, value any) []string {
	if t.Elem != nil {
		entries, ok := value.([]any)
		if !ok {
			entries = []any{value}
		}
		var problems []string
		for _, entry := range entries {
			problems = append(problems, c.badValues(t.Elem, entry)...)
		}
		return problems
	}
	def := c.schema.Types[t.NamedType]
	members, isObject := value.(map[string]any)
	text, isText := value.(string)
	switch {
	case def == nil:
		return []string{fmt.Sprintf("Unknown type %q.", t.NamedType)}
	case isObject && def.Kind == gql.InputObject:
		return c.badMembers(def, members)
	case isObject || def.Kind == gql.InputObject:
		return []string{fmt.Sprintf("The value that the client sends does not have the form of the type %q.", def.Name)}
	case isText && def.Kind == gql.Enum && def.EnumValues.ForName(text) == nil:
		return []string{fmt.Sprintf("Value %q does not exist in %q enum.", text, def.Name)}
	case isText && slices.Contains([]string{"Int", "Float", "Boolean"}, def.Name):
		return []string{fmt.Sprintf("The client sends text where the schema requires the type %q.", def.Name)}
	}
	return nil
}

func (c *checker) badMembers(def *gql.Definition, members map[string]any) []string {
	var problems []string
	for _, name := range slices.Sorted(maps.Keys(members)) {
		field := def.Fields.ForName(name)
		if field == nil {
			problems = append(problems, fmt.Sprintf("Field %q is not defined by type %q.", name, def.Name))
			continue
		}
		problems = append(problems, c.badValues(field.Type, members[name])...)
	}
	for _, field := range def.Fields {
		if _, given := members[field.Name]; !given && field.Type.NonNull && field.DefaultValue == nil {
			problems = append(problems, fmt.Sprintf("Field \"%s.%s\" of required type %q was not provided.", def.Name, field.Name, field.Type))
		}
	}
	return problems
}
