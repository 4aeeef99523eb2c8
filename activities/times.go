package activities

import (
	"cmp"
	"time"
)

// The defaults of [Times].
const (
	DefaultSendWindow   = 20 * time.Second
	DefaultResponseTime = 15 * time.Second
	DefaultSettleTime   = 60 * time.Second
	DefaultQuietTime    = 30 * time.Second
)

// Times bound how long a request that changes something may take, and how long the next plan is
// delayed. Zero members have the defaults.
type Times struct {
	// SendWindow is how long after its start an activity may still put a change on
	// the wire; 0 is DefaultSendWindow.
	SendWindow time.Duration
	// ResponseTime is how long after the send window the worker waits for the response. After that
	// time the status of the change is unknown; 0 is DefaultResponseTime.
	ResponseTime time.Duration
	// SettleTime is how long the API may still commit a request after the response or after the
	// client gave up; 0 is DefaultSettleTime. A change is read back only after that time.
	SettleTime time.Duration
	// QuietTime is how long no command must have ended before the follow-ups are planned
	// again; 0 is DefaultQuietTime.
	QuietTime time.Duration
}

func (t Times) sendWindow() time.Duration   { return cmp.Or(t.SendWindow, DefaultSendWindow) }
func (t Times) responseTime() time.Duration { return cmp.Or(t.ResponseTime, DefaultResponseTime) }

// Settle returns how long after the end of an activity the API may still commit its
// request.
func (t Times) Settle() time.Duration { return cmp.Or(t.SettleTime, DefaultSettleTime) }

// Quiet returns how long no command must have ended before the follow-ups are planned
// again.
func (t Times) Quiet() time.Duration { return cmp.Or(t.QuietTime, DefaultQuietTime) }

// SettleAfterStart returns how long after the start of an activity the API may still commit its
// request. It is for an activity whose sending attempt may not have ended. The worker sends
// within the send window and waits for the response, and the API commits within the settle
// time.
func (t Times) SettleAfterStart() time.Duration {
	return t.sendWindow() + t.responseTime() + t.Settle()
}

// SendDeadline returns the last moment at which an activity may put a change on the wire.
// started is when the server handed out the activity. The server gives up the activity after
// timeout, counted from started; 0 is never. The worker that scheduled the activity may have
// other times than the worker that executes it. The earlier moment counts, so that the worker
// sends nothing after the server has given up.
func (t Times) SendDeadline(started time.Time, timeout time.Duration) time.Time {
	window := t.sendWindow()
	if timeout > 0 {
		window = min(window, timeout-t.responseTime())
	}
	return started.Add(window)
}
