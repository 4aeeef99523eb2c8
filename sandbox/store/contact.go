package store

import (
	"context"

	"github.com/oppflow/oppflow/sandbox/assumptions"
	"github.com/oppflow/oppflow/sandbox/connection"
	"github.com/oppflow/oppflow/sandbox/globalid"
)

// Contact is a person. The member Account is nil for a person without an account.
type Contact struct {
	ID           int64
	FirstName    string
	LastName     string
	EmailAddress *string
	Account      *Account
}

// PersonalName contains the first name, the last name and the full name of a contact.
type PersonalName struct {
	ContactID int64
	FirstName string
	LastName  string
	Name      string
}

// GlobalID returns the API's id of the contact, with the prefix "Person".
func (c Contact) GlobalID() string { return globalid.EncodeInt(globalid.Contact, c.ID) }

// PersonalName returns the name of the contact.
func (c Contact) PersonalName() *PersonalName {
	return &PersonalName{ContactID: c.ID, FirstName: c.FirstName, LastName: c.LastName, Name: c.FirstName + " " + c.LastName}
}

// ContactPage is a page of contacts.
type ContactPage = connection.Page[Contact]

// ContactEdge is a contact with its cursor.
type ContactEdge = connection.Edge[Contact]

// isUser is the SQL condition that the contact p belongs to a user.
const isUser = "EXISTS (SELECT 1 FROM users u WHERE u.contact_id = p.id)"

var contacts = listing[Contact]{
	from:    "contacts p LEFT JOIN accounts a ON a.id = p.account_id",
	columns: "p.id, p.first_name, p.last_name, p.email_address, a.id, a.name, a.email_address",
	key:     "p.id",
	fields: map[string]column{
		"id":           intKeyColumn("p.id", globalid.Contact),
		"firstName":    {sql: "p.first_name"},
		"lastName":     {sql: "p.last_name"},
		"name":         {sql: "(p.first_name || ' ' || p.last_name)"},
		"emailAddress": {sql: "p.email_address"},
		"accountId":    intKeyColumn("a.id", globalid.Account),
		"accountName":  {sql: "a.name"},
		"byNameAccountOrEmail": {
			sql: "(p.first_name || ' ' || p.last_name || coalesce(' ' || a.name, '') || coalesce(' ' || p.email_address, ''))",
			alternative: &alternative{assumptions.ContactSearch, "each", []string{
				"(p.first_name || ' ' || p.last_name)", "coalesce(a.name, '')", "coalesce(p.email_address, '')",
			}},
		},
		"isInstructor":  {sql: "p.is_instructor", kind: boolean},
		"isStaff":       {sql: "p.is_staff", kind: boolean, alternative: &alternative{assumptions.ContactStaff, "users", []string{isUser}}},
		"createdAt":     {sql: "p.created_at", kind: instant},
		"lastUpdatedAt": {sql: "p.updated_at", kind: instant},
	},
	scan: func(row scanner) (Contact, error) {
		var c Contact
		var account optionalAccount
		err := row.Scan(append([]any{&c.ID, &c.FirstName, &c.LastName, &c.EmailAddress}, account.dest()...)...)
		c.Account = account.get()
		return c, err
	},
}

// optionalAccount reads the account columns of an outer join, which may be NULL.
type optionalAccount struct {
	id    *int64
	name  *string
	email *string
}

func (o *optionalAccount) dest() []any { return []any{&o.id, &o.name, &o.email} }

func (o *optionalAccount) get() *Account {
	if o.id == nil || o.name == nil {
		return nil
	}
	return &Account{ID: *o.id, Name: *o.name, EmailAddress: o.email}
}

// ContactDetails are the fields of a contact that the type Contact does not have.
type ContactDetails struct {
	MiddleName   *string
	IsInstructor bool
	IsStaff      bool
}

// DetailsOfContact returns the fields of a contact that the type Contact does not have.
func (s *Store) DetailsOfContact(ctx context.Context, contact int64) (*ContactDetails, error) {
	var d ContactDetails
	staff := "p.is_staff"
	if s.choices.Is(assumptions.ContactStaff, "users") {
		staff = isUser
	}
	err := s.read.QueryRowContext(ctx, `SELECT p.middle_name, p.is_instructor, `+staff+` FROM contacts p WHERE p.id = ?`, contact).
		Scan(&d.MiddleName, &d.IsInstructor, &d.IsStaff)
	if err != nil {
		return nil, err
	}
	return &d, nil
}

// ContactsOfAccount returns the contacts of an account that match a search.
func (s *Store) ContactsOfAccount(ctx context.Context, account int64, q Search) (*ContactPage, error) {
	return contacts.page(ctx, s, q, scope{"p.account_id", account})
}

// Contacts searches the contacts.
func (s *Store) Contacts(ctx context.Context, q Search) (*ContactPage, error) {
	return contacts.page(ctx, s, q)
}
