package settings

import "errors"

// AdoptedSince says from which time Oppflow counts the delays of an adopted record's follow-ups.
type AdoptedSince string

// The zero value of AdoptedSince means SinceAdoption.
const (
	// SinceAdoption means the time of the adoption.
	SinceAdoption AdoptedSince = "adoption"
	// SinceRecord means the time of the record's last change in the TMS.
	SinceRecord AdoptedSince = "record"
)

// Set sets s to the value of a flag.
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

// Type returns the name that help output shows for the value of the flag.
func (s *AdoptedSince) Type() string { return "time" }
