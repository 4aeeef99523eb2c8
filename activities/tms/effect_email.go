package tms

import (
	"context"
	"errors"
	"html"
	"strings"
	"sync"
	"time"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/opportunity"
)

// ensureEmail sends a mail.
type ensureEmail struct {
	*Activities
	by Book
}

// inspect finds out who gets the mail and whether the mail can be sent. The API does not
// show whether it was sent before.
func (e ensureEmail) inspect(ctx context.Context, in activities.EffectInput) (activities.InspectResult, error) {
	out := activities.InspectResult{Trace: in.Trace, Run: runOf(ctx)}
	mail := in.Effect.Email
	switch {
	case in.Undo:
		out.Error = noUndo("a mail that was sent cannot be called back")
		return out, nil
	case in.Trace.Values[keptAsked] != "":
		return out, nil
	case mail == nil || !e.by.Playbook.HasMail(mail.Template):
		out.Error = e.unknownMail(mail)
		return out, nil
	}
	ties, err := e.api.Ties(ctx, string(in.Opportunity))
	if err != nil {
		return out, reading(err)
	}
	recipient := ties.ContactID
	switch {
	case mail.To == opportunity.ToContact && recipient == "":
		out.Error = opportunity.Invalidf("the opportunity has no contact, so nobody can be mailed")
	case mail.To != opportunity.ToContact && ties.Owner == nil:
		out.Error = opportunity.Invalidf("the opportunity has no owner, so nobody can be mailed")
	case mail.To != opportunity.ToContact:
		if recipient = ties.Owner.ContactID; recipient == "" {
			out.Error = opportunity.Invalidf("the owner has no contact, so cannot be mailed")
		}
	}
	if out.Error != nil {
		return out, nil
	}
	from, err := e.sendsFrom(ctx, mail.Template)
	switch {
	case err != nil:
		return out, reading(err)
	case from == "":
		out.Error = opportunity.Invalidf("the tenant has no verified address to send mail from")
		return out, nil
	}
	out.Act = &opportunity.Act{Kind: opportunity.ActMail, On: opportunity.ID(recipient)}
	return out, nil
}

func (e ensureEmail) unknownMail(mail *opportunity.SendEmail) *opportunity.Error {
	name := ""
	if mail != nil {
		name = mail.Template
	}
	return opportunity.Invalidf("the playbook in force has no mail %q", name)
}

// carryOut writes the mail from the current content of the record and sends it. Nothing
// is sent where the record cannot be read.
func (e ensureEmail) carryOut(ctx context.Context, in activities.EffectInput) (activities.CarryOutResult, error) {
	if run, other := anotherRun(ctx, in.Run); other {
		return activities.CarryOutResult{Sending: reset(run)}, nil
	}
	mail := in.Effect.Email
	if mail == nil || !e.by.Playbook.HasMail(mail.Template) {
		return rejected(e.unknownMail(mail)), nil
	}
	ctx = e.inTime(ctx)
	written, fault, err := e.write(ctx, in)
	switch {
	case err != nil:
		return activities.CarryOutResult{Sending: unread(err)}, nil
	case fault != nil:
		return rejected(fault), nil
	}
	return asked(in, e.api.SendEmail(ctx, written)), nil
}

// write writes the mail from its template. The fault says why it cannot be sent.
func (e ensureEmail) write(ctx context.Context, in activities.EffectInput) (administrate.Email, *opportunity.Error, error) {
	var none administrate.Email
	template := in.Effect.Email.Template
	raw, err := e.whole(ctx, in.Opportunity)
	if err != nil {
		return none, nil, err
	}
	ties, err := e.api.Ties(ctx, string(in.Opportunity))
	if err != nil {
		return none, nil, err
	}
	var events []administrate.ScheduledEvent
	if e.by.Playbook.MailNeedsEvents(template) {
		if events, err = e.eventsOf(ctx, raw); err != nil {
			return none, nil, err
		}
	}
	var owner, contact string
	if ties.Owner != nil {
		owner = ties.Owner.FirstName
	}
	if ties.ContactID != "" && e.by.Playbook.MailNeedsContact(template) {
		person, err := e.api.Contact(ctx, ties.ContactID)
		if err != nil {
			return none, nil, err
		}
		contact = strings.TrimSpace(person.FirstName + " " + person.LastName)
	}
	facts := e.facts(e.snapshot(raw, in.Reference), raw, events, known{in.Region, in.Interests}, in.Now)
	written, ok := e.by.Playbook.Mail(template, facts, owner, contact, max(in.Number, 1), max(in.Of, 1))
	if !ok {
		return none, opportunity.Invalidf("the mail %q cannot be written about this record", template), nil
	}
	from, err := e.sendsFrom(ctx, template)
	switch {
	case err != nil:
		return none, nil, err
	case from == "":
		return none, opportunity.Invalidf("the tenant has no verified address to send mail from"), nil
	}
	return administrate.Email{
		ContactID: string(in.Act.On), Subject: written.Subject, Body: markup(written.Body), SendingAddressID: from,
	}, nil, nil
}

// sendsFrom returns the id of the address that sends the mails of the template, "" where
// no address may be used.
func (e ensureEmail) sendsFrom(ctx context.Context, template string) (string, error) {
	if from := e.by.Playbook.MailFrom(template); from != "" {
		return from, nil
	}
	return e.sender.address(ctx, e.api)
}

// markup makes HTML of text, because the API takes the body as HTML. Empty lines separate
// paragraphs, and all other text stays unchanged.
func markup(text string) string {
	text = strings.TrimSpace(strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n"))
	var b strings.Builder
	var paragraph []string
	end := func() {
		if len(paragraph) > 0 {
			b.WriteString("<p>" + strings.Join(paragraph, "<br>\n") + "</p>\n")
		}
		paragraph = nil
	}
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line == "" {
			end()
			continue
		}
		paragraph = append(paragraph, html.EscapeString(line))
	}
	end()
	return b.String()
}

// sender remembers for a while which address sends mails.
type sender struct {
	now func() time.Time

	mu    sync.Mutex
	id    string
	until time.Time
}

// senderFor is how long the address is remembered.
const senderFor = 10 * time.Minute

// address returns the first verified address, "" where there is none.
func (s *sender) address(ctx context.Context, api *administrate.Client) (string, error) {
	if id, known := s.remembered(); known {
		return id, nil
	}
	for after := ""; ; {
		page, err := api.SendingAddresses(ctx, after)
		if err != nil {
			return "", err
		}
		for _, address := range page.Addresses {
			if address.Verified {
				s.remember(address.ID)
				return address.ID, nil
			}
		}
		if after = page.More; after == "" {
			return "", nil
		}
	}
}

func (s *sender) remembered() (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.id, s.id != "" && s.now().Before(s.until)
}

func (s *sender) remember(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.id, s.until = id, s.now().Add(senderFor)
}

// rejected returns the result that nothing was sent, and that to try again would not
// help.
func rejected(why *opportunity.Error) activities.CarryOutResult {
	return activities.CarryOutResult{Sending: activities.Sending{Fate: opportunity.FateRejected, Error: why}}
}

// unread returns the fate of a request that was not sent, because something that the
// request depends on could not be read.
func unread(err error) activities.Sending {
	var missing *administrate.NotFoundError
	known := sending(err)
	switch {
	case errors.As(err, &missing):
		return activities.Sending{Fate: opportunity.FateRejected, Error: opportunity.Failf(opportunity.NotFound, "%v", missing)}
	case known.Fate == opportunity.FateUnknown:
		return activities.Sending{Fate: opportunity.FateNotSent, Reason: activities.ReasonUnreachable}
	}
	return known
}
