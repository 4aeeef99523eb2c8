package opportunity

import "time"

// These are the names of the messages that pause and resume an opportunity.
const (
	MessagePause  MessageName = "pause"
	MessageResume MessageName = "resume"
)

// Pause stops everything that Oppflow sends to the TMS for the opportunity, until a Resume. During
// a pause, commands in signals wait, and commands in updates fail as Paused. An API request that
// started before the pause is completed.
type Pause struct {
	RequestID string `json:"requestId,omitempty"`
	// Source is the name of the sender for fair scheduling; a source has at most 64 bytes and
	// contains no personal data.
	Source string `json:"source,omitempty"`
	Reason string `json:"reason,omitempty" text:"optional"`
}

// Resume ends a pause.
type Resume struct {
	RequestID string `json:"requestId,omitempty"`
	// Source is the name of the sender for fair scheduling; a source has at most 64 bytes and
	// contains no personal data.
	Source string `json:"source,omitempty"`
}

// PauseInfo says since when Oppflow sends nothing for an opportunity, and why.
type PauseInfo struct {
	Reason string    `json:"reason,omitempty"`
	Since  time.Time `json:"since"`
}

// MessageName implements OperatorCommand.
func (Pause) MessageName() MessageName { return MessagePause }

// MessageName implements OperatorCommand.
func (Resume) MessageName() MessageName { return MessageResume }

// GetRequestID implements OperatorCommand.
func (p Pause) GetRequestID() string { return p.RequestID }

// GetRequestID implements OperatorCommand.
func (r Resume) GetRequestID() string { return r.RequestID }

// WithRequestID implements OperatorCommand.
func (p Pause) WithRequestID(id string) OperatorCommand { p.RequestID = id; return p }

// WithRequestID implements OperatorCommand.
func (r Resume) WithRequestID(id string) OperatorCommand { r.RequestID = id; return r }

// Validate implements OperatorCommand.
func (p Pause) Validate() error { return validateMembers(p) }

// Validate implements OperatorCommand.
func (r Resume) Validate() error { return validateMembers(r) }
