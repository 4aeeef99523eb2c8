package opportunity

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
)

// digest is the first half of a SHA-256.
type digest [16]byte

func digestOf(data []byte) digest {
	sum := sha256.Sum256(data)
	return digest(sum[:16])
}

// handledEntry is the memory of one request: its id, its payload, and its end.
type handledEntry struct {
	id, payload digest
	state       byte // one of 'p', 'd', 'f'
}

const handledEntrySize = 16 + 16 + 1

// Handled remembers the last MaxHandledRequests request ids. So a repeated request
// takes effect once, and the same id with another payload is noticed. Older ids are
// remembered only while their requests wait. Handled keeps digests only; the zero
// value is empty.
//
// In JSON it is one string, about 44 bytes per request.
type Handled struct {
	entries []handledEntry // oldest first
	places  map[digest]int // index in entries, plus dropped
	dropped int
}

// Len returns how many requests are remembered.
func (h *Handled) Len() int { return len(h.entries) }

func (h *Handled) find(id string) *handledEntry {
	place, found := h.places[digestOf([]byte(id))]
	if !found {
		return nil
	}
	return &h.entries[place-h.dropped]
}

// add remembers a new request, and forgets an older one when there are too many.
func (h *Handled) add(id string, payload []byte) {
	entry := handledEntry{id: digestOf([]byte(id)), payload: digestOf(payload), state: 'p'}
	if h.places == nil {
		h.places = make(map[digest]int)
	}
	h.places[entry.id] = h.dropped + len(h.entries)
	h.entries = append(h.entries, entry)
	h.trim()
}

// settle stores how the request ended, and forgets an older one when there are too
// many.
func (h *Handled) settle(id string, state OutcomeState) {
	if entry := h.find(id); entry != nil {
		entry.state = state[0]
		h.trim()
	}
}

// trim forgets the oldest requests while there are too many. It keeps a request
// without an outcome, since such a request still waits, maybe for long.
func (h *Handled) trim() {
	for len(h.entries) > MaxHandledRequests {
		oldest := slices.IndexFunc(h.entries, func(e handledEntry) bool { return e.state != 'p' })
		if oldest < 0 {
			return
		}
		delete(h.places, h.entries[oldest].id)
		for i := oldest; i > 0; i-- { // waiting requests are few, or came last
			h.entries[i] = h.entries[i-1]
			h.places[h.entries[i].id]++
		}
		h.entries = h.entries[1:]
		h.dropped++
	}
}

func (e *handledEntry) outcomeState() OutcomeState {
	switch e.state {
	case 'd':
		return Done
	case 'f':
		return Failed
	}
	return Pending
}

// MarshalJSON writes all remembered requests as one base64 string.
func (h Handled) MarshalJSON() ([]byte, error) {
	packed := make([]byte, 0, len(h.entries)*handledEntrySize)
	for _, e := range h.entries {
		packed = append(packed, e.id[:]...)
		packed = append(packed, e.payload[:]...)
		packed = append(packed, e.state)
	}
	return json.Marshal(packed)
}

// UnmarshalJSON reads the output of MarshalJSON.
func (h *Handled) UnmarshalJSON(data []byte) error {
	var packed []byte
	if err := json.Unmarshal(data, &packed); err != nil {
		return fmt.Errorf("handled requests: %w", err)
	}
	if len(packed)%handledEntrySize != 0 {
		return fmt.Errorf("handled requests: %d bytes is no multiple of %d", len(packed), handledEntrySize)
	}
	*h = Handled{}
	if len(packed) == 0 {
		return nil
	}
	h.places = make(map[digest]int, len(packed)/handledEntrySize)
	for ; len(packed) > 0; packed = packed[handledEntrySize:] {
		entry := handledEntry{id: digest(packed[:16]), payload: digest(packed[16:32]), state: packed[32]}
		h.places[entry.id] = len(h.entries)
		h.entries = append(h.entries, entry)
	}
	return nil
}
