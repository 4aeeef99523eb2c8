package administrate

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/oppflow/oppflow/administrate/transport"
)

// standaloneMutation is a mutation in a GraphQL namespace other than opportunities. The client
// sends a standaloneMutation as the only mutation of a request.
type standaloneMutation struct {
	namespace string // such as "account" (documented and observed, API notes 3.1)
	field     string
	arguments string
	selection string
}

type standaloneResponse struct {
	standaloneMutation
	doc    transport.Document
	raw    json.RawMessage
	errors []transport.GraphQLError
}

func (c *Client) sendStandalone(ctx context.Context, name string, build func(b *builder) standaloneMutation) (standaloneResponse, error) {
	b := newBuilder(&c.assumed)
	b.location = name
	e := build(b)
	selection := selectErrors
	if e.selection != "" {
		selection += " " + e.selection
	}
	b.root("%s { %s(%s) { %s } }", e.namespace, e.field, e.arguments, selection)
	doc, err := b.document("mutation", name)
	if err != nil {
		return standaloneResponse{}, err
	}
	if c.readOnly {
		return standaloneResponse{}, readOnlyError(e.field)
	}
	got, err := c.sendMutation(ctx, doc)
	if err != nil {
		return standaloneResponse{}, err
	}
	var roots map[string]map[string]json.RawMessage
	if json.Unmarshal(got.Data, &roots) != nil {
		return standaloneResponse{}, transport.MalformedResponse(doc.Name)
	}
	return standaloneResponse{standaloneMutation: e, doc: doc, raw: roots[e.namespace][e.field], errors: got.Errors}, nil
}

func (r standaloneResponse) decodePayload(into any) error {
	return parsePayload(r.doc, r.field, r.raw, r.errors, 2, into)
}

func (r standaloneResponse) outcomeUnknown(cause string) error {
	return transport.OutcomeUnknown(r.doc, r.field, cause, r.errors)
}

// entryPayloads expects one payload in the response for each entry of the input (observed, API
// notes 3.5).
func (r standaloneResponse) entryPayloads(entries int) ([]json.RawMessage, error) {
	if len(r.raw) == 0 || string(r.raw) == "null" {
		return nil, r.outcomeUnknown("the response contains no result for the mutation")
	}
	var all []json.RawMessage
	if json.Unmarshal(r.raw, &all) != nil {
		return nil, r.outcomeUnknown("the response does not have the expected form")
	}
	if len(all) != entries {
		return nil, r.outcomeUnknown(fmt.Sprintf("the response contains %d results for the %d entries of the request", len(all), entries))
	}
	return all, nil
}

func (r standaloneResponse) decodeEntry(i int, raw json.RawMessage, into any) error {
	var own []transport.GraphQLError
	for _, e := range r.errors {
		if len(e.Path) > 2 && e.Path[2] == float64(i) {
			own = append(own, e)
		}
	}
	return parsePayload(r.doc, r.field, raw, own, 3, into)
}

// MaxEntries is the maximum number of entries in a list of contacts, ids or e-mail addresses that
// the client sends in one request.
const MaxEntries = 100

func (b *builder) checkEntryCount(member string, entries int) {
	if entries == 0 || entries > MaxEntries {
		b.invalid(member, fmt.Sprintf("the list has %d entries; give 1 to %d entries", entries, MaxEntries))
	}
}
