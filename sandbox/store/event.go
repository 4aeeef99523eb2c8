package store

import (
	"context"

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
	BookedPlaces   int
}

func (Event) isItem() {}

// GlobalID returns the API's id of the event, whose prefix is Course.
func (e Event) GlobalID() string { return globalid.EncodeInt(globalid.Event, e.ID) }

// EventPage is a page of events.
type EventPage = connection.Page[Event]

// EventEdge is one of events with its cursor.
type EventEdge = connection.Edge[Event]

var events = listing[Event]{
	from: `events e LEFT JOIN course_templates t ON t.id = e.course_template_id LEFT JOIN regions r ON r.id = e.region_id`,
	columns: `e.id, e.code, e.title, e.lifecycle_state, t.id, t.code, t.title, t.lifecycle_state, r.id, r.name,
		e.starts_at, e.ends_at, e.time_zone_name, e.max_places, e.booked_places`,
	key: "e.id",
	fields: map[string]column{
		"id":                  intKeyColumn("e.id", globalid.Event),
		"code":                {sql: "e.code"},
		"title":               {sql: "e.title"},
		"lifecycleState":      {sql: "e.lifecycle_state"},
		"start":               {sql: "e.starts_at", kind: localTime},
		"end":                 {sql: "e.ends_at", kind: localTime},
		"courseTemplateCode":  {sql: "t.code"},
		"courseTemplateTitle": {sql: "t.title"},
		"maxPlaces":           {sql: "e.max_places", kind: integer},
		"bookedPlaces":        {sql: "e.booked_places", kind: integer},
	},
	scan: func(row scanner) (Event, error) {
		var e Event
		var t template
		var r struct{ id, name *string }
		err := row.Scan(&e.ID, &e.Code, &e.Title, &e.LifecycleState, &t.id, &t.code, &t.title, &t.state, &r.id, &r.name,
			&e.Start, &e.End, &e.TimeZoneName, &e.MaxPlaces, &e.BookedPlaces)
		if err != nil {
			return e, err
		}
		e.CourseTemplate = t.get()
		if r.id != nil {
			e.Region = &Region{ID: *r.id, Name: *r.name}
		}
		return e, nil
	},
}

// Events searches the events, whatever their state.
func (s *Store) Events(ctx context.Context, q Search) (*EventPage, error) {
	return events.page(ctx, s.read, q)
}

const reservedPlacesQuery = `SELECT coalesce(sum(i.quantity), 0) FROM interests i JOIN opportunities o ON o.id = i.opportunity_id
	WHERE i.event_id = ? AND i.reserve = 1 AND (o.reservations_valid_until IS NULL OR o.reservations_valid_until > ?)`

// ReservedPlaces counts the places that interests hold on an event right now.
func (s *Store) ReservedPlaces(ctx context.Context, event int64) (int, error) {
	var n int
	err := s.read.QueryRowContext(ctx, reservedPlacesQuery, event, s.now().UnixMicro()).Scan(&n)
	return n, err
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
