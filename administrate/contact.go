package administrate

import (
	"context"
	"fmt"
)

// Contact is a person. The fields of Contact are observed (API notes 5.2).
type Contact struct {
	ID        string
	FirstName string
	LastName  string
	Email     string // empty when there is none
	Account   *Ref   // nil when there is none
}

// ContactPage is one page of the matching contacts. Several contacts may share an e-mail address
// (observed, API notes 5.2).
type ContactPage struct {
	Contacts   []Contact
	Count      int    // the number of all matching contacts
	NextCursor string // the cursor of the next page, empty on the last one
}

const selectContact = "id personalName { firstName lastName } emailAddress account { " + selectRef + " }"

// Contact reads one contact, and fails with NotFoundError when no contact has the given id.
func (c *Client) Contact(ctx context.Context, id string) (Contact, error) {
	return findOne(ctx, c, newBuilder(&c.assumed), "Contact", "contacts", "contact", id, selectContact, contactDTO.contact)
}

// ContactsByEmail returns the contacts with the e-mail address: no contact, one contact or several
// contacts, at most 100 (observed, API notes 5.2). Whether the API distinguishes upper and lower
// case in the comparison of addresses depends on the tenant's database.
func (c *Client) ContactsByEmail(ctx context.Context, email string) (ContactPage, error) {
	const name = "ContactsByEmail"
	b := newBuilder(&c.assumed)
	b.location = name
	arguments := "filters: [{field: emailAddress, operation: eq, value: " + b.bindRequired("emailAddress", "text", "String", email) + "}], first: 100"
	page, err := findRows(ctx, c, b, name, "contacts", arguments, selectContact, contactDTO.contact)
	return ContactPage{Contacts: page.rows, Count: page.count, NextCursor: page.nextCursor}, err
}

// ContactsByEmails reads up to 100 contacts whose e-mail address is in the list emails, which has 1
// to MaxEntries entries. An empty cursor selects the first page. The filter operation "in" is
// observed, but not with the field emailAddress (API notes 3.3). The API decides the order of the
// contacts.
func (c *Client) ContactsByEmails(ctx context.Context, emails []string, after string) (ContactPage, error) {
	const name = "ContactsByEmails"
	b := newBuilder(&c.assumed)
	b.location = name
	arguments := "filters: [" + b.inFilter("emailAddress", "emails", emails) + "], " + b.pageArguments(after)
	page, err := findRows(ctx, c, b, name, "contacts", arguments, selectContact, contactDTO.contact)
	return ContactPage{Contacts: page.rows, Count: page.count, NextCursor: page.nextCursor}, err
}

// NewContact describes a contact to create. The members of NewContact are observed (API notes 5.2).
type NewContact struct {
	FirstName string
	LastName  string
	AccountID string // optional; an account that belongs to one person accepts no other contact
	Email     string // optional; becomes the primary address
}

// ContactResult is the result of the creation of one NewContact. Err is nil when the contact was
// created. Err is a *RejectedError when the API rejected the contact. Err is an *UnknownError when
// the response does not show whether the contact was created.
type ContactResult struct {
	Contact *Contact // the created contact; nil after an error
	Err     error
}

// CreateContacts creates 1 to MaxEntries contacts in one request with the mutation
// contact.createBatch (observed, API notes 5.2). CreateContacts returns one result for each
// contact, in the order of contacts. If the API rejects one contact of the list, the API may still
// create the other contacts. An error that CreateContacts returns as its second result applies to
// all contacts of the request.
func (c *Client) CreateContacts(ctx context.Context, contacts []NewContact) ([]ContactResult, error) {
	r, err := c.sendStandalone(ctx, "CreateContacts", func(b *builder) standaloneMutation {
		b.checkEntryCount("contacts", len(contacts))
		entries := make([]any, len(contacts))
		for i, n := range contacts {
			entries[i] = n.write(b, i)
		}
		return standaloneMutation{
			namespace: "contact", field: "createBatch",
			// The GraphQL type ContactCreateInput is observed.
			arguments: "input: " + b.bindObject("[ContactCreateInput]", entries),
			selection: "contact { " + selectContact + " }",
		}
	})
	if err != nil {
		return nil, err
	}
	payloads, err := r.entryPayloads(len(contacts))
	if err != nil {
		return nil, err
	}
	answers := make([]ContactResult, len(contacts))
	for i, raw := range payloads {
		var payload struct {
			Contact *contactDTO `json:"contact"`
		}
		if answers[i].Err = r.decodeEntry(i, raw, &payload); answers[i].Err != nil {
			continue
		}
		if payload.Contact == nil {
			answers[i].Err = r.outcomeUnknown("the response contains neither errors nor the contact")
			continue
		}
		made, err := payload.Contact.contact()
		if err != nil {
			answers[i].Err = r.outcomeUnknown("the response does not have the expected form")
			continue
		}
		answers[i].Contact = &made
	}
	return answers, nil
}

func (n NewContact) write(b *builder, i int) map[string]any {
	member := func(name string) string { return fmt.Sprintf("contacts[%d].%s", i, name) }
	entry := map[string]any{"personalName": map[string]any{
		"firstName": b.requiredText(member("FirstName"), n.FirstName),
		"lastName":  b.requiredText(member("LastName"), n.LastName),
	}}
	if n.AccountID != "" {
		entry["accountId"] = b.utf8Text(member("AccountID"), n.AccountID)
	}
	if n.Email != "" {
		entry["emailAddresses"] = []any{map[string]any{"usage": "primary", "address": b.utf8Text(member("Email"), n.Email)}}
	}
	return entry
}

type contactDTO struct {
	ID           string `json:"id"`
	PersonalName struct {
		FirstName string `json:"firstName"`
		LastName  string `json:"lastName"`
	} `json:"personalName"`
	EmailAddress string  `json:"emailAddress"`
	Account      *refDTO `json:"account"`
}

func (a contactDTO) contact() (Contact, error) {
	out := Contact{
		ID: a.ID, FirstName: a.PersonalName.FirstName, LastName: a.PersonalName.LastName, Email: a.EmailAddress,
	}
	if a.Account != nil {
		account := a.Account.ref()
		out.Account = &account
	}
	return out, requireID(a.ID)
}
