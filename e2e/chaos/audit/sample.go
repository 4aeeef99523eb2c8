package audit

import (
	"time"

	"github.com/oppflow/oppflow/opportunity"
)

// Sample is what anybody could see of an opportunity at a moment.
type Sample struct {
	At        time.Time             `json:"at"`
	Reference opportunity.Reference `json:"reference"`
	// Before is when the opportunity was looked at last before this sample; zero means that it is unknown.
	Before time.Time `json:"before,omitzero"`
	// HasView says that the workflow answered with its view. Where it did not, Waiting is empty, and what waits is known
	// from the histories.
	HasView bool `json:"answered"`
	// Waiting are the commands that wait by the view, those that are parked among them.
	Waiting []opportunity.QueuedMessage `json:"waiting,omitempty"`
	// Reason is why everything waits, "" without a reason. With a view, the reason is its wait, its pause or its end.
	// Without a view, the reason comes from the list, or from the server's word about the workers.
	Reason string `json:"reason,omitempty"`
	// Attention is what the view shows an operator.
	Attention []opportunity.Attention `json:"attention,omitempty"`
}

// NewSample is what a view shows.
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
