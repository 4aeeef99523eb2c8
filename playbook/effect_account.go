package playbook

import (
	"cmp"

	"github.com/oppflow/oppflow/exchange"
)

// AccountRule says what a new account is called.
type AccountRule struct {
	// Name is a template; without it the account gets the name of the opportunity.
	Name Text `json:"name,omitempty"`
}

func (r *AccountRule) undo() (exchange.UndoLevel, string) {
	return exchange.UndoPartial, "an account that was made stays in the TMS, without the opportunity"
}

func (r *AccountRule) describe() string {
	name := "called like the opportunity"
	if r.Name != "" {
		name = "called " + quote(r.Name)
	}
	return "where it has none, it gets the one " + name + ", which is made where there is none"
}

func (r *AccountRule) check(c *checker, path string) {
	c.checkText(path+".name", r.Name, Variables{}, true)
}

func (r *AccountRule) plan(p *planner, rule string) any {
	return exchange.EnsureAccount{Name: cmp.Or(oneLine(p.render(rule, r.Name)), p.facts.Details.Name)}
}

func (r *AccountRule) usesFirstStart() bool { return r.Name.usesFirstStart() }
