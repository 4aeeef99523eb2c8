package tms

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// contactPolicy says which contact is used for a person.
type contactPolicy struct {
	// several says what to do when several contacts have the person's address and name.
	several exchange.MatchPolicy
	// people says what to do when the contacts with the person's address have other names. With ""
	// only addresses are compared.
	people exchange.PeoplePolicy
}

// personMatch is what is known of the contact of one attendee. In the zero value, the contact is
// unknown and nothing needs to be done for it in this inspection.
type personMatch struct {
	contact opportunity.ID
	// create says that the person needs a new contact.
	create bool
	// doubt is a contact with the person's address and another name, if an operator must decide
	// whether they are the same person.
	doubt opportunity.ID
	// ambiguous is how many contacts an operator must merge before one of them can be used.
	ambiguous int
}

// matchPeople matches the attendees without a known contact with the contacts that have their
// e-mail addresses. known are the contacts by address in lower case.
func matchPeople(attendees []exchange.Attendee, known map[string][]administrate.Contact, policy contactPolicy) []personMatch {
	matches := make([]personMatch, len(attendees))
	created := make(map[string][]string) // the names of the contacts to create, by address
	for i, attendee := range attendees {
		if !needsContactLookup(attendee) {
			continue
		}
		email := emailKey(attendee)
		matches[i] = policy.match(attendee, known[email], created[email])
		if matches[i].create {
			created[email] = append(created[email], attendeeName(attendee))
		}
	}
	return matches
}

// match finds the attendee's contact among the contacts with the attendee's address. created are
// the names of the contacts with this address that are about to be created.
func (p contactPolicy) match(attendee exchange.Attendee, contacts []administrate.Contact, created []string) personMatch {
	if p.people != "" {
		name := attendeeName(attendee)
		named := slices.DeleteFunc(slices.Clone(contacts), func(c administrate.Contact) bool { return nameKey(c.FirstName, c.LastName) != name })
		switch {
		case len(named) > 0:
			return p.choose(attendee, named)
		case slices.Contains(created, name):
			return personMatch{}
		}
	}
	switch people := p.peopleFor(attendee); {
	case len(contacts)+len(created) == 0, people == exchange.PeopleApart:
		return personMatch{create: true}
	case len(contacts) == 0: // the next inspection finds the contact that is about to be created
		return personMatch{}
	case people == exchange.PeopleAsk:
		return personMatch{doubt: oldestContact(contacts)}
	}
	return p.choose(attendee, contacts)
}

// peopleFor returns the policy for the attendee. The decision of an operator overrides the
// policy of the playbook.
func (p contactPolicy) peopleFor(attendee exchange.Attendee) exchange.PeoplePolicy {
	switch {
	case p.people == "":
	case attendee.SameAsContact == exchange.DecisionSamePerson:
		return exchange.PeopleByAddress
	case attendee.SameAsContact == exchange.DecisionOtherPerson:
		return exchange.PeopleApart
	}
	return p.people
}

// choose returns the one contact, or the oldest of several. Without the permission to take the
// oldest, an operator must merge several contacts.
func (p contactPolicy) choose(attendee exchange.Attendee, contacts []administrate.Contact) personMatch {
	if len(contacts) > 1 && p.several != exchange.MatchOldest && attendee.SameAsContact != exchange.DecisionSamePerson {
		return personMatch{ambiguous: len(contacts)}
	}
	return personMatch{contact: oldestContact(contacts)}
}

func attendeeName(attendee exchange.Attendee) string {
	return nameKey(attendee.Person.FirstName, attendee.Person.LastName)
}

// nameKey returns the name in the form in which names are compared: in NFC and case-folded, without
// spaces and punctuation. A name without letters and digits is only case-folded.
func nameKey(first, last string) string {
	name := norm.NFC.String(cases.Fold().String(norm.NFC.String(first + " " + last)))
	key := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsNumber(r) {
			return r
		}
		return -1
	}, name)
	if key == "" {
		return strings.TrimSpace(name)
	}
	return key
}

// maxNamedAttendees is how many attendees a text lists by their numbers.
const maxNamedAttendees = 10

// doubtAbout returns the result of an inspection that needs an operator's decision about people.
// doubt returns the zero values if no match is in doubt.
func doubtAbout(matches []personMatch) ([]int, *opportunity.Error) {
	var doubts []int
	var numbers []string
	for i, match := range matches {
		if match.doubt != "" {
			doubts, numbers = append(doubts, i), append(numbers, strconv.Itoa(i+1))
		}
	}
	switch extra := len(doubts) - maxNamedAttendees; {
	case len(doubts) == 0:
		return nil, nil
	case len(doubts) == 1:
		return doubts, opportunity.Failf(opportunity.Conflict, "attendee %s has the e-mail address of the contact %s, but another name; it is unknown whether the attendee and the contact are the same person",
			numbers[0], matches[doubts[0]].doubt)
	case extra > 0:
		numbers = append(numbers[:maxNamedAttendees], fmt.Sprintf("%d more", extra))
	}
	listed := strings.Join(numbers[:len(numbers)-1], ", ") + " and " + numbers[len(numbers)-1]
	return doubts, opportunity.Failf(opportunity.Conflict, "attendees %s have the e-mail addresses of contacts with other names; it is unknown whether the attendees and the contacts are the same people", listed)
}

// createdContacts returns the contacts that the effect was about to create in an earlier
// inspection, and that this inspection found.
func createdContacts(in activities.EffectInput, matches []personMatch) map[opportunity.ID]bool {
	created := make(map[opportunity.ID]bool)
	for _, index := range strings.Split(notesOf[contactNotes](in.UndoEntry).Creating, ",") {
		if i, err := strconv.Atoi(index); err == nil && i >= 0 && i < len(matches) && matches[i].contact != "" {
			created[matches[i].contact] = true
		}
	}
	return created
}
