package compare

import (
	"context"
	_ "embed"
	"errors"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/opportunity"
)

// catalogue is the YAML file from which the sandbox reads its tenant's steps, transitions and
// items. The tenant has three steps before Won, no triggers, and enough places for all lifecycles.
//
//go:embed catalogue.yaml
var catalogue []byte

// The lifecycle uses ids for all objects of the TMS, so no subject needs to look up a name.
const (
	region       = "UmVnaW9uOlVL"                                             // Region:UK
	account      = "T3JnYW5pc2F0aW9uOjE="                                     // Organisation:1
	otherAccount = "T3JnYW5pc2F0aW9uOjI="                                     // Organisation:2
	currency     = "EUR"                                                      // the currency of region UK is GBP
	qualified    = "T3Bwb3J0dW5pdHlTdGVwOjI="                                 // OpportunityStep:2
	quoted       = "T3Bwb3J0dW5pdHlTdGVwOjM="                                 // OpportunityStep:3
	won          = "T3Bwb3J0dW5pdHlTdGVwOjQ="                                 // OpportunityStep:4
	course       = "Q291cnNlVGVtcGxhdGU6MTE="                                 // CourseTemplate:11
	event        = "Q291cnNlOjE="                                             // Course:1
	path         = "TGVhcm5pbmdQYXRoOjE="                                     // LearningPath:1
	otherCourse  = "Q291cnNlVGVtcGxhdGU6MTI="                                 // CourseTemplate:12
	tokens       = "VG9rZW5UeXBlOjg4NDhhM2IzOGFkZjQ1ZGI4ZmY2MGZhZmNiZDNiM2Y2" // TokenType
	recordName   = "Measured"
)

// Calls is the number of API calls of one lifecycle, including the creation of the record.
const Calls = 11

// Call is one API call after the creation of the record. In each Call exactly one member is set.
type Call struct {
	Details  *opportunity.UpdateDetails `json:"details,omitempty"`
	Interest *opportunity.Interest      `json:"interest,omitempty"`
	Step     *opportunity.Progress      `json:"step,omitempty"`
}

// CallGroup is a group of calls that a driver sends only after all API calls of the previous group
// have taken effect.
type CallGroup struct {
	Name  string
	Calls []Call
}

// CallGroups returns the groups of API calls that follow the creation of the record in the
// reference lifecycle, in order.
func CallGroups() []CallGroup {
	interest := func(item string, quantity int) Call {
		amount, _ := opportunity.ParseAmount("199.90")
		return Call{Interest: &opportunity.Interest{Item: item, Quantity: quantity, UnitAmount: amount, Reserve: item == event}}
	}
	step := func(to string) []Call { return []Call{{Step: &opportunity.Progress{To: to}}} }
	return []CallGroup{
		{"account and currency", []Call{{Details: &opportunity.UpdateDetails{Account: account, Currency: currency}}}},
		{"five interests", []Call{interest(course, 1), interest(event, 1), interest(path, 1), interest(otherCourse, 2), interest(tokens, 10)}},
		{"progress", step(qualified)},
		{"progress again", step(quoted)},
		{"a sixth interest", []Call{interest(course, 3)}},
		{"progress to Won", step(won)},
	}
}

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

// withLearners returns the call with the learners, if the call adds the interest in the event.
func (c Call) withLearners(learners []opportunity.Learner) Call {
	if c.Interest != nil && c.Interest.Item == event {
		interest := *c.Interest
		interest.Quantity, interest.Learners = len(learners), learners
		c.Interest = &interest
	}
	return c
}

// request makes the API call without Oppflow, with one API request. request does not check the
// content of the response.
func (c Call) request(ctx context.Context, api *administrate.Client, record string) error {
	var err error
	switch {
	case c.Details != nil:
		_, err = api.UpdateOpportunity(ctx, administrate.UpdateOpportunity{ID: record, AccountID: c.Details.Account, Currency: c.Details.Currency})
	case c.Interest != nil:
		add := administrate.AddInterest{
			OpportunityID: record, ItemID: c.Interest.Item, Quantity: c.Interest.Quantity,
			UnitAmount: c.Interest.UnitAmount.Decimal(), Reserve: c.Interest.Reserve,
		}
		for _, learner := range c.Interest.Learners {
			add.Kind = administrate.Event
			add.NewLearners = append(add.NewLearners, administrate.Learner{FirstName: learner.FirstName, LastName: learner.LastName, Email: learner.Email})
		}
		_, err = api.AddInterest(ctx, add)
	case c.Step != nil:
		_, err = api.Progress(ctx, administrate.Progress{OpportunityID: record, StepID: c.Step.To})
	default:
		err = errors.New("the call contains neither details, nor an interest, nor a step")
	}
	return err
}

func create(ctx context.Context, api *administrate.Client) (string, error) {
	made, err := api.CreateOpportunity(ctx, administrate.NewOpportunity{Name: recordName, RegionID: region})
	return made.ID, err
}
