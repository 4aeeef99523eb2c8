// Package assumptions is the table of the sandbox's assumptions. Each assumption is about a detail
// of the API that is neither documented nor observed. A user who knows the behaviour of a real TMS
// can choose another value of an assumption.
//
// A test that passes only with the default of an assumption proves nothing about the API.
package assumptions

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Name identifies an assumption, such as "reserve.short".
type Name string

// Option is one possible behaviour of the API.
type Option struct {
	// Value is the word with which a user chooses this behaviour.
	Value       string
	Description string
}

// Assumption is one detail of the API's behaviour that is unknown outside of the vendor. An
// Assumption has at least two options; the first option is the default.
type Assumption struct {
	Name    Name
	Options []Option
	// AnyName reports that a user may also choose any other GraphQL name as the value.
	AnyName bool
}

// All returns all assumptions, grouped by subject.
func All() []Assumption {
	return slices.Concat(search(), filters(), names(), ids(), fields(), mutations(), interests(), reservations(), pipeline(), relatedRecords(), protocol())
}

// Absent is the value with which an assumption removes a field, member or argument from the schema.
const Absent = "absent"

func nameAssumption(row Name, thing string, names ...string) Assumption {
	r := Assumption{Name: row, AnyName: true}
	for _, name := range names {
		r.Options = append(r.Options, Option{name, thing + " is called " + name})
	}
	r.Options = append(r.Options, Option{Absent, "the API does not have " + thing})
	return r
}

// Choices are the chosen values. The zero value of Choices has the default of every assumption.
// Choices are safe for concurrent use.
type Choices struct{ chosen map[Name]string }

// ParseChoices reads choices from a map of assumption names to values, such as "reserve.short":
// "refused".
func ParseChoices(words map[string]string) (Choices, error) {
	c := Choices{chosen: make(map[Name]string, len(words))}
	for _, word := range slices.Sorted(maps.Keys(words)) {
		row, ok := byName()[Name(word)]
		if !ok {
			return Choices{}, fmt.Errorf("there is no assumption %q; oppflow sandbox --assumptions lists all assumptions", word)
		}
		listed := slices.ContainsFunc(row.Options, func(v Option) bool { return v.Value == words[word] })
		if !listed && (!row.AnyName || !isGraphQLName(words[word])) {
			return Choices{}, fmt.Errorf("assumption %s does not have the value %q; choose %s", word, words[word], row.optionList())
		}
		c.chosen[row.Name] = words[word]
	}
	return c, nil
}

// IsDefault reports whether the user chose no value.
func (c Choices) IsDefault() bool { return len(c.chosen) == 0 }

// Is reports whether the user chose the value for the assumption. Callers must not pass the default
// value of an assumption, because Is returns false if the user chose no value.
func (c Choices) Is(row Name, value string) bool { return c.chosen[row] == value }

// Of returns the chosen value or the default of an assumption, or "" if no assumption has the name.
func (c Choices) Of(row Name) string {
	if value, ok := c.chosen[row]; ok {
		return value
	}
	if r, ok := byName()[row]; ok {
		return r.Options[0].Value
	}
	return ""
}

// Callers must not change the map, because all callers share the map.
var byName = sync.OnceValue(func() map[Name]Assumption {
	all := make(map[Name]Assumption)
	for _, row := range All() {
		all[row.Name] = row
	}
	return all
})

func (r Assumption) optionList() string {
	words := make([]string, len(r.Options))
	for i, v := range r.Options {
		words[i] = v.Value
	}
	if r.AnyName {
		return strings.Join(words, ", ") + " or any other GraphQL name"
	}
	return "one of " + strings.Join(words, ", ")
}

func isGraphQLName(name string) bool {
	for i, r := range name {
		letter := r == '_' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return name != "" && len(name) <= 100 && !strings.HasPrefix(name, "__")
}
