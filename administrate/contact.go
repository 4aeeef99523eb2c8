package administrate

import (
	"context"
	"fmt"
)

// Contact is a person. Its fields are observed (5.2).
type Contact struct {
	ID        string
	FirstName string
	LastName  string
	Email     string // empty when there is none
	Account   *Named // nil when there is none
}

// ContactPage is a part of the matching contacts. Several may share an e-mail address
// (observed, 5.2).
type ContactPage struct {
	Contacts []Contact
	Count    int    // of all that match
	More     string // the cursor of the next page, empty on the last one
}

const selectContact = "id personalName { firstName lastName } emailAddress account { " + selectNamed + " }"

// Contact reads one contact, and fails with NotFoundError when no contact has that id.
func (c *Client) Contact(ctx context.Context, id string) (Contact, error) {
	return findOne(ctx, c, newBuilder(&c.assumed), "Contact", "contacts", "contact", id, selectContact, contactAnswer.contact)
}

// ContactsByEmail finds contacts by their e-mail address: none, one or several (observed,
// 5.2), at most 100. The API compares the addresses, so whether case matters depends on
// the tenant's database.
func (c *Client) ContactsByEmail(ctx context.Context, email string) (ContactPage, error) {
	return c.contacts(ctx, "ContactsByEmail", "emailAddress", email, "")
}

// ContactsByEmails reads up to 100 contacts that have one of 1 to MaxEntries e-mail
// addresses, like ContactsByEmail. It reads after a cursor, and without a cursor from the
// beginning. The operation is observed with other filters (3.3), and the contacts come in
// the API's order.
func (c *Client) ContactsByEmails(ctx context.Context, emails []string, after string) (ContactPage, error) {
	const name = "ContactsByEmails"
	b := newBuilder(&c.assumed)
	b.where = name
	arguments := "filters: [" + b.oneOf("emailAddress", "emails", emails) + "], " + b.page(after)
	page, err := find(ctx, c, b, name, "contacts", arguments, selectContact, contactAnswer.contact)
	return ContactPage{Contacts: page.rows, Count: page.count, More: page.more}, err
}

// ContactsOfAccount reads up to 100 contacts of an account (the filter is observed, 5.2)
// after a cursor, and without a cursor from the beginning.
func (c *Client) ContactsOfAccount(ctx context.Context, accountID, after string) (ContactPage, error) {
	return c.contacts(ctx, "ContactsOfAccount", "accountId", accountID, after)
}

func (c *Client) contacts(ctx context.Context, name, field, text, after string) (ContactPage, error) {
	b := newBuilder(&c.assumed)
	b.where = name
	arguments := "filters: [{field: " + field + ", operation: eq, value: " + b.required(field, "text", "String", text) + "}], " + b.page(after)
	page, err := find(ctx, c, b, name, "contacts", arguments, selectContact, contactAnswer.contact)
	return ContactPage{Contacts: page.rows, Count: page.count, More: page.more}, err
}

// NewContact asks for a contact. Its members are observed (5.2).
type NewContact struct {
	FirstName string
	LastName  string
	AccountID string // optional; an account that belongs to one person takes no other contact
	Email     string // optional; becomes the primary address
}

// ContactAnswer is the result of one NewContact. Err is nil when the contact was made, a
// *RejectedError when the API rejected the contact, and an *UnknownError when the answer
// does not decide.
type ContactAnswer struct {
	Contact *Contact // the new contact; nil after an error
	Err     error
}

// CreateContacts makes 1 to MaxEntries contacts in one request (observed, 5.2:
// contact.createBatch). Each contact has its own answer, in order; a rejected contact
// says nothing about the others. An error holds for all of them alike.
func (c *Client) CreateContacts(ctx context.Context, contacts []NewContact) ([]ContactAnswer, error) {
	r, err := c.run(ctx, "CreateContacts", func(b *builder) errand {
		b.several("contacts", len(contacts))
		entries := make([]any, len(contacts))
		for i, n := range contacts {
			entries[i] = n.write(b, i)
		}
		return errand{
			namespace: "contact", field: "createBatch",
			// The variable's type is observed.
			arguments: "input: " + b.whole("[ContactCreateInput]", entries),
			result:    "contact { " + selectContact + " }",
		}
	})
	if err != nil {
		return nil, err
	}
	payloads, err := r.payloads(len(contacts))
	if err != nil {
		return nil, err
	}
	answers := make([]ContactAnswer, len(contacts))
	for i, raw := range payloads {
		var payload struct {
			Contact *contactAnswer `json:"contact"`
		}
		if answers[i].Err = r.entry(i, raw, &payload); answers[i].Err != nil {
			continue
		}
		if payload.Contact == nil {
			answers[i].Err = r.unknown("the answer has neither errors nor the contact")
			continue
		}
		made, err := payload.Contact.contact()
		if err != nil {
			answers[i].Err = r.unknown("the answer is not of the expected form")
			continue
		}
		answers[i].Contact = &made
	}
	return answers, nil
}

// write returns the contact as a value for a variable.
func (n NewContact) write(b *builder, i int) map[string]any {
	member := func(name string) string { return fmt.Sprintf("contacts[%d].%s", i, name) }
	entry := map[string]any{"personalName": map[string]any{
		"firstName": b.needed(member("FirstName"), n.FirstName),
		"lastName":  b.needed(member("LastName"), n.LastName),
	}}
	if n.AccountID != "" {
		entry["accountId"] = b.plain(member("AccountID"), n.AccountID)
	}
	if n.Email != "" {
		entry["emailAddresses"] = []any{map[string]any{"usage": "primary", "address": b.plain(member("Email"), n.Email)}}
	}
	return entry
}

type contactAnswer struct {
	ID           string `json:"id"`
	PersonalName struct {
		FirstName string `json:"firstName"`
		LastName  string `json:"lastName"`
	} `json:"personalName"`
	EmailAddress string       `json:"emailAddress"`
	Account      *namedAnswer `json:"account"`
}

func (a contactAnswer) contact() (Contact, error) {
	out := Contact{
		ID: a.ID, FirstName: a.PersonalName.FirstName, LastName: a.PersonalName.LastName, Email: a.EmailAddress,
	}
	if a.Account != nil {
		account := a.Account.named()
		out.Account = &account
	}
	return out, identified(a.ID)
}
