package activities_test

import (
	"testing"
	"time"

	"github.com/oppflow/oppflow/activities"
)

func TestTimes(t *testing.T) {
	started := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	short := activities.Times{SendWindow: 2 * time.Second, ResponseTime: 3 * time.Second, SettleTime: 4 * time.Second}
	for _, test := range []struct {
		name                  string
		times                 activities.Times
		timeout               time.Duration // time-out of the activity; 0 means none
		sendBy                time.Duration // after the start
		startToClose          time.Duration
		settle, settleStarted time.Duration
	}{
		{"defaults", activities.Times{}, 35 * time.Second, 20 * time.Second, 35 * time.Second, time.Minute, 95 * time.Second},
		{"set", short, 5 * time.Second, 2 * time.Second, 5 * time.Second, 4 * time.Second, 9 * time.Second},
		{"no time-out", short, 0, 2 * time.Second, 5 * time.Second, 4 * time.Second, 9 * time.Second},
		{"scheduled with shorter times", activities.Times{}, 25 * time.Second, 10 * time.Second, 35 * time.Second, time.Minute, 95 * time.Second},
		{"scheduled with longer times", short, 35 * time.Second, 2 * time.Second, 5 * time.Second, 4 * time.Second, 9 * time.Second},
		{"no time left to send", short, time.Second, -2 * time.Second, 5 * time.Second, 4 * time.Second, 9 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := test.times.SendDeadline(started, test.timeout).Sub(started); got != test.sendBy {
				t.Errorf("sends until %v after the start; want %v", got, test.sendBy)
			}
			options := test.times.ChangeOptions("change")
			if options.StartToCloseTimeout != test.startToClose || options.RetryPolicy.MaximumAttempts != 1 {
				t.Errorf("options %+v; want one attempt of %v", options, test.startToClose)
			}
			if test.times.Settle() != test.settle || test.times.SettleAfterStart() != test.settleStarted {
				t.Errorf("settles in %v, %v after a start; want %v, %v", test.times.Settle(), test.times.SettleAfterStart(), test.settle, test.settleStarted)
			}
		})
	}
}
