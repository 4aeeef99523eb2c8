package exchange

import (
	"strings"

	"github.com/oppflow/oppflow/opportunity"
)

// StepPattern matches a step by id or name, or all steps of a stage by the id or name of the stage,
// or all steps whose stage has a state such as Open. Exactly one field is set.
type StepPattern struct {
	Step, Stage string
	State       opportunity.StageState
}

// Matches reports whether the step is the step of the pattern, or belongs to the stage of the
// pattern, or to a stage with the state of the pattern.
func (p StepPattern) Matches(step opportunity.Step) bool {
	is := func(written string, id opportunity.ID, name string) bool {
		return written != "" && (written == string(id) || written == name)
	}
	return is(p.Step, step.ID, step.Name) || is(p.Stage, step.Stage.ID, step.Stage.Name) || p.State != "" && p.State == step.Stage.State
}

// StepPatterns is a text that says for which steps a playbook has follow-ups. Each line of the text
// contains the kind of one pattern and then the pattern. The empty text means that the patterns are
// unknown, and matches every step. The type is plain text, so that two PlaybookFeatures can be
// compared with ==.
type StepPatterns string

// NoSteps are the patterns of a playbook without follow-ups.
const NoSteps StepPatterns = "-"

// maxStepPatterns is the maximum length of the text, because the text is part of the result of each
// activity.
const maxStepPatterns = 200

const (
	patternStep  = "step"
	patternStage = "stage"
	patternState = "state"
)

// StepPatternsOf returns the patterns as text, or NoSteps if there are no patterns. If the text is
// too long or a pattern contains a line break, StepPatternsOf returns "", which matches every step.
func StepPatternsOf(patterns ...StepPattern) StepPatterns {
	if len(patterns) == 0 {
		return NoSteps
	}
	lines := make([]string, len(patterns))
	for n, p := range patterns {
		switch {
		case p.Step != "":
			lines[n] = patternStep + " " + p.Step
		case p.Stage != "":
			lines[n] = patternStage + " " + p.Stage
		default:
			lines[n] = patternState + " " + string(p.State)
		}
	}
	text := strings.Join(lines, "\n")
	if len(text) > maxStepPatterns || strings.Count(text, "\n") != len(lines)-1 {
		return ""
	}
	return StepPatterns(text)
}

// Matches reports whether at least one of the patterns matches the step.
func (p StepPatterns) Matches(step opportunity.Step) bool {
	if p == "" {
		return true
	}
	for line := range strings.SplitSeq(string(p), "\n") {
		var pattern StepPattern
		switch kind, text, _ := strings.Cut(line, " "); kind {
		case patternStep:
			pattern.Step = text
		case patternStage:
			pattern.Stage = text
		case patternState:
			pattern.State = opportunity.StageState(text)
		}
		if pattern.Matches(step) {
			return true
		}
	}
	return false
}
