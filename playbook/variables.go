package playbook

import (
	"strconv"
	"time"
)

// Variables are the variables of the templates of a playbook, written as {{.Name}}. All variables
// are texts, and "" means no value. Times are in the zone of the calendar, except for FirstStart.
type Variables struct {
	// ID is the record's id in the TMS.
	ID string
	// Name is the name of the opportunity.
	Name string
	// Step and Stage are the current step and stage.
	Step, Stage string
	// Region and Account are names.
	Region, Account string
	// Currency is the code, such as GBP; Value is the sum over the interests.
	Currency, Value string
	// ReservedUntil is when the reservation expires; "" when there is none.
	ReservedUntil string
	// FirstStart is when the first event starts, in the time zone of that event.
	FirstStart string
	// Attributes are the attributes of the record by key: {{index .Attributes "key"}}.
	Attributes map[string]string
}

// MailVariables are the variables of the templates of mails.
type MailVariables struct {
	Variables
	// Owner is the first name of the record's owner. Contact is the name of its contact. Only mails have these two.
	Owner, Contact string
	// Number and Of count the mails of a follow-up: 2 and 3 for the second of three. Otherwise both are 1.
	Number, Of string
}

// templateTimeLayout is the layout of times in templates.
const templateTimeLayout = "Monday, 2 January 2006, 15:04 MST"

// variables returns the variables for the facts.
func (p *Playbook) variables(f Facts) Variables {
	zone := p.calendar.inZone(f.Now).Location()
	tell := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.Format(templateTimeLayout)
	}
	held := f.Reservation.Until
	if !f.Reservation.Valid {
		held = time.Time{}
	}
	return Variables{
		ID: string(f.ID), Name: f.Details.Name, Step: f.Step.Name, Stage: f.Step.Stage.Name,
		Region: f.Details.Region.Name, Account: f.Details.Account.Name, Currency: f.Details.Currency,
		Value: f.value().String(), ReservedUntil: tell(held.In(zone)), FirstStart: tell(f.nextToStart().localStart(zone)),
		Attributes: f.Attributes,
	}
}

// RenderedMail is a mail ready to send.
type RenderedMail struct{ Subject, Body, From string }

// RenderSubject writes the subject of the named mail for an operator. The subject names no person:
// Owner and Contact are empty. RenderSubject returns the name of a mail whose subject cannot be
// written.
func (p *Playbook) RenderSubject(name string, facts Facts, number, of int) string {
	variables := MailVariables{Variables: p.variables(facts), Number: strconv.Itoa(number), Of: strconv.Itoa(of)}
	subject, err := p.rules.Emails[name].Subject.render(variables)
	if subject = oneLine(subject); err != nil || subject == "" {
		return name
	}
	return truncateRendered(subject)
}

// RenderMail writes the named mail for the facts. owner and contact are the values of Owner and
// Contact. number and of count the mails of the follow-up, from 1. RenderMail returns false
// when the playbook has no such mail, or when the mail cannot be written for this record.
func (p *Playbook) RenderMail(name string, facts Facts, owner, contact string, number, of int) (RenderedMail, bool) {
	mail, known := p.rules.Emails[name]
	if !known {
		return RenderedMail{}, false
	}
	variables := MailVariables{
		Variables: p.variables(facts), Owner: owner, Contact: contact, Number: strconv.Itoa(number), Of: strconv.Itoa(of),
	}
	subject, first := mail.Subject.render(variables)
	body, second := mail.Body.render(variables)
	if first != nil || second != nil {
		return RenderedMail{}, false
	}
	return RenderedMail{Subject: oneLine(subject), Body: body, From: mail.From}, true
}
