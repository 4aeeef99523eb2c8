package sandbox

import (
	"sync"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/oppflow/oppflow/sandbox/assumptions"
	"github.com/oppflow/oppflow/sandbox/graph"
)

// schema is the schema that requests are validated against, with the Renamer that translates their
// documents. Sandboxes share a schema, so it must not be changed.
type schema struct {
	visible *ast.Schema
	renamer *graph.Renamer
}

// defaultSchema returns the schema for the default of every row. The default schema is created
// once in a process.
var defaultSchema = sync.OnceValues(func() (*schema, error) { return newSchema(assumptions.Choices{}) })

// schemaFor returns the schema for the choices.
func schemaFor(c assumptions.Choices) (*schema, error) {
	if c.IsDefault() {
		return defaultSchema()
	}
	return newSchema(c)
}

func newSchema(c assumptions.Choices) (*schema, error) {
	shown, dialect, err := graph.Schema(schemaVariant(c))
	if err != nil {
		return nil, err
	}
	return &schema{visible: shown, renamer: dialect}, nil
}
