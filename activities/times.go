package activities

import (
	"cmp"
	"time"
)

// These constants are the default values of the members of [Times].
const (
	DefaultSendWindow   = 20 * time.Second
	DefaultResponseTime = 15 * time.Second
	DefaultSettleTime   = 60 * time.Second
	DefaultQuietTime    = 30 * time.Second
)

// Times limits how long a request that changes something may take.
type Times struct {
	// SendWindow is how long after its start an activity may still put a change on the wire; 0
	// means DefaultSendWindow.
	SendWindow time.Duration
	// ResponseTime is how long after the send window the worker waits for the response; 0 means
	// DefaultResponseTime. Without a response within ResponseTime, the status of the change is
	// unknown.
	ResponseTime time.Duration
	// SettleTime is how long the API may still commit a request after the worker received a response
	// or stopped waiting for a response; 0 means DefaultSettleTime.
	SettleTime time.Duration
	// QuietTime is how long after the end of the last command the workflow plans the follow-ups
	// again; 0 means DefaultQuietTime.
	QuietTime time.Duration
	// ScanPeriod is the time in which the scan compares all open runs once; 0 means that the scan is
	// off or that the period is unknown.
	ScanPeriod time.Duration
}

func (t Times) sendWindow() time.Duration   { return cmp.Or(t.SendWindow, DefaultSendWindow) }
func (t Times) responseTime() time.Duration { return cmp.Or(t.ResponseTime, DefaultResponseTime) }

// Settle returns how long after the end of an activity the API may still commit the activity's
// request.
func (t Times) Settle() time.Duration { return cmp.Or(t.SettleTime, DefaultSettleTime) }

// Quiet returns how long after the end of the last command the workflow plans the follow-ups again.
func (t Times) Quiet() time.Duration { return cmp.Or(t.QuietTime, DefaultQuietTime) }

// SettleAfterStart returns how long after the start of an activity the API may still commit the
// activity's request. SettleAfterStart is for an activity whose attempt may still be running.
func (t Times) SettleAfterStart() time.Duration {
	return t.sendWindow() + t.responseTime() + t.Settle()
}

// SendDeadline returns the last moment at which an activity may put a change on the wire. The
// server handed out the activity at the time started. The parameter timeout is the start-to-close
// time-out of the activity; 0 means no time-out. A worker with other Times may have scheduled the
// activity, so timeout may differ from the worker's own time-out.
func (t Times) SendDeadline(started time.Time, timeout time.Duration) time.Time {
	window := t.sendWindow()
	if timeout > 0 {
		window = min(window, timeout-t.responseTime())
	}
	return started.Add(window)
}
