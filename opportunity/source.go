package opportunity

import (
	"reflect"
	"strings"
	"unicode"
	"unicode/utf8"
)

// SourceOf returns the source of the message, or "".
func SourceOf(m Message) string {
	if field := reflect.Indirect(reflect.ValueOf(m)).FieldByName("Source"); field.IsValid() {
		return field.String()
	}
	return ""
}

// WithSource returns a copy of the message with another source.
func WithSource[M Message](m M, source string) M {
	message := reflect.New(reflect.TypeOf(m)).Elem()
	message.Set(reflect.ValueOf(m))
	if field := message.FieldByName("Source"); field.IsValid() {
		field.SetString(source)
	}
	return message.Interface().(M) //nolint:errcheck,forcetypeassert // it is a copy
}

// validateHeader checks the members that every message may have.
func validateHeader(requestID, source string) error {
	if err := ValidateRequestID(requestID); err != nil {
		return err
	}
	switch {
	case len(source) > MaxSourceLength:
		return Invalidf("source: the text has %d bytes; the limit is %d bytes", len(source), MaxSourceLength)
	case !utf8.ValidString(source) || strings.ContainsFunc(source, func(c rune) bool { return !unicode.IsPrint(c) }):
		return Invalidf("source: the text contains a character that cannot be printed")
	}
	return nil
}

// FairnessKey returns the fairness key of the start: its source, or its region when no source is
// given, or "" when neither is given.
func (s Start) FairnessKey() string {
	if s.Source != "" {
		return s.Source
	}
	return TruncateBytes(s.Region)
}

// TruncateBytes returns the longest beginning of the text that fits into a fairness key.
func TruncateBytes(text string) string {
	for len(text) > MaxSourceLength {
		_, size := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-size]
	}
	return text
}
