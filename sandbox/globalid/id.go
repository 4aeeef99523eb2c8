// Package globalid reads and writes the API's global ids: base64 of "<Type>:<key>".
//
// The prefix often differs from the GraphQL type name: the prefix of an Account is "Organisation",
// the prefix of an Event is "Course". The key is not always a number: the key of a region consists
// of letters, and the key of a training token type consists of 32 hexadecimal digits.
package globalid

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The prefixes of the API are documented or observed, except Currency, Invoice, User and
// ExternalIntegrationLog. The assumptions in sandbox/assumptions contain alternatives for these
// four prefixes.
const (
	Opportunity         = "Opportunity"
	OpportunityStep     = "OpportunityStep"
	OpportunityStage    = "OpportunityStage"
	OpportunityInterest = "OpportunityInterest"
	Account             = "Organisation"
	Region              = "Region"
	CourseTemplate      = "CourseTemplate"
	Event               = "Course"
	LearningPath        = "LearningPath"
	TrainingTokenType   = "TokenType"
	Contact             = "Person"
	Registration        = "Registration"
	Learner             = "learner"
	Invoice             = "Invoice"
	User                = "User"
	ExternalLog         = "ExternalIntegrationLog"

	SendingAddress        = "SendingEmailAddress"
	CommunicationTemplate = "CommunicationTemplate"
	CustomFieldDefinition = "CustomFieldDefinition"
	Currency              = "Currency"
)

// Types returns all prefixes.
func Types() []string {
	return []string{
		Opportunity, OpportunityStep, OpportunityStage, OpportunityInterest, Account, Region, CourseTemplate, Event, LearningPath,
		TrainingTokenType, Contact, Registration, Learner, Invoice, User, ExternalLog, SendingAddress, CommunicationTemplate,
		CustomFieldDefinition, Currency,
	}
}

const maxLength = 512

// ErrMalformed is the error that every error of Parse, ParseAs and ParseInt wraps.
var ErrMalformed = errors.New("malformed id")

// ID is a decoded global id.
type ID struct {
	Type string
	Key  string
}

// Encode returns the encoded id.
func Encode(typ, key string) string {
	return base64.StdEncoding.EncodeToString([]byte(typ + ":" + key))
}

// EncodeInt returns the encoded id for a type whose key is a number.
func EncodeInt(typ string, key int64) string {
	return Encode(typ, strconv.FormatInt(key, 10))
}

// Parse decodes s. Parse accepts exactly what Encode writes: padded standard base64 of UTF-8 text
// with a type of letters, a colon and a non-empty key. Because Parse accepts no other form, each
// object has exactly one valid id.
func Parse(s string) (ID, error) {
	if s == "" {
		return ID{}, fmt.Errorf("%w: the id is empty", ErrMalformed)
	}
	if len(s) > maxLength {
		return ID{}, fmt.Errorf("%w: the id has %d characters, but the limit is %d characters", ErrMalformed, len(s), maxLength)
	}
	if strings.ContainsAny(s, "\r\n") { // encoding/base64 skips line breaks
		return ID{}, fmt.Errorf("%w: %q has a line break", ErrMalformed, s)
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil {
		return ID{}, fmt.Errorf("%w: %q is not base64", ErrMalformed, s)
	}
	typ, key, found := strings.Cut(string(raw), ":")
	if !found || typ == "" || key == "" || !utf8.Valid(raw) || strings.IndexFunc(typ, notLetter) >= 0 {
		return ID{}, fmt.Errorf("%w: %q does not encode <Type>:<key>", ErrMalformed, s)
	}
	return ID{Type: typ, Key: key}, nil
}

// TypeOnly reads an id with an empty key, such as "Organisation:" (observed).
func TypeOnly(s string) (typ string, ok bool) {
	raw, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil {
		return "", false
	}
	typ, ok = strings.CutSuffix(string(raw), ":")
	return typ, ok && typ != "" && strings.IndexFunc(typ, notLetter) < 0
}

// ParseAs returns the key of an id, and an error if the id is not of the type typ.
func ParseAs(s, typ string) (string, error) {
	id, err := Parse(s)
	if err != nil {
		return "", err
	}
	if id.Type != typ {
		return "", fmt.Errorf("%w: %q is of type %s, not of type %s", ErrMalformed, s, id.Type, typ)
	}
	return id.Key, nil
}

// ParseInt decodes s. ParseInt returns an error if the id is not of the type typ or the key is not
// a positive number in canonical form.
func ParseInt(s, typ string) (int64, error) {
	key, err := ParseAs(s, typ)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(key, 10, 64)
	if err != nil || n <= 0 || strconv.FormatInt(n, 10) != key {
		return 0, fmt.Errorf("%w: %q encodes %s:%s, but the key is not a positive number", ErrMalformed, s, typ, key)
	}
	return n, nil
}

func notLetter(r rune) bool { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') }
