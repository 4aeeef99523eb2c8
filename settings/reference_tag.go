package settings

import (
	"errors"
	"strings"
	"unicode"
)

// ReferenceTagLocation is where the reference tag is on the record in the TMS.
type ReferenceTagLocation string

// The locations of a reference tag.
const (
	TagInAttribute ReferenceTagLocation = "attribute" // in a custom attribute of the opportunity
	TagInName      ReferenceTagLocation = "name"      // in the opportunity's name
	TagNowhere     ReferenceTagLocation = "none"      // no tag: a record whose creation has an unknown status cannot be found again
)

// DefaultTagAttribute is the default key of the attribute with the reference tag.
const DefaultTagAttribute = "oppflow"

// ReferenceTag says where an opportunity's record in the TMS contains the caller's reference,
// written "attribute:<key>", "name" or "none". The zero value of ReferenceTag is the default,
// "attribute:oppflow".
type ReferenceTag struct {
	location  ReferenceTagLocation
	attribute string
}

// ParseReferenceTag parses a text such as "attribute:oppflow", "name" or "none".
func ParseReferenceTag(text string) (ReferenceTag, error) {
	switch place, key, colon := strings.Cut(text, ":"); {
	case place == string(TagInName) && !colon:
		return ReferenceTag{location: TagInName}, nil
	case place == string(TagNowhere) && !colon:
		return ReferenceTag{location: TagNowhere}, nil
	case place == string(TagInAttribute) && key != "":
		if strings.ContainsFunc(key, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }) {
			return ReferenceTag{}, errors.New("the attribute's key must not contain spaces or control characters")
		}
		return ReferenceTag{location: TagInAttribute, attribute: key}, nil
	}
	return ReferenceTag{}, errors.New("must be attribute:<key>, name or none")
}

// Location returns where the reference tag is on the record.
func (m ReferenceTag) Location() ReferenceTagLocation {
	if m.location == "" {
		return TagInAttribute
	}
	return m.location
}

// Attribute returns the key of the attribute that contains the reference tag, or "" if no attribute
// contains the reference tag.
func (m ReferenceTag) Attribute() string {
	if m.location == "" {
		return DefaultTagAttribute
	}
	return m.attribute
}

// String returns the text of the ReferenceTag, which ParseReferenceTag reads.
func (m ReferenceTag) String() string {
	if m.Location() == TagInAttribute {
		return string(TagInAttribute) + ":" + m.Attribute()
	}
	return string(m.Location())
}

// Set parses the text of a ReferenceTag, so that a ReferenceTag can be the value of a flag.
func (m *ReferenceTag) Set(text string) error {
	mark, err := ParseReferenceTag(text)
	if err == nil {
		*m = mark
	}
	return err
}

// Type returns the name that help output shows for the value of the flag.
func (m *ReferenceTag) Type() string { return "reference-tag" }
