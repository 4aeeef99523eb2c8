package sandbox

import (
	"bytes"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"

	"github.com/oppflow/oppflow/sandbox/assume"
	"github.com/oppflow/oppflow/sandbox/graph"
)

// For any choices, the sandbox shows a schema that is valid by GraphQL's own rules.
func TestEveryShapeIsASchema(t *testing.T) {
	t.Parallel()
	check := func(name string, words map[string]string) {
		choices, err := assume.Choose(words)
		if err != nil {
			t.Fatal(err)
		}
		schema, _, err := graph.Schema(shape(choices))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		var text bytes.Buffer
		formatter.NewFormatter(&text).FormatSchema(schema)
		if _, err := gqlparser.LoadSchema(&ast.Source{Name: name, Input: text.String()}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	last := map[string]string{}
	for _, row := range assume.Table() {
		for _, v := range row.Values {
			check(string(row.Name)+"="+v.Value, map[string]string{string(row.Name): v.Value})
		}
		last[string(row.Name)] = row.Values[len(row.Values)-1].Value
	}
	check("the last of each", last)
}
