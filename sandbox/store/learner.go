package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"strconv"

	"github.com/shopspring/decimal"

	"github.com/oppflow/oppflow/sandbox/assumptions"
	"github.com/oppflow/oppflow/sandbox/connection"
	"github.com/oppflow/oppflow/sandbox/globalid"
)

// RegisteredLearner is a learner of a registration. The member Contact is nil for a learner whose
// name is not known yet.
type RegisteredLearner struct {
	ID             int64
	EventID        int64
	RegistrationID int64
	Contact        *Contact
	IsCancelled    bool
	Notes          *string
	// CustomFieldValues are in the order in which the values were first written.
	CustomFieldValues []*CustomFieldValue
}

// GlobalID returns the API's id of the learner, with the prefix "learner" in lower case.
func (l RegisteredLearner) GlobalID() string { return globalid.EncodeInt(globalid.Learner, l.ID) }

// LifecycleState returns "active" or "cancelled".
func (l RegisteredLearner) LifecycleState() string {
	if l.IsCancelled {
		return "cancelled"
	}
	return "active"
}

// RegisteredLearnerPage is a page of learners.
type RegisteredLearnerPage = connection.Page[RegisteredLearner]

// RegisteredLearnerEdge is a learner with its cursor.
type RegisteredLearnerEdge = connection.Edge[RegisteredLearner]

var registeredLearners = listing[RegisteredLearner]{
	from: `learners l JOIN events e ON e.id = l.event_id LEFT JOIN contacts p ON p.id = l.contact_id LEFT JOIN accounts a ON a.id = p.account_id`,
	columns: `l.id, l.event_id, l.registration_id, l.cancelled, l.notes, l.custom_fields, p.id, p.first_name, p.last_name, p.email_address,
		a.id, a.name, a.email_address`,
	key: "l.id",
	fields: map[string]column{
		"id":                  intKeyColumn("l.id", globalid.Learner),
		"eventId":             intKeyColumn("l.event_id", globalid.Event),
		"registrationId":      intKeyColumn("l.registration_id", globalid.Registration),
		"contactId":           intKeyColumn("l.contact_id", globalid.Contact),
		"contactEmailAddress": {sql: "p.email_address"},
		"lifecycleState":      {sql: "iif(l.cancelled, 'cancelled', 'active')"},
		"isActive":            {sql: "(NOT l.cancelled)", kind: boolean},
		"isCancelled":         {sql: "l.cancelled", kind: boolean},
		"eventStartDate":      {sql: "e.starts_at", kind: localTime},
		"lastUpdatedAt":       {sql: "l.updated_at", kind: instant},
	},
	scan: func(row scanner) (RegisteredLearner, error) {
		var l RegisteredLearner
		var contact optionalContact
		var custom string
		err := row.Scan(append([]any{&l.ID, &l.EventID, &l.RegistrationID, &l.IsCancelled, &l.Notes, &custom}, contact.dest()...)...)
		if err != nil {
			return l, err
		}
		l.Contact = contact.get()
		return l, json.Unmarshal([]byte(custom), &l.CustomFieldValues)
	},
}

// RegisteredLearners returns the learners that match a search, including cancelled learners.
func (s *Store) RegisteredLearners(ctx context.Context, q Search) (*RegisteredLearnerPage, error) {
	return registeredLearners.page(ctx, s, q)
}

// LearnerByKey returns the learner with the given key, or nil if no learner has the key.
func (s *Store) LearnerByKey(ctx context.Context, id int64) (*RegisteredLearner, error) {
	return registeredLearners.byKey(ctx, s.read, id)
}

// LearnersOfEvent returns the learners of an event that match a search, including cancelled
// learners (observed).
func (s *Store) LearnersOfEvent(ctx context.Context, event int64, q Search) (*RegisteredLearnerPage, error) {
	return registeredLearners.page(ctx, s, q, scope{"l.event_id", event})
}

// LearnersOfRegistration returns the learners of a registration that match a search.
func (s *Store) LearnersOfRegistration(ctx context.Context, registration int64, q Search) (*RegisteredLearnerPage, error) {
	return registeredLearners.page(ctx, s, q, scope{"l.registration_id", registration})
}

// RegisterContacts is the input of the method RegisterContacts.
type RegisterContacts struct {
	Contacts        []*string
	Notes           *string
	FinancialUnitID *string
	Amount          *decimal.Decimal
	OrderDate       *string
	// The sandbox accepts PriceLevelID, BrandID and CommunicationsContactID, and ignores their
	// values.
	PriceLevelID            *string
	BrandID                 *string
	CommunicationsContactID *string
}

// CustomFieldValue is a custom value of a learner. All values are text (observed).
type CustomFieldValue struct {
	DefinitionKey string  `json:"definitionKey"`
	Value         *string `json:"value"`
}

// NamedLearner is one learner in the input of RegisterNamedLearners.
type NamedLearner struct {
	EventID           string
	ContactID         string
	Notes             *string
	CustomFieldValues []*CustomFieldValue
}

// RegisterContacts registers contacts on an event. An opportunity's reservation on the event stays.
// While the reservation is valid, the event counts the reserved places in addition to the booked
// places (observed).
func (s *Store) RegisterContacts(ctx context.Context, event string, in RegisterContacts) (*Event, []*RegisteredLearner, error) {
	var e *Event
	var made []*RegisteredLearner
	err := s.inTransaction(ctx, func(ctx context.Context, tx *sql.Tx) error {
		key, err := intKey("eventId", event, globalid.Event)
		if err != nil {
			return err
		}
		if made, err = s.registerContacts(ctx, tx, key, in); err != nil {
			return err
		}
		e, err = events.byKey(ctx, tx, key)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return e, made, nil
}

func (s *Store) registerContacts(ctx context.Context, tx *sql.Tx, event int64, in RegisterContacts) ([]*RegisteredLearner, error) {
	ids := in.Contacts
	if len(ids) == 0 {
		return nil, newRefusal(LabelInvalidValue, "", "contacts is empty")
	}
	contact := make([]*Contact, len(ids))
	for i, id := range ids {
		if id == nil {
			return nil, newRefusal(LabelInvalidID, "", "contacts[%d] is null", i)
		}
		var err error
		if contact[i], err = contactByID(ctx, tx, "contacts", *id); err != nil {
			return nil, err
		}
	}
	var account any
	if contact[0].Account != nil {
		account = contact[0].Account.ID
	}
	registration, err := s.createRegistration(ctx, tx, event, len(ids), 0, account, nil)
	if err != nil {
		return nil, err
	}
	if err := s.setPrice(ctx, tx, registration, in.FinancialUnitID, in.Amount); err != nil {
		return nil, err
	}
	if err := s.setOrderDate(ctx, tx, registration, in.OrderDate); err != nil {
		return nil, err
	}
	made := make([]*RegisteredLearner, len(ids))
	for i, c := range contact {
		if made[i], err = s.addLearner(ctx, tx, registration, event, c.ID, in.Notes); err != nil {
			return nil, err
		}
	}
	return made, nil
}

func contactByID(ctx context.Context, q queryer, field, id string) (*Contact, error) {
	key, err := intKey(field, id, globalid.Contact)
	if err != nil {
		return nil, err
	}
	c, err := contacts.byKey(ctx, q, key)
	if err == nil && c == nil {
		err = notFound("Contact", id)
	}
	return c, err
}

// RegisterNamedLearner registers one contact on an event and creates a separate registration.
func (s *Store) RegisterNamedLearner(ctx context.Context, in NamedLearner) (*RegisteredLearner, error) {
	var l *RegisteredLearner
	err := s.inTransaction(ctx, func(ctx context.Context, tx *sql.Tx) error {
		key, err := intKey("eventId", in.EventID, globalid.Event)
		if err != nil {
			return err
		}
		made, err := s.registerContacts(ctx, tx, key, RegisterContacts{Contacts: []*string{&in.ContactID}, Notes: in.Notes})
		if err != nil {
			return err
		}
		if err := s.writeLearner(ctx, tx, made[0], nil, in.CustomFieldValues); err != nil {
			return err
		}
		l, err = registeredLearners.byKey(ctx, tx, made[0].ID)
		return err
	})
	if err != nil {
		return nil, err
	}
	return l, nil
}

func (s *Store) addLearner(ctx context.Context, tx *sql.Tx, registration, event int64, contact any, notes *string) (*RegisteredLearner, error) {
	id, err := s.insertLearner(ctx, tx, registration, event, contact, notes)
	if err != nil {
		return nil, err
	}
	if err := s.addActiveLearners(ctx, tx, event, 1); err != nil {
		return nil, err
	}
	return registeredLearners.byKey(ctx, tx, id)
}

// insertLearner creates a learner; contact is nil for a learner without a name. insertLearner does
// not change the number of active learners, so the caller calls addActiveLearners once after all
// insertions.
func (s *Store) insertLearner(ctx context.Context, tx *sql.Tx, registration, event int64, contact any, notes *string) (int64, error) {
	made, err := tx.ExecContext(ctx, `INSERT INTO learners (registration_id, event_id, contact_id, notes, updated_at) VALUES (?, ?, ?, ?, ?)`,
		registration, event, contact, notes, s.now().UnixMicro())
	if err != nil {
		return 0, err
	}
	return made.LastInsertId()
}

func (s *Store) addActiveLearners(ctx context.Context, tx *sql.Tx, event int64, more int) error {
	if s.choices.Is(assumptions.EventUpdated, "registration") {
		if _, err := tx.ExecContext(ctx, `UPDATE events SET updated_at = ? WHERE id = ?`, s.now().UnixMicro(), event); err != nil {
			return err
		}
	}
	return changeActiveLearners(ctx, tx, event, more)
}

func changeActiveLearners(ctx context.Context, tx *sql.Tx, event int64, by int) error {
	_, err := tx.ExecContext(ctx, `UPDATE events SET registered = registered + ? WHERE id = ?`, by, event)
	return err
}

// AddToRegistration is the input of the method AddToRegistration.
type AddToRegistration struct {
	RegistrationID string
	EventID        string
	ContactID      *string
	Quantity       int
}

// AddToRegistration adds the contact in the input to a registration. If the input has no contact,
// AddToRegistration adds in.Quantity unnamed learners.
func (s *Store) AddToRegistration(ctx context.Context, in AddToRegistration) (*Registration, error) {
	var changed *Registration
	err := s.inTransaction(ctx, func(ctx context.Context, tx *sql.Tx) error {
		key, err := intKey("registrationId", in.RegistrationID, globalid.Registration)
		if err != nil {
			return err
		}
		event, err := intKey("eventId", in.EventID, globalid.Event)
		if err != nil {
			return err
		}
		if changed, err = registrations.byKey(ctx, tx, key); err != nil {
			return err
		}
		if changed == nil || changed.EventID != event {
			return notFound("Registration", in.RegistrationID)
		}
		if in.Quantity < 1 || in.Quantity > maxQuantity {
			return newRefusal(LabelInvalidValue, strconv.Itoa(in.Quantity), "quantity is %d, but must be between 1 and %d", in.Quantity, maxQuantity)
		}
		if err := s.checkCapacity(ctx, tx, event, in.Quantity, 0); err != nil {
			return err
		}
		var contact any
		if in.ContactID != nil {
			c, err := contactByID(ctx, tx, "contactId", *in.ContactID)
			if err != nil {
				return err
			}
			contact = c.ID
		}
		for range in.Quantity {
			if _, err := s.insertLearner(ctx, tx, key, event, contact, nil); err != nil {
				return err
			}
		}
		return s.addActiveLearners(ctx, tx, event, in.Quantity)
	})
	if err != nil {
		return nil, err
	}
	return changed, nil
}

// CancelLearner frees the place of a learner. CancelLearner and ReactivateLearner do not change
// updatedAt of the event (observed). A learner who is already cancelled stays unchanged.
func (s *Store) CancelLearner(ctx context.Context, id string) (*RegisteredLearner, error) {
	return s.changeLearner(ctx, id, func(ctx context.Context, tx *sql.Tx, l *RegisteredLearner) error {
		if l.IsCancelled {
			return nil
		}
		if isMutant("a cancelled learner still takes a place") {
			_, err := tx.ExecContext(ctx, `UPDATE learners SET cancelled = 1 WHERE id = ?`, l.ID)
			return err
		}
		if err := changeActiveLearners(ctx, tx, l.EventID, -1); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `UPDATE learners SET cancelled = 1 WHERE id = ?`, l.ID)
		return err
	})
}

// ReactivateLearner reverses CancelLearner and books a place for the learner again.
func (s *Store) ReactivateLearner(ctx context.Context, id string) (*RegisteredLearner, error) {
	return s.changeLearner(ctx, id, func(ctx context.Context, tx *sql.Tx, l *RegisteredLearner) error {
		if !l.IsCancelled {
			return nil
		}
		if !s.choices.Is(assumptions.LearnerReactivate, "taken") {
			if err := checkEventPublished(ctx, tx, l.EventID); err != nil {
				return err
			}
		}
		if err := s.checkFreePlaces(ctx, tx, l.EventID, 1, 0); err != nil {
			return err
		}
		if err := s.addActiveLearners(ctx, tx, l.EventID, 1); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `UPDATE learners SET cancelled = 0 WHERE id = ?`, l.ID)
		return err
	})
}

// UpdateLearner writes the notes and custom values of a learner. A custom value of the learner
// stays unchanged if the argument custom does not contain its key.
func (s *Store) UpdateLearner(ctx context.Context, id string, notes *string, custom []*CustomFieldValue) (*RegisteredLearner, error) {
	return s.changeLearner(ctx, id, func(ctx context.Context, tx *sql.Tx, l *RegisteredLearner) error {
		return s.writeLearner(ctx, tx, l, notes, custom)
	})
}

func (s *Store) writeLearner(ctx context.Context, tx *sql.Tx, l *RegisteredLearner, notes *string, custom []*CustomFieldValue) error {
	values := append([]*CustomFieldValue{}, l.CustomFieldValues...)
	for _, value := range custom {
		if err := s.checkCustomField(ctx, tx, "customFieldValues", "Learner", value.DefinitionKey); err != nil {
			return err
		}
		at := slices.IndexFunc(values, func(v *CustomFieldValue) bool { return v.DefinitionKey == value.DefinitionKey })
		if at < 0 {
			values = append(values, value)
		} else {
			values[at] = value
		}
	}
	encoded, err := json.Marshal(values)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE learners SET notes = coalesce(?, notes), custom_fields = ? WHERE id = ?`, notes, string(encoded), l.ID)
	return err
}

func (s *Store) changeLearner(ctx context.Context, id string, f func(context.Context, *sql.Tx, *RegisteredLearner) error) (*RegisteredLearner, error) {
	var changed *RegisteredLearner
	err := s.inTransaction(ctx, func(ctx context.Context, tx *sql.Tx) error {
		key, err := intKey("learnerId", id, globalid.Learner)
		if err != nil {
			return err
		}
		l, err := registeredLearners.byKey(ctx, tx, key)
		if err != nil {
			return err
		}
		if l == nil {
			return notFound("Learner", id)
		}
		if err := f(ctx, tx, l); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE learners SET updated_at = ? WHERE id = ?`, s.now().UnixMicro(), key); err != nil {
			return err
		}
		changed, err = registeredLearners.byKey(ctx, tx, key)
		return err
	})
	if err != nil {
		return nil, err
	}
	return changed, nil
}
