package administrate

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/oppflow/oppflow/administrate/transport"
)

// MaxMutations is the maximum number of mutations in one call of Apply, and MaxRequestBytes is the
// maximum size of its request.
const (
	MaxMutations    = 20
	MaxRequestBytes = transport.MaxRequestBytes
)

// Mutation is implemented by NewOpportunity, UpdateOpportunity, Progress, AddInterest,
// ExtendReservations and ReservePlaces (as values, not as pointers).
type Mutation interface {
	build(b *builder) opportunityMutation
}

// MutationResult is the result of one mutation in a call of Apply. Err is nil when the API executed
// the mutation. Err is a *RejectedError when the API rejected the mutation. Err is an *UnknownError
// when the response does not show whether the API executed the mutation.
type MutationResult struct {
	// Opportunity is the opportunity right after the mutation, with all members except UpdatedAt.
	// Opportunity has interests only after a mutation that sets Full. Opportunity has no attributes
	// after a NewOpportunity. Opportunity is nil for an AddInterest, for a ReservePlaces and after
	// an error. Opportunity is also nil for an ExtendReservations if
	// Assumptions.ExtendedOpportunity is Off.
	Opportunity *Opportunity
	// Interests are the interests in the API's response to an AddInterest. It is not documented
	// whether the response to an AddInterest contains only the new interest or all interests of the
	// opportunity.
	Interests []Interest
	Err       error
}

// Apply sends the mutations in one document. Each mutation is a root field of the document, because
// the API executes root fields in order. Apply accepts at most MaxMutations mutations with a
// request of at most MaxRequestBytes. If the mutations exceed a limit, Apply fails with
// InvalidError and sends nothing.
//
// If Apply returns no error, Apply returns one MutationResult for each mutation, in the order of
// the mutations. If Apply returns a NotSentError, a RefusedError or an UnknownError, this error
// applies to all mutations of the call. With Options.ReadOnly, Apply sends nothing and returns a
// RejectedError in each MutationResult.
func (c *Client) Apply(ctx context.Context, mutations []Mutation) ([]MutationResult, error) {
	doc, operations, err := c.mutationDocument("Apply", mutations)
	if err != nil {
		return nil, err
	}
	if c.readOnly {
		return readOnlyResults(operations), nil
	}
	got, err := c.sendMutation(ctx, doc)
	if err != nil {
		return nil, err
	}
	var roots map[string]json.RawMessage
	if err := json.Unmarshal(got.Data, &roots); err != nil {
		return nil, transport.MalformedResponse(doc.Name)
	}
	answers := make([]MutationResult, len(operations))
	for i, op := range operations {
		answers[i] = op.resultOf(doc, MutationAlias(i), roots[MutationAlias(i)], got.Errors)
	}
	return answers, nil
}

const labelReadOnly = "read-only"

func readOnlyResults(operations []opportunityMutation) []MutationResult {
	answers := make([]MutationResult, len(operations))
	for i, op := range operations {
		answers[i].Err = readOnlyError(op.field)
	}
	return answers
}

func readOnlyError(operation string) error {
	return &RejectedError{Operation: operation, Errors: []PayloadError{{
		Label:   labelReadOnly,
		Message: "nothing was sent, because this program is read-only; restart the program without --read-only (OPPFLOW_READ_ONLY) and repeat the request",
	}}}
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

// MutationAlias returns the alias of the mutation with index i in a document of Apply, which is
// also the response key.
func MutationAlias(i int) string { return "m" + strconv.Itoa(i) }

type opportunityMutation struct {
	field     string // the field in the GraphQL namespace opportunities, such as "progress"
	input     object
	selection string // the fields to select in the payload, in addition to errors
	resultKey string // the response key of the result in the payload, empty when the payload has no result
}

func (c *Client) mutationDocument(name string, mutations []Mutation) (transport.Document, []opportunityMutation, error) {
	if len(mutations) == 0 || len(mutations) > MaxMutations {
		return transport.Document{}, nil, &InvalidError{
			Where:   name,
			Problem: fmt.Sprintf("the request must contain 1 to %d mutations, not %d", MaxMutations, len(mutations)),
		}
	}
	b := newBuilder(&c.assumed)
	operations := make([]opportunityMutation, len(mutations))
	for i, m := range mutations {
		b.prefix = MutationAlias(i) + "_"
		b.location = fmt.Sprintf("mutation %d", i+1)
		switch m.(type) {
		case NewOpportunity, UpdateOpportunity, Progress, AddInterest, ExtendReservations, ReservePlaces:
		default:
			b.location = ""
			b.invalid(fmt.Sprintf("mutation %d", i+1), "the mutation is nil or a pointer; pass the mutation as a value")
			return transport.Document{}, nil, b.err
		}
		op := m.build(b)
		operations[i] = op
		selection := selectErrors
		if op.selection != "" {
			selection += " " + op.selection
		}
		b.root("%s: opportunities { %s(input: %s) { %s } }", MutationAlias(i), op.field, op.input, selection)
	}
	doc, err := b.document("mutation", name)
	return doc, operations, err
}

const (
	memberOpportunity = "opportunity"
	memberInterests   = "interests"
)

type payloadDTO struct {
	Opportunity *opportunityDTO `json:"opportunity"`
	Interests   []interestDTO   `json:"interests"`
}

func (op opportunityMutation) resultOf(doc transport.Document, key string, root json.RawMessage, errs []transport.GraphQLError) MutationResult {
	var own []transport.GraphQLError
	for _, e := range errs {
		if len(e.Path) > 0 && e.Path[0] == key {
			own = append(own, e)
		}
	}
	unknown := func(cause string) MutationResult {
		return MutationResult{Err: transport.OutcomeUnknown(doc, op.field, cause, own)}
	}
	var namespace map[string]json.RawMessage
	if len(root) > 0 && json.Unmarshal(root, &namespace) != nil {
		return unknown("the response does not have the expected form")
	}
	var payload payloadDTO
	if err := parsePayload(doc, op.field, namespace[op.field], own, 2, &payload); err != nil {
		return MutationResult{Err: err}
	}
	switch op.resultKey {
	case memberOpportunity:
		if payload.Opportunity == nil {
			return unknown("the response contains neither errors nor the opportunity")
		}
		o, err := payload.Opportunity.opportunity()
		if err != nil {
			return unknown("the response does not have the expected form")
		}
		return MutationResult{Opportunity: &o}
	case memberInterests:
		added, err := interests(payload.Interests)
		if err != nil {
			return unknown("the response does not have the expected form")
		}
		if len(added) == 0 {
			return unknown("the response contains neither errors nor the interest")
		}
		return MutationResult{Interests: added}
	}
	return MutationResult{}
}

// parsePayload returns nil only if the list of errors in the payload is empty. A list of errors
// that is missing or null counts as empty (observed in Administrate's own code, API notes 3.5).
func parsePayload(doc transport.Document, operation string, raw json.RawMessage, errs []transport.GraphQLError, depth int, into any) error {
	if len(raw) == 0 || string(raw) == "null" {
		return transport.OutcomeUnknown(doc, operation, "the response contains no result for the mutation", errs)
	}
	var payload struct {
		Errors []PayloadError `json:"errors"`
	}
	if json.Unmarshal(raw, &payload) != nil || json.Unmarshal(raw, into) != nil {
		return transport.OutcomeUnknown(doc, operation, "the response does not have the expected form", errs)
	}
	if len(payload.Errors) > 0 {
		for i, e := range payload.Errors {
			if string(e.Value) == "null" {
				payload.Errors[i].Value = nil
			}
		}
		return &RejectedError{Operation: operation, Errors: payload.Errors}
	}
	for _, e := range errs {
		if len(e.Path) > depth && e.Path[depth] == "errors" {
			return transport.OutcomeUnknown(doc, operation, "the API could not return the list of errors of the mutation", errs)
		}
	}
	return nil
}
