package assumptions

// These assumptions are about filters, the order of lists and pages of lists.
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
			{"all", "a query returns a record only if the record matches all filters in the argument filters"},
			{"any", "a query returns a record if the record matches at least one filter in the argument filters"},
		}},
		{Name: FilterNull, Options: []Option{
			{"passed", "the operations ne and notin do not match a record whose field has no value, as in SQL"},
			{"matched", "the operations ne and notin match a record whose field has no value"},
		}},
		{Name: FilterCase, Options: []Option{
			{"exact", "the operations eq, ne, in and notin distinguish upper and lower case; like, wordlike and contains ignore the case of ASCII letters"},
			{"ignored", "all filter operations ignore the case of ASCII letters"},
		}},
		{Name: FilterWordlike, Options: []Option{
			{"begins", "the operation wordlike matches text in which a word begins with the value"},
			{"whole", "the operation wordlike matches text that contains the value as a whole word"},
		}},
		{Name: FilterContains, Options: []Option{
			{"each", "the operation contains matches text that contains each of the values"},
			{"refused", "the operation contains is refused for text fields"},
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
			{"oldest", "if a query contains no order, the list is sorted by id, with the oldest record first"},
			{"newest", "if a query contains no order, the list is sorted by id, with the newest record first"},
		}},
		{Name: PageFirst, Options: []Option{
			{"refused", "a request fails if first or offset is negative, if the cursor is malformed, or if offset and after are both present; first may be 0"},
			{"mended", "a negative first or offset and a malformed cursor are ignored; if offset and after are both present, after is ignored"},
		}},
	}
}
