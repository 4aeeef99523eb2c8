package audit

import (
	"cmp"

	"github.com/oppflow/oppflow/opportunity"
)

// mostQuestions is the share of the messages that may end as a question where no rule says otherwise.
const mostQuestions = 0.01

// MostQuestions is the share of the messages that may end as a question.
func (r Rules) MostQuestions() float64 { return cmp.Or(r.Questions, mostQuestions) }

// Questions counts what waits for an operator's answer: opportunities, and requests that are parked.
func (e Evidence) Questions() int {
	return e.questions(func(opportunity.Reference) bool { return true })
}

func (e Evidence) questions(of func(opportunity.Reference) bool) int {
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

func (a *auditor) questions() {
	most := a.rules.MostQuestions()
	// What is gone since a restore, and is there, is asked about.
	questions := a.evidence.questions(func(reference opportunity.Reference) bool { return !a.cases[reference].gone })
	messages := a.evidence.Messages()
	if float64(questions) >= most*float64(max(messages, 1)) && questions > 0 {
		a.report(TooManyQuestions, "", "", "%d of %d messages ended as a question; less than %.1f%% may", questions, messages, 100*most)
	}
}
