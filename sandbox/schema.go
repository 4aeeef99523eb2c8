package sandbox

import (
	"sync"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/oppflow/oppflow/sandbox/assume"
	"github.com/oppflow/oppflow/sandbox/graph"
)

// schema is the schema that requests are checked against, and the way to read their documents. It is never changed
// once it is made, so sandboxes share it.
type schema struct {
	shown   *ast.Schema
	dialect *graph.Dialect
}

// usual is the schema without any choice. It is made once in a process.
var usual = sync.OnceValues(func() (*schema, error) { return newSchema(assume.Choices{}) })

// schemaOf returns the schema for the choices.
func schemaOf(c assume.Choices) (*schema, error) {
	if c.None() {
		return usual()
	}
	return newSchema(c)
}

func newSchema(c assume.Choices) (*schema, error) {
	shown, dialect, err := graph.Schema(shape(c))
	if err != nil {
		return nil, err
	}
	return &schema{shown: shown, dialect: dialect}, nil
}
