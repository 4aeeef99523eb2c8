package assumptions

// The rows about searching.
const (
	FilterAnd      Name = "filter.and"
	FilterNull     Name = "filter.null"
	FilterCase     Name = "filter.case"
	FilterWordlike Name = "filter.wordlike"
	FilterContains Name = "filter.contains"
	FilterID       Name = "filter.id"
	FilterDate     Name = "filter.date"
	OrderDefault   Name = "order.default"
	PageFirst      Name = "page.first"
)

func search() []Assumption {
	return []Assumption{
		{Name: FilterAnd, Options: []Option{
			{"all", "all filters of a list must hold"},
			{"any", "one of them must"},
		}},
		{Name: FilterNull, Options: []Option{
			{"passed", "ne and notin do not match records without a value, as in SQL"},
			{"matched", "they match them"},
		}},
		{Name: FilterCase, Options: []Option{
			{"exact", "eq, ne, in and notin are exact; like, wordlike and contains ignore the case of ASCII letters"},
			{"ignored", "all of them ignore it"},
		}},
		{Name: FilterWordlike, Options: []Option{
			{"begins", "wordlike matches text in which a word begins with the value"},
			{"whole", "text that has it as a whole word"},
		}},
		{Name: FilterContains, Options: []Option{
			{"each", "contains matches text that contains each of the values"},
			{"refused", "it does not fit text"},
		}},
		{Name: FilterID, Options: []Option{
			{"refused", "a filter by a malformed id, or one of another type, fails the whole request"},
			{"nothing", "it finds nothing"},
		}},
		{Name: FilterDate, Options: []Option{
			{"utc", "a date without a zone is taken for UTC in fields that have one"},
			{"london", "it is taken for the time of a tenant in London"},
		}},
		{Name: OrderDefault, Options: []Option{
			{"oldest", "records come in the order of their ids"},
			{"newest", "in the opposite order"},
		}},
		{Name: PageFirst, Options: []Option{
			{"refused", "a negative first or offset, a foreign cursor, and offset together with after fail the request; first may be 0"},
			{"mended", "negative numbers and foreign cursors are taken for none, and of offset and after the first counts"},
		}},
	}
}
