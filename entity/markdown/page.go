// Package markdown writes the current details of a run, which operators read in Temporal's Web UI.
// Only package entity may import this package.
package markdown

import (
	"fmt"
	"strings"
	"time"

	"github.com/oppflow/oppflow/opportunity"
)

// Page is a page of Markdown. The zero value is an empty page.
type Page struct{ text strings.Builder }

// Title adds a heading. Title escapes the text.
func (p *Page) Title(text string) { fmt.Fprintf(&p.text, "### %s\n\n", Escape(text)) }

// Row adds a named value. Row does not escape the value, and adds nothing for the value "".
func (p *Page) Row(name, value string) {
	if value != "" {
		fmt.Fprintf(&p.text, "- **%s:** %s\n", name, value)
	}
}

// Attention adds a section with the entries that need a person.
func (p *Page) Attention(entries []opportunity.Attention) {
	if len(entries) == 0 {
		return
	}
	p.text.WriteString("\n#### Needs attention\n\n")
	for _, a := range entries {
		fmt.Fprintf(&p.text, "- **%s** since %s", a.Kind, a.Since.UTC().Format(time.RFC3339))
		if a.Request != "" {
			fmt.Fprintf(&p.text, ", request `%s`", strings.ReplaceAll(a.Request, "`", "'"))
		}
		fmt.Fprintf(&p.text, ": %s\n", Escape(a.Reason))
	}
}

// Timeline adds a section with the entries of the timeline.
func (p *Page) Timeline(entries []opportunity.TimelineEntry) {
	if len(entries) == 0 {
		return
	}
	p.text.WriteString("\n#### Timeline\n\n")
	for _, m := range entries {
		fmt.Fprintf(&p.text, "- %s %s\n", m.At.UTC().Format(time.RFC3339), Escape(m.Text))
	}
}

// String returns the page.
func (p *Page) String() string { return p.text.String() }

// FirstOf describes a list of n elements by n and the text of its first element. FirstOf returns ""
// for an empty list, and only the text of the element for a list of one.
func FirstOf(n int, things, first string) string {
	switch n {
	case 0:
		return ""
	case 1:
		return Escape(first)
	}
	return fmt.Sprintf("%d%s, first: %s", n, things, Escape(first))
}

// Escape returns the text on one line, so that no part of the text counts as Markdown.
func Escape(text string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "`", "\\`", "<", "&lt;", "[", `\[`, "#", `\#`, "\n", " ").Replace(text)
}
