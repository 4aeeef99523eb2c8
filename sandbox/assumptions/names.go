package assumptions

// The rows about parts of the API whose names were not observed.
const (
	// QueryRegions to QueryInvoices are the names of queries at the root.
	QueryRegions         Name = "query.regions"
	QueryCourseTemplates Name = "query.courseTemplates"
	QueryLearningPaths   Name = "query.learningPaths"
	QueryTokenTypes      Name = "query.trainingTokenTypes"
	QueryInvoices        Name = "query.invoices"
	// OpportunityRegion to OpportunityTokens are the names of fields of opportunities.
	OpportunityRegion  Name = "opportunity.region"
	OpportunityCreated Name = "opportunity.createdAt"
	OpportunityUpdated Name = "opportunity.updatedAt"
	OpportunityTokens  Name = "opportunity.tokenIssues"
	// InterestFields says which fields an interest has besides InterestQuantity and InterestUnit.
	InterestFields   Name = "interest.fields"
	InterestQuantity Name = "interest.quantity.name"
	InterestUnit     Name = "interest.unitAmount.name"
	// InterestType says the value of __typename for an interest.
	InterestType Name = "interest.type"
	// InterestEvent says the type of an event in an interest.
	InterestEvent Name = "interest.event.type"
	// InvoiceLines is the name of the field that returns the lines of an invoice.
	InvoiceLines Name = "invoice.lines"
	// ExtendOpportunity is the name of the field that extendReservations returns besides errors.
	ExtendOpportunity Name = "extend.opportunity"
	// CurrencyID says whether currencies have global ids.
	CurrencyID Name = "currency.id"
	// NodeUnknown says what node returns for an id without a record.
	NodeUnknown Name = "node.unknown"
	// TotalTax says whether totals include tax.
	TotalTax Name = "total.tax"
	// InputTypes says the names of the input types of mutations of opportunities. The row does not
	// apply to create and update, because their input types are documented.
	InputTypes Name = "input.types"
	// OtherInputTypes says the names of all other input types, which were not observed.
	OtherInputTypes Name = "input.types.others"
)

func names() []Assumption {
	return []Assumption{
		nameAssumption(QueryRegions, "the query of regions", "regions", "companyRegions"),
		nameAssumption(QueryCourseTemplates, "the query of course templates", "courseTemplates", "courses"),
		nameAssumption(QueryLearningPaths, "the query of learning paths", "learningPaths", "paths"),
		nameAssumption(QueryTokenTypes, "the query of training token types", "trainingTokenTypes", "tokenTypes"),
		nameAssumption(QueryInvoices, "the query of invoices", "invoices", "salesInvoices"),
		nameAssumption(OpportunityRegion, "the region of an opportunity", "region", "companyRegion"),
		nameAssumption(OpportunityCreated, "the time of its creation", "createdAt", "created"),
		nameAssumption(OpportunityUpdated, "the time of its last change", "updatedAt", "lastUpdatedAt"),
		nameAssumption(OpportunityTokens, "the list of training tokens issued for it", "tokenIssues", "trainingTokenIssues"),
		{Name: InterestFields, Options: []Option{
			{"shown", "an interest shows reserve, taxId, expiresAt and learners"},
			{Absent, "it shows none of them"},
		}},
		nameAssumption(InterestQuantity, "the quantity of an interest", "quantity", "places"),
		nameAssumption(InterestUnit, "the price of one", "unitAmount", "price"),
		{Name: InterestType, Options: []Option{
			{"one", "every interest has the __typename OpportunityInterest"},
			{"by-kind", "the __typename tells the kind of its item: OpportunityEventInterest and so on"},
		}},
		{Name: InterestEvent, AnyName: true, Options: []Option{
			{"Event", "an event that is the item of an interest is of the type Event"},
			{"InterestEvent", "it is of a type of its own with the fields of events"},
		}},
		nameAssumption(InvoiceLines, "the lines of an invoice", "lines", "items"),
		nameAssumption(ExtendOpportunity, "what extendReservations answers beside errors", "opportunity", "result"),
		{Name: CurrencyID, Options: []Option{
			{"shown", "a currency has a global id, Currency:<code>"},
			{Absent, "it has a code only"},
		}},
		{Name: NodeUnknown, Options: []Option{
			{"null", "node answers null for an id that nothing has and fails for a malformed one"},
			{"error", "it fails for both"},
		}},
		{Name: TotalTax, Options: []Option{
			{"without", "totalAmount is quantity times unitAmount, grandTotal the sum of them; tax and discounts play no part"},
			{"with", "grandTotal includes 20 percent of tax"},
		}},
		{Name: InputTypes, Options: []Option{
			{"opportunity-first", "the input types of mutations of opportunities are OpportunityProgressInput, OpportunityAddInterestInput and so on, like those documented"},
			{"verb", "they are ProgressInput, AddInterestInput and so on, but for create and update"},
		}},
		{Name: OtherInputTypes, Options: []Option{
			{"input", "the other input types that nobody has seen are AccountUpdateInput, InvoiceUpdateInput, PostalAddressInput and so on"},
			{"graph-input", "they are AccountUpdateGraphInput and so on, by analogy with those of filters"},
		}},
	}
}
