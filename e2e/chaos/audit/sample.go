package audit

import (
	"time"

	"github.com/oppflow/oppflow/opportunity"
)

// Sample is what the view and the list of opportunities showed about one opportunity at the time
// At.
type Sample struct {
	At        time.Time             `json:"at"`
	Reference opportunity.Reference `json:"reference"`
	// Before is the time of the previous sample of the opportunity; zero means that the time is
	// unknown.
	Before time.Time `json:"before,omitzero"`
	// HasView is set when the workflow returned its view. If the sample has no view, Waiting is
	// empty, and the histories show which messages wait.
	HasView bool `json:"answered"`
	// Waiting are the commands that the view lists as waiting or parked.
	Waiting []opportunity.QueuedMessage `json:"waiting,omitempty"`
	// Reason is why the whole queue waits; "" if the reason is unknown. If the sample has a view,
	// Reason is the text of the wait or of the question, or says that the opportunity is paused or
	// closed. If the sample has no view, Reason comes from the attention in the list of
	// opportunities, or from the server's data about the workers.
	Reason    string                  `json:"reason,omitempty"`
	Attention []opportunity.Attention `json:"attention,omitempty"`
}

// NewSample returns the sample of a view.
func NewSample(at time.Time, view opportunity.View) Sample {
	s := Sample{At: at, Reference: view.Reference, HasView: true, Attention: view.Attention}
	s.Waiting = append(append(s.Waiting, view.Queue...), view.Parked...)
	switch {
	case view.Wait != nil:
		s.Reason = view.Wait.Reason
	case view.Question != nil:
		s.Reason = view.Question.Text
	case view.Paused != nil:
		s.Reason = "paused"
	case view.Closing != nil:
		s.Reason = "closed by an operator"
	}
	return s
}
