package playbook

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/oppflow/oppflow/playbook/diagnostic"
)

// Unit is the unit of a length of time.
type Unit string

// These are the units of a period. Seconds, minutes and hours are exact. A period in days or weeks ends at the same
// local time at which it began, also across a clock change. A business day is a day with business hours that is no
// holiday. A period in business hours counts only the time in which the tenant is open.
const (
	Seconds       Unit = "second"
	Minutes       Unit = "minute"
	Hours         Unit = "hour"
	Days          Unit = "day"
	Weeks         Unit = "week"
	BusinessHours Unit = "business hour"
	BusinessDays  Unit = "business day"
)

// maxCount returns the highest number of the unit in a period: about ten years.
func (u Unit) maxCount() int {
	switch u {
	case Seconds:
		return 300_000_000
	case Minutes:
		return 5_000_000
	case Hours:
		return 87_600
	case Weeks:
		return 520
	case BusinessHours:
		return 20_000
	case BusinessDays:
		return 2_600
	}
	return 3_650
}

// Period is a length of time in a unit, written as 2 business days, 36 hours or 7d; the zero value has the length 0.
type Period struct {
	Count int
	Unit  Unit
}

var periodPattern = regexp.MustCompile(`^([0-9]{1,9}) ?(s|seconds?|m|minutes?|h|hours?|d|days?|w|weeks?|bh|business hours?|bd|business days?)$`)

// UnmarshalText reads a period such as 7d, 36 hours or 2 business days.
func (l *Period) UnmarshalText(text []byte) error {
	const right = "write a whole number and a unit, such as 30 seconds, 30 minutes, 36 hours, 7 days, 2 weeks, 4 business hours or 2 business days"
	found := periodPattern.FindStringSubmatch(string(text))
	if found == nil {
		return fmt.Errorf("%q is not a length of time; %s", diagnostic.Quote(string(text)), right)
	}
	count, _ := strconv.Atoi(found[1])
	l.Count, l.Unit = count, unitOf(found[2])
	if most := l.Unit.maxCount(); count > most {
		return fmt.Errorf("%q is too long; the limit is %s", diagnostic.Quote(string(text)), Period{most, l.Unit})
	}
	return nil
}

func unitOf(text string) Unit {
	switch text = strings.TrimSuffix(text, "s"); text {
	case "": // the unit was s, which TrimSuffix removed
		return Seconds
	case "m":
		return Minutes
	case "h":
		return Hours
	case "d":
		return Days
	case "w":
		return Weeks
	case "bh":
		return BusinessHours
	case "bd":
		return BusinessDays
	}
	return Unit(text)
}

// MarshalText writes the period in words, such as 36 hours; a period of length 0 is 0 minutes.
func (l Period) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// String returns the period in words.
func (l Period) String() string {
	unit := l.Unit
	if unit == "" {
		unit = Minutes
	}
	if l.Count == 1 {
		return "1 " + string(unit)
	}
	return fmt.Sprintf("%d %ss", l.Count, unit)
}

// IsZero reports whether the period is the zero value.
func (l Period) IsZero() bool { return l == Period{} }
