package tms

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/oppflow/oppflow/activities/tms/people"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// recipients returns the contacts who get the mail, at least one contact. If there is no recipient,
// or if some learners cannot get the mail, recipients returns no contacts, and missing says why.
func (e emailHandler) recipients(
	ctx context.Context, mail exchange.SendEmail, links administrate.OpportunityLinks, attendees []exchange.Attendee,
) (contacts []opportunity.ID, missing string, err error) {
	var contact opportunity.ID
	switch mail.To {
	case exchange.ToLearners:
		contacts, missing, err = e.learnerContacts(ctx, attendees)
	case exchange.ToContact:
		contact, missing = opportunity.ID(links.ContactID), "the opportunity has no contact to send the mail to"
	default:
		contact, missing, err = e.ownerContact(ctx, links)
	}
	address := e.playbook.Playbook.MailFallback(mail.Template)
	if contact == "" && len(contacts) == 0 && address != "" && err == nil {
		missing += "; no contact in the TMS has the fallback address of the mail"
		contact, err = e.contactWithAddress(ctx, address)
	}
	if contact != "" && err == nil {
		return []opportunity.ID{contact}, "", nil
	}
	return contacts, missing, err
}

// If several contacts have the learner's address, the mail goes to the oldest contact, because each
// of these contacts gets mail at the same address.
func (e emailHandler) learnerContacts(ctx context.Context, attendees []exchange.Attendee) (contacts []opportunity.ID, missing string, err error) {
	if len(attendees) == 0 {
		return nil, "no learner is named in the interests of the opportunity", nil
	}
	known, err := e.contactsByEmail(ctx, attendees)
	if err != nil {
		return nil, "", err
	}
	without := 0
	for _, attendee := range attendees {
		contact := attendee.Contact
		if people.NeedsLookup(attendee) && people.EmailKey(attendee) != "" {
			contact = people.Oldest(known[people.EmailKey(attendee)])
		}
		switch {
		case contact == "":
			without++
		case !slices.Contains(contacts, contact):
			contacts = append(contacts, contact)
		}
	}
	switch {
	case without > 0:
		return nil, fmt.Sprintf("%d of %s have no contact to send the mail to", without, plural(len(attendees), "learner")), nil
	case len(contacts) > administrate.MaxEntries:
		return nil, fmt.Sprintf("%d learners are too many for one mail; the limit is %d learners", len(contacts), administrate.MaxEntries), nil
	}
	return contacts, "", nil
}

// ownerContact returns the contact of the opportunity's owner, or the contact of the account's
// owner if the opportunity's owner has no contact.
func (e emailHandler) ownerContact(ctx context.Context, links administrate.OpportunityLinks) (contact opportunity.ID, missing string, err error) {
	missing = "the opportunity has no owner to send the mail to"
	if links.Owner != nil {
		if links.Owner.ContactID != "" {
			return opportunity.ID(links.Owner.ContactID), "", nil
		}
		missing = "the owner of the opportunity has no contact to send the mail to"
	}
	owner, err := e.accountOwner(ctx, links)
	switch {
	case err != nil || links.Account == nil:
		return "", missing, err
	case owner == nil:
		return "", missing + ", and its account has no owner", nil
	case owner.ContactID == "":
		return "", missing + ", and the owner of its account has no contact", nil
	}
	return opportunity.ID(owner.ContactID), "", nil
}

// accountOwner returns the owner of the opportunity's account, or nil when the account has no owner
// or the API does not show the owner.
func (e emailHandler) accountOwner(ctx context.Context, links administrate.OpportunityLinks) (*administrate.User, error) {
	if links.Account == nil {
		return nil, nil //nolint:nilnil // an opportunity need not have an account
	}
	owner, err := e.api.AccountOwner(ctx, links.Account.ID)
	if errors.As(err, new(*administrate.NotFoundError)) || errors.As(err, new(*administrate.RefusedError)) {
		return nil, nil //nolint:nilnil // an account need not have an owner
	}
	return owner, err
}

// When the mail does not go to an owner, ownerName returns the first name of the opportunity's
// owner.
func (e emailHandler) ownerName(ctx context.Context, to exchange.Recipient, target opportunity.ID, links administrate.OpportunityLinks) (string, error) {
	if to == exchange.ToOwner && (links.Owner == nil || opportunity.ID(links.Owner.ContactID) != target) {
		owner, err := e.accountOwner(ctx, links)
		if err != nil || owner != nil && opportunity.ID(owner.ContactID) == target {
			return cmp.Or(owner, new(administrate.User)).FirstName, err
		}
	}
	return cmp.Or(links.Owner, new(administrate.User)).FirstName, nil
}

// contactWithAddress returns the oldest contact with the e-mail address, or "" when no contact has
// the address.
func (e emailHandler) contactWithAddress(ctx context.Context, address string) (opportunity.ID, error) {
	addresses := slices.Compact([]string{address, strings.ToLower(address)})
	page, err := e.api.ContactsByEmails(ctx, addresses, "")
	if err != nil {
		return "", err
	}
	return people.Oldest(slices.DeleteFunc(page.Contacts, func(c administrate.Contact) bool {
		return !strings.EqualFold(strings.TrimSpace(c.Email), address)
	})), nil
}
