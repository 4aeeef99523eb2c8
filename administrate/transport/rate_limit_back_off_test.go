package transport

import (
	"testing"
	"time"
)

// After a response other than 429, the next back-off is short.
func TestBackOffGrows(t *testing.T) {
	t.Parallel()
	var p rateLimitBackOff
	lengths := func(n int) []time.Duration {
		var list []time.Duration
		for range n {
			p.begin, p.until = time.Time{}, time.Time{}
			p.onRateLimited(time.Now(), 0)
			list = append(list, p.until.Sub(p.begin))
		}
		return list
	}
	for n, got := range lengths(12) {
		most := min(firstBackOff<<n, longestBackOff)
		if got < most/2 || got > most {
			t.Errorf("pause %d lasts %s; want %s to %s", n+1, got, most/2, most)
		}
	}
	p.begin, p.until = time.Time{}, time.Time{}
	p.onNotRateLimited(time.Now())
	if got := lengths(1)[0]; got > firstBackOff {
		t.Errorf("after an answer the pause lasts %s", got)
	}
	// If a request was sent before the back-off began, a 429 to this request changes the back-off
	// only if the 429 has the header Retry-After.
	from, until := p.begin, p.until
	p.onRateLimited(from.Add(-time.Second), 0)
	p.onNotRateLimited(from.Add(-time.Second))
	if p.until != until || p.nextLength != firstBackOff {
		t.Error("a request that was under way changed the pause")
	}
	p.onRateLimited(from.Add(-time.Second), time.Hour)
	if left := time.Until(p.until); left < 59*time.Minute {
		t.Errorf("the API asked for an hour; the pause lasts %s", left)
	}
}
