package sandbox

import (
	"sync"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/oppflow/oppflow/sandbox/assumptions"
	"github.com/oppflow/oppflow/sandbox/graph"
)

// schema contains the GraphQL schema for the validation of requests, and the Renamer that
// translates the documents of the requests. Several sandboxes share one schema, so no sandbox may
// change the schema.
type schema struct {
	visible *ast.Schema
	renamer *graph.Renamer
}

var defaultSchema = sync.OnceValues(func() (*schema, error) { return newSchema(assumptions.Choices{}) })

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
