package tms

import (
	"time"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/opportunity"
)

// AskFor sets how long the namespace is asked for other runs.
func (a *Activities) AskFor(within time.Duration) { a.askFor = within }

// Written returns the name as the TMS holds it.
func (m Mark) Written(name string, reference opportunity.Reference) string {
	return m.written(name, reference)
}

// Attributes returns those that a new record gets.
func (m Mark) Attributes(reference opportunity.Reference) []administrate.Attribute {
	return m.attributes(reference)
}
