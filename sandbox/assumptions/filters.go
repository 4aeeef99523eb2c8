package assumptions

// The rows about names in searches.
const (
	// FilterFields says by which fields opportunities can be filtered, besides the observed ones.
	FilterFields Name = "filter.opportunity.fields"
	// FilterName to FilterContact are the names of filter fields of opportunities.
	FilterName    Name = "filter.opportunity.name"
	FilterAccount Name = "filter.opportunity.account"
	FilterCreated Name = "filter.opportunity.created"
	FilterUpdated Name = "filter.opportunity.updated"
	FilterOwner   Name = "filter.opportunity.owner"
	FilterContact Name = "filter.opportunity.contact"
	// FilterTypes says the names of the input types of filters. The names for events, accounts, contacts and course
	// templates are not in the row, because they were observed.
	FilterTypes Name = "filter.types"
	// FilterOperation is the name of the enum of filter operations.
	FilterOperation Name = "filter.operation"
	// Order is the name of the argument that orders lists. The row does not apply to events,
	// because both names were observed for events.
	Order Name = "order"
	// OrderTypes says the names of the input types of the argument that orders lists.
	OrderTypes Name = "order.types"
)

func filters() []Assumption {
	return []Assumption{
		{Name: FilterFields, Options: []Option{
			{"many", "opportunities can be filtered by name, region, step, stage, account, owner, contact, currency and times, too"},
			{"few", "by regionName, id and stepId only, which were seen"},
		}},
		nameAssumption(FilterName, "the field of filters and orders that is the name of an opportunity", "name", "title"),
		nameAssumption(FilterAccount, "the one that is its account's id", "accountId", "account"),
		nameAssumption(FilterCreated, "the one that is the time of its creation", "createdAt", "created"),
		nameAssumption(FilterUpdated, "the one that is the time of its last change", "updatedAt", "lastUpdatedAt"),
		nameAssumption(FilterOwner, "the one that is its owner's id", "ownerId", "userId"),
		nameAssumption(FilterContact, "the one that is its contact's id", "contactId", "personId"),
		{Name: FilterTypes, Options: []Option{
			{"field-graph-filter", "the input types of filters are <Type>FieldGraphFilter, by analogy with those seen"},
			{"filter", "those that were not seen are <Type>Filter"},
		}},
		{Name: FilterOperation, AnyName: true, Options: []Option{
			{"FilterOperation", "the enum of a filter's operations is called FilterOperation"},
			{"Operation", "it is called Operation"},
		}},
		{Name: Order, AnyName: true, Options: []Option{
			{"order", "lists are ordered by order, one or a list of {field, direction} with the fields of the filters; direction is asc unless given; events take orderBy, too"},
			{"orderBy", "the argument is called orderBy"},
			{Absent, "they cannot be ordered, but for events"},
		}},
		{Name: OrderTypes, Options: []Option{
			{"field-graph-order", "the input types of orders are <Type>FieldGraphOrder, by analogy with those of filters"},
			{"order", "they are <Type>Order"},
		}},
	}
}
