package chaos

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/e2e/chaos/tenant"
)

// Options are the size and the conditions of an experiment.
type Options struct {
	Seed uint64
	// DisruptionTime is how long the parts are disrupted.
	DisruptionTime time.Duration
	// Pause is the longest wait before a disruption.
	Pause time.Duration
	// Opportunities is the number of opportunities. Messages is the average number of messages of
	// an opportunity. LongMessages is the number of messages of each long opportunity.
	Opportunities, Messages, LongMessages int
	// Sales is the number of further opportunities, which are about learners and end won, lost or
	// archived. Playbook decides the effects of all opportunities.
	Sales    int
	Playbook tenant.Playbook
	// Senders is how many senders run at the same time. Rounds is how many opportunities each
	// sender handles, one after the other.
	Senders, Rounds int
	// Times are the times of the workers; zero members are the defaults of a worker.
	Times activities.Times
	// LateBy is the time from the end of the client's wait to the commit of a late request. LateBy
	// must be shorter than the settle time, because a late change must be committed before Oppflow
	// reads the record back. LateBy must be longer than two seconds. A worker that ignores the
	// settle time then reads the record back before the late commit, and the chaos test finds the
	// mistake. The server may take one second to notice the end of an activity, and another second
	// for a timer.
	LateBy time.Duration
	// SlowTime is how long a slow response takes. SlowTime is shorter than the response time, so
	// that the client waits for the response.
	SlowTime time.Duration
	// TokenLifetime is how long the tokens of the workers are valid. TokenLifetime is short, so
	// tokens expire during the experiment. TokenLifetime is longer than a late request takes,
	// because the API would refuse a late request with an expired token. In the longer forms of the
	// experiment, most tokens are older than a minute when the API refuses the tokens. A worker
	// treats a refused token that is less than a minute old as never valid, and waits longer after
	// each such token.
	TokenLifetime time.Duration
	// Freeze is how long a worker is frozen. Freeze must be longer than an activity may take, which
	// is the sum of the send window and the response time.
	Freeze time.Duration
	// Outage is how long blockAPI makes the API unavailable, and how long failQuery makes a query
	// fail. Outage is longer than the settle time.
	Outage time.Duration
	// HoldTime is the duration of the disruptions for which Options has no other duration.
	HoldTime time.Duration
	// OptionalKinds is how many of the optional kinds of disruptions are executed in every form of
	// the experiment except the long form.
	OptionalKinds int
	// Only are the kinds of disruptions that are executed; if Only is empty, the form of the
	// experiment decides the kinds.
	Only []DisruptionKind
	// ContinueAfter is the number of history events after which the server suggests to continue as
	// new; 0 keeps the server's default.
	ContinueAfter int
	// Long executes every kind of disruption repeatedly until DisruptionTime is over.
	Long bool
	Race bool
	// Data is the directory of the databases; "" means a temporary directory that Stop removes.
	Data string
	// Progress is called with each line about the progress of the experiment; nil means that no
	// line is written.
	Progress func(string)
	// Output is the writer of the parts' output; nil drops the output.
	Output io.Writer
}

// Short is an experiment of about two minutes.
func Short(seed uint64) Options {
	return withDefaultTimes(Options{
		Seed: seed, DisruptionTime: 75 * time.Second, Opportunities: 60, Messages: 8, LongMessages: 90,
		Senders: 60, Rounds: 1, Freeze: 50 * time.Second, ContinueAfter: 250,
		Outage: 10 * time.Second, HoldTime: 5 * time.Second, OptionalKinds: 4,
	})
}

// Long is an experiment of the given number of minutes.
func Long(seed uint64, minutes int) Options {
	opportunities := max(60, 20*minutes)
	return withDefaultTimes(Options{
		Seed: seed, DisruptionTime: time.Duration(minutes) * time.Minute, Opportunities: opportunities, Messages: 12, LongMessages: 300,
		Senders: 60, Rounds: (opportunities + 59) / 60, Freeze: 90 * time.Second, ContinueAfter: 400, Long: true,
		Outage: 12 * time.Second, HoldTime: 6 * time.Second,
	})
}

// WithPlaybook returns the options of an experiment whose playbook has effects, with one sale for
// every two other opportunities.
func (o Options) WithPlaybook(p tenant.Playbook) Options {
	o.Playbook, o.Sales = p, (o.Opportunities+1)/2
	o.Senders += (o.Senders + 1) / 2
	return o
}

// hasEffects reports whether the playbook has the effects of a won opportunity.
func (o Options) hasEffects() bool { return o.Playbook != tenant.Calls }

// withDefaultTimes sets the times of an experiment in which a worker has its default send window.
// The response time and the settle time are short, because the sandbox commits late requests within
// three seconds.
func withDefaultTimes(o Options) Options {
	o.Times = activities.Times{ResponseTime: 4 * time.Second, SettleTime: 8 * time.Second}
	o.LateBy, o.SlowTime, o.TokenLifetime, o.Pause = 3*time.Second, 2*time.Second, 3*time.Minute, 2*time.Second
	return o
}

func (o Options) workerTimes() []string {
	args := []string{"--settle-time", o.Times.Settle().String()}
	if o.Times.SendWindow > 0 {
		args = append(args, "--send-window", o.Times.SendWindow.String())
	}
	if o.Times.ResponseTime > 0 {
		args = append(args, "--response-time", o.Times.ResponseTime.String())
	}
	if !o.Long {
		args = append(args, "--playbook-in-force-after", "6s") // so that a short experiment does not wait for the default
	}
	return args
}

// activityTime is how long an activity that changes something may take.
func (o Options) activityTime() time.Duration { return o.Times.ChangeOptions("").StartToCloseTimeout }

// responseTime is the shortest time that a worker waits for a response.
func (o Options) responseTime() time.Duration {
	return cmp.Or(o.Times.ResponseTime, activities.DefaultResponseTime)
}

// ErrOptions means that the options do not meet a condition of an experiment.
var ErrOptions = errors.New("the options of the chaos test are not valid")

func (o Options) validate() error {
	var problem string
	switch {
	case o.DisruptionTime <= 0 || o.Pause <= 0 || o.Opportunities <= 0 || o.Messages <= 0 || o.Senders <= 0 || o.Rounds <= 0:
		problem = "DisruptionTime, Pause, Opportunities, Messages, Senders and Rounds must be positive"
	case o.LateBy >= o.Times.Settle():
		problem = "LateBy must be shorter than the settle time"
	case o.responseTime()+o.LateBy > o.Times.Settle():
		problem = "LateBy must not exceed the settle time minus the response time, so that a late change is committed before a reset run reads the record back"
	case o.TokenLifetime <= o.activityTime()+o.LateBy:
		problem = "TokenLifetime must be longer than the activity timeout plus LateBy, so that the token of a late request stays valid"
	case o.Freeze <= o.activityTime():
		problem = "Freeze must be longer than the timeout of an activity"
	case o.Outage <= o.Times.Settle():
		problem = "Outage must be longer than the settle time"
	case o.SlowTime >= o.responseTime():
		problem = "SlowTime must be shorter than the response time"
	default:
		return nil
	}
	return fmt.Errorf("%w: %s", ErrOptions, problem)
}
