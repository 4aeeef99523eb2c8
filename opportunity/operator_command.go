package opportunity

import (
	"reflect"
	"strings"
)

// OperatorCommand is a message of an operator that takes effect at once, before the commands that
// wait.
type OperatorCommand interface {
	Message
	// WithRequestID returns the same operator command under another request id.
	WithRequestID(id string) OperatorCommand
}

// TextRule says whether the sender of a message must set a text member. The struct tag of the field
// contains the rule: text:"required" or text:"optional".
type TextRule string

// The two rules.
const (
	RequiredText TextRule = "required"
	OptionalText TextRule = "optional"
)

// TextRules returns the rule of each text member of a message type, by the name of the member.
func TextRules(t reflect.Type) map[string]TextRule {
	rules := map[string]TextRule{}
	for field := range t.Fields() {
		if rule := field.Tag.Get("text"); rule != "" {
			member, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			rules[member] = TextRule(rule)
		}
	}
	return rules
}

// validateMembers checks the members that every message may have, and the text members that have a
// TextRule.
func validateMembers(m Message) error {
	if err := validateHeader(m.GetRequestID(), SourceOf(m)); err != nil {
		return err
	}
	value := reflect.ValueOf(m)
	for field := range value.Type().Fields() {
		rule, text := TextRule(field.Tag.Get("text")), value.FieldByIndex(field.Index).String()
		if rule == "" || rule == OptionalText && text == "" {
			continue
		}
		member, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if err := validateText(member, text); err != nil {
			return err
		}
	}
	return nil
}
