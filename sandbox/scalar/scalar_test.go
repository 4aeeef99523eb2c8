package scalar_test

import (
	"bytes"
	"encoding/json"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/oppflow/oppflow/sandbox/scalar"
)

func TestDecimalIsReadExactly(t *testing.T) {
	for _, c := range []struct {
		in   any
		want string
	}{
		{"199.90", "199.9"},
		{"0", "0"},
		{"-0.01", "-0.01"},
		{"1e3", "1000"},
		{"1.5E-2", "0.015"},
		{"007.10", "7.1"},
		{"12345678901234567890.123456789", "12345678901234567890.123456789"},
		{json.Number("0.30000000000000000001"), "0.30000000000000000001"},
		{json.Number("12"), "12"},
		{int64(7), "7"},
	} {
		d, err := scalar.UnmarshalDecimal(c.in)
		if err != nil || d.String() != c.want {
			t.Errorf("%#v: %s, %v, want %s", c.in, d, err, c.want)
		}
	}
}

func TestDecimalRejects(t *testing.T) {
	for _, in := range []any{
		"", " 1", "1 ", "1,5", "1.", ".5", "+1", "--1", "1e", "1e1.5", "1e1000000000", "1e-1000000000", "0x10", "NaN", "Infinity", "١",
		"1_000", strings.Repeat("9", 65), true, nil,
		[]any{"1"},
		map[string]any{},
		1.5, "€5",
	} {
		if d, err := scalar.UnmarshalDecimal(in); err == nil {
			t.Errorf("%#v is read as %s, want an error", in, d)
		} else if strings.ContainsAny(err.Error(), "\n") {
			t.Errorf("%#v: the error has several lines: %v", in, err)
		}
	}
}

// Documented (API notes 3.6): an amount of money is a quoted decimal number with two decimal
// places.
func TestDecimalIsWrittenQuotedWithTwoPlaces(t *testing.T) {
	for in, want := range map[string]string{"199.9": `"199.90"`, "0": `"0.00"`, "1e3": `"1000.00"`, "-0.5": `"-0.50"`} {
		d, err := scalar.ParseDecimal(in)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		scalar.MarshalDecimal(d).MarshalGQL(&b)
		if b.String() != want {
			t.Errorf("%s is written %s, want %s", in, b.String(), want)
		}
	}
}

func FuzzParseDecimal(f *testing.F) {
	for _, s := range []string{"199.90", "-1", "1e64", "1E-64", "1e65", "0.000", "9999999999999999999999", "1.", "e", "-", "0e0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := scalar.ParseDecimal(s)
		if err != nil {
			return
		}
		want, ok := new(big.Rat).SetString(s)
		if !ok || d.Rat().Cmp(want) != 0 {
			t.Fatalf("%q is read as %s, want %v", s, d, want)
		}
		back, err := scalar.ParseDecimal(d.String())
		if err == nil && !back.Equal(d) {
			t.Fatalf("%q: %s reads back as %s", s, d, back)
		}
	})
}

// Documented (API notes 3.6): the expiry time of training tokens is a local time without a time
// zone.
func TestLocalDateTime(t *testing.T) {
	for in, want := range map[string]string{
		"2023-12-31T23:59:59":        "2023-12-31T23:59:59",
		"0001-01-01T00:00:00":        "0001-01-01T00:00:00",
		"2024-02-29T00:00:00.500000": "2024-02-29T00:00:00.5",
	} {
		if got, err := scalar.UnmarshalLocalDateTime(in); err != nil || got != want {
			t.Errorf("%s: %s, %v, want %s", in, got, err, want)
		}
	}
	for _, in := range []any{"", "2023-12-31", "2023-02-29T00:00:00", "2023-12-31T24:00:00", "2023-12-31 23:59:59", "2023-12-31T23:59:59Z", "2023-12-31T23:59:59+01:00", 5, nil} {
		if got, err := scalar.UnmarshalLocalDateTime(in); err == nil {
			t.Errorf("%#v is read as %s, want an error", in, got)
		}
	}
	if _, err := scalar.ParseLocalDateTime("2023-12-31T23:59:59Z"); err == nil || !strings.Contains(err.Error(), "no time zone") {
		t.Errorf("the error for a time with an offset is %v, but must mention the time zone", err)
	}
}

// Observed (API notes 3.6): reservationsValidUntil has an offset.
func TestTimeZonedDateTime(t *testing.T) {
	got, err := scalar.UnmarshalTimeZonedDateTime("2026-01-31T18:00:00.123456789+01:00")
	if want := time.Date(2026, 1, 31, 17, 0, 0, 123456000, time.UTC); err != nil || !got.Equal(want) {
		t.Fatalf("%s, %v, want %s", got, err, want)
	}
	var b bytes.Buffer
	scalar.MarshalTimeZonedDateTime(got).MarshalGQL(&b)
	if want := `"2026-01-31T17:00:00.123456+00:00"`; b.String() != want {
		t.Errorf("written %s, want %s", b.String(), want)
	}
	for _, in := range []any{"", "2026-01-31", "2026-01-31T17:00:00", "2026-02-30T17:00:00Z", "9999-12-31T23:59:59-01:00", "0001-01-01T00:00:00+01:00", 5, nil} {
		if got, err := scalar.UnmarshalTimeZonedDateTime(in); err == nil {
			t.Errorf("%#v is read as %s, want an error", in, got)
		}
	}
}

// ParseLocalDateTime accepts its own output and returns the output unchanged. Outputs of
// ParseLocalDateTime that are sorted as text are also sorted by time.
func FuzzParseLocalDateTime(f *testing.F) {
	for _, s := range []string{"2023-12-31T23:59:59", "0001-01-01T00:00:00", "2024-02-29T00:00:00.500000", "2024-02-29T00:00:00,5", "2023-12-31T23:59:59Z", "2023-02-29T00:00:00", "9999-12-31T23:59:59.999999999", "2023-12-31t23:59:59", ""} {
		f.Add(s, "2024-01-01T00:00:00")
	}
	f.Fuzz(func(t *testing.T, one, other string) {
		a, err := scalar.ParseLocalDateTime(one)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Fatalf("%q: %v", one, err)
			}
			return
		}
		if again, err := scalar.ParseLocalDateTime(a); err != nil || again != a {
			t.Fatalf("%q is read as %q, which is read as %q, %v", one, a, again, err)
		}
		b, err := scalar.ParseLocalDateTime(other)
		if err != nil {
			return
		}
		at, _ := time.Parse("2006-01-02T15:04:05", a)
		bt, _ := time.Parse("2006-01-02T15:04:05", b)
		if at.Compare(bt) != strings.Compare(a, b) {
			t.Fatalf("the text order of %q and %q differs from their time order", a, b)
		}
	})
}

func FuzzParseTimeZonedDateTime(f *testing.F) {
	for _, s := range []string{"2026-01-31T17:00:00+00:00", "2026-01-31T17:00:00Z", "2026-01-31T18:00:00.123456789+01:00", "9999-12-31T23:59:59-01:00", "0001-01-01T00:00:00+01:00", "2026-01-31T17:00:00", "2026-01-31T17:00:00,5Z", "2026-01-31T17:00:00+23:59", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		at, err := scalar.ParseTimeZonedDateTime(s)
		if err != nil {
			return
		}
		var b bytes.Buffer
		scalar.MarshalTimeZonedDateTime(at).MarshalGQL(&b)
		var text string
		if err := json.Unmarshal(b.Bytes(), &text); err != nil {
			t.Fatal(err)
		}
		if again, err := scalar.ParseTimeZonedDateTime(text); err != nil || !again.Equal(at) {
			t.Fatalf("%q is written %s, which is read as %v, %v", s, text, again, err)
		}
	})
}
