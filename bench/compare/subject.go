package compare

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/opportunity"
)

// Subject is one of the compared ways to play the reference lifecycle, such as Oppflow with
// updates.
type Subject struct {
	// Name is a short name of the subject, such as "bare, signals".
	Name string
	// Temporal is the connection to the Temporal namespace of the subject's workflows. Temporal is
	// nil for the plain loop, which has no workflows.
	Temporal client.Client
	begin    func(ctx context.Context, reference opportunity.Reference) (driver, error)
}

// driver plays the lifecycle of one opportunity whose record exists.
type driver interface {
	record() string
	// send sends the messages for all API calls of a group and waits until all API calls have taken
	// effect. After each message, send calls the function sent. The arguments of sent are the
	// number of messages sent so far and the number of all messages of the group.
	send(ctx context.Context, line CallGroup, sent func(n, of int) error) error
	// waiting returns the number of messages that the workflow has received but that have not taken
	// effect.
	waiting(ctx context.Context) (int, error)
	end(ctx context.Context) error
}

// play plays a whole lifecycle. When the record exists, play calls done with 1. After each group,
// play calls done with the number of the group's API calls. If within is not nil, play calls within
// instead of send for each group of several API calls.
func (c Subject) play(ctx context.Context, reference opportunity.Reference, done func(calls int), within func(s driver, line CallGroup) error) error {
	s, err := c.begin(ctx, reference)
	if err != nil {
		return fmt.Errorf("%s: %s: start: %w", c.Name, reference, err)
	}
	done(1)
	for _, line := range CallGroups() {
		if within != nil && len(line.Calls) > 1 {
			err = within(s, line)
		} else {
			err = s.send(ctx, line, ignoreSent)
		}
		if err != nil {
			return fmt.Errorf("%s: %s: %s: %w", c.Name, reference, line.Name, err)
		}
		done(len(line.Calls))
	}
	if err := s.end(ctx); err != nil {
		return fmt.Errorf("%s: %s: end: %w", c.Name, reference, err)
	}
	return nil
}

func ignoreSent(int, int) error { return nil }

// viewEvery is the interval at which a driver that sends signals checks whether the API calls have
// taken effect.
const viewEvery = 20 * time.Millisecond

// pollUntil calls ask every 20 ms until ask returns true. If a query in ask exceeds its deadline
// because the server is busy, pollUntil calls ask again.
func pollUntil(ctx context.Context, ask func() (bool, error)) error {
	_, err := backoff.Retry(ctx, func() (bool, error) {
		yes, err := ask()
		if late := new(serviceerror.DeadlineExceeded); !yes && (err == nil || errors.As(err, &late)) {
			return false, errNotYet
		}
		return yes, backoff.Permanent(err)
	}, backoff.WithBackOff(backoff.NewConstantBackOff(viewEvery)), backoff.WithMaxElapsedTime(0))
	return err
}

var errNotYet = errors.New("not yet")

// direct returns the Subject that makes one API call after the other in a plain loop, without
// Temporal.
func direct(api *administrate.Client) Subject {
	return Subject{Name: "direct", begin: func(ctx context.Context, _ opportunity.Reference) (driver, error) {
		id, err := create(ctx, api)
		return directDriver{api: api, id: id}, err
	}}
}

// directWithEffects returns the Subject that also makes the changes that the default playbook makes
// for a won opportunity with learners. The plain loop reads nothing.
func directWithEffects(api *administrate.Client) Subject {
	return Subject{Name: EffectsBase, begin: func(ctx context.Context, reference opportunity.Reference) (driver, error) {
		id, err := create(ctx, api)
		return directDriver{api: api, id: id, learners: learnersOf(reference)}, err
	}}
}

// directDriver makes the effects of the default playbook if learners is not empty.
type directDriver struct {
	api      *administrate.Client
	id       string
	learners []opportunity.Learner
}

func (d directDriver) record() string { return d.id }

func (d directDriver) send(ctx context.Context, line CallGroup, _ func(int, int) error) error {
	for _, call := range line.Calls {
		if len(d.learners) > 0 {
			call = call.withLearners(d.learners)
		}
		if err := call.request(ctx, d.api, d.id); err != nil {
			return err
		}
	}
	return nil
}

func (d directDriver) waiting(context.Context) (int, error) { return 0, nil }

// end creates the contacts of the learners, registers the learners, and releases the places.
func (d directDriver) end(ctx context.Context) error {
	if len(d.learners) == 0 {
		return nil
	}
	var contacts []administrate.NewContact
	for _, learner := range d.learners {
		contacts = append(contacts, administrate.NewContact{FirstName: learner.FirstName, LastName: learner.LastName, Email: learner.Email, AccountID: account})
	}
	created, err := d.api.CreateContacts(ctx, contacts)
	if err != nil {
		return err
	}
	var ids []string
	for _, one := range created {
		if one.Err != nil {
			return one.Err
		}
		ids = append(ids, one.Contact.ID)
	}
	if _, err := d.api.RegisterContacts(ctx, administrate.RegisterContacts{EventID: event, ContactIDs: ids}); err != nil {
		return err
	}
	_, err = d.api.ExtendReservations(ctx, administrate.ExtendReservations{OpportunityID: d.id, Until: time.Now().UTC().Truncate(time.Second)})
	return err
}
