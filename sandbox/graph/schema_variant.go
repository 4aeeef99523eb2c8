package graph

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

// SchemaVariant describes how the visible schema differs from the schema of the generated code. The
// zero value of SchemaVariant describes no difference.
type SchemaVariant struct {
	// NonNullNamespaces makes the GraphQL namespaces of mutations, and the fields in these
	// namespaces, non-null. If a non-null field fails, the response has "data": null.
	NonNullNamespaces bool
	// Renames are the parts of the schema that have another name or do not exist. If several
	// entries of Renames match one part, the first matching entry applies.
	Renames []Rename
	// TypeName returns the visible name of an input type or enum.
	TypeName func(name string) string
	// WrappedIDs are members of input types, as "Type.member", in which each id is inside an
	// object. A value of the map is the name of the object's member that contains the id.
	WrappedIDs map[string]string
	// Prefixes maps the prefixes of global ids in the code to the visible prefixes.
	Prefixes map[string]string
	// SingleValues are arguments, as "Type.field.argument", that accept a single value where the
	// code has a list.
	SingleValues []string
	// SplitTypes describe new types that implement an interface instead of an existing type.
	SplitTypes []SplitType
}

// Rename is a new name for a part of the schema, or the removal of the part.
type Rename struct {
	// Path is "Type.field" for a field, a member of an input type or a value of an enum. Path is
	// "Type.field.argument" for an argument.
	Path string
	// Name is the visible name; "" removes the part from the visible schema.
	Name string
}

// SplitType describes a new type with the name Name. The new type has the fields of Type and
// implements Interface instead of Type.
type SplitType struct{ Interface, Type, Name string }

type nameError struct{ Type, Name string }

func (e *nameError) Error() string {
	if e.Type == "" {
		return fmt.Sprintf("the schema already has a type %s; choose another name", e.Name)
	}
	return fmt.Sprintf("%s already uses the name %s; choose another name", e.Type, e.Name)
}

// Schema returns the schema of a SchemaVariant, and the Renamer that translates documents for this schema.
func Schema(s SchemaVariant) (*ast.Schema, *Renamer, error) {
	shown, err := gqlparser.LoadSchema(sources...)
	if err != nil {
		return nil, nil, fmt.Errorf("load the schema: %w", err)
	}
	d := &Renamer{
		codeSchema: parsedSchema, visibleTypes: shown.Types, types: map[string]string{}, members: map[[2]string]string{}, arguments: map[[3]string]string{},
		wrappedIDs: map[string]idWrapper{}, typeNames: map[[2]string]string{},
	}
	for name, definition := range shown.Types {
		if definition.BuiltIn {
			continue
		}
		if err := s.renameMembers(definition, d); err != nil {
			return nil, nil, err
		}
		if s.NonNullNamespaces && (name == shown.Mutation.Name || IsNamespace(name)) {
			for _, field := range definition.Fields {
				field.Type.NonNull = true
			}
		}
	}
	for _, definition := range shown.Types {
		removeUnmetInterfaces(shown, definition)
	}
	for path, member := range s.WrappedIDs {
		if err := wrapID(shown, d, path, member); err != nil {
			return nil, nil, err
		}
	}
	if d.prefixes, err = newIDPrefixes(s.Prefixes); err != nil {
		return nil, nil, err
	}
	for _, path := range s.SingleValues {
		makeSingleValue(shown, path)
	}
	for _, a := range s.SplitTypes {
		if err := a.split(shown, d); err != nil {
			return nil, nil, err
		}
	}
	if s.TypeName != nil {
		if err := s.renameTypes(shown, d); err != nil {
			return nil, nil, err
		}
	}
	return shown, d, nil
}

func (s SchemaVariant) renameMembers(t *ast.Definition, d *Renamer) error {
	taken := func(name string) bool { return t.Fields.ForName(name) != nil || t.EnumValues.ForName(name) != nil }
	named := map[string]bool{}
	member := func(old string) (string, error) {
		name := s.nameOf(old, t.Name, old)
		if name != old && name != "" {
			if taken(name) || named[name] {
				return "", &nameError{t.Name, name}
			}
			named[name] = true
			d.members[[2]string{t.Name, name}] = old
		}
		return name, nil
	}
	fields := make(ast.FieldList, 0, len(t.Fields))
	for _, field := range t.Fields {
		name, err := member(field.Name)
		if err != nil {
			return err
		}
		arguments := make(ast.ArgumentDefinitionList, 0, len(field.Arguments))
		for _, argument := range field.Arguments {
			other := s.nameOf(argument.Name, t.Name, field.Name, argument.Name)
			if other != argument.Name && other != "" {
				if field.Arguments.ForName(other) != nil {
					return &nameError{t.Name + "." + field.Name, other}
				}
				d.arguments[[3]string{t.Name, field.Name, other}] = argument.Name
			}
			if argument.Name = other; other != "" {
				arguments = append(arguments, argument)
			}
		}
		field.Arguments = arguments
		if field.Name = name; name != "" {
			fields = append(fields, field)
		}
	}
	values := make(ast.EnumValueList, 0, len(t.EnumValues))
	for _, value := range t.EnumValues {
		name, err := member(value.Name)
		if err != nil {
			return err
		}
		if value.Name = name; name != "" {
			values = append(values, value)
		}
	}
	t.Fields, t.EnumValues = fields, values
	return nil
}

func (s SchemaVariant) nameOf(without string, path ...string) string {
	for _, n := range s.Renames {
		parts := strings.Split(n.Path, ".")
		fits := len(parts) == len(path)
		for i := 0; fits && i < len(parts); i++ {
			fits = parts[i] == "*" && i < len(parts)-1 || parts[i] == path[i]
		}
		if fits {
			return n.Name
		}
	}
	return without
}

func removeUnmetInterfaces(schema *ast.Schema, t *ast.Definition) {
	t.Interfaces = slices.DeleteFunc(t.Interfaces, func(name string) bool {
		for _, field := range schema.Types[name].Fields {
			if t.Fields.ForName(field.Name) == nil {
				removeInterface(schema, t, name)
				return true
			}
		}
		return false
	})
}

func removeInterface(schema *ast.Schema, t *ast.Definition, from string) {
	schema.PossibleTypes[from] = slices.DeleteFunc(schema.PossibleTypes[from], func(d *ast.Definition) bool { return d == t })
	schema.Implements[t.Name] = slices.DeleteFunc(schema.Implements[t.Name], func(d *ast.Definition) bool { return d.Name == from })
}

func wrapID(schema *ast.Schema, d *Renamer, path, member string) error {
	owner, name, _ := strings.Cut(path, ".")
	t := schema.Types[owner].Fields.ForName(name).Type
	for t.Elem != nil {
		t = t.Elem
	}
	object := "ExistingLearnerInput"
	if schema.Types[object] != nil {
		return &nameError{Name: object}
	}
	d.wrappedIDs[object] = idWrapper{member: member, scalar: t.NamedType}
	schema.Types[object] = &ast.Definition{Kind: ast.InputObject, Name: object, Fields: ast.FieldList{
		{Name: member, Type: ast.NonNullNamedType(t.NamedType, nil)},
	}}
	t.NamedType = object
	return nil
}

// The resolver still receives a list with one entry.
func makeSingleValue(schema *ast.Schema, path string) {
	parts := strings.Split(path, ".")
	argument := schema.Types[parts[0]].Fields.ForName(parts[1]).Arguments.ForName(parts[2])
	argument.Type = ast.NonNullNamedType(argument.Type.Name(), nil)
}

func (a SplitType) split(schema *ast.Schema, d *Renamer) error {
	if schema.Types[a.Name] != nil {
		return &nameError{Name: a.Name}
	}
	old := schema.Types[a.Type]
	own := *old
	own.Name, own.Interfaces = a.Name, []string{a.Interface}
	old.Interfaces = slices.DeleteFunc(old.Interfaces, func(name string) bool { return name == a.Interface })
	removeInterface(schema, old, a.Interface)
	schema.Types[a.Name] = &own
	schema.AddPossibleType(a.Interface, &own)
	schema.AddPossibleType(a.Name, &own)
	schema.AddImplements(a.Name, schema.Types[a.Interface])
	d.types[a.Name] = a.Type
	d.typeNames[[2]string{a.Interface, a.Type}] = a.Name
	return nil
}

func (s SchemaVariant) renameTypes(schema *ast.Schema, d *Renamer) error {
	names := make(map[string]string)
	for name, t := range schema.Types {
		if (t.Kind == ast.InputObject || t.Kind == ast.Enum) && !t.BuiltIn {
			if other := s.TypeName(name); other != name {
				names[name] = other
			}
		}
	}
	for name, other := range names {
		if schema.Types[other] != nil || d.types[other] != "" {
			return &nameError{Name: other}
		}
		t := schema.Types[name]
		delete(schema.Types, name)
		t.Name = other
		schema.Types[other] = t
		d.types[other] = name
	}
	renamed := map[*ast.Type]bool{} // a split type shares its fields with the original type
	rename := func(t *ast.Type) {
		for ; t != nil && !renamed[t]; t = t.Elem {
			renamed[t] = true
			if other, ok := names[t.NamedType]; ok {
				t.NamedType = other
			}
		}
	}
	for _, t := range schema.Types {
		for _, field := range t.Fields {
			rename(field.Type)
			for _, argument := range field.Arguments {
				rename(argument.Type)
			}
		}
	}
	return nil
}

// IsNamespace reports whether a type is a GraphQL namespace of mutations.
func IsNamespace(typ string) bool { return strings.HasSuffix(typ, "Mutations") }
