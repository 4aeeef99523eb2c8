package compare

import (
	"fmt"
	"regexp"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/opportunity"
)

// Budget is the maximum cost of one lifecycle. A Budget always equals the current cost, so a
// developer who lowers the cost must also lower the Budget.
type Budget struct{ Requests, Events, Actions int }

// Budgets maps the name of each subject that uses Oppflow to its Budget.
func Budgets() map[string]Budget {
	return map[string]Budget{
		oppflowMode{oneMessage: true}.String():                 {Requests: 7, Events: 77, Actions: 20},
		oppflowMode{}.String():                                 {Requests: 8, Events: 99, Actions: 25},
		oppflowMode{byUpdate: true, oneMessage: true}.String(): {Requests: 7, Events: 86, Actions: 22},
		oppflowMode{byUpdate: true}.String():                   {Requests: 8, Events: 112, Actions: 27},
	}
}

// PlaybookBudgets maps the name of each subject that uses Oppflow with the default playbook to its
// Budget.
func PlaybookBudgets() map[string]Budget {
	return map[string]Budget{
		oppflowMode{oneMessage: true}.String():                                 {Requests: 8, Events: 103, Actions: 26},
		oppflowMode{}.String():                                                 {Requests: 9, Events: 125, Actions: 31},
		oppflowMode{byUpdate: true, oneMessage: true}.String():                 {Requests: 8, Events: 112, Actions: 28},
		oppflowMode{byUpdate: true}.String():                                   {Requests: 9, Events: 138, Actions: 33},
		oppflowMode{oneMessage: true, learners: true}.String():                 {Requests: 13, Events: 136, Actions: 33},
		oppflowMode{learners: true}.String():                                   {Requests: 14, Events: 158, Actions: 38},
		oppflowMode{byUpdate: true, oneMessage: true, learners: true}.String(): {Requests: 13, Events: 145, Actions: 35},
		oppflowMode{byUpdate: true, learners: true}.String():                   {Requests: 14, Events: 171, Actions: 40},

		oppflowMode{oneMessage: true, learners: true, newAccount: true}.String(): {Requests: 14, Events: 142, Actions: 34},
		oppflowMode{learners: true, newAccount: true}.String():                   {Requests: 15, Events: 164, Actions: 39},
	}
}

// API returns the client of the sandbox.
func (g *Environment) API() *administrate.Client { return g.api }

// LearnersOf returns the e-mail addresses of the learners of a record and their event. LearnersOf
// returns no address for a record of a lifecycle without learners.
func LearnersOf(record administrate.Opportunity) (emails []string, eventID string) {
	for _, interest := range record.Interests {
		if interest.Item.ID != event || interest.Quantity == nil || *interest.Quantity != 2 {
			continue
		}
		for _, learner := range learnersOf(opportunity.Reference(regexp.MustCompile(`life-\d+`).FindString(fmt.Sprint(record.Name, record.Attributes)))) {
			emails = append(emails, learner.Email)
		}
	}
	return emails, event
}

// Exceeds returns one line of text for each count in c that is higher than in the Budget.
func (b Budget) Exceeds(c Counts) []string {
	var all []string
	for _, one := range []struct {
		what       string
		took, most int
	}{{"requests", c.Requests, b.Requests}, {"events", c.Events, b.Events}, {"actions", c.Actions, b.Actions}} {
		if one.took > one.most {
			all = append(all, fmt.Sprintf("%d %s, %d more than the budget", one.took, one.what, one.took-one.most))
		}
	}
	return all
}
