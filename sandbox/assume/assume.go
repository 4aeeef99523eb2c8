// Package assume is the table of the sandbox's assumptions. Each row is a behaviour of the API
// that is neither documented nor observed, with the other behaviours that the API may have. A user who knows a tenant
// better chooses another value of a row, and the sandbox then behaves like the tenant. Pure.
//
// A test that passes only with a row's default proves nothing about the API.
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

// Value is one possible behaviour of the API.
type Value struct {
	// Value is the word that chooses the behaviour.
	Value string
	// Means describes what the sandbox does with the value.
	Means string
}

// Row is one behaviour that is unknown outside of the vendor. It has at least two values. The first value is the
// default.
type Row struct {
	Name   Name
	Values []Value
	// Free reports that any other GraphQL name is a value, too: the name that the API has for the thing. The Values are then
	// suggestions.
	Free bool
}

// Table returns all rows, by subject.
func Table() []Row {
	return slices.Concat(search(), filters(), names(), ids(), fields(), mutations(), interests(), places(), pipeline(), neighbours(), door())
}

// Absent is the value of rows that remove something from the schema. A request that uses it is refused.
const Absent = "absent"

// called returns a row about the name of something in the API. names are the possible names; the first is the default.
// The row can also be Absent.
func called(row Name, thing string, names ...string) Row {
	r := Row{Name: row, Free: true}
	for _, name := range names {
		r.Values = append(r.Values, Value{name, thing + " is called " + name})
	}
	r.Values = append(r.Values, Value{Absent, "there is none"})
	return r
}

// Choices are the chosen values. The zero value has every row's default. It is safe for concurrent use.
type Choices struct{ chosen map[Name]string }

// Choose reads choices from words, such as "reserve.short" to "refused". Its error names the row and the possible values.
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

// None reports whether no value was chosen. Every row then has its default.
func (c Choices) None() bool { return len(c.chosen) == 0 }

// Is reports whether the row has the value. Callers never ask for the default value: the default applies when no
// other value is chosen.
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

// rows are the rows of the table by name. They are never changed.
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

// wellFormed reports whether a text can be a name in a GraphQL schema.
func wellFormed(name string) bool {
	for i, r := range name {
		letter := r == '_' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return name != "" && len(name) <= 100 && !strings.HasPrefix(name, "__")
}
