package administrate

import (
	"context"
	"encoding/json"
	"fmt"
)

// errand is a mutation outside the namespace of opportunities, and is sent alone in its
// own request.
type errand struct {
	namespace string // such as "account" (documented and observed, 3.1)
	field     string // of the namespace, such as "create"
	arguments string
	result    string // the selection beside the errors
}

// ran is an errand with an answer.
type ran struct {
	errand
	doc    document
	raw    json.RawMessage // the answer to its field
	errors []topError
}

// run sends an errand. With Options.ReadOnly run sends nothing and returns a
// RejectedError.
func (c *Client) run(ctx context.Context, name string, build func(b *builder) errand) (ran, error) {
	b := newBuilder(&c.assumed)
	b.where = name
	e := build(b)
	selection := selectErrors
	if e.result != "" {
		selection += " " + e.result
	}
	b.root("%s { %s(%s) { %s } }", e.namespace, e.field, e.arguments, selection)
	doc, err := b.document("mutation", name)
	if err != nil {
		return ran{}, err
	}
	if c.readOnly {
		return ran{}, keptBack(e.field)
	}
	got, err := c.exec(ctx, doc)
	if err != nil {
		return ran{}, err
	}
	var roots map[string]map[string]json.RawMessage
	if json.Unmarshal(got.data, &roots) != nil {
		return ran{}, misshapen(doc.name)
	}
	return ran{errand: e, doc: doc, raw: roots[e.namespace][e.field], errors: got.errors}, nil
}

// payload reads the answer to the errand.
func (r ran) payload(into any) error {
	return decide(r.doc, r.field, r.raw, r.errors, 2, into)
}

// unknown returns the fate of an errand whose answer does not decide.
func (r ran) unknown(cause string) error { return reported(r.doc, r.field, cause, r.errors) }

// payloads returns the answers to an errand that takes a list: a payload for each entry
// (observed, 3.5). An answer that is not a list of the same length cannot be assigned to
// the entries. Its fate as a whole is unknown.
func (r ran) payloads(entries int) ([]json.RawMessage, error) {
	if len(r.raw) == 0 || string(r.raw) == "null" {
		return nil, r.unknown("the answer holds no result for it")
	}
	var all []json.RawMessage
	if json.Unmarshal(r.raw, &all) != nil {
		return nil, r.unknown("the answer is not of the expected form")
	}
	if len(all) != entries {
		return nil, r.unknown(fmt.Sprintf("the answer holds %d results for %d entries", len(all), entries))
	}
	return all, nil
}

// entry reads one of several payloads.
func (r ran) entry(i int, raw json.RawMessage, into any) error {
	var own []topError
	for _, e := range r.errors {
		if len(e.Path) > 2 && e.Path[2] == float64(i) {
			own = append(own, e)
		}
	}
	return decide(r.doc, r.field, raw, own, 3, into)
}

// MaxEntries is how many entries a mutation with a list takes.
const MaxEntries = 100

// several checks the length of the list for such a mutation.
func (b *builder) several(member string, entries int) {
	if entries == 0 || entries > MaxEntries {
		b.invalid(member, fmt.Sprintf("are %d; give 1 to %d", entries, MaxEntries))
	}
}
