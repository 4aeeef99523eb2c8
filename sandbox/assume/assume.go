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
}

// Table returns all rows, by subject.
func Table() []Row {
	return slices.Concat(search(), names(), mutations(), interests(), places(), pipeline(), neighbours(), door())
}

// Absent is the value of rows that take something out of the schema: a request that uses it is refused.
const Absent = "absent"

// Choices are the values that were chosen. The zero value chooses every row's default. It is safe for concurrent use.
type Choices struct{ chosen map[Name]string }

// Choose reads choices given as words, "reserve.short" to "refused". Its error names the row and what there is to choose.
func Choose(words map[string]string) (Choices, error) {
	rows := make(map[Name]Row)
	for _, row := range Table() {
		rows[row.Name] = row
	}
	c := Choices{chosen: make(map[Name]string, len(words))}
	for _, word := range slices.Sorted(maps.Keys(words)) {
		row, ok := rows[Name(word)]
		if !ok {
			return Choices{}, fmt.Errorf("there is no assumption %q; the table lists them", word)
		}
		if !slices.ContainsFunc(row.Values, func(v Value) bool { return v.Value == words[word] }) {
			return Choices{}, fmt.Errorf("assumption %s: there is no value %q; choose one of %s", word, words[word], row.words())
		}
		c.chosen[row.Name] = words[word]
	}
	return c, nil
}

// Is reports whether the row has the value, which is not its default: the default is what holds when nothing else was
// chosen.
func (c Choices) Is(row Name, value string) bool { return c.chosen[row] == value }

func (r Row) words() string {
	words := make([]string, len(r.Values))
	for i, v := range r.Values {
		words[i] = v.Value
	}
	return strings.Join(words, ", ")
}
