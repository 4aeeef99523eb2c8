package store

import (
	"context"
	"database/sql"
	"slices"
	"strconv"
	"time"

	"github.com/oppflow/oppflow/sandbox/connection"
	"github.com/oppflow/oppflow/sandbox/globalid"
)

// Event is a scheduled run of a course. Start and End are local to TimeZoneName.
type Event struct {
	ID             int64
	Code           string
	Title          string
	LifecycleState string
	CourseTemplate *CourseTemplate
	Region         *Region
	Start          *string
	End            *string
	TimeZoneName   *string
	MaxPlaces      int
	// BookedPlaces are those taken before the sandbox began, and one for each active learner.
	BookedPlaces int
	CancelledAt  *time.Time
}

func (Event) isItem() {}

// IsActive reports whether the event can be booked and attended.
func (e Event) IsActive() bool { return e.LifecycleState == published }

// GlobalID returns the API's id of the event, whose prefix is Course.
func (e Event) GlobalID() string { return globalid.EncodeInt(globalid.Event, e.ID) }

// TimeZonedStart is when the event starts, nil if nobody can tell.
func (e Event) TimeZonedStart() *time.Time { return e.zoned(e.Start) }

// TimeZonedEnd is when the event ends, nil if nobody can tell.
func (e Event) TimeZonedEnd() *time.Time { return e.zoned(e.End) }

func (e Event) zoned(local *string) *time.Time {
	if local == nil || e.TimeZoneName == nil {
		return nil
	}
	zone, err := time.LoadLocation(*e.TimeZoneName)
	if err != nil {
		return nil
	}
	at, err := time.ParseInLocation("2006-01-02T15:04:05", *local, zone)
	if err != nil {
		return nil
	}
	return &at
}

// EventPage is a page of events.
type EventPage = connection.Page[Event]

// EventEdge is one of events with its cursor.
type EventEdge = connection.Edge[Event]

// bookedPlaces counts in SQL what BookedPlaces of an Event says.
const bookedPlaces = "(e.booked_places + e.registered)"

// The places of an event in SQL: what is held now, and what is left.
const (
	reservedNow = `(SELECT coalesce(sum(i.quantity), 0) FROM interests i JOIN opportunities o ON o.id = i.opportunity_id
		WHERE i.event_id = e.id AND i.reserve = 1 AND (o.reservations_valid_until IS NULL OR o.reservations_valid_until > ` + sqlNow + `))`
	remainingNow = "(e.max_places - " + bookedPlaces + " - " + reservedNow + ")"
)

var events = listing[Event]{
	from: `events e LEFT JOIN course_templates t ON t.id = e.course_template_id LEFT JOIN regions r ON r.id = e.region_id`,
	columns: `e.id, e.code, e.title, e.lifecycle_state, t.id, t.code, t.title, t.lifecycle_state, r.id, r.name,
		e.starts_at, e.ends_at, e.time_zone_name, e.max_places, ` + bookedPlaces + `, e.cancelled_at`,
	key: "e.id",
	fields: map[string]column{
		"id":                  intKeyColumn("e.id", globalid.Event),
		"code":                {sql: "e.code"},
		"title":               {sql: "e.title"},
		"lifecycleState":      {sql: "e.lifecycle_state"},
		"cancelledAt":         {sql: "e.cancelled_at", kind: moment},
		"start":               {sql: "e.starts_at", kind: localTime},
		"end":                 {sql: "e.ends_at", kind: localTime},
		"courseTemplateCode":  {sql: "t.code"},
		"courseTemplateTitle": {sql: "t.title"},
		"maxPlaces":           {sql: "e.max_places", kind: integer},
		"bookedPlaces":        {sql: bookedPlaces, kind: integer},
		"remainingPlaces":     {sql: remainingNow, kind: integer},
		"hasPlacesRemaining":  {sql: "(" + remainingNow + " > 0)", kind: truth},
		"isSoldOut":           {sql: "(" + remainingNow + " <= 0)", kind: truth},
		"isActive":            {sql: "(e.lifecycle_state = '" + published + "')", kind: truth},
	},
	scan: func(row scanner) (Event, error) {
		var e Event
		var t template
		var r struct{ id, name *string }
		var cancelled *int64
		err := row.Scan(&e.ID, &e.Code, &e.Title, &e.LifecycleState, &t.id, &t.code, &t.title, &t.state, &r.id, &r.name,
			&e.Start, &e.End, &e.TimeZoneName, &e.MaxPlaces, &e.BookedPlaces, &cancelled)
		if err != nil {
			return e, err
		}
		e.CourseTemplate, e.CancelledAt = t.get(), optionalTime(cancelled)
		if r.id != nil {
			e.Region = &Region{ID: *r.id, Name: *r.name}
		}
		return e, nil
	},
}

// Events searches the events, whatever their state.
func (s *Store) Events(ctx context.Context, q Search) (*EventPage, error) {
	return events.page(ctx, s, q)
}

// EventUpdate is the input of UpdateEvent. What is nil stays as it is.
type EventUpdate struct {
	Title          *string
	LifecycleState *string
	MaxPlaces      *int
	// Start and End are local to TimeZoneName (observed).
	Start        *string
	End          *string
	TimeZoneName *string
}

// UpdateEvent changes an event. One that is cancelled keeps its interests, its holds and its learners (observed).
func (s *Store) UpdateEvent(ctx context.Context, id string, in EventUpdate) (*Event, error) {
	var changed *Event
	err := s.change(ctx, func(ctx context.Context, tx *sql.Tx) error {
		key, err := intKey("eventId", id, globalid.Event)
		if err != nil {
			return err
		}
		e, err := events.one(ctx, tx, key)
		if err != nil {
			return err
		}
		if e == nil {
			return notFound("Event", id)
		}
		if in.MaxPlaces != nil && (*in.MaxPlaces < 0 || *in.MaxPlaces > maxQuantity) {
			return problem(LabelInvalidValue, strconv.Itoa(*in.MaxPlaces), "maxPlaces is %d, it must be between 0 and %d", *in.MaxPlaces, maxQuantity)
		}
		if state := in.LifecycleState; state != nil && !slices.Contains([]string{"draft", published, cancelled}, *state) {
			return problem(LabelInvalidValue, *state, "lifecycleState is %q, it must be draft, published or cancelled", *state)
		}
		if zone := in.TimeZoneName; zone != nil {
			if _, err := time.LoadLocation(*zone); err != nil || *zone == "" || *zone == "Local" {
				return problem(LabelInvalidValue, *zone, "timeZoneName is %q, it must be a name such as Europe/London", *zone)
			}
		}
		_, err = tx.ExecContext(ctx, `UPDATE events SET changed = 1, title = coalesce(?, title), lifecycle_state = coalesce(?, lifecycle_state),
			max_places = coalesce(?, max_places), starts_at = coalesce(?, starts_at), ends_at = coalesce(?, ends_at),
			time_zone_name = coalesce(?, time_zone_name) WHERE id = ?`, in.Title, in.LifecycleState, in.MaxPlaces, in.Start, in.End, in.TimeZoneName, key)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE events SET cancelled_at = iif(lifecycle_state = ?, coalesce(cancelled_at, ?), NULL) WHERE id = ?`,
			cancelled, s.now().UnixMicro(), key)
		if err == nil {
			changed, err = events.one(ctx, tx, key)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return changed, nil
}

// EventByKey returns the event with a key, nil if there is none.
func (s *Store) EventByKey(ctx context.Context, id int64) (*Event, error) {
	return events.one(ctx, s.read, id)
}

// template reads the course template of an outer join.
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
