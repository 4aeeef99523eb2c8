// Package connection implements the pages of the API: edges with positional cursors, page info, and
// the requested window. The package does not depend on a database or a GraphQL server.
package connection

import (
	"context"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
)

// The sizes of a page: documented.
const (
	DefaultSize = 50
	MaximumSize = 100
)

// Window is the requested part of a list.
type Window struct {
	Offset int
	Limit  int
}

// NewWindow reads the arguments of a connection. Without first, the window has DefaultSize rows. A
// first above MaximumSize is silently reduced to it (documented). A request may have offset or
// after, not both. The API returns the errors of NewWindow to its caller.
func NewWindow(first, offset *int32, after *string) (Window, error) {
	w := Window{Limit: DefaultSize}
	if first != nil {
		if *first < 0 {
			return w, fmt.Errorf("the argument first is %d, but must not be negative", *first)
		}
		w.Limit = int(min(*first, MaximumSize))
	}
	if offset != nil && after != nil {
		return w, fmt.Errorf("the arguments offset and after exclude each other; use only one of the two arguments")
	}
	if offset != nil {
		if *offset < 0 {
			return w, fmt.Errorf("the argument offset is %d, but must not be negative", *offset)
		}
		w.Offset = int(*offset)
	}
	if after != nil {
		n, err := ParseCursor(*after)
		if err != nil {
			return w, err
		}
		w.Offset = n + 1
	}
	return w, nil
}

const cursorPrefix = "Cursor:"

// Cursor returns the cursor of a zero-based position. A cursor is only a position (documented
// form). If a row before it is added or removed, the cursor names another row.
func Cursor(position int) string {
	return base64.StdEncoding.EncodeToString([]byte(cursorPrefix + strconv.Itoa(position)))
}

// ParseCursor reads a cursor that Cursor wrote.
func ParseCursor(s string) (int, error) {
	raw, err := base64.StdEncoding.Strict().DecodeString(s)
	if err == nil {
		if digits, ok := strings.CutPrefix(string(raw), cursorPrefix); ok {
			n, err := strconv.ParseInt(digits, 10, 32)
			if err == nil && n >= 0 && strconv.FormatInt(n, 10) == digits {
				return int(n), nil
			}
		}
	}
	return 0, fmt.Errorf("the argument after is %q, which is not a cursor of this API", s)
}

// Page is one page of a list.
type Page[T any] struct {
	offset int
	rows   []T
	more   bool
	count  func(context.Context) (int, error)
}

// NewPage makes a page of the rows found for w. rows may contain one row more than requested; this row shows that
// there are more. count is called only if the total is requested.
func NewPage[T any](w Window, rows []T, count func(context.Context) (int, error)) *Page[T] {
	p := &Page[T]{offset: w.Offset, rows: rows, count: count}
	if len(rows) > w.Limit {
		p.rows, p.more = rows[:w.Limit], true
	}
	return p
}

// Rows returns the rows of this page.
func (p *Page[T]) Rows() []T { return p.rows }

// Edges returns the rows with their cursors.
func (p *Page[T]) Edges() []*Edge[T] {
	edges := make([]*Edge[T], len(p.rows))
	for i := range p.rows {
		edges[i] = &Edge[T]{Cursor: Cursor(p.offset + i), Node: &p.rows[i]}
	}
	return edges
}

// PageInfo returns the position of the page in its list.
func (p *Page[T]) PageInfo() *Info {
	info := &Info{HasNextPage: p.more, HasPreviousPage: p.offset > 0, count: p.count}
	if n := len(p.rows); n > 0 {
		first, last := Cursor(p.offset), Cursor(p.offset+n-1)
		info.StartCursor, info.EndCursor = &first, &last
	}
	return info
}

// Edge is a row and its cursor.
type Edge[T any] struct {
	Cursor string
	Node   *T
}

// Info is the position of a page in its list. The cursors of an empty page are nil.
type Info struct {
	HasNextPage     bool
	HasPreviousPage bool
	StartCursor     *string
	EndCursor       *string
	count           func(context.Context) (int, error)
}

// TotalRecords returns the number of rows of the whole list.
func (i *Info) TotalRecords(ctx context.Context) (int, error) { return i.count(ctx) }
