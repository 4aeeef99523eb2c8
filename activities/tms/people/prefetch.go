package people

import (
	"context"
	"slices"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// API is the part of the API that package people uses.
type API interface {
	OpportunityLinks(ctx context.Context, opportunityID string) (administrate.OpportunityLinks, error)
	Account(ctx context.Context, id string) (administrate.Account, error)
	Enrolments(ctx context.Context, eventID string, contactIDs []string, after string) (administrate.LearnerPage, error)
}

// Prefetch returns functions for administrate.ReadTogether that read in advance what the
// inspections of effects about the attendees will probably read. An inspection that later sends an
// equal query gets the response without a request. Prefetch expects that the record has the
// account, and that the attendees have the contacts in expected, by the index of the attendee. If
// registers is true, Prefetch also reads who is registered on the events.
func Prefetch(api API, record, account opportunity.ID, attendees []exchange.Attendee, expected map[int]opportunity.ID, registers bool) []func(context.Context) error {
	var all []func(context.Context) error
	if account != "" && slices.ContainsFunc(attendees, NeedsLookup) {
		all = append(all, func(ctx context.Context) error {
			_, err := api.OpportunityLinks(ctx, string(record))
			return err
		}, func(ctx context.Context) error {
			_, err := api.Account(ctx, string(account))
			return err
		})
	}
	if !registers {
		return all
	}
	found := make([]opportunity.ID, len(attendees))
	for i := range found {
		found[i] = expected[i]
	}
	for _, event := range Events(attendees) {
		contacts := ContactsOn(event, attendees, found)
		all = append(all, func(ctx context.Context) error {
			_, err := EnrolmentsOn(ctx, api, event, contacts)
			return err
		})
	}
	return all
}

// Events returns the events of the attendees, without duplicates.
func Events(attendees []exchange.Attendee) []opportunity.ID {
	var events []opportunity.ID
	for _, attendee := range attendees {
		if !slices.Contains(events, attendee.Event) {
			events = append(events, attendee.Event)
		}
	}
	return events
}

// ContactsOn returns the contacts for the event without duplicates. found are the contacts that an
// inspection found, in the order of the attendees.
func ContactsOn(event opportunity.ID, attendees []exchange.Attendee, found []opportunity.ID) []opportunity.ID {
	var contacts []opportunity.ID
	for i, attendee := range attendees {
		contact := attendee.Contact
		if contact == "" && i < len(found) {
			contact = found[i]
		}
		if attendee.Event == event && contact != "" && !slices.Contains(contacts, contact) {
			contacts = append(contacts, contact)
		}
	}
	return contacts
}

// IDStrings returns the ids as strings.
func IDStrings(ids []opportunity.ID) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = string(id)
	}
	return out
}
