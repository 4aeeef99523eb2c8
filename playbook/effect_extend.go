package playbook

import (
	"github.com/oppflow/oppflow/exchange"
)

// ExtendRule says how long places are reserved.
type ExtendRule struct {
	// For is the length of the reservation from now, at least one minute.
	For Period `json:"for"`
}

func (r *ExtendRule) undo() (exchange.UndoLevel, string) {
	return exchange.UndoExact, "the earlier expiry time is set again"
}

func (r *ExtendRule) describe() string {
	return "the reservation is set to expire " + r.For.String() + " from now"
}

func (r *ExtendRule) check(c *checker, path string) { c.checkReservationPeriod(path+".for", r.For) }

func (r *ExtendRule) plan(p *planner, _ string) any {
	return exchange.EnsureReservation{Until: p.waitDeadline(r.For)}
}
