package compare

import (
	"context"
	"fmt"
	"strings"

	"go.temporal.io/sdk/client"
	"golang.org/x/sync/errgroup"

	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

// oppflowMode says how a driver sends messages to Oppflow: as updates or signals, and with the
// interests in one message or in five.
type oppflowMode struct {
	byUpdate bool
	// If oneMessage is true, the driver sends the five interests of the lifecycle in one message.
	oneMessage bool
	// If learners is true, the interest in the event has two learners whom the TMS does not know.
	learners bool
	// If newAccount is true, no message names an account, so the playbook creates the account.
	newAccount bool
}

func (h oppflowMode) String() string {
	name := "Oppflow, signals"
	if h.byUpdate {
		name = "Oppflow, updates"
	}
	if h.oneMessage {
		name += ", burst in one"
	}
	if h.learners {
		name += ", learners"
	}
	if h.newAccount {
		name += ", new account"
	}
	return name
}

// playbookModes returns the modes that are measured with the default playbook.
func playbookModes() []oppflowMode {
	var all []oppflowMode
	for _, learners := range []bool{false, true} {
		for _, byUpdate := range []bool{false, true} {
			all = append(all, oppflowMode{byUpdate: byUpdate, oneMessage: true, learners: learners}, oppflowMode{byUpdate: byUpdate, learners: learners})
		}
	}
	return all
}

// newAccountModes returns the modes that are measured with the playbook newAccounts.
func newAccountModes() []oppflowMode {
	return []oppflowMode{{oneMessage: true, learners: true, newAccount: true}, {learners: true, newAccount: true}}
}

// oppflow returns the Subject that plays the lifecycle with Oppflow. After a signal, the driver
// reads the view every 20 ms until the signal has taken effect.
func oppflow(c client.Client, h oppflowMode) Subject {
	messages := lifecycle.NewClient(c)
	return Subject{Name: h.String(), Temporal: c, begin: func(ctx context.Context, reference opportunity.Reference) (driver, error) {
		d := &oppflowDriver{temporal: c, messages: messages, reference: reference, oppflowMode: h}
		err := d.begin(ctx)
		return d, err
	}}
}

type oppflowDriver struct {
	oppflowMode
	temporal  client.Client
	messages  *lifecycle.Client
	reference opportunity.Reference
	id        string
	interests int
}

func (d *oppflowDriver) begin(ctx context.Context) error {
	start := opportunity.Start{Name: recordName, Region: region}
	if d.newAccount {
		start.Name += " " + string(d.reference) // the playbook gives the new account this name
	}
	if d.byUpdate {
		opened, err := d.messages.Start(ctx, d.reference, start)
		d.id = string(opened.Opportunity)
		return err
	}
	if _, err := d.temporal.ExecuteWorkflow(ctx, lifecycle.FirstStartOptions(d.reference, start), lifecycle.WorkflowType, start); err != nil {
		return err
	}
	return d.awaitView(ctx, func(view opportunity.View) bool {
		d.id = string(view.Opportunity)
		return d.id != ""
	})
}

func (d *oppflowDriver) awaitView(ctx context.Context, shows func(opportunity.View) bool) error {
	return pollUntil(ctx, func() (bool, error) {
		view, err := d.messages.View(ctx, d.reference)
		if err == nil && view.Failures > 0 {
			err = fmt.Errorf("a request failed: %s", view.Timeline[len(view.Timeline)-1].Text)
		}
		return err == nil && shows(view), err
	})
}

func (d *oppflowDriver) record() string { return d.id }

func (d *oppflowDriver) messagesOf(line CallGroup) []opportunity.Command {
	commands := make([]opportunity.Command, len(line.Calls))
	var all opportunity.AddInterests
	for n, call := range line.Calls {
		if call.Details != nil && d.newAccount {
			call.Details = &opportunity.UpdateDetails{Currency: call.Details.Currency}
		}
		if call.Interest != nil {
			if d.learners {
				call = call.withLearners(learnersOf(d.reference))
			}
			d.interests++
			all.Interests = append(all.Interests, *call.Interest)
		}
		commands[n] = call.command()
	}
	if d.oneMessage && len(all.Interests) == len(line.Calls) {
		return []opportunity.Command{all}
	}
	return commands
}

// learnersOf returns two learners whom no other lifecycle has.
func learnersOf(reference opportunity.Reference) []opportunity.Learner {
	var all []opportunity.Learner
	for _, name := range []string{"Ada", "Ben"} {
		all = append(all, opportunity.Learner{FirstName: name, LastName: string(reference), Email: strings.ToLower(fmt.Sprintf("%s.%s@learners.example", name, reference))})
	}
	return all
}

func (d *oppflowDriver) send(ctx context.Context, line CallGroup, sent func(n, of int) error) error {
	commands := d.messagesOf(line)
	if d.byUpdate {
		return sendTogether(commands, sent, func(command opportunity.Command) error {
			outcome, err := d.messages.Update(ctx, d.reference, command)
			if err == nil && outcome.State != opportunity.Done {
				err = fmt.Errorf("the outcome of the update is %s", outcome.State)
			}
			return err
		})
	}
	for n, command := range commands {
		if err := d.messages.Signal(ctx, d.reference, command); err != nil {
			return err
		}
		if err := sent(n+1, len(commands)); err != nil {
			return err
		}
	}
	last := line.Calls[len(line.Calls)-1]
	return d.awaitView(ctx, func(view opportunity.View) bool {
		switch {
		case last.Details != nil:
			return view.Details.Currency == last.Details.Currency
		case last.Interest != nil:
			return len(view.Interests) == d.interests
		default:
			return view.Step.ID == opportunity.ID(last.Step.To)
		}
	})
}

func (d *oppflowDriver) waiting(ctx context.Context) (int, error) {
	view, err := d.messages.View(ctx, d.reference)
	return len(view.Queue), err
}

func (d *oppflowDriver) end(ctx context.Context) error {
	_, err := d.messages.Wait(ctx, d.reference)
	return err
}

// sendTogether starts to send all messages, each in its own goroutine, and waits until every
// message has an outcome. sendTogether calls sent once for each message that sendTogether has
// started to send.
func sendTogether[M any](messages []M, sent func(n, of int) error, ask func(M) error) error {
	var group errgroup.Group
	for n, message := range messages {
		group.Go(func() error { return ask(message) })
		if err := sent(n+1, len(messages)); err != nil {
			return err
		}
	}
	return group.Wait()
}
