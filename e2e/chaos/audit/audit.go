package audit

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/sandbox/requestlog"
)

// Audit returns the contradictions between the sources of the evidence, in the order of the
// references.
func Audit(e Evidence, rules Tolerances) []Violation {
	a := newAuditor(e, rules)
	a.checkRecords()
	for _, reference := range a.references {
		f := a.cases[reference]
		a.checkObservations(f)
		a.checkMessageOrder(f)
		a.checkInterests(f)
		a.checkTransitions(f)
		a.checkDetails(f)
		a.checkReservations(f)
		a.checkOverlaps(f)
		a.checkUnexplainedWaits(f)
		a.checkReadableQuestions(f)
		a.checkEffects(f)
	}
	a.checkPeople()
	a.checkQuestions()
	slices.SortStableFunc(a.found, func(x, y Violation) int { return cmp.Compare(x.Reference, y.Reference) })
	return a.found
}

func newAuditor(e Evidence, rules Tolerances) *auditor {
	a := &auditor{evidence: e, tolerances: rules, cases: map[opportunity.Reference]*caseFile{}, actual: map[opportunity.ID]Record{}}
	for _, record := range e.Records {
		a.actual[record.ID] = record
	}
	a.evidence.Records = e.withoutManualChanges()
	a.groupByReference()
	a.groupPeople()
	return a
}

type auditor struct {
	// evidence contains the records without the changes that people made to interests.
	evidence Evidence
	// actual are the records with the changes that people made.
	actual     map[opportunity.ID]Record
	tolerances Tolerances
	references []opportunity.Reference
	cases      map[opportunity.Reference]*caseFile
	// interestReference maps the id of an interest to the reference whose outcomes name the
	// interest.
	interestReference map[opportunity.ID]opportunity.Reference
	// interestRecord maps the id of an interest to the id of the record that has the interest.
	interestRecord map[opportunity.ID]opportunity.ID
	// committedFields are the committed changes of each record, in the order of the request log.
	committedFields map[opportunity.ID][]requestlog.Field
	// spans are the times at which requests changed a record, by the id of the record.
	spans map[opportunity.ID][]changeSpan
	// samples are the samples of each reference, oldest first.
	samples map[opportunity.Reference][]Sample
	// personReference maps the e-mail address of a person to the reference whose messages name the
	// person.
	personReference map[string]opportunity.Reference
	// address maps the id of a contact to the contact's e-mail address.
	address map[opportunity.ID]string
	found   []Violation
}

type caseFile struct {
	reference    opportunity.Reference
	chains       []*Chain
	observations []Observation
	requests     []request
	record       *Record
	// maybeLost is set when a restore may have lost a message of the reference.
	maybeLost bool
}

func (a *auditor) report(kind Kind, reference opportunity.Reference, request, format string, args ...any) {
	a.found = append(a.found, Violation{Kind: kind, Reference: reference, Request: request, Text: fmt.Sprintf(format, args...)})
}

func (a *auditor) caseOf(reference opportunity.Reference) *caseFile {
	f := a.cases[reference]
	if f == nil {
		f = &caseFile{reference: reference}
		a.cases[reference] = f
		a.references = append(a.references, reference)
	}
	return f
}

func (a *auditor) groupByReference() {
	for i := range a.evidence.Chains {
		c := &a.evidence.Chains[i]
		f := a.caseOf(c.Reference)
		f.chains = append(f.chains, c)
		f.requests = append(f.requests, c.requests()...)
	}
	for _, t := range a.evidence.Observations {
		f := a.caseOf(t.Reference)
		f.observations = append(f.observations, t)
	}
	for _, f := range a.cases {
		a.addLostByRestore(f)
	}
	a.committedFields = map[opportunity.ID][]requestlog.Field{}
	for _, entry := range a.evidence.RequestLog {
		if isManual(entry) {
			continue
		}
		for _, field := range entry.Fields {
			if id := opportunity.ID(field.Opportunity); field.Outcome == requestlog.Committed {
				a.committedFields[id] = append(a.committedFields[id], field)
			}
		}
	}
	a.spans, a.samples = spansOf(a.evidence.RequestLog), map[opportunity.Reference][]Sample{}
	for _, s := range a.evidence.Samples {
		a.samples[s.Reference] = append(a.samples[s.Reference], s)
	}
	for _, list := range a.samples {
		slices.SortStableFunc(list, func(x, y Sample) int { return x.At.Compare(y.At) })
	}
	a.interestReference, a.interestRecord = map[opportunity.ID]opportunity.Reference{}, map[opportunity.ID]opportunity.ID{}
	for i := range a.evidence.Records {
		r := &a.evidence.Records[i]
		for _, interest := range r.Interests {
			a.interestRecord[interest.ID] = r.ID
		}
		if f := a.cases[r.ReferenceTag]; f != nil && f.record == nil {
			f.record = r
		}
	}
	slices.Sort(a.references)
	for _, reference := range a.references {
		for _, r := range a.cases[reference].requests {
			for _, w := range r.expectedInterests() {
				if w.id != "" {
					a.interestReference[w.id] = reference
				}
			}
		}
	}
}

func (a *auditor) groupPeople() {
	a.personReference, a.address = map[string]opportunity.Reference{}, map[opportunity.ID]string{}
	for _, reference := range a.references {
		for _, r := range a.cases[reference].requests {
			add, is := r.command.(opportunity.AddInterests)
			if !is {
				continue
			}
			for _, interest := range add.Interests {
				for _, learner := range interest.Learners {
					a.personReference[addressKey(learner.Email)] = reference
				}
			}
		}
	}
	for _, contact := range a.evidence.Bookings.Contacts {
		a.address[contact.ID] = addressKey(contact.Email)
	}
}

func (a *auditor) actualRecord(f *caseFile) Record { return a.actual[f.record.ID] }

func (a *auditor) checkObservations(f *caseFile) {
	byID := map[string]*request{}
	for i := range f.requests {
		byID[f.requests[i].id] = &f.requests[i]
	}
	missing := map[string]bool{}
	for _, t := range f.observations {
		if t.Result == Refused || t.Result == Unknown {
			continue
		}
		r := byID[t.Request]
		switch {
		case r == nil && missing[t.Request]:
		case r == nil:
			missing[t.Request] = true
			a.report(Lost, f.reference, t.Request, "sender %d got the result %q for its message %d (%s), but no workflow history contains the message", t.Sender, t.Result, t.Sequence, t.Message)
		case t.Result == Done && r.state == reportedFailed:
			a.report(ReportedDoneButMissing, f.reference, t.Request, "sender %d got the result \"done\", but the workflow reports the request as failed", t.Sender)
		case t.Result == Failed && r.state == reportedDone:
			a.report(ReportedFailedButDone, f.reference, t.Request, "sender %d got the result \"failed\" (%s), but the workflow reports the request as done", t.Sender, t.Error)
		case t.Result == Done && len(r.outcome.Results) > 0 && !sameInterests(t.Results, r.outcome.Results):
			a.report(ReportedDoneButMissing, f.reference, t.Request, "the outcome that sender %d got names other interests than the outcome that the workflow reports", t.Sender)
		}
	}
}

func sameInterests(x, y []opportunity.InterestResult) bool {
	return slices.EqualFunc(x, y, func(x, y opportunity.InterestResult) bool { return x.Interest == y.Interest })
}
