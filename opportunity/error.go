package opportunity

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// ErrorType is the kind of an Error. The error types are part of the contract with callers.
type ErrorType string

// The types of errors.
const (
	// Invalid: the message itself is wrong; the API never received the message.
	Invalid ErrorType = "Invalid"
	// Rejected: the API or Oppflow rejected the change. When the API rejected the change, Label,
	// Message and Value are the texts of the API.
	Rejected ErrorType = "Rejected"
	// TransitionNotFound: the API has no transition from the current step to the requested
	// step.
	TransitionNotFound ErrorType = "TransitionNotFound"
	// NotFound: no opportunity, request, item, step, region or account has the given id or name.
	NotFound ErrorType = "NotFound"
	// Conflict: the request id was already used for a different message, or the reference was
	// already used for a different start.
	Conflict ErrorType = "Conflict"
	// Closed: the opportunity's run has ended or is ending; the message was not applied.
	Closed ErrorType = "Closed"
	// Paused: an operator paused the opportunity.
	Paused ErrorType = "Paused"
	// Continuing: the run is about to continue as new; send the message again.
	Continuing ErrorType = "Continuing"
	// Busy: too many messages wait; send the message again later.
	Busy ErrorType = "Busy"
	// Undecided: it is unknown whether the change was made; an operator must check the record.
	Undecided ErrorType = "Undecided"
	// Skipped: an operator decided not to carry the request out.
	Skipped ErrorType = "Skipped"
)

// Error is an error in the form in which callers receive it. In an error of the API, Label, Message
// and Value are the texts of the API. The Message of any other error is one line that says what is
// wrong, where it is wrong, and what would be right.
type Error struct {
	Type    ErrorType `json:"type"`
	Label   string    `json:"label,omitempty"`
	Message string    `json:"message,omitempty"`
	Value   string    `json:"value,omitempty"`
}

// Error returns the error as one line of text.
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

// Invalidf returns an Invalid error.
func Invalidf(format string, args ...any) *Error {
	return &Error{Type: Invalid, Message: fmt.Sprintf(format, args...)}
}

// Failf returns an error of the given type.
func Failf(t ErrorType, format string, args ...any) *Error {
	return &Error{Type: t, Message: fmt.Sprintf(format, args...)}
}

// quotedPattern matches a quoted text in a message, with the word before the quote.
var quotedPattern = regexp.MustCompile(`(\w+ )?"(?:[^"\\]|\\.)*"`)

var memberNamePattern = regexp.MustCompile(`^\w{1,40}"$`)

// Redacted returns the error without the caller's values that Message quotes. Redacted keeps quoted
// request ids, quoted names of members and messages, and quoted examples.
func (e *Error) Redacted() *Error {
	if e == nil {
		return nil
	}
	masked := *e
	masked.Message = quotedPattern.ReplaceAllStringFunc(e.Message, func(found string) string {
		word, text, _ := strings.Cut(found, `"`)
		switch word {
		case "requestId ", "called ", "as ":
			return found
		case "member ":
			if memberNamePattern.MatchString(text) {
				return found
			}
		}
		return word + "…"
	})
	return &masked
}

// Truncate returns s, or the first n characters of s and an ellipsis when s is longer than n
// characters.
func Truncate(s string, n int) string {
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

// PublicText returns the part of an error that names no person.
func (e *Error) PublicText() string {
	if e == nil {
		return "no reason given"
	}
	if e.Label != "" {
		return Truncate(e.Label, MaxErrorLabel)
	}
	return string(e.Type)
}

// Truncated returns the error with its texts shortened to the limits of an outcome.
func (e *Error) Truncated() *Error {
	if e == nil {
		return nil
	}
	return &Error{Type: e.Type, Label: Truncate(e.Label, MaxErrorLabel), Message: Truncate(e.Message, MaxErrorMessage), Value: Truncate(e.Value, MaxErrorLabel)}
}

// OperatorText returns the text of an error for an operator. For an error of Oppflow, the text is
// the error's message. For an error of the API, the text is only the error's label, because the
// message of the API may name people.
func (e *Error) OperatorText() string {
	if e == nil || e.Label != "" || e.Message == "" {
		return e.PublicText()
	}
	return Truncate(e.Message, MaxErrorMessage)
}
