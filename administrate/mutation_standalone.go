package administrate

import (
	"context"
	"encoding/json"
	"fmt"
)

// standaloneMutation is a mutation outside the namespace of opportunities, and is sent alone in its
// own request.
type standaloneMutation struct {
	namespace string // such as "account" (documented and observed, 3.1)
	field     string // of the namespace, such as "create"
	arguments string
	selection string // the selection beside the errors
}

// standaloneResponse is an errand with an answer.
type standaloneResponse struct {
	standaloneMutation
	doc    document
	raw    json.RawMessage // the answer to its field
	errors []topLevelError
}

// sendStandalone sends an errand. With Options.ReadOnly run sends nothing and returns a
// RejectedError.
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
	got, err := c.execute(ctx, doc)
	if err != nil {
		return standaloneResponse{}, err
	}
	var roots map[string]map[string]json.RawMessage
	if json.Unmarshal(got.data, &roots) != nil {
		return standaloneResponse{}, malformedResponse(doc.name)
	}
	return standaloneResponse{standaloneMutation: e, doc: doc, raw: roots[e.namespace][e.field], errors: got.errors}, nil
}

// decodePayload reads the answer to the errand.
func (r standaloneResponse) decodePayload(into any) error {
	return parsePayload(r.doc, r.field, r.raw, r.errors, 2, into)
}

// outcomeUnknown returns the fate of an errand whose answer does not decide.
func (r standaloneResponse) outcomeUnknown(cause string) error {
	return outcomeUnknown(r.doc, r.field, cause, r.errors)
}

// entryPayloads returns the answers to an errand that takes a list: a payload for each entry
// (observed, 3.5). An answer that is not a list of the same length cannot be assigned to
// the entries. Its fate as a whole is unknown.
func (r standaloneResponse) entryPayloads(entries int) ([]json.RawMessage, error) {
	if len(r.raw) == 0 || string(r.raw) == "null" {
		return nil, r.outcomeUnknown("the answer holds no result for it")
	}
	var all []json.RawMessage
	if json.Unmarshal(r.raw, &all) != nil {
		return nil, r.outcomeUnknown("the answer is not of the expected form")
	}
	if len(all) != entries {
		return nil, r.outcomeUnknown(fmt.Sprintf("the answer holds %d results for %d entries", len(all), entries))
	}
	return all, nil
}

// decodeEntry reads one of several payloads.
func (r standaloneResponse) decodeEntry(i int, raw json.RawMessage, into any) error {
	var own []topLevelError
	for _, e := range r.errors {
		if len(e.Path) > 2 && e.Path[2] == float64(i) {
			own = append(own, e)
		}
	}
	return parsePayload(r.doc, r.field, raw, own, 3, into)
}

// MaxEntries is how many entries a mutation with a list takes.
const MaxEntries = 100

// checkEntryCount checks the length of the list for such a mutation.
func (b *builder) checkEntryCount(member string, entries int) {
	if entries == 0 || entries > MaxEntries {
		b.invalid(member, fmt.Sprintf("are %d; give 1 to %d", entries, MaxEntries))
	}
}
