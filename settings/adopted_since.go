package settings

import "errors"

// AdoptedSince is the time from which the follow-ups of an adopted record count.
type AdoptedSince string

// The two times. The zero value is SinceAdoption.
const (
	// SinceAdoption counts from the adoption.
	SinceAdoption AdoptedSince = "adoption"
	// SinceRecord counts from the time of the record's last change in the TMS.
	SinceRecord AdoptedSince = "record"
)

// Set reads the value of a flag.
func (s *AdoptedSince) Set(text string) error {
	switch since := AdoptedSince(text); since {
	case SinceAdoption, SinceRecord:
		*s = since
		return nil
	}
	return errors.New("must be adoption or record")
}

// String returns the value as text.
func (s *AdoptedSince) String() string { return string(*s) }

// Type names the kind of value in help output.
func (s *AdoptedSince) Type() string { return "time" }
