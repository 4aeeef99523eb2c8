package assume

// The rows about what the API has under a name that nobody outside has seen.
const (
	InterestFields    Name = "interest.fields"
	InterestType      Name = "interest.type"
	OpportunityFields Name = "opportunity.fields"
	CurrencyID        Name = "currency.id"
	Queries           Name = "queries"
	NodeUnknown       Name = "node.unknown"
	TotalTax          Name = "total.tax"
)

func names() []Row {
	return []Row{
		{InterestFields, []Value{
			{"shown", "an interest shows quantity, unitAmount, reserve, taxId, expiresAt and learners"},
			{Absent, "it shows id, totalAmount, item and opportunity only"},
		}},
		{InterestType, []Value{
			{"one", "every interest has the __typename OpportunityInterest"},
			{"by-kind", "the __typename tells the kind of its item: OpportunityEventInterest and so on"},
		}},
		{OpportunityFields, []Value{
			{"shown", "an opportunity shows region, createdAt and updatedAt"},
			{Absent, "it does not"},
		}},
		{CurrencyID, []Value{
			{"shown", "a currency has a global id, Currency:<code>"},
			{Absent, "it has a code only"},
		}},
		{Queries, []Value{
			{"there", "regions, courseTemplates, learningPaths, trainingTokenTypes and invoices are queries at the root"},
			{Absent, "they are not"},
		}},
		{NodeUnknown, []Value{
			{"null", "node answers null for an id that nothing has and fails for a malformed one"},
			{"error", "it fails for both"},
		}},
		{TotalTax, []Value{
			{"without", "totalAmount is quantity times unitAmount, grandTotal the sum of them; tax and discounts play no part"},
			{"with", "grandTotal includes 20 percent of tax"},
		}},
	}
}
