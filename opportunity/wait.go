package opportunity

import "time"

// WaitInfo says why the queue cannot go on now.
type WaitInfo struct {
	// Kind is the kind of the attention that Oppflow raises when the wait lasts long.
	Kind AttentionKind `json:"kind"`
	// Reason says in one line what the opportunity waits for, and names no person.
	Reason string `json:"reason"`
	// Request is the id of the request that cannot go on, or "" when the whole queue waits.
	Request string `json:"request,omitempty"`
	// Since is when the wait began, in UTC, and Until is when the wait ends by itself; Until is
	// zero when the end of the wait is unknown.
	Since time.Time `json:"since"`
	Until time.Time `json:"until,omitzero"`
}
