package entity

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/oppflow/oppflow/opportunity"
)

// dedupEntry is what DedupWindow remembers of one request: its id, its payload, and its outcome.
type dedupEntry struct {
	id, payload opportunity.Digest
	state       byte // one of 'p', 'd', 'f'
}

const dedupEntrySize = 16 + 16 + 1

// DedupWindow remembers the last MaxRememberedRequests request ids. With DedupWindow, a repeated
// request takes effect once, and a known id with another payload is detected. Older ids are
// remembered only while their requests wait. DedupWindow keeps digests only. The zero value is
// empty.
//
// The JSON form is one string, about 44 bytes per request.
type DedupWindow struct {
	entries   []dedupEntry               // oldest first
	positions map[opportunity.Digest]int // index in entries, plus dropped
	dropped   int
}

// Len returns how many requests are remembered.
func (h *DedupWindow) Len() int { return len(h.entries) }

func (h *DedupWindow) find(id string) *dedupEntry {
	place, found := h.positions[opportunity.DigestOf([]byte(id))]
	if !found {
		return nil
	}
	return &h.entries[place-h.dropped]
}

// add remembers a new request, and forgets an older request when there are too many.
func (h *DedupWindow) add(id string, payload []byte) {
	entry := dedupEntry{id: opportunity.DigestOf([]byte(id)), payload: opportunity.DigestOf(payload), state: 'p'}
	if h.positions == nil {
		h.positions = make(map[opportunity.Digest]int)
	}
	h.positions[entry.id] = h.dropped + len(h.entries)
	h.entries = append(h.entries, entry)
	h.trim()
}

// complete stores the outcome of the request, and forgets an older request when there are too
// many.
func (h *DedupWindow) complete(id string, state opportunity.OutcomeState) {
	if entry := h.find(id); entry != nil {
		entry.state = state[0]
		h.trim()
	}
}

// trim forgets the oldest requests while there are too many. trim keeps a request without an
// outcome, because such a request still waits, maybe for a long time.
func (h *DedupWindow) trim() {
	for len(h.entries) > opportunity.MaxRememberedRequests {
		oldest := slices.IndexFunc(h.entries, func(e dedupEntry) bool { return e.state != 'p' })
		if oldest < 0 {
			return
		}
		delete(h.positions, h.entries[oldest].id)
		for i := oldest; i > 0; i-- { // cheap, because waiting requests are few or were accepted last
			h.entries[i] = h.entries[i-1]
			h.positions[h.entries[i].id]++
		}
		h.entries = h.entries[1:]
		h.dropped++
	}
}

func (e *dedupEntry) outcomeState() opportunity.OutcomeState {
	switch e.state {
	case 'd':
		return opportunity.Done
	case 'f':
		return opportunity.Failed
	}
	return opportunity.Pending
}

// MarshalJSON writes all remembered requests as one base64 string.
func (h DedupWindow) MarshalJSON() ([]byte, error) {
	packed := make([]byte, 0, len(h.entries)*dedupEntrySize)
	for _, e := range h.entries {
		packed = append(packed, e.id[:]...)
		packed = append(packed, e.payload[:]...)
		packed = append(packed, e.state)
	}
	return json.Marshal(packed)
}

// UnmarshalJSON reads the output of MarshalJSON.
func (h *DedupWindow) UnmarshalJSON(data []byte) error {
	var packed []byte
	if err := json.Unmarshal(data, &packed); err != nil {
		return fmt.Errorf("handled requests: %w", err)
	}
	if len(packed)%dedupEntrySize != 0 {
		return fmt.Errorf("handled requests: the length of %d bytes is not a multiple of %d", len(packed), dedupEntrySize)
	}
	*h = DedupWindow{}
	if len(packed) == 0 {
		return nil
	}
	h.positions = make(map[opportunity.Digest]int, len(packed)/dedupEntrySize)
	for ; len(packed) > 0; packed = packed[dedupEntrySize:] {
		entry := dedupEntry{id: opportunity.Digest(packed[:16]), payload: opportunity.Digest(packed[16:32]), state: packed[32]}
		h.positions[entry.id] = len(h.entries)
		h.entries = append(h.entries, entry)
	}
	return nil
}
