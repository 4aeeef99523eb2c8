package store

import (
	"context"
	"database/sql"
	"strconv"
	"time"

	"github.com/shopspring/decimal"

	"github.com/oppflow/oppflow/sandbox/assumptions"
	"github.com/oppflow/oppflow/sandbox/connection"
	"github.com/oppflow/oppflow/sandbox/globalid"
)

// Registration books places on an event. Account is nil for a registration without an account, and
// SourceOpportunityID is nil for a registration that no opportunity created.
type Registration struct {
	ID                  int64
	EventID             int64
	Account             *Account
	SourceOpportunityID *int64
	OrderDate           time.Time
	// Amount is the price of one place in the unit FinancialUnitID. FinancialUnitID is the code of
	// a currency or the id of a training token type (documented). Amount and FinancialUnitID are
	// nil if the registration has no price.
	Amount          *decimal.Decimal
	FinancialUnitID *string
}

// GlobalID returns the API's id of the registration.
func (r Registration) GlobalID() string { return globalid.EncodeInt(globalid.Registration, r.ID) }

// RegistrationPage is a page of registrations.
type RegistrationPage = connection.Page[Registration]

// RegistrationEdge is a registration with its cursor.
type RegistrationEdge = connection.Edge[Registration]

var registrations = listing[Registration]{
	from:    "registrations b LEFT JOIN accounts a ON a.id = b.account_id",
	columns: "b.id, b.event_id, b.opportunity_id, coalesce(b.ordered_at, b.created_at), b.amount, b.financial_unit, a.id, a.name, a.email_address",
	key:     "b.id",
	fields: map[string]column{
		"id":                  intKeyColumn("b.id", globalid.Registration),
		"account":             intKeyColumn("b.account_id", globalid.Account),
		"eventId":             intKeyColumn("b.event_id", globalid.Event),
		"sourceOpportunityId": intKeyColumn("b.opportunity_id", globalid.Opportunity),
	},
	scan: func(row scanner) (Registration, error) {
		var r Registration
		var account optionalAccount
		var created int64
		var amount *int64
		err := row.Scan(append([]any{&r.ID, &r.EventID, &r.SourceOpportunityID, &created, &amount, &r.FinancialUnitID}, account.dest()...)...)
		if amount != nil {
			cost := fromCents(*amount)
			r.Amount = &cost
		}
		r.Account, r.OrderDate = account.get(), time.UnixMicro(created).UTC()
		return r, err
	},
}

// Registrations searches the registrations.
func (s *Store) Registrations(ctx context.Context, q Search) (*RegistrationPage, error) {
	return registrations.page(ctx, s, q)
}

// RegistrationsOfEvent returns the registrations of an event that match a search.
func (s *Store) RegistrationsOfEvent(ctx context.Context, event int64, q Search) (*RegistrationPage, error) {
	return registrations.page(ctx, s, q, scope{"b.event_id", event})
}

// RegistrationByKey returns the registration with the given key, or nil if no registration has the
// key.
func (s *Store) RegistrationByKey(ctx context.Context, id int64) (*Registration, error) {
	return registrations.byKey(ctx, s.read, id)
}

// InvoiceIssued reports whether a final invoice bills the opportunity that created the
// registration.
func (s *Store) InvoiceIssued(ctx context.Context, registration int64) (bool, error) {
	var issued bool
	err := s.read.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM registrations b JOIN invoices v ON v.opportunity_id = b.opportunity_id
		WHERE b.id = ? AND v.lifecycle_state = ?)`, registration, invoiceFinal).Scan(&issued)
	return issued, err
}

func (s *Store) setOrderDate(ctx context.Context, tx *sql.Tx, registration int64, at *string) error {
	if at == nil || s.choices.Is(assumptions.RegistrationOrderDate, "now") {
		return nil
	}
	utc := "UTC"
	_, err := tx.ExecContext(ctx, `UPDATE registrations SET ordered_at = ? WHERE id = ?`, micros(inZone(at, &utc)), registration)
	return err
}

func (s *Store) setPrice(ctx context.Context, tx *sql.Tx, registration int64, unit *string, amount *decimal.Decimal) error {
	if unit == nil && amount == nil {
		return nil
	}
	if unit != nil {
		if err := checkFinancialUnit(ctx, tx, *unit); err != nil {
			return err
		}
	}
	var cents any
	if amount != nil {
		n, err := s.toCents(*amount)
		if err != nil {
			return err
		}
		cents = n
	}
	_, err := tx.ExecContext(ctx, `UPDATE registrations SET amount = ?, financial_unit = ? WHERE id = ?`, cents, unit, registration)
	return err
}

func checkFinancialUnit(ctx context.Context, q queryer, unit string) error {
	key, err := globalid.ParseAs(unit, globalid.TrainingTokenType)
	if err != nil {
		_, err := checkCurrency(ctx, q, unit)
		return err
	}
	found, err := trainingTokenTypes.byKey(ctx, q, key)
	if err == nil && found == nil {
		err = notFound("Training Token Type", unit)
	}
	return err
}

// createRegistration creates a registration without learners. places is the number of places of the
// registration; held is the number of these places that the opportunity has already reserved.
func (s *Store) createRegistration(ctx context.Context, tx *sql.Tx, event int64, places, held int, account, opportunity any) (int64, error) {
	if err := s.checkCapacity(ctx, tx, event, places, held); err != nil {
		return 0, err
	}
	made, err := tx.ExecContext(ctx, `INSERT INTO registrations (event_id, account_id, opportunity_id, created_at) VALUES (?, ?, ?, ?)`,
		event, account, opportunity, s.now().UnixMicro())
	if err != nil {
		return 0, err
	}
	return made.LastInsertId()
}

// checkCapacity refuses a booking on an event that is not published. With the value "refused" of
// the assumption RegistrationOverbooked, checkCapacity also refuses a booking of more places than
// are free.
func (s *Store) checkCapacity(ctx context.Context, tx *sql.Tx, event int64, places, held int) error {
	if err := checkEventPublished(ctx, tx, event); err != nil {
		return err
	}
	return s.checkFreePlaces(ctx, tx, event, places, held)
}

func checkEventPublished(ctx context.Context, tx *sql.Tx, event int64) error {
	e, err := events.byKey(ctx, tx, event)
	if err != nil {
		return err
	}
	if e == nil {
		return notFound("Event", globalid.EncodeInt(globalid.Event, event))
	}
	if !e.IsActive() {
		return newRefusal(LabelNotPublished, e.GlobalID(), "Event %s is %s, so no learner can be registered on the event", e.GlobalID(), e.LifecycleState)
	}
	return nil
}

func (s *Store) checkFreePlaces(ctx context.Context, tx *sql.Tx, event int64, places, held int) error {
	if !s.choices.Is(assumptions.RegistrationOverbooked, "refused") {
		return nil
	}
	free, err := s.remainingPlaces(ctx, tx, event)
	if err == nil && free+held < places {
		err = newRefusal(LabelSoldOut, strconv.Itoa(places), "the event has %d free places, but %d places are needed", max(free+held, 0), places)
	}
	return err
}

// If an interest names fewer learners than its quantity, registerInterests adds unnamed learners
// for the difference.
func (s *Store) registerInterests(ctx context.Context, tx *sql.Tx, o *Opportunity) error {
	found, err := interests.rows(ctx, tx, " WHERE i.opportunity_id = ? AND i.event_id IS NOT NULL AND i.registration_id IS NULL ORDER BY i.id", o.ID)
	if err != nil || len(found) == 0 {
		return err
	}
	live, err := hasReservation(ctx, tx, o.ID, s.now())
	if err != nil {
		return err
	}
	var account any
	if o.Account != nil {
		account = o.Account.ID
	}
	for _, i := range found {
		event, ok := i.Item.(Event)
		if !ok || !event.IsActive() && s.choices.Is(assumptions.TriggerRegistration, "skipped") {
			continue
		}
		held := 0
		if live && i.Reserve {
			held = i.Quantity
		}
		registration, err := s.createRegistration(ctx, tx, event.ID, i.Quantity, held, account, o.ID)
		if err != nil {
			return err
		}
		if err := s.registerInterest(ctx, tx, i, event.ID, registration); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) registerInterest(ctx context.Context, tx *sql.Tx, i Interest, event, registration int64) error {
	named, err := contactsOfInterest(ctx, tx, i.ID)
	if err != nil {
		return err
	}
	for n := range i.Quantity {
		var contact any
		if n < len(named) && named[n] != nil {
			contact = *named[n]
		}
		if _, err := s.insertLearner(ctx, tx, registration, event, contact, nil); err != nil {
			return err
		}
	}
	if err := s.addActiveLearners(ctx, tx, event, i.Quantity); err != nil {
		return err
	}
	keep := s.choices.Is(assumptions.RegistrationReservation, "kept") || isMutant("a registration keeps the reservation")
	_, err = tx.ExecContext(ctx, `UPDATE interests SET registration_id = ?1, reserve = reserve AND ?2, consumed = reserve AND NOT ?2 WHERE id = ?3`, registration, keep, i.ID)
	return err
}

// contactsOfInterest returns one entry for each learner of an interest: the contact, or nil for a
// learner without a contact.
func contactsOfInterest(ctx context.Context, q queryer, interest int64) ([]*int64, error) {
	rows, err := q.QueryContext(ctx, `SELECT contact_id FROM interest_learners WHERE interest_id = ? ORDER BY id`, interest)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var found []*int64
	for rows.Next() {
		var id *int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		found = append(found, id)
	}
	return found, rows.Err()
}
