package workflows

import (
	"bytes"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/opportunity"
)

// Encodings of payloads that the worker puts in the place of other payloads.
const (
	// EncodingTooLarge replaces all payloads of an update that were too large for the response to a
	// workflow task.
	EncodingTooLarge = "oppflow/too-large"
	// EncodingElsewhere replaces a reference to a payload that is kept elsewhere.
	EncodingElsewhere = "oppflow/elsewhere"
)

// sent is the content of a message: its first payload, and whether there are more payloads.
type sent struct {
	raw  converter.RawValue
	more bool
}

// sentWith returns the content that came in the two arguments of a handler.
func sentWith(raw, second converter.RawValue) sent {
	return sent{raw: raw, more: second.Payload() != nil}
}

// isEmpty reports whether the message has no payload, or only null.
func (s sent) isEmpty() bool {
	payload := s.raw.Payload()
	if s.more || payload == nil {
		return !s.more
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
func (s sent) json() ([]byte, error) {
	if s.more {
		return nil, opportunity.Invalidf("more than one payload; one JSON object is wanted, such as {…}")
	}
	return typedJSON(s.raw)
}

// requestID returns the request id of a message that cannot be read, "" when the id cannot be read
// either.
func (s sent) requestID() string {
	payload, err := typedJSON(s.raw)
	if err != nil {
		return ""
	}
	return opportunity.RequestIDIn(payload)
}

// readPlain reads a payload of the given type strictly. When the type requires no member, no
// payload counts as an object without members.
func readPlain[A interface{ Validate() error }](s sent) (A, error) {
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

// readMessage is readPlain for a message of any kind.
func readMessage(verb opportunity.Verb, s sent) (opportunity.Message, error) {
	if s.isEmpty() {
		if m, err := decode(verb, []byte(`{}`)); err == nil {
			return m, nil
		}
	}
	payload, err := s.json()
	if err != nil {
		return nil, err
	}
	return decode(verb, payload)
}

func decode(verb opportunity.Verb, payload []byte) (opportunity.Message, error) {
	if opportunity.IsInstruction(verb) {
		return opportunity.DecodeInstruction(verb, payload)
	}
	return opportunity.Decode(verb, payload)
}

// message is readMessage for a run that may have accepted such a message in an earlier release.
// That run goes on reading such messages as the earlier release did.
func message(ctx workflow.Context, verb opportunity.Verb, s sent) (opportunity.Message, error) {
	m, err := readMessage(verb, s)
	if err == nil && !s.isEmpty() {
		return m, nil
	}
	was, refused := looseMessage(verb, s)
	if (refused == nil) == (err == nil) || workflow.GetVersion(ctx, changeStrictMessages, workflow.DefaultVersion, 1) != workflow.DefaultVersion {
		return m, err
	}
	return was, refused
}

// looseMessage reads a message as earlier releases did: it reads the first of several payloads.
func looseMessage(verb opportunity.Verb, s sent) (opportunity.Message, error) {
	payload, err := typedJSON(s.raw)
	if err != nil {
		return nil, err
	}
	return opportunity.DecodeLoose(verb, payload)
}
