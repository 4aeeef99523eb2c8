package tms

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms/people"
	"github.com/oppflow/oppflow/activities/tms/runs"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

type contactsHandler struct{ *Activities }

func (h effectHandlers) Contacts() effectHandler { return contactsHandler{h.activities} }

type contactNotes struct {
	// Creating lists the indexes of the attendees for whom the effect is about to create contacts. A
	// later inspection counts these contacts as created by the effect, even if the response was lost.
	Creating string `note:"making"`
	// Created lists the contacts in the response to the request, by the index of the attendee, such as
	// 0=ID. Created only makes the next inspection faster and proves nothing.
	Created string `note:"made"`
}

func (e contactsHandler) inspect(ctx context.Context, in activities.EffectInput) (activities.InspectResult, error) {
	out := activities.InspectResult{UndoEntry: in.UndoEntry, RunID: runs.CurrentID(ctx)}
	if in.Undo {
		return out, nil // the undo of this effect keeps the contacts
	}
	policy := people.Policy{Several: exchange.MatchAskOperator}
	if settings := settingsOf[exchange.EnsureContacts](in); settings != nil {
		policy.Several, policy.People = cmp.Or(settings.OnMultipleMatches, policy.Several), settings.People
	}
	out, err := e.inspectContacts(ctx, in, out, policy)
	if err != nil || out.Request == nil {
		return out, err
	}
	return out, e.addAccount(ctx, in, out.Request)
}

func (a *Activities) addAccount(ctx context.Context, in activities.EffectInput, request *exchange.EffectRequest) error {
	account, err := a.accountForContacts(ctx, in.Opportunity)
	request.Values = map[string]string{exchange.ValueAccount: account}
	return readError(err)
}

// inspectContacts looks up the unknown contacts of the attendees by e-mail address and name.
// inspectContacts returns a request to create the missing contacts. When no contact is missing,
// inspectContacts returns the people about whom an operator must decide.
func (a *Activities) inspectContacts(
	ctx context.Context, in activities.EffectInput, out activities.InspectResult, policy people.Policy,
) (activities.InspectResult, error) {
	for i, attendee := range in.Attendees {
		if people.NeedsLookup(attendee) && people.EmailKey(attendee) == "" {
			out.Error = opportunity.Invalidf("attendee %d has no e-mail address, so Oppflow cannot find a contact; create the contact in the TMS and register the contact by hand", i+1)
			return out, nil
		}
	}
	known, err := a.contactsByEmail(ctx, in.Attendees)
	if err != nil {
		return out, readError(err)
	}
	matches := people.MatchAll(in.Attendees, known, policy)
	created := createdContacts(in, matches)
	out.Contacts = make([]opportunity.ID, len(in.Attendees))
	var missing []string
	for i, match := range matches {
		if match.Ambiguous > 0 {
			out.Request, out.Contacts = nil, nil
			out.Error = opportunity.Failf(opportunity.Conflict, "%s have the e-mail address of attendee %d; merge these contacts, or set onMultipleMatches: oldest in the playbook",
				plural(match.Ambiguous, "contact"), i+1)
			return out, nil
		}
		out.Contacts[i] = match.Contact
		out.UndoEntry = out.UndoEntry.WithObject(opportunity.TouchedObject{Kind: opportunity.ObjectContact, ID: match.Contact, Created: created[match.Contact]})
		if match.Create && len(missing) < administrate.MaxEntries {
			missing = append(missing, strconv.Itoa(i))
			if out.Request == nil {
				out.Request = &exchange.EffectRequest{Kind: exchange.RequestCreateContacts}
			}
			out.Request.Attendees = append(out.Request.Attendees, i)
		}
	}
	if len(missing) > 0 {
		out.UndoEntry = withNotes(out.UndoEntry, contactNotes{Creating: strings.Join(missing, ",")})
		return out, nil
	}
	out.PeopleInDoubt, out.Error = people.DoubtAbout(matches)
	return out, nil
}

// contactsByEmail looks up the unknown contacts of all attendees, and returns the contacts by
// e-mail address in lower case. It was never observed whether the API's filter distinguishes upper
// and lower case. The request therefore contains each address twice: as it was given, and in lower
// case.
func (a *Activities) contactsByEmail(ctx context.Context, attendees []exchange.Attendee) (map[string][]administrate.Contact, error) {
	var emails []string
	for _, attendee := range attendees {
		if people.NeedsLookup(attendee) && people.EmailKey(attendee) != "" {
			emails = append(emails, people.TrimmedEmail(attendee), people.EmailKey(attendee))
		}
	}
	slices.Sort(emails)
	known := make(map[string][]administrate.Contact)
	for some := range slices.Chunk(slices.Compact(emails), administrate.MaxEntries) {
		for after := ""; ; {
			page, err := a.api.ContactsByEmails(ctx, some, after)
			if err != nil {
				return nil, err
			}
			for _, contact := range page.Contacts {
				email := strings.ToLower(strings.TrimSpace(contact.Email))
				// The responses to two requests may contain the same contact.
				if !slices.ContainsFunc(known[email], func(c administrate.Contact) bool { return c.ID == contact.ID }) {
					known[email] = append(known[email], contact)
				}
			}
			if after = page.NextCursor; after == "" {
				break
			}
		}
	}
	return known, nil
}

func (e contactsHandler) execute(ctx context.Context, in activities.EffectInput) (activities.ExecuteResult, error) {
	if run, other := runs.DetectReset(ctx, in.RunID); other {
		return activities.ExecuteResult{CallResult: runs.ResetResult(run)}, nil
	}
	return e.createContacts(ctx, in)
}

// The new contacts belong to the account of the record, unless this account is the account of an
// individual person.
func (a *Activities) createContacts(ctx context.Context, in activities.EffectInput) (activities.ExecuteResult, error) {
	ctx = a.withSendDeadline(ctx)
	result := activities.ExecuteResult{UndoEntry: in.UndoEntry}
	account, isKnown := in.Request.Values[exchange.ValueAccount]
	if !isKnown { // a worker of an earlier version inspected the effect
		var err error
		if account, err = a.accountForContacts(ctx, in.Opportunity); err != nil {
			result.CallResult = dependencyNotRead(err)
			return result, nil
		}
	}
	var wanted []administrate.NewContact
	var places []int
	for _, i := range in.Request.Attendees {
		if i < 0 || i >= len(in.Attendees) || !people.NeedsLookup(in.Attendees[i]) {
			continue
		}
		person := in.Attendees[i].Person
		wanted = append(wanted, administrate.NewContact{
			FirstName: person.FirstName, LastName: person.LastName, Email: people.TrimmedEmail(in.Attendees[i]), AccountID: account,
		})
		places = append(places, i)
	}
	if len(wanted) == 0 {
		return rejectedResult(opportunity.Invalidf("the settings of the effect contain no contact to create")), nil
	}
	answers, err := a.api.CreateContacts(ctx, wanted)
	result.CallResult = callResult(err)
	if err != nil {
		return result, nil
	}
	notes := notesOf[contactNotes](in.UndoEntry)
	var created []string
	result.CreatedContacts = make([]opportunity.ID, len(in.Attendees))
	for n, answer := range answers {
		if answer.Err == nil {
			created = append(created, fmt.Sprintf("%d=%s", places[n], answer.Contact.ID))
			result.CreatedContacts[places[n]] = opportunity.ID(answer.Contact.ID)
		}
	}
	notes.Created = strings.Join(created, ",")
	result.UndoEntry = withNotes(in.UndoEntry, notes)
	if n := slices.IndexFunc(answers, func(c administrate.ContactResult) bool { return c.Err != nil }); n >= 0 {
		result.CallResult = callResult(answers[n].Err)
		if result.Status == exchange.StatusRejected {
			// The error leaves out the API's message, because the message may contain the attendee's e-mail
			// address.
			result.Error = opportunity.Failf(opportunity.Rejected, "the API rejected the new contact for attendee %d (%s)",
				places[n]+1, cmp.Or(result.Error.Label, "no label"))
		}
	}
	return result, nil
}

// accountForContacts returns the account of the record, or "" when the record has no account that
// can have contacts.
func (a *Activities) accountForContacts(ctx context.Context, id opportunity.ID) (string, error) {
	links, err := a.api.OpportunityLinks(ctx, string(id))
	if err != nil || links.Account == nil {
		return "", err
	}
	account, err := a.api.Account(ctx, links.Account.ID)
	if err != nil || account.Individual {
		return "", err
	}
	return account.ID, nil
}

// expectedContacts returns the contacts that the response to a request of the effect contained, by the
// index of the attendee.
func expectedContacts(entry exchange.UndoEntry) map[int]opportunity.ID {
	expected := make(map[int]opportunity.ID)
	for _, one := range strings.Split(notesOf[contactNotes](entry).Created, ",") {
		index, contact, _ := strings.Cut(one, "=")
		if i, err := strconv.Atoi(index); err == nil {
			expected[i] = opportunity.ID(contact)
		}
	}
	return expected
}

// createdContacts returns the contacts that this inspection found, and that the effect was about to
// create in an earlier inspection.
func createdContacts(in activities.EffectInput, matches []people.Match) map[opportunity.ID]bool {
	created := make(map[opportunity.ID]bool)
	for _, index := range strings.Split(notesOf[contactNotes](in.UndoEntry).Creating, ",") {
		if i, err := strconv.Atoi(index); err == nil && i >= 0 && i < len(matches) && matches[i].Contact != "" {
			created[matches[i].Contact] = true
		}
	}
	return created
}
