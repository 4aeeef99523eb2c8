package store

import (
	"context"
	"database/sql"
	"strings"

	"github.com/oppflow/oppflow/sandbox/assume"
)

// NewContact is a contact to be made. Of the e-mail addresses the one whose usage is primary counts, else the first.
type NewContact struct {
	PersonalName   *NewPersonalName
	AccountID      *string
	EmailAddresses []*NewEmailAddress
}

// NewPersonalName is what a contact is called.
type NewPersonalName struct {
	FirstName string
	LastName  string
}

// NewEmailAddress is one of a contact's; Usage is primary for the one that mail goes to.
type NewEmailAddress struct {
	Usage   *string
	Address string
}

// CreateContact makes a contact. E-mail addresses need not be unique (observed: several contacts with one are handled);
// an account that is a person's takes no second one (observed). A refusal is a *RefusalError.
func (s *Store) CreateContact(ctx context.Context, in NewContact) (*Contact, error) {
	var made *Contact
	err := s.change(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if in.PersonalName == nil || strings.TrimSpace(in.PersonalName.FirstName) == "" || strings.TrimSpace(in.PersonalName.LastName) == "" {
			return problem(LabelInvalidValue, "", "personalName: firstName and lastName must not be empty")
		}
		email, err := primary(in.EmailAddresses)
		if err != nil {
			return err
		}
		if email != nil && s.assume.Is(assume.ContactEmail, "unique") {
			var taken bool
			if err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM contacts WHERE email_address = ?)`, *email).Scan(&taken); err != nil {
				return err
			}
			if taken {
				return problem(LabelInvalidValue, *email, "emailAddresses: a contact has this address already")
			}
		}
		var account any
		if in.AccountID != nil {
			a, err := accountByID(ctx, tx, "accountId", *in.AccountID)
			if err != nil {
				return err
			}
			var full bool
			err = tx.QueryRowContext(ctx, `SELECT is_individual AND EXISTS (SELECT 1 FROM contacts p WHERE p.account_id = a.id) FROM accounts a WHERE a.id = ?`, a.ID).Scan(&full)
			if err != nil {
				return err
			}
			if full {
				return problem(LabelInvalidValue, *in.AccountID, "accountId: the account is a person's and has a contact")
			}
			account = a.ID
		}
		result, err := tx.ExecContext(ctx, `INSERT INTO contacts (account_id, first_name, last_name, email_address) VALUES (?, ?, ?, ?)`,
			account, in.PersonalName.FirstName, in.PersonalName.LastName, email)
		if err != nil {
			return err
		}
		id, err := result.LastInsertId()
		if err == nil {
			made, err = contacts.one(ctx, tx, id)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return made, nil
}

// primary picks the address that mail goes to.
func primary(addresses []*NewEmailAddress) (*string, error) {
	var chosen *string
	for _, a := range addresses {
		if a == nil {
			continue
		}
		if err := checkEmail("emailAddresses", a.Address); err != nil {
			return nil, err
		}
		if chosen == nil || a.Usage != nil && *a.Usage == "primary" {
			chosen = &a.Address
		}
	}
	return chosen, nil
}
