package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/oppflow/oppflow/sandbox/assumptions"
	"github.com/oppflow/oppflow/sandbox/connection"
	"github.com/oppflow/oppflow/sandbox/globalid"
)

// Opportunity is a possible sale to one customer. ReservationsValidUntil is nil until the first
// extension of the opportunity's reservations.
type Opportunity struct {
	ID                     int64
	Name                   string
	Region                 Region
	Account                *Account
	FinancialUnit          FinancialUnit
	Step                   Step
	ReservationsValidUntil *time.Time
	CreatedAt              time.Time
	UpdatedAt              time.Time
}

// GlobalID returns the API's id of the opportunity.
func (o Opportunity) GlobalID() string { return globalid.EncodeInt(globalid.Opportunity, o.ID) }

// OpportunityPage is a page of opportunities.
type OpportunityPage = connection.Page[Opportunity]

// OpportunityEdge is an opportunity with its cursor.
type OpportunityEdge = connection.Edge[Opportunity]

// Attribute is a custom value of an opportunity.
type Attribute struct {
	DefinitionKey string
	Value         *string
}

// NewOpportunity is the input of CreateOpportunity. FinancialUnitID is a currency code without a
// prefix.
type NewOpportunity struct {
	Name            string
	RegionID        string
	FinancialUnitID *string
	AccountID       *string
	EntryStepID     *string
	OwnerID         *string
	ContactID       *string
	Attributes      []*Attribute
}

// OpportunityUpdate is the input of UpdateOpportunity.
type OpportunityUpdate struct {
	ID              string
	Name            *string
	FinancialUnitID *string
	AccountID       *string
	OwnerID         *string
	ContactID       *string
	Attributes      []*Attribute
	// NoAccount reports that the input contains accountId with the value null.
	NoAccount bool
}

var opportunities = listing[Opportunity]{
	from: `opportunities o JOIN regions r ON r.id = o.region_id JOIN currencies c ON c.code = o.currency_code
		JOIN steps s ON s.id = o.step_id JOIN stages g ON g.id = s.stage_id LEFT JOIN accounts a ON a.id = o.account_id`,
	columns: `o.id, o.name, o.reservations_valid_until, o.created_at, o.updated_at, r.id, r.name, c.code, c.name, c.symbol,
		s.id, s.name, g.id, g.name, g.state, a.id, a.name, a.email_address`,
	key: "o.id",
	fields: map[string]column{
		"id":                     intKeyColumn("o.id", globalid.Opportunity),
		"name":                   {sql: "o.name"},
		"regionId":               textKeyColumn("o.region_id", globalid.Region),
		"regionName":             {sql: "r.name"},
		"stepId":                 intKeyColumn("o.step_id", globalid.OpportunityStep),
		"stepName":               {sql: "s.name"},
		"stageId":                intKeyColumn("g.id", globalid.OpportunityStage),
		"stageName":              {sql: "g.name"},
		"accountId":              intKeyColumn("o.account_id", globalid.Account),
		"accountName":            {sql: "a.name"},
		"contactId":              intKeyColumn("o.contact_id", globalid.Contact),
		"ownerId":                intKeyColumn("o.owner_id", globalid.User),
		"financialUnitId":        {sql: "o.currency_code"},
		"reservationsValidUntil": {sql: "o.reservations_valid_until", kind: instant},
		"createdAt":              {sql: "o.created_at", kind: instant},
		"updatedAt":              {sql: "o.updated_at", kind: instant},
	},
	scan: func(row scanner) (Opportunity, error) {
		var o Opportunity
		var c Currency
		var account optionalAccount
		var until *int64
		var created, updated int64
		err := row.Scan(append([]any{
			&o.ID, &o.Name, &until, &created, &updated, &o.Region.ID, &o.Region.Name, &c.Code, &c.Name, &c.Symbol,
			&o.Step.ID, &o.Step.Name, &o.Step.Stage.ID, &o.Step.Stage.Name, &o.Step.Stage.State,
		}, account.dest()...)...)
		o.FinancialUnit, o.Account = c, account.get()
		o.CreatedAt, o.UpdatedAt = time.UnixMicro(created).UTC(), time.UnixMicro(updated).UTC()
		o.ReservationsValidUntil = optionalTime(until)
		return o, err
	},
}

// Opportunities searches the opportunities.
func (s *Store) Opportunities(ctx context.Context, q Search) (*OpportunityPage, error) {
	return opportunities.page(ctx, s, q)
}

// OpportunityByKey returns the opportunity with the given key, or nil if no opportunity has the
// key.
func (s *Store) OpportunityByKey(ctx context.Context, id int64) (*Opportunity, error) {
	return opportunities.byKey(ctx, s.read, id)
}

// Attributes returns the custom values of an opportunity in the order of their keys.
func (s *Store) Attributes(ctx context.Context, opportunity int64) ([]*Attribute, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT definition_key, value FROM opportunity_attributes WHERE opportunity_id = ? ORDER BY definition_key`, opportunity)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	attributes := []*Attribute{}
	for rows.Next() {
		var a Attribute
		if err := rows.Scan(&a.DefinitionKey, &a.Value); err != nil {
			return nil, err
		}
		attributes = append(attributes, &a)
	}
	return attributes, rows.Err()
}

// GrandTotal returns the sum of the total amounts of an opportunity's interests.
func (s *Store) GrandTotal(ctx context.Context, opportunity int64) (decimal.Decimal, error) {
	n, err := grandTotal(ctx, s.read, opportunity)
	total := fromCents(n)
	if s.choices.Is(assumptions.TotalTax, "with") {
		total = total.Mul(decimal.New(120, -2))
	}
	return total, err
}

const grandTotalQuery = `SELECT coalesce(sum(total_amount), 0) FROM interests i WHERE i.opportunity_id = ?`

func grandTotal(ctx context.Context, q queryer, opportunity int64) (int64, error) {
	var n int64
	err := q.QueryRowContext(ctx, grandTotalQuery, opportunity).Scan(&n)
	return n, err
}

// CreateOpportunity creates an opportunity.
func (s *Store) CreateOpportunity(ctx context.Context, in NewOpportunity) (*Opportunity, error) {
	return s.changeOpportunity(ctx, func(ctx context.Context, tx *sql.Tx) (int64, error) {
		var region, currency string
		var account any
		var step int64
		err := s.checks(
			func() error { return checkName(in.Name) },
			func() (err error) {
				if in.AccountID != nil {
					account, err = s.checkAccount(ctx, tx, *in.AccountID)
				} else if s.choices.Is(assumptions.CreateRequired, "account") {
					err = newRefusal(LabelInvalidValue, "", "accountId is missing")
				}
				return err
			},
			func() (err error) {
				region, currency, err = s.checkRegion(ctx, tx, in.RegionID)
				return err
			},
			func() (err error) {
				if in.FinancialUnitID != nil {
					currency, err = checkCurrency(ctx, tx, *in.FinancialUnitID)
				}
				return err
			},
			func() (err error) {
				step, err = s.entryStep(ctx, tx, in.EntryStepID)
				return err
			},
		)
		if err != nil {
			return 0, err
		}
		now := s.now().UnixMicro()
		result, err := tx.ExecContext(ctx, `INSERT INTO opportunities (name, region_id, account_id, currency_code, step_id, created_at, updated_at)
			VALUES (?, ?, ?, ?, ?, ?, ?)`, in.Name, region, account, currency, step, now, now)
		if err != nil {
			return 0, err
		}
		id, err := result.LastInsertId()
		if err != nil {
			return 0, err
		}
		if err := setOwnerAndContact(ctx, tx, id, in.OwnerID, in.ContactID); err != nil {
			return 0, err
		}
		return id, s.setAttributes(ctx, tx, id, in.Attributes)
	})
}

// UpdateOpportunity writes the members of the input that are not nil.
func (s *Store) UpdateOpportunity(ctx context.Context, in OpportunityUpdate) (*Opportunity, error) {
	return s.changeOpportunity(ctx, func(ctx context.Context, tx *sql.Tx) (int64, error) {
		o, err := opportunityByID(ctx, tx, "id", in.ID)
		if err != nil {
			return 0, err
		}
		set := func(column string, value any) error { // the columns are constants
			_, err := tx.ExecContext(ctx, `UPDATE opportunities SET `+column+` = ? WHERE id = ?`, value, o.ID)
			return err
		}
		err = s.checks(
			func() error {
				if in.Name == nil {
					return nil
				}
				if err := checkName(*in.Name); err != nil {
					return err
				}
				return set("name", *in.Name)
			},
			func() error {
				if in.FinancialUnitID == nil {
					return nil
				}
				currency, err := checkCurrency(ctx, tx, *in.FinancialUnitID)
				if err != nil {
					return err
				}
				return set("currency_code", currency)
			},
			func() error {
				if in.AccountID == nil {
					return nil
				}
				account, err := s.checkAccount(ctx, tx, *in.AccountID)
				if err != nil {
					return err
				}
				return set("account_id", account)
			},
		)
		if err != nil {
			return 0, err
		}
		if in.NoAccount && s.choices.Is(assumptions.UpdateNull, "cleared") {
			if _, err := tx.ExecContext(ctx, `UPDATE opportunities SET account_id = NULL WHERE id = ?`, o.ID); err != nil {
				return 0, err
			}
		}
		if err := setOwnerAndContact(ctx, tx, o.ID, in.OwnerID, in.ContactID); err != nil {
			return 0, err
		}
		if err := s.setAttributes(ctx, tx, o.ID, in.Attributes); err != nil {
			return 0, err
		}
		return o.ID, s.setUpdatedAt(ctx, tx, o.ID)
	})
}

// changeOpportunity runs f in a transaction, and returns the opportunity whose id f returns, with
// the changes of f.
func (s *Store) changeOpportunity(ctx context.Context, f func(context.Context, *sql.Tx) (int64, error)) (*Opportunity, error) {
	var changed *Opportunity
	err := s.inTransaction(ctx, func(ctx context.Context, tx *sql.Tx) error {
		id, err := f(ctx, tx)
		if err != nil {
			return err
		}
		changed, err = opportunities.byKey(ctx, tx, id)
		setMarkerOpportunity(ctx, changed)
		return err
	})
	if err != nil {
		return nil, err
	}
	return changed, nil
}

func opportunityByID(ctx context.Context, tx *sql.Tx, field, id string) (*Opportunity, error) {
	n, err := intKey(field, id, globalid.Opportunity)
	if err != nil {
		return nil, err
	}
	o, err := opportunities.byKey(ctx, tx, n)
	if err != nil {
		return nil, err
	}
	if o == nil {
		return nil, notFound("Opportunity", id)
	}
	return o, nil
}

func (s *Store) setUpdatedAt(ctx context.Context, tx *sql.Tx, id int64) error {
	_, err := tx.ExecContext(ctx, `UPDATE opportunities SET updated_at = ? WHERE id = ?`, s.now().UnixMicro(), id)
	return err
}

func checkName(name string) error {
	if strings.TrimSpace(name) == "" {
		return newRefusal(LabelInvalidValue, name, "name must not be empty")
	}
	return nil
}

// checkRegion returns the region with the given id, and the region's currency, which is the default
// for a new opportunity.
func (s *Store) checkRegion(ctx context.Context, tx *sql.Tx, id string) (region, currency string, err error) {
	if region, err = globalid.ParseAs(id, globalid.Region); err != nil {
		return "", "", newRefusal(LabelInvalidID, id, "regionId: %v", err)
	}
	err = tx.QueryRowContext(ctx, `SELECT currency_code FROM regions WHERE id = ?`, region).Scan(&currency)
	if errors.Is(err, sql.ErrNoRows) {
		return "", "", notFound("Region", id)
	}
	if err == nil && s.choices.Is(assumptions.CreateCurrency, "tenant") {
		currency, err = readSetting(ctx, tx, settingCurrency)
	}
	return region, currency, err
}

func checkCurrency(ctx context.Context, q queryer, code string) (string, error) {
	c, err := currencies.byKey(ctx, q, code)
	if err != nil {
		return "", err
	}
	if c == nil {
		return "", newRefusal(LabelNotFound, code, "Currency %q not found; financialUnitId is the code of a currency such as USD", code)
	}
	return c.Code, nil
}

func (s *Store) checkAccount(ctx context.Context, q queryer, id string) (any, error) {
	a, err := s.accountByID(ctx, q, "accountId", id)
	if err != nil {
		return nil, err
	}
	return a.ID, nil
}

// setOwnerAndContact writes the owner and the contact of an opportunity; a nil argument changes
// nothing.
func setOwnerAndContact(ctx context.Context, tx *sql.Tx, id int64, owner, contact *string) error {
	if owner != nil {
		key, err := checkUser(ctx, tx, "ownerId", *owner)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE opportunities SET owner_id = ? WHERE id = ?`, key, id); err != nil {
			return err
		}
	}
	if contact == nil {
		return nil
	}
	c, err := contactByID(ctx, tx, "contactId", *contact)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE opportunities SET contact_id = ? WHERE id = ?`, c.ID, id)
	return err
}

// setAttributes writes the given attributes, and does not change other attributes of the
// opportunity. setAttributes removes an attribute whose value in the input is nil.
func (s *Store) setAttributes(ctx context.Context, tx *sql.Tx, id int64, attributes []*Attribute) error {
	for _, a := range attributes {
		err := s.checkCustomField(ctx, tx, "attributes", "Opportunity", a.DefinitionKey)
		if err != nil {
			return err
		}
		if a.Value == nil {
			_, err = tx.ExecContext(ctx, `DELETE FROM opportunity_attributes WHERE opportunity_id = ? AND definition_key = ?`, id, a.DefinitionKey)
		} else {
			_, err = tx.ExecContext(ctx, `INSERT INTO opportunity_attributes (opportunity_id, definition_key, value) VALUES (?, ?, ?)
				ON CONFLICT DO UPDATE SET value = excluded.value`, id, a.DefinitionKey, *a.Value)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
