package chaos

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/oppflow/oppflow/e2e/chaos/tenant"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/sandbox/globalid"
)

// sales returns the scripts of opportunities with learners. At the end, these opportunities are
// won, lost or archived. sales has its own source of random numbers, so sales do not change the
// other scripts of a seed. No two scripts name the same person.
func sales(o Options) []Script {
	p := planner{options: o, random: rand.New(rand.NewPCG(o.Seed, 4))} //nolint:gosec // it decides no secret
	scripts := make([]Script, o.Sales)
	for n := range scripts {
		scripts[n] = p.sale(n)
	}
	return scripts
}

func (p *planner) sale(n int) Script {
	s := Script{
		Reference: opportunity.Reference(fmt.Sprintf("sale-%d-%d", p.options.Seed, n)),
		Start:     opportunity.Start{Name: fmt.Sprintf("Sale %d", n), Region: "UK", Account: p.oneOf("", accountID(1), accountID(3)), EntryStep: "Proposed"},
		// Only sales with SignalsOnly are reset. People edit and remove the interests of all other
		// sales.
		SignalsOnly: n%3 == 2,
	}
	people := 0
	learners := func() []opportunity.Learner {
		list := make([]opportunity.Learner, 1+p.random.IntN(3))
		for i := range list {
			person := people
			if people > 0 && p.random.IntN(5) == 0 {
				person = p.random.IntN(people) // an earlier interest may name the same person
			} else {
				people++
			}
			list[i] = opportunity.Learner{FirstName: "Ada", LastName: fmt.Sprintf("Number %d", person), Email: fmt.Sprintf("p%d%s", person, saleAddress(s.Reference))}
		}
		return list
	}
	add := func() Step {
		interests := make(opportunity.Interests, 1+p.random.IntN(2))
		for i := range interests {
			interests[i] = p.saleInterest(learners())
		}
		return p.send(opportunity.AddInterests{Interests: interests})
	}
	for range 2 + p.random.IntN(2) {
		s.Steps = append(s.Steps, add())
	}
	if p.random.IntN(4) == 0 {
		s.Steps = append(s.Steps, p.send(opportunity.AddInterests{Interests: opportunity.Interests{{
			Item: globalid.Encode(globalid.TrainingTokenType, tokenType), Quantity: 5, UnitAmount: decimal("10.00"),
		}}}))
	}
	s.Steps = append(s.Steps, p.send(opportunity.Progress{To: "Opportunity"}), add(), p.send(opportunity.UpdateDetails{Name: fmt.Sprintf("Sale %d again", n)}))
	if s.SignalsOnly && n%6 == 2 {
		s.Steps = append(s.Steps, Step{Action: Reset, ResetToFirst: p.random.IntN(2) == 0})
	}
	s.Steps = append(s.Steps, p.send(opportunity.Progress{To: p.oneOf("Won", "Won", "Won", "Won", "Won", "Lost", "Archived")}))
	if s.SignalsOnly {
		useOneTransport(s.Steps)
	}
	p.spread(s.Steps)
	return s
}

const tokenType = "8848a3b38adf45db8ff60fafcbd3b3f6"

func (p *planner) saleInterest(learners []opportunity.Learner) opportunity.Interest {
	events := tenant.SaleEvents()
	return opportunity.Interest{
		Item: globalid.EncodeInt(globalid.Event, events[p.random.IntN(len(events))]), Quantity: len(learners), UnitAmount: decimal(fmt.Sprintf("%d.50", p.random.IntN(900))),
		Reserve: p.random.IntN(2) == 0, Learners: learners,
	}
}

// saleAddress returns the end that the e-mail addresses of an opportunity's learners have in
// common.
func saleAddress(reference opportunity.Reference) string {
	return "." + strings.ToLower(string(reference)) + "@sale.example"
}

// interleave spreads the scripts of the second list over the first list, so that each round of the
// senders has scripts of both lists.
func interleave(first, second []Script) []Script {
	var all []Script
	for n, script := range first {
		all = append(all, script)
		all = append(all, second[n*len(second)/len(first):(n+1)*len(second)/len(first)]...)
	}
	return all
}
