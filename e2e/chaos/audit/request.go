package audit

import (
	"slices"

	"github.com/oppflow/oppflow/opportunity"
)

// standing is what is reported of a change that was asked for.
type standing int

const (
	// stands: it is reported done.
	stands standing = iota
	// fails: it is reported failed.
	fails
	// open: a question is about it, it waits behind one, or its end is reported as undecided.
	open
	// cut: nothing is reported of it.
	cut
)

// request is an accepted command, once however often it came.
type request struct {
	id       string
	verb     opportunity.Verb
	command  opportunity.Command
	standing standing
	outcome  opportunity.Outcome
	// gone says that no history has it since a restore.
	gone bool
}

// wish is an interest that was asked for.
type wish struct {
	request  string
	content  Content
	standing standing
	// id is the interest that it is reported to have become.
	id opportunity.ID
	// short says that its places are reported not to be held.
	short bool
}

// requests are the accepted commands of a chain in order.
func (c *Chain) requests() []request {
	var list []request
	if len(c.Start.Interests) > 0 && c.View != nil && c.View.Opportunity != "" {
		list = append(list, c.request(opportunity.StartRequest, opportunity.AddInterests{Interests: c.Start.Interests}))
	}
	seen := map[string]bool{}
	for _, a := range c.Accepted {
		if seen[a.Request] || a.Refusal != "" {
			continue
		}
		command, err := opportunity.Decode(a.Verb, a.Payload)
		if err != nil {
			continue // it is reported failed under an id of the workflow's own
		}
		seen[a.Request] = true
		list = append(list, c.request(a.Request, command))
	}
	return list
}

func (c *Chain) request(id string, command opportunity.Command) request {
	r := request{id: id, verb: command.Verb(), command: command, standing: cut}
	outcome, known := c.Outcomes[id]
	r.outcome = outcome
	switch {
	case !known:
	case outcome.State == opportunity.Done:
		r.standing = stands
	case outcome.State == opportunity.Failed && outcome.Error == nil && slices.Contains(c.Skipped, id):
		r.standing = open // the workflow has forgotten why an older request failed
	case outcome.State == opportunity.Failed:
		r.standing = failed(outcome.Error)
	case c.Status == Running && c.View != nil && c.waits(id):
		r.standing = open
	}
	return r
}

// waits reports whether the view lists the request as parked or queued. The view lists the first ones alone.
func (c *Chain) waits(id string) bool {
	const spelt = 100
	return len(c.View.Queue) >= spelt || slices.ContainsFunc(slices.Concat(c.View.Queue, c.View.Parked), func(w opportunity.Waiting) bool { return w.Request == id })
}

// failed returns the standing of a failed request. A reason that leaves the result unknown leaves the request open.
func failed(reason *opportunity.Error) standing {
	if reason != nil && (reason.Type == opportunity.Undecided || reason.Type == opportunity.Skipped) {
		return open
	}
	return fails
}

// wishes are the interests that the request asks for, none for another command.
func (r request) wishes() []wish {
	add, ok := r.command.(opportunity.AddInterests)
	if !ok {
		return nil
	}
	list := make([]wish, len(add.Interests))
	for i, interest := range add.Interests {
		list[i] = wish{request: r.id, content: contentOf(interest), standing: r.standing}
		if i >= len(r.outcome.Results) {
			continue
		}
		switch result := r.outcome.Results[i]; {
		case result.Interest != "":
			list[i].standing, list[i].id, list[i].short = stands, result.Interest, result.Error != nil
		case result.Error != nil:
			list[i].standing = failed(result.Error)
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
