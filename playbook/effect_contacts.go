package playbook

import (
	"cmp"

	"github.com/oppflow/oppflow/exchange"
)

// ContactsRule says which contact Oppflow uses for a learner.
type ContactsRule struct {
	// OnMultipleMatches says what to do when more than one contact has the learner's e-mail address
	// and name: ask an operator (the default), or use the oldest of these contacts.
	OnMultipleMatches string `json:"onMultipleMatches,omitempty" jsonschema:"enum=ask,enum=oldest"`
}

func (r *ContactsRule) undo() (exchange.UndoLevel, string) {
	return exchange.UndoPartial, "the contacts that the effect created stay in the TMS"
}

func (r *ContactsRule) describe() string {
	if r.OnMultipleMatches == string(exchange.MatchOldest) {
		return "Oppflow creates a contact for each learner without a contact; if several contacts have the learner's e-mail address and name, Oppflow uses the oldest contact"
	}
	return "Oppflow creates a contact for each learner without a contact; if several contacts have the learner's e-mail address and name, an operator chooses the contact"
}

func (r *ContactsRule) plan(p *planner, _ string) any {
	return exchange.EnsureContacts{
		OnMultipleMatches: cmp.Or(exchange.MatchPolicy(r.OnMultipleMatches), exchange.MatchAskOperator), People: p.people(),
	}
}

func (r *ContactsRule) isAboutLearners() bool { return true }
