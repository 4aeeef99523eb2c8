package opportunity

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Verb is the name of a message: the same for the signal and the update.
type Verb string

// The verbs that change the record in the TMS.
const (
	VerbAddInterests  Verb = "addInterests"
	VerbProgress      Verb = "progress"
	VerbUpdateDetails Verb = "updateDetails"
)

// The verbs with which an operator answers a question: what became of a change
// whose fate reading could not decide.
const (
	VerbRetry Verb = "retry"
	VerbSkip  Verb = "skip"
)

// Command is a message that asks for a change of the record.
type Command interface {
	// Verb names the message.
	Verb() Verb
	// ID is the caller's request id, or "".
	ID() string
	// Validate reports the first mistake of the message as an Invalid error.
	Validate() error
}

// AddInterests asks for interests to be added, in order.
type AddInterests struct {
	RequestID string    `json:"requestId,omitempty"`
	Interests Interests `json:"interests"`
}

// Progress asks for a move to another step.
type Progress struct {
	RequestID string `json:"requestId,omitempty"`
	// To is the name or the id of the step.
	To string `json:"to"`
}

// UpdateDetails asks for other details; what is left out stays as it is.
type UpdateDetails struct {
	RequestID string `json:"requestId,omitempty"`
	Name      string `json:"name,omitempty"`
	// Account is the name or the id of the account.
	Account string `json:"account,omitempty"`
	// Currency is its code or its name.
	Currency string `json:"currency,omitempty"`
}

// Verb implements Command.
func (AddInterests) Verb() Verb { return VerbAddInterests }

// Verb implements Command.
func (Progress) Verb() Verb { return VerbProgress }

// Verb implements Command.
func (UpdateDetails) Verb() Verb { return VerbUpdateDetails }

// ID implements Command.
func (c AddInterests) ID() string { return c.RequestID }

// ID implements Command.
func (c Progress) ID() string { return c.RequestID }

// ID implements Command.
func (c UpdateDetails) ID() string { return c.RequestID }

// Validate implements Command.
func (c AddInterests) Validate() error {
	if err := validRequestID(c.RequestID); err != nil {
		return err
	}
	if len(c.Interests) == 0 {
		return Invalidf("interests: none; give at least one")
	}
	return c.Interests.validate()
}

// Validate implements Command.
func (c Progress) Validate() error {
	if err := validRequestID(c.RequestID); err != nil {
		return err
	}
	if err := validText("to", c.To); err != nil {
		return err
	}
	return wantType("to", c.To, TypeStep, "a step")
}

// Validate implements Command.
func (c UpdateDetails) Validate() error {
	if err := validRequestID(c.RequestID); err != nil {
		return err
	}
	if c.Name == "" && c.Account == "" && c.Currency == "" {
		return Invalidf("nothing to update: give name, account or currency")
	}
	for _, field := range []struct{ member, value string }{{"name", c.Name}, {"account", c.Account}, {"currency", c.Currency}} {
		if field.value == "" {
			continue
		}
		if err := validText(field.member, field.value); err != nil {
			return err
		}
	}
	return wantType("account", c.Account, TypeAccount, "an account")
}

// Retry is an operator's answer to a question: I checked, it did not happen;
// carry it out.
type Retry struct {
	// Request is the id of the request the question is about.
	Request string `json:"request"`
}

// Skip is an operator's answer to a question: it did happen, or never mind.
type Skip struct {
	// Request is the id of the request the question is about.
	Request string `json:"request"`
	// Reason is kept with the outcome.
	Reason string `json:"reason"`
}

// Validate reports the first mistake as an Invalid error.
func (r Retry) Validate() error { return validText("request", r.Request) }

// Validate reports the first mistake as an Invalid error.
func (s Skip) Validate() error {
	if err := validText("request", s.Request); err != nil {
		return err
	}
	return validText("reason", s.Reason)
}

// Start is what an opportunity is created from.
type Start struct {
	RequestID string `json:"requestId,omitempty"`
	Name      string `json:"name"`
	// Region is the name or the id of the region.
	Region string `json:"region"`
	// Account is the name or the id of the account.
	Account string `json:"account,omitempty"`
	// Currency is its code or its name.
	Currency string `json:"currency,omitempty"`
	// EntryStep is the name or the id of the step the record starts in.
	EntryStep string `json:"entryStep,omitempty"`
	// Interests are added once the record exists.
	Interests Interests `json:"interests,omitempty"`
}

// Validate reports the first mistake of the start as an Invalid error.
func (s Start) Validate() error {
	if err := validRequestID(s.RequestID); err != nil {
		return err
	}
	for _, field := range []struct {
		member, value, typ, what string
		wanted                   bool
	}{
		{"name", s.Name, "", "", true},
		{"region", s.Region, TypeRegion, "a region", true},
		{"account", s.Account, TypeAccount, "an account", false},
		{"currency", s.Currency, "", "", false},
		{"entryStep", s.EntryStep, TypeStep, "a step", false},
	} {
		if field.value == "" && !field.wanted {
			continue
		}
		if err := validText(field.member, field.value); err != nil {
			return err
		}
		if field.typ == "" {
			continue
		}
		if err := wantType(field.member, field.value, field.typ, field.what); err != nil {
			return err
		}
	}
	return s.Interests.validate()
}

// DecodeStart reads a start as a caller typed it. Unknown members are Invalid.
func DecodeStart(payload []byte) (Start, error) {
	var s Start
	if err := decodeStrict(payload, &s); err != nil {
		return Start{}, err
	}
	if err := onceEach(payload); err != nil {
		return Start{}, err
	}
	return s, s.Validate()
}

// Decode reads the payload of the message called verb. Unknown members, members
// that stand twice, an unknown verb and whatever fails Validate are Invalid.
func Decode(verb Verb, payload []byte) (Command, error) {
	c, err := decodeVerb(verb, payload)
	if err != nil {
		return nil, err
	}
	if err := onceEach(payload); err != nil {
		return nil, err
	}
	return c, nil
}

func decodeVerb(verb Verb, payload []byte) (Command, error) {
	switch verb {
	case VerbAddInterests:
		return decodeCommand[AddInterests](payload)
	case VerbProgress:
		return decodeCommand[Progress](payload)
	case VerbUpdateDetails:
		return decodeCommand[UpdateDetails](payload)
	}
	return nil, Invalidf("there is no message called %q; known are %s, %s and %s", clip(string(verb), 40), VerbAddInterests, VerbProgress, VerbUpdateDetails)
}

func decodeCommand[C Command](payload []byte) (Command, error) {
	var c C
	if err := decodeStrict(payload, &c); err != nil {
		return nil, err
	}
	if err := c.Validate(); err != nil {
		return nil, err
	}
	return c, nil
}

// DecodeAnswer reads the payload of an operator's answer into target, a *Retry
// or a *Skip. Unknown members are Invalid.
func DecodeAnswer[A interface{ Validate() error }](payload []byte) (A, error) {
	var a A
	if err := decodeStrict(payload, &a); err != nil {
		return a, err
	}
	if err := onceEach(payload); err != nil {
		return a, err
	}
	return a, a.Validate()
}

// decodeStrict reads exactly one JSON object and refuses members target does
// not have. Its errors are Invalid, say where, and quote no values.
func decodeStrict(payload []byte, target any) error {
	if trimmed := bytes.TrimSpace(payload); len(trimmed) == 0 || trimmed[0] != '{' {
		return Invalidf("a JSON object is wanted, such as {…}")
	}
	decoder := json.NewDecoder(bytes.NewReader(payload))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(target); err != nil {
		return explainJSON(err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return Invalidf("more than one JSON object")
	}
	return nil
}

func explainJSON(err error) error {
	var own *Error
	var mistyped *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &own):
		return own
	case errors.As(err, &mistyped):
		return Invalidf("%s: a JSON %s stands where a %s is wanted", mistyped.Field, mistyped.Value, jsonName(mistyped.Type.Kind().String()))
	case errors.As(err, &syntax):
		return Invalidf("not JSON: %v at byte %d", syntax, syntax.Offset)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return Invalidf("not JSON: it ends too early")
	}
	if _, member, found := strings.Cut(err.Error(), "unknown field "); found {
		return Invalidf("unknown member %s", clip(member, 60))
	}
	return Invalidf("not JSON: %v", err)
}

// jsonName tells a Go kind in the words of JSON.
func jsonName(kind string) string {
	switch kind {
	case "int":
		return "whole number"
	case "slice":
		return "list"
	case "struct":
		return "object"
	case "bool":
		return "true or false"
	}
	return kind
}

// validRequestID reports what is wrong with a caller's request id. Ids that
// start with "#" are Oppflow's own.
func validRequestID(id string) error {
	switch {
	case id == "":
		return nil
	case len(id) > MaxRequestIDLength:
		return Invalidf("requestId: %d bytes; at most %d", len(id), MaxRequestIDLength)
	case strings.HasPrefix(id, "#"):
		return Invalidf(`requestId: starts with "#"; such ids are given by the workflow itself`)
	case !utf8.ValidString(id) || strings.ContainsFunc(id, func(c rune) bool { return !unicode.IsPrint(c) }):
		return Invalidf("requestId: contains a character that cannot be printed")
	}
	return nil
}

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

// Summary tells the command in a few words without personal data.
func Summary(c Command) string {
	switch c := c.(type) {
	case AddInterests:
		if len(c.Interests) == 1 {
			return "add 1 interest"
		}
		return fmt.Sprintf("add %d interests", len(c.Interests))
	case Progress:
		return "progress to " + clip(c.To, 40)
	case UpdateDetails:
		var fields []string
		for _, f := range []struct{ name, value string }{{"name", c.Name}, {"account", c.Account}, {"currency", c.Currency}} {
			if f.value != "" {
				fields = append(fields, f.name)
			}
		}
		return "update " + strings.Join(fields, ", ")
	}
	return string(c.Verb())
}
