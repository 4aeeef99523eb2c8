package tms

import (
	"time"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/opportunity"
)

// SetEarlierRunTimeout sets how long the worker tries to list the other runs of a reference.
func (a *Activities) SetEarlierRunTimeout(within time.Duration) { a.earlierRunTimeout = within }

// AddToName returns the name with the tag, as the TMS stores the name.
func (m ReferenceTag) AddToName(name string, reference opportunity.Reference) string {
	return m.addToName(name, reference)
}

// Attributes returns the attributes that the worker sets on a new record.
func (m ReferenceTag) Attributes(reference opportunity.Reference) []administrate.Attribute {
	return m.attributes(reference)
}
