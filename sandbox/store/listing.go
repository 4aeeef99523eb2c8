package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/oppflow/oppflow/sandbox/assume"
	"github.com/oppflow/oppflow/sandbox/connection"
	"github.com/oppflow/oppflow/sandbox/globalid"
	"github.com/oppflow/oppflow/sandbox/scalar"
)

// Filter is one condition of a search. Filters of a search must all hold.
type Filter struct {
	Field     string
	Operation string
	Value     *string
	Values    []*string
}

// Order is one key of a search's order; Direction is asc or desc.
type Order struct {
	Field     string
	Direction string
}

// Search is what a connection is asked for.
type Search struct {
	Filters []*Filter
	Order   []*Order
	First   *int32
	Offset  *int32
	After   *string
}

// kind is how values of a column are read and which operations fit it.
type kind int

const (
	text kind = iota
	integer
	amount
	moment
	localTime
	truth
	key // a global id
)

// sqlNow stands in a column for the time of the search.
const sqlNow = "{now}"

// column is a field that can be searched and ordered by.
type column struct {
	sql  string
	kind kind
	// idType is the prefix of the global ids of a key column; numeric says that their keys are numbers.
	idType  string
	numeric bool
	// otherwise is what the column is instead where that is assumed.
	otherwise *otherwise
}

// otherwise is what a column is where a row of the table of assumptions has a value: one text or several, of which one
// must fit a filter.
type otherwise struct {
	row   assume.Name
	value string
	sql   []string
}

func (o *otherwise) holds(choices assume.Choices) bool { return o != nil && choices.Is(o.row, o.value) }

func intKeyColumn(sql, idType string) column {
	return column{sql: sql, kind: key, idType: idType, numeric: true}
}

func textKeyColumn(sql, idType string) column {
	return column{sql: sql, kind: key, idType: idType}
}

// listing is a kind of record that can be searched: where it stands, and how a row is read. All its text is constant;
// values travel as parameters.
type listing[T any] struct {
	from    string
	columns string
	// key orders rows for good, so that positions mean something. It is unique.
	key    string
	fields map[string]column
	scan   func(row scanner) (T, error)
}

type scanner interface{ Scan(dest ...any) error }

// scope narrows a listing to what belongs to one record.
type scope struct {
	sql string
	arg any
}

// page reads a page.
func (l *listing[T]) page(ctx context.Context, of *Store, s Search, scopes ...scope) (*connection.Page[T], error) {
	q := of.read
	if of.assume.Is(assume.PageFirst, "mended") {
		s.mend()
	}
	w, err := connection.NewWindow(s.First, s.Offset, s.After)
	if err != nil {
		return nil, invalid("%v", err)
	}
	where, args, err := l.where(s.Filters, scopes, of.assume)
	if err != nil {
		return nil, err
	}
	order, err := l.order(s.Order, of.assume)
	if err != nil {
		return nil, err
	}
	if of.assume.Is(assume.OrderDefault, "newest") {
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

// mend takes what the API may not mind for not being there.
func (s *Search) mend() {
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

// one reads the row with a key, nil if there is none.
func (l *listing[T]) one(ctx context.Context, q queryer, k any) (*T, error) {
	return l.first(ctx, q, " WHERE "+l.key+" = ?", k)
}

// first reads the first row that tail selects, nil if there is none.
func (l *listing[T]) first(ctx context.Context, q queryer, tail string, args ...any) (*T, error) {
	rows, err := l.rows(ctx, q, tail, args...)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return &rows[0], nil
}

// rows reads what tail selects.
func (l *listing[T]) rows(ctx context.Context, q queryer, tail string, args ...any) ([]T, error) {
	found, err := q.QueryContext(ctx, "SELECT "+l.columns+" FROM "+l.from+tail, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = found.Close() }() // Err below tells what Close would
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

func (l *listing[T]) order(orders []*Order, choices assume.Choices) (string, error) {
	if len(orders) > maxOrders {
		return "", invalid("order has %d entries, the limit is %d", len(orders), maxOrders)
	}
	var b strings.Builder
	b.WriteString(" ORDER BY ")
	for i, o := range orders {
		if o == nil {
			return "", invalid("order[%d] is null", i)
		}
		c, err := l.field("order", i, o.Field)
		if err != nil {
			return "", err
		}
		if c.otherwise.holds(choices) {
			c.sql = c.otherwise.sql[0]
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
		return c, invalid("%s[%d]: %s is not one of %s", list, i, name, strings.Join(slices.Sorted(maps.Keys(l.fields)), ", "))
	}
	return c, nil
}

// where translates filters into a condition and its parameters.
func (l *listing[T]) where(filters []*Filter, scopes []scope, choices assume.Choices) (string, []any, error) {
	if len(filters) > maxFilters {
		return "", nil, invalid("filters has %d entries, the limit is %d", len(filters), maxFilters)
	}
	var within, conditions []string
	var args []any
	for _, s := range scopes {
		within = append(within, s.sql+" = ?")
		args = append(args, s.arg)
	}
	for i, f := range filters {
		if f == nil {
			return "", nil, invalid("filters[%d] is null", i)
		}
		c, err := l.field("filters", i, f.Field)
		if err != nil {
			return "", nil, err
		}
		condition, values, err := c.condition(f, choices)
		if err != nil {
			return "", nil, invalid("filters[%d] (%s %s): %v", i, f.Field, f.Operation, err)
		}
		conditions = append(conditions, condition)
		args = append(args, values...)
	}
	if len(args) > maxParameters {
		return "", nil, invalid("filters have %d values together, the limit is %d", len(args), maxParameters)
	}
	if len(conditions) > 0 {
		with := " AND "
		if choices.Is(assume.FilterAnd, "any") {
			with = " OR "
		}
		within = append(within, "("+strings.Join(conditions, with)+")")
	}
	if len(within) == 0 {
		return "", nil, nil
	}
	return " WHERE " + strings.Join(within, " AND "), args, nil
}

var comparisons = map[string]string{"eq": "=", "ne": "<>", "gt": ">", "ge": ">=", "lt": "<", "le": "<="}

// The limits of a search keep its statement within what SQLite takes.
const (
	maxFilters    = 100
	maxOrders     = 20
	maxValues     = 1000
	maxContains   = 50
	maxParameters = 10_000
	maxPattern    = 500
)

// condition translates a filter on the column. The rules for value and values are the ones observed of the API.
func (c column) condition(f *Filter, choices assume.Choices) (string, []any, error) {
	if c.otherwise.holds(choices) {
		return c.each(f, choices)
	}
	values, err := operands(f)
	if err != nil {
		return "", nil, err
	}
	switch f.Operation {
	case "isnull":
		return c.sql + " IS NULL", nil, nil
	case "notnull":
		return c.sql + " IS NOT NULL", nil, nil
	case "like", "wordlike", "contains":
		if c.kind != text {
			return "", nil, fmt.Errorf("the operation fits text only")
		}
		return c.pattern(f.Operation, values, choices)
	case "gt", "ge", "lt", "le":
		if c.kind == key || c.kind == truth {
			return "", nil, fmt.Errorf("the operation does not fit ids or truth values")
		}
	}
	args := make([]any, len(values))
	for i, v := range values {
		if args[i], err = c.parse(v, choices); err != nil {
			if c.kind == key && choices.Is(assume.FilterID, "nothing") {
				return "FALSE", nil, nil
			}
			return "", nil, err
		}
	}
	condition, err := c.comparison(f.Operation, len(args), choices)
	if (f.Operation == "ne" || f.Operation == "notin") && choices.Is(assume.FilterNull, "matched") {
		condition = "(" + condition + " OR " + c.sql + " IS NULL)"
	}
	return condition, args, err
}

// each translates a filter on what the column is otherwise.
func (c column) each(f *Filter, choices assume.Choices) (string, []any, error) {
	var conditions []string
	var args []any
	for _, sql := range c.otherwise.sql {
		condition, values, err := column{sql: sql, kind: c.kind}.condition(f, choices)
		if err != nil {
			return "", nil, err
		}
		conditions, args = append(conditions, condition), append(args, values...)
	}
	with := " OR "
	if f.Operation == "ne" || f.Operation == "notin" || f.Operation == "isnull" {
		with = " AND "
	}
	return "(" + strings.Join(conditions, with) + ")", args, nil
}

// comparison compares the column with as many parameters.
func (c column) comparison(operation string, parameters int, choices assume.Choices) (string, error) {
	compared := c.sql
	if c.kind == text && choices.Is(assume.FilterCase, "ignored") {
		compared += " COLLATE NOCASE"
	}
	switch operation {
	case "in":
		return compared + " IN (?" + strings.Repeat(", ?", parameters-1) + ")", nil
	case "notin":
		return compared + " NOT IN (?" + strings.Repeat(", ?", parameters-1) + ")", nil
	}
	operator, ok := comparisons[operation]
	if !ok {
		return "", fmt.Errorf("there is no such operation")
	}
	return compared + " " + operator + " ?", nil
}

// operands returns the values of a filter after checking that it has what its operation takes.
func operands(f *Filter) ([]string, error) {
	switch f.Operation {
	case "isnull", "notnull":
		if f.Value != nil || f.Values != nil {
			return nil, fmt.Errorf("the operation takes neither value nor values")
		}
		return nil, nil
	case "in", "notin", "contains":
		if f.Value != nil {
			return nil, fmt.Errorf("the operation takes values, not value")
		}
		if len(f.Values) == 0 {
			return nil, fmt.Errorf("values is missing or empty")
		}
		if len(f.Values) > maxValues {
			return nil, fmt.Errorf("values has %d entries, the limit is %d", len(f.Values), maxValues)
		}
		values := make([]string, len(f.Values))
		for i, v := range f.Values {
			if v == nil {
				return nil, fmt.Errorf("values[%d] is null", i)
			}
			values[i] = *v
		}
		return values, nil
	}
	if f.Values != nil {
		return nil, fmt.Errorf("the operation takes value, not values")
	}
	if f.Value == nil {
		return nil, fmt.Errorf("value is missing")
	}
	return []string{*f.Value}, nil
}

var escapeLike = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// pattern translates the operations on text. All three ignore the case of ASCII letters.
func (c column) pattern(operation string, values []string, choices assume.Choices) (string, []any, error) {
	if operation == "contains" && choices.Is(assume.FilterContains, "refused") {
		return "", nil, fmt.Errorf("the operation does not fit text")
	}
	if operation == "contains" && len(values) > maxContains {
		return "", nil, fmt.Errorf("values has %d entries, the limit is %d", len(values), maxContains)
	}
	for _, v := range values {
		if len(v) > maxPattern {
			return "", nil, fmt.Errorf("a value has %d bytes, the limit is %d", len(v), maxPattern)
		}
	}
	switch operation {
	case "like":
		return c.sql + " LIKE ?", []any{values[0]}, nil
	case "wordlike":
		word := strings.TrimSpace(values[0])
		if word == "" || strings.ContainsAny(word, " \t\n") {
			return "", nil, fmt.Errorf("value is %q, the operation takes one word", values[0])
		}
		end := "%"
		if choices.Is(assume.FilterWordlike, "whole") {
			end = " %"
		}
		return "(' ' || " + c.sql + ` || ' ') LIKE ? ESCAPE '\'`, []any{"% " + escapeLike.Replace(word) + end}, nil
	default:
		args := make([]any, len(values))
		for i, v := range values {
			args[i] = "%" + escapeLike.Replace(v) + "%"
		}
		one := c.sql + ` LIKE ? ESCAPE '\'`
		return "(" + one + strings.Repeat(" AND "+one, len(values)-1) + ")", args, nil
	}
}

// parse reads a value of a filter as the column stores it.
func (c column) parse(v string, choices assume.Choices) (any, error) {
	switch c.kind {
	case integer:
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%q is not a whole number", v)
		}
		return n, nil
	case amount:
		return parseAmount(v)
	case moment:
		if t, err := scalar.ParseTimeZonedDateTime(v); err == nil {
			return t.UnixMicro(), nil
		}
		if local, err := parseLocal(v); err == nil {
			return zoned(local, choices)
		}
		return nil, fmt.Errorf("%q is neither a date such as 2026-01-31 nor a date and time such as 2026-01-31T17:00:00Z", v)
	case localTime:
		return parseLocal(v)
	case truth:
		if v != "true" && v != "false" {
			return nil, fmt.Errorf("%q is neither true nor false", v)
		}
		return v == "true", nil
	case key:
		if c.numeric {
			return globalid.ParseInt(v, c.idType)
		}
		return globalid.ParseAs(v, c.idType)
	default:
		return v, nil
	}
}

// zoned reads a local time as one in UTC, or where that is assumed in the tenant's zone.
func zoned(local string, choices assume.Choices) (any, error) {
	if !choices.Is(assume.FilterDate, "london") {
		t, err := scalar.ParseTimeZonedDateTime(local + "Z")
		return t.UnixMicro(), err
	}
	zone, err := time.LoadLocation("Europe/London")
	if err != nil {
		return nil, err
	}
	t, err := time.ParseInLocation("2006-01-02T15:04:05", local, zone)
	return t.UnixMicro(), err
}

// parseLocal reads a local date and time; a bare date is its first moment.
func parseLocal(v string) (string, error) {
	if len(v) == len("2026-01-31") {
		v += "T00:00:00"
	}
	return scalar.ParseLocalDateTime(v)
}

// parseAmount reads an amount to compare with, in hundredths.
func parseAmount(v string) (any, error) {
	d, err := scalar.ParseDecimal(v)
	if err != nil {
		return nil, err
	}
	if d.Abs().GreaterThan(decimal.NewFromInt(maxAmount)) {
		return nil, fmt.Errorf("%q is out of range", v)
	}
	cents := d.Shift(2)
	if !cents.IsInteger() {
		return nil, fmt.Errorf("%q has more than two decimal places", v)
	}
	return cents.IntPart(), nil
}
