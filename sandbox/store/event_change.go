package store

import (
	"context"
	"database/sql"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/oppflow/oppflow/sandbox/globalid"
)

// EventUpdate is the input of UpdateEvent. UpdateEvent changes only the fields whose member is not
// nil. Start and End are local times of the time zone TimeZoneName.
type EventUpdate struct {
	Title          *string
	LifecycleState *string
	MaxPlaces      *int
	Start          *string
	End            *string
	TimeZoneName   *string
}

// UpdateEvent changes an event. A cancelled event keeps its interests, its reservations and its learners (observed).
func (s *Store) UpdateEvent(ctx context.Context, id string, in EventUpdate) (*Event, error) {
	var changed *Event
	err := s.inTransaction(ctx, func(ctx context.Context, tx *sql.Tx) error {
		key, err := intKey("eventId", id, globalid.Event)
		if err != nil {
			return err
		}
		e, err := events.byKey(ctx, tx, key)
		if err != nil {
			return err
		}
		if e == nil {
			return notFound("Event", id)
		}
		if err := in.check(); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE events SET changed = 1, title = coalesce(?, title), lifecycle_state = coalesce(?, lifecycle_state),
			max_places = coalesce(?, max_places), starts_at = coalesce(?, starts_at), ends_at = coalesce(?, ends_at),
			time_zone_name = coalesce(?, time_zone_name), updated_at = ? WHERE id = ?`,
			in.Title, in.LifecycleState, in.MaxPlaces, in.Start, in.End, in.TimeZoneName, s.now().UnixMicro(), key)
		if err != nil {
			return err
		}
		if changed, err = events.byKey(ctx, tx, key); err != nil {
			return err
		}
		if changed.Start != nil && changed.End != nil && *changed.End < *changed.Start {
			return newRefusal(LabelInvalidValue, *changed.End, "end is before start")
		}
		_, err = tx.ExecContext(ctx, `UPDATE events SET starts = ?, ends = ?, cancelled_at = iif(lifecycle_state = ?, coalesce(cancelled_at, ?), NULL) WHERE id = ?`,
			micros(changed.TimeZonedStart()), micros(changed.TimeZonedEnd()), cancelled, s.now().UnixMicro(), key)
		if err == nil {
			changed, err = events.byKey(ctx, tx, key)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return changed, nil
}

func (in EventUpdate) check() error {
	if in.MaxPlaces != nil && (*in.MaxPlaces < 0 || *in.MaxPlaces > maxQuantity) {
		return newRefusal(LabelInvalidValue, strconv.Itoa(*in.MaxPlaces), "maxPlaces is %d, but must be between 0 and %d", *in.MaxPlaces, maxQuantity)
	}
	if title := in.Title; title != nil && strings.TrimSpace(*title) == "" {
		return newRefusal(LabelInvalidValue, *title, "title is empty")
	}
	if state := in.LifecycleState; state != nil && !slices.Contains([]string{"draft", published, cancelled}, *state) {
		return newRefusal(LabelInvalidValue, *state, "lifecycleState is %q, but must be draft, published or cancelled", *state)
	}
	if zone := in.TimeZoneName; zone != nil {
		if _, err := time.LoadLocation(*zone); err != nil || *zone == "" || *zone == "Local" {
			return newRefusal(LabelInvalidValue, *zone, "timeZoneName is %q, but must be an IANA name such as Europe/London", *zone)
		}
	}
	return nil
}

// micros returns a time in microseconds, which is the form in the database, and nil for a nil time.
func micros(t *time.Time) *int64 {
	if t == nil {
		return nil
	}
	n := t.UnixMicro()
	return &n
}
