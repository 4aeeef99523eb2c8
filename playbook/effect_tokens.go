package playbook

import (
	"github.com/oppflow/oppflow/exchange"
)

// TokensRule says how long Oppflow waits for the TMS to issue training tokens.
type TokensRule struct {
	// Wait is the longest time for which Oppflow waits for the TMS to issue the tokens; the default is 1 hour.
	Wait Period `json:"wait,omitzero"`
}

func (r *TokensRule) undo() (exchange.UndoLevel, string) {
	return exchange.UndoExact, "the effect only reads and changes nothing"
}

func (r *TokensRule) describe() string {
	return "Oppflow checks that the TMS issues the training tokens within " + waitOrDefault(r.Wait).String()
}

func (r *TokensRule) check(c *checker, path string) { c.checkPeriod(path+".wait", r.Wait, true) }

func (r *TokensRule) plan(p *planner, _ string) any {
	return exchange.AwaitTokens{WaitUntil: p.waitDeadline(r.Wait)}
}
