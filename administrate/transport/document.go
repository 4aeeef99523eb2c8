package transport

import "strings"

// Document is what the client sends: a text of our own names, in ASCII, and variables with the
// caller's values. The only values in the text are codes, keys, amounts and times without a
// zone (see literal), and none of them is personal.
type Document struct {
	Name      string // the operation name
	Text      string
	Variables map[string]any
	Keys      []string // the response keys of its root fields
}

// LeadingName returns the name at the beginning of a text.
func LeadingName(text string) string {
	end := strings.IndexFunc(text, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
	if end < 0 {
		return text
	}
	return text[:end]
}
