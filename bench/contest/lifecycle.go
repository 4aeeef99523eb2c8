package contest

import (
	"context"
	_ "embed"
	"errors"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/opportunity"
)

// catalogue is the tenant the lifecycle is lived in: three steps before Won, no triggers, and places for everybody.
//
//go:embed catalogue.yaml
var catalogue []byte

// What the lifecycle names, all by id, so that no contestant looks anything up.
const (
	region    = "UmVnaW9uOlVL"                                             // Region:UK
	account   = "T3JnYW5pc2F0aW9uOjE="                                     // Organisation:1
	neighbour = "T3JnYW5pc2F0aW9uOjI="                                     // Organisation:2
	currency  = "EUR"                                                      // its region's is GBP
	qualified = "T3Bwb3J0dW5pdHlTdGVwOjI="                                 // OpportunityStep:2
	quoted    = "T3Bwb3J0dW5pdHlTdGVwOjM="                                 // OpportunityStep:3
	won       = "T3Bwb3J0dW5pdHlTdGVwOjQ="                                 // OpportunityStep:4
	course    = "Q291cnNlVGVtcGxhdGU6MTE="                                 // CourseTemplate:11
	event     = "Q291cnNlOjE="                                             // Course:1
	path      = "TGVhcm5pbmdQYXRoOjE="                                     // LearningPath:1
	another   = "Q291cnNlVGVtcGxhdGU6MTI="                                 // CourseTemplate:12
	tokens    = "VG9rZW5UeXBlOjg4NDhhM2IzOGFkZjQ1ZGI4ZmY2MGZhZmNiZDNiM2Y2" // TokenType
	recordOf  = "Measured"                                                 // every record's name
)

// Calls is how many calls of the API a lifecycle asks for, the start among them.
const Calls = 11

// Call is one thing that is asked for after the start: one of its members is set.
type Call struct {
	Details  *opportunity.UpdateDetails `json:"details,omitempty"`
	Interest *opportunity.Interest      `json:"interest,omitempty"`
	Step     *opportunity.Progress      `json:"step,omitempty"`
}

// Line is what a sender asks for before it waits until all of it has taken effect.
type Line struct {
	Name  string
	Calls []Call
}

// Lines are those of the reference lifecycle after the start, in order.
func Lines() []Line {
	interest := func(item string, quantity int) Call {
		amount, _ := opportunity.ParseAmount("199.90")
		return Call{Interest: &opportunity.Interest{Item: item, Quantity: quantity, UnitAmount: amount, Reserve: item == event}}
	}
	step := func(to string) []Call { return []Call{{Step: &opportunity.Progress{To: to}}} }
	return []Line{
		{"account and currency", []Call{{Details: &opportunity.UpdateDetails{Account: account, Currency: currency}}}},
		{"five interests", []Call{interest(course, 1), interest(event, 1), interest(path, 1), interest(another, 2), interest(tokens, 10)}},
		{"progress", step(qualified)},
		{"progress again", step(quoted)},
		{"a sixth interest", []Call{interest(course, 3)}},
		{"progress to Won", step(won)},
	}
}

// command is the call as a message of the contract.
func (c Call) command() opportunity.Command {
	switch {
	case c.Details != nil:
		return *c.Details
	case c.Interest != nil:
		return opportunity.AddInterests{Interests: opportunity.Interests{*c.Interest}}
	default:
		return *c.Step
	}
}

// ask makes the call of the API, in one request and as plainly as it can be made: what comes back is not looked at.
func (c Call) ask(ctx context.Context, api *administrate.Client, record string) error {
	var err error
	switch {
	case c.Details != nil:
		_, err = api.UpdateOpportunity(ctx, administrate.UpdateOpportunity{ID: record, AccountID: c.Details.Account, Currency: c.Details.Currency})
	case c.Interest != nil:
		_, err = api.AddInterest(ctx, administrate.AddInterest{
			OpportunityID: record, ItemID: c.Interest.Item, Quantity: c.Interest.Quantity,
			UnitAmount: c.Interest.UnitAmount.Decimal(), Reserve: c.Interest.Reserve,
		})
	case c.Step != nil:
		_, err = api.Progress(ctx, administrate.Progress{OpportunityID: record, StepID: c.Step.To})
	default:
		err = errors.New("the call asks for nothing")
	}
	return err
}

// create makes the record of a lifecycle.
func create(ctx context.Context, api *administrate.Client) (string, error) {
	made, err := api.CreateOpportunity(ctx, administrate.NewOpportunity{Name: recordOf, RegionID: region})
	return made.ID, err
}
