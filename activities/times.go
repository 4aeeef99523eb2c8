package activities

import (
	"cmp"
	"time"
)

// The defaults of [Times].
const (
	DefaultSendWindow = 20 * time.Second
	DefaultAnswerTime = 15 * time.Second
	DefaultSettleTime = 60 * time.Second
	DefaultQuietTime  = 30 * time.Second
)

// Times bound how long a request that changes something may be under way, and how long
// the plan that follows is put off. Zero members have the defaults.
type Times struct {
	// SendWindow is how long after its start an activity may still put a change on
	// the wire; 0 is DefaultSendWindow.
	SendWindow time.Duration
	// AnswerTime is how long after the send window the answer is waited for before
	// the fate of the change is unknown; 0 is DefaultAnswerTime.
	AnswerTime time.Duration
	// SettleTime is how long after its request was answered or given up the API may
	// still commit it; 0 is DefaultSettleTime. Read-backs come only after it.
	SettleTime time.Duration
	// QuietTime is how long no command has ended before the follow-ups are planned
	// again; 0 is DefaultQuietTime.
	QuietTime time.Duration
}

func (t Times) sendWindow() time.Duration { return cmp.Or(t.SendWindow, DefaultSendWindow) }
func (t Times) answerTime() time.Duration { return cmp.Or(t.AnswerTime, DefaultAnswerTime) }

// Settle returns how long after an activity has ended its request may still be
// committed.
func (t Times) Settle() time.Duration { return cmp.Or(t.SettleTime, DefaultSettleTime) }

// Quiet returns how long no command has ended before the follow-ups are planned again.
func (t Times) Quiet() time.Duration { return cmp.Or(t.QuietTime, DefaultQuietTime) }

// SettleStarted returns how long after an activity was started its request may
// still be committed, where nobody knows whether the attempt that sends it has ended:
// the worker sends within the window, waits for the answer, and the API commits within
// the settle time.
func (t Times) SettleStarted() time.Duration { return t.sendWindow() + t.answerTime() + t.Settle() }

// SendBy returns the last moment at which an activity may put a change on the wire.
// started is when the server handed the activity out, and timeout is how long after
// that the server gives the activity up; 0 is never. The worker that scheduled the
// activity may have other times than the one that carries it out: the earlier moment
// counts, so that nothing is sent that nobody waits for.
func (t Times) SendBy(started time.Time, timeout time.Duration) time.Time {
	window := t.sendWindow()
	if timeout > 0 {
		window = min(window, timeout-t.answerTime())
	}
	return started.Add(window)
}
