package playbook

import (
	"strconv"
	"time"
)

// Variables are what the templates of a playbook may name, as {{.Name}}. All are
// texts, "" where there is nothing to tell. Times are in the zone of the calendar.
type Variables struct {
	// ID is the record's id in the TMS.
	ID string
	// Name is the name of the opportunity.
	Name string
	// Step and Stage are where it stands.
	Step, Stage string
	// Region and Account are names.
	Region, Account string
	// Currency is the code, such as GBP; Value is the sum over the interests.
	Currency, Value string
	// ReservedUntil is when the places that are held lapse; "" when none are.
	ReservedUntil string
	// FirstStart is when the first event starts.
	FirstStart string
	// Attributes are those of the record by their keys: {{index .Attributes "key"}}.
	Attributes map[string]string
}

// MailVariables are what the templates of mails may name.
type MailVariables struct {
	Variables
	// Owner and Contact are the first name of the owner and the name of the contact
	// of the record. They are known to mails only.
	Owner, Contact string
	// Number and Of count the repetitions of a follow-up: 2 and 3 of the second of
	// three. Otherwise both are 1.
	Number, Of string
}

// timeForm is how templates write times.
const timeForm = "Monday, 2 January 2006, 15:04 MST"

// variables are what is known of the facts.
func (p *Playbook) variables(f Facts) Variables {
	tell := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return p.work.at(t).Format(timeForm)
	}
	held := f.Reservation.Until
	if !f.Reservation.Valid {
		held = time.Time{}
	}
	return Variables{
		ID: string(f.ID), Name: f.Details.Name, Step: f.Step.Name, Stage: f.Step.Stage.Name,
		Region: f.Details.Region.Name, Account: f.Details.Account.Name, Currency: f.Details.Currency,
		Value: f.value().String(), ReservedUntil: tell(held), FirstStart: tell(f.firstStart()),
		Attributes: f.Attributes,
	}
}

// Written is a mail as it is sent.
type Written struct{ Subject, Body, From string }

// Mail writes the mail of the name about the facts. owner and contact are the names
// of these people; number and of count the repetitions of the follow-up, from 1. It
// answers false when the playbook has no such mail or when it cannot be written
// about this record.
func (p *Playbook) Mail(name string, facts Facts, owner, contact string, number, of int) (Written, bool) {
	mail, known := p.rules.Emails[name]
	if !known {
		return Written{}, false
	}
	variables := MailVariables{
		Variables: p.variables(facts), Owner: owner, Contact: contact, Number: strconv.Itoa(number), Of: strconv.Itoa(of),
	}
	subject, first := mail.Subject.write(variables)
	body, second := mail.Body.write(variables)
	if first != nil || second != nil {
		return Written{}, false
	}
	return Written{Subject: oneLine(subject), Body: body, From: mail.From}, true
}
