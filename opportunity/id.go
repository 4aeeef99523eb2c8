package opportunity

import (
	"encoding/base64"
	"strings"
)

// ID is a global id of the API. An ID is opaque, except for its type: the decoded form begins with
// the type and a colon. "Course:1" is the id of an event. The key after the colon need not be a
// number.
type ID string

// Type returns the type in the id, such as "CourseTemplate" or "Region". Type returns "" for a text
// that is not a global id, such as a name or a code.
func (id ID) Type() string {
	typ, _ := id.parts()
	return typ
}

// Key returns the part of the id after the colon, which is mostly a number. Key returns "" when
// Type returns "".
func (id ID) Key() string {
	_, key := id.parts()
	return key
}

func (id ID) parts() (typ, key string) {
	raw, err := base64.StdEncoding.Strict().DecodeString(string(id))
	if err != nil || strings.ContainsAny(string(id), "\r\n") { // the base64 decoder skips line breaks
		return "", ""
	}
	typ, key, found := strings.Cut(string(raw), ":")
	if !found || typ == "" || key == "" {
		return "", ""
	}
	for _, c := range typ {
		if (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return "", ""
		}
	}
	return typ, key
}

// These are the types in global ids. Some of these names differ from the names of the types in the
// API's schema.
const (
	TypeOpportunity = "Opportunity"
	TypeStep        = "OpportunityStep"
	TypeRegion      = "Region"
	TypeAccount     = "Organisation" // an Account in the schema
	TypeContact     = "Person"       // a Contact in the schema
)

// A value that is a name, not an id, is always valid.
func validateIDType(member, value, typ, what string) error {
	if got := ID(value).Type(); got != "" && got != typ && isKnownType(got) {
		return Invalidf("%s: %s is the id of a %s, not of %s", member, value, got, what)
	}
	return nil
}

// isKnownType is needed because a plain name may happen to be valid base64: "QTpi" is base64 of
// "A:b".
func isKnownType(typ string) bool {
	switch typ {
	case TypeOpportunity, TypeStep, "OpportunityStage", "OpportunityInterest", TypeRegion, TypeAccount, TypeContact, "Registration":
		return true
	}
	_, isItem := KindOfIDType(typ)
	return isItem
}
