package opportunity

import "time"

// The verbs that stop and restart an opportunity.
const (
	VerbPause  Verb = "pause"
	VerbResume Verb = "resume"
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

// Standstill says since when nothing is sent, and why.
type Standstill struct {
	Reason string    `json:"reason,omitempty"`
	Since  time.Time `json:"since"`
}

// Verb implements Instruction.
func (Pause) Verb() Verb { return VerbPause }

// Verb implements Instruction.
func (Resume) Verb() Verb { return VerbResume }

// ID implements Instruction.
func (p Pause) ID() string { return p.RequestID }

// ID implements Instruction.
func (r Resume) ID() string { return r.RequestID }

// WithID implements Instruction.
func (p Pause) WithID(id string) Instruction { p.RequestID = id; return p }

// WithID implements Instruction.
func (r Resume) WithID(id string) Instruction { r.RequestID = id; return r }

// Validate implements Instruction.
func (p Pause) Validate() error {
	if err := validHeading(p.RequestID, p.Source); err != nil || p.Reason == "" {
		return err
	}
	return validText("reason", p.Reason)
}

// Validate implements Instruction.
func (r Resume) Validate() error { return validHeading(r.RequestID, r.Source) }

// pause stops the stream; a pause of a paused opportunity sets another reason.
func (s *State) pause(p Pause, now time.Time) {
	if s.Paused == nil {
		s.Paused = &Standstill{Since: now}
		s.note(now, "paused by an operator")
	}
	s.Paused.Reason = p.Reason
	s.Attend(AttentionPaused, "", s.Paused.told(), now)
}

// foreignMark is the reason of an opportunity that pauses by itself.
const foreignMark = "the record carries the mark of another reference"

// PauseForeign pauses the opportunity because its record carries the mark of another reference. Nothing is written
// to the record until an operator resumes the opportunity.
func (s *State) PauseForeign(now time.Time) {
	if s.Paused != nil {
		return
	}
	s.Paused = &Standstill{Reason: foreignMark, Since: now}
	s.note(now, "paused: "+foreignMark)
	s.Attend(AttentionPaused, "", s.Paused.told(), now)
}

func (s *State) resume(now time.Time) {
	if s.Paused == nil {
		return
	}
	s.Paused = nil
	s.Calm(AttentionPaused)
	s.note(now, "resumed by an operator")
}

// EndPause ends a pause when the run ends. The last work of the run does not wait.
func (s *State) EndPause() {
	s.Paused = nil
	s.Calm(AttentionPaused)
}

func (p Standstill) told() string {
	switch p.Reason {
	case foreignMark:
		return foreignMark + "; nothing is sent until resume: check whose record it is, and the tenant of the worker"
	case "":
		return "an operator paused it; signals wait until resume"
	}
	return "an operator paused it (" + p.Reason + "); signals wait until resume"
}
