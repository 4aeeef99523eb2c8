package transport

import (
	"testing"
	"time"
)

// During ten minutes of virtual time, TestDocumentedLimit sends as many requests as the rate limit
// bucket permits.
func TestDocumentedLimit(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		rate  float64
		burst int
	}{{0, 0}, {0, 1}, {0, 60}, {0, 1500}, {10, 0}, {19.9, 0}, {5, 0}} {
		b := newBucket(test.rate, test.burst)
		start := time.Now()
		var passed []time.Time
		for tick := time.Duration(0); tick < 10*time.Minute; tick += 5 * time.Millisecond {
			for b.AllowN(start.Add(tick), 1) {
				passed = append(passed, start.Add(tick))
			}
		}
		most, first := 0, 0
		for last := range passed {
			for passed[last].Sub(passed[first]) >= 5*time.Minute {
				first++
			}
			most = max(most, last-first+1)
		}
		if most > 6000 {
			t.Errorf("rate %v, burst %d: %d requests in 5 minutes", test.rate, test.burst, most)
		}
		if test.rate == 0 && test.burst == 0 && most < 5990 {
			t.Errorf("rate %v, burst %d: only %d requests in 5 minutes", test.rate, test.burst, most)
		}
	}
}
