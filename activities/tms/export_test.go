package tms

import (
	"time"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/opportunity"
)

// SetEarlierRunTimeout sets how long the worker tries to list other runs.
func (a *Activities) SetEarlierRunTimeout(within time.Duration) { a.earlierRunTimeout = within }

// AddToName returns the name as the TMS stores it.
func (m ReferenceTag) AddToName(name string, reference opportunity.Reference) string {
	return m.addToName(name, reference)
}

// Attributes returns the attributes of a new record.
func (m ReferenceTag) Attributes(reference opportunity.Reference) []administrate.Attribute {
	return m.attributes(reference)
}
