package tms

import (
	"context"
	"errors"
	"html"
	"strings"
	"sync"
	"time"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms/people"
	"github.com/oppflow/oppflow/activities/tms/record"
	"github.com/oppflow/oppflow/activities/tms/runs"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/playbook"
)

type emailHandler struct {
	*Activities
	playbook VersionedPlaybook
}

func (h effectHandlers) Email() effectHandler { return emailHandler{h.activities, h.playbook} }

// The API does not show whether a mail was sent, so inspect cannot detect that an earlier request
// sent the mail.
func (e emailHandler) inspect(ctx context.Context, in activities.EffectInput) (activities.InspectResult, error) {
	out := activities.InspectResult{UndoEntry: in.UndoEntry, RunID: runs.CurrentID(ctx)}
	mail := settingsOf[exchange.SendEmail](in)
	switch {
	case in.Undo:
		out.Error = opportunity.Invalidf("a sent mail cannot be recalled")
		return out, nil
	case notesOf[requestNotes](in.UndoEntry).Confirmed != "":
		return out, nil
	case mail == nil || !e.playbook.Playbook.HasMail(mail.Template):
		out.Error = e.unknownTemplateError(mail)
		return out, nil
	}
	links, err := e.api.OpportunityLinks(ctx, string(in.Opportunity))
	if err != nil {
		return out, readError(err)
	}
	recipients, missing, err := e.recipients(ctx, *mail, links, in.Attendees)
	if err != nil {
		return out, readError(err)
	}
	if missing == "" {
		switch from, err := e.senderAddressID(ctx, mail.Template); {
		case err != nil:
			return out, readError(err)
		case from == "":
			missing = "the tenant has no verified address to send mail from"
		}
	}
	if missing != "" {
		subject, err := e.subject(ctx, in)
		out.Error = opportunity.Invalidf("the mail %q was not sent: %s", subject, missing)
		return out, readError(err)
	}
	out.Request = &exchange.EffectRequest{Kind: exchange.RequestEmail, Target: recipients[0]}
	if len(recipients) > 1 {
		out.Request.Target, out.Request.IDs = "", recipients
	}
	return out, nil
}

func (e emailHandler) unknownTemplateError(mail *exchange.SendEmail) *opportunity.Error {
	name := ""
	if mail != nil {
		name = mail.Template
	}
	return opportunity.Invalidf("the playbook in force has no mail %q", name)
}

// execute renders the mail from the current content of the record and sends the mail.
func (e emailHandler) execute(ctx context.Context, in activities.EffectInput) (activities.ExecuteResult, error) {
	if run, other := runs.DetectReset(ctx, in.RunID); other {
		return activities.ExecuteResult{CallResult: runs.ResetResult(run)}, nil
	}
	mail := settingsOf[exchange.SendEmail](in)
	if mail == nil || !e.playbook.Playbook.HasMail(mail.Template) {
		return rejectedResult(e.unknownTemplateError(mail)), nil
	}
	ctx = e.withSendDeadline(ctx)
	written, fault, err := e.renderEmail(ctx, in)
	switch {
	case err != nil:
		return activities.ExecuteResult{CallResult: dependencyNotRead(err)}, nil
	case fault != nil:
		return rejectedResult(fault), nil
	}
	if len(in.Request.IDs) > 0 {
		return confirmedResult(in, e.api.SendBulkEmail(ctx, administrate.BulkEmail{
			ContactIDs: people.IDStrings(in.Request.IDs), Subject: written.Subject, Body: written.Body, SendingAddressID: written.SendingAddressID,
		})), nil
	}
	return confirmedResult(in, e.api.SendEmail(ctx, written)), nil
}

// The returned opportunity.Error says why the mail cannot be sent.
func (e emailHandler) renderEmail(ctx context.Context, in activities.EffectInput) (administrate.Email, *opportunity.Error, error) {
	var none administrate.Email
	mail := *settingsOf[exchange.SendEmail](in)
	template := mail.Template
	facts, err := e.mailFacts(ctx, in, e.playbook.Playbook.MailNeedsEvents(template))
	if err != nil {
		return none, nil, err
	}
	links, err := e.api.OpportunityLinks(ctx, string(in.Opportunity))
	if err != nil {
		return none, nil, err
	}
	var owner, contact string
	if e.playbook.Playbook.MailNeedsOwner(template) {
		if owner, err = e.ownerName(ctx, mail.To, in.Request.Target, links); err != nil {
			return none, nil, err
		}
	}
	if links.ContactID != "" && e.playbook.Playbook.MailNeedsContact(template) {
		person, err := e.api.Contact(ctx, links.ContactID)
		if err != nil {
			return none, nil, err
		}
		contact = strings.TrimSpace(person.FirstName + " " + person.LastName)
	}
	number, of := mailNumber(mail, in)
	written, ok := e.playbook.Playbook.RenderMail(template, facts, owner, contact, number, of)
	switch {
	case !ok && facts.PlacesInDoubt:
		return none, opportunity.Invalidf("the mail %q says until when places are reserved, but Oppflow does not know for every event whether its places are reserved", template), nil
	case !ok:
		return none, opportunity.Invalidf("the mail %q cannot be filled in with the data of this record", template), nil
	}
	from, err := e.senderAddressID(ctx, template)
	switch {
	case err != nil:
		return none, nil, err
	case from == "":
		return none, opportunity.Invalidf("the tenant has no verified address to send mail from"), nil
	}
	return administrate.Email{
		ContactID: string(in.Request.Target), Subject: written.Subject, Body: textToHTML(written.Body), SendingAddressID: from,
	}, nil, nil
}

// subject returns the mail's subject for texts that an operator reads. The subject names no person.
func (e emailHandler) subject(ctx context.Context, in activities.EffectInput) (string, error) {
	mail := *settingsOf[exchange.SendEmail](in)
	var facts playbook.Facts
	if needsRecord, needsEvents := e.playbook.Playbook.SubjectNeeds(mail.Template); needsRecord {
		var err error
		if facts, err = e.mailFacts(ctx, in, needsEvents); err != nil {
			return "", err
		}
	}
	number, of := mailNumber(mail, in)
	return e.playbook.Playbook.RenderSubject(mail.Template, facts, number, of), nil
}

func (e emailHandler) mailFacts(ctx context.Context, in activities.EffectInput, needsEvents bool) (playbook.Facts, error) {
	raw, err := record.Full(ctx, e.api, in.Opportunity)
	if err != nil {
		return playbook.Facts{}, err
	}
	var events []administrate.ScheduledEvent
	if needsEvents {
		if events, err = record.Events(ctx, e.api, raw); err != nil {
			return playbook.Facts{}, err
		}
	}
	return record.Facts(e.snapshot(raw, in.Reference), raw, events, record.Known{Region: in.Region, Interests: in.Interests}, in.Now), nil
}

// mailNumber returns the number of the mail among the mails of its follow-up, and how many mails
// the follow-up has. A plan of an earlier version of Oppflow did not count the mails; in this case,
// mailNumber returns the numbers of the follow-up's repetitions.
func mailNumber(mail exchange.SendEmail, in activities.EffectInput) (number, of int) {
	if mail.Of > 0 {
		return mail.Number, mail.Of
	}
	return max(in.Number, 1), max(in.Of, 1)
}

// senderAddressID returns the id of the sender address for mails of the template, or "" if the TMS
// has no verified sender address.
func (e emailHandler) senderAddressID(ctx context.Context, template string) (string, error) {
	if from := e.playbook.Playbook.MailFrom(template); from != "" {
		return from, nil
	}
	return e.sendingAddress.firstVerified(ctx, e.api)
}

// textToHTML converts text to HTML, because the API expects the body as HTML.
func textToHTML(text string) string {
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

type sendingAddressCache struct {
	now func() time.Time

	mu        sync.Mutex
	id        string
	expiresAt time.Time
}

const sendingAddressTTL = 10 * time.Minute

func (s *sendingAddressCache) firstVerified(ctx context.Context, api API) (string, error) {
	if id, known := s.cached(); known {
		return id, nil
	}
	for after := ""; ; {
		page, err := api.SendingAddresses(ctx, after)
		if err != nil {
			return "", err
		}
		for _, address := range page.Addresses {
			if address.Verified {
				s.store(address.ID)
				return address.ID, nil
			}
		}
		if after = page.NextCursor; after == "" {
			return "", nil
		}
	}
}

func (s *sendingAddressCache) cached() (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.id, s.id != "" && s.now().Before(s.expiresAt)
}

func (s *sendingAddressCache) store(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.id, s.expiresAt = id, s.now().Add(sendingAddressTTL)
}

// rejectedResult returns the result of a request that the worker did not send because the request
// can never succeed.
func rejectedResult(why *opportunity.Error) activities.ExecuteResult {
	return activities.ExecuteResult{CallResult: activities.CallResult{Status: exchange.StatusRejected, Error: why}}
}

func dependencyNotRead(err error) activities.CallResult {
	var missing *administrate.NotFoundError
	known := callResult(err)
	switch {
	case errors.As(err, &missing):
		return activities.CallResult{Status: exchange.StatusRejected, Error: opportunity.Failf(opportunity.NotFound, "%v", missing)}
	case known.Status == exchange.StatusUnknown:
		return activities.CallResult{Status: exchange.StatusNotSent, Reason: activities.ReasonUnreachable}
	}
	return known
}
