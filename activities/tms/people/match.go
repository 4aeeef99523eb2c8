package people

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// Policy says which contact is used for a person.
type Policy struct {
	// Several says which contact to use when several contacts have the person's address and name.
	Several exchange.MatchPolicy
	// People says what to do when the contacts with the person's address have names other than the
	// person's name. If People is "", only addresses are compared.
	People exchange.PeoplePolicy
}

// Match is the result of the search for the contact of one attendee. The zero value means that the
// contact is unknown and that this inspection needs to do nothing for the attendee.
type Match struct {
	Contact opportunity.ID
	// Create says that the person needs a new contact.
	Create bool
	// Doubt is a contact with the person's address but a different name, if an operator must decide
	// whether the contact is the person.
	Doubt opportunity.ID
	// Ambiguous is how many contacts with the person's address and name an operator must merge
	// before one of them can be used.
	Ambiguous int
}

// MatchAll matches the attendees whose contact is unknown with the contacts that have the
// attendees' e-mail addresses. known are the contacts by address in lower case.
func MatchAll(attendees []exchange.Attendee, known map[string][]administrate.Contact, policy Policy) []Match {
	matches := make([]Match, len(attendees))
	created := make(map[string][]string) // the names of the contacts to create, by address
	for i, attendee := range attendees {
		if !NeedsLookup(attendee) {
			continue
		}
		email := EmailKey(attendee)
		matches[i] = policy.match(attendee, known[email], created[email])
		if matches[i].Create {
			created[email] = append(created[email], attendeeName(attendee))
		}
	}
	return matches
}

// created are the names of the contacts that are about to be created with the attendee's e-mail
// address.
func (p Policy) match(attendee exchange.Attendee, contacts []administrate.Contact, created []string) Match {
	if p.People != "" {
		name := attendeeName(attendee)
		named := slices.DeleteFunc(slices.Clone(contacts), func(c administrate.Contact) bool { return nameKey(c.FirstName, c.LastName) != name })
		switch {
		case len(named) > 0:
			return p.choose(attendee, named)
		case slices.Contains(created, name):
			return Match{}
		}
	}
	switch people := p.peopleFor(attendee); {
	case len(contacts)+len(created) == 0, people == exchange.PeopleApart:
		return Match{Create: true}
	case len(contacts) == 0: // the next inspection finds the contact that is about to be created
		return Match{}
	case people == exchange.PeopleAsk:
		return Match{Doubt: Oldest(contacts)}
	}
	return p.choose(attendee, contacts)
}

// The decision of an operator overrides the policy of the playbook.
func (p Policy) peopleFor(attendee exchange.Attendee) exchange.PeoplePolicy {
	switch {
	case p.People == "":
	case attendee.SameAsContact == exchange.DecisionSamePerson:
		return exchange.PeopleByAddress
	case attendee.SameAsContact == exchange.DecisionOtherPerson:
		return exchange.PeopleApart
	}
	return p.People
}

func (p Policy) choose(attendee exchange.Attendee, contacts []administrate.Contact) Match {
	if len(contacts) > 1 && p.Several != exchange.MatchOldest && attendee.SameAsContact != exchange.DecisionSamePerson {
		return Match{Ambiguous: len(contacts)}
	}
	return Match{Contact: Oldest(contacts)}
}

func attendeeName(attendee exchange.Attendee) string {
	return nameKey(attendee.Person.FirstName, attendee.Person.LastName)
}

// nameKey returns the name in the form that is compared: in NFC and case-folded, without spaces and
// punctuation.
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

const maxNamedAttendees = 10

// DoubtAbout returns the attendees in doubt and the error of an inspection that needs an operator's
// decision about people.
func DoubtAbout(matches []Match) ([]int, *opportunity.Error) {
	var doubts []int
	var numbers []string
	for i, match := range matches {
		if match.Doubt != "" {
			doubts, numbers = append(doubts, i), append(numbers, strconv.Itoa(i+1))
		}
	}
	switch extra := len(doubts) - maxNamedAttendees; {
	case len(doubts) == 0:
		return nil, nil
	case len(doubts) == 1:
		return doubts, opportunity.Failf(opportunity.Conflict, "attendee %s has the e-mail address of the contact %s, but another name; it is unknown whether the attendee and the contact are the same person",
			numbers[0], matches[doubts[0]].Doubt)
	case extra > 0:
		numbers = append(numbers[:maxNamedAttendees], fmt.Sprintf("%d more", extra))
	}
	listed := strings.Join(numbers[:len(numbers)-1], ", ") + " and " + numbers[len(numbers)-1]
	return doubts, opportunity.Failf(opportunity.Conflict, "attendees %s have the e-mail addresses of contacts with other names; it is unknown whether the attendees and the contacts are the same people", listed)
}
