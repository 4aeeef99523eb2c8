package opportunity

import (
	"reflect"
	"slices"
	"strings"
)

// MessageType describes one message, which can be sent as a signal or as an update.
type MessageType struct {
	Name              MessageName
	IsOperatorCommand bool
	// Empty is a message of this type without values; its Go type describes the JSON object of the
	// message.
	Empty Message
	// Description is the text that the Web UI shows beside the name of the message, with an example
	// of the JSON object.
	Description string
	// Help is one line that says what the message does, for the command line.
	Help string

	decode func(payload []byte, how decoding) (Message, error)
}

// MessageTypes returns the descriptions of all messages that are signals and updates.
func MessageTypes() []MessageType {
	return []MessageType{
		commandType[AddInterests](
			"Add a course, an event, a learning path or training tokens to an opportunity",
			`Add interests: {"interests":[{"item":"<id>","quantity":1,"unitAmount":"199.90","reserve":true,`+
				`"learners":[{"firstName":"…","lastName":"…","email":"…"}]}],"requestId":"<optional>"}`),
		commandType[Progress](
			"Progress an opportunity to another step",
			`Progress to another step: {"to":"<name or id of the step>","requestId":"<optional>"}`),
		commandType[UpdateDetails](
			"Set the name, account or currency of an opportunity",
			`Set details: {"name":"…","account":"<name or id>","currency":"USD","requestId":"<optional>"}; leave out what stays unchanged`),
		commandType[ExtendReservations](
			"Set another expiry time for an opportunity's reservation",
			`Set another expiry time for all reserved places: {"until":"2026-12-31T17:00:00Z","requestId":"<optional>"}`),
		operatorCommandType[Pause](
			"Pause an opportunity: send nothing to the TMS until resume",
			`Operators: send nothing to the TMS until resume; signals wait, updates are rejected: {"reason":"<optional>"}`),
		operatorCommandType[Resume](
			"Resume a paused opportunity",
			`Operators: resume after a pause: {}`),
		operatorCommandType[Retry](
			"Answer a question: the request was not carried out; send the request again",
			`Operators: answer a question: the request was not carried out; send the request again: {"request":"<id>"}`),
		operatorCommandType[Confirm](
			"Answer a question: the request was carried out; continue with the next request",
			`Operators: answer a question: the request was carried out; continue with the next request: {"request":"<id>"}`),
		operatorCommandType[Skip](
			"Answer a question: drop the request",
			`Operators: answer a question: drop the request: {"request":"<id>","reason":"…"}`),
		operatorCommandType[Acknowledge](
			"Remove attention that needs no other answer, such as a failed request",
			`Operators: remove attention that needs no other answer: {"request":"<request of the attention>","kind":"<optional>"}`),
		operatorCommandType[Refresh](
			"Read an opportunity's record again from the TMS",
			`Operators: read the record again from the TMS, and end a wait for the API: {}`),
		operatorCommandType[Snooze](
			"Postpone a planned follow-up until a time",
			`Operators: postpone a planned follow-up until a time: {"followUp":"<key>","until":"2026-12-31T17:00:00Z","reason":"<optional>"}`),
		operatorCommandType[CancelFollowUp](
			"Cancel a planned follow-up permanently",
			`Operators: cancel a planned follow-up permanently: {"followUp":"<key>","reason":"…"}`),
		operatorCommandType[Close](
			"End the run of an opportunity; its step in the TMS stays unchanged",
			`Operators: end this run; waiting requests fail, places are released, the step stays unchanged: {"reason":"…"}`),
	}
}

// MessageTypeOf returns the description of the message; ok is false for an unknown name.
func MessageTypeOf(name MessageName) (_ MessageType, ok bool) {
	types := MessageTypes()
	at := slices.IndexFunc(types, func(t MessageType) bool { return t.Name == name })
	if at < 0 {
		return MessageType{}, false
	}
	return types[at], true
}

// MessageNames returns the names of all messages that are signals and updates.
func MessageNames() []MessageName {
	var names []MessageName
	for _, t := range MessageTypes() {
		names = append(names, t.Name)
	}
	return names
}

// IsOperatorCommand reports whether the name is the name of an operator command.
func IsOperatorCommand(name MessageName) bool {
	t, _ := MessageTypeOf(name)
	return t.IsOperatorCommand
}

type decoding bool

const (
	strictDecoding decoding = false
	looseDecoding  decoding = true
)

func commandType[C Command](help, description string) MessageType {
	var empty C
	return MessageType{
		Name: empty.MessageName(), Empty: empty, Help: help, Description: description,
		decode: func(payload []byte, how decoding) (Message, error) {
			var c C
			if err := decodeStrict(payload, &c); err != nil {
				return nil, err
			}
			if err := c.Validate(); err != nil {
				return nil, err
			}
			if how == strictDecoding {
				if err := checkMembers(payload, reflect.TypeFor[C]()); err != nil {
					return nil, err
				}
			}
			return c, nil
		},
	}
}

func operatorCommandType[C OperatorCommand](help, description string) MessageType {
	var empty C
	return MessageType{
		Name: empty.MessageName(), IsOperatorCommand: true, Empty: empty, Help: help, Description: description,
		decode: func(payload []byte, how decoding) (Message, error) {
			var c C
			var err error
			if how == looseDecoding {
				if err = decodeStrict(payload, &c); err == nil {
					err = c.Validate()
				}
			} else {
				c, err = DecodeStrict[C](payload)
			}
			if err != nil {
				return nil, err
			}
			return c, nil
		},
	}
}

func unknownMessage(name MessageName) error {
	var known []string
	for _, n := range MessageNames() {
		known = append(known, string(n))
	}
	return Invalidf("there is no message called %s; the messages are %s", RedactedName(name), strings.Join(known, ", "))
}
