package store

import (
	"context"

	"github.com/oppflow/oppflow/sandbox/connection"
	"github.com/oppflow/oppflow/sandbox/globalid"
)

// User is a person who works with the TMS. The API sends mail for a user to the user's contact, if
// the user has a contact (observed).
type User struct {
	ID        int64
	FirstName string
	LastName  string
	Contact   *Contact
}

// GlobalID returns the API's id of the user.
func (u User) GlobalID() string { return globalid.EncodeInt(globalid.User, u.ID) }

// FullName returns the whole name.
func (u User) FullName() string { return u.FirstName + " " + u.LastName }

// UserPage is a page of users.
type UserPage = connection.Page[User]

// UserEdge is a user with its cursor.
type UserEdge = connection.Edge[User]

var users = listing[User]{
	from:    "users u LEFT JOIN contacts p ON p.id = u.contact_id LEFT JOIN accounts a ON a.id = p.account_id",
	columns: "u.id, u.first_name, u.last_name, p.id, p.first_name, p.last_name, p.email_address, a.id, a.name, a.email_address",
	key:     "u.id",
	fields: map[string]column{
		"id":        intKeyColumn("u.id", globalid.User),
		"firstName": {sql: "u.first_name"},
		"lastName":  {sql: "u.last_name"},
		"contactId": intKeyColumn("u.contact_id", globalid.Contact),
	},
	scan: func(row scanner) (User, error) {
		var u User
		var p optionalContact
		err := row.Scan(append([]any{&u.ID, &u.FirstName, &u.LastName}, p.dest()...)...)
		u.Contact = p.get()
		return u, err
	},
}

// Users searches the users.
func (s *Store) Users(ctx context.Context, q Search) (*UserPage, error) {
	return users.page(ctx, s, q)
}

// OwnerOfOpportunity returns the owner of an opportunity, or nil if the opportunity has no owner.
func (s *Store) OwnerOfOpportunity(ctx context.Context, opportunity int64) (*User, error) {
	return users.first(ctx, s.read, " WHERE u.id = (SELECT o.owner_id FROM opportunities o WHERE o.id = ?)", opportunity)
}

// OwnerOfAccount returns the owner of an account, or nil if the account has no owner.
func (s *Store) OwnerOfAccount(ctx context.Context, account int64) (*User, error) {
	return users.first(ctx, s.read, " WHERE u.id = (SELECT x.owner_id FROM accounts x WHERE x.id = ?)", account)
}

type optionalContact struct {
	id                 *int64
	first, last, email *string
	account            optionalAccount
}

func (o *optionalContact) dest() []any {
	return append([]any{&o.id, &o.first, &o.last, &o.email}, o.account.dest()...)
}

func (o *optionalContact) get() *Contact {
	if o.id == nil {
		return nil
	}
	return &Contact{ID: *o.id, FirstName: *o.first, LastName: *o.last, EmailAddress: o.email, Account: o.account.get()}
}
