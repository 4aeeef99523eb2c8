package opportunity

import (
	"encoding/base64"
	"strings"
)

// ID is a global id of the API. It is opaque, but for the type its decoded form
// names before the colon ("Course:1" is an Event); the key after it need not be
// a number.
type ID string

// Type answers the type the id names, such as "CourseTemplate" or "Region", or
// "" when id is not in the form of a global id (a name or a code is not).
func (id ID) Type() string {
	typ, _ := id.parts()
	return typ
}

// Key answers what stands behind the type, mostly a number; "" where Type answers "".
func (id ID) Key() string {
	_, key := id.parts()
	return key
}

func (id ID) parts() (typ, key string) {
	raw, err := base64.StdEncoding.Strict().DecodeString(string(id))
	if err != nil || strings.ContainsAny(string(id), "\r\n") { // which decoding skips
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

// The types global ids name. Two differ from the name of the type in the schema.
const (
	TypeOpportunity = "Opportunity"
	TypeStep        = "OpportunityStep"
	TypeRegion      = "Region"
	TypeAccount     = "Organisation" // an Account in the schema
	TypeContact     = "Person"       // a Contact in the schema
	TypeCourse      = "CourseTemplate"
	TypeEvent       = "Course" // an Event in the schema
	TypePath        = "LearningPath"
	TypeTokens      = "TokenType" // a TrainingTokenType in the schema
)

// wantType reports an id of another type than the one wanted. A name passes.
func wantType(member, value, typ, what string) error {
	if got := ID(value).Type(); got != "" && got != typ && isKnownType(got) {
		return Invalidf("%s: %s is the id of a %s, not of %s", member, value, got, what)
	}
	return nil
}

// isKnownType keeps a name that happens to decode ("QTpi" is base64 of "A:b")
// from being taken for an id.
func isKnownType(typ string) bool {
	switch typ {
	case TypeOpportunity, TypeStep, "OpportunityStage", "OpportunityInterest", TypeRegion, TypeAccount, TypeContact,
		TypeCourse, TypeEvent, TypePath, TypeTokens, "Registration":
		return true
	}
	return false
}
