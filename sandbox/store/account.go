package store

import (
	"context"

	"github.com/oppflow/oppflow/sandbox/connection"
	"github.com/oppflow/oppflow/sandbox/globalid"
)

// Account is an organisation that buys.
type Account struct {
	ID           int64
	Name         string
	EmailAddress *string
}

// GlobalID returns the API's id of the account, whose prefix is Organisation.
func (a Account) GlobalID() string { return globalid.EncodeInt(globalid.Account, a.ID) }

// AccountPage is a page of accounts.
type AccountPage = connection.Page[Account]

// AccountEdge is an account with its cursor.
type AccountEdge = connection.Edge[Account]

var accounts = listing[Account]{
	from:    "accounts a",
	columns: "a.id, a.name, a.email_address",
	key:     "a.id",
	fields: map[string]column{
		"id":           intKeyColumn("a.id", globalid.Account),
		"name":         {sql: "a.name"},
		"emailAddress": {sql: "a.email_address"},
		"website":      {sql: "a.website"},
		"isIndividual": {sql: "a.is_individual", kind: boolean},
		"addressTown": {sql: `(SELECT p.value ->> '$.address.town' FROM json_each(a.postal_addresses) p
			ORDER BY p.value ->> '$.usage' <> 'default', p.key LIMIT 1)`},
		"createdAt":     {sql: "a.created_at", kind: instant},
		"lastUpdatedAt": {sql: "a.updated_at", kind: instant},
	},
	scan: func(row scanner) (Account, error) {
		var a Account
		err := row.Scan(&a.ID, &a.Name, &a.EmailAddress)
		return a, err
	},
}

// Accounts searches the accounts.
func (s *Store) Accounts(ctx context.Context, q Search) (*AccountPage, error) {
	return accounts.page(ctx, s, q)
}
