// Package administratetest provides the documented and observed schema of the API to tests.
package administratetest

import (
	_ "embed"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

//go:embed documented.graphql
var documented string

//go:embed assumed.graphql
var assumed string

// Schema returns the schema of the API with all documented and observed names. If withAssumed is
// true, the schema also has the names of administrate.Assumptions.
func Schema(t testing.TB, withAssumed bool) *ast.Schema {
	t.Helper()
	sources := []*ast.Source{{Name: "documented.graphql", Input: documented}}
	if withAssumed {
		// The assumption ExistingLearner expects an id instead of an object.
		sources[0].Input = strings.Replace(documented, "[ExistingLearnerEntry]", "[ID]", 1)
		if sources[0].Input == documented {
			t.Fatal("documented.graphql does not contain [ExistingLearnerEntry]")
		}
		// The assumption Order adds an argument to an existing field, which a schema extension
		// cannot do, so this code changes the source of the schema.
		ordered := strings.Replace(sources[0].Input, "offset: Int, after: String): OpportunityConnection",
			"offset: Int, after: String, order: OpportunityOrder): OpportunityConnection", 1)
		if ordered == sources[0].Input {
			t.Fatal("documented.graphql does not contain the expected last arguments of the field opportunities")
		}
		sources[0].Input = ordered
		sources = append(sources,
			&ast.Source{Name: "assumed.graphql", Input: assumed},
			&ast.Source{Name: "order", Input: "input OpportunityOrder { field: OpportunityField!, direction: Direction! } enum Direction { asc desc }"})
	}
	s, err := gqlparser.LoadSchema(sources...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
