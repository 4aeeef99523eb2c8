package store

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/oppflow/oppflow/sandbox/assumptions"
	"github.com/oppflow/oppflow/sandbox/connection"
)

// Filter is one condition of a search. By default, a search finds only the rows that match all
// filters of the search.
type Filter struct {
	Field     string
	Operation string
	Value     *string
	Values    []*string
}

// Order is one sort key of a search. Direction is asc or desc.
type Order struct {
	Field     string
	Direction string
}

// Search contains the arguments of a connection.
type Search struct {
	Filters []*Filter
	Order   []*Order
	First   *int32
	Offset  *int32
	After   *string
}

// These limits of a search keep the SQL statement within the limits of SQLite.
const (
	maxFilters    = 100
	maxOrders     = 20
	maxValues     = 1000
	maxContains   = 50
	maxParameters = 10_000
	maxPattern    = 500
)

// listing describes a kind of object that can be searched: its tables, and the function that reads
// a row. The SQL texts of a listing are constants; values from requests are passed as SQL
// parameters.
type listing[T any] struct {
	from    string
	columns string
	// key is a unique column. Every order ends with the column key, so each row has a fixed
	// position.
	key    string
	fields map[string]column
	scan   func(row scanner) (T, error)
}

type scanner interface{ Scan(dest ...any) error }

// scope limits a search to the rows that belong to one object.
type scope struct {
	sql string
	arg any
}

func (l *listing[T]) page(ctx context.Context, of *Store, s Search, scopes ...scope) (*connection.Page[T], error) {
	q := of.read
	if of.choices.Is(assumptions.PageFirst, "mended") {
		s.dropInvalid()
	}
	w, err := connection.NewWindow(s.First, s.Offset, s.After)
	if err != nil {
		return nil, newRequestError("%v", err)
	}
	where, args, err := l.where(s.Filters, scopes, of.choices)
	if err != nil {
		return nil, err
	}
	order, err := l.order(s.Order, of.choices)
	if err != nil {
		return nil, err
	}
	if of.choices.Is(assumptions.OrderDefault, "newest") {
		order += " DESC"
	}
	now := strconv.FormatInt(of.now().UnixMicro(), 10)
	where, order = strings.ReplaceAll(where, sqlNow, now), strings.ReplaceAll(order, sqlNow, now)
	rows, err := l.rows(ctx, q, where+order+" LIMIT ? OFFSET ?", append(slices.Clone(args), w.Limit+1, w.Offset)...)
	if err != nil {
		return nil, err
	}
	return connection.NewPage(w, rows, func(ctx context.Context) (int, error) {
		var n int
		err := q.QueryRowContext(ctx, "SELECT count(*) FROM "+l.from+where, args...).Scan(&n)
		return n, err
	}), nil
}

// dropInvalid removes the invalid arguments of a search: a negative first, a negative offset, an
// invalid cursor in after, and an after beside an offset.
func (s *Search) dropInvalid() {
	negative := func(n *int32) bool { return n != nil && *n < 0 }
	if negative(s.First) {
		s.First = nil
	}
	if negative(s.Offset) {
		s.Offset = nil
	}
	if s.After != nil {
		if _, err := connection.ParseCursor(*s.After); err != nil || s.Offset != nil {
			s.After = nil
		}
	}
}

// byKey reads the row with the given key, and returns nil if no row has the key.
func (l *listing[T]) byKey(ctx context.Context, q queryer, k any) (*T, error) {
	return l.first(ctx, q, " WHERE "+l.key+" = ?", k)
}

// first reads the first row of the SELECT statement that ends with tail, and returns nil if the
// statement returns no row.
func (l *listing[T]) first(ctx context.Context, q queryer, tail string, args ...any) (*T, error) {
	rows, err := l.rows(ctx, q, tail, args...)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return &rows[0], nil
}

// rows reads the rows of the SELECT statement that ends with tail; tail is the SQL after FROM.
func (l *listing[T]) rows(ctx context.Context, q queryer, tail string, args ...any) ([]T, error) {
	found, err := q.QueryContext(ctx, "SELECT "+l.columns+" FROM "+l.from+tail, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = found.Close() }()
	var rows []T
	for found.Next() {
		row, err := l.scan(found)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, found.Err()
}

func (l *listing[T]) order(orders []*Order, choices assumptions.Choices) (string, error) {
	if len(orders) > maxOrders {
		return "", newRequestError("the argument order has %d entries, but the limit is %d", len(orders), maxOrders)
	}
	var b strings.Builder
	b.WriteString(" ORDER BY ")
	for i, o := range orders {
		if o == nil {
			return "", newRequestError("order[%d] is null", i)
		}
		c, err := l.field("order", i, o.Field)
		if err != nil {
			return "", err
		}
		if c.alternative.applies(choices) {
			c.sql = c.alternative.sql[0]
		}
		b.WriteString(c.sql)
		if o.Direction == "desc" {
			b.WriteString(" DESC")
		}
		b.WriteString(", ")
	}
	b.WriteString(l.key)
	return b.String(), nil
}

func (l *listing[T]) field(list string, i int, name string) (column, error) {
	c, ok := l.fields[name]
	if !ok {
		return c, newRequestError("%s[%d]: the field is %s, but must be one of %s", list, i, name, strings.Join(slices.Sorted(maps.Keys(l.fields)), ", "))
	}
	return c, nil
}

func (l *listing[T]) where(filters []*Filter, scopes []scope, choices assumptions.Choices) (string, []any, error) {
	if len(filters) > maxFilters {
		return "", nil, newRequestError("the argument filters has %d entries, but the limit is %d", len(filters), maxFilters)
	}
	var within, conditions []string
	var args []any
	for _, s := range scopes {
		within = append(within, s.sql+" = ?")
		args = append(args, s.arg)
	}
	for i, f := range filters {
		if f == nil {
			return "", nil, newRequestError("filters[%d] is null", i)
		}
		c, err := l.field("filters", i, f.Field)
		if err != nil {
			return "", nil, err
		}
		condition, values, err := c.condition(f, choices)
		if err != nil {
			return "", nil, newRequestError("filters[%d] (%s %s): %v", i, f.Field, f.Operation, err)
		}
		conditions = append(conditions, condition)
		args = append(args, values...)
	}
	if len(args) > maxParameters {
		return "", nil, newRequestError("all filters together have %d values, but the limit is %d", len(args), maxParameters)
	}
	if len(conditions) > 0 {
		with := " AND "
		if choices.Is(assumptions.FilterAnd, "any") {
			with = " OR "
		}
		within = append(within, "("+strings.Join(conditions, with)+")")
	}
	if len(within) == 0 {
		return "", nil, nil
	}
	return " WHERE " + strings.Join(within, " AND "), args, nil
}
