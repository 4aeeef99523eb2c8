package workflows

import (
	"bytes"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/opportunity"
)

// Encodings of payloads with which the worker replaces other payloads.
const (
	// EncodingTooLarge replaces all payloads of an update that were too large for the response to a
	// workflow task.
	EncodingTooLarge = "oppflow/too-large"
	// EncodingExternalStorage replaces a reference to a payload in external storage.
	EncodingExternalStorage = "oppflow/elsewhere"
)

// messagePayload is the content of a message: its first payload, and whether there are more payloads.
type messagePayload struct {
	raw     converter.RawValue
	hasMore bool
}

// newMessagePayload returns the content from the two arguments of a handler.
func newMessagePayload(raw, second converter.RawValue) messagePayload {
	return messagePayload{raw: raw, hasMore: second.Payload() != nil}
}

// isGiven reports whether the message has a payload, null included.
func (s messagePayload) isGiven() bool { return s.hasMore || s.raw.Payload() != nil }

// isEmpty reports whether the message has no payload, or only null.
func (s messagePayload) isEmpty() bool {
	payload := s.raw.Payload()
	if s.hasMore || payload == nil {
		return !s.hasMore
	}
	switch string(payload.GetMetadata()[converter.MetadataEncoding]) {
	case converter.MetadataEncodingNil:
		return true
	case converter.MetadataEncodingJSON:
		return string(bytes.TrimSpace(payload.GetData())) == "null"
	}
	return false
}

// json returns the JSON of the only payload.
func (s messagePayload) json() ([]byte, error) {
	if s.hasMore {
		return nil, opportunity.Invalidf("more than one payload; one JSON object is expected, such as {…}")
	}
	return payloadJSON(s.raw)
}

// requestID returns the request id of a message that is not valid, "" when there is no readable id
// either.
func (s messagePayload) requestID() string {
	payload, err := payloadJSON(s.raw)
	if err != nil {
		return ""
	}
	return opportunity.RequestIDIn(payload)
}

// readPayload reads a payload of the given type strictly. When the type requires no member, a
// missing payload counts as an object without members.
func readPayload[A interface{ Validate() error }](s messagePayload) (A, error) {
	if s.isEmpty() {
		if a, err := opportunity.DecodeStrict[A]([]byte(`{}`)); err == nil {
			return a, nil
		}
	}
	payload, err := s.json()
	if err != nil {
		var none A
		return none, err
	}
	return opportunity.DecodeStrict[A](payload)
}

// readMessage is readPayload for a message of any name.
func readMessage(verb opportunity.MessageName, s messagePayload) (opportunity.Message, error) {
	if s.isEmpty() {
		if m, err := decodeMessage(verb, []byte(`{}`)); err == nil {
			return m, nil
		}
	}
	payload, err := s.json()
	if err != nil {
		return nil, err
	}
	return decodeMessage(verb, payload)
}

func decodeMessage(verb opportunity.MessageName, payload []byte) (opportunity.Message, error) {
	if opportunity.IsOperatorCommand(verb) {
		return opportunity.DecodeOperatorCommand(verb, payload)
	}
	return opportunity.Decode(verb, payload)
}

// readMessageByVersion is readMessage for a run that may have accepted such a message in an earlier
// release. That run still reads such messages as the earlier release did.
func readMessageByVersion(ctx workflow.Context, verb opportunity.MessageName, s messagePayload) (opportunity.Message, error) {
	m, err := readMessage(verb, s)
	if err == nil && !s.isEmpty() {
		return m, nil
	}
	was, refused := readMessageLoosely(verb, s)
	if (refused == nil) == (err == nil) || workflow.GetVersion(ctx, changeStrictMessages, workflow.DefaultVersion, 1) != workflow.DefaultVersion {
		return m, err
	}
	return was, refused
}

// readMessageLoosely reads a message as earlier releases did: it reads the first of several payloads.
func readMessageLoosely(verb opportunity.MessageName, s messagePayload) (opportunity.Message, error) {
	payload, err := payloadJSON(s.raw)
	if err != nil {
		return nil, err
	}
	return opportunity.DecodeLoose(verb, payload)
}
