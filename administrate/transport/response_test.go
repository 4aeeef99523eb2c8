package transport

import (
	"testing"
)

// FuzzDocumentNames: for any error location in a response, documentNames does not crash and returns
// only names of the sent document.
func FuzzDocumentNames(f *testing.F) {
	f.Add(2, 3)
	f.Add(-1, 0)
	f.Add(1<<40, 1<<40)
	doc := Document{Text: "query Q($id: String!) {\n  alias: regions(x: $id) { id }\n}\n"}
	known := map[string]bool{}
	for _, word := range []string{"query", "Q", "id", "String", "regions", "x", "alias"} {
		for i := range word {
			known[word[i:]] = true
		}
	}
	f.Fuzz(func(t *testing.T, line, column int) {
		e := GraphQLError{}
		e.Locations = append(e.Locations, struct {
			Line   int `json:"line"`
			Column int `json:"column"`
		}{line, column})
		for _, name := range documentNames(doc, []GraphQLError{e}) {
			if !known[name] {
				t.Errorf("line %d, column %d: %q", line, column, name)
			}
		}
	})
}
