package administrate

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/oppflow/oppflow/administrate/transport"
)

// OpportunityField is the name of a field by which the API filters or orders opportunities. Every
// value of the enum OpportunityField in the tenant's schema is valid, not only the constants below.
type OpportunityField string

// ByRegionName is documented, and ByID and ByStepID are observed. ByName, ByAccountID and ByCreated
// are assumed; the client replaces each of these fields with its name in Assumptions.
const (
	ByRegionName OpportunityField = "regionName"
	ByID         OpportunityField = "id"
	ByStepID     OpportunityField = "stepId"
	ByName       OpportunityField = "name"      // assumed
	ByAccountID  OpportunityField = "accountId" // assumed
	ByCreated    OpportunityField = "createdAt" // assumed
)

// FilterOperation is the comparison that a Filter makes.
type FilterOperation string

// Equal and Like are documented. All other operations in this list are observed.
const (
	Equal        FilterOperation = "eq"
	NotEqual     FilterOperation = "ne"
	Greater      FilterOperation = "gt"
	GreaterEqual FilterOperation = "ge"
	Less         FilterOperation = "lt"
	LessEqual    FilterOperation = "le"
	Like         FilterOperation = "like"     // compares with Value, in which % is SQL's wildcard
	WordLike     FilterOperation = "wordlike" // compares with Value, a bare word
	In           FilterOperation = "in"       // compares with Values
	NotIn        FilterOperation = "notin"    // compares with Values
	Contains     FilterOperation = "contains" // compares with Values
	IsNull       FilterOperation = "isnull"   // uses neither Value nor Values
	NotNull      FilterOperation = "notnull"  // uses neither Value nor Values
)

// Filter is one condition of a Search. An opportunity matches a Search only if the opportunity
// matches every Filter. In, NotIn and Contains compare the field with Values, IsNull and NotNull
// with nothing, and every other operation with Value. Every value in a Filter is text, such as
// "true" or "2026-01-01T00:00:00Z".
type Filter struct {
	Field     OpportunityField
	Operation FilterOperation
	Value     string
	Values    []string
}

// Order says by which field the opportunities of a Search are ordered, and in which direction. The
// argument of the API for the order is assumed: see Assumptions.Order.
type Order struct {
	Field      OpportunityField
	Descending bool
}

// Search says which opportunities the method Client.Opportunities reads, which page of them, and in
// which order.
type Search struct {
	Filters []Filter
	First   int // 1 to 100 rows; 0 is the API's default of 50
	Offset  int
	After   string
	Order   *Order
	// If Attributes is true, the rows of the page contain the custom attributes.
	Attributes bool
	// If Bare is true, the rows of the page contain only id, name and (if Attributes is true)
	// attributes. Without Bare, a page is a hundred times as large because of the interests.
	Bare bool
	// If Full is true, the rows contain all members that OpportunityWithUpdatedAt sets.
	Full bool
}

// Page is one page of the opportunities that match a Search.
type Page struct {
	// Rows contain id, name and (if Search.Attributes is true) attributes of each opportunity. If
	// Search.Bare is false, Rows also contain step, grand total and the first 100 interests (id,
	// item type and total).
	Rows       []Opportunity
	Count      int    // the number of all matching opportunities
	NextCursor string // the cursor of the next page, empty on the last one
}

// Opportunities reads one page of opportunities in one request.
func (c *Client) Opportunities(ctx context.Context, s Search) (Page, error) {
	b := newBuilder(&c.assumed)
	b.location = "Search"
	selection := "id name"
	if s.Attributes {
		selection += " " + selectAttributes
	}
	switch {
	case s.Full && s.Bare:
		b.invalid("Full", "Full and Bare exclude each other; set only one of the two")
	case s.Full:
		selection = b.assumed.selectFull() + b.assumed.selectUpdatedAt()
	case !s.Bare:
		selection += " value { grandTotal } step { " + selectStep + " } " +
			"interests(first: 100) { edges { node { id __typename totalAmount item { id __typename } } } " + selectPageInfo + " }"
	}
	b.root("opportunities%s { edges { node { %s } } %s }", s.arguments(b), selection, selectPageInfo)
	doc, err := b.document("query", "Opportunities")
	if err != nil {
		return Page{}, err
	}
	var got struct {
		Opportunities *connection[opportunityDTO] `json:"opportunities"`
	}
	if err := c.Read(ctx, doc, &got); err != nil {
		return Page{}, err
	}
	if got.Opportunities == nil {
		return Page{}, transport.MalformedResponse(doc.Name)
	}
	rows, err := got.Opportunities.nodes()
	if err != nil {
		return Page{}, transport.MalformedResponse(doc.Name)
	}
	page := Page{Count: got.Opportunities.PageInfo.TotalRecords, NextCursor: got.Opportunities.PageInfo.nextCursor()}
	for _, row := range rows {
		o, err := row.opportunity()
		if err != nil {
			return Page{}, transport.MalformedResponse(doc.Name)
		}
		page.Rows = append(page.Rows, o)
	}
	return page, nil
}

func (s Search) arguments(b *builder) string {
	var out object
	if len(s.Filters) > 0 {
		filters := make([]string, len(s.Filters))
		for i, f := range s.Filters {
			filters[i] = f.write(b, fmt.Sprintf("Filters[%d]", i))
		}
		out.set("filters", list(filters))
	}
	switch {
	case s.First < 0 || s.First > 100:
		b.invalid("First", "the number of rows is not between 0 and 100; 0 selects the API's default")
	case s.First > 0:
		out.set("first", strconv.Itoa(s.First))
	}
	switch {
	case s.Offset < 0 || s.Offset > math.MaxInt32:
		b.invalid("Offset", "the offset is negative or larger than 2147483647")
	case s.Offset > 0 && s.After != "":
		b.invalid("Offset", "Offset and After exclude each other; set only one of the two")
	case s.Offset > 0:
		out.set("offset", strconv.Itoa(s.Offset))
	case s.After != "":
		out.set("after", b.bindText("After", "after", "String", s.After))
	}
	if s.Order != nil {
		if b.assumed.Order == Off {
			b.invalid("Order", "the order cannot be requested, because the assumption Order is switched off")
		}
		direction := "asc"
		if s.Order.Descending {
			direction = "desc"
		}
		out.set(string(b.assumed.Order),
			object{"field: " + s.Order.Field.write(b, "Order.Field"), "direction: " + direction}.String())
	}
	if len(out) == 0 {
		return ""
	}
	return "(" + strings.Join(out, ", ") + ")"
}

func (f Filter) write(b *builder, where string) string {
	out := object{"field: " + f.Field.write(b, where+".Field")}
	takes := f.Operation.operand()
	if takes == unknownOperation {
		b.invalid(where+".Operation", "the filter operation is unknown; use an operation of the API, such as eq, like or in")
		return ""
	}
	out.set("operation", string(f.Operation))
	if f.Value != "" && takes != oneValue || len(f.Values) > 0 && takes != manyValues ||
		len(f.Values) == 0 && takes == manyValues {
		b.invalid(where, "the filter has the wrong members: set Values for the operations \"in\", \"notin\" and \"contains\", "+
			"neither Value nor Values for \"isnull\" and \"notnull\", and Value for every other operation")
		return ""
	}
	switch takes {
	case oneValue:
		out.set("value", b.bindText(where+".Value", "filter", "String", f.Value))
	case manyValues:
		values := make([]string, len(f.Values))
		for i, v := range f.Values {
			values[i] = b.bindText(fmt.Sprintf("%s.Values[%d]", where, i), "filter", "String", v)
		}
		out.set("values", list(values))
	}
	return out.String()
}

func (f OpportunityField) write(b *builder, where string) string {
	name := SchemaName(f)
	switch f {
	case ByName:
		name = b.assumed.FilterName
	case ByAccountID:
		name = b.assumed.FilterAccount
	case ByCreated:
		name = b.assumed.FilterCreated
	}
	if name == Off {
		b.invalid(where, "the client cannot filter by this field, because the assumption about the name of the field is switched off")
	} else if !isGraphQLName(string(name)) {
		b.invalid(where, "the text is not a field name; give a name such as regionName")
	}
	return string(name)
}

type operand int

const (
	unknownOperation operand = iota
	noValue
	oneValue
	manyValues
)

func (o FilterOperation) operand() operand {
	switch o {
	case Equal, NotEqual, Greater, GreaterEqual, Less, LessEqual, Like, WordLike:
		return oneValue
	case In, NotIn, Contains:
		return manyValues
	case IsNull, NotNull:
		return noValue
	}
	return unknownOperation
}
