package opportunity

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// MessageName is the name of a message, the same for the signal and the update.
type MessageName string

// These are the names of the commands, which change the record in the TMS.
const (
	MessageAddInterests       MessageName = "addInterests"
	MessageProgress           MessageName = "progress"
	MessageUpdateDetails      MessageName = "updateDetails"
	MessageExtendReservations MessageName = "extendReservations"
)

// Message is what a caller or an operator sends to an opportunity.
type Message interface {
	// MessageName returns the name of the message.
	MessageName() MessageName
	// GetRequestID returns the caller's request id, or "".
	GetRequestID() string
	// Validate reports the first mistake of the message as an Invalid error.
	Validate() error
}

// Command is a message that requests a change of the record. Commands are carried out one after
// the other.
type Command interface {
	Message
	// WithRequestID returns the same command under another request id.
	WithRequestID(id string) Command
}

// AddInterests adds interests to the record, in order.
type AddInterests struct {
	RequestID string `json:"requestId,omitempty"`
	// Source is the name of the sender for fair scheduling; a source has at most 64 bytes and
	// contains no personal data.
	Source    string    `json:"source,omitempty"`
	Interests Interests `json:"interests"`
}

// Progress moves the opportunity to another step over a transition of the TMS.
type Progress struct {
	RequestID string `json:"requestId,omitempty"`
	// Source is the name of the sender for fair scheduling; a source has at most 64 bytes and
	// contains no personal data.
	Source string `json:"source,omitempty"`
	// To is the name or the id of the step to which the opportunity moves.
	To string `json:"to" text:"required"`
}

// UpdateDetails changes details of the record; a detail whose member is empty stays unchanged.
type UpdateDetails struct {
	RequestID string `json:"requestId,omitempty"`
	// Source is the name of the sender for fair scheduling; a source has at most 64 bytes and
	// contains no personal data.
	Source string `json:"source,omitempty"`
	Name   string `json:"name,omitempty" text:"optional"`
	// Account is the name or the id of the account.
	Account string `json:"account,omitempty" text:"optional"`
	// Currency is the code or the name of the currency.
	Currency string `json:"currency,omitempty" text:"optional"`
}

// ExtendReservations sets another expiry time, earlier or later, for all reserved places of the
// opportunity. An expired reservation stays expired.
type ExtendReservations struct {
	RequestID string `json:"requestId,omitempty"`
	// Source is the name of the sender for fair scheduling; a source has at most 64 bytes and
	// contains no personal data.
	Source string `json:"source,omitempty"`
	// Until is the expiry time of the reservation, and must lie in the future.
	Until time.Time `json:"until"`
}

// MessageName implements Command.
func (AddInterests) MessageName() MessageName { return MessageAddInterests }

// MessageName implements Command.
func (Progress) MessageName() MessageName { return MessageProgress }

// MessageName implements Command.
func (UpdateDetails) MessageName() MessageName { return MessageUpdateDetails }

// MessageName implements Command.
func (ExtendReservations) MessageName() MessageName { return MessageExtendReservations }

// GetRequestID implements Command.
func (c AddInterests) GetRequestID() string { return c.RequestID }

// GetRequestID implements Command.
func (c Progress) GetRequestID() string { return c.RequestID }

// GetRequestID implements Command.
func (c UpdateDetails) GetRequestID() string { return c.RequestID }

// GetRequestID implements Command.
func (c ExtendReservations) GetRequestID() string { return c.RequestID }

// WithRequestID implements Command.
func (c AddInterests) WithRequestID(id string) Command { c.RequestID = id; return c }

// WithRequestID implements Command.
func (c Progress) WithRequestID(id string) Command { c.RequestID = id; return c }

// WithRequestID implements Command.
func (c UpdateDetails) WithRequestID(id string) Command { c.RequestID = id; return c }

// WithRequestID implements Command.
func (c ExtendReservations) WithRequestID(id string) Command { c.RequestID = id; return c }

// Validate implements Command.
func (c AddInterests) Validate() error {
	if err := validateHeader(c.RequestID, c.Source); err != nil {
		return err
	}
	if len(c.Interests) == 0 {
		return Invalidf("interests: the list is empty; give at least one interest")
	}
	return c.Interests.validate()
}

// Validate implements Command.
func (c Progress) Validate() error {
	if err := validateMembers(c); err != nil {
		return err
	}
	return validateIDType("to", c.To, TypeStep, "a step")
}

// Validate implements Command.
func (c UpdateDetails) Validate() error {
	if err := validateHeader(c.RequestID, c.Source); err != nil {
		return err
	}
	if c.Name == "" && c.Account == "" && c.Currency == "" {
		return Invalidf("nothing to update: give name, account or currency")
	}
	for _, field := range []struct{ member, value string }{{"name", c.Name}, {"account", c.Account}, {"currency", c.Currency}} {
		if field.value == "" {
			continue
		}
		if err := validateText(field.member, field.value); err != nil {
			return err
		}
	}
	return validateIDType("account", c.Account, TypeAccount, "an account")
}

// Validate implements Command. Package entity checks whether Until is in the future, because
// Validate does not know the time.
func (c ExtendReservations) Validate() error {
	if err := validateHeader(c.RequestID, c.Source); err != nil {
		return err
	}
	if c.Until.IsZero() {
		return Invalidf("until: missing; give the new expiry time of the reservation, such as 2026-12-31T17:00:00Z")
	}
	if year := c.Until.UTC().Year(); year < 1 || year > 9999 {
		return Invalidf("until: the year must have four digits")
	}
	return nil
}

// ValidateRequestID reports what is wrong with a caller's request id. Only Oppflow may use ids
// that start with "#".
func ValidateRequestID(id string) error {
	switch {
	case id == "":
		return nil
	case len(id) > MaxRequestIDLength:
		return Invalidf("requestId: the value has %d bytes; the limit is %d bytes", len(id), MaxRequestIDLength)
	case strings.HasPrefix(id, "#"):
		return Invalidf(`requestId: starts with "#"; only Oppflow itself generates such ids`)
	case !utf8.ValidString(id) || strings.ContainsFunc(id, func(c rune) bool { return !unicode.IsPrint(c) }):
		return Invalidf("requestId: the value contains a character that cannot be printed")
	}
	return nil
}

// Summary describes the command in a few words without personal data.
func Summary(c Command) string {
	switch c := c.(type) {
	case AddInterests:
		return SummaryOfInterests(len(c.Interests))
	case Progress:
		return "progress to " + Truncate(c.To, 40)
	case UpdateDetails:
		var fields []string
		for _, f := range []struct{ name, value string }{{"name", c.Name}, {"account", c.Account}, {"currency", c.Currency}} {
			if f.value != "" {
				fields = append(fields, f.name)
			}
		}
		return "update " + strings.Join(fields, ", ")
	case ExtendReservations:
		return "reserve the places until " + c.Until.UTC().Format(time.RFC3339)
	}
	return string(c.MessageName())
}

// SummaryOfInterests returns the summary of a request that adds count interests.
func SummaryOfInterests(count int) string {
	if count == 1 {
		return "add 1 interest"
	}
	return fmt.Sprintf("add %d interests", count)
}
