package graph

import (
	"encoding/base64"
	"regexp"
	"slices"
	"strings"

	"github.com/oppflow/oppflow/sandbox/globalid"
)

// prefixes exchanges the prefixes of global ids, of the code and of documents, for each other: a document that has one
// of the code's names an id that nothing has.
type prefixes map[string]string

// exchange reads the prefixes of a Shape, by those of the code.
func exchange(names map[string]string) (prefixes, error) {
	p := make(prefixes, 2*len(names))
	for code, name := range names {
		if slices.Contains(globalid.Types(), name) || p[name] != "" {
			return nil, &namingError{Type: "another record with ids", Name: name}
		}
		p[code], p[name] = name, code
	}
	return p, nil
}

// maybeID is what may be a global id. Ids stand in messages and notes, too: done twice, everything is as it was.
var maybeID = regexp.MustCompile(`[A-Za-z0-9+/]{4,}={0,2}`)

// text exchanges the prefixes of all ids in a text.
func (p prefixes) text(s string) string {
	if len(p) == 0 {
		return s
	}
	return maybeID.ReplaceAllStringFunc(s, func(id string) string {
		raw, err := base64.StdEncoding.Strict().DecodeString(id)
		if err != nil {
			return id
		}
		typ, key, found := strings.Cut(string(raw), ":")
		if other, ok := p[typ]; found && ok {
			return globalid.Encode(other, key)
		}
		return id
	})
}
