package chaos

import (
	"sync"

	"github.com/oppflow/oppflow/e2e/chaos/audit"
)

// journal keeps the notes of the senders. It is safe for concurrent use.
type journal struct {
	mu    sync.Mutex
	told  []audit.Told
	count map[int]int // by sender
}

func newJournal() *journal { return &journal{count: map[int]int{}} }

// note writes an entry down under the next number of its sender.
func (j *journal) note(t audit.Told) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.count[t.Sender]++
	t.Sequence = j.count[t.Sender]
	j.told = append(j.told, t)
}

// all returns a copy of the notes.
func (j *journal) all() []audit.Told {
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]audit.Told(nil), j.told...)
}
