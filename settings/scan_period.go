package settings

import (
	"errors"
	"time"
)

// DefaultScanPeriod is the default of API.ScanPeriod.
const DefaultScanPeriod = 24 * time.Hour

// ScanPeriod is the time in which the scan compares the records of all open runs once. The zero
// value means DefaultScanPeriod.
type ScanPeriod struct {
	period time.Duration
	off    bool
}

// Period returns the length of the period, or 0 if the scan is off.
func (s ScanPeriod) Period() time.Duration {
	switch {
	case s.off:
		return 0
	case s.period == 0:
		return DefaultScanPeriod
	}
	return s.period
}

// Set sets s to the value of a flag; 0 switches the scan off.
func (s *ScanPeriod) Set(text string) error {
	value, err := time.ParseDuration(text)
	if err != nil || value < 0 {
		return errors.New("must be a length of time, such as 24h or 90m, or 0 for no scan")
	}
	*s = ScanPeriod{period: value, off: value == 0}
	return nil
}

// String returns the value as text, which is "" for the zero value.
func (s *ScanPeriod) String() string {
	if *s == (ScanPeriod{}) {
		return ""
	}
	return s.period.String()
}

// Type returns the name that help output shows for the value of the flag.
func (s *ScanPeriod) Type() string { return "duration" }
