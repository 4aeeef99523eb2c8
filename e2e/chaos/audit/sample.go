package audit

import (
	"time"

	"github.com/oppflow/oppflow/opportunity"
)

// Sample is what the view and the list showed an operator of an opportunity at the time At.
type Sample struct {
	At        time.Time             `json:"at"`
	Reference opportunity.Reference `json:"reference"`
	// Before is when the opportunity was sampled before this sample; zero means that the time is
	// unknown.
	Before time.Time `json:"before,omitzero"`
	// HasView is set when the workflow returned its view. Without a view, Waiting is empty, and the
	// histories show which messages wait.
	HasView bool `json:"answered"`
	// Waiting are the commands that wait in the view, with the parked commands.
	Waiting []opportunity.QueuedMessage `json:"waiting,omitempty"`
	// Reason is why the whole queue waits, "" without a reason. With a view, the reason is the
	// wait, the question, the pause or the closing of the run. Without a view, the reason comes
	// from the attention in the list, or from the server's data about the workers.
	Reason string `json:"reason,omitempty"`
	// Attention is what the view shows an operator.
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
