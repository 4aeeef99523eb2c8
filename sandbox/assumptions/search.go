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
			{"all", "a record must match all filters of the list"},
			{"any", "a record must match at least one filter of the list"},
		}},
		{Name: FilterNull, Options: []Option{
			{"passed", "ne and notin do not match records without a value, as in SQL"},
			{"matched", "ne and notin also match records without a value"},
		}},
		{Name: FilterCase, Options: []Option{
			{"exact", "eq, ne, in and notin are exact; like, wordlike and contains ignore the case of ASCII letters"},
			{"ignored", "all operations ignore the case of ASCII letters"},
		}},
		{Name: FilterWordlike, Options: []Option{
			{"begins", "wordlike matches text in which a word begins with the value"},
			{"whole", "wordlike matches text that contains the value as a whole word"},
		}},
		{Name: FilterContains, Options: []Option{
			{"each", "contains matches text that contains each of the values"},
			{"refused", "contains is refused for text fields"},
		}},
		{Name: FilterID, Options: []Option{
			{"refused", "a filter by a malformed id, or by an id of another type, fails the whole request"},
			{"nothing", "a filter by a malformed id, or by an id of another type, matches nothing"},
		}},
		{Name: FilterDate, Options: []Option{
			{"utc", "filters of fields with a time zone read a date without a time zone as UTC"},
			{"london", "filters of fields with a time zone read a date without a time zone as London time"},
		}},
		{Name: OrderDefault, Options: []Option{
			{"oldest", "lists without an order are sorted by id, the oldest record first"},
			{"newest", "lists without an order are sorted by id, the newest record first"},
		}},
		{Name: PageFirst, Options: []Option{
			{"refused", "a negative first or offset, a malformed cursor, and offset together with after each fail the request; first may be 0"},
			{"mended", "a negative first or offset and a malformed cursor are ignored; if offset and after are given, after is ignored"},
		}},
	}
}
