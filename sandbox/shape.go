package sandbox

import (
	"strings"

	"github.com/oppflow/oppflow/sandbox/assume"
	"github.com/oppflow/oppflow/sandbox/globalid"
	"github.com/oppflow/oppflow/sandbox/graph"
)

// absences returns the parts of the schema that a row can remove.
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
		assume.InterestFields: {
			"OpportunityInterest.reserve", "OpportunityInterest.taxId", "OpportunityInterest.expiresAt", "OpportunityInterest.learners",
		},
		assume.CurrencyID: {"Currency.id", "FinancialUnit.id"},
		assume.FilterItems: {
			"CourseTemplateField.code", "CourseTemplateField.title", "CourseTemplateField.lifecycleState",
			"LearningPathField.code", "LearningPathField.name", "LearningPathField.lifecycleState",
			"TrainingTokenTypeField.code", "TrainingTokenTypeField.name",
		},
		assume.FilterRegions:    {"RegionField.name"},
		assume.FilterCurrencies: {"CurrencyField.name"},
		assume.FilterSteps: {
			"OpportunityStepField.name", "OpportunityStepField.stageId", "OpportunityStepField.stageName", "OpportunityStepField.stageState",
		},
		assume.FilterInterests: {
			"OpportunityInterestField.opportunityId", "OpportunityInterestField.quantity", "OpportunityInterestField.unitAmount", "OpportunityInterestField.totalAmount",
		},
		assume.FilterLogs: {
			"ExternalIntegrationLogField.nodeId", "ExternalIntegrationLogField.originIdentifier", "ExternalIntegrationLogField.status",
		},
		assume.FilterSenders: {
			"SendingEmailAddressField.name", "SendingEmailAddressField.address", "SendingEmailAddressField.verified",
		},
		assume.ItemFields: {
			"CourseTemplate.legacyId", "CourseTemplate.lifecycleState", "LearningPath.legacyId", "LearningPath.lifecycleState", "TrainingTokenType.code",
		},
		assume.InvoiceFields: {"Invoice.legacyId", "Invoice.account", "Invoice.financialUnit", "Invoice.createdAt"},
		assume.LearnerFields: {"Learner.legacyId", "Learner.event", "Learner.registration", "Learner.isCancelled"},
		assume.RegistrationFields: {
			"Registration.legacyId", "Registration.event", "Registration.amount", "Registration.financialUnitId", "Registration.learners",
		},
		assume.PayloadFields: {"LearnerPayload.learner", "RegistrationPayload.registration", "EventPayload.event"},
	}
}

// names returns the paths of the things whose name is the value of a row, if they exist.
func names() map[assume.Name]string {
	return map[assume.Name]string{
		assume.QueryRegions:         "Query.regions",
		assume.QueryCourseTemplates: "Query.courseTemplates",
		assume.QueryLearningPaths:   "Query.learningPaths",
		assume.QueryTokenTypes:      "Query.trainingTokenTypes",
		assume.QueryInvoices:        "Query.invoices",
		assume.OpportunityRegion:    "Opportunity.region",
		assume.OpportunityCreated:   "Opportunity.createdAt",
		assume.OpportunityUpdated:   "Opportunity.updatedAt",
		assume.OpportunityTokens:    "Opportunity.tokenIssues",
		assume.InterestQuantity:     "OpportunityInterest.quantity",
		assume.InterestUnit:         "OpportunityInterest.unitAmount",
		assume.InvoiceLines:         "Invoice.lines",
		assume.ExtendOpportunity:    "OpportunityExtendReservationsPayload.opportunity",
		assume.CreateAttributes:     "OpportunityCreateInput.attributes",
		assume.UpdateAttributes:     "OpportunityUpdateInput.attributes",
		assume.UpdateName:           "OpportunityUpdateInput.name",
		assume.EventTitle:           "EventUpdateInput.title",
		assume.EventState:           "EventUpdateInput.lifecycleState",
		assume.EventPlaces:          "EventUpdateInput.maxPlaces",
		assume.FilterName:           "OpportunityField.name",
		assume.FilterAccount:        "OpportunityField.accountId",
		assume.FilterCreated:        "OpportunityField.createdAt",
		assume.FilterUpdated:        "OpportunityField.updatedAt",
		assume.FilterOwner:          "OpportunityField.ownerId",
		assume.FilterContact:        "OpportunityField.contactId",
		assume.Order:                "*.*.order",
	}
}

// shape returns the schema of the choices.
func shape(c assume.Choices) graph.Shape {
	// For events both arguments were observed, whatever other lists have.
	s := graph.Shape{Strict: !c.Is(assume.MutationFailed, "field-null"), Names: []graph.Naming{
		{Path: "OpportunityInterest.kind"}, {Path: "Query.events.order", Name: "order"}, {Path: "Query.events.orderBy", Name: "orderBy"},
	}}
	for row, paths := range absences() {
		if c.Is(row, assume.Absent) {
			for _, path := range paths {
				s.Names = append(s.Names, graph.Naming{Path: path})
			}
		}
	}
	if c.Is(assume.FilterFields, "few") {
		for _, field := range strings.Fields("name regionId stepName stageId stageName accountId accountName contactId ownerId financialUnitId reservationsValidUntil createdAt updatedAt") {
			s.Names = append(s.Names, graph.Naming{Path: "OpportunityField." + field})
		}
	}
	if c.Is(assume.CustomFieldTypes, "event") {
		for _, typ := range strings.Fields("Opportunity Account Contact Learner") {
			s.Names = append(s.Names, graph.Naming{Path: "CustomFieldTemplateType." + typ})
		}
	}
	for row, path := range names() {
		if name := c.Of(row); !strings.HasSuffix(path, "."+name) {
			if name == assume.Absent {
				name = ""
			}
			s.Names = append(s.Names, graph.Naming{Path: path, Name: name})
		}
	}
	if member := c.Of(assume.InterestExisting); member != "ids" && member != "empty" {
		s.Wrapped = map[string]string{"OpportunityInterestLearnersInput.existingLearners": member}
	}
	s.Prefixes = prefixes(c)
	if c.Is(assume.LogList, "one") {
		s.Single = []string{"ExternalLogMutations.createExternalIntegrationLogs.input"}
	}
	if name := c.Of(assume.InterestEvent); name != "Event" {
		s.Apart = []graph.Apart{{Interface: "InterestItem", Type: "Event", Name: name}}
	}
	s.Types = typeNames(c)
	return s
}

// prefixes returns the prefixes of ids that the choices change.
func prefixes(c assume.Choices) map[string]string {
	others := make(map[string]string)
	for row, prefix := range map[assume.Name]string{
		assume.InvoiceID: globalid.Invoice, assume.UserID: globalid.User, assume.CurrencyPrefix: globalid.Currency, assume.LogPrefix: globalid.ExternalLog,
	} {
		if other := c.Of(row); other != prefix {
			others[prefix] = other
		}
	}
	return others
}

// typeNames returns a function for the names of input types and enums according to the choices.
func typeNames(c assume.Choices) func(name string) string {
	operation := c.Of(assume.FilterOperation)
	filter, order, input := c.Is(assume.FilterTypes, "filter"), c.Is(assume.OrderTypes, "order"), c.Is(assume.InputTypes, "verb")
	others := c.Is(assume.OtherInputTypes, "graph-input")
	return func(name string) string {
		if name == "FilterOperation" {
			return operation
		}
		if typ, ok := strings.CutSuffix(name, "FieldGraphFilter"); ok && filter {
			switch typ {
			case "Event", "Account", "Contact", "CourseTemplate": // these names were observed
			default:
				return typ + "Filter"
			}
		}
		if typ, ok := strings.CutSuffix(name, "FieldGraphOrder"); ok && order {
			return typ + "Order"
		}
		switch name {
		case "OpportunityProgressInput", "OpportunityAddInterestInput", "OpportunityExtendReservationsInput", "OpportunityReservePlacesForInterestsInput":
			if input {
				return strings.TrimPrefix(name, "Opportunity")
			}
			return name
		case "OpportunityCreateInput", "OpportunityUpdateInput", "AccountCreateInput", "ContactCreateInput", "ExternalIntegrationLogCreateInput": // these names were observed
			return name
		}
		if typ, ok := strings.CutSuffix(name, "Input"); ok && others {
			return typ + "GraphInput"
		}
		return name
	}
}
