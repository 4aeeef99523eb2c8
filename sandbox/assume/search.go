package assume

// The rows about searching.
const (
	FilterAnd      Name = "filter.and"
	FilterNull     Name = "filter.null"
	FilterCase     Name = "filter.case"
	FilterWordlike Name = "filter.wordlike"
	FilterContains Name = "filter.contains"
	FilterID       Name = "filter.id"
	FilterDate     Name = "filter.date"
	FilterFields   Name = "filter.opportunity.fields"
	FilterTypes    Name = "filter.types"
	Order          Name = "order"
	OrderDefault   Name = "order.default"
	PageFirst      Name = "page.first"
)

func search() []Row {
	return []Row{
		{FilterAnd, []Value{
			{"all", "all filters of a list must hold"},
			{"any", "one of them must"},
		}},
		{FilterNull, []Value{
			{"passed", "ne and notin do not match records without a value, as in SQL"},
			{"matched", "they match them"},
		}},
		{FilterCase, []Value{
			{"exact", "eq, ne, in and notin are exact; like, wordlike and contains ignore the case of ASCII letters"},
			{"ignored", "all of them ignore it"},
		}},
		{FilterWordlike, []Value{
			{"begins", "wordlike matches text in which a word begins with the value"},
			{"whole", "text that has it as a whole word"},
		}},
		{FilterContains, []Value{
			{"each", "contains matches text that contains each of the values"},
			{"refused", "it does not fit text"},
		}},
		{FilterID, []Value{
			{"refused", "a filter by a malformed id, or one of another type, fails the whole request"},
			{"nothing", "it finds nothing"},
		}},
		{FilterDate, []Value{
			{"utc", "a date without a zone is taken for UTC in fields that have one"},
			{"london", "it is taken for the time of a tenant in London"},
		}},
		{FilterFields, []Value{
			{"many", "opportunities can be filtered by name, region, step, stage, account, currency and times, too"},
			{"few", "by regionName, id and stepId only, which were seen"},
		}},
		{FilterTypes, []Value{
			{"field-graph-filter", "the input types of filters are <Type>FieldGraphFilter, by analogy with those seen, with the enum FilterOperation"},
			{"filter", "they are <Type>Filter, with the enum Operation"},
		}},
		{Order, []Value{
			{"order", "lists are ordered by order, one or a list of {field, direction} with the fields of the filters; direction is asc unless given"},
			{Absent, "they cannot be ordered by it"},
		}},
		{OrderDefault, []Value{
			{"oldest", "records come in the order of their ids"},
			{"newest", "in the opposite order"},
		}},
		{PageFirst, []Value{
			{"refused", "a negative first or offset, a foreign cursor, and offset together with after fail the request; first may be 0"},
			{"mended", "negative numbers and foreign cursors are taken for none, and of offset and after the first counts"},
		}},
	}
}
