// Package scalar implements the API's own scalars, which are Decimal, LocalDateTime and
// TimeZonedDateTime.
package scalar

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/shopspring/decimal"
)

// These constants are the names of the scalars in the schema.
const (
	Int               = "Int"
	Decimal           = "Decimal"
	LocalDateTime     = "LocalDateTime"
	TimeZonedDateTime = "TimeZonedDateTime"
)

// maxDecimalLength and maxExponent limit the size of a decimal before any arithmetic. Without these
// limits, a number with an exponent of a billion would become a text of a billion digits.
const (
	maxDecimalLength = 64
	maxExponent      = 64
)

// Check returns an error if v, a value of a request, is invalid for the named scalar. Check also
// rejects an Int of more than 32 bits, because Int in GraphQL has 32 bits. Check accepts every
// value of any other type.
func Check(name string, v any) error {
	var err error
	switch name {
	case Decimal:
		_, err = UnmarshalDecimal(v)
	case LocalDateTime:
		_, err = UnmarshalLocalDateTime(v)
	case TimeZonedDateTime:
		_, err = UnmarshalTimeZonedDateTime(v)
	case Int:
		_, err = graphql.UnmarshalInt32(v)
	}
	return err
}

// ParseDecimal reads a number without rounding. The text consists of digits, with an optional sign,
// decimal point and exponent.
func ParseDecimal(s string) (decimal.Decimal, error) {
	fail := func() (decimal.Decimal, error) {
		return decimal.Decimal{}, fmt.Errorf("%s is not a decimal number such as \"199.90\"", quote(s))
	}
	if s == "" || len(s) > maxDecimalLength {
		return fail()
	}
	mantissa, exponent, hasExponent := strings.Cut(strings.ToLower(s), "e")
	if hasExponent {
		n, err := strconv.Atoi(exponent)
		if err != nil || n > maxExponent || n < -maxExponent {
			return fail()
		}
	}
	whole, fraction, hasPoint := strings.Cut(strings.TrimPrefix(mantissa, "-"), ".")
	if !digits(whole) || hasPoint && !digits(fraction) {
		return fail()
	}
	d, err := decimal.NewFromString(s)
	if err != nil {
		return fail()
	}
	return d, nil
}

// UnmarshalDecimal reads a Decimal from a request: a string, or a number in any form that a JSON or
// GraphQL parser produces.
func UnmarshalDecimal(v any) (decimal.Decimal, error) {
	switch v := v.(type) {
	case string:
		return ParseDecimal(v)
	case json.Number:
		return ParseDecimal(v.String())
	case int:
		return decimal.NewFromInt(int64(v)), nil
	case int64:
		return decimal.NewFromInt(v), nil
	}
	return decimal.Decimal{}, fmt.Errorf("a Decimal is a string or a number, not %s", describe(v))
}

// MarshalDecimal writes an amount as a quoted string with two decimal places, like the API
// (documented). MarshalDecimal rounds an amount with more decimal places half away from zero.
func MarshalDecimal(d decimal.Decimal) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) {
		_, _ = io.WriteString(w, `"`+d.StringFixed(2)+`"`)
	})
}

// localLayout is the layout of a date and time without a time zone. time.Parse with localLayout
// also accepts a fraction of a second.
const localLayout = "2006-01-02T15:04:05"

// ParseLocalDateTime reads a date and time without a time zone and returns the canonical form. The
// text order of canonical forms is the time order.
func ParseLocalDateTime(s string) (string, error) {
	t, err := time.Parse(localLayout, s)
	if err != nil || t.Year() < 1 {
		hint := ""
		if _, zoned := time.Parse(time.RFC3339, s); zoned == nil {
			hint = ": a local date and time has no time zone"
		}
		return "", fmt.Errorf("%s is not a local date and time such as \"2023-12-31T23:59:59\"%s", quote(s), hint)
	}
	return t.Format("2006-01-02T15:04:05.999999"), nil
}

// UnmarshalLocalDateTime reads a LocalDateTime from a request.
func UnmarshalLocalDateTime(v any) (string, error) {
	s, ok := v.(string)
	if !ok {
		return "", fmt.Errorf("a LocalDateTime is a string, not %s", describe(v))
	}
	return ParseLocalDateTime(s)
}

// MarshalLocalDateTime writes a text that ParseLocalDateTime returned.
func MarshalLocalDateTime(s string) graphql.Marshaler { return graphql.MarshalString(s) }

// ParseTimeZonedDateTime reads a date and time with an offset, which may be Z.
func ParseTimeZonedDateTime(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil || t.UTC().Year() < 1 || t.UTC().Year() > 9999 {
		return time.Time{}, fmt.Errorf("%s is not a date and time with a UTC offset such as \"2026-01-31T17:00:00+00:00\"", quote(s))
	}
	return t.Truncate(time.Microsecond), nil
}

// UnmarshalTimeZonedDateTime reads a TimeZonedDateTime from a request, with a precision of a
// microsecond.
func UnmarshalTimeZonedDateTime(v any) (time.Time, error) {
	s, ok := v.(string)
	if !ok {
		return time.Time{}, fmt.Errorf("a TimeZonedDateTime is a string, not %s", describe(v))
	}
	return ParseTimeZonedDateTime(s)
}

// MarshalTimeZonedDateTime writes t as a UTC time with a numeric offset.
func MarshalTimeZonedDateTime(t time.Time) graphql.Marshaler {
	return graphql.MarshalString(t.UTC().Format("2006-01-02T15:04:05.999999-07:00"))
}

func describe(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "a Boolean"
	case []any:
		return "a list"
	case map[string]any:
		return "an object"
	case float64:
		return "a binary floating point number"
	}
	return "a number"
}

func digits(s string) bool {
	if s == "" {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// quote quotes a value of a request for an error message, and shortens a long value.
func quote(s string) string {
	if len(s) > 80 {
		s = strings.ToValidUTF8(s[:80], "") + "…"
	}
	return strconv.Quote(s)
}
