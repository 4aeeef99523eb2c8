package playbook

import (
	"github.com/oppflow/oppflow/exchange"
)

// RegisterRule says what happens to the reserved places.
type RegisterRule struct {
	// KeepReservation keeps the reservation until it expires; otherwise the places are released
	// once all learners are registered, because the places count twice.
	KeepReservation bool `json:"keepReservation,omitempty"`
}

func (r *RegisterRule) undo() (exchange.UndoLevel, string) {
	how := "the learners that were registered are cancelled, and stay in the list of the event"
	if !r.KeepReservation {
		how += "; places that were given back are not held again"
	}
	return exchange.UndoPartial, how
}

func (r *RegisterRule) describe() string {
	if r.KeepReservation {
		return "the learners are registered on their events; the places that were held expire by themselves"
	}
	return "the learners are registered on their events; then the places that were held are given back"
}

func (r *RegisterRule) plan(_ *planner, _ string) any {
	return exchange.RegisterLearners{ReleaseReservation: !r.KeepReservation}
}

func (r *RegisterRule) isAboutLearners() bool { return true }
