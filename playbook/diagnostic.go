package playbook

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/agnivade/levenshtein"
)

// Diagnostic is a mistake in a playbook: its line and column, counted from 1, and one line of text. The text says what
// is wrong and what would be right.
type Diagnostic struct {
	Line   int    `json:"line"`
	Column int    `json:"column"`
	Text   string `json:"text"`
}

// String returns the mistake as line:column: text.
func (m Diagnostic) String() string { return fmt.Sprintf("%d:%d: %s", m.Line, m.Column, m.Text) }

// Diagnostics are all the mistakes of a playbook that does not load, in the order of
// the file.
type Diagnostics []Diagnostic

// Error returns one line for every mistake.
func (m Diagnostics) Error() string {
	lines := make([]string, len(m))
	for i := range m {
		lines[i] = m[i].String()
	}
	return strings.Join(lines, "\n")
}

// add adds a mistake, with its text on one line.
func (m *Diagnostics) add(line, column int, text string) {
	*m = append(*m, Diagnostic{max(line, 1), max(column, 1), strings.Join(strings.Fields(text), " ")})
}

// sorted returns at most MaxDiagnostics mistakes without duplicates, in the order of their lines
// and columns.
func (m Diagnostics) sorted() Diagnostics {
	slices.SortStableFunc(m, func(a, b Diagnostic) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	m = slices.Compact(m)
	return m[:min(len(m), MaxDiagnostics)]
}

// suggest returns a text that suggests the known name that is most similar to the written name.
// When no name is similar, the text lists all known names.
func suggest(written string, known []string) string {
	best, distance := "", 3
	for _, name := range known {
		d := levenshtein.ComputeDistance(strings.ToLower(truncateQuote(written)), strings.ToLower(name))
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

// truncateQuote shortens a quotation in a mistake.
func truncateQuote(text string) string {
	const longest = 60
	if utf8.RuneCountInString(text) <= longest {
		return text
	}
	return string([]rune(text)[:longest]) + "…"
}
