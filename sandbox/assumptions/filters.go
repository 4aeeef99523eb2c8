package assumptions

// These assumptions are about the names of the fields, arguments and types that filter and sort
// lists.
const (
	FilterFields  Name = "filter.opportunity.fields"
	FilterName    Name = "filter.opportunity.name"
	FilterAccount Name = "filter.opportunity.account"
	FilterCreated Name = "filter.opportunity.created"
	FilterUpdated Name = "filter.opportunity.updated"
	FilterOwner   Name = "filter.opportunity.owner"
	FilterContact Name = "filter.opportunity.contact"
	// FilterTypes does not apply to the filter types of events, accounts, contacts and course
	// templates, whose names were observed.
	FilterTypes     Name = "filter.types"
	FilterOperation Name = "filter.operation"
	// Order does not apply to lists of events, which accept the arguments order and orderBy
	// (observed).
	Order      Name = "order"
	OrderTypes Name = "order.types"
)

func filters() []Assumption {
	return []Assumption{
		{Name: FilterFields, Options: []Option{
			{"many", "besides the observed fields, opportunities can be filtered by name, region, step, stage, account, owner, contact, currency and times"},
			{"few", "opportunities can be filtered only by the observed fields regionName, id and stepId"},
		}},
		nameAssumption(FilterName, "the field that filters and sorts opportunities by name", "name", "title"),
		nameAssumption(FilterAccount, "the field that filters and sorts opportunities by the id of the account", "accountId", "account"),
		nameAssumption(FilterCreated, "the field that filters and sorts opportunities by creation time", "createdAt", "created"),
		nameAssumption(FilterUpdated, "the field that filters and sorts opportunities by the time of the last change", "updatedAt", "lastUpdatedAt"),
		nameAssumption(FilterOwner, "the field that filters and sorts opportunities by the id of the owner", "ownerId", "userId"),
		nameAssumption(FilterContact, "the field that filters and sorts opportunities by the id of the contact", "contactId", "personId"),
		{Name: FilterTypes, Options: []Option{
			{"field-graph-filter", "the unobserved input types of filters are called <Type>FieldGraphFilter, like the observed input types"},
			{"filter", "the unobserved input types of filters are called <Type>Filter"},
		}},
		{Name: FilterOperation, AnyName: true, Options: []Option{
			{"FilterOperation", "the enum of a filter's operations is called FilterOperation"},
			{"Operation", "the enum of a filter's operations is called Operation"},
		}},
		{Name: Order, AnyName: true, Options: []Option{
			{"order", "the argument that sorts lists is called order; its value is one {field, direction} or a list of {field, direction}; the default direction is asc; lists of events also accept the argument orderBy"},
			{"orderBy", "the argument that sorts lists is called orderBy"},
			{Absent, "only lists of events can be sorted"},
		}},
		{Name: OrderTypes, Options: []Option{
			{"field-graph-order", "the input types of the argument that sorts lists are called <Type>FieldGraphOrder, like the input types of filters"},
			{"order", "the input types of the argument that sorts lists are called <Type>Order"},
		}},
	}
}
