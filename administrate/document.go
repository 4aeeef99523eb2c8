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
	prefix    string // the prefix of the variable names of the current root field
	location  string // the name of the current root field in errors
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

// All variables are non-null, because GraphQL also accepts a non-null variable for a nullable
// argument.
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

// bindText rejects text that is not UTF-8, because the JSON encoder would silently replace the
// invalid bytes.
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

// Use bindObject for an object that has members whose types are not known or may be enums. In JSON,
// a text and an enum value are both strings.
func (b *builder) bindObject(typ string, value any) string { return b.bind("input", typ, value) }

func (b *builder) utf8Text(member, value string) string {
	if !utf8.ValidString(value) {
		b.invalid(member, "the text is not valid UTF-8")
	}
	return value
}

// requiredText returns the text as utf8Text does, but also rejects an empty text.
func (b *builder) requiredText(member, value string) string {
	if value == "" {
		b.invalid(member, "the value is missing")
	}
	return b.utf8Text(member, value)
}

// literal writes a string into the document itself, as the API documentation does. Use literal for
// a member whose GraphQL type is not known.
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

// The fields in these selections are documented, unless a comment says that a field is observed.
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

// The selection begins with a space, because it follows other members.
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
