package audit

import (
	"slices"

	"github.com/oppflow/oppflow/opportunity"
)

type reportedState int

const (
	reportedDone reportedState = iota
	reportedFailed
	// undecided: whether the change was made is unknown. The change is undecided when a question is
	// about the change, when the change waits behind a question, or when its outcome is reported as
	// undecided.
	undecided
	// unreported: no outcome reports the change.
	unreported
)

// request is an accepted command. A command and its repetitions are one request.
type request struct {
	id      string
	message opportunity.MessageName
	command opportunity.Command
	state   reportedState
	outcome opportunity.Outcome
	// lostByRestore is set when a restore removed the request from all histories.
	lostByRestore bool
}

type expectedInterest struct {
	request string
	content Content
	state   reportedState
	// id is the id of the interest that the outcome reports.
	id opportunity.ID
	// unreserved is set when the outcome reports that the places are not reserved.
	unreserved bool
}

func (c *Chain) requests() []request {
	var list []request
	if len(c.Start.Interests) > 0 && c.View != nil && c.View.Opportunity != "" {
		list = append(list, c.request(opportunity.StartRequestID, opportunity.AddInterests{Interests: c.Start.Interests}))
	}
	seen := map[string]bool{}
	for _, a := range c.Accepted {
		if seen[a.Request] || a.Refusal != "" {
			continue
		}
		command, err := opportunity.Decode(a.Message, a.Payload)
		if err != nil {
			continue // the workflow reports the failure of this message under an id that the workflow creates
		}
		seen[a.Request] = true
		list = append(list, c.request(a.Request, command))
	}
	return list
}

func (c *Chain) request(id string, command opportunity.Command) request {
	r := request{id: id, message: command.MessageName(), command: command, state: unreported}
	outcome, known := c.Outcomes[id]
	r.outcome = outcome
	switch {
	case !known:
	case outcome.State == opportunity.Done:
		r.state = reportedDone
	case outcome.State == opportunity.Failed && outcome.Error == nil && slices.Contains(c.Skipped, id):
		r.state = undecided // the workflow no longer stores why an older request failed
	case outcome.State == opportunity.Failed:
		r.state = failedState(outcome.Error)
	case c.Status == Running && c.View != nil && c.isWaiting(id):
		r.state = undecided
	}
	return r
}

// isWaiting reports whether the view lists the request as parked or queued, or whether the view may
// omit the request. The view omits the end of a long queue.
func (c *Chain) isWaiting(id string) bool {
	const spelt = 100
	return len(c.View.Queue) >= spelt || slices.ContainsFunc(slices.Concat(c.View.Queue, c.View.Parked), func(w opportunity.QueuedMessage) bool { return w.Request == id })
}

// failedState returns undecided if the reason does not say whether the change was made.
func failedState(reason *opportunity.Error) reportedState {
	if reason != nil && (reason.Type == opportunity.Undecided || reason.Type == opportunity.Skipped) {
		return undecided
	}
	return reportedFailed
}

func (r request) expectedInterests() []expectedInterest {
	add, ok := r.command.(opportunity.AddInterests)
	if !ok {
		return nil
	}
	list := make([]expectedInterest, len(add.Interests))
	for i, interest := range add.Interests {
		list[i] = expectedInterest{request: r.id, content: contentOf(interest), state: r.state}
		if i >= len(r.outcome.Results) {
			continue
		}
		switch result := r.outcome.Results[i]; {
		case result.Interest != "":
			list[i].state, list[i].id, list[i].unreserved = reportedDone, result.Interest, result.Error != nil
		case result.Error != nil:
			list[i].state = failedState(result.Error)
		}
	}
	return list
}

func contentOf(i opportunity.Interest) Content {
	return Content{
		Item: opportunity.ID(i.Item), Quantity: i.Quantity, UnitAmount: i.UnitAmount.Decimal().Shift(2).IntPart(),
		Reserve: i.Reserve, Learners: len(i.Learners) + len(i.Contacts),
	}
}
