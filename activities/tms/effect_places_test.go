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
	"github.com/oppflow/oppflow/opportunity"
)

// withEvent returns a record with an interest in an event, without held places.
func (r *room) withEvent(quantity int) (record opportunity.ID, interests []opportunity.Held) {
	r.t.Helper()
	record = r.created("A-1")
	answer := r.apply(record, interest(course, 1), interest(event, quantity)).Answers[1]
	if answer.Fate != opportunity.FateDone {
		r.t.Fatalf("%+v", answer)
	}
	for _, ref := range r.read(record).Interests {
		interests = append(interests, opportunity.Held{ID: ref.ID, Item: string(ref.Item)})
	}
	r.requested()
	return record, interests
}

// reserved returns how many places of the event are held.
func (r *room) reserved() int {
	r.t.Helper()
	got, err := r.client().Event(r.t.Context(), string(event))
	if err != nil {
		r.t.Fatal(err)
	}
	r.requested()
	return *got.Reserved
}

// until returns until when the record holds places; zero when it holds none.
func (r *room) until(record opportunity.ID) time.Time {
	r.t.Helper()
	held := r.read(record).Reservation
	r.requested()
	if !held.Valid {
		return time.Time{}
	}
	return held.Until
}

// extend sets until when places are held, without the worker.
func (r *room) extend(record opportunity.ID, until time.Time) {
	r.t.Helper()
	if _, err := r.client().ExtendReservations(r.t.Context(), administrate.ExtendReservations{OpportunityID: string(record), Until: until}); err != nil {
		r.t.Fatal(err)
	}
	r.requested()
}

func (r *room) wantUntil(record opportunity.ID, want time.Time) {
	r.t.Helper()
	if got := r.until(record); got.Sub(want).Abs() > 5*time.Second {
		r.t.Errorf("places are held until %v, want %v", got, want)
	}
}

func (r *room) wantReserved(want int) {
	r.t.Helper()
	if got := r.reserved(); got != want {
		r.t.Errorf("%d places are held, want %d", got, want)
	}
}

// pass moves the clock on.
func (r *room) pass(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ahead += d
}

func (r *room) in(d time.Duration) time.Time { return r.now().Add(d).UTC().Truncate(time.Second) }

func reserveEffect(record opportunity.ID, interests []opportunity.Held, until time.Time) activities.EffectInput {
	return activities.EffectInput{Reference: "A-1", Opportunity: record, Interests: interests, Effect: opportunity.Effect{
		Key: "1/hold/before/1/reserve", Kind: opportunity.EffectReserve, Reserve: &opportunity.HoldPlaces{Until: until},
	}}
}

func extendEffect(record opportunity.ID, until time.Time) activities.EffectInput {
	return activities.EffectInput{Reference: "A-1", Opportunity: record, Effect: opportunity.Effect{
		Key: "1/hold/before/1/extend", Kind: opportunity.EffectExtend, Extend: &opportunity.HoldPlaces{Until: until},
	}}
}

func releaseEffect(record opportunity.ID) activities.EffectInput {
	return activities.EffectInput{Reference: "A-1", Opportunity: record, Effect: opportunity.Effect{
		Key: "1/lose/after/1/release", Kind: opportunity.EffectRelease,
	}}
}

func TestPlacesAreHeldOnceAndLetGo(t *testing.T) {
	r := newRoom(t, tms.Mark{})
	record, interests := r.withEvent(3)
	until := r.in(14 * 24 * time.Hour)
	in := reserveEffect(record, interests, until)
	done := r.ensure(in)
	r.want(done, 3, opportunity.ActHold)
	r.wantReserved(3)
	r.wantUntil(record, until)
	r.want(r.ensure(in), 1) // the places are held already
	in.Effect.Reserve = &opportunity.HoldPlaces{Until: until.Add(-time.Hour)}
	r.want(r.ensure(in), 1) // the places are held even longer than wanted

	in.Effect.Reserve, in.Undo, in.Trace = &opportunity.HoldPlaces{Until: until}, true, done.trace
	undone := r.ensure(in)
	r.want(undone, 3, opportunity.ActExtend)
	r.wantUntil(record, r.in(time.Hour))
	in.Trace = undone.trace
	r.want(r.ensure(in), 1)
	r.pass(2 * time.Hour)
	r.wantReserved(0)
	r.want(r.ensure(in), 1)
}

func TestPlacesWhoseAnswerIsLostAreHeldOnce(t *testing.T) {
	r := newRoom(t, tms.Mark{})
	record, interests := r.withEvent(3)
	r.lose()
	until := r.in(time.Hour * 48)
	r.want(r.ensure(reserveEffect(record, interests, until)), 3, opportunity.ActHold)
	r.wantReserved(3)
}

// An answer without the opportunity proves nothing; another inspection decides.
func TestPlacesThatAreNotReadBackAreLookedFor(t *testing.T) {
	r := newRoomOf(t, tms.Mark{}, map[string]string{"extend.answer": "errors"})
	record, interests := r.withEvent(3)
	r.want(r.ensure(reserveEffect(record, interests, r.in(48*time.Hour))), 3, opportunity.ActHold)
	r.want(r.ensure(extendEffect(record, r.in(72*time.Hour))), 3, opportunity.ActExtend)
	r.want(r.ensure(releaseEffect(record)), 3, opportunity.ActRelease)
	r.pass(time.Second)
	r.wantReserved(0)
}

func TestPlacesOfNoEventAreNotAskedFor(t *testing.T) {
	r := newRoom(t, tms.Mark{})
	record, interests := r.withEvent(3)
	r.want(r.ensure(reserveEffect(record, interests[:1], r.in(time.Hour))), 0)
}

// The API accepts a request for places that it does not hold, and returns no error.
func TestPlacesThatAreNotHeldAreTold(t *testing.T) {
	r := newRoomOf(t, tms.Mark{}, map[string]string{"reserve.short": "nothing"})
	record, interests := r.withEvent(100)
	in := reserveEffect(record, interests, r.in(48*time.Hour))
	out := r.ensure(in)
	r.wantProblem(out, 3, "none are held", opportunity.ActHold)
	r.wantReserved(0)

	// After an operator's retry the request is made again.
	in.Trace = out.trace
	r.wantProblem(r.ensure(in), 3, "none are held", opportunity.ActHold)

	in.Undo = true
	r.want(r.ensure(in), 1)
}

func TestPlacesThatAreTurnedDown(t *testing.T) {
	r := newRoomOf(t, tms.Mark{}, map[string]string{"reserve.short": "refused"})
	record, interests := r.withEvent(100)
	r.wantProblem(r.ensure(reserveEffect(record, interests, r.in(48*time.Hour))), 2, "were to be reserved", opportunity.ActHold)
	r.wantReserved(0)
}

func TestPlacesAreNotHeldAgainOnceTheyAreGone(t *testing.T) {
	for name, end := range map[string]func(r *room, record opportunity.ID){
		"lapsed":     func(r *room, _ opportunity.ID) { r.pass(3 * time.Hour) },
		"given back": func(r *room, record opportunity.ID) { r.extend(record, r.now()); r.pass(2 * time.Second) },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRoom(t, tms.Mark{})
			record, interests := r.withEvent(3)
			r.want(r.ensure(reserveEffect(record, interests, r.in(2*time.Hour))), 3, opportunity.ActHold)
			end(r, record)
			r.wantProblem(r.ensure(reserveEffect(record, interests, r.in(2*time.Hour))), 1, "can hold none again")
			r.wantReserved(0)
			r.wantProblem(r.ensure(extendEffect(record, r.in(2*time.Hour))), 1, "cannot be held again")
			r.want(r.ensure(releaseEffect(record)), 1)
		})
	}
}

// Where places were held before, the places of the effect cannot be told from them.
func TestPlacesThatWereHeldBeforeAreNotLetGo(t *testing.T) {
	r := newRoom(t, tms.Mark{})
	record, interests := r.withEvent(3)
	first := r.in(24 * time.Hour)
	r.want(r.ensure(reserveEffect(record, interests, first)), 3, opportunity.ActHold)
	in := reserveEffect(record, interests, r.in(48*time.Hour))
	done := r.ensure(in)
	r.want(done, 3, opportunity.ActHold)
	if !done.trace.Until.Equal(first) {
		t.Errorf("before: %v, want %v", done.trace.Until, first)
	}
	in.Undo, in.Trace = true, done.trace
	r.wantProblem(r.ensure(in), 1, "were held before")
	r.wantUntil(record, in.Effect.Reserve.Until)
}

func TestPlacesThatSomebodyElseHoldsOnToStay(t *testing.T) {
	r := newRoom(t, tms.Mark{})
	record, interests := r.withEvent(3)
	in := reserveEffect(record, interests, r.in(24*time.Hour))
	done := r.ensure(in)
	r.requested()
	theirs := r.in(72 * time.Hour)
	r.extend(record, theirs)
	in.Undo, in.Trace = true, done.trace
	r.wantProblem(r.ensure(in), 1, "somebody else")
	r.wantUntil(record, theirs)
}

func TestWhatWasNeverHeldNeedsNoLettingGo(t *testing.T) {
	r := newRoom(t, tms.Mark{})
	record, interests := r.withEvent(3)
	in := reserveEffect(record, interests, r.in(24*time.Hour))
	in.Undo = true
	r.want(r.ensure(in), 0)
}

func TestPlacesAreHeldLongerAndAsBefore(t *testing.T) {
	r := newRoom(t, tms.Mark{})
	record, interests := r.withEvent(3)
	first, second := r.in(24*time.Hour), r.in(72*time.Hour)
	r.wantProblem(r.ensure(extendEffect(record, second)), 1, "holds no places")
	r.want(r.ensure(reserveEffect(record, interests, first)), 3, opportunity.ActHold)
	in := extendEffect(record, second)
	r.lose()
	done := r.ensure(in)
	r.want(done, 3, opportunity.ActExtend)
	r.wantUntil(record, second)
	r.want(r.ensure(in), 1)

	in.Undo, in.Trace = true, done.trace
	r.want(r.ensure(in), 3, opportunity.ActExtend)
	r.wantUntil(record, first)
	r.want(r.ensure(in), 1)
}

func TestAnExpiryThatHasPassedIsNotSetAgain(t *testing.T) {
	r := newRoom(t, tms.Mark{})
	record, interests := r.withEvent(3)
	r.want(r.ensure(reserveEffect(record, interests, r.in(time.Hour))), 3, opportunity.ActHold)
	in := extendEffect(record, r.in(72*time.Hour))
	done := r.ensure(in)
	r.requested()
	r.pass(2 * time.Hour)
	in.Undo, in.Trace = true, done.trace
	r.wantProblem(r.ensure(in), 1, "which has passed")
	r.wantUntil(record, in.Effect.Extend.Until)
}

// The API accepts an expiry and does nothing; another inspection finds this.
func TestAnExpiryThatIsNotTakenIsTold(t *testing.T) {
	r := newRoom(t, tms.Mark{})
	record, interests := r.withEvent(3)
	r.want(r.ensure(reserveEffect(record, interests, r.in(24*time.Hour))), 3, opportunity.ActHold)
	r.answerInstead(func(w http.ResponseWriter, q *http.Request) bool {
		if !strings.Contains(body(t, q), "extendReservations") {
			return false
		}
		_, _ = w.Write([]byte(`{"data":{"m0":{"extendReservations":{"errors":[],"opportunity":{"id":"` + string(record) + `"}}}}}`))
		return true
	})
	r.wantProblem(r.ensure(extendEffect(record, r.in(72*time.Hour))), 3, "nothing shows", opportunity.ActExtend)
}

func TestPlacesAreGivenBack(t *testing.T) {
	r := newRoom(t, tms.Mark{})
	record, interests := r.withEvent(3)
	r.want(r.ensure(releaseEffect(record)), 1) // no places are held
	r.want(r.ensure(reserveEffect(record, interests, r.in(24*time.Hour))), 3, opportunity.ActHold)
	r.lose()
	done := r.ensure(releaseEffect(record))
	r.want(done, 3, opportunity.ActRelease)
	r.pass(time.Second)
	r.wantReserved(0)
	in := releaseEffect(record)
	in.Undo, in.Trace = true, done.trace
	r.wantProblem(r.ensure(in), 0, "cannot be taken back")
}

// An API may report held places for every opportunity without an expiry, and the effect
// believes this once.
func TestPlacesThatCannotBeToldFromNoneAreGivenBackOnce(t *testing.T) {
	r := newRoomOf(t, tms.Mark{}, map[string]string{"isReservationValid.none": "true"})
	record := r.created("A-1")
	r.requested()
	out := r.ensure(releaseEffect(record))
	if out.problem != "" || len(out.acts) > 1 {
		t.Errorf("acts %q, problem %q", out.acts, out.problem)
	}
}

func TestPlacesAreNotHeldUntilATimeThatHasPassed(t *testing.T) {
	r := newRoom(t, tms.Mark{})
	record, interests := r.withEvent(3)
	past := r.in(-time.Hour)
	r.wantProblem(r.ensure(reserveEffect(record, interests, past)), 1, "has passed")
	r.want(r.ensure(reserveEffect(record, interests, r.in(24*time.Hour))), 3, opportunity.ActHold)
	r.wantProblem(r.ensure(extendEffect(record, past)), 1, "has passed")
	if diff := cmp.Diff(3, r.reserved()); diff != "" {
		t.Error(diff)
	}
}
