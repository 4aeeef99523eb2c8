package playbook

import (
	"github.com/oppflow/oppflow/exchange"
)

// CancelRegistrationsRule has no settings.
type CancelRegistrationsRule struct{}

func (r *CancelRegistrationsRule) undo() (exchange.UndoLevel, string) {
	return exchange.UndoPartial, "the cancelled learners are reinstated as long as the events have free places"
}

func (r *CancelRegistrationsRule) describe() string {
	return "the registrations of the opportunity's learners are cancelled"
}

func (r *CancelRegistrationsRule) plan(p *planner, _ string) any {
	return exchange.CancelRegistrations{People: p.people()}
}
