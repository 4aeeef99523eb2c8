package transport

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/shopspring/decimal"
)

// ErrMalformedValue is the error of a member of a response that does not have the expected form.
var ErrMalformedValue = errors.New("a member of the response does not have the expected form")

// Amount is a decimal number that is decoded from a JSON string or a JSON number, without a
// conversion to a float.
type Amount struct{ decimal.NullDecimal }

// UnmarshalJSON implements json.Unmarshaler.
func (a *Amount) UnmarshalJSON(raw []byte) error {
	if string(raw) == "null" {
		return nil
	}
	text := string(raw)
	if len(raw) > 0 && raw[0] == '"' {
		if err := json.Unmarshal(raw, &text); err != nil {
			return ErrMalformedValue
		}
	}
	if len(text) > 70 {
		return ErrMalformedValue
	}
	value, err := decimal.NewFromString(text)
	if err != nil || !HasReasonableSize(value) {
		return ErrMalformedValue
	}
	a.NullDecimal = decimal.NewNullDecimal(value)
	return nil
}

// ZonedTime decodes a date and time with an offset (TimeZonedDateTime).
type ZonedTime struct{ *time.Time }

// UnmarshalJSON implements json.Unmarshaler.
func (m *ZonedTime) UnmarshalJSON(raw []byte) error {
	if string(raw) == "null" {
		return nil
	}
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return ErrMalformedValue
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return ErrMalformedValue
	}
	m.Time = &at
	return nil
}

// HasReasonableSize returns false for numbers such as 1e1000000000, because the document would
// contain all digits of the number.
func HasReasonableSize(d decimal.Decimal) bool {
	return d.Exponent() >= -30 && d.Exponent() <= 30 && d.NumDigits() <= 60
}
