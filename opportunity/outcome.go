package opportunity

import "time"

// OutcomeState is the state of a request.
type OutcomeState string

// The states of a request.
const (
	Done    OutcomeState = "done"
	Pending OutcomeState = "pending"
	Failed  OutcomeState = "failed"
)

// Outcome is the result of one request.
type Outcome struct {
	RequestID string       `json:"requestId"`
	State     OutcomeState `json:"state"`
	// Results holds, for addInterests, one result per interest in the requested order.
	Results []InterestResult `json:"results,omitempty"`
	// Error is set when State is failed. An addInterests request fails only when no interest was
	// added.
	Error *Error `json:"error,omitempty"`
	// Note says what a request that is done did not change. For example, when a request changes the
	// currency, the amounts of the interests keep their numbers.
	Note string `json:"note,omitempty"`
}

// InterestResult is the result of one interest of an addInterests request.
type InterestResult struct {
	// Interest is the id of the interest in the TMS, or "" when the interest was not added.
	Interest ID     `json:"interest,omitempty"`
	Item     string `json:"item"`
	// ReservedUntil is set when places were requested and the API shows that the places are reserved
	// on the event of this interest.
	ReservedUntil *time.Time `json:"reservedUntil,omitempty"`
	// Error says why the interest was not added. When Interest is set, Error says why places for
	// the interest are not reserved. The type of Error is Undecided when it is not known
	// whether the places are reserved.
	Error *Error `json:"error,omitempty"`
}

// CreateOutcome says whether the record exists.
type CreateOutcome struct {
	State       OutcomeState `json:"state"`
	Reference   Reference    `json:"reference"`
	Opportunity ID           `json:"opportunity,omitempty"`
	Details     *Details     `json:"details,omitempty"`
	Step        *Step        `json:"step,omitempty"`
}

// RunResult is the result of a run that completed, and the summary of an opportunity that has ended.
type RunResult struct {
	Reference Reference `json:"reference"`
	// Opportunity is the id of the record, or "" when the run was closed before the record existed.
	Opportunity ID `json:"opportunity"`
	// State is Won, Lost or Archived. When an operator closed the run, State is the state of the
	// record's stage when the run was closed.
	State StageState `json:"state"`
	// CloseReason is the reason that an operator gave for closing the run.
	CloseReason string `json:"closed,omitempty"`
	Step        Step   `json:"step"`
	Interests   int    `json:"interests"`
	Total       Amount `json:"total"`
	Currency    string `json:"currency,omitempty"`
	// FailedRequests counts the failed requests in all runs of the opportunity.
	FailedRequests int `json:"failed"`
}

// IsFinal reports whether the result of the interest is known.
func (r InterestResult) IsFinal() bool { return r.Interest != "" || r.Error != nil }
