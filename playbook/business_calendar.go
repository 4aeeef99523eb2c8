package playbook

import (
	"fmt"
	"slices"
	"time"
	_ "time/tzdata" // the program contains all time zones, so the machine needs no time zone database

	"github.com/oppflow/oppflow/playbook/clockchange"
	"github.com/oppflow/oppflow/playbook/diagnostic"
)

// Calendar says when a tenant works. By default, the time zone is UTC, business days are Monday to
// Friday, and no follow-up waits for business hours.
type Calendar struct {
	// Zone is the time zone of the calendar, by its IANA name, such as Europe/London.
	Zone string `json:"zone,omitempty"`
	// Hours are the business hours, for which follow-ups wait by default.
	Hours []OpenHours `json:"hours,omitempty"`
	// Holidays are days without business hours.
	Holidays []Date `json:"holidays,omitempty"`
	// Quiet are hours of every day in which Oppflow does no follow-ups.
	Quiet *QuietHours `json:"quiet,omitempty"`
}

// OpenHours are business hours on some days of the week.
type OpenHours struct {
	Days []Weekday `json:"days"`
	From Clock     `json:"from"`
	// To is when the business hours end; 24:00 is the end of the day.
	To Clock `json:"to"`
}

// QuietHours begin at From, end at To and may include midnight.
type QuietHours struct {
	From Clock `json:"from"`
	To   Clock `json:"to"`
}

// businessCalendar is a compiled Calendar, which adds and subtracts periods. The zero value has
// the zone UTC and business days from Monday to Friday.
type businessCalendar struct {
	zone     *time.Location
	open     map[time.Weekday][]clockSpan
	holidays map[Date]bool
	quiet    *QuietHours
}

type clockSpan struct{ from, to Clock }

func (c Calendar) compile(zone *time.Location) businessCalendar {
	w := businessCalendar{zone: zone, holidays: make(map[Date]bool), quiet: c.Quiet}
	for _, day := range c.Holidays {
		w.holidays[day] = true
	}
	if len(c.Hours) > 0 {
		w.open = make(map[time.Weekday][]clockSpan)
	}
	for _, hours := range c.Hours {
		for _, day := range hours.Days {
			w.open[time.Weekday(day)] = append(w.open[time.Weekday(day)], clockSpan{hours.From, hours.To})
		}
	}
	for _, spans := range w.open {
		slices.SortFunc(spans, func(a, b clockSpan) int { return int(a.from - b.from) })
	}
	return w
}

func (w businessCalendar) inZone(t time.Time) time.Time {
	if w.zone == nil {
		return t.UTC()
	}
	return t.In(w.zone)
}

func (w businessCalendar) momentOf(day Date, of time.Duration) time.Time {
	return localDateTime{day, of}.momentIn(w.inZone(time.Time{}).Location())
}

func (w businessCalendar) openSpans(day Date) []clockSpan {
	switch {
	case w.holidays[day]:
		return nil
	case w.open != nil:
		return w.open[day.weekday()]
	case day.weekday() == time.Saturday || day.weekday() == time.Sunday:
		return nil
	}
	return []clockSpan{{0, endOfDay}}
}

func (w businessCalendar) isBusinessDay(day Date) bool { return len(w.openSpans(day)) > 0 }

// No valid calendar has maxSearchDays days in a row without business hours.
const maxSearchDays = 10 * MaxHolidays

// add is monotonic: for a later t, add never returns an earlier time.
func (w businessCalendar) add(t time.Time, l Period) time.Time {
	switch l.Unit {
	case Seconds:
		return t.Add(time.Duration(l.Count) * time.Second)
	case Hours:
		return t.Add(time.Duration(l.Count) * time.Hour)
	case Days, Weeks:
		here := localDateTimeOf(clockchange.AfterRepeated(w.inZone(t)))
		return w.momentOf(here.date.plus(l.days()), here.timeOfDay)
	case BusinessDays:
		here := localDateTimeOf(clockchange.AfterRepeated(w.inZone(t)))
		for range maxSearchDays { // on a day off, the period starts with the next business day
			if w.isBusinessDay(here.date) {
				break
			}
			here = localDateTime{date: here.date.plus(1)}
		}
		for range l.Count {
			here.date = here.date.plus(1)
			for n := 0; n < maxSearchDays && !w.isBusinessDay(here.date); n++ {
				here.date = here.date.plus(1)
			}
		}
		return w.momentOf(here.date, here.timeOfDay)
	case BusinessHours:
		return w.addBusinessTime(t, time.Duration(l.Count)*time.Hour)
	}
	return t.Add(time.Duration(l.Count) * time.Minute)
}

// subtract is monotonic, like add.
func (w businessCalendar) subtract(t time.Time, l Period) time.Time {
	switch l.Unit {
	case Seconds:
		return t.Add(-time.Duration(l.Count) * time.Second)
	case Hours:
		return t.Add(-time.Duration(l.Count) * time.Hour)
	case Days, Weeks:
		here := localDateTimeOf(clockchange.AfterRepeated(w.inZone(t)))
		return w.momentOf(here.date.plus(-l.days()), here.timeOfDay)
	case BusinessDays:
		here := localDateTimeOf(clockchange.AfterRepeated(w.inZone(t)))
		for range maxSearchDays { // on a day off, the period starts at the end of the last business day
			if w.isBusinessDay(here.date) {
				break
			}
			here = localDateTime{date: here.date.plus(-1), timeOfDay: 24*time.Hour - 1}
		}
		for range l.Count {
			here.date = here.date.plus(-1)
			for n := 0; n < maxSearchDays && !w.isBusinessDay(here.date); n++ {
				here.date = here.date.plus(-1)
			}
		}
		return w.momentOf(here.date, here.timeOfDay)
	case BusinessHours:
		return w.subtractBusinessTime(t, time.Duration(l.Count)*time.Hour)
	}
	return t.Add(-time.Duration(l.Count) * time.Minute)
}

func (l Period) days() int {
	if l.Unit == Weeks {
		return 7 * l.Count
	}
	return l.Count
}

type opening struct{ from, to time.Time }

func (w businessCalendar) openings(day Date) []opening {
	var all []opening
	for _, s := range w.openSpans(day) {
		o := opening{w.momentOf(day, s.from.duration()), w.momentOf(day, s.to.duration())}
		if o.from.Before(o.to) { // a clock change can skip the whole opening
			all = append(all, o)
		}
	}
	return all
}

func (w businessCalendar) addBusinessTime(t time.Time, length time.Duration) time.Time {
	if length <= 0 {
		return t
	}
	day := dateOf(w.inZone(t))
	for idle := 0; idle < maxSearchDays; day = day.plus(1) {
		idle++
		for _, o := range w.openings(day) {
			idle = 0
			if o.from.Before(t) {
				o.from = t
			}
			open := o.to.Sub(o.from)
			if open >= length {
				return o.from.Add(length)
			}
			length -= max(open, 0)
		}
	}
	return t.Add(length)
}

func (w businessCalendar) subtractBusinessTime(t time.Time, length time.Duration) time.Time {
	if length <= 0 {
		return t
	}
	day := dateOf(w.inZone(t))
	for idle := 0; idle < maxSearchDays; day = day.plus(-1) {
		idle++
		all := w.openings(day)
		slices.Reverse(all)
		for _, o := range all {
			idle = 0
			if o.to.After(t) {
				o.to = t
			}
			open := o.to.Sub(o.from)
			if open >= length {
				return o.to.Add(-length)
			}
			length -= max(open, 0)
		}
	}
	return t.Add(-length)
}

func (w businessCalendar) isQuiet(t time.Time) bool {
	if w.quiet == nil {
		return false
	}
	of, from, to := localDateTimeOf(w.inZone(t)).timeOfDay, w.quiet.From.duration(), w.quiet.To.duration()
	if from <= to {
		return from <= of && of < to
	}
	return of >= from || of < to
}

func (w businessCalendar) quietEnd(t time.Time) time.Time {
	here := localDateTimeOf(w.inZone(t))
	day, to := here.date, w.quiet.To.duration()
	if to <= here.timeOfDay {
		day = day.plus(1)
	}
	end := w.momentOf(day, to)
	if begins, by := clockchange.Repeated(w.inZone(t)); !begins.IsZero() && !end.After(t) {
		end = end.Add(by) // the local time quiet.To occurs twice, and its first occurrence has passed
	}
	if _, set := w.inZone(t).ZoneBounds(); !set.IsZero() && set.Before(end) && !w.isQuiet(set) {
		return set // clocks are set back to a time before the quiet hours
	}
	return end
}

func (w businessCalendar) isOpen(t time.Time) bool {
	return slices.ContainsFunc(w.openings(dateOf(w.inZone(t))), func(o opening) bool {
		return !t.Before(o.from) && t.Before(o.to)
	})
}

func (w businessCalendar) nextOpening(t time.Time) time.Time {
	day := dateOf(w.inZone(t))
	for range maxSearchDays {
		for _, o := range w.openings(day) {
			if o.from.After(t) {
				return o.from
			}
		}
		day = day.plus(1)
	}
	return t
}

// firstAllowed returns the first moment at or after t that is outside the quiet hours. If business
// is true and the tenant has business hours, the moment is also in business hours.
func (w businessCalendar) firstAllowed(t time.Time, business bool) time.Time {
	for range maxSearchDays {
		switch {
		case w.isQuiet(t):
			t = w.quietEnd(t)
		case business && w.open != nil && !w.isOpen(t):
			t = w.nextOpening(t)
		default:
			return t
		}
	}
	return t
}

func (c *checker) checkCalendar() {
	calendar := c.rules.Calendar
	if at := "calendar.zone"; c.isGiven(at) {
		zone, err := time.LoadLocation(calendar.Zone)
		if err != nil || calendar.Zone == "" || calendar.Zone == "Local" {
			c.report(at, "there is no time zone %q; give the IANA name of a time zone, such as Europe/London or America/New_York", diagnostic.Quote(calendar.Zone))
		} else {
			c.zone = zone
		}
	}
	c.atMost("calendar.hours", len(calendar.Hours), 50)
	c.atMost("calendar.holidays", len(calendar.Holidays), MaxHolidays)
	taken := make(map[Weekday][]clockSpan)
	for i, hours := range calendar.Hours {
		path := fmt.Sprintf("calendar.hours[%d]", i)
		if !c.isGiven(path+".from") || !c.isGiven(path+".to") || !c.isGiven(path+".days") {
			continue
		}
		if len(hours.Days) == 0 {
			c.report(path+".days", "the business hours have no days; give at least one of mon, tue, wed, thu, fri, sat, sun")
		}
		if hours.From >= hours.To {
			c.report(path+".to", "the business hours end at %s, which is not after the start at %s; split business hours that pass midnight into two entries", hours.To, hours.From)
			continue
		}
		for d, day := range hours.Days {
			for _, other := range taken[day] {
				if hours.From < other.to && other.from < hours.To {
					c.report(fmt.Sprintf("%s.days[%d]", path, d), "%s already has business hours from %s to %s", day, other.from, other.to)
				}
			}
			taken[day] = append(taken[day], clockSpan{hours.From, hours.To})
		}
	}
	seen := make(map[Date]bool)
	for i, day := range calendar.Holidays {
		if seen[day] {
			c.report(fmt.Sprintf("calendar.holidays[%d]", i), "the holiday %s is given twice; give the holiday once", day)
		}
		seen[day] = true
	}
	c.checkQuiet(calendar, taken)
}

func (c *checker) checkQuiet(calendar Calendar, open map[Weekday][]clockSpan) {
	quiet := calendar.Quiet
	if quiet == nil || !c.isGiven("calendar.quiet.from") || !c.isGiven("calendar.quiet.to") {
		return
	}
	if quiet.From == quiet.To {
		c.report("calendar.quiet", "quiet hours from %s to %s start and end at the same time; give two different times", quiet.From, quiet.To)
		return
	}
	if quiet.From == endOfDay {
		c.report("calendar.quiet.from", "the quiet hours start at 24:00; write 00:00")
		return
	}
	if len(open) == 0 {
		if quiet.From == 0 && quiet.To == endOfDay {
			c.report("calendar.quiet", "the quiet hours cover the whole day, so no follow-up can ever be done")
		}
		return
	}
	for _, spans := range open {
		for _, s := range spans {
			for minute := s.from; minute < s.to; minute++ {
				if !quiet.contains(minute) {
					return
				}
			}
		}
	}
	c.report("calendar.quiet", "the quiet hours cover all business hours, so no follow-up can ever be done")
}

func (q QuietHours) contains(minute Clock) bool {
	if q.From <= q.To {
		return q.From <= minute && minute < q.To
	}
	return minute >= q.From || minute < q.To
}
