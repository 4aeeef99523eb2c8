package audit

import (
	"cmp"
	"slices"

	"github.com/oppflow/oppflow/opportunity"
)

const defaultMaxQuestionShare = 0.01

// QuestionShare is the allowed share of messages that end with a question to an operator.
func (r Tolerances) QuestionShare() float64 {
	return cmp.Or(r.MaxQuestionShare, defaultMaxQuestionShare)
}

// Questions counts what waits for an operator's answer: opportunities with a question, and parked
// requests.
func (e Evidence) Questions() int {
	return e.countQuestions(func(opportunity.Reference) bool { return true })
}

func (e Evidence) countQuestions(of func(opportunity.Reference) bool) int {
	n := 0
	for _, c := range e.Chains {
		if c.Status != Running || c.View == nil || !of(c.Reference) {
			continue
		}
		if c.View.Question != nil {
			n++
		}
		n += len(c.View.Parked)
	}
	return n
}

// Messages counts the accepted commands, and counts a repeated command once.
func (e Evidence) Messages() int {
	n := 0
	for i := range e.Chains {
		n += len(e.Chains[i].requests())
	}
	return n
}

func (a *auditor) checkQuestions() {
	most := a.tolerances.QuestionShare()
	// Oppflow may ask an operator about a message that a restore lost, because the message may have
	// taken effect.
	questions := a.evidence.countQuestions(func(reference opportunity.Reference) bool { return !a.cases[reference].maybeLost })
	messages := a.evidence.Messages()
	if float64(questions) >= most*float64(max(messages, 1)) && questions > 0 {
		a.report(TooManyQuestions, "", "", "%d of %d messages ended with a question to an operator; the share must be less than %.1f%%", questions, messages, 100*most)
	}
}

// checkReadableQuestions reports the questions about changes whose results the record shows.
// checkReadableQuestions skips a reference if a restore may have lost a message of the reference,
// because the lost message may cause a question.
func (a *auditor) checkReadableQuestions(f *caseFile) {
	if f.maybeLost || f.record == nil {
		return
	}
	for _, c := range f.chains {
		if c.Status != Running || c.View == nil || c.View.Question == nil {
			continue
		}
		at := slices.IndexFunc(f.requests, func(r request) bool { return r.id == c.View.Question.Request })
		if at >= 0 && a.isReadable(f, f.requests[at]) {
			a.report(ReadableQuestion, f.reference, f.requests[at].id, "the question %q is unnecessary, because the record shows whether the following change was made: %s", c.View.Question.Text, opportunity.Summary(f.requests[at].command))
		}
	}
}

// isReadable reports whether the record proves that the request was or was not carried out. The
// record proves nothing if another request or a person can have made the same change. A record in
// another step than the requested step proves nothing, because a later transition may have followed
// the requested transition. If the requested step is the entry step, a record in the entry step
// proves nothing, because the record may never have left the entry step. A missing interest proves
// nothing if the record has an interest that no outcome names. In this situation, the API may have
// rejected the missing interest and added the interest that no outcome names. After a reset of the
// run, a missing interest proves nothing: the API may have rejected the interest, or a person may
// have removed the interest. A question about an effect concerns no request, so a question about an
// effect never counts as readable.
func (a *auditor) isReadable(f *caseFile, r request) bool {
	alone := func(is func(request) bool) bool {
		return !slices.ContainsFunc(f.requests, func(o request) bool { return o.id != r.id && is(o) })
	}
	switch command := r.command.(type) {
	case opportunity.AddInterests:
		wishes := r.expectedInterests()
		shown := 0
		for n, w := range wishes {
			equal := func(o expectedInterest) bool { return o.content == w.content }
			if slices.ContainsFunc(wishes[n+1:], equal) || !alone(func(o request) bool { return slices.ContainsFunc(o.expectedInterests(), equal) }) {
				return false
			}
			if slices.ContainsFunc(f.record.Interests, func(i Interest) bool {
				there := i.Content
				if a.mayReserve(f) {
					there.Reserve = w.content.Reserve
				}
				return there == w.content
			}) {
				shown++
			}
		}
		return shown == len(wishes) || shown == 0 && f.explainsInterests() && len(a.resetTimes(f.reference)) == 0
	case opportunity.Progress:
		return f.record.Step == command.To && command.To != f.entryStep() && len(a.manualSteps(f.record.ID)) == 0 && alone(func(o request) bool { p, is := o.command.(opportunity.Progress); return is && p.To == command.To })
	case opportunity.UpdateDetails:
		return alone(func(o request) bool { _, is := o.command.(opportunity.UpdateDetails); return is })
	}
	return false
}

func (f *caseFile) explainsInterests() bool {
	reported := make(map[opportunity.ID]bool)
	for _, r := range f.requests {
		for _, w := range r.expectedInterests() {
			reported[w.id] = true
		}
	}
	return !slices.ContainsFunc(f.record.Interests, func(i Interest) bool { return !reported[i.ID] })
}
