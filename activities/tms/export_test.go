package tms

import (
	"time"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/opportunity"
)

// AskFor sets how long the worker asks the namespace for other runs.
func (a *Activities) AskFor(within time.Duration) { a.askFor = within }

// Written returns the name as the TMS holds it.
func (m Mark) Written(name string, reference opportunity.Reference) string {
	return m.written(name, reference)
}

// Attributes returns the attributes of a new record.
func (m Mark) Attributes(reference opportunity.Reference) []administrate.Attribute {
	return m.attributes(reference)
}
