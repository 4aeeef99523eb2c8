package opportunity

import "time"

// The names of the messages that pause and resume an opportunity.
const (
	MessagePause  MessageName = "pause"
	MessageResume MessageName = "resume"
)

// Pause stops all sending to the TMS until Resume. Signals wait, and updates fail as Paused. An
// API request that has started is completed.
type Pause struct {
	RequestID string `json:"requestId,omitempty"`
	// Source names the sender, for fair scheduling: at most 64 bytes, no personal data.
	Source string `json:"source,omitempty"`
	Reason string `json:"reason,omitempty" text:"optional"`
}

// Resume ends a pause.
type Resume struct {
	RequestID string `json:"requestId,omitempty"`
	// Source names the sender, for fair scheduling: at most 64 bytes, no personal data.
	Source string `json:"source,omitempty"`
}

// PauseInfo says since when nothing is sent, and why.
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
