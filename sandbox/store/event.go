package store

import (
	"context"
	"time"

	"github.com/shopspring/decimal"

	"github.com/oppflow/oppflow/sandbox/connection"
	"github.com/oppflow/oppflow/sandbox/globalid"
)

// Event is a training event: one date of a course. Start, End and RegistrationDeadline are local
// times of the time zone TimeZoneName.
type Event struct {
	ID    int64
	Code  string
	Title string
	// Type is public or private.
	Type                 string
	LearningMode         string
	LifecycleState       string
	CourseTemplate       *CourseTemplate
	Region               *Region
	Start                *string
	End                  *string
	TimeZoneName         *string
	RegistrationDeadline *string
	MaxPlaces            int
	MinPlaces            int
	// BookedPlaces is the number of booked places in the catalogue, plus one for each active learner.
	BookedPlaces int
	CancelledAt  *time.Time
	// Price is the price of one place. FinancialUnit is nil for an event without a currency.
	Price         *decimal.Decimal
	FinancialUnit FinancialUnit
	InternalNotes *string
	// BookingAccountID is the account for which the event is held, or nil.
	BookingAccountID *int64
}

func (Event) isItem() {}

// IsActive reports whether the event can be booked and attended.
func (e Event) IsActive() bool { return e.LifecycleState == published }

// GlobalID returns the API's id of the event, with the prefix "Course".
func (e Event) GlobalID() string { return globalid.EncodeInt(globalid.Event, e.ID) }

// TimeZonedStart returns the time at which the event begins, or nil if the local time or the time
// zone is unknown.
func (e Event) TimeZonedStart() *time.Time { return inZone(e.Start, e.TimeZoneName) }

// TimeZonedEnd returns the time at which the event ends, or nil if the local time or the time zone
// is unknown.
func (e Event) TimeZonedEnd() *time.Time { return inZone(e.End, e.TimeZoneName) }

// EventPrice is the price of one place on an event.
type EventPrice struct {
	Amount        decimal.Decimal
	FinancialUnit FinancialUnit
}

// DefaultPrice returns the price of one place, or nil for an event without a price.
func (e Event) DefaultPrice() *EventPrice {
	if e.Price == nil || e.FinancialUnit == nil {
		return nil
	}
	return &EventPrice{Amount: *e.Price, FinancialUnit: e.FinancialUnit}
}

// inZone returns the point in time of a local time in a time zone, or nil if the local time or the
// time zone is missing.
func inZone(local, zone *string) *time.Time {
	if local == nil || zone == nil {
		return nil
	}
	location, err := time.LoadLocation(*zone)
	if err != nil {
		return nil
	}
	t, err := time.ParseInLocation("2006-01-02T15:04:05", *local, location)
	if err != nil {
		return nil
	}
	return &t
}

// EventPage is a page of events.
type EventPage = connection.Page[Event]

// EventEdge is an event with its cursor.
type EventEdge = connection.Edge[Event]

// bookedPlaces is the SQL expression for Event.BookedPlaces. freePlaces is the SQL expression for
// the number of places that are neither booked nor reserved.
const (
	bookedPlaces = "(e.booked_places + e.registered)"
	freePlaces   = "(e.max_places - " + bookedPlaces + " - (" + reservedPlaces + "e.id AND (o.reservations_valid_until IS NULL OR o.reservations_valid_until > " + sqlNow + ")))"
)

// bookingAccount is the SQL expression for the account for which an event is held. If the account
// was merged, bookingAccount is the account that remained.
const bookingAccount = "coalesce((SELECT m.merged_to FROM merged_accounts m WHERE m.id = e.booking_account_id), e.booking_account_id)"

// eventText is the SQL expression for the text that the filters textSearch and
// eventOrCourseCodeOrTitle search.
const eventText = "concat_ws(' ', e.code, e.title, et.code, et.title)"

// eventJoins and eventColumns are the SQL that reads an event under the alias e, for searches of
// events and of interests.
const (
	eventJoins = `LEFT JOIN course_templates et ON et.id = e.course_template_id LEFT JOIN regions er ON er.id = e.region_id
		LEFT JOIN currencies ec ON ec.code = e.currency_code`
	eventColumns = `e.id, e.code, e.title, e.type, e.learning_mode, e.lifecycle_state, et.id, et.code, et.title, et.lifecycle_state, er.id, er.name,
		e.starts_at, e.ends_at, e.time_zone_name, e.registration_deadline, e.max_places, e.min_places, ` + bookedPlaces + `, e.cancelled_at,
		e.price, ec.code, ec.name, ec.symbol, e.internal_notes, ` + bookingAccount
)

var events = listing[Event]{
	from:    "events e " + eventJoins,
	columns: eventColumns,
	key:     "e.id",
	fields: map[string]column{
		"id":                       intKeyColumn("e.id", globalid.Event),
		"code":                     {sql: "e.code"},
		"title":                    {sql: "e.title"},
		"learningMode":             {sql: "e.learning_mode"},
		"lifecycleState":           {sql: "e.lifecycle_state"},
		"isActive":                 {sql: "(e.lifecycle_state = 'published')", kind: boolean},
		"createdAt":                {sql: "e.created_at", kind: instant},
		"updatedAt":                {sql: "e.updated_at", kind: instant},
		"cancelledAt":              {sql: "e.cancelled_at", kind: instant},
		"start":                    {sql: "e.starts_at", kind: localTime},
		"end":                      {sql: "e.ends_at", kind: localTime},
		"timeZonedStart":           {sql: "e.starts", kind: instant},
		"timeZonedEnd":             {sql: "e.ends", kind: instant},
		"courseTemplateCode":       {sql: "et.code"},
		"courseTemplateTitle":      {sql: "et.title"},
		"textSearch":               {sql: eventText},
		"eventOrCourseCodeOrTitle": {sql: eventText},
		"bookingAccountId":         intKeyColumn(bookingAccount, globalid.Account),
		"bookingAccountName":       {sql: "(SELECT a.name FROM accounts a WHERE a.id = " + bookingAccount + ")"},
		"maxPlaces":                {sql: "e.max_places", kind: integer},
		"minPlaces":                {sql: "e.min_places", kind: integer},
		"bookedPlaces":             {sql: bookedPlaces, kind: integer},
		"remainingPlaces":          {sql: freePlaces, kind: integer},
		"hasPlacesRemaining":       {sql: "(" + freePlaces + " > 0)", kind: boolean},
		"isSoldOut":                {sql: "(" + freePlaces + " <= 0)", kind: boolean},
	},
	scan: func(row scanner) (Event, error) {
		var e optionalEvent
		err := row.Scan(e.dest()...)
		if err != nil {
			return Event{}, err
		}
		return *e.get(), nil
	},
}

type optionalEvent struct {
	id                                  *int64
	code, title, typ, mode, state       *string
	template                            template
	region                              struct{ id, name *string }
	start, end, zone, deadline          *string
	maxPlaces, minPlaces, booked        *int
	cancelled, price, account           *int64
	currency, currencyName, currencySym *string
	notes                               *string
}

func (e *optionalEvent) dest() []any {
	return []any{
		&e.id, &e.code, &e.title, &e.typ, &e.mode, &e.state, &e.template.id, &e.template.code, &e.template.title, &e.template.state, &e.region.id, &e.region.name,
		&e.start, &e.end, &e.zone, &e.deadline, &e.maxPlaces, &e.minPlaces, &e.booked, &e.cancelled, &e.price, &e.currency, &e.currencyName, &e.currencySym, &e.notes, &e.account,
	}
}

func (e *optionalEvent) get() *Event {
	if e.id == nil {
		return nil
	}
	event := &Event{
		ID: *e.id, Code: *e.code, Title: *e.title, Type: *e.typ, LearningMode: *e.mode, LifecycleState: *e.state, CourseTemplate: e.template.get(),
		Start: e.start, End: e.end, TimeZoneName: e.zone, RegistrationDeadline: e.deadline,
		MaxPlaces: *e.maxPlaces, MinPlaces: *e.minPlaces, BookedPlaces: *e.booked, CancelledAt: optionalTime(e.cancelled),
		InternalNotes: e.notes, BookingAccountID: e.account,
	}
	if e.region.id != nil {
		event.Region = &Region{ID: *e.region.id, Name: *e.region.name}
	}
	if e.price != nil {
		price := fromCents(*e.price)
		event.Price = &price
	}
	if e.currency != nil {
		event.FinancialUnit = Currency{Code: *e.currency, Name: *e.currencyName, Symbol: *e.currencySym}
	}
	return event
}

// Events returns the events that match a search, in any lifecycle state.
func (s *Store) Events(ctx context.Context, q Search) (*EventPage, error) {
	return events.page(ctx, s, q)
}

// BookingAccount returns the account for which an event is held, or nil if the event has no such
// account.
func (s *Store) BookingAccount(ctx context.Context, e *Event) (*Account, error) {
	if e.BookingAccountID == nil {
		return nil, nil
	}
	return accounts.byKey(ctx, s.read, *e.BookingAccountID)
}

// EventByKey returns the event with the given key, or nil if no event has the key.
func (s *Store) EventByKey(ctx context.Context, id int64) (*Event, error) {
	return events.byKey(ctx, s.read, id)
}

type template struct {
	id                 *int64
	code, title, state *string
}

func (t *template) get() *CourseTemplate {
	if t.id == nil {
		return nil
	}
	return &CourseTemplate{ID: *t.id, Code: *t.code, Title: *t.title, LifecycleState: *t.state}
}
