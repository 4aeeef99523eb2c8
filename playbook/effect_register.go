package playbook

import (
	"github.com/oppflow/oppflow/exchange"
)

// RegisterRule says what happens to the reserved places after the registration.
type RegisterRule struct {
	// If KeepReservation is true, the reservation stays until its expiry time. If KeepReservation
	// is false, Oppflow releases the reserved places when all learners are registered. Between the
	// registration and the release, the event counts each place twice: as reserved and as booked.
	KeepReservation bool `json:"keepReservation,omitempty"`
}

func (r *RegisterRule) undo() (exchange.UndoLevel, string) {
	how := "the registrations are cancelled, but the learners stay in the event's list of learners"
	if !r.KeepReservation {
		how += "; released places are not reserved again"
	}
	return exchange.UndoPartial, how
}

func (r *RegisterRule) describe() string {
	if r.KeepReservation {
		return "the learners are registered on their events; the reservation expires by itself"
	}
	return "the learners are registered on their events, and then the reservation is released; if fewer learners are registered than places were sold, the reservation stays"
}

func (r *RegisterRule) plan(p *planner, _ string) any {
	return exchange.RegisterLearners{ReleaseReservation: !r.KeepReservation, People: p.people()}
}

func (r *RegisterRule) isAboutLearners() bool { return true }
