package audit

import (
	"slices"

	"github.com/oppflow/oppflow/opportunity"
)

// The changes of the ledger that are made once each and in order. Setting details or an expiry again does no harm.
const (
	fieldInterest = "opportunities.addInterest"
	fieldProgress = "opportunities.progress"
)

// token is a change that the ledger should have, or may have.
type token struct {
	field   string
	request string
	may     bool
	// anywhere is set when the place of the token in the order is unknown.
	anywhere bool
}

// moves holds the moves that were asked for, and their order among the interests, against the ledger, and where they
// lead against the record.
func (a *auditor) moves(f *file) {
	if f.record == nil {
		return
	}
	var tokens []token
	var moved []string // where the record may stand
	begins := ""
	if len(f.chains) > 0 {
		begins = f.chains[0].Start.EntryStep
	}
	stoodIn := begins
	if begins != "" {
		moved = []string{begins}
	}
	failedTo := map[string]string{}
	byHand := a.handSteps(f.record.ID)
	for _, r := range f.requests {
		for _, w := range r.wishes() {
			if w.standing == stands && (w.id != "" || len(r.wishes()) == 1) {
				tokens = append(tokens, token{field: fieldInterest, request: r.id})
			} else if w.standing != fails {
				tokens = append(tokens, token{field: fieldInterest, request: r.id, may: true, anywhere: r.gone})
			}
		}
		progress, ok := r.command.(opportunity.Progress)
		if !ok {
			continue
		}
		switch r.standing {
		case stands:
			// A move to where it stands already is done by standing there.
			tokens = append(tokens, token{field: fieldProgress, request: r.id, may: progress.To == stoodIn || slices.Contains(byHand, progress.To)})
			stoodIn, moved = progress.To, []string{progress.To}
			clear(failedTo)
		case open, cut:
			tokens = append(tokens, token{field: fieldProgress, request: r.id, may: true, anywhere: r.gone})
			moved = append(moved, progress.To)
		case fails:
			failedTo[progress.To] = r.id
		}
	}
	moved = append(byHand, moved...)
	a.step(f, moved, failedTo)
	a.order(f, tokens)
}

// step wants the record to stand where the last move led.
func (a *auditor) step(f *file, moved []string, failedTo map[string]string) {
	for _, to := range moved {
		if to == f.record.Step {
			return
		}
	}
	if request, failed := failedTo[f.record.Step]; failed {
		a.report(ToldFailedButDone, f.reference, request, "the move is reported failed, and the record stands in %q", f.record.Step)
		return
	}
	if len(moved) > 0 {
		a.report(ToldDoneButNot, f.reference, "", "the record stands in %q; the moves lead to %q", f.record.Step, moved[len(moved)-1])
	}
}

// order wants the ledger to have committed the interests and moves in the order in which they were accepted.
func (a *auditor) order(f *file, tokens []token) {
	var done []string
	count := map[string]int{}
	for _, field := range a.commits[f.record.ID] {
		if field.Name == fieldInterest || field.Name == fieldProgress {
			done = append(done, field.Name)
			count[field.Name]++
		}
	}
	if fits(done, tokens) {
		return
	}
	least, most := map[string]int{}, map[string]int{}
	for _, t := range tokens {
		most[t.field]++
		if !t.may {
			least[t.field]++
		}
	}
	switch moves := count[fieldProgress]; {
	case moves > most[fieldProgress]:
		a.report(Doubled, f.reference, "", "the ledger has %d moves, at most %d were to be made", moves, most[fieldProgress])
	case moves < least[fieldProgress]:
		a.report(ToldDoneButNot, f.reference, "", "the ledger has %d moves, %d are reported done", moves, least[fieldProgress])
	case count[fieldInterest] < least[fieldInterest] || count[fieldInterest] > most[fieldInterest]:
		// How many interests there are is told by the tables, which are looked at anyway.
		if len(f.record.Interests) == count[fieldInterest] {
			return
		}
		a.report(OrphanInterest, f.reference, "", "the ledger has made %d interests, the record has %d", count[fieldInterest], len(f.record.Interests))
	default:
		at := 0
		for at < len(done) && at < len(tokens) && done[at] == tokens[at].field {
			at++
		}
		request := ""
		if at < len(tokens) {
			request = tokens[at].request
		}
		a.report(Swapped, f.reference, request, "change %d of the ledger is %s; in the order of the history it would be another: %s", at+1, word(done, at), spell(done, tokens))
	}
}

// fits reports whether what was done is the tokens in order, without some of those that may be missing, and with those
// that belong anywhere put anywhere.
func fits(done []string, tokens []token) bool {
	type place struct{ done, interests, moves int } // how much is explained, and how many tokens that belong anywhere are used
	var most place
	for _, t := range tokens {
		switch {
		case t.anywhere && t.field == fieldInterest:
			most.interests++
		case t.anywhere:
			most.moves++
		}
	}
	reach := map[place]bool{{}: true}
	spread := func(reach map[place]bool) { // by what belongs anywhere
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
		if t.anywhere {
			continue
		}
		next := map[place]bool{}
		for p := range reach {
			if t.may {
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

func word(done []string, at int) string {
	if at < len(done) {
		return done[at]
	}
	return "missing"
}

// spell writes both orders, a letter each: an interest as i, a move as P, what may be missing with a question mark.
func spell(done []string, tokens []token) string {
	letter := map[string]string{fieldInterest: "i", fieldProgress: "P"}
	text := ""
	for _, name := range done {
		text += letter[name]
	}
	text += " instead of "
	for _, t := range tokens {
		text += letter[t.field]
		if t.may {
			text += "?"
		}
	}
	return text
}
