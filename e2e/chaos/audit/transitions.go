package audit

import (
	"slices"

	"github.com/oppflow/oppflow/opportunity"
)

// These constants are the GraphQL fields of the changes whose number and order the auditor checks.
// The auditor ignores changes of details and of expiry times, because a repetition of such a change
// has no further effect.
const (
	fieldInterest = "opportunities.addInterest"
	fieldProgress = "opportunities.progress"
)

// expectedCommit is a change that must be in the request log. If optional is set, the change may be
// missing.
type expectedCommit struct {
	field    string
	request  string
	optional bool
	// anyOrder is set when the change may be at any position in the request log.
	anyOrder bool
}

// entryStep returns the step in which the opportunity began, "" when the start names no step.
func (f *caseFile) entryStep() string {
	if len(f.chains) == 0 {
		return ""
	}
	return f.chains[0].Start.EntryStep
}

// checkTransitions compares the order of the requested transitions and interests with the request
// log. checkTransitions also compares the step after the last transition with the step of the
// record.
func (a *auditor) checkTransitions(f *caseFile) {
	if f.record == nil {
		return
	}
	var tokens []expectedCommit
	var moved []string // the steps that the record may have
	begins := f.entryStep()
	stoodIn := begins
	if begins != "" {
		moved = []string{begins}
	}
	failedTo := map[string]string{}
	byHand := a.manualSteps(f.record.ID)
	for _, r := range f.requests {
		for _, w := range r.expectedInterests() {
			if w.state == reportedDone && (w.id != "" || len(r.expectedInterests()) == 1) {
				tokens = append(tokens, expectedCommit{field: fieldInterest, request: r.id})
			} else if w.state != reportedFailed {
				tokens = append(tokens, expectedCommit{field: fieldInterest, request: r.id, optional: true, anyOrder: r.lostByRestore})
			}
		}
		progress, ok := r.command.(opportunity.Progress)
		if !ok {
			continue
		}
		switch r.state {
		case reportedDone:
			// A transition to the step in which the record already is makes no change, and is
			// reported done.
			tokens = append(tokens, expectedCommit{field: fieldProgress, request: r.id, optional: progress.To == stoodIn || slices.Contains(byHand, progress.To)})
			stoodIn, moved = progress.To, []string{progress.To}
			clear(failedTo)
		case undecided, unreported:
			tokens = append(tokens, expectedCommit{field: fieldProgress, request: r.id, optional: true, anyOrder: r.lostByRestore})
			moved = append(moved, progress.To)
		case reportedFailed:
			failedTo[progress.To] = r.id
		}
	}
	moved = append(byHand, moved...)
	a.checkStep(f, moved, failedTo)
	a.checkCommitOrder(f, tokens)
}

// checkStep checks that the step of the record is a step to which the last transition may have led.
func (a *auditor) checkStep(f *caseFile, moved []string, failedTo map[string]string) {
	for _, to := range moved {
		if to == f.record.Step {
			return
		}
	}
	if request, failed := failedTo[f.record.Step]; failed {
		a.report(ReportedFailedButDone, f.reference, request, "the transition is reported as failed, but the record is in step %q, to which the transition leads", f.record.Step)
		return
	}
	if len(moved) > 0 {
		a.report(ReportedDoneButMissing, f.reference, "", "the record is in step %q, but the last requested transition leads to step %q", f.record.Step, moved[len(moved)-1])
	}
}

// checkCommitOrder checks that the request log has the interests and transitions in the order in
// which Oppflow accepted their requests.
func (a *auditor) checkCommitOrder(f *caseFile, tokens []expectedCommit) {
	var done []string
	count := map[string]int{}
	for _, field := range a.committedFields[f.record.ID] {
		if field.Name == fieldInterest || field.Name == fieldProgress {
			done = append(done, field.Name)
			count[field.Name]++
		}
	}
	if matchesInOrder(done, tokens) {
		return
	}
	least, most := map[string]int{}, map[string]int{}
	for _, t := range tokens {
		most[t.field]++
		if !t.optional {
			least[t.field]++
		}
	}
	switch moves := count[fieldProgress]; {
	case moves > most[fieldProgress]:
		a.report(Duplicated, f.reference, "", "the request log of the sandbox has %d transitions, but the messages requested at most %d transitions", moves, most[fieldProgress])
	case moves < least[fieldProgress]:
		a.report(ReportedDoneButMissing, f.reference, "", "the request log of the sandbox has %d transitions, but %d transitions are reported as done", moves, least[fieldProgress])
	case count[fieldInterest] < least[fieldInterest] || count[fieldInterest] > most[fieldInterest]:
		// checkInterests compares the number of requested interests with the tables.
		if len(f.record.Interests) == count[fieldInterest] {
			return
		}
		a.report(OrphanInterest, f.reference, "", "the request log of the sandbox has %d added interests, but the record has %d interests", count[fieldInterest], len(f.record.Interests))
	default:
		at := 0
		for at < len(done) && at < len(tokens) && done[at] == tokens[at].field {
			at++
		}
		request := ""
		if at < len(tokens) {
			request = tokens[at].request
		}
		a.report(Reordered, f.reference, request, "change %d in the request log of the sandbox is %s, but the requests in the history require another order (i is an interest, P is a transition): %s", at+1, letterAt(done, at), formatOrder(done, tokens))
	}
}

// matchesInOrder reports whether the changes in done agree with the expected changes in tokens, in
// order. Optional changes may be missing. An expected change with anyOrder is optional and may be
// at any position.
func matchesInOrder(done []string, tokens []expectedCommit) bool {
	type place struct{ done, interests, moves int } // how many changes are matched, and how many changes with anyOrder are used
	var most place
	for _, t := range tokens {
		switch {
		case t.anyOrder && t.field == fieldInterest:
			most.interests++
		case t.anyOrder:
			most.moves++
		}
	}
	reach := map[place]bool{{}: true}
	spread := func(reach map[place]bool) { // adds the places that changes with anyOrder make possible
		for at := 0; at < len(done); at++ {
			for p := range reach {
				switch {
				case p.done != at:
				case done[at] == fieldInterest && p.interests < most.interests:
					reach[place{at + 1, p.interests + 1, p.moves}] = true
				case done[at] == fieldProgress && p.moves < most.moves:
					reach[place{at + 1, p.interests, p.moves + 1}] = true
				}
			}
		}
	}
	spread(reach)
	for _, t := range tokens {
		if t.anyOrder {
			continue
		}
		next := map[place]bool{}
		for p := range reach {
			if t.optional {
				next[p] = true
			}
			if p.done < len(done) && done[p.done] == t.field {
				next[place{p.done + 1, p.interests, p.moves}] = true
			}
		}
		reach = next
		if most != (place{}) {
			spread(reach)
		}
	}
	for p := range reach {
		if p.done == len(done) {
			return true
		}
	}
	return false
}

func letterAt(done []string, at int) string {
	if at < len(done) {
		return done[at]
	}
	return "missing"
}

// formatOrder writes the letter i for an interest, the letter P for a transition, and a question
// mark after an optional change.
func formatOrder(done []string, tokens []expectedCommit) string {
	letter := map[string]string{fieldInterest: "i", fieldProgress: "P"}
	text := ""
	for _, name := range done {
		text += letter[name]
	}
	text += " instead of "
	for _, t := range tokens {
		text += letter[t.field]
		if t.optional {
			text += "?"
		}
	}
	return text
}
