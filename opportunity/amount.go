package opportunity

import (
	"encoding/json"
	"regexp"

	"github.com/shopspring/decimal"
)

// Amount is an amount of money in the form of the API: an exact decimal, in the currency of the
// opportunity. The zero value is 0.00. In JSON an Amount is a string, such as "199.90". A JSON
// number is rejected, because the sender may have stored the amount as an inexact float.
type Amount struct{ value decimal.Decimal }

// amountPattern matches an amount that a caller may send. sumPattern also matches a sum of several
// such amounts.
var (
	amountPattern = regexp.MustCompile(`^\d{1,15}(\.\d{1,4})?$`)
	sumPattern    = regexp.MustCompile(`^\d{1,30}(\.\d{1,4})?$`)
)

// ParseAmount reads a decimal such as "199.90". The decimal has at most 15 digits before the point
// and at most 4 after the point. A sign, an exponent or a currency sign is an error.
func ParseAmount(s string) (Amount, error) { return parseAmount(s, amountPattern) }

func parseAmount(s string, form *regexp.Regexp) (Amount, error) {
	if !form.MatchString(s) {
		return Amount{}, Invalidf("%q is not an amount; give a decimal such as %q", Truncate(s, 40), "199.90")
	}
	value, err := decimal.NewFromString(s)
	if err != nil {
		return Amount{}, Invalidf("%q is not an amount: %v", Truncate(s, 40), err)
	}
	return Amount{value: value}, nil
}

// String returns the amount with at least two decimal places, and with more only when the amount
// has more: "199.90", "0.125".
func (a Amount) String() string {
	places := max(2, -a.value.Exponent())
	for places > 2 && a.value.Equal(a.value.Truncate(places-1)) {
		places--
	}
	return a.value.StringFixed(places)
}

// Decimal returns the amount as a decimal.
func (a Amount) Decimal() decimal.Decimal { return a.value }

// Add returns a + b.
func (a Amount) Add(b Amount) Amount { return Amount{value: a.value.Add(b.value)} }

// Times returns the amount multiplied by n.
func (a Amount) Times(n int) Amount {
	return Amount{value: a.value.Mul(decimal.NewFromInt(int64(n)))}
}

// Equal reports whether both amounts have the same value; trailing zeros make no difference.
func (a Amount) Equal(b Amount) bool { return a.value.Equal(b.value) }

// MarshalJSON writes the amount as a JSON string.
func (a Amount) MarshalJSON() ([]byte, error) { return json.Marshal(a.String()) }

func (a Amount) validate() error {
	_, err := ParseAmount(a.String())
	return err
}

// UnmarshalJSON reads a JSON string. A total of several amounts may have up to 30 digits before the
// point.
func (a *Amount) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	var s string
	if err := json.Unmarshal(data, &s); err != nil {
		return Invalidf("%s is not an amount; give a decimal in quotes, such as %q", Truncate(string(data), 40), "199.90")
	}
	parsed, err := parseAmount(s, sumPattern)
	if err != nil {
		return err
	}
	*a = parsed
	return nil
}
