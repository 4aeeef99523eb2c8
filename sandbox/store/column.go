package store

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/oppflow/oppflow/sandbox/assumptions"
	"github.com/oppflow/oppflow/sandbox/globalid"
	"github.com/oppflow/oppflow/sandbox/scalar"
)

// kind says how values of a column are read and which operations of a filter are allowed for the
// column.
type kind int

const (
	text kind = iota
	integer
	amount
	instant
	localTime
	boolean
	key // a global id
)

// sqlNow is a placeholder in the SQL of a column; each search replaces the placeholder by the
// current time.
const sqlNow = "{now}"

// column is a field by which a search can filter and sort.
type column struct {
	sql  string
	kind kind
	// idType is the prefix of the global ids in a column of the kind key. numeric reports that the
	// keys are numbers.
	idType  string
	numeric bool
	// If the user chose alternative.value for alternative.assumption, alternative.sql replaces sql.
	// A column without an alternative has nil.
	alternative *alternative
}

// alternative contains several SQL expressions for one column. A filter matches if at least one SQL
// expression matches. For the operations ne, notin and isnull, all SQL expressions must match.
type alternative struct {
	assumption assumptions.Name
	value      string
	sql        []string
}

func (o *alternative) applies(choices assumptions.Choices) bool {
	return o != nil && choices.Is(o.assumption, o.value)
}

func intKeyColumn(sql, idType string) column {
	return column{sql: sql, kind: key, idType: idType, numeric: true}
}

func textKeyColumn(sql, idType string) column {
	return column{sql: sql, kind: key, idType: idType}
}

var comparisons = map[string]string{"eq": "=", "ne": "<>", "gt": ">", "ge": ">=", "lt": "<", "le": "<="}

func (c column) condition(f *Filter, choices assumptions.Choices) (string, []any, error) {
	if c.alternative.applies(choices) {
		return c.alternativeCondition(f, choices)
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
			return "", nil, fmt.Errorf("the operation is allowed only for text fields")
		}
		return c.pattern(f.Operation, values, choices)
	case "gt", "ge", "lt", "le":
		if c.kind == key || c.kind == boolean {
			return "", nil, fmt.Errorf("the operation is not allowed for ids and booleans")
		}
	}
	args := make([]any, len(values))
	for i, v := range values {
		if args[i], err = c.parse(v, choices); err != nil {
			if c.kind == key && choices.Is(assumptions.FilterID, "nothing") {
				return "FALSE", nil, nil
			}
			return "", nil, err
		}
	}
	condition, err := c.comparison(f.Operation, len(args), choices)
	if (f.Operation == "ne" || f.Operation == "notin") && choices.Is(assumptions.FilterNull, "matched") {
		condition = "(" + condition + " OR " + c.sql + " IS NULL)"
	}
	return condition, args, err
}

func (c column) alternativeCondition(f *Filter, choices assumptions.Choices) (string, []any, error) {
	var conditions []string
	var args []any
	for _, sql := range c.alternative.sql {
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

func (c column) comparison(operation string, parameters int, choices assumptions.Choices) (string, error) {
	compared := c.sql
	if c.kind == text && choices.Is(assumptions.FilterCase, "ignored") {
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
		return "", fmt.Errorf("the operation does not exist")
	}
	return compared + " " + operator + " ?", nil
}

// operands returns the values of a filter, and returns an error if the operation of the filter
// requires other values.
func operands(f *Filter) ([]string, error) {
	switch f.Operation {
	case "isnull", "notnull":
		if f.Value != nil || f.Values != nil {
			return nil, fmt.Errorf("the operation accepts neither the member \"value\" nor the member \"values\"")
		}
		return nil, nil
	case "in", "notin", "contains":
		if f.Value != nil {
			return nil, fmt.Errorf("the operation needs the member \"values\", not the member \"value\"")
		}
		if len(f.Values) == 0 {
			return nil, fmt.Errorf("the member \"values\" is missing or empty")
		}
		if len(f.Values) > maxValues {
			return nil, fmt.Errorf("the member \"values\" has %d entries, but the limit is %d", len(f.Values), maxValues)
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
		return nil, fmt.Errorf("the operation needs the member \"value\", not the member \"values\"")
	}
	if f.Value == nil {
		return nil, fmt.Errorf("the member \"value\" is missing")
	}
	return []string{*f.Value}, nil
}

var escapeLike = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// pattern translates the text operations like, wordlike and contains into SQL.
func (c column) pattern(operation string, values []string, choices assumptions.Choices) (string, []any, error) {
	if operation == "contains" && choices.Is(assumptions.FilterContains, "refused") {
		return "", nil, fmt.Errorf("the operation is not allowed for text fields")
	}
	if operation == "contains" && len(values) > maxContains {
		return "", nil, fmt.Errorf("the member \"values\" has %d entries, but the limit is %d", len(values), maxContains)
	}
	for _, v := range values {
		if len(v) > maxPattern {
			return "", nil, fmt.Errorf("a value has %d bytes, but the limit is %d", len(v), maxPattern)
		}
	}
	switch operation {
	case "like":
		return c.sql + " LIKE ?", []any{values[0]}, nil
	case "wordlike":
		word := strings.TrimSpace(values[0])
		if word == "" || strings.ContainsAny(word, " \t\n") {
			return "", nil, fmt.Errorf("value is %q, but the operation accepts only one word", values[0])
		}
		end := "%"
		if choices.Is(assumptions.FilterWordlike, "whole") {
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

func (c column) parse(v string, choices assumptions.Choices) (any, error) {
	switch c.kind {
	case integer:
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%q is not a whole number", v)
		}
		return n, nil
	case amount:
		return parseAmount(v)
	case instant:
		if t, err := scalar.ParseTimeZonedDateTime(v); err == nil {
			return t.UnixMicro(), nil
		}
		if local, err := parseLocal(v); err == nil {
			return zoned(local, choices)
		}
		return nil, fmt.Errorf("%q is neither a date such as 2026-01-31 nor a date and time such as 2026-01-31T17:00:00Z", v)
	case localTime:
		return parseLocal(v)
	case boolean:
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

// zoned reads a local time of a filter as UTC. With the value "london" of the assumption
// FilterDate, zoned reads the local time as a time in Europe/London.
func zoned(local string, choices assumptions.Choices) (any, error) {
	if !choices.Is(assumptions.FilterDate, "london") {
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

// parseLocal reads a date without a time as the start of the day.
func parseLocal(v string) (string, error) {
	if len(v) == len("2026-01-31") {
		v += "T00:00:00"
	}
	return scalar.ParseLocalDateTime(v)
}

// parseAmount reads an amount for a comparison and returns the amount in hundredths.
func parseAmount(v string) (any, error) {
	d, err := scalar.ParseDecimal(v)
	if err != nil {
		return nil, err
	}
	if d.Abs().GreaterThan(decimal.NewFromInt(maxAmount)) {
		return nil, fmt.Errorf("%q is outside the range of amounts", v)
	}
	cents := d.Shift(2)
	if !cents.IsInteger() {
		return nil, fmt.Errorf("%q has more than two decimal places", v)
	}
	return cents.IntPart(), nil
}
