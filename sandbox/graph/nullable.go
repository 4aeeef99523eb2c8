package graph

import (
	"fmt"
	"strings"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

// Schema reads the schema. With strict the namespaces of mutations and their fields are never null, so that one that
// fails takes the whole answer with it.
func Schema(strict bool) (*ast.Schema, error) {
	schema, err := gqlparser.LoadSchema(sources...)
	if err != nil {
		return nil, fmt.Errorf("the schema: %w", err)
	}
	for name, definition := range schema.Types {
		if !strict || name != schema.Mutation.Name && !IsNamespace(name) {
			continue
		}
		for _, field := range definition.Fields {
			if !strings.HasPrefix(field.Name, "__") {
				field.Type.NonNull = true
			}
		}
	}
	return schema, nil
}

// IsNamespace reports whether a type is a namespace of mutations.
func IsNamespace(typ string) bool { return strings.HasSuffix(typ, "Mutations") }
