// Package dedup remembers request ids, so that a repeated request takes effect once. Only package
// entity may import this package.
package dedup

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/oppflow/oppflow/opportunity"
)

// Entry is what Window remembers of one request: its id, its payload, and its outcome.
type Entry struct {
	id, payload opportunity.Digest
	state       byte // one of 'p', 'd', 'f'
}

const entrySize = 16 + 16 + 1

// Window remembers the last MaxRememberedRequests request ids. Window remembers an older id only
// while the request of the id waits. Window keeps digests only. The zero value is empty.
//
// Window's JSON form is one string of about 44 bytes per request.
type Window struct {
	entries   []Entry                    // oldest first
	positions map[opportunity.Digest]int // index in entries, plus dropped
	dropped   int
}

// Len returns the number of remembered requests.
func (w *Window) Len() int { return len(w.entries) }

// Find returns the remembered request with the id, or nil. The returned Entry is valid until the
// next call of Add or Complete.
func (w *Window) Find(id string) *Entry {
	place, found := w.positions[opportunity.DigestOf([]byte(id))]
	if !found {
		return nil
	}
	return &w.entries[place-w.dropped]
}

// Add remembers a new request.
func (w *Window) Add(id string, payload []byte) {
	entry := Entry{id: opportunity.DigestOf([]byte(id)), payload: opportunity.DigestOf(payload), state: 'p'}
	if w.positions == nil {
		w.positions = make(map[opportunity.Digest]int)
	}
	w.positions[entry.id] = w.dropped + len(w.entries)
	w.entries = append(w.entries, entry)
	w.trim()
}

// Complete stores the outcome of the request.
func (w *Window) Complete(id string, state opportunity.OutcomeState) {
	if entry := w.Find(id); entry != nil {
		entry.state = state[0]
		w.trim()
	}
}

// trim forgets the oldest requests while more than MaxRememberedRequests are remembered. trim keeps
// a request without an outcome, because the request still waits.
func (w *Window) trim() {
	for len(w.entries) > opportunity.MaxRememberedRequests {
		oldest := slices.IndexFunc(w.entries, func(e Entry) bool { return e.state != 'p' })
		if oldest < 0 {
			return
		}
		delete(w.positions, w.entries[oldest].id)
		for i := oldest; i > 0; i-- { // cheap, because waiting requests are few or were accepted last
			w.entries[i] = w.entries[i-1]
			w.positions[w.entries[i].id]++
		}
		w.entries = w.entries[1:]
		w.dropped++
	}
}

// IsPending reports whether the request has no outcome yet.
func (e *Entry) IsPending() bool { return e.state == 'p' }

// HasPayload reports whether the remembered request had the given payload.
func (e *Entry) HasPayload(payload []byte) bool { return e.payload == opportunity.DigestOf(payload) }

// OutcomeState returns the state of the request's outcome: done, pending or failed.
func (e *Entry) OutcomeState() opportunity.OutcomeState {
	switch e.state {
	case 'd':
		return opportunity.Done
	case 'f':
		return opportunity.Failed
	}
	return opportunity.Pending
}

// MarshalJSON writes all remembered requests as one base64 string.
func (w Window) MarshalJSON() ([]byte, error) {
	packed := make([]byte, 0, len(w.entries)*entrySize)
	for _, e := range w.entries {
		packed = append(packed, e.id[:]...)
		packed = append(packed, e.payload[:]...)
		packed = append(packed, e.state)
	}
	return json.Marshal(packed)
}

// UnmarshalJSON reads the output of MarshalJSON.
func (w *Window) UnmarshalJSON(data []byte) error {
	var packed []byte
	if err := json.Unmarshal(data, &packed); err != nil {
		return fmt.Errorf("handled requests: %w", err)
	}
	if len(packed)%entrySize != 0 {
		return fmt.Errorf("remembered request ids: the decoded text has %d bytes; the length must be a multiple of %d", len(packed), entrySize)
	}
	*w = Window{}
	if len(packed) == 0 {
		return nil
	}
	w.positions = make(map[opportunity.Digest]int, len(packed)/entrySize)
	for ; len(packed) > 0; packed = packed[entrySize:] {
		entry := Entry{id: opportunity.Digest(packed[:16]), payload: opportunity.Digest(packed[16:32]), state: packed[32]}
		w.positions[entry.id] = len(w.entries)
		w.entries = append(w.entries, entry)
	}
	return nil
}
