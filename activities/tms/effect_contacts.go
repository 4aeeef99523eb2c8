package tms

import (
	"cmp"
	"context"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/opportunity"
)

// ensureContacts makes contacts of those who are to be trained.
type ensureContacts struct{ *Activities }

func (e ensureContacts) inspect(ctx context.Context, in activities.EffectInput) (activities.InspectResult, error) {
	out := activities.InspectResult{Trace: in.Trace, Run: runOf(ctx)}
	if in.Undo {
		return out, nil // contacts stay
	}
	several := opportunity.SeveralAsk
	if in.Effect.Contacts != nil {
		several = cmp.Or(in.Effect.Contacts.Several, several)
	}
	return e.contacts(ctx, in, out, several)
}

// contacts finds the contacts of the attendees who are not known yet, by their e-mail
// addresses, and asks for those that are missing to be made.
func (a *Activities) contacts(
	ctx context.Context, in activities.EffectInput, out activities.InspectResult, several opportunity.Several,
) (activities.InspectResult, error) {
	found := make(map[string]opportunity.ID)
	var missing []int
	for i, attendee := range in.Attendees {
		if attendee.Contact != "" || attendee.Person == nil {
			continue
		}
		email := address(attendee)
		if email == "" {
			out.Error = opportunity.Invalidf("attendee %d has no e-mail address, by which a contact is found; make the contact and register it by hand", i+1)
			return out, nil
		}
		if _, asked := found[email]; !asked {
			page, err := a.api.ContactsByEmail(ctx, email)
			if err != nil {
				return out, reading(err)
			}
			if page.Count > 1 && several == opportunity.SeveralAsk {
				out.Error = opportunity.Failf(opportunity.Conflict, "%s have the e-mail address of attendee %d; merge them, or let the playbook take the oldest",
					counted(page.Count, "contact"), i+1)
				return out, nil
			}
			found[email] = oldest(page.Contacts)
			if found[email] == "" && len(missing) < administrate.MaxEntries {
				missing = append(missing, i)
			}
		}
	}
	out.Contacts = make([]opportunity.ID, len(in.Attendees))
	for i, attendee := range in.Attendees {
		if attendee.Contact == "" && attendee.Person != nil {
			out.Contacts[i] = found[address(attendee)]
			out.Trace = out.Trace.Adding(opportunity.Record{Kind: opportunity.RecordContact, ID: out.Contacts[i]})
		}
	}
	if len(missing) > 0 {
		out.Act = &opportunity.Act{Kind: opportunity.ActCreateContacts, Attendees: missing}
	}
	return out, nil
}

// address is how a contact of the attendee is found. Addresses that differ in case
// only are one person's.
func address(attendee opportunity.Attendee) string {
	return strings.ToLower(strings.TrimSpace(attendee.Person.Email))
}

// oldest is the contact that was made first, "" when there is none: the API shows no
// time, and the keys in its ids are assumed to be given in their order.
func oldest(contacts []administrate.Contact) opportunity.ID {
	if len(contacts) == 0 {
		return ""
	}
	key := func(c administrate.Contact) *big.Int {
		n, ok := new(big.Int).SetString(opportunity.ID(c.ID).Key(), 10)
		if !ok {
			return big.NewInt(0)
		}
		return n
	}
	first := slices.MinFunc(contacts, func(a, b administrate.Contact) int { return cmp.Or(key(a).Cmp(key(b)), cmp.Compare(a.ID, b.ID)) })
	return opportunity.ID(first.ID)
}

func (e ensureContacts) carryOut(ctx context.Context, in activities.EffectInput) (activities.CarryOutResult, error) {
	if run, other := anotherRun(ctx, in.Run); other {
		return activities.CarryOutResult{Sending: reset(run)}, nil
	}
	return e.createContacts(ctx, in)
}

// createContacts makes the contacts that are missing, in the account of the record
// unless that is one person's own.
func (a *Activities) createContacts(ctx context.Context, in activities.EffectInput) (activities.CarryOutResult, error) {
	result := activities.CarryOutResult{Trace: in.Trace}
	account, err := a.accountForContacts(ctx, in.Opportunity)
	if err != nil {
		result.Sending = unread(err)
		return result, nil
	}
	var wanted []administrate.NewContact
	var places []int
	for _, i := range in.Act.Attendees {
		if i < 0 || i >= len(in.Attendees) || in.Attendees[i].Person == nil {
			continue
		}
		person := in.Attendees[i].Person
		wanted = append(wanted, administrate.NewContact{
			FirstName: person.FirstName, LastName: person.LastName, Email: strings.TrimSpace(person.Email), AccountID: account,
		})
		places = append(places, i)
	}
	if len(wanted) == 0 {
		return rejected(opportunity.Invalidf("nobody is to be made a contact")), nil
	}
	answers, err := a.api.CreateContacts(inTime(ctx), wanted)
	result.Sending = sending(err)
	if err != nil {
		return result, nil
	}
	result.Contacts = make([]opportunity.ID, len(in.Attendees))
	for n, answer := range answers {
		if answer.Err != nil {
			// Looking again tells which were made; of those that were turned down one says why.
			result.Sending = sending(answer.Err)
			if result.Error != nil {
				result.Error.Message = fmt.Sprintf("attendee %d: %s", places[n]+1, result.Error.Message)
			}
			continue
		}
		result.Contacts[places[n]] = opportunity.ID(answer.Contact.ID)
		result.Trace = result.Trace.Adding(opportunity.Record{Kind: opportunity.RecordContact, ID: opportunity.ID(answer.Contact.ID), Made: true})
	}
	return result, nil
}

// accountForContacts is the account of the record, "" when there is none that takes
// contacts.
func (a *Activities) accountForContacts(ctx context.Context, id opportunity.ID) (string, error) {
	ties, err := a.api.Ties(ctx, string(id))
	if err != nil || ties.Account == nil {
		return "", err
	}
	account, err := a.api.Account(ctx, ties.Account.ID)
	if err != nil || account.Individual {
		return "", err
	}
	return account.ID, nil
}
