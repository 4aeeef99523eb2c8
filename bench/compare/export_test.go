package compare

import "fmt"

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
