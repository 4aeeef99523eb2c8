package audit

import (
	"cmp"

	"github.com/oppflow/oppflow/opportunity"
)

// defaultMaxQuestionShare is the share of the messages that may end as a question where the
// tolerances set none.
const defaultMaxQuestionShare = 0.01

// QuestionShare is the share of the messages that may end as a question.
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

// Messages counts the accepted commands, each once.
func (e Evidence) Messages() int {
	n := 0
	for i := range e.Chains {
		n += len(e.Chains[i].requests())
	}
	return n
}

func (a *auditor) checkQuestions() {
	most := a.tolerances.QuestionShare()
	// A message that is lost since a restore may have taken effect, so Oppflow asks about its
	// effect.
	questions := a.evidence.countQuestions(func(reference opportunity.Reference) bool { return !a.cases[reference].maybeLost })
	messages := a.evidence.Messages()
	if float64(questions) >= most*float64(max(messages, 1)) && questions > 0 {
		a.report(TooManyQuestions, "", "", "%d of %d messages ended as a question; less than %.1f%% may", questions, messages, 100*most)
	}
}
