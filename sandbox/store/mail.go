package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/oppflow/oppflow/sandbox/assumptions"
	"github.com/oppflow/oppflow/sandbox/connection"
	"github.com/oppflow/oppflow/sandbox/globalid"
)

// SendingAddress is an e-mail address of the tenant. The TMS sends mail only from a verified
// address.
type SendingAddress struct {
	ID       int64
	Name     string
	Address  string
	Verified bool
}

// GlobalID returns the API's id of the sending address.
func (a SendingAddress) GlobalID() string { return globalid.EncodeInt(globalid.SendingAddress, a.ID) }

// SendingAddressPage is a page of sending addresses.
type SendingAddressPage = connection.Page[SendingAddress]

// SendingAddressEdge is a sending address with its cursor.
type SendingAddressEdge = connection.Edge[SendingAddress]

var sendingAddresses = listing[SendingAddress]{
	from: "sending_addresses d", columns: "d.id, d.name, d.address, d.verified", key: "d.id",
	fields: map[string]column{
		"id":       intKeyColumn("d.id", globalid.SendingAddress),
		"name":     {sql: "d.name"},
		"address":  {sql: "d.address"},
		"verified": {sql: "d.verified", kind: boolean},
	},
	scan: func(row scanner) (SendingAddress, error) {
		var a SendingAddress
		err := row.Scan(&a.ID, &a.Name, &a.Address, &a.Verified)
		return a, err
	},
}

// CommunicationTemplate is a mail template with a subject and a body.
type CommunicationTemplate struct {
	ID      int64
	Name    string
	Subject string
	Body    string
}

// GlobalID returns the API's id of the mail template.
func (t CommunicationTemplate) GlobalID() string {
	return globalid.EncodeInt(globalid.CommunicationTemplate, t.ID)
}

// CommunicationTemplatePage is a page of mail templates.
type CommunicationTemplatePage = connection.Page[CommunicationTemplate]

// CommunicationTemplateEdge is a mail template with its cursor.
type CommunicationTemplateEdge = connection.Edge[CommunicationTemplate]

var communicationTemplates = listing[CommunicationTemplate]{
	from: "communication_templates t", columns: "t.id, t.name, t.subject, t.body", key: "t.id",
	fields: map[string]column{"id": intKeyColumn("t.id", globalid.CommunicationTemplate), "name": {sql: "t.name"}},
	scan: func(row scanner) (CommunicationTemplate, error) {
		var t CommunicationTemplate
		err := row.Scan(&t.ID, &t.Name, &t.Subject, &t.Body)
		return t, err
	},
}

// SendingAddresses returns the sending addresses that match a search.
func (s *Store) SendingAddresses(ctx context.Context, q Search) (*SendingAddressPage, error) {
	return sendingAddresses.page(ctx, s, q)
}

// CommunicationTemplates searches the mail templates.
func (s *Store) CommunicationTemplates(ctx context.Context, q Search) (*CommunicationTemplatePage, error) {
	return communicationTemplates.page(ctx, s, q)
}

// Mail is a sent mail. The sandbox stores each mail in its outbox and does not deliver the mail.
type Mail struct {
	From    string    `json:"from"`
	To      string    `json:"to"`
	CC      []string  `json:"cc"`
	Contact string    `json:"contact"` // the contact's id
	Event   string    `json:"event,omitempty"`
	Subject string    `json:"subject"`
	Body    string    `json:"body"`
	SentAt  time.Time `json:"sentAt"`
}

// Outbox returns all mails from the oldest to the newest.
func (s *Store) Outbox(ctx context.Context) ([]Mail, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT d.address, m.address, m.cc, m.contact_id, m.event_id, m.subject, m.body, m.sent_at
		FROM mails m JOIN sending_addresses d ON d.id = m.sending_address_id ORDER BY m.id`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	sent := []Mail{}
	for rows.Next() {
		var m Mail
		var cc string
		var contact, at int64
		var event *int64
		if err := rows.Scan(&m.From, &m.To, &cc, &contact, &event, &m.Subject, &m.Body, &at); err != nil {
			return nil, err
		}
		if err := json.Unmarshal([]byte(cc), &m.CC); err != nil {
			return nil, err
		}
		m.Contact, m.SentAt = globalid.EncodeInt(globalid.Contact, contact), time.UnixMicro(at).UTC()
		if event != nil {
			m.Event = globalid.EncodeInt(globalid.Event, *event)
		}
		sent = append(sent, m)
	}
	return sent, rows.Err()
}

// NewMail is a mail to contacts or to the learners of an event. If TemplateID is set, the subject
// and the body of the mail come from the template.
type NewMail struct {
	SendingAddressID string
	ContactIDs       []string
	EventID          *string
	// LearnerIDs are learners of the event. If LearnerIDs is not nil, only the learners in
	// LearnerIDs get the mail. The member Audience is "active" for all active learners, or "passed"
	// for the learners who have passed.
	LearnerIDs []string
	Audience   *string
	// If Bookers is true, SendMail sends the mail to the booking contact of each registration of
	// the event.
	Bookers    bool
	TemplateID *string
	Subject    string
	Body       string
	CC         []string
}

// SendMail puts one mail for each recipient into the outbox.
func (s *Store) SendMail(ctx context.Context, in NewMail) error {
	return s.inTransaction(ctx, func(ctx context.Context, tx *sql.Tx) error {
		from, err := intKey("sendingAddressId", in.SendingAddressID, globalid.SendingAddress)
		if err != nil {
			return err
		}
		address, err := sendingAddresses.byKey(ctx, tx, from)
		if err != nil {
			return err
		}
		if address == nil {
			return notFound("Sending Address", in.SendingAddressID)
		}
		if !address.Verified {
			return newRefusal(LabelInvalidValue, in.SendingAddressID, "sendingAddressId: the sending address %s is not verified", in.SendingAddressID)
		}
		if in.TemplateID != nil {
			if err := applyTemplate(ctx, tx, &in); err != nil {
				return err
			}
		}
		var event any
		if in.EventID != nil {
			if event, err = eventOfMail(ctx, tx, *in.EventID); err != nil {
				return err
			}
		}
		to, err := s.recipients(ctx, tx, in, event)
		if err != nil {
			return err
		}
		cc, err := json.Marshal(append([]string{}, in.CC...))
		if err != nil {
			return err
		}
		for _, c := range to {
			if c.EmailAddress == nil {
				if s.shouldSkipUnreachable() {
					continue
				}
				return newRefusal(LabelInvalidValue, c.GlobalID(), "Contact %s has no e-mail address", c.GlobalID())
			}
			_, err := tx.ExecContext(ctx, `INSERT INTO mails (sending_address_id, contact_id, address, cc, subject, body, event_id, sent_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
				from, c.ID, *c.EmailAddress, string(cc), in.Subject, in.Body, event, s.now().UnixMicro())
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func applyTemplate(ctx context.Context, q queryer, in *NewMail) error {
	key, err := intKey("templateId", *in.TemplateID, globalid.CommunicationTemplate)
	if err != nil {
		return err
	}
	t, err := communicationTemplates.byKey(ctx, q, key)
	if err != nil {
		return err
	}
	if t == nil {
		return notFound("Communication Template", *in.TemplateID)
	}
	in.Subject, in.Body = t.Subject, t.Body
	return nil
}

func eventOfMail(ctx context.Context, q queryer, id string) (int64, error) {
	key, err := intKey("eventId", id, globalid.Event)
	if err != nil {
		return 0, err
	}
	e, err := events.byKey(ctx, q, key)
	if err == nil && e == nil {
		err = notFound("Event", id)
	}
	return key, err
}

// shouldSkipUnreachable reports whether SendMail skips recipients who do not exist or have no
// address.
func (s *Store) shouldSkipUnreachable() bool {
	return s.choices.Is(assumptions.MailRecipient, "skipped")
}

func (s *Store) recipients(ctx context.Context, q queryer, in NewMail, event any) ([]Contact, error) {
	if in.Audience != nil && *in.Audience != "active" && *in.Audience != "passed" {
		return nil, newRefusal(LabelInvalidValue, *in.Audience, "audience is %q, but must be active or passed", *in.Audience)
	}
	switch {
	case in.LearnerIDs != nil:
		return s.namedLearners(ctx, q, in, event)
	case in.Audience != nil && *in.Audience == "passed":
		return nil, nil // the sandbox stores no course results, so no learner has passed
	case in.Bookers:
		return s.bookers(ctx, q, event)
	case in.Audience != nil:
		return contacts.rows(ctx, q, ` WHERE p.id IN (SELECT l.contact_id FROM learners l WHERE l.event_id = ? AND NOT l.cancelled) ORDER BY p.id`, event)
	}
	var found []Contact
	for _, id := range in.ContactIDs {
		c, err := contactByID(ctx, q, "contactId", id)
		var refused *RefusalError
		if errors.As(err, &refused) && refused.Label == LabelNotFound && s.shouldSkipUnreachable() {
			continue
		}
		if err != nil {
			return nil, err
		}
		found = append(found, *c)
	}
	return found, nil
}

// bookers returns the booking contact of each registration of an event.
func (s *Store) bookers(ctx context.Context, q queryer, event any) ([]Contact, error) {
	booker := "SELECT l.contact_id FROM learners l WHERE l.registration_id = b.id AND NOT l.cancelled AND l.contact_id IS NOT NULL ORDER BY l.id LIMIT 1"
	if s.choices.Is(assumptions.MailBooker, "opportunity") {
		booker = "SELECT coalesce((SELECT o.contact_id FROM opportunities o WHERE o.id = b.opportunity_id), (" + booker + "))"
	}
	return contacts.rows(ctx, q, " WHERE p.id IN (SELECT ("+booker+") FROM registrations b WHERE b.event_id = ?) ORDER BY p.id", event)
}

// namedLearners does not return cancelled learners.
func (s *Store) namedLearners(ctx context.Context, q queryer, in NewMail, event any) ([]Contact, error) {
	var found []Contact
	for _, id := range in.LearnerIDs {
		key, err := intKey("learnerIds", id, globalid.Learner)
		if err != nil {
			return nil, err
		}
		var there bool
		if err := q.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM learners WHERE id = ? AND event_id = ?)`, key, event).Scan(&there); err != nil {
			return nil, err
		}
		if !there && !s.shouldSkipUnreachable() {
			return nil, notFound("Learner", id)
		}
		c, err := contacts.first(ctx, q, ` WHERE p.id = (SELECT l.contact_id FROM learners l WHERE l.id = ? AND l.event_id = ? AND NOT l.cancelled)`, key, event)
		if err != nil {
			return nil, err
		}
		if c != nil && !slices.ContainsFunc(found, func(other Contact) bool { return other.ID == c.ID }) {
			found = append(found, *c)
		}
	}
	return found, nil
}
