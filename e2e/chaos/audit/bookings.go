package audit

import (
	"strings"
	"time"

	"github.com/oppflow/oppflow/opportunity"
)

// Person is a person whom an interest names as a learner.
type Person struct {
	Name  string `json:"name"`
	Email string `json:"email"`
}

// Contact is a contact in the tables of the sandbox.
type Contact struct {
	ID opportunity.ID `json:"id"`
	// Names are the contact's name, and the names that the contact had before people renamed it.
	Names []string `json:"names"`
	Email string   `json:"email,omitempty"`
}

// Registration is a learner who is on an event and is not cancelled.
type Registration struct {
	Event   opportunity.ID `json:"event"`
	Contact opportunity.ID `json:"contact"`
	At      time.Time      `json:"at"`
}

// Invoice is an invoice in the tables of the sandbox.
type Invoice struct {
	Record opportunity.ID `json:"record"`
	Void   bool           `json:"void,omitempty"`
}

// Mail is a mail to one contact. The subject of the mail names the playbook's rule and the record.
type Mail struct {
	Record opportunity.ID `json:"record"`
	// Rule is the name of the rule of the playbook that sends the mail. For a follow-up with
	// repetitions, Rule also contains the number of the repetition.
	Rule    string         `json:"rule"`
	Contact opportunity.ID `json:"contact"`
	At      time.Time      `json:"at"`
}

// Bookings are the objects in the tables of the sandbox that effects create.
type Bookings struct {
	Contacts      []Contact      `json:"contacts,omitempty"`
	Registrations []Registration `json:"registrations,omitempty"`
	Invoices      []Invoice      `json:"invoices,omitempty"`
	Mails         []Mail         `json:"mails,omitempty"`
}

// Period is the time between From and To.
type Period struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// addressKey returns the same text for all spellings of one e-mail address.
func addressKey(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

func (i Interest) names(person string) bool {
	for _, p := range i.People {
		if addressKey(p.Email) == person {
			return true
		}
	}
	return false
}
