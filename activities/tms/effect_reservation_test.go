package tms_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// createWithEvent returns a record with an interest in an event, without reserved places.
func (r *fixture) createWithEvent(quantity int) (record opportunity.ID, interests []opportunity.RecordedInterest) {
	r.t.Helper()
	record = r.createRecord("A-1")
	answer := r.apply(record, interest(course, 1), interest(event, quantity)).Results[1]
	if answer.Status != exchange.StatusDone {
		r.t.Fatalf("%+v", answer)
	}
	for _, ref := range r.read(record).Interests {
		interests = append(interests, opportunity.RecordedInterest{ID: ref.ID, Item: string(ref.Item)})
	}
	r.requestCount()
	return record, interests
}

func (r *fixture) reservedPlaces() int {
	r.t.Helper()
	got, err := r.client().Event(r.t.Context(), string(event))
	if err != nil {
		r.t.Fatal(err)
	}
	r.requestCount()
	return *got.Reserved
}

// expiry returns the time until which the record has reserved places, or zero when the record has
// no reserved places.
func (r *fixture) expiry(record opportunity.ID) time.Time {
	r.t.Helper()
	held := r.read(record).Reservation
	r.requestCount()
	if !held.Valid {
		return time.Time{}
	}
	return held.Until
}

func (r *fixture) extend(record opportunity.ID, until time.Time) {
	r.t.Helper()
	if _, err := r.client().ExtendReservations(r.t.Context(), administrate.ExtendReservations{OpportunityID: string(record), Until: until}); err != nil {
		r.t.Fatal(err)
	}
	r.requestCount()
}

func (r *fixture) wantExpiry(record opportunity.ID, want time.Time) {
	r.t.Helper()
	if got := r.expiry(record); got.Sub(want).Abs() > 5*time.Second {
		r.t.Errorf("places are held until %v, want %v", got, want)
	}
}

func (r *fixture) wantReserved(want int) {
	r.t.Helper()
	if got := r.reservedPlaces(); got != want {
		r.t.Errorf("%d places are held, want %d", got, want)
	}
}

func (r *fixture) advanceClock(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.clockOffset += d
}

func (r *fixture) timeIn(d time.Duration) time.Time {
	return r.now().Add(d).UTC().Truncate(time.Second)
}

func reserveEffect(record opportunity.ID, interests []opportunity.RecordedInterest, until time.Time) activities.EffectInput {
	return activities.EffectInput{Reference: "A-1", Opportunity: record, Interests: interests, Effect: exchange.Effect{
		Key: "1/hold/before/1/reserve", Kind: opportunity.EffectReserve, Settings: exchange.NewSettings(exchange.EnsureReservation{Until: until}),
	}}
}

func extendEffect(record opportunity.ID, until time.Time) activities.EffectInput {
	return activities.EffectInput{Reference: "A-1", Opportunity: record, Effect: exchange.Effect{
		Key: "1/hold/before/1/extend", Kind: opportunity.EffectExtend, Settings: exchange.NewSettings(exchange.EnsureReservation{Until: until}),
	}}
}

func releaseEffect(record opportunity.ID) activities.EffectInput {
	return activities.EffectInput{Reference: "A-1", Opportunity: record, Effect: exchange.Effect{
		Key: "1/lose/after/1/release", Kind: opportunity.EffectRelease,
	}}
}

func TestPlacesAreReservedOnceAndReleasedOnUndo(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	record, interests := r.createWithEvent(3)
	until := r.timeIn(14 * 24 * time.Hour)
	in := reserveEffect(record, interests, until)
	done := r.runEffect(in)
	r.wantEffect(done, 3, exchange.RequestReserve)
	r.wantReserved(3)
	r.wantExpiry(record, until)
	r.wantEffect(r.runEffect(in), 1) // the places are reserved already
	in.Effect.Settings = exchange.NewSettings(exchange.EnsureReservation{Until: until.Add(-time.Hour)})
	r.wantEffect(r.runEffect(in), 1) // the places are reserved even longer than wanted

	in.Effect.Settings, in.Undo, in.UndoEntry = exchange.NewSettings(exchange.EnsureReservation{Until: until}), true, done.undoEntry
	undone := r.runEffect(in)
	r.wantEffect(undone, 3, exchange.RequestExtend)
	r.wantExpiry(record, r.timeIn(time.Hour))
	in.UndoEntry = undone.undoEntry
	r.wantEffect(r.runEffect(in), 1)
	r.advanceClock(2 * time.Hour)
	r.wantReserved(0)
	r.wantEffect(r.runEffect(in), 1)
}

func TestReservationWithLostAnswerIsMadeOnce(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	record, interests := r.createWithEvent(3)
	r.loseNextAnswer()
	until := r.timeIn(time.Hour * 48)
	r.wantEffect(r.runEffect(reserveEffect(record, interests, until)), 3, exchange.RequestReserve)
	r.wantReserved(3)
}

// A response that does not contain the opportunity proves nothing, so another inspection decides.
func TestReservationThatIsNotInTheAnswerIsReadBack(t *testing.T) {
	r := newFixtureAssuming(t, tms.ReferenceTag{}, map[string]string{"extend.response": "errors"})
	record, interests := r.createWithEvent(3)
	r.wantEffect(r.runEffect(reserveEffect(record, interests, r.timeIn(48*time.Hour))), 3, exchange.RequestReserve)
	r.wantEffect(r.runEffect(extendEffect(record, r.timeIn(72*time.Hour))), 3, exchange.RequestExtend)
	r.wantEffect(r.runEffect(releaseEffect(record)), 3, exchange.RequestRelease)
	r.advanceClock(time.Second)
	r.wantReserved(0)
}

func TestNothingIsReservedWithoutAnEvent(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	record, interests := r.createWithEvent(3)
	r.wantEffect(r.runEffect(reserveEffect(record, interests[:1], r.timeIn(time.Hour))), 0)
}

// The API accepts a request to reserve places and returns no error, but it reserves no places.
func TestReservationWithoutEffectIsReported(t *testing.T) {
	r := newFixtureAssuming(t, tms.ReferenceTag{}, map[string]string{"reserve.short": "nothing"})
	record, interests := r.createWithEvent(100)
	in := reserveEffect(record, interests, r.timeIn(48*time.Hour))
	out := r.runEffect(in)
	r.wantProblem(out, 3, "no places are reserved", exchange.RequestReserve)
	r.wantReserved(0)

	// When an operator retries the effect, the worker sends the request again.
	in.UndoEntry = out.undoEntry
	r.wantProblem(r.runEffect(in), 3, "no places are reserved", exchange.RequestReserve)

	in.Undo = true
	r.wantEffect(r.runEffect(in), 1)
}

func TestRejectedReservation(t *testing.T) {
	r := newFixtureAssuming(t, tms.ReferenceTag{}, map[string]string{"reserve.short": "refused"})
	record, interests := r.createWithEvent(100)
	r.wantProblem(r.runEffect(reserveEffect(record, interests, r.timeIn(48*time.Hour))), 3, "but the reservation needs", exchange.RequestReserve) // the third reads the event
	r.wantReserved(0)
}

func TestExpiredReservationIsNotMadeAgain(t *testing.T) {
	for name, end := range map[string]func(r *fixture, record opportunity.ID){
		"lapsed":     func(r *fixture, _ opportunity.ID) { r.advanceClock(3 * time.Hour) },
		"given back": func(r *fixture, record opportunity.ID) { r.extend(record, r.now()); r.advanceClock(2 * time.Second) },
	} {
		t.Run(name, func(t *testing.T) {
			r := newFixture(t, tms.ReferenceTag{})
			record, interests := r.createWithEvent(3)
			r.wantEffect(r.runEffect(reserveEffect(record, interests, r.timeIn(2*time.Hour))), 3, exchange.RequestReserve)
			end(r, record)
			r.wantProblem(r.runEffect(reserveEffect(record, interests, r.timeIn(2*time.Hour))), 1, "cannot reserve places again")
			r.wantReserved(0)
			r.wantProblem(r.runEffect(extendEffect(record, r.timeIn(2*time.Hour))), 1, "cannot be reserved again")
			r.wantEffect(r.runEffect(releaseEffect(record)), 1)
		})
	}
}

// If places were reserved before the effect, the API does not show which places the effect
// reserved.
func TestEarlierReservationIsNotReleasedOnUndo(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	record, interests := r.createWithEvent(3)
	first := r.timeIn(24 * time.Hour)
	r.wantEffect(r.runEffect(reserveEffect(record, interests, first)), 3, exchange.RequestReserve)
	in := reserveEffect(record, interests, r.timeIn(48*time.Hour))
	done := r.runEffect(in)
	r.wantEffect(done, 3, exchange.RequestReserve)
	if !done.undoEntry.Until.Equal(first) {
		t.Errorf("before: %v, want %v", done.undoEntry.Until, first)
	}
	in.Undo, in.UndoEntry = true, done.undoEntry
	r.wantProblem(r.runEffect(in), 1, "had reserved places before the effect")
	r.wantExpiry(record, settings[exchange.EnsureReservation](in.Effect).Until)
}

func TestReservationExtendedBySomebodyElseIsNotReleased(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	record, interests := r.createWithEvent(3)
	in := reserveEffect(record, interests, r.timeIn(24*time.Hour))
	done := r.runEffect(in)
	r.requestCount()
	theirs := r.timeIn(72 * time.Hour)
	r.extend(record, theirs)
	in.Undo, in.UndoEntry = true, done.undoEntry
	r.wantProblem(r.runEffect(in), 1, "somebody else")
	r.wantExpiry(record, theirs)
}

func TestUndoWithoutReservationDoesNothing(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	record, interests := r.createWithEvent(3)
	in := reserveEffect(record, interests, r.timeIn(24*time.Hour))
	in.Undo = true
	r.wantEffect(r.runEffect(in), 0)
}

func TestReservationIsExtendedAndRestoredOnUndo(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	record, interests := r.createWithEvent(3)
	first, second := r.timeIn(24*time.Hour), r.timeIn(72*time.Hour)
	r.wantProblem(r.runEffect(extendEffect(record, second)), 1, "has no reserved places")
	r.wantEffect(r.runEffect(reserveEffect(record, interests, first)), 3, exchange.RequestReserve)
	in := extendEffect(record, second)
	r.loseNextAnswer()
	done := r.runEffect(in)
	r.wantEffect(done, 3, exchange.RequestExtend)
	r.wantExpiry(record, second)
	r.wantEffect(r.runEffect(in), 1)

	in.Undo, in.UndoEntry = true, done.undoEntry
	r.wantEffect(r.runEffect(in), 3, exchange.RequestExtend)
	r.wantExpiry(record, first)
	r.wantEffect(r.runEffect(in), 1)
}

func TestAnExpiryThatHasPassedIsNotSetAgain(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	record, interests := r.createWithEvent(3)
	r.wantEffect(r.runEffect(reserveEffect(record, interests, r.timeIn(time.Hour))), 3, exchange.RequestReserve)
	in := extendEffect(record, r.timeIn(72*time.Hour))
	done := r.runEffect(in)
	r.requestCount()
	r.advanceClock(2 * time.Hour)
	in.Undo, in.UndoEntry = true, done.undoEntry
	r.wantProblem(r.runEffect(in), 1, "has passed")
	r.wantExpiry(record, settings[exchange.EnsureReservation](in.Effect).Until)
}

// The API accepts a request to change the expiry and returns no error, but it does not change the
// expiry.
func TestExtensionWithoutEffectIsReported(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	record, interests := r.createWithEvent(3)
	r.wantEffect(r.runEffect(reserveEffect(record, interests, r.timeIn(24*time.Hour))), 3, exchange.RequestReserve)
	r.interceptRequests(func(w http.ResponseWriter, q *http.Request) bool {
		if !strings.Contains(readBody(t, q), "extendReservations") {
			return false
		}
		_, _ = w.Write([]byte(`{"data":{"m0":{"extendReservations":{"errors":[],"opportunity":{"id":"` + string(record) + `"}}}}}`))
		return true
	})
	r.wantProblem(r.runEffect(extendEffect(record, r.timeIn(72*time.Hour))), 3, "nothing shows", exchange.RequestExtend)
}

func TestReservationIsReleased(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	record, interests := r.createWithEvent(3)
	r.wantEffect(r.runEffect(releaseEffect(record)), 1) // no places are reserved
	r.wantEffect(r.runEffect(reserveEffect(record, interests, r.timeIn(24*time.Hour))), 3, exchange.RequestReserve)
	r.loseNextAnswer()
	done := r.runEffect(releaseEffect(record))
	r.wantEffect(done, 3, exchange.RequestRelease)
	r.advanceClock(time.Second)
	r.wantReserved(0)
	in := releaseEffect(record)
	in.Undo, in.UndoEntry = true, done.undoEntry
	r.wantProblem(r.runEffect(in), 0, "cannot reserve places again")
}

// If the API reports reserved places without an expiry for every opportunity, the effect requests
// only one release.
func TestReservationWithoutExpiryIsReleasedOnce(t *testing.T) {
	r := newFixtureAssuming(t, tms.ReferenceTag{}, map[string]string{"isReservationValid.none": "true"})
	record := r.createRecord("A-1")
	r.requestCount()
	out := r.runEffect(releaseEffect(record))
	if out.problem != "" || len(out.requests) > 1 {
		t.Errorf("acts %q, problem %q", out.requests, out.problem)
	}
}

func TestReservationUntilAPastTimeFails(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	record, interests := r.createWithEvent(3)
	past := r.timeIn(-time.Hour)
	r.wantProblem(r.runEffect(reserveEffect(record, interests, past)), 1, "is in the past")
	r.wantEffect(r.runEffect(reserveEffect(record, interests, r.timeIn(24*time.Hour))), 3, exchange.RequestReserve)
	r.wantProblem(r.runEffect(extendEffect(record, past)), 1, "is in the past")
	if diff := cmp.Diff(3, r.reservedPlaces()); diff != "" {
		t.Error(diff)
	}
}
