package playbook

import (
	"github.com/oppflow/oppflow/exchange"
)

// ReserveRule says how long places are reserved.
type ReserveRule struct {
	// For is the length of the reservation from now, at least one minute.
	For Period `json:"for"`
	// NoneReserved is the promise of the playbook's author that the opportunity has no reserved
	// places yet. A reserve effect before a transition needs this promise, because an undo of the
	// effect also releases places that were reserved earlier.
	NoneReserved bool `json:"noneReserved,omitempty"`
}

func (r *ReserveRule) undo() (exchange.UndoLevel, string) {
	if r.NoneReserved {
		return exchange.UndoPartial, "the reservation expires after an hour, unless somebody extends the reservation; an opportunity with an expired reservation cannot reserve places again"
	}
	return exchange.UndoNone, "a release frees all places of the opportunity, and the opportunity can never reserve places again"
}

func (r *ReserveRule) adviceBefore() string {
	return "or set noneReserved: true if the opportunity cannot have reserved places yet"
}

func (r *ReserveRule) describe() string {
	return "places on the events are reserved for " + r.For.String()
}

func (r *ReserveRule) check(c *checker, path string) { c.checkReservationPeriod(path+".for", r.For) }

func (r *ReserveRule) plan(p *planner, _ string) any {
	return exchange.EnsureReservation{Until: p.waitDeadline(r.For)}
}
