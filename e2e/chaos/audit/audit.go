package audit

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/sandbox/ledger"
)

// Audit returns the contradictions between the witnesses, in the order of the references.
func Audit(e Evidence, rules Rules) []Violation {
	a := &auditor{evidence: e, rules: rules, cases: map[opportunity.Reference]*file{}}
	a.gather()
	a.records()
	for _, reference := range a.references {
		f := a.cases[reference]
		a.told(f)
		a.sequence(f)
		a.interests(f)
		a.moves(f)
		a.details(f)
		a.places(f)
		a.overlaps(f)
		a.silence(f)
	}
	a.questions()
	slices.SortStableFunc(a.found, func(x, y Violation) int { return cmp.Compare(x.Reference, y.Reference) })
	return a.found
}

// auditor holds what is known while an evidence is looked through.
type auditor struct {
	evidence   Evidence
	rules      Rules
	references []opportunity.Reference
	cases      map[opportunity.Reference]*file
	// claimed says which reference's outcomes name an interest.
	claimed map[opportunity.ID]opportunity.Reference
	// owner says on which record an interest is.
	owner map[opportunity.ID]opportunity.ID
	// commits are the changes of a record that the ledger has, in order.
	commits map[opportunity.ID][]ledger.Field
	// spans are when requests changed a record, by its id.
	spans map[opportunity.ID][]span
	// samples are those of a reference, in the order of their times.
	samples map[opportunity.Reference][]Sample
	found   []Violation
}

// file is what is known of one reference.
type file struct {
	reference opportunity.Reference
	chains    []*Chain
	told      []Told
	requests  []request
	record    *Record
	// gone says that a message of it may be gone since a restore.
	gone bool
}

func (a *auditor) report(kind Kind, reference opportunity.Reference, request, format string, args ...any) {
	a.found = append(a.found, Violation{Kind: kind, Reference: reference, Request: request, Text: fmt.Sprintf(format, args...)})
}

func (a *auditor) file(reference opportunity.Reference) *file {
	f := a.cases[reference]
	if f == nil {
		f = &file{reference: reference}
		a.cases[reference] = f
		a.references = append(a.references, reference)
	}
	return f
}

// gather sorts the evidence by reference.
func (a *auditor) gather() {
	for i := range a.evidence.Chains {
		c := &a.evidence.Chains[i]
		f := a.file(c.Reference)
		f.chains = append(f.chains, c)
		f.requests = append(f.requests, c.requests()...)
	}
	for _, t := range a.evidence.Told {
		f := a.file(t.Reference)
		f.told = append(f.told, t)
	}
	for _, f := range a.cases {
		a.addGone(f)
	}
	a.commits = map[opportunity.ID][]ledger.Field{}
	for _, entry := range a.evidence.Ledger {
		if isByHand(entry) {
			continue
		}
		for _, field := range entry.Fields {
			if id := opportunity.ID(field.Opportunity); field.Outcome == ledger.Committed {
				a.commits[id] = append(a.commits[id], field)
			}
		}
	}
	a.spans, a.samples = spansOf(a.evidence.Ledger), map[opportunity.Reference][]Sample{}
	for _, s := range a.evidence.Samples {
		a.samples[s.Reference] = append(a.samples[s.Reference], s)
	}
	for _, list := range a.samples {
		slices.SortStableFunc(list, func(x, y Sample) int { return x.At.Compare(y.At) })
	}
	a.claimed, a.owner = map[opportunity.ID]opportunity.Reference{}, map[opportunity.ID]opportunity.ID{}
	for i := range a.evidence.Records {
		r := &a.evidence.Records[i]
		for _, interest := range r.Interests {
			a.owner[interest.ID] = r.ID
		}
		if f := a.cases[r.Mark]; f != nil && f.record == nil {
			f.record = r
		}
	}
	slices.Sort(a.references)
	for _, reference := range a.references {
		for _, r := range a.cases[reference].requests {
			for _, w := range r.wishes() {
				if w.id != "" {
					a.claimed[w.id] = reference
				}
			}
		}
	}
}

// told compares the senders' notes with the histories and with the workflows.
func (a *auditor) told(f *file) {
	byID := map[string]*request{}
	for i := range f.requests {
		byID[f.requests[i].id] = &f.requests[i]
	}
	missing := map[string]bool{}
	for _, t := range f.told {
		if t.Fate == Refused || t.Fate == Untold {
			continue
		}
		r := byID[t.Request]
		switch {
		case r == nil && missing[t.Request]:
		case r == nil:
			missing[t.Request] = true
			a.report(Lost, f.reference, t.Request, "sender %d was told %q of its message %d (%s), and no history has it", t.Sender, t.Fate, t.Sequence, t.Verb)
		case t.Fate == Done && r.standing == fails:
			a.report(ToldDoneButNot, f.reference, t.Request, "sender %d was told that it is done; the workflow reports that it failed", t.Sender)
		case t.Fate == Failed && r.standing == stands:
			a.report(ToldFailedButDone, f.reference, t.Request, "sender %d was told that it failed (%s); the workflow reports that it is done", t.Sender, t.Error)
		case t.Fate == Done && len(r.outcome.Results) > 0 && !sameInterests(t.Results, r.outcome.Results):
			a.report(ToldDoneButNot, f.reference, t.Request, "sender %d was told other interests than the workflow reports", t.Sender)
		}
	}
}

func sameInterests(x, y []opportunity.InterestResult) bool {
	return slices.EqualFunc(x, y, func(x, y opportunity.InterestResult) bool { return x.Interest == y.Interest })
}
