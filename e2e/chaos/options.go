package chaos

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/oppflow/oppflow/activities"
)

// Options say how hard the storm blows.
type Options struct {
	// Seed decides the messages and the disruptions.
	Seed uint64
	// DisruptionTime is how long the parts are disrupted.
	DisruptionTime time.Duration
	// Pause is the longest pause before a disruption.
	Pause time.Duration
	// Opportunities is how many there are; Messages is how many each is sent on average, LongMessages how many the few
	// long ones.
	Opportunities, Messages, LongMessages int
	// Senders is how many opportunities are served at once, Rounds how often a sender takes a next one.
	Senders, Rounds int
	// Times are those of the workers; zero members are the defaults of a worker.
	Times activities.Times
	// LateBy is how long after its client has gone the sandbox commits a request that is late. What the product
	// promises holds on the condition that it is shorter than the settle time: only then can the record be read back
	// when nothing of a request can be under way any more. It is longer than two seconds: the server may take a second
	// to notice the end of an activity, and another one for a timer. So a read-back that does not wait for the settle
	// time comes too early.
	LateBy time.Duration
	// SlowTime is how long a slow answer takes. It is shorter than the answer time, so that the client waits for it.
	SlowTime time.Duration
	// TokenLifetime is how long the tokens of the workers are good. It is short, so that they expire, and longer than what is
	// late takes, which would be refused otherwise. In the longer forms most are older than a minute when the API refuses
	// them: a worker takes those that are younger for tokens that were never good, and waits longer after each.
	TokenLifetime time.Duration
	// Freeze is how long a worker is frozen; it must be longer than an activity may take, which is the send window and
	// the answer time together.
	Freeze time.Duration
	// Outage is how long the API is away, or fails one query. It is longer than the settle time.
	Outage time.Duration
	// HoldTime is how long a disruption goes on that has no length of its own: levers are pulled, messages wait behind a pause.
	HoldTime time.Duration
	// OptionalKinds is how many of the kinds of disruptions a form visits that need not visit all, besides those that it always
	// visits.
	OptionalKinds int
	// Only are the kinds of disruptions that are visited; none is those of the form.
	Only []DisruptionKind
	// ContinueAfter is the length of history at which the server suggests to continue; 0 leaves it at what it is.
	ContinueAfter int
	// Long says that every kind of disruption is visited, again and again until the time is over.
	Long bool
	// Race builds the parts with the race detector.
	Race bool
	// Data is where the databases are; "" is a directory that is removed in the end.
	Data string
	// Progress gets a line about the progress of the storm; nil gets none.
	Progress func(string)
	// Output takes what the parts write; nil drops it.
	Output io.Writer
}

// Quick is a storm of about half a minute. The workers have times of seconds, so that the results that a kill leaves
// open are known soon.
func Quick(seed uint64) Options {
	return Options{
		Seed: seed, DisruptionTime: 12 * time.Second, Pause: 400 * time.Millisecond, Opportunities: 30, Messages: 6, LongMessages: 40,
		Senders: 30, Rounds: 1, Freeze: 6 * time.Second, ContinueAfter: 120,
		Outage: 6 * time.Second, HoldTime: 2 * time.Second, OptionalKinds: 3,
		Times:  activities.Times{SendWindow: 3 * time.Second, ResponseTime: time.Second, SettleTime: 5 * time.Second},
		LateBy: 3 * time.Second, SlowTime: 500 * time.Millisecond, TokenLifetime: 15 * time.Second,
	}
}

// Short is a storm of about two minutes.
func Short(seed uint64) Options {
	return withDefaultTimes(Options{
		Seed: seed, DisruptionTime: 75 * time.Second, Opportunities: 60, Messages: 8, LongMessages: 90,
		Senders: 60, Rounds: 1, Freeze: 50 * time.Second, ContinueAfter: 250,
		Outage: 10 * time.Second, HoldTime: 5 * time.Second, OptionalKinds: 4,
	})
}

// Long is a storm of so many minutes.
func Long(seed uint64, minutes int) Options {
	opportunities := max(60, 20*minutes)
	return withDefaultTimes(Options{
		Seed: seed, DisruptionTime: time.Duration(minutes) * time.Minute, Opportunities: opportunities, Messages: 12, LongMessages: 300,
		Senders: 60, Rounds: (opportunities + 59) / 60, Freeze: 90 * time.Second, ContinueAfter: 400, Long: true,
		Outage: 12 * time.Second, HoldTime: 6 * time.Second,
	})
}

// withDefaultTimes gives a storm the send window that a worker has by default. Its answer time and its settle time are short,
// since the sandbox commits what is late within three seconds.
func withDefaultTimes(o Options) Options {
	o.Times = activities.Times{ResponseTime: 4 * time.Second, SettleTime: 8 * time.Second}
	o.LateBy, o.SlowTime, o.TokenLifetime, o.Pause = 3*time.Second, 2*time.Second, 3*time.Minute, 2*time.Second
	return o
}

// workerTimes are the arguments that give a worker its times.
func (o Options) workerTimes() []string {
	args := []string{"--settle-time", o.Times.Settle().String()}
	if o.Times.SendWindow > 0 {
		args = append(args, "--send-window", o.Times.SendWindow.String())
	}
	if o.Times.ResponseTime > 0 {
		args = append(args, "--answer-time", o.Times.ResponseTime.String())
	}
	if !o.Long {
		args = append(args, "--playbook-in-force-after", "6s") // so that a short storm need not wait for it
	}
	return args
}

// activityTime is how long an activity that changes something may take.
func (o Options) activityTime() time.Duration { return o.Times.ChangeOptions("").StartToCloseTimeout }

// answerTime is how long an answer is waited for at least.
func (o Options) answerTime() time.Duration {
	return cmp.Or(o.Times.ResponseTime, activities.DefaultResponseTime)
}

// ErrOptions says that options make no storm.
var ErrOptions = errors.New("these options make no storm")

func (o Options) validate() error {
	var problem string
	switch {
	case o.DisruptionTime <= 0 || o.Pause <= 0 || o.Opportunities <= 0 || o.Messages <= 0 || o.Senders <= 0 || o.Rounds <= 0:
		problem = "length, pause, opportunities, messages and senders must be positive"
	case o.LateBy >= o.Times.Settle():
		problem = "what is late must be committed before the settle time is over"
	case o.answerTime()+o.LateBy > o.Times.Settle():
		problem = "what is late must be committed before a run that was reset, or whose activity was ended, reads its record back"
	case o.TokenLifetime <= o.activityTime()+o.LateBy:
		problem = "a token must live longer than a request that is late"
	case o.Freeze <= o.activityTime():
		problem = "a freeze must be longer than an activity may take"
	case o.Outage <= o.Times.Settle():
		problem = "the API must be away for longer than the settle time"
	case o.SlowTime >= o.answerTime():
		problem = "a slow answer must come within the answer time"
	default:
		return nil
	}
	return fmt.Errorf("%w: %s", ErrOptions, problem)
}
