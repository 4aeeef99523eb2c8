package administrate

import (
	"context"
	"fmt"
	"time"

	"github.com/oppflow/oppflow/administrate/transport"
)

// ScheduledEvent is a training event, with the members that side effects of transitions need. The
// fields are observed (API notes 5.3). A number is nil if the API does not return the number.
type ScheduledEvent struct {
	ID          string
	Title       string
	State       string // draft, published or cancelled (observed, API notes 3.6)
	Active      bool
	SoldOut     bool
	Cancelled   bool       // true if State is cancelled, or if the API returns a time of cancellation
	CancelledAt *time.Time // nil when the API returns no time of cancellation, or a time without an offset
	Start       LocalTime  // the local time in TimeZone; empty when there is none
	TimeZone    string     // a name of the IANA database
	StartsAt    *time.Time // the time Start with its UTC offset; nil when the API returns no such time
	MaxPlaces   *int
	// BookedPlaces is the number of booked places, without the places of cancelled learners
	// (observed, API notes 4.6).
	BookedPlaces *int
	// Reserved is the number of places that are reserved for the interests of opportunities.
	// Reserved does not count expired reservations.
	Reserved *int
	// RemainingPlaces is MaxPlaces - BookedPlaces - Reserved and may be negative (observed, API
	// notes 4.6).
	RemainingPlaces *int
}

const (
	recordKindEvent = "event"
	selectEvent     = "id title lifecycleState isActive isSoldOut cancelledAt start timeZoneName timeZonedStart" +
		" maxPlaces bookedPlaces reserved remainingPlaces"
)

// Event reads one event, and fails with NotFoundError when no event has the given id.
func (c *Client) Event(ctx context.Context, id string) (ScheduledEvent, error) {
	return findOne(ctx, c, newBuilder(&c.assumed), "Event", "events", recordKindEvent, id, selectEvent, eventDTO.event)
}

// Events reads 1 to 100 events by their ids in one request. The filter by id with the operation
// "in" is observed (API notes 3.3 and 5.3). The API decides the order of the events. Events returns
// no error for an id that no event has.
func (c *Client) Events(ctx context.Context, ids []string) ([]ScheduledEvent, error) {
	b := newBuilder(&c.assumed)
	b.location = "Events"
	b.checkEntryCount("ids", len(ids))
	values := make([]string, len(ids))
	for i, id := range ids {
		values[i] = b.bindRequired(fmt.Sprintf("ids[%d]", i), "id", "String", id)
	}
	arguments := "filters: [{field: id, operation: in, values: " + list(values) + "}], first: 100"
	page, err := findRows(ctx, c, b, "Events", "events", arguments, selectEvent, eventDTO.event)
	if err == nil && page.nextCursor != "" {
		return nil, transport.MalformedResponse("Events")
	}
	return page.rows, err
}

type eventDTO struct {
	ID              string              `json:"id"`
	Title           string              `json:"title"`
	LifecycleState  string              `json:"lifecycleState"`
	IsActive        bool                `json:"isActive"`
	IsSoldOut       bool                `json:"isSoldOut"`
	CancelledAt     anyTime             `json:"cancelledAt"`
	Start           localTime           `json:"start"`
	TimeZoneName    string              `json:"timeZoneName"`
	TimeZonedStart  transport.ZonedTime `json:"timeZonedStart"`
	MaxPlaces       *int                `json:"maxPlaces"`
	BookedPlaces    *int                `json:"bookedPlaces"`
	Reserved        *int                `json:"reserved"`
	RemainingPlaces *int                `json:"remainingPlaces"`
}

func (e eventDTO) event() (ScheduledEvent, error) {
	return ScheduledEvent{
		ID: e.ID, Title: e.Title, State: e.LifecycleState, Active: e.IsActive, SoldOut: e.IsSoldOut,
		Cancelled: e.LifecycleState == "cancelled" || e.CancelledAt.given, CancelledAt: e.CancelledAt.at,
		Start: LocalTime(e.Start), TimeZone: e.TimeZoneName, StartsAt: e.TimeZonedStart.Time,
		MaxPlaces: e.MaxPlaces, BookedPlaces: e.BookedPlaces, Reserved: e.Reserved, RemainingPlaces: e.RemainingPlaces,
	}, requireID(e.ID)
}
