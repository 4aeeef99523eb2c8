package sandbox

import (
	"bytes"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"

	"github.com/oppflow/oppflow/sandbox/assumptions"
	"github.com/oppflow/oppflow/sandbox/graph"
)

func TestEverySchemaVariantIsValid(t *testing.T) {
	t.Parallel()
	check := func(name string, words map[string]string) {
		choices, err := assumptions.ParseChoices(words)
		if err != nil {
			t.Fatal(err)
		}
		schema, _, err := graph.Schema(schemaVariant(choices))
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
	for _, row := range assumptions.All() {
		for _, v := range row.Options {
			check(string(row.Name)+"="+v.Value, map[string]string{string(row.Name): v.Value})
		}
		last[string(row.Name)] = row.Options[len(row.Options)-1].Value
	}
	check("the last of each", last)
}
