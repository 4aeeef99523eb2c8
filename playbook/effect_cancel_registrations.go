package playbook

import (
	"github.com/oppflow/oppflow/exchange"
)

// CancelRegistrationsRule has no settings.
type CancelRegistrationsRule struct{}

func (r *CancelRegistrationsRule) undo() (exchange.UndoLevel, string) {
	return exchange.UndoPartial, "the learners that were cancelled are taken back, as far as there are places"
}

func (r *CancelRegistrationsRule) describe() string {
	return "the learners of the opportunity are cancelled"
}
