package administrate

import (
	"context"
)

// Progress takes an opportunity over a transition to another step. If the tenant has no transition
// from the current step to the step StepID, the API rejects the mutation with the label "Transition
// Not Found" (documented).
type Progress struct {
	OpportunityID string
	StepID        string
	// Full adds the attributes and the first 100 interests to the returned opportunity.
	Full bool
}

// Progress sends one mutation progress and returns the record after the transition.
func (c *Client) Progress(ctx context.Context, p Progress) (Opportunity, error) {
	return applyOne(ctx, c, p)
}

func (p Progress) build(b *builder) opportunityMutation {
	b.location += ": Progress"
	return opportunityMutation{
		field: "progress",
		input: object{
			"opportunityId: " + b.bindRequired("OpportunityID", "opportunityId", "ID", p.OpportunityID),
			"stepId: " + b.bindRequired("StepID", "stepId", "ID", p.StepID),
		},
		selection: "opportunity { " + b.assumed.selectResult(p.Full) + " }", resultKey: memberOpportunity,
	}
}
