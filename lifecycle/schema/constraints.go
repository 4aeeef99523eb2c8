package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/invopop/jsonschema"

	"github.com/oppflow/oppflow/opportunity"
)

// These constants are classes of characters for the patterns. Every dialect of regular expressions
// interprets these classes in the same way.
const (
	controlChars     = `\x00-\x1f\x7f-\x9f`
	nonPrintingChars = `\x00-\x1f\x7f-\xa0`
	blankChars       = `\x00-\x20\x7f-\xa0` // control and white space of Latin-1
	base64Chars      = `A-Za-z0-9+/`
)

// These constants are patterns for complete texts, each from "^" to "$".
const (
	textForm      = `^[^` + controlChars + `]*[^` + blankChars + `][^` + controlChars + `]*$`
	requestIDForm = `^[^#` + nonPrintingChars + `][^` + nonPrintingChars + `]*$`
	sourceForm    = `^[^` + nonPrintingChars + `]*$`
	emailForm     = `^[^@` + blankChars + `]+@[^@` + blankChars + `]+$`
	amountForm    = `^[0-9]{1,15}(\.[0-9]{1,4})?$`
	totalForm     = `^[0-9]+\.[0-9]{2,}$`
	timeForm      = `^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})$`
	localTimeForm = `^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]$`
)

// orEmpty returns a pattern that also matches the empty text, because an empty text means the same
// as an absent member.
func orEmpty(form string) string {
	return "^(" + strings.TrimSuffix(strings.TrimPrefix(form, "^"), "$") + ")?$"
}

// A global id is the base64 form of the type, a colon and a key, so the type determines the
// beginning of the id.
func idForm(types ...string) string {
	var beginnings []string
	for _, typ := range types {
		beginnings = append(beginnings, idBeginning(typ))
	}
	return "^(" + strings.Join(beginnings, "|") + ")[" + base64Chars + "]*={0,2}$"
}

// idBeginning returns a pattern for the beginning of the global ids of the type. The pattern begins
// with the base64 characters that encode only the type and the colon. If the next character also
// encodes some bits of the key, the pattern allows every character that can follow.
func idBeginning(typ string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	encoded := base64.StdEncoding.EncodeToString([]byte(typ + ":"))
	bits := 8 * len(typ+":")
	whole, rest := bits/6, bits%6
	if rest == 0 {
		return encoded[:whole]
	}
	first := strings.IndexByte(alphabet, encoded[whole])
	class := alphabet[first : first+1<<(6-rest)]
	if n := len(class) - 1; class[n]-class[0] == byte(n) { // the characters are consecutive, so that a range can express the class
		class = class[:1] + "-" + class[n:]
	}
	return encoded[:whole] + "[" + class + "]"
}

// constraints add the rules of Validate to the schema of a payload.
type constraints struct {
	source     *sourceInfo
	isResponse bool
	err        error
}

// scalar returns the schema of a type that is encoded as one JSON string, or nil for any other
// type.
func (r *constraints) scalar(t reflect.Type) *jsonschema.Schema {
	text := &jsonschema.Schema{Type: "string"}
	switch t {
	case reflect.TypeFor[opportunity.Amount]():
		text.Pattern = amountForm
		if r.isResponse {
			text.Pattern = totalForm
		}
	case reflect.TypeFor[time.Time]():
		text.Format, text.Pattern = "date-time", timeForm
	case reflect.TypeFor[opportunity.ID](), reflect.TypeFor[opportunity.Reference](), reflect.TypeFor[opportunity.MessageName]():
	case reflect.TypeFor[opportunity.InterestKind](), reflect.TypeFor[opportunity.OutcomeState](), reflect.TypeFor[opportunity.StageState](),
		reflect.TypeFor[opportunity.ErrorType](), reflect.TypeFor[opportunity.AttentionKind]():
		text.Enum = r.recordError(r.source.enumeration(t))
		if t == reflect.TypeFor[opportunity.StageState]() { // for a run that was closed before the record existed
			text.Enum = append(text.Enum, "")
		}
	default:
		return nil
	}
	return text
}

func (r *constraints) recordError(values []any, err error) []any {
	if r.err == nil {
		r.err = err
	}
	return values
}

func (r *constraints) applyTextRules(t reflect.Type, s *jsonschema.Schema) {
	o := object{Schema: s, constraints: r, typ: t.Name()}
	for member, rule := range opportunity.TextRules(t) {
		if rule == opportunity.OptionalText {
			o.optionalTexts(member)
		} else {
			o.text(member, textForm, opportunity.MaxTextLength)
		}
	}
}

func (r *constraints) apply(name string, s *jsonschema.Schema) {
	o := object{Schema: s, constraints: r, typ: name}
	if o.has("requestId") && name != "OutcomeInput" {
		o.text("requestId", requestIDForm, opportunity.MaxRequestIDLength)
		o.member("requestId").Description = "requestId is the caller's own id of the request. A repeated message with the same id takes effect once. The same id with another payload is rejected with a Conflict."
	}
	if o.has("source") {
		o.text("source", sourceForm, opportunity.MaxSourceLength)
	}
	switch name {
	case "Start":
		o.start()
	case "Interests":
		s.MaxItems = uintPtr(opportunity.MaxInterestsPerCommand)
	case "Interest":
		o.interest()
	case "Learner":
		o.text("firstName", textForm, opportunity.MaxTextLength)
		o.text("lastName", textForm, opportunity.MaxTextLength)
		o.text("email", emailForm, opportunity.MaxTextLength)
	case "AddInterests":
		o.member("interests").MinItems = uintPtr(1)
	case "UpdateDetails":
		for _, member := range []string{"name", "account", "currency"} {
			s.AnyOf = append(s.AnyOf, nonEmpty(member))
		}
	case "Confirm":
		o.text("opportunity", orEmpty(idForm(opportunity.TypeOpportunity)), opportunity.MaxTextLength)
	case "OutcomeInput":
		o.member("requestId").MinLength = uintPtr(1)
	case "CreateOutcomeInput": // the types of its members are enough
	default:
		if !slices.ContainsFunc(opportunity.MessageTypes(), func(m opportunity.MessageType) bool { return reflect.TypeOf(m.Empty).Name() == name }) {
			o.fail("the schema generator has no rules for this type")
		}
	}
}

// object is the schema of a Go struct.
type object struct {
	*jsonschema.Schema
	constraints *constraints
	typ         string
}

func (o object) fail(format string, args ...any) {
	if o.constraints.err == nil {
		o.constraints.err = fmt.Errorf("%s: %s", o.typ, fmt.Sprintf(format, args...))
	}
}

func (o object) has(name string) bool {
	if o.Properties == nil { // the type is a list
		return false
	}
	_, ok := o.Properties.Get(name)
	return ok
}

func (o object) member(name string) *jsonschema.Schema {
	if !o.has(name) {
		o.fail("the type has no member %s", name)
		return new(jsonschema.Schema)
	}
	member, _ := o.Properties.Get(name)
	return member
}

func (o object) text(name, form string, longest int) {
	member := o.member(name)
	member.Pattern, member.MaxLength = form, uintPtr(longest)
}

func (o object) optionalTexts(names ...string) {
	for _, name := range names {
		o.text(name, orEmpty(textForm), opportunity.MaxTextLength)
	}
}

func (o object) start() {
	o.optionalTexts("name", "region", "account", "currency", "entryStep")
	o.text("adopt", orEmpty(idForm(opportunity.TypeOpportunity)), opportunity.MaxTextLength)
	create := allOf(nonEmpty("name"), nonEmpty("region"), empty("adopt"))
	create.Description = "the start creates a new record, which needs a name and a region"
	adopt := allOf(nonEmpty("adopt"), empty("name"), empty("region"), empty("account"), empty("currency"), empty("entryStep"))
	adopt.AllOf = append(adopt.AllOf, withProperty("interests", &jsonschema.Schema{MaxItems: uintPtr(0)}))
	adopt.Description = "the start adopts an existing record; only the id of the record is given, and no details"
	o.OneOf = []*jsonschema.Schema{create, adopt}
}

// The rules for an interest depend on its kind. The caller gives the kind, or the kind follows from
// the id of the item.
func (o object) interest() {
	o.text("item", textForm, opportunity.MaxTextLength)
	kind := o.member("kind")
	kind.Enum = append(kind.Enum, "")
	quantity := o.member("quantity")
	quantity.Minimum, quantity.Maximum = "1", json.Number(strconv.Itoa(opportunity.MaxQuantity))
	o.member("learners").MaxItems = uintPtr(opportunity.MaxLearners)
	contacts := o.member("contacts")
	contacts.MaxItems = uintPtr(opportunity.MaxLearners)
	contacts.Items = &jsonschema.Schema{Type: "string", Pattern: idForm(opportunity.TypeContact)}
	o.member("expiresAt").Pattern = orEmpty(localTimeForm)
	o.member("tax").Pattern = orEmpty("^[" + base64Chars + "]+={0,2}$")

	isOneOf := func(selected func(opportunity.InterestKindInfo) bool) *jsonschema.Schema {
		var kinds []any
		var types []string
		for _, k := range opportunity.InterestKinds() {
			if selected(k) {
				kinds, types = append(kinds, string(k.Kind)), append(types, k.IDType)
			}
		}
		said := withProperty("kind", &jsonschema.Schema{Enum: kinds})
		said.Required = []string{"kind"}
		return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{said, withProperty("item", &jsonschema.Schema{Pattern: idForm(types...)})}}
	}
	var itemTypes []string
	for _, k := range opportunity.InterestKinds() {
		itemTypes = append(itemTypes, k.IDType)
	}
	some := &jsonschema.Schema{MinItems: uintPtr(1)}
	o.AllOf = []*jsonschema.Schema{
		{
			Description: "the member kind may be omitted if the member item is an id",
			AnyOf: []*jsonschema.Schema{
				nonEmpty("kind"),
				withProperty("item", &jsonschema.Schema{Pattern: idForm(itemTypes...)}),
			},
		},
		{
			Description: "only places on an event can be reserved",
			If:          required("reserve", &jsonschema.Schema{Const: true}),
			Then:        isOneOf(func(k opportunity.InterestKindInfo) bool { return k.HasPlaces }),
		},
		{
			Description: "only training tokens expire",
			If:          nonEmpty("expiresAt"),
			Then:        isOneOf(func(k opportunity.InterestKindInfo) bool { return k.Expires }),
		},
		{
			Description: "only interests of some kinds have learners and contacts",
			If:          &jsonschema.Schema{AnyOf: []*jsonschema.Schema{required("learners", some), required("contacts", some)}},
			Then:        &jsonschema.Schema{Not: isOneOf(func(k opportunity.InterestKindInfo) bool { return !k.HasLearners })},
		},
	}
}

func nonEmpty(member string) *jsonschema.Schema {
	return required(member, &jsonschema.Schema{MinLength: uintPtr(1)})
}

// empty returns the schema of an object in which the member is absent or empty.
func empty(member string) *jsonschema.Schema {
	return withProperty(member, &jsonschema.Schema{MaxLength: uintPtr(0)})
}

func required(member string, s *jsonschema.Schema) *jsonschema.Schema {
	o := withProperty(member, s)
	o.Required = []string{member}
	return o
}

func withProperty(member string, s *jsonschema.Schema) *jsonschema.Schema {
	o := &jsonschema.Schema{Properties: jsonschema.NewProperties()}
	o.Properties.Set(member, s)
	return o
}

func allOf(schemas ...*jsonschema.Schema) *jsonschema.Schema {
	return &jsonschema.Schema{AllOf: schemas}
}

func uintPtr(n int) *uint64 {
	c := uint64(max(n, 0))
	return &c
}
