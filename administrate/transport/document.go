package transport

import "strings"

// Document is a GraphQL document with its variables. The text is ASCII and contains the names of
// the schema; the variables contain the caller's values. The only values in the text are codes,
// keys, amounts and times without a zone (see literal). The values in the text are not personal
// data.
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
