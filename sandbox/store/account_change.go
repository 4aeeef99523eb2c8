package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"strings"

	"github.com/oppflow/oppflow/sandbox/assumptions"
	"github.com/oppflow/oppflow/sandbox/globalid"
)

// AccountInput is the input of CreateAccount and UpdateAccount.
type AccountInput struct {
	AccountID    *string
	Name         *string
	EmailAddress *string
	Website      *string
	IsIndividual *bool
	OwnerID      *string
	// PostalAddresses replace all postal addresses of the account (observed).
	PostalAddresses []*PostalAddress
}

// PostalAddress is a postal address of an account. Usage is default, billing or shipping.
type PostalAddress struct {
	Usage   string   `json:"usage"`
	Address *Address `json:"address"`
}

// Address is the content of a postal address.
type Address struct {
	Lines         []string `json:"lines,omitempty"`
	Town          *string  `json:"town,omitempty"`
	Region        *string  `json:"region,omitempty"`
	Postcode      *string  `json:"postcode,omitempty"`
	CountryID     *string  `json:"countryId,omitempty"`
	ProvinceCode  *string  `json:"provinceCode,omitempty"`
	ContactPerson *string  `json:"contactPerson,omitempty"`
}

// AccountDetails are the fields of an account that the type Account does not have.
type AccountDetails struct {
	Website         *string
	IsIndividual    bool
	PostalAddresses []*PostalAddress
}

// DetailsOfAccount returns the fields of an account that the type Account does not have.
func (s *Store) DetailsOfAccount(ctx context.Context, account int64) (*AccountDetails, error) {
	var d AccountDetails
	var addresses string
	err := s.read.QueryRowContext(ctx, `SELECT website, is_individual, postal_addresses FROM accounts WHERE id = ?`, account).Scan(&d.Website, &d.IsIndividual, &addresses)
	if err != nil {
		return nil, err
	}
	return &d, json.Unmarshal([]byte(addresses), &d.PostalAddresses)
}

// CreateAccount creates an account.
func (s *Store) CreateAccount(ctx context.Context, in AccountInput) (*Account, error) {
	return s.changeAccount(ctx, func(ctx context.Context, tx *sql.Tx) (int64, error) {
		if in.Name == nil {
			return 0, checkName("")
		}
		made, err := tx.ExecContext(ctx, `INSERT INTO accounts (name, created_at) VALUES ('', ?)`, s.now().UnixMicro())
		if err != nil {
			return 0, err
		}
		id, err := made.LastInsertId()
		if err != nil {
			return 0, err
		}
		return id, s.writeAccount(ctx, tx, id, in)
	})
}

// UpdateAccount writes the members of the input that are not nil.
func (s *Store) UpdateAccount(ctx context.Context, in AccountInput) (*Account, error) {
	return s.changeAccount(ctx, func(ctx context.Context, tx *sql.Tx) (int64, error) {
		a, err := s.accountByID(ctx, tx, "accountId", *in.AccountID)
		if err != nil {
			return 0, err
		}
		return a.ID, s.writeAccount(ctx, tx, a.ID, in)
	})
}

func (s *Store) writeAccount(ctx context.Context, tx *sql.Tx, id int64, in AccountInput) error {
	if in.Name != nil {
		if err := checkName(*in.Name); err != nil {
			return err
		}
	}
	var owner any
	if in.OwnerID != nil {
		var err error
		if owner, err = checkUser(ctx, tx, "ownerId", *in.OwnerID); err != nil {
			return err
		}
	}
	for _, a := range in.PostalAddresses {
		if !slices.Contains([]string{"default", "billing", "shipping"}, a.Usage) && !s.choices.Is(assumptions.AddressUsage, "any") {
			return newRefusal(LabelInvalidValue, a.Usage, "postalAddresses: usage is %q, but must be default, billing or shipping", a.Usage)
		}
	}
	var addresses any
	if in.PostalAddresses != nil {
		encoded, err := json.Marshal(in.PostalAddresses)
		if err != nil {
			return err
		}
		addresses = string(encoded)
	}
	_, err := tx.ExecContext(ctx, `UPDATE accounts SET changed = 1, updated_at = ?, name = coalesce(?, name), email_address = coalesce(?, email_address),
		website = coalesce(?, website), is_individual = coalesce(?, is_individual), owner_id = coalesce(?, owner_id),
		postal_addresses = coalesce(?, postal_addresses) WHERE id = ?`, s.now().UnixMicro(), in.Name, in.EmailAddress, in.Website, in.IsIndividual, owner, addresses, id)
	return err
}

// MergeAccounts moves everything from the account "from" to the account "to", and deletes the
// account "from".
func (s *Store) MergeAccounts(ctx context.Context, from, to string) (*Account, error) {
	return s.changeAccount(ctx, func(ctx context.Context, tx *sql.Tx) (int64, error) {
		source, err := s.accountByID(ctx, tx, "fromAccount", from)
		if err != nil {
			return 0, err
		}
		target, err := s.accountByID(ctx, tx, "toAccount", to)
		if err != nil {
			return 0, err
		}
		if source.ID == target.ID {
			return 0, newRefusal(LabelInvalidValue, to, "fromAccount and toAccount must be two different accounts")
		}
		// The table names are constants in this function, so the SQL contains no text of a request.
		for _, table := range strings.Fields("contacts opportunities registrations invoices token_issues") {
			if _, err := tx.ExecContext(ctx, "UPDATE "+table+" SET account_id = ? WHERE account_id = ?", target.ID, source.ID); err != nil {
				return 0, err
			}
		}
		for _, statement := range []string{
			`UPDATE merged_accounts SET merged_to = ?2 WHERE merged_to = ?1`,
			`INSERT INTO merged_accounts (id, merged_to) VALUES (?1, ?2)`,
			`UPDATE accounts SET updated_at = ?3 WHERE id = ?2 AND ?1 = ?1`,
			`DELETE FROM accounts WHERE id = ?1 AND ?2 = ?2`,
		} {
			if _, err := tx.ExecContext(ctx, statement, source.ID, target.ID, s.now().UnixMicro()); err != nil {
				return 0, err
			}
		}
		return target.ID, nil
	})
}

func (s *Store) changeAccount(ctx context.Context, f func(context.Context, *sql.Tx) (int64, error)) (*Account, error) {
	var changed *Account
	err := s.inTransaction(ctx, func(ctx context.Context, tx *sql.Tx) error {
		id, err := f(ctx, tx)
		if err != nil {
			return err
		}
		changed, err = accounts.byKey(ctx, tx, id)
		return err
	})
	if err != nil {
		return nil, err
	}
	return changed, nil
}

func (s *Store) accountByID(ctx context.Context, q queryer, field, id string) (*Account, error) {
	key, err := intKey(field, id, globalid.Account)
	if err != nil {
		return nil, err
	}
	a, err := s.accountByKey(ctx, q, key)
	if err == nil && a == nil {
		err = notFound("Account", id)
	}
	return a, err
}

// accountByKey returns the account with the given key, or nil if no account has the key. With the
// value "leads" of the assumption AccountMerged, the key of a merged account leads to the account
// that remained.
func (s *Store) accountByKey(ctx context.Context, q queryer, key int64) (*Account, error) {
	if s.choices.Is(assumptions.AccountMerged, "leads") {
		return accounts.first(ctx, q, " WHERE a.id = coalesce((SELECT m.merged_to FROM merged_accounts m WHERE m.id = ?1), ?1)", key)
	}
	return accounts.byKey(ctx, q, key)
}

func checkUser(ctx context.Context, q queryer, field, id string) (int64, error) {
	key, err := intKey(field, id, globalid.User)
	if err != nil {
		return 0, err
	}
	u, err := users.byKey(ctx, q, key)
	if err == nil && u == nil {
		err = notFound("User", id)
	}
	return key, err
}
