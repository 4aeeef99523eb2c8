package store

import (
	"errors"
	"fmt"

	"github.com/oppflow/oppflow/sandbox/assumptions"
	"github.com/oppflow/oppflow/sandbox/globalid"
)

// RefusalError is the API error of a refused mutation. A method of Store that refuses a mutation
// writes nothing and returns an error that wraps a *RefusalError.
type RefusalError struct {
	Label   string
	Message string
	// Value is the refused value, or nil if the API shows no value.
	Value *string
}

func (p *RefusalError) Error() string { return p.Label + ": " + p.Message }

// These constants are the labels of refusals. The label TransitionNotFound is documented; the other
// labels are assumed and have the style of the documented label.
const (
	LabelTransitionNotFound = "Transition Not Found"
	LabelNotFound           = "Not Found"
	LabelInvalidID          = "Invalid ID"
	LabelInvalidValue       = "Invalid Value"
	LabelNotPublished       = "Not Published"
	LabelDetails            = "Details Do Not Fit"
	LabelSoldOut            = "Sold Out"
	LabelRequired           = "Required Attributes"
	LabelTrigger            = "Trigger Failed"
	LabelClosed             = "Closed"
	LabelNotDraft           = "Not A Draft"
)

func newRefusal(label, value, format string, args ...any) *RefusalError {
	return &RefusalError{Label: label, Message: fmt.Sprintf(format, args...), Value: &value}
}

func notFound(what, id string) *RefusalError {
	return newRefusal(LabelNotFound, id, "%s %s not found", what, id)
}

func transitionNotFound(from, to int64) *RefusalError {
	return &RefusalError{
		Label: LabelTransitionNotFound,
		Message: fmt.Sprintf("Transition from step %s to step %s not found",
			globalid.EncodeInt(globalid.OpportunityStep, from), globalid.EncodeInt(globalid.OpportunityStep, to)),
	}
}

// checks runs the checks of one input in order and stops at the first refusal. With the value "all"
// of the assumption ErrorsFirst, checks runs all checks and joins the refusals with errors.Join.
func (s *Store) checks(all ...func() error) error {
	var refusals []error
	for _, check := range all {
		err := check()
		var refused *RefusalError
		switch {
		case err == nil:
		case errors.As(err, &refused) && s.choices.Is(assumptions.ErrorsFirst, "all"):
			refusals = append(refusals, err)
		default:
			return err
		}
	}
	return errors.Join(refusals...)
}

// Refusals returns the refusals in an error, or nil if the error contains no refusal.
func Refusals(err error) []*RefusalError {
	var several interface{ Unwrap() []error }
	if errors.As(err, &several) {
		var found []*RefusalError
		for _, one := range several.Unwrap() {
			found = append(found, Refusals(one)...)
		}
		return found
	}
	var refused *RefusalError
	if errors.As(err, &refused) {
		return []*RefusalError{refused}
	}
	return nil
}

func intKey(field, id, typ string) (int64, error) {
	n, err := globalid.ParseInt(id, typ)
	if err != nil {
		return 0, newRefusal(LabelInvalidID, id, "%s: %v", field, err)
	}
	return n, nil
}

// RequestError reports an invalid request. The API returns a RequestError as a GraphQL error.
type RequestError struct{ Message string }

func (e *RequestError) Error() string { return e.Message }

func newRequestError(format string, args ...any) error {
	return &RequestError{Message: fmt.Sprintf(format, args...)}
}
