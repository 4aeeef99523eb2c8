package assumptions

// These assumptions are about parts of the API whose names were not observed.
const (
	QueryRegions         Name = "query.regions"
	QueryCourseTemplates Name = "query.courseTemplates"
	QueryLearningPaths   Name = "query.learningPaths"
	QueryTokenTypes      Name = "query.trainingTokenTypes"
	QueryInvoices        Name = "query.invoices"
	OpportunityRegion    Name = "opportunity.region"
	OpportunityCreated   Name = "opportunity.createdAt"
	OpportunityUpdated   Name = "opportunity.updatedAt"
	OpportunityTokens    Name = "opportunity.tokenIssues"
	LearnerRegistration  Name = "learner.registration"
	InterestFields       Name = "interest.fields"
	InterestQuantity     Name = "interest.quantity.name"
	InterestUnit         Name = "interest.unitAmount.name"
	InterestType         Name = "interest.type"
	InterestEvent        Name = "interest.event.type"
	InvoiceLines         Name = "invoice.lines"
	ExtendOpportunity    Name = "extend.opportunity"
	CurrencyID           Name = "currency.id"
	NodeUnknown          Name = "node.unknown"
	TotalTax             Name = "total.tax"
	// InputTypes does not apply to the mutations "create" and "update", whose input types are
	// documented.
	InputTypes      Name = "input.types"
	OtherInputTypes Name = "input.types.others"
)

func names() []Assumption {
	return []Assumption{
		nameAssumption(QueryRegions, "the query of regions", "regions", "companyRegions"),
		nameAssumption(QueryCourseTemplates, "the query of course templates", "courseTemplates", "courses"),
		nameAssumption(QueryLearningPaths, "the query of learning paths", "learningPaths", "paths"),
		nameAssumption(QueryTokenTypes, "the query of training token types", "trainingTokenTypes", "tokenTypes"),
		nameAssumption(QueryInvoices, "the query of invoices", "invoices", "salesInvoices"),
		nameAssumption(OpportunityRegion, "the field for the region of an opportunity", "region", "companyRegion"),
		nameAssumption(OpportunityCreated, "the field for the creation time of an opportunity", "createdAt", "created"),
		nameAssumption(OpportunityUpdated, "the field for the time of an opportunity's last change", "updatedAt", "lastUpdatedAt"),
		nameAssumption(OpportunityTokens, "the field for the list of training tokens that were issued for an opportunity", "tokenIssues", "trainingTokenIssues"),
		nameAssumption(LearnerRegistration, "the field for the registration of a place on an event", "registration", "enrolment"),
		{Name: InterestFields, Options: []Option{
			{"shown", "an interest has the fields reserve, taxId, expiresAt and learners"},
			{Absent, "an interest does not have the fields reserve, taxId, expiresAt and learners"},
		}},
		nameAssumption(InterestQuantity, "the field for the quantity of an interest", "quantity", "places"),
		nameAssumption(InterestUnit, "the field for the price of one unit of an interest", "unitAmount", "price"),
		{Name: InterestType, Options: []Option{
			{"one", "every interest has the __typename OpportunityInterest"},
			{"by-kind", "the __typename of an interest names the kind of the item, such as OpportunityEventInterest"},
		}},
		{Name: InterestEvent, AnyName: true, Options: []Option{
			{"Event", "an event that is the item of an interest has the type Event"},
			{"InterestEvent", "an event that is the item of an interest has the type InterestEvent, with the fields of events"},
		}},
		nameAssumption(InvoiceLines, "the field for the list of lines of an invoice", "lines", "items"),
		nameAssumption(ExtendOpportunity, "the field for the opportunity in the response of extendReservations", "opportunity", "result"),
		{Name: CurrencyID, Options: []Option{
			{"shown", "a currency has the global id Currency:<code>"},
			{Absent, "a currency has a code but no global id"},
		}},
		{Name: NodeUnknown, Options: []Option{
			{"null", "the query node returns null for an unknown id and fails for a malformed id"},
			{"error", "the query node fails for an unknown id and for a malformed id"},
		}},
		{Name: TotalTax, Options: []Option{
			{"without", "totalAmount is quantity times unitAmount; grandTotal is the sum of totalAmount, without tax and discounts"},
			{"with", "grandTotal includes 20 percent of tax"},
		}},
		{Name: InputTypes, Options: []Option{
			{"opportunity-first", "the names of input types of opportunity mutations begin with Opportunity, such as OpportunityProgressInput, like the documented names"},
			{"verb", "the names of input types of opportunity mutations, except create and update, begin with the verb, such as ProgressInput"},
		}},
		{Name: OtherInputTypes, Options: []Option{
			{"input", "the names of unobserved input types of all mutations except opportunity mutations end with Input, such as AccountUpdateInput and PostalAddressInput"},
			{"graph-input", "the names of unobserved input types of all mutations except opportunity mutations end with GraphInput, such as AccountUpdateGraphInput, like the observed names of filter types"},
		}},
	}
}
