package opportunity

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// ErrorType says what kind of failure an Error is. The types are part of the
// contract with callers.
type ErrorType string

// The types of errors.
const (
	// Invalid: the message itself is wrong; it was not put to the API.
	Invalid ErrorType = "Invalid"
	// Rejected: the API refused; label, message and value are its own words.
	Rejected ErrorType = "Rejected"
	// TransitionNotFound: the API knows no transition from the current step to the asked one.
	TransitionNotFound ErrorType = "TransitionNotFound"
	// NotFound: no opportunity, item, step, region or account of that id or name.
	NotFound ErrorType = "NotFound"
	// Conflict: the request id, or the reference, was used for something else.
	Conflict ErrorType = "Conflict"
	// Closed: the opportunity's run has ended or is ending; the message was not applied.
	Closed ErrorType = "Closed"
	// Paused: an operator paused the opportunity.
	Paused ErrorType = "Paused"
	// Continuing: the run is about to continue as new; send the message again.
	Continuing ErrorType = "Continuing"
	// Busy: too many messages wait; send the message again later.
	Busy ErrorType = "Busy"
	// Undecided: it is unknown whether the change happened; an operator must look.
	Undecided ErrorType = "Undecided"
	// Skipped: an operator decided that the request is not to be carried out.
	Skipped ErrorType = "Skipped"
)

// Error is a failure as callers see it. Label, Message and Value of a Rejected
// are the API's own, verbatim; Message is otherwise one line that says what was
// wrong, where, and what would be right.
type Error struct {
	Type    ErrorType `json:"type"`
	Label   string    `json:"label,omitempty"`
	Message string    `json:"message,omitempty"`
	Value   string    `json:"value,omitempty"`
}

// Error writes the failure as one line.
func (e *Error) Error() string {
	text := string(e.Type)
	if e.Label != "" {
		text += ": " + e.Label
	}
	if e.Message != "" {
		text += ": " + e.Message
	}
	return text
}

// Invalidf makes an Invalid error.
func Invalidf(format string, args ...any) *Error {
	return &Error{Type: Invalid, Message: fmt.Sprintf(format, args...)}
}

// Failf makes an error of the given type.
func Failf(t ErrorType, format string, args ...any) *Error {
	return &Error{Type: t, Message: fmt.Sprintf(format, args...)}
}

// quoted finds what a message quotes, with the word before it.
var quoted = regexp.MustCompile(`(\w+ )?"(?:[^"\\]|\\.)*"`)

// memberName is what the name of a member looks like, with the quote behind it.
var memberName = regexp.MustCompile(`^\w{1,40}"$`)

// masked is the error without what it quotes of a message's values; request ids,
// names of members and messages, and examples stay.
func (e *Error) masked() *Error {
	if e == nil {
		return nil
	}
	masked := *e
	masked.Message = quoted.ReplaceAllStringFunc(e.Message, func(found string) string {
		word, text, _ := strings.Cut(found, `"`)
		switch word {
		case "requestId ", "called ", "as ":
			return found
		case "member ":
			if memberName.MatchString(text) {
				return found
			}
		}
		return word + "…"
	})
	return &masked
}

// clip shortens s to at most n characters, so that an error stays one line.
func clip(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	end := 0
	for range n {
		_, size := utf8.DecodeRuneInString(s[end:])
		end += size
	}
	return string([]rune(s[:end])) + "…"
}
