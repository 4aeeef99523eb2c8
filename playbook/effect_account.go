package playbook

import (
	"cmp"

	"github.com/oppflow/oppflow/exchange"
)

// AccountRule says which name a new account has.
type AccountRule struct {
	// Name is a template for the name; without Name, the new account has the name of the opportunity.
	Name Text `json:"name,omitempty"`
}

func (r *AccountRule) undo() (exchange.UndoLevel, string) {
	return exchange.UndoPartial, "the opportunity gets its earlier account again; an account that the effect created stays in the TMS"
}

func (r *AccountRule) describe() string {
	name := "with the name of the opportunity"
	if r.Name != "" {
		name = "with the name " + quote(r.Name)
	}
	return "an opportunity without an account gets the account " + name + "; Oppflow creates the account if the TMS has none"
}

func (r *AccountRule) check(c *checker, path string) {
	c.checkText(path+".name", r.Name, Variables{}, true)
}

func (r *AccountRule) plan(p *planner, rule string) any {
	return exchange.EnsureAccount{Name: cmp.Or(oneLine(p.render(rule, r.Name)), p.facts.Details.Name)}
}

func (r *AccountRule) usesFirstStart() bool { return r.Name.usesFirstStart() }
