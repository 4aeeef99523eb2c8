package playbook

import (
	"strconv"
	"strings"
	"time"
)

// Variables are the variables of the templates of a playbook, written as {{.Name}}. All variables are texts, and an
// unknown value is "". Times are in the zone of the calendar, except for FirstStart.
type Variables struct {
	// ID is the record's id in the TMS.
	ID string
	// Name is the name of the opportunity.
	Name string
	// Step and Stage are the names of the current step and its stage.
	Step, Stage string
	// Region and Account are the names of the region and the account.
	Region, Account string
	// Currency is the code of the currency, such as GBP; Value is the sum of the amounts of all interests.
	Currency, Value string
	// ReservedUntil is when the reservation expires, or "" if the opportunity has no reservation or
	// if it is unknown whether requested places are reserved.
	ReservedUntil string
	// FirstStart is when the first event starts, in the time zone of that event.
	FirstStart string
	// Attributes are the attributes of the record by key: {{index .Attributes "key"}}.
	Attributes map[string]string
}

// MailVariables are the variables of the templates of mails.
type MailVariables struct {
	Variables
	// Owner is the first name of the record's owner. Contact is the name of the record's contact.
	Owner, Contact string
	// Number is the position of the mail among the mails of its follow-up, and Of is the number of these mails. For the
	// second of three mails, Number is 2 and Of is 3. For a mail without a number, Number and Of are 1.
	Number, Of string
}

const templateTimeLayout = "Monday, 2 January 2006, 15:04 MST"

func (p *Playbook) variables(f Facts) Variables {
	zone := p.calendar.inZone(f.Now).Location()
	tell := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.Format(templateTimeLayout)
	}
	held := f.Reservation.Until
	if !f.Reservation.Valid || f.PlacesInDoubt {
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

// RenderSubject fills in the subject of the named mail, so that an operator can read the subject. The subject names no
// person: Owner and Contact are empty. When the subject cannot be filled in, RenderSubject returns the name of the
// mail.
func (p *Playbook) RenderSubject(name string, facts Facts, number, of int) string {
	variables := MailVariables{Variables: p.variables(facts), Number: strconv.Itoa(number), Of: strconv.Itoa(of)}
	subject, err := p.rules.Emails[name].Subject.render(variables)
	if subject = oneLine(subject); err != nil || subject == "" {
		return name
	}
	return truncateRendered(subject)
}

// RenderMail fills in the named mail with the facts. owner and contact are the values of the variables Owner and
// Contact. number and of are the values of the variables Number and Of. RenderMail returns false when the playbook has
// no such mail, or when the mail cannot be filled in for this record. If
// facts.PlacesInDoubt is set, a mail that contains ReservedUntil without a condition cannot be filled in, because such a
// mail says that places are reserved.
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
	variables.ReservedUntil = reservedUntilProbe
	if facts.PlacesInDoubt && (mail.Subject.hasProbe(variables, subject) || mail.Body.hasProbe(variables, body)) {
		return RenderedMail{}, false
	}
	return RenderedMail{Subject: oneLine(subject), Body: body, From: mail.From}, true
}

const reservedUntilProbe = "\x00"

// hasProbe reports whether the filled-in text contains the probe and is otherwise equal to without.
func (t Text) hasProbe(variables MailVariables, without string) bool {
	with, err := t.render(variables)
	return err == nil && with != without && strings.ReplaceAll(with, reservedUntilProbe, "") == without
}
