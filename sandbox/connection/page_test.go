package connection_test

import (
	"context"
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/oppflow/oppflow/sandbox/connection"
)

func TestCursorHasTheDocumentedForm(t *testing.T) {
	if got := connection.Cursor(0); got != "Q3Vyc29yOjA=" {
		t.Errorf("Cursor(0) = %q, want the documented Q3Vyc29yOjA=", got)
	}
	for _, text := range []string{"", "Cursor:0", "Q3Vyc29yOg==", "Q3Vyc29yOi0x", "Q3Vyc29yOjAw", "T3Bwb3J0dW5pdHk6MQ==", "Q3Vyc29yOjk5OTk5OTk5OTk="} {
		if n, err := connection.ParseCursor(text); err == nil {
			t.Errorf("ParseCursor(%q) = %d, want an error", text, n)
		}
	}
}

func TestNewWindow(t *testing.T) {
	n := func(i int32) *int32 { return &i }
	s := func(s string) *string { return &s }
	for _, c := range []struct {
		name          string
		first, offset *int32
		after         *string
		want          connection.Window
		fails         bool
	}{
		{name: "default", want: connection.Window{Limit: 50}},
		{name: "first", first: n(7), want: connection.Window{Limit: 7}},
		{name: "none", first: n(0), want: connection.Window{}},
		{name: "at the cap", first: n(100), want: connection.Window{Limit: 100}},
		{name: "over the cap", first: n(500), want: connection.Window{Limit: 100}},
		{name: "offset", offset: n(20), want: connection.Window{Limit: 50, Offset: 20}},
		{name: "after", after: s(connection.Cursor(49)), want: connection.Window{Limit: 50, Offset: 50}},
		{name: "negative first", first: n(-1), fails: true},
		{name: "negative offset", offset: n(-1), fails: true},
		{name: "foreign cursor", after: s("x"), fails: true},
		{name: "offset and after", offset: n(1), after: s(connection.Cursor(1)), fails: true},
	} {
		got, err := connection.NewWindow(c.first, c.offset, c.after)
		if (err != nil) != c.fails || !c.fails && got != c.want {
			t.Errorf("%s: %+v, %v, want %+v, fails %v", c.name, got, err, c.want, c.fails)
		}
	}
}

// A client that follows endCursor while hasNextPage is true sees every row once and in order.
func TestPagesCoverTheList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		total := rapid.IntRange(0, 300).Draw(t, "total")
		first := rapid.Int32Range(1, 120).Draw(t, "first")
		var after *string
		next := 0
		for {
			w, err := connection.NewWindow(&first, nil, after)
			if err != nil {
				t.Fatal(err)
			}
			var rows []int
			for i := w.Offset; i < total && len(rows) <= w.Limit; i++ {
				rows = append(rows, i)
			}
			p := connection.NewPage(w, rows, func(context.Context) (int, error) { return total, nil })
			for _, e := range p.Edges() {
				if *e.Node != next || e.Cursor != connection.Cursor(next) {
					t.Fatalf("row %d has cursor %s, want row %d", *e.Node, e.Cursor, next)
				}
				next++
			}
			info := p.PageInfo()
			if info.HasPreviousPage != (w.Offset > 0) {
				t.Fatalf("hasPreviousPage is %v at %d", info.HasPreviousPage, w.Offset)
			}
			if !info.HasNextPage {
				break
			}
			after = info.EndCursor
		}
		if next != total {
			t.Fatalf("saw %d rows of %d", next, total)
		}
	})
}

func TestTotalIsCountedOnlyWhenAsked(t *testing.T) {
	failed := errors.New("counted")
	p := connection.NewPage(connection.Window{Limit: 1}, []int{1}, func(context.Context) (int, error) { return 0, failed })
	info := p.PageInfo()
	if _, err := info.TotalRecords(context.Background()); !errors.Is(err, failed) {
		t.Errorf("TotalRecords = %v, want the error of the count", err)
	}
}
