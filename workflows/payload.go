package workflows

import (
	"bytes"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/opportunity"
)

// The worker replaces two kinds of payloads before the run receives a message. These are the
// encodings of the replacements.
const (
	// EncodingTooLarge marks the replacement of all payloads of an update that was too large for the
	// response to a workflow task.
	EncodingTooLarge = "oppflow/too-large"
	// EncodingExternalStorage marks the replacement of a reference to a payload in external storage.
	EncodingExternalStorage = "oppflow/elsewhere"
)

// messagePayload is the content of a message: its first payload, and whether there are more payloads.
type messagePayload struct {
	raw     converter.RawValue
	hasMore bool
}

func newMessagePayload(raw, second converter.RawValue) messagePayload {
	return messagePayload{raw: raw, hasMore: second.Payload() != nil}
}

// isGiven reports whether the message has a payload. A payload null counts as a payload.
func (s messagePayload) isGiven() bool { return s.hasMore || s.raw.Payload() != nil }

// isEmpty reports whether the message has no payload, or only the payload null.
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

func (s messagePayload) json() ([]byte, error) {
	if s.hasMore {
		return nil, opportunity.Invalidf("more than one payload; one JSON object is expected, such as {…}")
	}
	return payloadJSON(s.raw)
}

// requestID returns the request id of a message that is not valid, or "" when the id cannot be
// read.
func (s messagePayload) requestID() string {
	payload, err := payloadJSON(s.raw)
	if err != nil {
		return ""
	}
	return opportunity.RequestIDIn(payload)
}

// readPayload reads a payload of the given type strictly. If the type requires no member, a missing
// payload counts as an object without members.
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

func readMessage(name opportunity.MessageName, s messagePayload) (opportunity.Message, error) {
	if s.isEmpty() {
		if m, err := decodeMessage(name, []byte(`{}`)); err == nil {
			return m, nil
		}
	}
	payload, err := s.json()
	if err != nil {
		return nil, err
	}
	return decodeMessage(name, payload)
}

func decodeMessage(name opportunity.MessageName, payload []byte) (opportunity.Message, error) {
	if opportunity.IsOperatorCommand(name) {
		return opportunity.DecodeOperatorCommand(name, payload)
	}
	return opportunity.Decode(name, payload)
}

// readMessageByVersion reads a message with readMessage. For a run that began in an earlier
// release, readMessageByVersion keeps the behaviour of the earlier release.
func readMessageByVersion(ctx workflow.Context, name opportunity.MessageName, s messagePayload) (opportunity.Message, error) {
	m, err := readMessage(name, s)
	if err == nil && !s.isEmpty() {
		return m, nil
	}
	was, refused := readMessageLoosely(name, s)
	if (refused == nil) == (err == nil) || workflow.GetVersion(ctx, changeStrictMessages, workflow.DefaultVersion, 1) != workflow.DefaultVersion {
		return m, err
	}
	return was, refused
}

// readMessageLoosely reads a message as earlier releases did. If a message has several payloads,
// readMessageLoosely reads only the first payload.
func readMessageLoosely(name opportunity.MessageName, s messagePayload) (opportunity.Message, error) {
	payload, err := payloadJSON(s.raw)
	if err != nil {
		return nil, err
	}
	return opportunity.DecodeLoose(name, payload)
}
