package workflows

import (
	"bytes"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/opportunity"
)

// Encodings of payloads that the worker puts in the place of others.
const (
	// EncodingTooLarge stands in an update for all that came with it, where that was
	// too large for the answer to a workflow task.
	EncodingTooLarge = "oppflow/too-large"
	// EncodingElsewhere stands for a reference to a payload that is kept elsewhere.
	EncodingElsewhere = "oppflow/elsewhere"
)

// sent is what came with a message: its first payload, and whether there are
// others.
type sent struct {
	raw  converter.RawValue
	more bool
}

// sentWith is what came in the two arguments of a handler.
func sentWith(raw, second converter.RawValue) sent {
	return sent{raw: raw, more: second.Payload() != nil}
}

// isEmpty reports whether nothing came, or null.
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

// json takes the JSON out of the one payload.
func (s sent) json() ([]byte, error) {
	if s.more {
		return nil, opportunity.Invalidf("more than one payload; one JSON object is wanted, such as {…}")
	}
	return typedJSON(s.raw)
}

// requestID is that of a message which cannot be read, "" where it cannot be told.
func (s sent) requestID() string {
	payload, err := typedJSON(s.raw)
	if err != nil {
		return ""
	}
	return opportunity.RequestIDIn(payload)
}

// readPlain reads a payload of the given type strictly. Where the type wants no
// member, nothing stands for an object without members.
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

// message is readMessage in a run that may have taken in a message of the kind in
// an earlier release, and then goes on reading such messages as it did.
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

// looseMessage reads a message as earlier releases did: of several payloads the
// first.
func looseMessage(verb opportunity.Verb, s sent) (opportunity.Message, error) {
	payload, err := typedJSON(s.raw)
	if err != nil {
		return nil, err
	}
	return opportunity.DecodeLoose(verb, payload)
}
