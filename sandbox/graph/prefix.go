package graph

import (
	"encoding/base64"
	"regexp"
	"slices"
	"strings"

	"github.com/oppflow/oppflow/sandbox/globalid"
)

// prefixes exchanges the prefixes of global ids in the code with those in documents, in both directions. So an id in a
// document with a prefix of the code belongs to no record.
type prefixes map[string]string

// exchange returns the prefixes of a Shape, by the prefixes of the code.
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

// maybeID matches texts that may be global ids. Ids also occur in messages and notes. Two exchanges restore the
// original text.
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
