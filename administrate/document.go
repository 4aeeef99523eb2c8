package administrate

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/shopspring/decimal"

	"github.com/oppflow/oppflow/administrate/transport"
)

// builder collects the root fields of one document and the variables that the fields use.
type builder struct {
	assumed   *Assumptions
	prefix    string // the prefix of the variable names in the root field that is built now
	location  string // the name that errors show for the root field that is built now
	roots     []string
	declared  []string
	variables map[string]any
	err       error
}

func newBuilder(assumed *Assumptions) *builder {
	return &builder{assumed: assumed, variables: map[string]any{}}
}

func (b *builder) document(keyword, name string) (transport.Document, error) {
	if b.err != nil {
		return transport.Document{}, b.err
	}
	var text strings.Builder
	text.WriteString(keyword + " " + name)
	if len(b.declared) > 0 {
		text.WriteString("(" + strings.Join(b.declared, ", ") + ")")
	}
	text.WriteString(" {\n")
	for _, root := range b.roots {
		text.WriteString("  " + root + "\n")
	}
	text.WriteString("}\n")
	keys := make([]string, len(b.roots))
	for i, root := range b.roots {
		keys[i] = transport.LeadingName(root)
	}
	return transport.Document{Name: name, Text: text.String(), Variables: b.variables, Keys: keys}, nil
}

func (b *builder) root(format string, args ...any) {
	b.roots = append(b.roots, fmt.Sprintf(format, args...))
}

func (b *builder) invalid(member, problem string) {
	if b.err == nil {
		where := member
		if b.location != "" {
			where = b.location + "." + member
		}
		b.err = &InvalidError{Where: where, Problem: problem}
	}
}

// bind declares every variable as non-null, because GraphQL accepts a non-null variable for a
// nullable argument, too.
func (b *builder) bind(hint, typ string, value any) string {
	name := b.prefix + hint
	for n := 2; ; n++ {
		if _, taken := b.variables[name]; !taken {
			break
		}
		name = fmt.Sprintf("%s%s_%d", b.prefix, hint, n)
	}
	b.variables[name] = value
	b.declared = append(b.declared, "$"+name+": "+typ+"!")
	return "$" + name
}

// bindText rejects text that is not UTF-8, because the JSON encoder would otherwise replace the
// invalid bytes without an error.
func (b *builder) bindText(member, hint, typ, value string) string {
	if !utf8.ValidString(value) {
		b.invalid(member, "the text is not valid UTF-8")
	}
	return b.bind(hint, typ, value)
}

func (b *builder) bindRequired(member, hint, typ, value string) string {
	if value == "" {
		b.invalid(member, "the value is missing")
	}
	return b.bindText(member, hint, typ, value)
}

// Use bindObject for an object with members whose GraphQL types are unknown or may be enums. In
// JSON, a text and an enum value are both strings.
func (b *builder) bindObject(typ string, value any) string { return b.bind("input", typ, value) }

func (b *builder) utf8Text(member, value string) string {
	if !utf8.ValidString(value) {
		b.invalid(member, "the text is not valid UTF-8")
	}
	return value
}

// requiredText rejects an empty text and a text that is not UTF-8.
func (b *builder) requiredText(member, value string) string {
	if value == "" {
		b.invalid(member, "the value is missing")
	}
	return b.utf8Text(member, value)
}

// literal writes a text as a string into the document, not as a variable; the API documentation
// does the same. Use literal for a member whose GraphQL type is not known, because the type of a
// variable must be known.
func (b *builder) literal(member, value string) string {
	out := []byte{'"'}
	for i := range len(value) {
		switch ch := value[i]; {
		case ch < ' ' || ch > '~':
			b.invalid(member, "the text contains characters that are not printable ASCII")
			return `""`
		case ch == '"' || ch == '\\':
			out = append(out, '\\', ch)
		default:
			out = append(out, ch)
		}
	}
	return string(append(out, '"'))
}

// amount writes a decimal number as the API documentation does: in quotes, with at least two
// decimal places.
func (b *builder) amount(member string, value decimal.Decimal) string {
	if !transport.HasReasonableSize(value) {
		b.invalid(member, "the amount has more than 30 digits before or after the decimal point")
		return `""`
	}
	if value.Equal(value.Truncate(2)) {
		return b.literal(member, value.StringFixed(2))
	}
	return b.literal(member, value.String())
}

type object []string

func (o *object) set(key, value string) { *o = append(*o, key+": "+value) }

func (o object) String() string { return "{" + strings.Join(o, ", ") + "}" }

func list(entries []string) string { return "[" + strings.Join(entries, ", ") + "]" }

// The fields in the selections below are documented, unless a comment says that a field is
// observed.
const (
	selectErrors   = "errors { label message value }"
	selectStep     = "id name stage { id name state }"
	selectRef      = "id name"
	selectUnit     = "name ... on Currency { code symbol }"
	selectPageInfo = "pageInfo { totalRecords hasNextPage endCursor }"
	// The field attributes is observed.
	selectAttributes = "attributes { definitionKey value }"
	// The fields isReservationValid and reservationsValidUntil are observed.
	selectOpportunity = "id name step { " + selectStep + " } account { " + selectRef + " }" +
		" financialUnit { " + selectUnit + " } value { grandTotal }" +
		" isReservationValid reservationsValidUntil"
)

func (a *Assumptions) selectFull() string {
	return selectOpportunity + " " + selectAttributes + " " + a.selectInterests("")
}

func (a *Assumptions) selectResult(full bool) string {
	if full {
		return a.selectFull()
	}
	return selectOpportunity + " " + selectAttributes
}

// The returned selection begins with a space, because callers append the selection to other fields.
func (a *Assumptions) selectUpdatedAt() string {
	if a.OpportunityUpdated == Off {
		return ""
	}
	return " changed: " + string(a.OpportunityUpdated)
}

func (a *Assumptions) selectInterests(arguments string) string {
	selection := "interests(first: 100" + arguments + ") { edges { node { id totalAmount " + a.selectItem()
	if a.InterestQuantity != Off {
		selection += " quantity: " + string(a.InterestQuantity)
	}
	if a.InterestUnitAmount != Off {
		selection += " unitAmount: " + string(a.InterestUnitAmount)
	}
	return selection + " } } " + selectPageInfo + " }"
}
