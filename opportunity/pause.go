package opportunity

import "time"

// The verbs that stop and restart an opportunity.
const (
	MessagePause  MessageName = "pause"
	MessageResume MessageName = "resume"
)

// Pause stops all sending to the TMS until Resume: signals wait, updates are refused as Paused. A request under way
// runs to its end.
type Pause struct {
	RequestID string `json:"requestId,omitempty"`
	// Source names the sender, for fair turns of requests: at most 64 bytes, no personal data.
	Source string `json:"source,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// Resume ends a pause.
type Resume struct {
	RequestID string `json:"requestId,omitempty"`
	// Source names the sender, for fair turns of requests: at most 64 bytes, no personal data.
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
func (p Pause) Validate() error {
	if err := validateHeader(p.RequestID, p.Source); err != nil || p.Reason == "" {
		return err
	}
	return validateText("reason", p.Reason)
}

// Validate implements OperatorCommand.
func (r Resume) Validate() error { return validateHeader(r.RequestID, r.Source) }

// pause stops the stream; a pause of a paused opportunity sets another reason.
func (s *State) pause(p Pause, now time.Time) {
	if s.Paused == nil {
		s.Paused = &PauseInfo{Since: now}
		s.appendTimeline(now, "paused by an operator")
	}
	s.Paused.Reason = p.Reason
	s.RaiseAttention(AttentionPaused, "", s.Paused.attentionReason(), now)
}

// otherReferenceTag is the reason of an opportunity that pauses by itself.
const otherReferenceTag = "the record carries the mark of another reference"

// PauseForOtherReference pauses the opportunity because its record carries the mark of another reference. Nothing is written
// to the record until an operator resumes the opportunity.
func (s *State) PauseForOtherReference(now time.Time) {
	if s.Paused != nil {
		return
	}
	s.Paused = &PauseInfo{Reason: otherReferenceTag, Since: now}
	s.appendTimeline(now, "paused: "+otherReferenceTag)
	s.RaiseAttention(AttentionPaused, "", s.Paused.attentionReason(), now)
}

func (s *State) resume(now time.Time) {
	if s.Paused == nil {
		return
	}
	s.Paused = nil
	s.ClearAttention(AttentionPaused)
	s.appendTimeline(now, "resumed by an operator")
}

// EndPause ends a pause when the run ends. The last work of the run does not wait.
func (s *State) EndPause() {
	s.Paused = nil
	s.ClearAttention(AttentionPaused)
}

func (p PauseInfo) attentionReason() string {
	switch p.Reason {
	case otherReferenceTag:
		return otherReferenceTag + "; nothing is sent until resume: check whose record it is, and the tenant of the worker"
	case "":
		return "an operator paused it; signals wait until resume"
	}
	return "an operator paused it (" + p.Reason + "); signals wait until resume"
}
