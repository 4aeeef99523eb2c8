package graph

import (
	"fmt"
	"strings"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

// Shape says in what the schema that requests are held against, and that introspection shows, differs from the one that
// the code was generated from. The zero value is no difference.
type Shape struct {
	// Strict has the namespaces of mutations and their fields never be null, so that one that fails takes the whole
	// answer with it.
	Strict bool
	// Absent are what there is not: fields and input fields as "Type.field", values of enums likewise, and arguments as
	// "Type.field.argument"; "*" stands for every type or field.
	Absent []string
	// Renamed are input types and enums by their names; documents name them in the types of their variables.
	Renamed func(name string) string
}

// Schema reads the schema in a shape.
func Schema(s Shape) (*ast.Schema, error) {
	schema, err := gqlparser.LoadSchema(sources...)
	if err != nil {
		return nil, fmt.Errorf("the schema: %w", err)
	}
	for name, definition := range schema.Types {
		if strings.HasPrefix(name, "__") {
			continue
		}
		s.leaveOut(definition)
		if s.Strict && (name == schema.Mutation.Name || IsNamespace(name)) {
			for _, field := range definition.Fields {
				field.Type.NonNull = true
			}
		}
	}
	if s.Renamed != nil {
		s.rename(schema)
	}
	return schema, nil
}

// leaveOut takes out of a type what is absent.
func (s Shape) leaveOut(d *ast.Definition) {
	fields := d.Fields[:0]
	for _, field := range d.Fields {
		if s.absent(d.Name, field.Name) {
			continue
		}
		arguments := field.Arguments[:0]
		for _, argument := range field.Arguments {
			if !s.absent(d.Name, field.Name, argument.Name) {
				arguments = append(arguments, argument)
			}
		}
		field.Arguments = arguments
		fields = append(fields, field)
	}
	d.Fields = fields
	values := d.EnumValues[:0]
	for _, value := range d.EnumValues {
		if !s.absent(d.Name, value.Name) {
			values = append(values, value)
		}
	}
	d.EnumValues = values
}

func (s Shape) absent(path ...string) bool {
	for _, pattern := range s.Absent {
		parts := strings.Split(pattern, ".")
		fits := len(parts) == len(path)
		for i := 0; fits && i < len(parts); i++ {
			fits = parts[i] == "*" || parts[i] == path[i]
		}
		if fits {
			return true
		}
	}
	return false
}

// rename gives input types and enums their names, wherever they are named.
func (s Shape) rename(schema *ast.Schema) {
	names := make(map[string]string)
	for name, d := range schema.Types {
		if d.Kind == ast.InputObject || d.Kind == ast.Enum && !strings.HasPrefix(name, "__") {
			if other := s.Renamed(name); other != name {
				names[name] = other
			}
		}
	}
	for name, other := range names {
		d := schema.Types[name]
		delete(schema.Types, name)
		d.Name = other
		schema.Types[other] = d
	}
	for _, d := range schema.Types {
		for _, field := range d.Fields {
			renameType(field.Type, names)
			for _, argument := range field.Arguments {
				renameType(argument.Type, names)
			}
		}
	}
}

func renameType(t *ast.Type, names map[string]string) {
	for ; t != nil; t = t.Elem {
		if other, ok := names[t.NamedType]; ok {
			t.NamedType = other
		}
	}
}

// IsNamespace reports whether a type is a namespace of mutations.
func IsNamespace(typ string) bool { return strings.HasSuffix(typ, "Mutations") }
