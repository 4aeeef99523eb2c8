// Package diagnostic lists the mistakes of a playbook.
package diagnostic

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/agnivade/levenshtein"
)

// MaxEntries is the highest number of mistakes that are reported at once.
const MaxEntries = 100

// Entry is a mistake in a playbook: its line and column, counted from 1, and one line of text.
type Entry struct {
	Line   int    `json:"line"`
	Column int    `json:"column"`
	Text   string `json:"text"`
}

// String returns the mistake as line:column: text.
func (m Entry) String() string { return fmt.Sprintf("%d:%d: %s", m.Line, m.Column, m.Text) }

// List contains all mistakes of a playbook that does not load, in the order of the file.
type List []Entry

// Error returns one line for each mistake.
func (m List) Error() string {
	lines := make([]string, len(m))
	for i := range m {
		lines[i] = m[i].String()
	}
	return strings.Join(lines, "\n")
}

// Add adds a mistake, with its text on one line.
func (m *List) Add(line, column int, text string) {
	*m = append(*m, Entry{max(line, 1), max(column, 1), strings.Join(strings.Fields(text), " ")})
}

// Sorted returns at most MaxEntries mistakes without duplicates, in the order of their lines
// and columns.
func (m List) Sorted() List {
	slices.SortStableFunc(m, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	m = slices.Compact(m)
	return m[:min(len(m), MaxEntries)]
}

// Suggest returns a text that suggests the known name that is most similar to the written name.
// When no name is similar, the text lists all known names.
func Suggest(written string, known []string) string {
	best, distance := "", 3
	for _, name := range known {
		d := levenshtein.ComputeDistance(strings.ToLower(Quote(written)), strings.ToLower(name))
		if d < distance && d < len(name) {
			best, distance = name, d
		}
	}
	switch {
	case best != "":
		return fmt.Sprintf("did you mean %s?", best)
	case len(known) == 0:
		return "no name is defined"
	}
	return "the known names are " + strings.Join(known, ", ")
}

// Quote shortens a text of more than 60 characters, so that a mistake can quote the text.
func Quote(text string) string {
	const longest = 60
	if utf8.RuneCountInString(text) <= longest {
		return text
	}
	return string([]rune(text)[:longest]) + "…"
}
