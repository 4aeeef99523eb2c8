// Package assume is the table of what the sandbox does although neither the API documentation says so nor anyone
// observed it: a row each, with what the API may do instead. Whoever knows a tenant better chooses another value of a
// row, and the sandbox behaves so. Pure.
//
// A test that passes only because of a row's default proves nothing about the API.
package assume

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Name identifies a row.
type Name string

// Value is one of the ways the API may be.
type Value struct {
	// Value is the word that chooses it.
	Value string
	// Means says what the sandbox does then.
	Means string
}

// Row is one thing that nobody outside of the vendor knows. The first of its values, of which there are at least two,
// is what the sandbox does unless told otherwise.
type Row struct {
	Name   Name
	Values []Value
	// Free says that any other GraphQL name is a value, too: it is what the API calls the thing. The Values are suggestions then.
	Free bool
}

// Table returns all rows, by subject.
func Table() []Row {
	return slices.Concat(search(), filters(), names(), ids(), fields(), mutations(), interests(), places(), pipeline(), neighbours(), door())
}

// Absent is the value of rows that take something out of the schema: a request that uses it is refused.
const Absent = "absent"

// called is a row about what the API calls something: the names it may have, of which the first is what the sandbox does,
// and that it may not be there.
func called(row Name, thing string, names ...string) Row {
	r := Row{Name: row, Free: true}
	for _, name := range names {
		r.Values = append(r.Values, Value{name, thing + " is called " + name})
	}
	r.Values = append(r.Values, Value{Absent, "there is none"})
	return r
}

// Choices are the values that were chosen. The zero value chooses every row's default. It is safe for concurrent use.
type Choices struct{ chosen map[Name]string }

// Choose reads choices given as words, "reserve.short" to "refused". Its error names the row and what there is to choose.
func Choose(words map[string]string) (Choices, error) {
	c := Choices{chosen: make(map[Name]string, len(words))}
	for _, word := range slices.Sorted(maps.Keys(words)) {
		row, ok := rows()[Name(word)]
		if !ok {
			return Choices{}, fmt.Errorf("there is no assumption %q; the table lists them", word)
		}
		listed := slices.ContainsFunc(row.Values, func(v Value) bool { return v.Value == words[word] })
		if !listed && (!row.Free || !wellFormed(words[word])) {
			return Choices{}, fmt.Errorf("assumption %s: there is no value %q; choose %s", word, words[word], row.words())
		}
		c.chosen[row.Name] = words[word]
	}
	return c, nil
}

// None reports whether nothing was chosen, so that every row has its default.
func (c Choices) None() bool { return len(c.chosen) == 0 }

// Is reports whether the row has the value, which is not its default: the default is what holds when nothing else was
// chosen.
func (c Choices) Is(row Name, value string) bool { return c.chosen[row] == value }

// Of returns the value of a row, "" if there is no such row.
func (c Choices) Of(row Name) string {
	if value, ok := c.chosen[row]; ok {
		return value
	}
	if r, ok := rows()[row]; ok {
		return r.Values[0].Value
	}
	return ""
}

// rows are those of the table by their names. Nobody changes them.
var rows = sync.OnceValue(func() map[Name]Row {
	all := make(map[Name]Row)
	for _, row := range Table() {
		all[row.Name] = row
	}
	return all
})

func (r Row) words() string {
	words := make([]string, len(r.Values))
	for i, v := range r.Values {
		words[i] = v.Value
	}
	if r.Free {
		return strings.Join(words, ", ") + " or any other GraphQL name"
	}
	return "one of " + strings.Join(words, ", ")
}

// wellFormed reports whether a text is a name that a GraphQL schema may give.
func wellFormed(name string) bool {
	for i, r := range name {
		letter := r == '_' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return name != "" && len(name) <= 100 && !strings.HasPrefix(name, "__")
}
