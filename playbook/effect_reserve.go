package playbook

import (
	"github.com/oppflow/oppflow/exchange"
)

// ReserveRule says how long places are reserved.
type ReserveRule struct {
	// For is the time from now until the reservation expires, at least a minute.
	For Period `json:"for"`
	// NoneReserved promises that the opportunity has no reserved places yet. A reserve effect before
	// a transition needs this promise, because its undo releases all places of the opportunity.
	NoneReserved bool `json:"noneReserved,omitempty"`
}

func (r *ReserveRule) undo() (exchange.UndoLevel, string) {
	if r.NoneReserved {
		return exchange.UndoPartial, "the places expire an hour later, unless somebody holds on to them, and then the opportunity can hold none again"
	}
	return exchange.UndoNone, "giving the places back would drop every place the opportunity holds, and it could never reserve places again"
}

func (r *ReserveRule) adviceBefore() string {
	return "or say noneReserved: true where the opportunity can hold no places yet"
}

func (r *ReserveRule) describe() string {
	return "places on the events are reserved for " + r.For.String()
}

func (r *ReserveRule) check(c *checker, path string) { c.checkReservationPeriod(path+".for", r.For) }

func (r *ReserveRule) plan(p *planner, _ string) any {
	return exchange.EnsureReservation{Until: p.waitDeadline(r.For)}
}
