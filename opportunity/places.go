package opportunity

import "strings"

// Places are the steps in which a playbook has follow-ups, one pattern a line: a step or a
// stage, by id or name, or the state of a stage. "" is unknown, and means every step.
type Places string

// The kinds of patterns, and Nowhere, the places of a playbook without follow-ups.
const (
	placeStep  = "step "
	placeStage = "stage "
	placeState = "state "

	Nowhere Places = "-"
)

// PlacesOf returns the places of the patterns; Nowhere for none.
func PlacesOf(patterns ...Place) Places {
	if len(patterns) == 0 {
		return Nowhere
	}
	lines := make([]string, len(patterns))
	for n, p := range patterns {
		switch {
		case p.Step != "":
			lines[n] = placeStep + p.Step
		case p.Stage != "":
			lines[n] = placeStage + p.Stage
		default:
			lines[n] = placeState + string(p.State)
		}
	}
	return Places(strings.Join(lines, "\n"))
}

// Has reports whether the step is one of the places.
func (p Places) Has(step Step) bool {
	if p == "" {
		return true
	}
	for line := range strings.Lines(string(p)) {
		line = strings.TrimSuffix(line, "\n")
		if text, is := strings.CutPrefix(line, placeStep); is && (Place{Step: text}).Matches(step) {
			return true
		}
		if text, is := strings.CutPrefix(line, placeStage); is && (Place{Stage: text}).Matches(step) {
			return true
		}
		if text, is := strings.CutPrefix(line, placeState); is && (Place{State: StageState(text)}).Matches(step) {
			return true
		}
	}
	return false
}

// Place is a step or a stage, by id or name, or all stages of a state. Exactly one of them is given.
type Place struct {
	Step, Stage string
	State       StageState
}

// Matches reports whether the step is the place, or is in it.
func (p Place) Matches(step Step) bool {
	is := func(written string, id ID, name string) bool {
		return written != "" && (written == string(id) || written == name)
	}
	return is(p.Step, step.ID, step.Name) || is(p.Stage, step.Stage.ID, step.Stage.Name) || p.State != "" && p.State == step.Stage.State
}
