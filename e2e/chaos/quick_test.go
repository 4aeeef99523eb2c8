package chaos

import (
	"time"

	"github.com/oppflow/oppflow/activities"
)

// Quick is an experiment of about half a minute. The send window, response time and settle time
// last only seconds, so Oppflow soon reads back a change that a kill leaves unknown.
func Quick(seed uint64) Options {
	return Options{
		Seed: seed, DisruptionTime: 12 * time.Second, Pause: 400 * time.Millisecond, Opportunities: 30, Messages: 6, LongMessages: 40,
		Senders: 30, Rounds: 1, Freeze: 6 * time.Second, ContinueAfter: 120,
		Outage: 6 * time.Second, HoldTime: 2 * time.Second, OptionalKinds: 3,
		Times:  activities.Times{SendWindow: 3 * time.Second, ResponseTime: time.Second, SettleTime: 5 * time.Second},
		LateBy: 3 * time.Second, SlowTime: 500 * time.Millisecond, TokenLifetime: 15 * time.Second,
	}
}
