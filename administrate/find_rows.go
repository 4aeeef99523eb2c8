package administrate

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/oppflow/oppflow/administrate/transport"
)

// idFilter returns a filter that selects the record with the id (observed in public code, API notes
// 3.3).
func (b *builder) idFilter(id string) string {
	return "filters: [{field: id, operation: eq, value: " + b.bindRequired("id", "id", "String", id) + "}]"
}

// inFilter returns a filter that selects the rows whose field has one of the given texts; 1 to
// MaxEntries texts are allowed (observed, API notes 3.3).
func (b *builder) inFilter(field, member string, texts []string) string {
	b.checkEntryCount(member, len(texts))
	values := make([]string, len(texts))
	for i, text := range texts {
		values[i] = b.bindRequired(fmt.Sprintf("%s[%d]", member, i), field, "String", text)
	}
	return "{field: " + field + ", operation: in, values: " + list(values) + "}"
}

// The arguments request 100 rows, because the API returns at most 100 rows in a page (documented,
// API notes 2).
func (b *builder) pageArguments(after string) string {
	if after == "" {
		return "first: 100"
	}
	return "first: 100, after: " + b.bindText("after", "after", "String", after)
}

type rowPage[T any] struct {
	rows       []T
	count      int
	nextCursor string
}

func findRows[A, T any](
	ctx context.Context, c *Client, b *builder, name, field, arguments, selection string, turn func(A) (T, error),
) (rowPage[T], error) {
	b.root("%s(%s) { edges { node { %s } } %s }", field, arguments, selection, selectPageInfo)
	doc, err := b.document("query", name)
	if err != nil {
		return rowPage[T]{}, err
	}
	var roots map[string]json.RawMessage
	if err := c.Read(ctx, doc, &roots); err != nil {
		return rowPage[T]{}, err
	}
	var got *connection[A]
	if json.Unmarshal(roots[field], &got) != nil || got == nil {
		return rowPage[T]{}, transport.MalformedResponse(name)
	}
	page, err := mapRows(*got, turn)
	if err != nil {
		return rowPage[T]{}, transport.MalformedResponse(name)
	}
	return page, nil
}

func mapRows[A, T any](c connection[A], turn func(A) (T, error)) (rowPage[T], error) {
	answers, err := c.nodes()
	if err != nil {
		return rowPage[T]{}, err
	}
	page := rowPage[T]{count: c.PageInfo.TotalRecords, nextCursor: c.PageInfo.nextCursor()}
	for _, a := range answers {
		row, err := turn(a)
		if err != nil {
			return rowPage[T]{}, err
		}
		page.rows = append(page.rows, row)
	}
	return page, nil
}

func findOne[A, T any](
	ctx context.Context, c *Client, b *builder, name, field, what, id, selection string, turn func(A) (T, error),
) (T, error) {
	var none T
	page, err := findRows(ctx, c, b, name, field, b.idFilter(id), selection, turn)
	switch {
	case err != nil:
		return none, err
	case len(page.rows) == 0:
		return none, &NotFoundError{RecordKind: what, ID: id}
	case len(page.rows) > 1: // the API returned more than one row for the id
		return none, transport.MalformedResponse(name)
	}
	return page.rows[0], nil
}

type idRef struct {
	ID string `json:"id"`
}

func requireID(id string) error {
	if id == "" {
		return transport.ErrMalformedValue
	}
	return nil
}

func (r *idRef) id() string {
	if r == nil {
		return ""
	}
	return r.ID
}
