package playbook

import (
	"cmp"
	"fmt"

	"github.com/oppflow/oppflow/exchange"
)

// LogRule says what Oppflow writes to the external integration log.
type LogRule struct {
	// Message is a template on one line, and must not name a person.
	Message Text `json:"message"`
	// Status is the status of the log entry; the default is success.
	Status string `json:"status,omitempty" jsonschema:"enum=success,enum=failed,enum=partial"`
}

func (r *LogRule) undo() (exchange.UndoLevel, string) {
	return exchange.UndoNone, "log entries cannot be deleted"
}

func (r *LogRule) describe() string {
	status := cmp.Or(r.Status, string(exchange.LogSuccess))
	return fmt.Sprintf("an entry with the status %s is written to the log of the TMS: %s", status, quote(r.Message))
}

func (r *LogRule) check(c *checker, path string) {
	c.checkText(path+".message", r.Message, Variables{}, true)
}

func (r *LogRule) plan(p *planner, rule string) any {
	return r.settings(p, rule)
}

func (r *LogRule) settings(p *planner, rule string) exchange.WriteLog {
	return exchange.WriteLog{
		Status:  cmp.Or(exchange.LogStatus(r.Status), exchange.LogSuccess),
		Message: oneLine(p.render(rule, r.Message)),
	}
}

func (r *LogRule) usesFirstStart() bool { return r.Message.usesFirstStart() }

func (r *LogRule) isRepeatable() bool { return true }
