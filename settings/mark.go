package settings

import (
	"errors"
	"strings"
	"unicode"
)

// MarkPlace is the place of the caller's reference on the record in the TMS.
type MarkPlace string

// The places a mark can have.
const (
	MarkAttribute MarkPlace = "attribute" // in a custom attribute of the opportunity
	MarkName      MarkPlace = "name"      // in the opportunity's name
	MarkNone      MarkPlace = "none"      // no place: a create whose fate is unknown cannot be found again
)

// DefaultMarkAttribute is the key of the attribute where no other is given.
const DefaultMarkAttribute = "oppflow"

// Mark says how an opportunity's record in the TMS carries the caller's reference, written "attribute:<key>", "name"
// or "none". The zero value is the default, "attribute:oppflow".
type Mark struct {
	place     MarkPlace
	attribute string
}

// ParseMark reads the written form.
func ParseMark(text string) (Mark, error) {
	switch place, key, colon := strings.Cut(text, ":"); {
	case place == string(MarkName) && !colon:
		return Mark{place: MarkName}, nil
	case place == string(MarkNone) && !colon:
		return Mark{place: MarkNone}, nil
	case place == string(MarkAttribute) && key != "":
		if strings.ContainsFunc(key, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }) {
			return Mark{}, errors.New("the attribute's key must not contain spaces or control characters")
		}
		return Mark{place: MarkAttribute, attribute: key}, nil
	}
	return Mark{}, errors.New("must be attribute:<key>, name or none")
}

// Place returns where the reference is kept.
func (m Mark) Place() MarkPlace {
	if m.place == "" {
		return MarkAttribute
	}
	return m.place
}

// Attribute returns the attribute's key if the mark is kept in one, else "".
func (m Mark) Attribute() string {
	if m.place == "" {
		return DefaultMarkAttribute
	}
	return m.attribute
}

// String returns the written form, which ParseMark reads.
func (m Mark) String() string {
	if m.Place() == MarkAttribute {
		return string(MarkAttribute) + ":" + m.Attribute()
	}
	return string(m.Place())
}

// Set reads the written form, so that a mark can be a flag's value.
func (m *Mark) Set(text string) error {
	mark, err := ParseMark(text)
	if err == nil {
		*m = mark
	}
	return err
}

// Type names the kind of value in help output.
func (m *Mark) Type() string { return "mark" }
