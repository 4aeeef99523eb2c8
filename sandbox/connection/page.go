// Package connection implements the pages of lists in the API: edges with positional cursors, page
// info, and the requested part of a list.
package connection

import (
	"context"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
)

// The sizes of a page are documented.
const (
	DefaultSize = 50
	MaximumSize = 100
)

// Window is the requested part of a list.
type Window struct {
	Offset int
	Limit  int
}

// NewWindow reads the arguments of a connection. Without the argument first, the window has
// DefaultSize rows. If the argument first is above MaximumSize, the window has MaximumSize rows,
// and no error occurs (documented).
func NewWindow(first, offset *int32, after *string) (Window, error) {
	w := Window{Limit: DefaultSize}
	if first != nil {
		if *first < 0 {
			return w, fmt.Errorf("the argument \"first\" is %d, but must not be negative", *first)
		}
		w.Limit = int(min(*first, MaximumSize))
	}
	if offset != nil && after != nil {
		return w, fmt.Errorf("the arguments \"offset\" and \"after\" exclude each other; use only one of the two arguments")
	}
	if offset != nil {
		if *offset < 0 {
			return w, fmt.Errorf("the argument \"offset\" is %d, but must not be negative", *offset)
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

// Cursor returns the cursor of a zero-based position. A cursor contains only a position
// (documented). If a row before the position is added or removed, the cursor identifies another
// row.
func Cursor(position int) string {
	return base64.StdEncoding.EncodeToString([]byte(cursorPrefix + strconv.Itoa(position)))
}

// ParseCursor returns the position in a cursor that Cursor wrote.
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

// NewPage makes the page of the window w. rows may contain one row more than w requests; the
// additional row shows that the list continues after the page. NewPage does not call count;
// Info.TotalRecords calls count when a client requests the number of rows of the whole list.
func NewPage[T any](w Window, rows []T, count func(context.Context) (int, error)) *Page[T] {
	p := &Page[T]{offset: w.Offset, rows: rows, count: count}
	if len(rows) > w.Limit {
		p.rows, p.more = rows[:w.Limit], true
	}
	return p
}

// Rows returns the rows of this page.
func (p *Page[T]) Rows() []T { return p.rows }

// Edges returns the rows of the page, each with its cursor.
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
