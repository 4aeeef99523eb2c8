package playbook

import (
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/oppflow/oppflow/playbook/clockchange"
	"github.com/oppflow/oppflow/playbook/diagnostic"
)

// Clock is a local time of day, in minutes since midnight, written as 09:00; 24:00 is the end of
// the day.
type Clock int

const endOfDay Clock = 24 * 60

var clockPattern = regexp.MustCompile(`^([01][0-9]|2[0-4]):([0-5][0-9])$`)

// UnmarshalText reads a time of day such as 09:00.
func (c *Clock) UnmarshalText(text []byte) error {
	found := clockPattern.FindStringSubmatch(string(text))
	if found == nil {
		return fmt.Errorf("%q is not a time of day; write hours and minutes, such as 09:00", diagnostic.Quote(string(text)))
	}
	hours, _ := strconv.Atoi(found[1])
	minutes, _ := strconv.Atoi(found[2])
	if *c = Clock(60*hours + minutes); *c > endOfDay {
		return fmt.Errorf("%q is not a time of day; the day ends at 24:00", diagnostic.Quote(string(text)))
	}
	return nil
}

// MarshalText writes the time in the form that UnmarshalText reads.
func (c Clock) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// String returns the time in the form that UnmarshalText reads.
func (c Clock) String() string { return fmt.Sprintf("%02d:%02d", c/60, c%60) }

// Date is a day of the calendar, written as 2026-12-25.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// UnmarshalText reads a day such as 2026-12-25.
func (d *Date) UnmarshalText(text []byte) error {
	t, err := time.Parse(time.DateOnly, string(text))
	if err != nil {
		return fmt.Errorf("%q is not a date; write a date such as 2026-12-25", diagnostic.Quote(string(text)))
	}
	*d = dateOf(t)
	return nil
}

// MarshalText writes the day in the form that UnmarshalText reads.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// String returns the day in the form that UnmarshalText reads.
func (d Date) String() string { return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day) }

func dateOf(t time.Time) Date {
	year, month, day := t.Date()
	return Date{year, month, day}
}

func (d Date) plus(n int) Date {
	return dateOf(time.Date(d.Year, d.Month, d.Day+n, 0, 0, 0, 0, time.UTC))
}

func (d Date) weekday() time.Weekday {
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC).Weekday()
}

// Weekday is a day of the week, written as mon, tue, wed, thu, fri, sat or sun.
type Weekday time.Weekday

// UnmarshalText reads a day of the week such as mon or monday.
func (w *Weekday) UnmarshalText(text []byte) error {
	for day := time.Sunday; day <= time.Saturday; day++ {
		if name := Weekday(day).String(); string(text) == name || string(text) == weekdayName(day) {
			*w = Weekday(day)
			return nil
		}
	}
	return fmt.Errorf("%q is not a day of the week; write mon, tue, wed, thu, fri, sat or sun", diagnostic.Quote(string(text)))
}

// MarshalText writes the first three letters of the day.
func (w Weekday) MarshalText() ([]byte, error) { return []byte(w.String()), nil }

// String returns the first three letters of the day.
func (w Weekday) String() string { return weekdayName(time.Weekday(w))[:3] }

func weekdayName(day time.Weekday) string {
	name := day.String()
	return string(name[0]|0x20) + name[1:]
}

// localDateTime is a local time, without its zone.
type localDateTime struct {
	date      Date
	timeOfDay time.Duration // since midnight, in local time
}

func localDateTimeOf(t time.Time) localDateTime {
	hour, minute, second := t.Clock()
	return localDateTime{dateOf(t), time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute + time.Duration(second)*time.Second + time.Duration(t.Nanosecond())}
}

func (c Clock) duration() time.Duration { return time.Duration(c) * time.Minute }

// When clocks are set back and w occurs twice, momentIn returns the first moment. When clocks skip
// w, momentIn returns the moment at which the clocks are set forward.
func (w localDateTime) momentIn(zone *time.Location) time.Time {
	t := time.Date(w.date.Year, w.date.Month, w.date.Day, 0, 0, 0, int(w.timeOfDay), zone)
	if wanted := w.date.plus(int(w.timeOfDay / (24 * time.Hour))); localDateTimeOf(t) != (localDateTime{wanted, w.timeOfDay % (24 * time.Hour)}) {
		return clockchange.Nearest(t)
	}
	if begins, by := clockchange.Repeated(t); !begins.IsZero() {
		return t.Add(-by)
	}
	return t
}
