package sandbox

import (
	"strings"

	"github.com/oppflow/oppflow/sandbox/assumptions"
	"github.com/oppflow/oppflow/sandbox/globalid"
	"github.com/oppflow/oppflow/sandbox/graph"
)

// removableParts returns, for each assumption, the parts of the schema that the assumption can
// remove.
func removableParts() map[assumptions.Name][]string {
	return map[assumptions.Name][]string{
		assumptions.EventPrice:  {"Event.price"},
		assumptions.EventSearch: {"EventField.textSearch", "EventField.eventOrCourseCodeOrTitle"},
		assumptions.BookingFilters: {
			"RegistrationField.id", "RegistrationField.eventId", "RegistrationField.sourceOpportunityId",
			"LearnerField.registrationId", "InvoiceField.accountId", "InvoiceField.lifecycleState",
		},
		assumptions.OpportunityOwnerAndContact: {
			"OpportunityCreateInput.ownerId", "OpportunityCreateInput.contactId", "OpportunityUpdateInput.ownerId", "OpportunityUpdateInput.contactId",
		},
		assumptions.AccountInputs: {
			"AccountCreateInput.website", "AccountCreateInput.isIndividual", "AccountCreateInput.ownerId", "AccountCreateInput.postalAddresses",
			"AccountUpdateInput.name", "AccountUpdateInput.website", "AccountUpdateInput.isIndividual", "AccountUpdateInput.ownerId",
		},
		assumptions.AddressLines:      {"Address.lines", "AddressInput.lines"},
		assumptions.ContactCreate:     {"ContactMutations.create"},
		assumptions.ContactMiddleName: {"PersonalNameInput.middleName"},
		assumptions.UserFields:        {"User.lastName", "Query.users.filters", "Query.users.order"},
		assumptions.LogID:             {"ExternalLogPayload.entityId"},
		assumptions.LogRead:           {"Query.externalIntegrationLogs"},
		assumptions.InterestFields: {
			"OpportunityInterest.reserve", "OpportunityInterest.taxId", "OpportunityInterest.expiresAt", "OpportunityInterest.learners",
		},
		assumptions.CurrencyID: {"Currency.id", "FinancialUnit.id"},
		assumptions.FilterItems: {
			"CourseTemplateField.code", "CourseTemplateField.title", "CourseTemplateField.lifecycleState",
			"LearningPathField.code", "LearningPathField.name", "LearningPathField.lifecycleState",
			"TrainingTokenTypeField.code", "TrainingTokenTypeField.name",
		},
		assumptions.FilterRegions:    {"RegionField.name"},
		assumptions.FilterCurrencies: {"CurrencyField.name"},
		assumptions.FilterSteps: {
			"OpportunityStepField.name", "OpportunityStepField.stageId", "OpportunityStepField.stageName", "OpportunityStepField.stageState",
		},
		assumptions.FilterInterests: {
			"OpportunityInterestField.opportunityId", "OpportunityInterestField.quantity", "OpportunityInterestField.unitAmount", "OpportunityInterestField.totalAmount",
		},
		assumptions.FilterLogs: {
			"ExternalIntegrationLogField.nodeId", "ExternalIntegrationLogField.originIdentifier", "ExternalIntegrationLogField.status",
		},
		assumptions.FilterSenders: {
			"SendingEmailAddressField.name", "SendingEmailAddressField.address", "SendingEmailAddressField.verified",
		},
		assumptions.ItemFields: {
			"CourseTemplate.legacyId", "CourseTemplate.lifecycleState", "LearningPath.legacyId", "LearningPath.lifecycleState", "TrainingTokenType.code",
		},
		assumptions.InvoiceFields: {"Invoice.legacyId", "Invoice.account", "Invoice.financialUnit", "Invoice.createdAt"},
		assumptions.LearnerFields: {"Learner.legacyId", "Learner.event", "Learner.registration", "Learner.isCancelled"},
		assumptions.RegistrationFields: {
			"Registration.legacyId", "Registration.event", "Registration.amount", "Registration.financialUnitId", "Registration.learners",
		},
		assumptions.PayloadFields: {"LearnerPayload.learner", "RegistrationPayload.registration", "EventPayload.event"},
	}
}

func renamableParts() map[assumptions.Name]string {
	return map[assumptions.Name]string{
		assumptions.QueryRegions:         "Query.regions",
		assumptions.QueryCourseTemplates: "Query.courseTemplates",
		assumptions.QueryLearningPaths:   "Query.learningPaths",
		assumptions.QueryTokenTypes:      "Query.trainingTokenTypes",
		assumptions.QueryInvoices:        "Query.invoices",
		assumptions.OpportunityRegion:    "Opportunity.region",
		assumptions.OpportunityCreated:   "Opportunity.createdAt",
		assumptions.OpportunityUpdated:   "Opportunity.updatedAt",
		assumptions.OpportunityTokens:    "Opportunity.tokenIssues",
		assumptions.LearnerRegistration:  "Learner.registration",
		assumptions.InterestQuantity:     "OpportunityInterest.quantity",
		assumptions.InterestUnit:         "OpportunityInterest.unitAmount",
		assumptions.InvoiceLines:         "Invoice.lines",
		assumptions.ExtendOpportunity:    "OpportunityExtendReservationsPayload.opportunity",
		assumptions.CreateAttributes:     "OpportunityCreateInput.attributes",
		assumptions.UpdateAttributes:     "OpportunityUpdateInput.attributes",
		assumptions.UpdateName:           "OpportunityUpdateInput.name",
		assumptions.EventTitle:           "EventUpdateInput.title",
		assumptions.EventState:           "EventUpdateInput.lifecycleState",
		assumptions.EventPlaces:          "EventUpdateInput.maxPlaces",
		assumptions.FilterName:           "OpportunityField.name",
		assumptions.FilterAccount:        "OpportunityField.accountId",
		assumptions.FilterCreated:        "OpportunityField.createdAt",
		assumptions.FilterUpdated:        "OpportunityField.updatedAt",
		assumptions.FilterOwner:          "OpportunityField.ownerId",
		assumptions.FilterContact:        "OpportunityField.contactId",
		assumptions.Order:                "*.*.order",
	}
}

func schemaVariant(c assumptions.Choices) graph.SchemaVariant {
	// The events field has the observed arguments order and orderBy, so no assumption changes the
	// names of these arguments.
	s := graph.SchemaVariant{NonNullNamespaces: !c.Is(assumptions.FailedMutationResponse, "field-null"), Renames: []graph.Rename{
		{Path: "OpportunityInterest.kind"}, {Path: "Query.events.order", Name: "order"}, {Path: "Query.events.orderBy", Name: "orderBy"},
	}}
	for row, paths := range removableParts() {
		if c.Is(row, assumptions.Absent) {
			for _, path := range paths {
				s.Renames = append(s.Renames, graph.Rename{Path: path})
			}
		}
	}
	if c.Is(assumptions.FilterFields, "few") {
		for _, field := range strings.Fields("name regionId stepName stageId stageName accountId accountName contactId ownerId financialUnitId reservationsValidUntil createdAt updatedAt") {
			s.Renames = append(s.Renames, graph.Rename{Path: "OpportunityField." + field})
		}
	}
	if c.Is(assumptions.CustomFieldTypes, "event") {
		for _, typ := range strings.Fields("Opportunity Account Contact Learner") {
			s.Renames = append(s.Renames, graph.Rename{Path: "CustomFieldTemplateType." + typ})
		}
	}
	for row, path := range renamableParts() {
		if name := c.Of(row); !strings.HasSuffix(path, "."+name) {
			if name == assumptions.Absent {
				name = ""
			}
			s.Renames = append(s.Renames, graph.Rename{Path: path, Name: name})
		}
	}
	if member := c.Of(assumptions.InterestExisting); member != "ids" && member != "empty" {
		s.WrappedIDs = map[string]string{"OpportunityInterestLearnersInput.existingLearners": member}
	}
	s.Prefixes = idPrefixes(c)
	if c.Is(assumptions.LogList, "one") {
		s.SingleValues = []string{"ExternalLogMutations.createExternalIntegrationLogs.input"}
	}
	if name := c.Of(assumptions.InterestEvent); name != "Event" {
		s.SplitTypes = []graph.SplitType{{Interface: "InterestItem", Type: "Event", Name: name}}
	}
	s.TypeName = typeNames(c)
	return s
}

func idPrefixes(c assumptions.Choices) map[string]string {
	others := make(map[string]string)
	for row, prefix := range map[assumptions.Name]string{
		assumptions.InvoiceID: globalid.Invoice, assumptions.UserID: globalid.User, assumptions.CurrencyPrefix: globalid.Currency, assumptions.LogPrefix: globalid.ExternalLog,
	} {
		if other := c.Of(row); other != prefix {
			others[prefix] = other
		}
	}
	return others
}

func typeNames(c assumptions.Choices) func(name string) string {
	operation := c.Of(assumptions.FilterOperation)
	filter, order, input := c.Is(assumptions.FilterTypes, "filter"), c.Is(assumptions.OrderTypes, "order"), c.Is(assumptions.InputTypes, "verb")
	others := c.Is(assumptions.OtherInputTypes, "graph-input")
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
