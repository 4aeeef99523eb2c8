package administrate

import (
	"context"
	"time"

	"github.com/shopspring/decimal"
)

// The most that Apply sends in one document.
const (
	MaxMutations    = 20
	MaxRequestBytes = 256 << 10
)

// Mutation is one of NewOpportunity, UpdateOpportunity, Progress, AddInterest
// and ExtendReservations.
type Mutation interface{ operation() string }

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
	Email     string
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
func (c *Client) Apply(ctx context.Context, mutations []Mutation) ([]Answer, error) { return nil, nil }

// CreateOpportunity makes a record and answers it.
func (c *Client) CreateOpportunity(ctx context.Context, n NewOpportunity) (Opportunity, error) {
	return Opportunity{}, nil
}

// UpdateOpportunity sends one update.
func (c *Client) UpdateOpportunity(ctx context.Context, u UpdateOpportunity) (Opportunity, error) {
	return Opportunity{}, nil
}

// Progress sends one progress.
func (c *Client) Progress(ctx context.Context, p Progress) (Opportunity, error) {
	return Opportunity{}, nil
}

// AddInterest sends one addInterest; see Answer.Interests for what it gives.
func (c *Client) AddInterest(ctx context.Context, a AddInterest) ([]Interest, error) {
	return nil, nil
}

// ExtendReservations sends one extendReservations. The opportunity is nil when
// the tenant's answer has none.
func (c *Client) ExtendReservations(ctx context.Context, e ExtendReservations) (*Opportunity, error) {
	return nil, nil
}

func (NewOpportunity) operation() string     { return "create" }
func (UpdateOpportunity) operation() string  { return "update" }
func (Progress) operation() string           { return "progress" }
func (AddInterest) operation() string        { return "addInterest" }
func (ExtendReservations) operation() string { return "extendReservations" }
