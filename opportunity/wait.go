package opportunity

import "time"

// WaitInfo says why all sending waits.
type WaitInfo struct {
	// Kind is the attention that is raised when the wait lasts.
	Kind AttentionKind `json:"kind"`
	// Reason says in one line what the opportunity waits for. It names no person.
	Reason string `json:"reason"`
	// Request is the only request that the API fails at, "" when everything waits.
	Request string `json:"request,omitempty"`
	// Since is when the wait began, in UTC. Until is when it ends by itself; zero when
	// that time is unknown.
	Since time.Time `json:"since"`
	Until time.Time `json:"until,omitzero"`
}
