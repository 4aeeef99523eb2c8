package playbook

import (
	"fmt"
	"time"
)

func (c *checker) checkCalendar() {
	calendar := c.rules.Calendar
	if at := "calendar.zone"; c.isGiven(at) {
		zone, err := time.LoadLocation(calendar.Zone)
		if err != nil || calendar.Zone == "" || calendar.Zone == "Local" {
			c.report(at, "there is no time zone %q; give its IANA name, such as Europe/London or America/New_York", truncateQuote(calendar.Zone))
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
			c.report(path+".days", "no days; give some of mon, tue, wed, thu, fri, sat, sun")
		}
		if hours.From >= hours.To {
			c.report(path+".to", "business hours end at %s, which is not after %s; give those past midnight as two", hours.To, hours.From)
			continue
		}
		for d, day := range hours.Days {
			for _, other := range taken[day] {
				if hours.From < other.to && other.from < hours.To {
					c.report(fmt.Sprintf("%s.days[%d]", path, d), "%s has business hours from %s to %s already", day, other.from, other.to)
				}
			}
			taken[day] = append(taken[day], clockSpan{hours.From, hours.To})
		}
	}
	seen := make(map[Date]bool)
	for i, day := range calendar.Holidays {
		if seen[day] {
			c.report(fmt.Sprintf("calendar.holidays[%d]", i), "%s is given twice", day)
		}
		seen[day] = true
	}
	c.checkQuiet(calendar, taken)
}

// checkQuiet checks the quiet hours, which must leave a time at which a follow-up may be done.
func (c *checker) checkQuiet(calendar Calendar, open map[Weekday][]clockSpan) {
	quiet := calendar.Quiet
	if quiet == nil || !c.isGiven("calendar.quiet.from") || !c.isGiven("calendar.quiet.to") {
		return
	}
	if quiet.From == quiet.To {
		c.report("calendar.quiet", "quiet hours from %s to %s are no time at all, or all the time; give two different times", quiet.From, quiet.To)
		return
	}
	if quiet.From == endOfDay {
		c.report("calendar.quiet.from", "quiet hours begin at 24:00; write 00:00")
		return
	}
	if len(open) == 0 {
		if quiet.From == 0 && quiet.To == endOfDay {
			c.report("calendar.quiet", "all the day is quiet; no follow-up could ever be done")
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
	c.report("calendar.quiet", "all business hours are quiet; no follow-up could ever be done")
}

// contains reports whether the minute of the day is quiet.
func (q QuietHours) contains(minute Clock) bool {
	if q.From <= q.To {
		return q.From <= minute && minute < q.To
	}
	return minute >= q.From || minute < q.To
}
