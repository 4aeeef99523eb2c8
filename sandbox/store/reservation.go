package store

import (
	"context"
	"database/sql"
	"strconv"
	"time"

	"github.com/oppflow/oppflow/sandbox/assumptions"
	"github.com/oppflow/oppflow/sandbox/globalid"
)

// ExtendReservations is the input of the method ExtendReservations.
type ExtendReservations struct {
	OpportunityID          string
	ReservationsValidUntil time.Time
}

// ReservePlaces is the input of ReservePlacesForInterests.
type ReservePlaces struct{ InterestIDs []*string }

// IsReservationValid reports whether an opportunity has reserved places now.
func (s *Store) IsReservationValid(ctx context.Context, opportunity int64) (bool, error) {
	if s.choices.Is(assumptions.ReservationNone, "true") {
		var never bool
		err := s.read.QueryRowContext(ctx, `SELECT NOT EXISTS (SELECT 1 FROM interests WHERE opportunity_id = ? AND (reserve OR consumed))`, opportunity).Scan(&never)
		if err != nil || never {
			return never, err
		}
	}
	return hasReservation(ctx, s.read, opportunity, s.now())
}

const hasReservationQuery = `SELECT EXISTS (SELECT 1 FROM interests i JOIN opportunities o ON o.id = i.opportunity_id
	WHERE i.opportunity_id = ? AND i.reserve = 1 AND (o.reservations_valid_until IS NULL OR o.reservations_valid_until > ?))`

// All reservations of an opportunity have the same expiry time, which the opportunity stores.
func hasReservation(ctx context.Context, q queryer, opportunity int64, at time.Time) (bool, error) {
	var yes bool
	if isMutant("a reservation is still valid at its expiry time") {
		at = at.Add(-time.Microsecond)
	}
	err := q.QueryRowContext(ctx, hasReservationQuery, opportunity, at.UnixMicro()).Scan(&yes)
	return yes, err
}

// reservedPlaces is the beginning of the SQL that counts the reserved places on an event. A query
// appends the id of the event and a condition on the expiry time to reservedPlaces.
const reservedPlaces = `SELECT coalesce(sum(i.quantity), 0) FROM interests i JOIN opportunities o ON o.id = i.opportunity_id
	WHERE i.reserve = 1 AND i.event_id = `

const reservedPlacesQuery = reservedPlaces + `? AND (o.reservations_valid_until IS NULL OR o.reservations_valid_until > ?)`

// ReservedPlaces returns the number of places that interests reserve on an event now.
func (s *Store) ReservedPlaces(ctx context.Context, event int64) (int, error) {
	return countReserved(ctx, s.read, event, s.now())
}

func countReserved(ctx context.Context, q queryer, event int64, at time.Time) (int, error) {
	var n int
	err := q.QueryRowContext(ctx, reservedPlacesQuery, event, at.UnixMicro()).Scan(&n)
	return n, err
}

// remainingPlaces returns the number of places that are neither booked nor reserved, which may be
// negative.
func (s *Store) remainingPlaces(ctx context.Context, q queryer, event int64) (int, error) {
	var free int
	if err := q.QueryRowContext(ctx, `SELECT e.max_places - `+bookedPlaces+` FROM events e WHERE e.id = ?`, event).Scan(&free); err != nil {
		return 0, err
	}
	reserved, err := countReserved(ctx, q, event, s.now())
	return free - reserved, err
}

// canReserve reports whether an interest in an event may reserve places. canReserve returns false
// without an error if the API would reserve no places and return no error.
func (s *Store) canReserve(ctx context.Context, q queryer, event int64, quantity int) (bool, error) {
	refused, nothing := s.choices.Is(assumptions.ReserveOverbooked, "refused"), s.choices.Is(assumptions.ReserveOverbooked, "nothing")
	if !refused && !nothing {
		return true, nil
	}
	free, err := s.remainingPlaces(ctx, q, event)
	if err != nil || free >= quantity {
		return err == nil, err
	}
	if refused {
		return false, newRefusal(LabelSoldOut, strconv.Itoa(quantity), "the event has %d free places, but the reservation needs %d places", max(free, 0), quantity)
	}
	return false, nil
}

func (s *Store) setDefaultExpiry(ctx context.Context, tx *sql.Tx, opportunity int64) error {
	if !s.choices.Is(assumptions.ReserveDuration, "week") {
		return nil
	}
	_, err := tx.ExecContext(ctx, `UPDATE opportunities SET reservations_valid_until = ? WHERE id = ? AND reservations_valid_until IS NULL`,
		s.now().Add(7*24*time.Hour).UnixMicro(), opportunity)
	return err
}

// ReservePlacesForInterests reserves places for existing interests. For an opportunity with expired
// or released reservations, ReservePlacesForInterests by default reserves nothing and returns no
// error (observed). ReservePlacesForInterests changes nothing for an interest that already has
// reserved places or is registered.
func (s *Store) ReservePlacesForInterests(ctx context.Context, in ReservePlaces) ([]*Interest, error) {
	var answer []*Interest
	err := s.inTransaction(ctx, func(ctx context.Context, tx *sql.Tx) error {
		for _, id := range in.InterestIDs {
			i, err := s.reserveInterest(ctx, tx, id)
			if err != nil {
				return err
			}
			answer = append(answer, i)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

func (s *Store) reserveInterest(ctx context.Context, tx *sql.Tx, id *string) (*Interest, error) {
	if id == nil {
		return nil, newRefusal(LabelInvalidID, "", "interestIds contains null")
	}
	key, err := intKey("interestIds", *id, globalid.OpportunityInterest)
	if err != nil {
		return nil, err
	}
	i, err := interests.byKey(ctx, tx, key)
	if err != nil {
		return nil, err
	}
	if i == nil {
		return nil, notFound("Interest", *id)
	}
	event, ok := i.Item.(Event)
	if !ok && s.choices.Is(assumptions.ReserveKind, "ignored") {
		return i, nil
	}
	if !ok {
		return nil, newRefusal(LabelDetails, *id, "interestIds: places can be reserved only for an interest in an event")
	}
	if i.Reserve || i.RegistrationID != nil {
		return i, nil
	}
	if !event.IsActive() && s.choices.Is(assumptions.ReserveState, "published") {
		return nil, newRefusal(LabelNotPublished, event.GlobalID(), "Event %s is %s, so no places can be reserved on the event", event.GlobalID(), event.LifecycleState)
	}
	if err := s.checkReservationNotExpired(ctx, tx, i.OpportunityID); err != nil {
		return nil, err
	}
	may, err := s.canReserve(ctx, tx, event.ID, i.Quantity)
	if err != nil || !may {
		return i, err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE interests SET reserve = 1 WHERE id = ?`, i.ID); err != nil {
		return nil, err
	}
	if err := s.setDefaultExpiry(ctx, tx, i.OpportunityID); err != nil {
		return nil, err
	}
	if isMutant("reserving makes an expired reservation valid") {
		if _, err := tx.ExecContext(ctx, `UPDATE opportunities SET reservations_valid_until = NULL WHERE id = ?`, i.OpportunityID); err != nil {
			return nil, err
		}
	}
	if err := s.setUpdatedAt(ctx, tx, i.OpportunityID); err != nil {
		return nil, err
	}
	return interests.byKey(ctx, tx, key)
}

// ExtendReservations sets the time at which the reservations of an opportunity expire. An expiry
// time in the past releases the reservations. Without a valid reservation, ExtendReservations
// changes nothing and returns no error (observed).
func (s *Store) ExtendReservations(ctx context.Context, in ExtendReservations) (*Opportunity, error) {
	return s.changeOpportunity(ctx, func(ctx context.Context, tx *sql.Tx) (int64, error) {
		o, err := opportunityByID(ctx, tx, "opportunityId", in.OpportunityID)
		if err != nil {
			return 0, err
		}
		live, err := hasReservation(ctx, tx, o.ID, s.now())
		if err != nil || !live && !isMutant("extending makes an expired reservation valid") {
			return o.ID, err
		}
		if isMutant("extending to the current time releases no places") && !in.ReservationsValidUntil.After(s.now()) {
			return o.ID, nil
		}
		_, err = tx.ExecContext(ctx, `UPDATE opportunities SET reservations_valid_until = ? WHERE id = ?`, in.ReservationsValidUntil.UnixMicro(), o.ID)
		if err != nil {
			return 0, err
		}
		return o.ID, s.setUpdatedAt(ctx, tx, o.ID)
	})
}
