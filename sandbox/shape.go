package sandbox

import (
	"github.com/oppflow/oppflow/sandbox/assume"
	"github.com/oppflow/oppflow/sandbox/graph"
)

// absences are what the schema has not if a row says so.
func absences() map[assume.Name][]string {
	return map[assume.Name][]string{
		assume.OpportunityPeople: {
			"OpportunityCreateInput.ownerId", "OpportunityCreateInput.contactId", "OpportunityUpdateInput.ownerId", "OpportunityUpdateInput.contactId",
		},
		assume.ContactCreate: {"ContactMutations.create"},
		assume.LogRead:       {"Query.externalIntegrationLogs"},
	}
}

// shape is the schema as the choices have it.
func shape(c assume.Choices) graph.Shape {
	s := graph.Shape{Strict: !c.Is(assume.MutationFailed, "field-null")}
	for row, paths := range absences() {
		if c.Is(row, assume.Absent) {
			s.Absent = append(s.Absent, paths...)
		}
	}
	return s
}
