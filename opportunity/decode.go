package opportunity

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// DecodeStart decodes a caller's start, as strictly as Decode decodes a command.
func DecodeStart(payload []byte) (Start, error) { return DecodeStrict[Start](payload) }

// Decode decodes the payload of the command with the given name. The error is Invalid for an unknown
// name, for a command that fails Validate, and for an empty request id. The error is also Invalid
// for text that is not Unicode, and for a member that is unknown, appears twice or has the wrong
// capitals.
func Decode(name MessageName, payload []byte) (Command, error) {
	if err := checkPayload(payload); err != nil {
		return nil, err
	}
	return decodeCommand(name, payload, strictDecoding)
}

// DecodeLoose decodes a message that Decode or DecodeOperatorCommand rejects. DecodeLoose follows
// the rules of earlier releases. DecodeLoose ignores the case of letters in member names. An empty
// request id counts as no request id. Text that is not Unicode becomes U+FFFD. A run that accepted
// a message by these rules decodes the message by the same rules in a replay.
func DecodeLoose(name MessageName, payload []byte) (Message, error) {
	if err := checkSize(payload); err != nil {
		return nil, err
	}
	if err := rejectDuplicateMembers(payload); err != nil {
		return nil, err
	}
	t, ok := MessageTypeOf(name)
	if !ok {
		return nil, unknownMessage(name)
	}
	return t.decode(payload, looseDecoding)
}

// DecodeStartLoose decodes a start by the rules of DecodeLoose.
func DecodeStartLoose(payload []byte) (Start, error) {
	var s Start
	if err := checkSize(payload); err != nil {
		return Start{}, err
	}
	if err := rejectDuplicateMembers(payload); err != nil {
		return Start{}, err
	}
	if err := decodeStrict(payload, &s); err != nil {
		return Start{}, err
	}
	return s, s.Validate()
}

// DecodeByName decodes a command that was valid when it was accepted.
func DecodeByName(name MessageName, payload []byte) (Command, error) {
	return decodeCommand(name, payload, looseDecoding)
}

// DecodeOperatorCommand decodes the payload of the operator command with the given name, as
// strictly as Decode decodes a command.
func DecodeOperatorCommand(name MessageName, payload []byte) (OperatorCommand, error) {
	t, ok := MessageTypeOf(name)
	if !ok || !t.IsOperatorCommand {
		return nil, unknownMessage(name)
	}
	m, err := t.decode(payload, strictDecoding)
	if err != nil {
		return nil, err
	}
	return m.(OperatorCommand), nil //nolint:errcheck,forcetypeassert // the type of the message says so
}

func decodeCommand(name MessageName, payload []byte, how decoding) (Command, error) {
	t, ok := MessageTypeOf(name)
	if !ok || t.IsOperatorCommand {
		return nil, unknownMessage(name)
	}
	m, err := t.decode(payload, how)
	if err != nil {
		return nil, err
	}
	return m.(Command), nil //nolint:errcheck,forcetypeassert // the type of the message says so
}

var lookalikePattern = regexp.MustCompile(`^[A-Za-z][A-Za-z_-]{3,39}$`)

// RedactedName returns the name if a message has this name, or if the name begins with the same
// four letters as the name of a message. RedactedName hides any other name, because such a name may
// be personal data.
func RedactedName(name MessageName) string {
	if slices.Contains(MessageNames(), name) {
		return string(name)
	}
	if lookalikePattern.MatchString(string(name)) {
		for _, known := range MessageNames() {
			if strings.EqualFold(string(name[:4]), string(known[:4])) {
				return strconv.Quote(string(name))
			}
		}
	}
	return "…"
}

// DecodeStrict decodes one JSON object into a plain type of the contract, as strictly as Decode
// decodes a command.
func DecodeStrict[A interface{ Validate() error }](payload []byte) (A, error) {
	var none, a A
	if err := checkPayload(payload); err != nil {
		return none, err
	}
	if err := decodeStrict(payload, &a); err != nil {
		return none, err
	}
	if err := checkMembers(payload, reflect.TypeFor[A]()); err != nil {
		return none, err
	}
	return a, a.Validate()
}

func checkPayload(payload []byte) error {
	if err := checkSize(payload); err != nil {
		return err
	}
	return checkText(payload)
}

func checkSize(payload []byte) error {
	if len(payload) > MaxCommandBytes {
		return Invalidf("the JSON has %d bytes; the limit is %d bytes", len(payload), MaxCommandBytes)
	}
	return nil
}

// decodeStrict reads exactly one JSON object and rejects members that target does not have. Every
// error has the type Invalid, names the position of the mistake, and quotes no value.
func decodeStrict(payload []byte, target any) error {
	if trimmed := bytes.TrimSpace(payload); len(trimmed) == 0 || trimmed[0] != '{' {
		return Invalidf("a JSON object is expected, such as {…}")
	}
	decoder := json.NewDecoder(bytes.NewReader(payload))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(target); err != nil {
		return explainJSON(err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return Invalidf("the text contains more than one JSON object; give one JSON object")
	}
	return nil
}

func explainJSON(err error) error {
	var own *Error
	var mistyped *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	var mistimed *time.ParseError
	switch {
	case errors.As(err, &own):
		return own
	case errors.As(err, &mistyped):
		return Invalidf("%s: a JSON %s is given, but %s is expected", mistyped.Field, Truncate(mistyped.Value, 60), jsonName(mistyped.Type.Kind().String()))
	case errors.As(err, &syntax):
		return Invalidf("the text is not JSON: %v at byte %d", syntax, syntax.Offset)
	case errors.As(err, &mistimed), strings.HasPrefix(err.Error(), "Time.UnmarshalJSON"):
		return Invalidf("a time with its UTC offset (RFC 3339) is expected, such as 2026-12-31T17:00:00Z or 2026-12-31T17:00:00+01:00")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return Invalidf("the text is not JSON: the text ends too early")
	}
	if _, member, found := strings.Cut(err.Error(), "unknown field "); found {
		return Invalidf("unknown member %s", Truncate(member, 60))
	}
	return Invalidf("the text is not JSON: %v", err)
}

func jsonName(kind string) string {
	switch kind {
	case "int":
		return "a whole number"
	case "slice":
		return "a list"
	case "struct":
		return "an object"
	case "bool":
		return "true or false"
	}
	return "a " + kind
}
