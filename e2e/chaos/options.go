package chaos

import (
	"errors"
	"io"
	"time"
)

// Options say how hard the storm blows. What is zero is that of the short form.
type Options struct {
	// Seed decides the messages and the disruptions.
	Seed uint64
	// Length is how long the parts are disrupted.
	Length time.Duration
	// Opportunities is how many there are; Messages is how many each is sent on average, LongMessages how many the few
	// long ones.
	Opportunities, Messages, LongMessages int
	// Senders is how many opportunities are served at once, Rounds how often a sender takes a next one.
	Senders, Rounds int
	// Freeze is how long a worker is frozen; it must be longer than an activity may take (35 s).
	Freeze time.Duration
	// ContinueAfter is the length of history at which the server suggests to continue; 0 leaves it at what it is.
	ContinueAfter int
	// Long says that the places of the first list of disruptions are visited again until the time is over.
	Long bool
	// Race builds the parts with the race detector.
	Race bool
	// Data is where the databases are; "" is a directory that is removed in the end.
	Data string
	// Progress is told how far it is; nil is silent.
	Progress func(string)
	// Output takes what the parts write; nil drops it.
	Output io.Writer
}

// Short is a storm of about two minutes.
func Short(seed uint64) Options {
	return Options{
		Seed: seed, Length: 75 * time.Second, Opportunities: 60, Messages: 8, LongMessages: 90,
		Senders: 60, Rounds: 1, Freeze: 50 * time.Second, ContinueAfter: 250,
	}
}

// Long is a storm of so many minutes.
func Long(seed uint64, minutes int) Options {
	opportunities := max(60, 20*minutes)
	return Options{
		Seed: seed, Length: time.Duration(minutes) * time.Minute, Opportunities: opportunities, Messages: 12, LongMessages: 300,
		Senders: 60, Rounds: (opportunities + 59) / 60, Freeze: 90 * time.Second, Long: true,
	}
}

// errOptions says that options make no storm.
var errOptions = errors.New("length, opportunities, messages and senders must be positive")

func (o Options) validate() error {
	if o.Length <= 0 || o.Opportunities <= 0 || o.Messages <= 0 || o.Senders <= 0 || o.Rounds <= 0 {
		return errOptions
	}
	return nil
}
