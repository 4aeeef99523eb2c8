package sandbox_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/oppflow/oppflow/sandbox"
	"github.com/oppflow/oppflow/sandbox/globalid"
)

// reserve adds an interest in Event:1 that reserves quantity places. Event:1 has 12 places, of
// which 4 are booked.
func (a *api) reserve(t *testing.T, opportunity string, quantity int) {
	t.Helper()
	mustSucceed(t, a.mutate(t, "addInterest", fmt.Sprintf(`opportunityId: %q, interestDetails: {id: "Q291cnNlOjE=", reserve: true, quantity: %d, unitAmount: "10.00"}`, opportunity, quantity), "interests { id }"))
}

// The response contains no errors, even if the request had no effect.
func (a *api) extend(t *testing.T, opportunity string, until time.Time) {
	t.Helper()
	mustSucceed(t, a.mutate(t, "extendReservations", fmt.Sprintf("opportunityId: %q, reservationsValidUntil: %q", opportunity, until.Format(time.RFC3339Nano)), "opportunity { id }"))
}

func (a *api) wantReservation(t *testing.T, when, opportunity string, valid bool, until any, reserved int) {
	t.Helper()
	data := a.query(t, `query($id: ID!) {
		node(id: $id) { ... on Opportunity { isReservationValid reservationsValidUntil } }
		events(filters: {field: id, operation: eq, value: "Q291cnNlOjE="}) { edges { node { maxPlaces bookedPlaces reserved remainingPlaces } } }
	}`, vars{"id": opportunity})
	if valueAt(t, data, "node", "isReservationValid") != valid || valueAt(t, data, "node", "reservationsValidUntil") != until {
		t.Errorf("%s: the opportunity has %v, want isReservationValid %v and reservationsValidUntil %v", when, valueAt(t, data, "node"), valid, until)
	}
	event := valueAt(t, data, "events", "edges", 0, "node")
	if valueAt(t, event, "reserved") != float64(reserved) || valueAt(t, event, "remainingPlaces") != float64(12-4-reserved) {
		t.Errorf("%s: the event has %v, want %d reserved and %d remaining places", when, event, reserved, 12-4-reserved)
	}
}

// Documented (API notes 4.6): an interest with reserve reserves as many places as the interest's
// quantity. Observed (API notes 4.6): extendReservations sets the expiry time of all reservations
// of the opportunity. A client can release reservations only by calling extendReservations with the
// current time. extendReservations does not make an ended reservation valid again, but returns no
// error. Before the first extension, reservationsValidUntil is null. Reservations expire by
// themselves, without a request.
func TestReservationsExpireAndAreReleased(t *testing.T) {
	t.Parallel()
	now := newClock()
	a := open(t, sandbox.Options{Now: now.Now})
	x, y := a.create(t, "x"), a.create(t, "y")
	a.wantReservation(t, "at first", x, false, nil, 0)
	mustSucceed(t, a.mutate(t, "addInterest", fmt.Sprintf(`opportunityId: %q, interestDetails: {id: "Q291cnNlOjE=", reserve: false, quantity: 5, unitAmount: "10.00"}`, x), "interests { id }"))
	a.wantReservation(t, "an interest that does not reserve", x, false, nil, 0)
	a.extend(t, x, now.Now().Add(time.Hour))
	a.wantReservation(t, "extending what holds nothing", x, false, nil, 0)

	a.reserve(t, x, 3)
	a.wantReservation(t, "before the first extension", x, true, nil, 3)
	a.reserve(t, y, 2)
	now.advance(1000 * time.Hour)
	a.wantReservation(t, "a hold without an expiry lasts", x, true, nil, 5)

	now.advance(-1000 * time.Hour)
	a.extend(t, x, now.Now().Add(time.Hour))
	a.wantReservation(t, "extended", x, true, "2026-03-02T10:00:00+00:00", 5)
	a.reserve(t, x, 4)
	a.wantReservation(t, "a second interest shares the expiry, and places may run short", x, true, "2026-03-02T10:00:00+00:00", 9)

	now.advance(time.Hour - time.Microsecond)
	a.wantReservation(t, "right before the expiry", x, true, "2026-03-02T10:00:00+00:00", 9)
	now.advance(time.Microsecond)
	a.wantReservation(t, "at the expiry", x, false, "2026-03-02T10:00:00+00:00", 2)
	a.wantReservation(t, "the other one holds", y, true, nil, 2)

	a.extend(t, x, now.Now().Add(time.Hour))
	a.wantReservation(t, "an expired hold is not revived", x, false, "2026-03-02T10:00:00+00:00", 2)
	a.reserve(t, x, 1)
	a.wantReservation(t, "nor does a new interest hold", x, false, "2026-03-02T10:00:00+00:00", 2)

	a.extend(t, y, now.Now())
	a.wantReservation(t, "released with the time it is", y, false, "2026-03-02T10:00:00+00:00", 0)
	a.extend(t, y, now.Now().Add(time.Hour))
	a.wantReservation(t, "a released hold is not revived", y, false, "2026-03-02T10:00:00+00:00", 0)
}

func TestExtensionsMayShortenAndHaveAnyOffset(t *testing.T) {
	t.Parallel()
	now := newClock()
	a := open(t, sandbox.Options{Now: now.Now})
	id := a.create(t, "x")
	a.reserve(t, id, 8)
	a.wantReservation(t, "sold out", id, true, nil, 8)
	a.extend(t, id, time.Date(2026, 5, 1, 12, 0, 0, 0, time.FixedZone("", 2*3600)))
	a.wantReservation(t, "with an offset", id, true, "2026-05-01T10:00:00+00:00", 8)
	a.extend(t, id, now.Now().Add(1500*time.Millisecond))
	a.wantReservation(t, "shortened", id, true, "2026-03-02T09:00:01.5+00:00", 8)
	now.advance(2 * time.Second)
	a.wantReservation(t, "lapsed", id, false, "2026-03-02T09:00:01.5+00:00", 0)
}

func TestReserveAndExtendInOneRequest(t *testing.T) {
	t.Parallel()
	now := newClock()
	a := open(t, sandbox.Options{Now: now.Now})
	id := a.create(t, "x")
	wantJSON(t, a.query(t, `mutation($id: ID!, $until: TimeZonedDateTime!) {
		add: opportunities { addInterest(input: {opportunityId: $id, interestDetails: {id: "Q291cnNlOjE=", reserve: true, quantity: 2, unitAmount: "10.00"}}) { errors { label } interests { id item { ... on Event { reserved } } } } }
		extend: opportunities { extendReservations(input: {opportunityId: $id, reservationsValidUntil: $until}) { errors { label } opportunity { isReservationValid reservationsValidUntil } } }
	}`, vars{"id": id, "until": "2026-03-03T09:00:00Z"}), `{
		"add": {"addInterest": {"errors": [], "interests": [{"id": "T3Bwb3J0dW5pdHlJbnRlcmVzdDox", "item": {"reserved": 2}}]}},
		"extend": {"extendReservations": {"errors": [], "opportunity": {"isReservationValid": true, "reservationsValidUntil": "2026-03-03T09:00:00+00:00"}}}
	}`)
}

// Observed (API notes 4.2): a client reads from an event the opportunities with interests in the
// event.
func TestInterestsOfAnEvent(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{})
	x := a.create(t, "x")
	a.reserve(t, x, 1)
	a.addCourse(t, x, 1, "1.00")
	a.reserve(t, globalid.EncodeInt(globalid.Opportunity, 1), 1)
	wantJSON(t, a.query(t, `{ events(filters: {field: id, operation: eq, value: "Q291cnNlOjE="}) { edges { node { interests(first: 5) { pageInfo { totalRecords } edges { node { opportunity { name } } } } } } } }`, nil),
		`{"events": {"edges": [{"node": {"interests": {"pageInfo": {"totalRecords": 2}, "edges": [{"node": {"opportunity": {"name": "x"}}}, {"node": {"opportunity": {"name": "Annual first aid refresher"}}}]}}}]}}`)
}

// The assumptions about reservations apply to reservePlacesForInterests as well as to addInterest.
func TestLaterReservationAssumptions(t *testing.T) {
	t.Parallel()
	for row, test := range map[string]struct {
		item    string
		between func(t *testing.T, a *api, opportunity string) // runs after the interest is added and before its places are reserved
		want    map[string]string
	}{
		"reserve.kind": {
			globalid.EncodeInt(globalid.LearningPath, 1), func(*testing.T, *api, string) {},
			map[string]string{"refused": "Details Do Not Fit, 0 reserved", "ignored": ", 0 reserved"},
		},
		"reserve.lapsed": {
			eventOne, func(t *testing.T, a *api, opportunity string) {
				t.Helper()
				a.reserve(t, opportunity, 1)
				a.extend(t, opportunity, newClock().Now())
			}, map[string]string{"silent": ", 0 reserved", "refused": "Invalid Value, 0 reserved"},
		},
		"reserve.state": {
			eventOne, func(t *testing.T, a *api, _ string) {
				t.Helper()
				a.updateEvent(t, eventOne, `lifecycleState: "cancelled"`)
			}, map[string]string{"any": ", 2 reserved", "published": "Not Published, 0 reserved"},
		},
		"reserve.state of a draft": {
			eventOne, func(t *testing.T, a *api, _ string) {
				t.Helper()
				a.updateEvent(t, eventOne, `lifecycleState: "draft"`)
			}, map[string]string{"any": ", 2 reserved", "published": "Not Published, 0 reserved"},
		},
		"reserve.short": {
			eventOne, func(t *testing.T, a *api, _ string) {
				t.Helper()
				a.updateEvent(t, eventOne, `maxPlaces: 5`)
			}, map[string]string{"held": ", 2 reserved", "refused": "Sold Out, 0 reserved", "nothing": ", 0 reserved"},
		},
	} {
		row, _, _ := strings.Cut(row, " ")
		for value, wanted := range test.want {
			t.Run(row+"="+value, func(t *testing.T) {
				a := open(t, sandbox.Options{Now: newClock().Now, Assumptions: map[string]string{row: value}})
				id := a.create(t, "x")
				interest := a.addItem(t, id, test.item, 2, "1.00", "")
				test.between(t, a, id)
				label, _, _ := strings.Cut(refusalOf(t, a.mutate(t, "reservePlacesForInterests", fmt.Sprintf("interestIds: [%q]", interest), "interests { id }")), ":")
				reserved := valueAt(t, a.query(t, `query ($id: ID!) { node(id: $id) { ... on Event { reserved } } }`, vars{"id": eventOne}), "node", "reserved")
				if got := fmt.Sprintf("%s, %v reserved", label, reserved); got != wanted {
					t.Errorf("%q, want %q", got, wanted)
				}
			})
		}
	}
}

// With the value "true" of the assumption isReservationValid.none, isReservationValid is true for
// an opportunity that never reserved a place. After a booking of the reserved places,
// isReservationValid is false, because the reservation has ended.
func TestABookedReservationIsNotAnAbsentOne(t *testing.T) {
	t.Parallel()
	for held, wanted := range map[string]string{"reserve: true": "true, true, false", "reserve: false": "true, true, true"} {
		a := open(t, sandbox.Options{Assumptions: map[string]string{"isReservationValid.none": "true"}, Catalogue: catalogueWinningWith(t, "triggers: [registration]")})
		id := a.create(t, "x")
		valid := func() any {
			t.Helper()
			return valueAt(t, a.query(t, `query ($id: ID!) { node(id: $id) { ... on Opportunity { isReservationValid } } }`, vars{"id": id}), "node", "isReservationValid")
		}
		before := valid()
		a.addItem(t, id, eventOne, 2, "1.00", held)
		during := valid()
		if refused := a.progress(t, id, stepOpportunity) + a.progress(t, id, stepWon); refused != "" {
			t.Fatal(refused)
		}
		wantPlaces(t, a, eventOne, "max 12 booked 6 reserved 0 ")
		if got := fmt.Sprintf("%v, %v, %v", before, during, valid()); got != wanted {
			t.Errorf("%s: %s, want %s", held, got, wanted)
		}
	}
}
