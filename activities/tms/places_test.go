package tms_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms"
	"github.com/oppflow/oppflow/entity"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

var otherEvent = id(opportunity.TypeEvent, 2)

func reserving(item opportunity.ID, quantity int) exchange.Change {
	change := interest(item, quantity)
	change.Interest.Reserve = true
	return change
}

func expiry() exchange.Change {
	return exchange.Change{Request: "r", ReservationChange: &exchange.ReservationChange{}}
}

// fillEvent makes another opportunity reserve places on the event until only some places are
// free.
func (r *fixture) fillEvent(event opportunity.ID, free int) {
	r.t.Helper()
	got, err := r.client().Event(r.t.Context(), string(event))
	if err != nil {
		r.t.Fatal(err)
	}
	if *got.RemainingPlaces == free {
		return
	}
	others := r.createRecord("A-2")
	if out := r.apply(others, reserving(event, *got.RemainingPlaces-free), expiry()); out.Results[1].Reservation == nil || !out.Results[1].Reservation.Valid {
		r.t.Fatalf("%+v", out)
	}
	r.requestCount()
}

// twoEvents returns a record with held places on one event and an interest without places in a
// second event. Another opportunity has reserved the places of the second event, except for the
// given number of free places.
func (r *fixture) twoEvents(free int) (opportunity.ID, []opportunity.RecordedInterest) {
	r.t.Helper()
	r.fillEvent(otherEvent, free)
	record := r.createRecord("A-1")
	r.apply(record, reserving(event, 2), expiry())
	r.apply(record, interest(otherEvent, 2))
	var interests []opportunity.RecordedInterest
	for _, ref := range r.read(record).Interests {
		interests = append(interests, opportunity.RecordedInterest{ID: ref.ID, Item: string(ref.Item), Quantity: 2})
	}
	interests[0].Reserve, interests[0].Places = true, opportunity.PlacesHeld
	r.requestCount()
	return record, interests
}

func (r *fixture) wantPlaces(got effectOutcome, want ...opportunity.PlacesState) {
	r.t.Helper()
	var states []opportunity.PlacesState
	for _, one := range got.places {
		states = append(states, one.State)
	}
	if diff := cmp.Diff(want, states); diff != "" {
		r.t.Error(diff)
	}
}

// Held places on one event do not prove that the places on another event are held.
func TestReserveEffectLooksAtEachEvent(t *testing.T) {
	const held, notHeld, notKnown = opportunity.PlacesHeld, opportunity.PlacesNotHeld, opportunity.PlacesNotKnown
	assume := map[string]string{"reserve.short": "nothing"}
	t.Run("room", func(t *testing.T) {
		r := newFixtureAssuming(t, tms.ReferenceTag{}, assume)
		record, interests := r.twoEvents(5)
		expires := r.expiry(record)
		in := reserveEffect(record, interests, r.timeIn(48*time.Hour))
		r.loseNextAnswer()
		done := r.runEffect(in)
		r.wantEffect(done, 5, exchange.RequestReserve) // two requests each before and after, and the reservation
		r.wantPlaces(done, held, held)
		r.wantExpiry(record, expires) // the earlier reservation is not shortened
		if done.note != "" {
			t.Errorf("note %q", done.note)
		}
		in.Interests[1].Places = held
		again := r.runEffect(in)
		r.wantEffect(again, 2)
		r.wantPlaces(again, held, held)
	})
	t.Run("no room", func(t *testing.T) {
		r := newFixtureAssuming(t, tms.ReferenceTag{}, assume)
		record, interests := r.twoEvents(1)
		done := r.runEffect(reserveEffect(record, interests, r.timeIn(48*time.Hour)))
		r.wantEffect(done, 5, exchange.RequestReserve)
		r.wantPlaces(done, held, notKnown)
		if !strings.Contains(done.note, "it is not known whether places are reserved for interest "+string(interests[1].ID)) {
			t.Errorf("note %q", done.note)
		}
	})
	t.Run("no places of anybody", func(t *testing.T) {
		r := newFixtureAssuming(t, tms.ReferenceTag{}, assume)
		record, interests := r.twoEvents(16)
		r.apply(record, interest(otherEvent, 20))
		interests[1] = opportunity.RecordedInterest{ID: r.read(record).Interests[2].ID, Item: string(otherEvent), Quantity: 20}
		r.requestCount()
		in := reserveEffect(record, interests, r.timeIn(48*time.Hour))
		done := r.runEffect(in)
		r.wantProblem(done, 5, "no places are reserved for interest "+string(interests[1].ID), exchange.RequestReserve)
		r.wantPlaces(done, held, notHeld)
		if before := done.undoEntry.Notes["reservedBefore"]; before != "" {
			t.Errorf("after a failure the undo entry has the numbers %q", before)
		}
		in.UndoEntry = done.undoEntry
		r.wantProblem(r.runEffect(in), 5, "no places are reserved for interest", exchange.RequestReserve) // an operator's retry
	})
	t.Run("two events at once", func(t *testing.T) {
		r := newFixtureAssuming(t, tms.ReferenceTag{}, assume)
		r.fillEvent(otherEvent, 2)
		record := r.createRecord("A-1")
		r.apply(record, interest(event, 2), interest(otherEvent, 2))
		var interests []opportunity.RecordedInterest
		for _, ref := range r.read(record).Interests {
			interests = append(interests, opportunity.RecordedInterest{ID: ref.ID, Item: string(ref.Item), Quantity: 2})
		}
		r.requestCount()
		done := r.runEffect(reserveEffect(record, interests, r.timeIn(48*time.Hour)))
		r.wantEffect(done, 5, exchange.RequestReserve)
		r.wantPlaces(done, held, held)
	})
	t.Run("the only interest", func(t *testing.T) {
		r := newFixtureAssuming(t, tms.ReferenceTag{}, assume)
		record, interests := r.createWithEvent(3)
		done := r.runEffect(reserveEffect(record, interests, r.timeIn(48*time.Hour)))
		r.wantEffect(done, 3, exchange.RequestReserve)
		r.wantPlaces(done, held)
	})
}

// If it is not known whether places are held, the customer gets no mail that says that places are
// held.
func TestAMailDoesNotTellDoubtfulPlaces(t *testing.T) {
	r := newFixtureAssuming(t, tms.ReferenceTag{}, map[string]string{"reserve.short": "nothing"})
	r.loadPlaybook(`
emails:
  plain: { subject: "Held until {{.ReservedUntil}}", body: "Hello" }
  careful: { subject: "Hello", body: "{{if .ReservedUntil}}Held until {{.ReservedUntil}}{{else}}We ask{{end}}" }
`)
	record, interests := r.twoEvents(1)
	r.setPeople(record, userWithContact, contact)
	send := func(template string, state opportunity.PlacesState) effectOutcome {
		in := emailEffect(record, exchange.ToContact, template)
		in.Interests = interests
		in.Interests[1].Places = state
		return r.runEffect(in)
	}
	if got := send("plain", opportunity.PlacesNotKnown); !strings.Contains(got.problem, "Oppflow does not know for every event whether its places are reserved") {
		t.Errorf("problem %q", got.problem)
	}
	for _, c := range []struct {
		template string
		state    opportunity.PlacesState
	}{{"careful", opportunity.PlacesNotKnown}, {"careful", opportunity.PlacesNotHeld}, {"plain", opportunity.PlacesHeld}} {
		if got := send(c.template, c.state); got.problem != "" {
			t.Errorf("%s: problem %q", c.template, got.problem)
		}
	}
	all := r.outbox()
	if len(all) != 3 || !strings.Contains(all[0], "We ask") || !strings.Contains(all[1], "We ask") || !strings.Contains(all[2], "day, ") {
		t.Errorf("sent %q", all)
	}
}

func (r *fixture) applyMore(record opportunity.ID, batch ...exchange.Change) activities.ApplyResult {
	r.t.Helper()
	return mustRunActivity[activities.ApplyResult](r, activities.ApplyCommands, activities.ApplyInput{Reference: "A-1", Opportunity: record, Changes: batch, HasReservation: true})
}

func (r *fixture) wantReservedPlaces(what string, got exchange.ReservedPlaces, before, after, requests int) {
	r.t.Helper()
	text := func(n *int) int {
		if n == nil {
			return -1
		}
		return *n
	}
	if text(got.Before) != before || text(got.After) != after {
		r.t.Errorf("%s: %d reserved places before and %d after, want %d and %d", what, text(got.Before), text(got.After), before, after)
	}
	if n := r.requestCount(); n != requests {
		r.t.Errorf("%s: %d requests, want %d", what, n, requests)
	}
}

// The worker reads the numbers of reserved places only if the opportunity's reservation does not
// show on which event its places are.
func TestReservedPlacesAreReadAroundAChange(t *testing.T) {
	r := newFixtureAssuming(t, tms.ReferenceTag{}, map[string]string{"reserve.short": "nothing"})
	r.fillEvent(otherEvent, 5)
	record := r.createRecord("A-1")
	r.requestCount()
	out := r.apply(record, reserving(event, 2), interest(course, 1), expiry())
	r.wantReservedPlaces("the first reservation", out.Results[0].Reserved, -1, -1, 1)
	out = r.applyMore(record, reserving(otherEvent, 2), interest(course, 1), expiry())
	r.wantReservedPlaces("a second event", out.Results[0].Reserved, 11, 13, 3)
	r.wantReservedPlaces("an interest without places", out.Results[1].Reserved, -1, -1, 0)
	out = r.applyMore(record, interest(event, 2), expiry())
	r.wantReservedPlaces("no places", out.Results[0].Reserved, -1, -1, 1)
	r.fillEvent(otherEvent, 1)
	out = r.applyMore(record, reserving(otherEvent, 2), reserving(event, 1), expiry())
	r.wantReservedPlaces("an event without room", out.Results[0].Reserved, 15, 15, 3)
	r.wantReservedPlaces("an event with room", out.Results[1].Reserved, 2, 3, 0)

	both := r.createRecord("A-3")
	r.requestCount()
	out = r.apply(both, reserving(event, 1), reserving(event, 1), expiry())
	r.wantReservedPlaces("two interests at once", out.Results[1].Reserved, 3, 5, 3)

	full := r.createRecord("A-4")
	r.requestCount()
	out = r.apply(full, reserving(otherEvent, 2), reserving(otherEvent, 3), expiry())
	r.wantReservedPlaces("no reservation", out.Results[0].Reserved, -1, -1, 2)
}

// A valid reservation for one event says nothing about a second event that another opportunity has
// filled.
func TestOutcomeOfASecondEventWithoutRoom(t *testing.T) {
	r := newFixtureAssuming(t, tms.ReferenceTag{}, map[string]string{"reserve.short": "nothing"})
	for _, free := range []int{5, 1} {
		isHeld := free >= 2
		r.fillEvent(otherEvent, free)
		s := entity.NewState("A-1", opportunity.Start{Name: "First Aid", Region: string(regionDR)}, r.now())
		s.ApplyCreated(r.read(r.createRecord("A-1")), opportunity.Ref{ID: regionDR}, r.now())
		add := func(item opportunity.ID, requests int) opportunity.InterestResult {
			t.Helper()
			r.requestCount()
			command := opportunity.AddInterests{Interests: opportunity.Interests{*reserving(item, 2).Interest}}
			request, err := s.Accept(command, string(item), true, r.now())
			if err != nil {
				t.Fatal(err)
			}
			batch := s.NextBatch()
			out := mustRunActivity[activities.ApplyResult](r, activities.ApplyCommands, activities.ApplyInput{
				Reference: "A-1", Opportunity: s.ID, Changes: batch, HasReservation: s.HasReservation(),
			})
			s.ApplyResults(batch, s.VerifyResults(batch, out.Results), func() bool { return true }, r.now())
			outcome, err := s.Outcome(request)
			if err != nil || len(outcome.Results) != 1 {
				t.Fatalf("%+v, %v", outcome, err)
			}
			if n := r.requestCount(); n != requests {
				t.Errorf("%d requests, want %d", n, requests)
			}
			return outcome.Results[0]
		}
		if got := add(event, 1); got.ReservedUntil == nil || got.Error != nil {
			t.Errorf("%d free places, first event: %+v", free, got)
		}
		got := add(otherEvent, 3)
		if (got.ReservedUntil != nil) != isHeld || (got.Error == nil) != isHeld || got.Interest == "" {
			t.Errorf("%d free places, second event: %+v", free, got)
		}
		if isHeld != (len(s.Attention) == 0) {
			t.Errorf("%d free places: attention %+v", free, s.Attention)
		}
	}
}

// The worker makes the change even if it cannot read the events.
func TestReservedPlacesThatCannotBeRead(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	record := r.createRecord("A-1")
	r.apply(record, reserving(event, 2), expiry())
	r.interceptRequests(func(w http.ResponseWriter, q *http.Request) bool {
		if !strings.Contains(readBody(t, q), "remainingPlaces") {
			return false
		}
		w.WriteHeader(http.StatusBadGateway)
		return true
	})
	r.requestCount()
	out := r.applyMore(record, reserving(otherEvent, 2), expiry())
	r.wantReservedPlaces("no number", out.Results[0].Reserved, -1, -1, 3)
	if out.Status != exchange.StatusDone || out.Results[0].Status != exchange.StatusDone || !out.Results[1].Reservation.Valid {
		t.Errorf("%+v", out)
	}
}
