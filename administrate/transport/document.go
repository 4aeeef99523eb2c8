package transport

import "strings"

// Document is a GraphQL document with its variables. Text is ASCII and contains names of the
// schema; Variables contains the caller's values. Text also contains those caller's values that the
// function literal writes: codes, keys, amounts and times without a zone, which are not personal
// data.
type Document struct {
	Name      string // the name of the GraphQL operation
	Text      string
	Variables map[string]any
	Keys      []string // the response keys of the root fields of the document
}

// LeadingName returns the longest GraphQL name at the beginning of a text.
func LeadingName(text string) string {
	end := strings.IndexFunc(text, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
	if end < 0 {
		return text
	}
	return text[:end]
}
