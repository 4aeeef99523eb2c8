package administrate

import (
	"context"
	"encoding/json"
	"fmt"
)

// byID is the filter that the usual read of one record has (observed, 3.3). Its value is
// text, as in every filter.
func (b *builder) byID(id string) string {
	return "filters: [{field: id, operation: eq, value: " + b.required("id", "id", "String", id) + "}]"
}

// oneOf is the filter by 1 to MaxEntries values of a field (observed, 3.3).
func (b *builder) oneOf(field, member string, texts []string) string {
	b.several(member, len(texts))
	values := make([]string, len(texts))
	for i, text := range texts {
		values[i] = b.required(fmt.Sprintf("%s[%d]", member, i), field, "String", text)
	}
	return "{field: " + field + ", operation: in, values: " + list(values) + "}"
}

// page writes the arguments for a page of 100 after a cursor. The API gives 100 rows at
// most (documented, 2).
func (b *builder) page(after string) string {
	if after == "" {
		return "first: 100"
	}
	return "first: 100, after: " + b.text("after", "after", "String", after)
}

// found is a page of rows.
type found[T any] struct {
	rows  []T
	count int    // of all that match
	more  string // the cursor of the next page
}

// find sends a query of one connection and converts its rows.
func find[A, T any](
	ctx context.Context, c *Client, b *builder, name, field, arguments, selection string, turn func(A) (T, error),
) (found[T], error) {
	b.root("%s(%s) { edges { node { %s } } %s }", field, arguments, selection, selectPageInfo)
	doc, err := b.document("query", name)
	if err != nil {
		return found[T]{}, err
	}
	var roots map[string]json.RawMessage
	if err := c.read(ctx, doc, &roots); err != nil {
		return found[T]{}, err
	}
	var got *connection[A]
	if json.Unmarshal(roots[field], &got) != nil || got == nil {
		return found[T]{}, misshapen(name)
	}
	page, err := turned(*got, turn)
	if err != nil {
		return found[T]{}, misshapen(name)
	}
	return page, nil
}

// turned converts the rows of a connection.
func turned[A, T any](c connection[A], turn func(A) (T, error)) (found[T], error) {
	answers, err := c.nodes()
	if err != nil {
		return found[T]{}, err
	}
	page := found[T]{count: c.PageInfo.TotalRecords, more: c.PageInfo.more()}
	for _, a := range answers {
		row, err := turn(a)
		if err != nil {
			return found[T]{}, err
		}
		page.rows = append(page.rows, row)
	}
	return page, nil
}

// findOne reads the record with an id. It fails with NotFoundError, naming the kind of
// record, when there is none.
func findOne[A, T any](
	ctx context.Context, c *Client, b *builder, name, field, what, id, selection string, turn func(A) (T, error),
) (T, error) {
	var none T
	page, err := find(ctx, c, b, name, field, b.byID(id), selection, turn)
	switch {
	case err != nil:
		return none, err
	case len(page.rows) == 0:
		return none, &NotFoundError{What: what, ID: id}
	case len(page.rows) > 1: // more rows than an id can match
		return none, misshapen(name)
	}
	return page.rows[0], nil
}

// reference is a record with its id only, and null where there is no record.
type reference struct {
	ID string `json:"id"`
}

// identified returns an error for a record without an id.
func identified(id string) error {
	if id == "" {
		return errAnswer
	}
	return nil
}

func (r *reference) id() string {
	if r == nil {
		return ""
	}
	return r.ID
}
