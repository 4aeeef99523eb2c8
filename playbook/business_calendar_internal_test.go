package playbook

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// zones are time zones with different clock changes: by an hour, by half an hour, at midnight, by a
// whole day, and never.
var zones = []string{
	"Europe/London", "America/New_York", "Australia/Lord_Howe", "America/Havana", "Africa/Cairo", "Pacific/Apia",
	"Asia/Kathmandu", "America/Asuncion", "Asia/Beirut", "UTC",
}

func zone(t interface{ Fatal(args ...any) }, name string) *time.Location {
	location, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return location
}

func at(t *testing.T, text string) time.Time {
	t.Helper()
	moment, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return moment
}

func parsePeriod(t *testing.T, text string) Period {
	t.Helper()
	var l Period
	if err := l.UnmarshalText([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return l
}

var office = Calendar{
	Hours:    []OpenHours{{Days: []Weekday{1, 2, 3, 4, 5}, From: 9 * 60, To: 17 * 60}},
	Holidays: []Date{{2026, 12, 25}, {2026, 12, 28}},
	Quiet:    &QuietHours{From: 20 * 60, To: 8 * 60},
}

func TestLengthsOnTheWall(t *testing.T) {
	london := office.compile(zone(t, "Europe/London"))
	tests := []struct{ from, length, plus, minus string }{
		{"2026-12-22T10:00:00Z", "90 seconds", "2026-12-22T10:01:30Z", "2026-12-22T09:58:30Z"},
		{"2026-12-22T10:00:00Z", "90 minutes", "2026-12-22T11:30:00Z", "2026-12-22T08:30:00Z"},
		{"2026-12-22T10:00:00Z", "36h", "2026-12-23T22:00:00Z", "2026-12-20T22:00:00Z"},
		{"2026-12-22T10:00:00Z", "2 weeks", "2027-01-05T10:00:00Z", "2026-12-08T10:00:00Z"},
		{"2026-12-22T10:00:00Z", "2 business days", "2026-12-24T10:00:00Z", "2026-12-18T10:00:00Z"},
		{"2026-12-22T10:00:00Z", "3 business days", "2026-12-29T10:00:00Z", "2026-12-17T10:00:00Z"},
		{"2026-12-22T10:00:00Z", "8 business hours", "2026-12-23T10:00:00Z", "2026-12-21T10:00:00Z"},
		{"2026-12-24T16:30:00Z", "1 business hour", "2026-12-29T09:30:00Z", "2026-12-24T15:30:00Z"},
		// From a moment on a Saturday, an addition starts with Monday, and a subtraction starts at
		// the end of Friday.
		{"2026-12-19T10:00:00Z", "1 business day", "2026-12-22T00:00:00Z", "2026-12-17T23:59:59.999999999Z"},
		{"2026-12-19T10:00:00Z", "1 business hour", "2026-12-21T10:00:00Z", "2026-12-18T16:00:00Z"},
		// In London, clocks are set forward in the night to 29 March 2026 and back in the night to 25 October 2026.
		{"2026-03-28T10:00:00Z", "1 day", "2026-03-29T09:00:00Z", "2026-03-27T10:00:00Z"},
		{"2026-03-28T10:00:00Z", "24 hours", "2026-03-29T10:00:00Z", "2026-03-27T10:00:00Z"},
		{"2026-03-28T01:30:00Z", "1 day", "2026-03-29T01:00:00Z", "2026-03-27T01:30:00Z"}, // the local time 01:30 does not exist
		{"2026-10-24T00:30:00Z", "1 day", "2026-10-25T00:30:00Z", "2026-10-23T00:30:00Z"}, // the local time 01:30 occurs twice
		{"2026-10-25T01:30:00Z", "1 day", "2026-10-26T02:00:00Z", "2026-10-24T01:00:00Z"}, // the second occurrence of 01:30
	}
	for _, test := range tests {
		from, l := at(t, test.from), parsePeriod(t, test.length)
		if got := london.add(from, l).UTC().Format(time.RFC3339Nano); got != test.plus {
			t.Errorf("%s after %s is %s, want %s", l, test.from, got, test.plus)
		}
		if got := london.subtract(from, l).UTC().Format(time.RFC3339Nano); got != test.minus {
			t.Errorf("%s before %s is %s, want %s", l, test.from, got, test.minus)
		}
	}
}

func TestWhatIsPutOff(t *testing.T) {
	london := office.compile(zone(t, "Europe/London"))
	tests := []struct{ at, business, any string }{
		{"2026-12-22T10:00:00Z", "2026-12-22T10:00:00Z", "2026-12-22T10:00:00Z"},
		{"2026-12-22T17:00:00Z", "2026-12-23T09:00:00Z", "2026-12-22T17:00:00Z"},
		{"2026-12-22T21:00:00Z", "2026-12-23T09:00:00Z", "2026-12-23T08:00:00Z"},
		{"2026-12-24T17:00:00Z", "2026-12-29T09:00:00Z", "2026-12-24T17:00:00Z"},
		{"2026-07-20T19:30:00Z", "2026-07-21T08:00:00Z", "2026-07-21T07:00:00Z"},
	}
	for _, test := range tests {
		if got := london.firstAllowed(at(t, test.at), true).UTC().Format(time.RFC3339); got != test.business {
			t.Errorf("%s is delayed to %s within business hours, want %s", test.at, got, test.business)
		}
		if got := london.firstAllowed(at(t, test.at), false).UTC().Format(time.RFC3339); got != test.any {
			t.Errorf("%s is put off to %s, want %s", test.at, got, test.any)
		}
	}
	// On 25 October 2026 in London, the local times from 01:00 to 02:00 occur twice. Quiet hours that begin at 01:15
	// end when the clocks are set back to 01:00. The quiet hours begin a second time at the second 01:15.
	night := Calendar{Quiet: &QuietHours{From: 75, To: 0}}.compile(zone(t, "Europe/London"))
	for from, want := range map[string]string{
		"2026-10-25T00:10:00Z": "2026-10-25T00:10:00Z", "2026-10-25T00:59:00Z": "2026-10-25T01:00:00Z",
		"2026-10-25T01:10:00Z": "2026-10-25T01:10:00Z", "2026-10-25T01:20:00Z": "2026-10-26T00:00:00Z",
	} {
		if got := night.firstAllowed(at(t, from), false).UTC().Format(time.RFC3339); got != want {
			t.Errorf("%s is put off to %s, want %s", from, got, want)
		}
	}
	var none businessCalendar
	if got := none.firstAllowed(at(t, "2026-12-25T03:00:00Z"), true); !got.Equal(at(t, "2026-12-25T03:00:00Z")) {
		t.Errorf("a calendar without hours delays to %s", got)
	}
}

// drawnCalendar draws a valid calendar.
func drawnCalendar(t *rapid.T) (businessCalendar, Calendar) {
	quarter := func(name string, least, most int) Clock {
		return Clock(15 * rapid.IntRange(least, most).Draw(t, name))
	}
	var c Calendar
	for range rapid.IntRange(0, 3).Draw(t, "hours") {
		from := quarter("from", 0, 94)
		hours := OpenHours{From: from, To: quarter("to", int(from)/15+1, 96)}
		for _, day := range rapid.SliceOfNDistinct(rapid.IntRange(0, 6), 1, 7, rapid.ID[int]).Draw(t, "days") {
			taken := slices.ContainsFunc(c.Hours, func(h OpenHours) bool {
				return slices.Contains(h.Days, Weekday(day)) && h.From < hours.To && hours.From < h.To
			})
			if !taken { // business hours must not overlap in a valid calendar
				hours.Days = append(hours.Days, Weekday(day))
			}
		}
		if len(hours.Days) > 0 {
			c.Hours = append(c.Hours, hours)
		}
	}
	for _, n := range rapid.SliceOfN(rapid.IntRange(0, 365), 0, 10).Draw(t, "holidays") {
		c.Holidays = append(c.Holidays, Date{2026, 1, 1}.plus(n))
	}
	if rapid.Bool().Draw(t, "is quiet") {
		quiet := QuietHours{From: quarter("quiet from", 0, 95), To: quarter("quiet to", 0, 96)}
		var some bool
		for minute := range endOfDay {
			some = some || !quiet.contains(minute) && (len(c.Hours) == 0 || slices.ContainsFunc(c.Hours, func(h OpenHours) bool {
				return h.From <= minute && minute < h.To && h.To-h.From >= 180
			}))
		}
		if quiet.From != quiet.To && some {
			c.Quiet = &quiet
		}
	}
	return c.compile(zone(t, rapid.SampledFrom(zones).Draw(t, "zone"))), c
}

func anyMoment() *rapid.Generator[time.Time] {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	anywhere := rapid.Map(rapid.IntRange(0, 366*24*3600), func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) })
	near := rapid.Custom(func(t *rapid.T) time.Time {
		set := start
		location := zone(t, rapid.SampledFrom(zones).Draw(t, "clocks of"))
		for range rapid.IntRange(0, 2).Draw(t, "setting") {
			if _, ends := set.In(location).ZoneBounds(); !ends.IsZero() && ends.Year() < 2027 {
				set = ends
			}
		}
		return set.Add(time.Duration(rapid.IntRange(-200, 200).Draw(t, "minutes")) * time.Minute)
	})
	apia := rapid.Map(rapid.IntRange(-3000, 3000), func(m int) time.Time { // a day that was skipped in Apia
		return time.Date(2011, 12, 30, 10, 0, 0, 0, time.UTC).Add(time.Duration(m) * time.Minute)
	})
	return rapid.OneOf(anywhere, near, apia)
}

func drawnPeriod(t *rapid.T) Period {
	unit := rapid.SampledFrom([]Unit{Seconds, Minutes, Hours, Days, Weeks, BusinessHours, BusinessDays}).Draw(t, "unit")
	return Period{rapid.IntRange(0, 30).Draw(t, "count"), unit}
}

func TestNothingIsDoneInQuietHoursNorTooEarly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		work, calendar := drawnCalendar(t)
		from, business := anyMoment().Draw(t, "moment"), rapid.Bool().Draw(t, "business")
		got := work.firstAllowed(from, business)
		if got.Before(from) {
			t.Fatalf("%s is delayed to %s, which is earlier", from, got)
		}
		here := got.In(work.inZone(got).Location())
		hour, minute, _ := here.Clock()
		if calendar.Quiet != nil && calendar.Quiet.contains(Clock(60*hour+minute)) {
			t.Fatalf("%s is delayed to %s, which is in the quiet hours", from, here)
		}
		if business && len(calendar.Hours) > 0 {
			if slices.Contains(calendar.Holidays, dateOf(here)) {
				t.Fatalf("%s is delayed to the holiday %s", from, here)
			}
			if !slices.ContainsFunc(calendar.Hours, func(h OpenHours) bool {
				return slices.Contains(h.Days, Weekday(here.Weekday()))
			}) {
				t.Fatalf("%s is delayed to %s, which is no business day", from, here)
			}
			if !work.isOpen(got) {
				t.Fatalf("%s is delayed to %s, which is outside business hours", from, here)
			}
		}
		if again := work.firstAllowed(got, business); !again.Equal(got) {
			t.Fatalf("%s is delayed to %s, and this moment is delayed again, to %s", from, got, again)
		}
		later := from.Add(time.Duration(rapid.IntRange(0, 4000).Draw(t, "minutes later")) * time.Minute)
		if next := work.firstAllowed(later, business); next.Before(got) {
			t.Fatalf("%s is delayed to %s, but the later moment %s only to %s", from, got, later, next)
		}
	})
}

func TestReckoningNeverGoesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		work, _ := drawnCalendar(t)
		a, l := anyMoment().Draw(t, "moment"), drawnPeriod(t)
		b := a.Add(time.Duration(rapid.IntRange(0, 5000*60).Draw(t, "seconds later")) * time.Second)
		if one, two := work.add(a, l), work.add(b, l); two.Before(one) {
			t.Fatalf("%s after %s is %s, but after %s it is %s", l, a, one, b, two)
		}
		if one, two := work.subtract(a, l), work.subtract(b, l); two.Before(one) {
			t.Fatalf("%s before %s is %s, but before %s it is %s", l, a, one, b, two)
		}
		if got := work.add(a, l); got.Before(a) {
			t.Fatalf("%s after %s is %s", l, a, got)
		}
		if got := work.subtract(a, l); got.After(work.inZone(a).Add(2 * 24 * time.Hour)) {
			t.Fatalf("%s before %s is %s", l, a, got)
		}
	})
}

func TestLengthsAreReadAsTheyAreWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := drawnPeriod(t)
		var got Period
		if err := got.UnmarshalText([]byte(want.String())); err != nil || got != want {
			t.Fatalf("%s is read as %s: %v", want, got, err)
		}
	})
	for text, want := range map[string]Period{
		"5s": {5, Seconds}, "30 s": {30, Seconds}, "1 second": {1, Seconds}, "0s": {0, Seconds}, "300000000 seconds": {300_000_000, Seconds},
		"5m": {5, Minutes}, "1 minute": {1, Minutes}, "36h": {36, Hours}, "1 hour": {1, Hours}, "7d": {7, Days}, "1day": {1, Days},
		"2w": {2, Weeks}, "2 weeks": {2, Weeks}, "4bh": {4, BusinessHours}, "1 business hour": {1, BusinessHours},
		"2bd": {2, BusinessDays}, "2 business days": {2, BusinessDays}, "0 hours": {0, Hours},
	} {
		if got := parsePeriod(t, text); got != want {
			t.Errorf("%q is read as %s", text, got)
		}
	}
	if none, read := (Period{}).String(), parsePeriod(t, Period{}.String()); none != "0 minutes" || read != (Period{0, Minutes}) {
		t.Errorf("no time is written as %q and read as %s", none, read)
	}
	for _, wrong := range []string{"", "5", "5 parsecs", "-1 day", "1.5 days", "1d12h", "4000 days", "9999999999 days", "d", "5  days", "s", "5ss", "1 sec", "300000001 seconds"} {
		var got Period
		if err := got.UnmarshalText([]byte(wrong)); err == nil {
			t.Errorf("%q is read as %s", wrong, got)
		}
	}
}
