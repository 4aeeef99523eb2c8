package people

import "testing"

func TestNamesAreComparedWithoutSpellingDifferences(t *testing.T) {
	for _, row := range []struct {
		first, last, otherFirst, otherLast string
		same                               bool
	}{
		{"Eva", "Two", "EVA", "two", true},
		{"Jean Paul", "O'Neil", "Jean-Paul", "O’Neil ", true},
		{"Jean", "Paul Sartre", "Jean Paul", "Sartre", true},
		{"Zoë", "Weiß", "Zoe\u0308", "WEISS", true},
		{"Zoë", "Weiss", "Zoe", "Weiss", false},
		{"Dan", "One", "Eva", "Two", false},
		{"金", "明", "金", "明 ", true},
		{"-", "-", "-", "-", true},
		{"-", "-", "+", "+", false},
		{"-", "-", "", "", false},
		{"Ann", "1", "Ann", "2", false},
	} {
		if got := nameKey(row.first, row.last) == nameKey(row.otherFirst, row.otherLast); got != row.same {
			t.Errorf("%q %q and %q %q are the same: %v", row.first, row.last, row.otherFirst, row.otherLast, got)
		}
	}
}
