package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"github.com/oppflow/oppflow/sandbox/assumptions"
)

// NewContact is the input for a new contact. The contact gets the e-mail address with the usage
// "primary", or else the first e-mail address.
type NewContact struct {
	PersonalName   *NewPersonalName
	AccountID      *string
	EmailAddresses []*NewEmailAddress
	// DuplicateEmail allows the new contact to have an e-mail address that another contact already
	// has.
	DuplicateEmail bool
}

// NewPersonalName is the name of a new contact.
type NewPersonalName struct {
	FirstName  string
	MiddleName *string
	LastName   string
}

// NewEmailAddress is an e-mail address of a new contact. Usage is "primary" for the address to
// which mail is sent.
type NewEmailAddress struct {
	Usage   *string
	Address string
}

// ContactResult is the result for one of several new contacts. Err is a *RefusalError.
type ContactResult struct {
	Contact *Contact
	Err     error
}

// CreateContact creates a contact.
func (s *Store) CreateContact(ctx context.Context, in NewContact) (*Contact, error) {
	var made *Contact
	err := s.inTransaction(ctx, func(ctx context.Context, tx *sql.Tx) error {
		var err error
		made, err = s.createContact(ctx, tx, in)
		return err
	})
	if err != nil {
		return nil, err
	}
	return made, nil
}

// CreateContacts creates each contact separately. A refused contact affects the other contacts only
// with the value "all" of the assumption ContactBatch. CreateContacts returns an entry for each
// contact; the entry of a refused contact contains the refusal. The returned error is always an
// internal failure.
func (s *Store) CreateContacts(ctx context.Context, in []*NewContact) ([]ContactResult, error) {
	made := make([]ContactResult, len(in))
	if !s.choices.Is(assumptions.ContactBatch, "all") {
		for i, one := range in {
			if made[i].Contact, made[i].Err = s.CreateContact(ctx, contactOrEmpty(one)); isInternal(made[i].Err) {
				return nil, made[i].Err
			}
		}
		return made, nil
	}
	err := s.inTransaction(ctx, func(ctx context.Context, tx *sql.Tx) error {
		var refused error
		for i, one := range in {
			if made[i].Contact, made[i].Err = s.createContact(ctx, tx, contactOrEmpty(one)); isInternal(made[i].Err) {
				return made[i].Err
			}
			if refused == nil {
				refused = made[i].Err
			}
		}
		return refused
	})
	if err == nil || isInternal(err) {
		return made, err
	}
	for i := range made {
		if made[i].Contact != nil {
			made[i] = ContactResult{Err: newRefusal(LabelInvalidValue, "", "the contact was not created, because another contact of the batch was refused")}
		}
	}
	return made, nil
}

// contactOrEmpty returns an empty contact for nil, and createContact refuses an empty contact.
func contactOrEmpty(in *NewContact) NewContact {
	if in == nil {
		return NewContact{}
	}
	return *in
}

// isInternal reports whether an error is an internal failure: neither nil nor a refusal.
func isInternal(err error) bool {
	var refused *RefusalError
	return err != nil && !errors.As(err, &refused)
}

func (s *Store) createContact(ctx context.Context, tx *sql.Tx, in NewContact) (*Contact, error) {
	if in.PersonalName == nil || strings.TrimSpace(in.PersonalName.FirstName) == "" || strings.TrimSpace(in.PersonalName.LastName) == "" {
		return nil, newRefusal(LabelInvalidValue, "", "personalName: firstName and lastName must not be empty")
	}
	email, err := primaryAddress(in.EmailAddresses)
	if err != nil {
		return nil, err
	}
	if email != nil && (s.choices.Is(assumptions.ContactEmail, "unique") || s.choices.Is(assumptions.ContactEmail, "header") && !in.DuplicateEmail) {
		var taken bool
		if err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM contacts WHERE email_address = ?)`, *email).Scan(&taken); err != nil {
			return nil, err
		}
		if taken {
			return nil, newRefusal(LabelInvalidValue, *email, "emailAddresses: another contact already has this e-mail address")
		}
	}
	account, err := s.accountOfContact(ctx, tx, in.AccountID)
	if err != nil {
		return nil, err
	}
	result, err := tx.ExecContext(ctx, `INSERT INTO contacts (account_id, first_name, middle_name, last_name, email_address, created_at, updated_at)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)`,
		account, in.PersonalName.FirstName, in.PersonalName.MiddleName, in.PersonalName.LastName, email, s.now().UnixMicro())
	if err != nil {
		return nil, err
	}
	id, err := result.LastInsertId()
	if err != nil {
		return nil, err
	}
	return contacts.byKey(ctx, tx, id)
}

func (s *Store) accountOfContact(ctx context.Context, tx *sql.Tx, id *string) (any, error) {
	if id == nil {
		return nil, nil
	}
	a, err := s.accountByID(ctx, tx, "accountId", *id)
	if err != nil {
		return nil, err
	}
	var full bool
	err = tx.QueryRowContext(ctx, `SELECT is_individual AND EXISTS (SELECT 1 FROM contacts p WHERE p.account_id = a.id) FROM accounts a WHERE a.id = ?`, a.ID).Scan(&full)
	if err != nil {
		return nil, err
	}
	if full && !s.choices.Is(assumptions.ContactIndividual, "taken") {
		return nil, newRefusal(LabelInvalidValue, *id, "accountId: the account is an individual's account and already has a contact")
	}
	return a.ID, nil
}

func primaryAddress(addresses []*NewEmailAddress) (*string, error) {
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
