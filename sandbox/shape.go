package sandbox

import (
	"strings"

	"github.com/oppflow/oppflow/sandbox/assume"
	"github.com/oppflow/oppflow/sandbox/graph"
)

// absences are what the schema has not if a row says so.
func absences() map[assume.Name][]string {
	return map[assume.Name][]string{
		assume.EventPrice:  {"Event.price"},
		assume.EventSearch: {"EventField.textSearch", "EventField.eventOrCourseCodeOrTitle"},
		assume.BookingFilters: {
			"RegistrationField.id", "RegistrationField.eventId", "RegistrationField.sourceOpportunityId",
			"LearnerField.registrationId", "InvoiceField.accountId", "InvoiceField.lifecycleState",
		},
		assume.OpportunityPeople: {
			"OpportunityCreateInput.ownerId", "OpportunityCreateInput.contactId", "OpportunityUpdateInput.ownerId", "OpportunityUpdateInput.contactId",
		},
		assume.AccountInputs: {
			"AccountCreateInput.website", "AccountCreateInput.isIndividual", "AccountCreateInput.ownerId", "AccountCreateInput.postalAddresses",
			"AccountUpdateInput.name", "AccountUpdateInput.website", "AccountUpdateInput.isIndividual", "AccountUpdateInput.ownerId",
		},
		assume.AddressLines:      {"Address.lines", "AddressInput.lines"},
		assume.ContactCreate:     {"ContactMutations.create"},
		assume.ContactMiddleName: {"PersonalNameInput.middleName"},
		assume.UserFields:        {"User.lastName", "Query.users.filters", "Query.users.order"},
		assume.LogID:             {"ExternalLogPayload.entityId"},
		assume.LogRead:           {"Query.externalIntegrationLogs"},
		assume.Order:             {"*.*.order"},
		assume.InterestFields: {
			"OpportunityInterest.quantity", "OpportunityInterest.unitAmount", "OpportunityInterest.reserve", "OpportunityInterest.taxId",
			"OpportunityInterest.expiresAt", "OpportunityInterest.learners",
		},
		assume.OpportunityFields: {"Opportunity.region", "Opportunity.createdAt", "Opportunity.updatedAt"},
		assume.CurrencyID:        {"Currency.id", "FinancialUnit.id"},
		assume.Queries:           {"Query.regions", "Query.courseTemplates", "Query.learningPaths", "Query.trainingTokenTypes", "Query.invoices"},
		assume.CreateAttributes:  {"OpportunityCreateInput.attributes", "OpportunityUpdateInput.attributes"},
		assume.UpdateName:        {"OpportunityUpdateInput.name"},
	}
}

// shape is the schema as the choices have it.
func shape(c assume.Choices) graph.Shape {
	s := graph.Shape{Strict: !c.Is(assume.MutationFailed, "field-null"), Absent: []string{"OpportunityInterest.kind"}}
	for row, paths := range absences() {
		if c.Is(row, assume.Absent) {
			s.Absent = append(s.Absent, paths...)
		}
	}
	if c.Is(assume.FilterFields, "few") {
		for _, field := range strings.Fields("name regionId stepName stageId stageName accountId accountName financialUnitId reservationsValidUntil createdAt updatedAt") {
			s.Absent = append(s.Absent, "OpportunityField."+field)
		}
	}
	if c.Is(assume.CustomFieldTypes, "event") {
		for _, typ := range strings.Fields("Opportunity Account Contact Learner") {
			s.Absent = append(s.Absent, "CustomFieldTemplateType."+typ)
		}
	}
	if c.Is(assume.FilterTypes, "filter") {
		s.Renamed = func(name string) string {
			if name == "FilterOperation" {
				return "Operation"
			}
			if typ, ok := strings.CutSuffix(name, "FieldGraphFilter"); ok {
				return typ + "Filter"
			}
			return name
		}
	}
	return s
}
