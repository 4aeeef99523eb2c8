package administrate

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/shopspring/decimal"
)

// The most that Apply sends in one document.
const (
	MaxMutations    = 20
	MaxRequestBytes = 256 << 10
)

// Mutation is one of NewOpportunity, UpdateOpportunity, Progress, AddInterest
// and ExtendReservations, by value.
type Mutation interface {
	build(b *builder) operation
}

// NewOpportunity asks for a new record. The API documentation shows name and
// region; that account, currency and entry step are taken is observed.
type NewOpportunity struct {
	Name        string
	RegionID    string
	AccountID   string      // optional
	Currency    string      // optional, the bare code
	EntryStepID string      // optional; without it the tenant's entry step
	Attributes  []Attribute // optional (assumed: see Assumptions.CreateAttributes)
}

// UpdateOpportunity changes the members that are not empty.
type UpdateOpportunity struct {
	ID         string
	AccountID  string
	Currency   string      // the bare code
	Name       string      // assumed: see Assumptions.UpdateName
	Attributes []Attribute // assumed: see Assumptions.UpdateAttributes
}

// Progress moves an opportunity to a step. Without a transition that leads
// there the API rejects it with the label "Transition Not Found" (documented).
type Progress struct {
	OpportunityID string
	StepID        string
}

// Kind says which details object an interest carries.
type Kind string

// The four kinds of the API documentation. The zero value sends no details
// object at all (observed to be accepted), and so no learners and no expiry.
const (
	Course       Kind = "course"
	Event        Kind = "event"
	LearningPath Kind = "learning path"
	Tokens       Kind = "tokens"
)

// Learner is a person named on an interest.
type Learner struct {
	FirstName string
	LastName  string
	Email     string // left out of the request when empty
}

// LocalTime is a time without a zone, as the API takes the expiry of training
// tokens (documented): 2006-01-02T15:04:05.
type LocalTime string

// AddInterest adds one line to an opportunity.
//
// With Reserve the API holds Quantity places on an event. An answer without
// errors proves nothing about that (observed): let an ExtendReservations for
// the same opportunity follow in the same Apply and look at what it reads back.
type AddInterest struct {
	OpportunityID    string
	ItemID           string
	Kind             Kind
	Quantity         int
	UnitAmount       decimal.Decimal // sent exactly, with at least two places
	Reserve          bool
	TaxID            string    // optional (observed)
	NewLearners      []Learner // not for Tokens
	ExistingLearners []string  // contact ids (assumed: see Assumptions.ExistingLearner); not for Tokens
	ExpiresAt        LocalTime // for Tokens only; past times are the API's to judge
}

// ExtendReservations sets the expiry of all places held for an opportunity
// (observed). "Now" releases them; a hold that has lapsed stays lapsed although
// the answer may have no errors, so look at the Reservations of the answer.
// Until is sent with its offset, to the second.
type ExtendReservations struct {
	OpportunityID string
	Until         time.Time
}

// Answer is what became of one mutation. Err is nil when it was executed, a
// *RejectedError when the API turned it down, an *UnknownError when the answer
// does not tell.
type Answer struct {
	// Opportunity is as it stood right after the mutation: all members but
	// Attributes and interests. It is nil for an AddInterest, after an error,
	// and for an ExtendReservations whose answer holds none (see
	// Assumptions.ExtendedOpportunity).
	Opportunity *Opportunity
	// Interests are those the API answers to an AddInterest; whether only the
	// new one or all of the opportunity is not documented.
	Interests []Interest
	Err       error
}

// Apply sends the mutations in one document, each an alias at its root, so
// that they are executed in order. At most MaxMutations in at most
// MaxRequestBytes, else it fails with InvalidError and nothing is sent.
//
// With a nil error there is one Answer for each mutation, in order. An error
// holds for all of them alike: NotSentError, RefusedError, UnknownError.
func (c *Client) Apply(ctx context.Context, mutations []Mutation) ([]Answer, error) {
	doc, operations, err := c.mutationDocument("Apply", mutations)
	if err != nil {
		return nil, err
	}
	got, err := c.exec(ctx, doc)
	if err != nil {
		return nil, err
	}
	var roots map[string]json.RawMessage
	if err := json.Unmarshal(got.data, &roots); err != nil {
		return nil, misshapen(doc.name)
	}
	answers := make([]Answer, len(operations))
	for i, op := range operations {
		answers[i] = op.answer(doc, alias(i), roots[alias(i)], got.errors)
	}
	return answers, nil
}

// CreateOpportunity makes a record and answers it as it then stands: all
// members but Attributes and interests.
func (c *Client) CreateOpportunity(ctx context.Context, n NewOpportunity) (Opportunity, error) {
	return applyOne(ctx, c, n)
}

// UpdateOpportunity sends one update and answers the record like
// CreateOpportunity.
func (c *Client) UpdateOpportunity(ctx context.Context, u UpdateOpportunity) (Opportunity, error) {
	return applyOne(ctx, c, u)
}

// Progress sends one progress and answers the record like CreateOpportunity.
func (c *Client) Progress(ctx context.Context, p Progress) (Opportunity, error) {
	return applyOne(ctx, c, p)
}

// AddInterest sends one addInterest; see Answer.Interests for what it gives.
func (c *Client) AddInterest(ctx context.Context, a AddInterest) ([]Interest, error) {
	answers, err := c.Apply(ctx, []Mutation{a})
	if err != nil {
		return nil, err
	}
	return answers[0].Interests, answers[0].Err
}

// ExtendReservations sends one extendReservations. The opportunity is nil when
// the assumption ExtendedOpportunity is switched off.
func (c *Client) ExtendReservations(ctx context.Context, e ExtendReservations) (*Opportunity, error) {
	answers, err := c.Apply(ctx, []Mutation{e})
	if err != nil {
		return nil, err
	}
	return answers[0].Opportunity, answers[0].Err
}

func applyOne(ctx context.Context, c *Client, m Mutation) (Opportunity, error) {
	answers, err := c.Apply(ctx, []Mutation{m})
	if err != nil {
		return Opportunity{}, err
	}
	if answers[0].Err != nil {
		return Opportunity{}, answers[0].Err
	}
	return *answers[0].Opportunity, nil
}

// alias is the response key of a mutation in its document.
func alias(i int) string { return "m" + strconv.Itoa(i) }

// operation is a mutation as it stands in a document.
type operation struct {
	field  string // of the namespace, such as "progress"
	input  object
	result string // what is selected beside the errors
	member string // the result's response key, empty when there is none
}

// mutationDocument writes the document and gives the operations in it.
func (c *Client) mutationDocument(name string, mutations []Mutation) (document, []operation, error) {
	if len(mutations) == 0 || len(mutations) > MaxMutations {
		return document{}, nil, &InvalidError{
			Where:   name,
			Problem: fmt.Sprintf("takes 1 to %d mutations, not %d", MaxMutations, len(mutations)),
		}
	}
	b := newBuilder(&c.assumed)
	operations := make([]operation, len(mutations))
	for i, m := range mutations {
		b.prefix = alias(i) + "_"
		b.where = fmt.Sprintf("mutation %d", i+1)
		switch m.(type) {
		case NewOpportunity, UpdateOpportunity, Progress, AddInterest, ExtendReservations:
		default:
			b.where = ""
			b.invalid(fmt.Sprintf("mutation %d", i+1), "is nil or a pointer; give it by value")
			return document{}, nil, b.err
		}
		op := m.build(b)
		operations[i] = op
		selection := selectErrors
		if op.result != "" {
			selection += " " + op.result
		}
		b.root("%s: opportunities { %s(input: %s) { %s } }", alias(i), op.field, op.input, selection)
	}
	doc, err := b.document("mutation", name)
	return doc, operations, err
}

// The members of an answer that hold the result.
const (
	memberOpportunity = "opportunity"
	memberInterests   = "interests"
)

func (n NewOpportunity) build(b *builder) operation {
	b.where += ": NewOpportunity"
	var in object
	in.set("name", b.required("Name", "name", "String", n.Name))
	in.set("regionId", b.required("RegionID", "regionId", "ID", n.RegionID))
	if n.AccountID != "" {
		in.set("accountId", b.text("AccountID", "accountId", "ID", n.AccountID))
	}
	if n.Currency != "" {
		in.set("financialUnitId", b.literal("Currency", n.Currency))
	}
	if n.EntryStepID != "" {
		in.set("entryStepId", b.text("EntryStepID", "entryStepId", "ID", n.EntryStepID))
	}
	writeAttributes(b, &in, b.assumed.CreateAttributes, n.Attributes)
	return operation{
		field: "create", input: in,
		result: "opportunity { " + selectOpportunity + " }", member: memberOpportunity,
	}
}

func (u UpdateOpportunity) build(b *builder) operation {
	b.where += ": UpdateOpportunity"
	var in object
	in.set("id", b.required("ID", "id", "ID", u.ID))
	if u.AccountID != "" {
		in.set("accountId", b.text("AccountID", "accountId", "ID", u.AccountID))
	}
	if u.Currency != "" {
		in.set("financialUnitId", b.literal("Currency", u.Currency))
	}
	if u.Name != "" {
		if b.assumed.UpdateName == Off {
			b.invalid("Name", "cannot be changed: the assumption UpdateName is switched off")
		}
		in.set(string(b.assumed.UpdateName), b.text("Name", "name", "String", u.Name))
	}
	writeAttributes(b, &in, b.assumed.UpdateAttributes, u.Attributes)
	if len(in) == 1 {
		b.invalid("ID", "is all there is; give at least one member to change")
	}
	return operation{
		field: "update", input: in,
		result: "opportunity { " + selectOpportunity + " }", member: memberOpportunity,
	}
}

func writeAttributes(b *builder, in *object, name Name, attributes []Attribute) {
	if len(attributes) == 0 {
		return
	}
	if name == Off {
		b.invalid("Attributes", "cannot be written: the assumption for them is switched off")
		return
	}
	entries := make([]string, len(attributes))
	for i, a := range attributes {
		member := fmt.Sprintf("Attributes[%d]", i)
		if a.Key == "" {
			b.invalid(member+".Key", "is missing")
		}
		entries[i] = object{
			"definitionKey: " + b.literal(member+".Key", a.Key),
			"value: " + b.text(member+".Value", "value", "String", a.Value),
		}.String()
	}
	in.set(string(name), list(entries))
}

func (p Progress) build(b *builder) operation {
	b.where += ": Progress"
	return operation{
		field: "progress",
		input: object{
			"opportunityId: " + b.required("OpportunityID", "opportunityId", "ID", p.OpportunityID),
			"stepId: " + b.required("StepID", "stepId", "ID", p.StepID),
		},
		result: "opportunity { " + selectOpportunity + " }", member: memberOpportunity,
	}
}

func (e ExtendReservations) build(b *builder) operation {
	b.where += ": ExtendReservations"
	if e.Until.Year() < 1 || e.Until.Year() > 9999 || e.Until.IsZero() {
		b.invalid("Until", "is missing or not a year of four digits")
	}
	op := operation{
		field: "extendReservations",
		input: object{
			"opportunityId: " + b.required("OpportunityID", "opportunityId", "ID", e.OpportunityID),
			// The variable's type is observed.
			"reservationsValidUntil: " + b.bind("until", "TimeZonedDateTime", e.Until.Format(time.RFC3339)),
		},
	}
	if name := b.assumed.ExtendedOpportunity; name != Off {
		op.result = "opportunity: " + string(name) + " { " + selectOpportunity + " }"
		op.member = memberOpportunity
	}
	return op
}

func (a AddInterest) build(b *builder) operation {
	b.where += ": AddInterest"
	if a.Quantity < math.MinInt32 || a.Quantity > math.MaxInt32 {
		b.invalid("Quantity", "is not a number of 32 bits")
	}
	details := object{
		"id: " + b.required("ItemID", "id", "ID", a.ItemID),
		"quantity: " + b.bind("quantity", "Int", a.Quantity),
		"unitAmount: " + b.amount("UnitAmount", a.UnitAmount),
	}
	if a.Reserve {
		details.set("reserve", "true")
	}
	if a.TaxID != "" {
		details.set("taxId", b.text("TaxID", "taxId", "ID", a.TaxID))
	}
	a.writeKind(b, &details)
	return operation{
		field: "addInterest",
		input: object{
			"opportunityId: " + b.required("OpportunityID", "opportunityId", "ID", a.OpportunityID),
			"interestDetails: " + details.String(),
		},
		result: "interests { id totalAmount " + b.assumed.selectItem() + " }",
		member: memberInterests,
	}
}

// writeKind adds the details object of the interest's kind.
func (a AddInterest) writeKind(b *builder, details *object) {
	names := map[Kind]string{Course: "courseDetails", Event: "eventDetails", LearningPath: "learningPathDetails"}
	name, people := names[a.Kind]
	if !people && len(a.NewLearners)+len(a.ExistingLearners) > 0 {
		b.invalid("NewLearners", "and ExistingLearners go with a course, an event or a learning path only")
	}
	if a.Kind != Tokens && a.ExpiresAt != "" {
		b.invalid("ExpiresAt", "goes with training tokens only")
	}
	switch {
	case people:
		details.set(name, object{
			"existingLearners: " + list(a.existing(b)),
			"newLearners: " + list(a.named(b)),
		}.String())
	case a.Kind == Tokens:
		if a.ExpiresAt != "" {
			if !a.ExpiresAt.valid() {
				b.invalid("ExpiresAt", "is no time without a zone; give one such as 2026-12-31T23:59:59")
			}
			details.set("trainingTokenDetails", object{
				"expiresAt: " + b.literal("ExpiresAt", string(a.ExpiresAt)),
			}.String())
		}
	case a.Kind != "":
		b.invalid("Kind", "is none of course, event, learning path and tokens")
	}
}

func (a AddInterest) existing(b *builder) []string {
	entries := make([]string, len(a.ExistingLearners))
	for i, id := range a.ExistingLearners {
		entries[i] = b.required(fmt.Sprintf("ExistingLearners[%d]", i), "contact", "ID", id)
		switch shape := b.assumed.ExistingLearner; shape {
		case "": // the bare id
		case Off:
			b.invalid("ExistingLearners", "cannot be added: the assumption ExistingLearner is switched off")
		default:
			entries[i] = object{string(shape) + ": " + entries[i]}.String()
		}
	}
	return entries
}

func (a AddInterest) named(b *builder) []string {
	entries := make([]string, len(a.NewLearners))
	for i, l := range a.NewLearners {
		member := fmt.Sprintf("NewLearners[%d]", i)
		learner := object{
			"firstName: " + b.text(member+".FirstName", "firstName", "String", l.FirstName),
			"lastName: " + b.text(member+".LastName", "lastName", "String", l.LastName),
		}
		if l.Email != "" {
			learner.set("email", b.text(member+".Email", "email", "String", l.Email))
		}
		entries[i] = learner.String()
	}
	return entries
}

const localTimeLayout = "2006-01-02T15:04:05"

func (t LocalTime) valid() bool {
	_, err := time.Parse(localTimeLayout, string(t))
	return err == nil && len(t) == len(localTimeLayout)
}

// payloadAnswer is what a mutation field answers. A missing or null list of
// errors is an empty one (observed in the vendor's own code).
type payloadAnswer struct {
	Errors      []PayloadError     `json:"errors"`
	Opportunity *opportunityAnswer `json:"opportunity"`
	Interests   []interestAnswer   `json:"interests"`
}

// answer decides what became of one mutation of an answered document. What is
// not proven is unknown.
func (op operation) answer(doc document, key string, root json.RawMessage, errs []topError) Answer {
	var own []topError
	for _, e := range errs {
		if len(e.Path) > 0 && e.Path[0] == key {
			own = append(own, e)
		}
	}
	unknown := func(cause string) Answer {
		return Answer{Err: reported(doc, op.field, cause, own)}
	}
	var namespace map[string]json.RawMessage
	if len(root) > 0 && json.Unmarshal(root, &namespace) != nil {
		return unknown("the answer is not of the expected form")
	}
	raw := namespace[op.field]
	if len(raw) == 0 || string(raw) == "null" {
		return unknown("the answer holds no result for it")
	}
	var payload payloadAnswer
	if json.Unmarshal(raw, &payload) != nil {
		return unknown("the answer is not of the expected form")
	}
	if len(payload.Errors) > 0 {
		for i, e := range payload.Errors {
			if string(e.Value) == "null" {
				payload.Errors[i].Value = nil
			}
		}
		return Answer{Err: &RejectedError{Operation: op.field, Errors: payload.Errors}}
	}
	for _, e := range own {
		// An empty list of errors proves nothing when it could not be read.
		if len(e.Path) > 2 && e.Path[2] == "errors" {
			return unknown("its list of errors could not be read")
		}
	}
	switch op.member {
	case memberOpportunity:
		if payload.Opportunity == nil {
			return unknown("the answer has neither errors nor the opportunity")
		}
		o, err := payload.Opportunity.opportunity()
		if err != nil {
			return unknown("the answer is not of the expected form")
		}
		return Answer{Opportunity: &o}
	case memberInterests:
		added, err := interests(payload.Interests)
		if err != nil {
			return unknown("the answer is not of the expected form")
		}
		if len(added) == 0 {
			return unknown("the answer has neither errors nor the interest")
		}
		return Answer{Interests: added}
	}
	return Answer{}
}
