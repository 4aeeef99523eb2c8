package chaos

import (
	"sync"

	"github.com/oppflow/oppflow/e2e/chaos/audit"
)

// observationLog is safe for concurrent use.
type observationLog struct {
	mu           sync.Mutex
	observations []audit.Observation
	count        map[int]int // by sender
}

func newObservationLog() *observationLog { return &observationLog{count: map[int]int{}} }

// add stores an observation under the next sequence number of the observation's sender.
func (j *observationLog) add(t audit.Observation) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.count[t.Sender]++
	t.Sequence = j.count[t.Sender]
	j.observations = append(j.observations, t)
}

func (j *observationLog) all() []audit.Observation {
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]audit.Observation(nil), j.observations...)
}
