package graph

import (
	"encoding/base64"
	"regexp"
	"slices"
	"strings"

	"github.com/oppflow/oppflow/sandbox/globalid"
)

// idPrefixes swaps two prefixes of global ids: the prefix in the code and the prefix in documents.
// The swap also makes an id with the prefix of the code unknown in documents.
type idPrefixes map[string]string

func newIDPrefixes(names map[string]string) (idPrefixes, error) {
	p := make(idPrefixes, 2*len(names))
	for code, name := range names {
		if slices.Contains(globalid.Types(), name) || p[name] != "" {
			return nil, &nameError{Type: "another type of record", Name: name}
		}
		p[code], p[name] = name, code
	}
	return p, nil
}

// Ids also occur in messages and notes, so maybeID searches every text.
var maybeID = regexp.MustCompile(`[A-Za-z0-9+/]{4,}={0,2}`)

func (p idPrefixes) replaceIn(s string) string {
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
