package entity_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/oppflow/oppflow/entity"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

const (
	notHeldText  = "the interest was added, but its places are not reserved"
	notKnownText = "the interest was added, but it is not known whether its places are reserved; check the event in the TMS"
)

// otherEvent is an event other than event.
var otherEvent = id(opportunity.TypeEvent, 77)

// reservedResult is the result of an added interest in the item, with the number of reserved places
// on the event before and after the addition. A negative number means that the number was not read.
func reservedResult(interest, item opportunity.ID, before, after int) exchange.ChangeResult {
	a := exchange.ChangeResult{Status: exchange.StatusDone, Interests: []exchange.InterestRef{{ID: interest, Item: item}}}
	if before >= 0 {
		a.Reserved.Before = &before
	}
	if after >= 0 {
		a.Reserved.After = &after
	}
	return a
}

// TestPlacesPerEvent: the reservation of the opportunity does not show whether places on a second
// event are reserved.
func TestPlacesPerEvent(t *testing.T) {
	const held, notHeld, notKnown = opportunity.PlacesHeld, opportunity.PlacesNotHeld, opportunity.PlacesNotKnown
	never := func() bool { return false }
	places := func(item opportunity.ID, quantity int) exchange.Change {
		return exchange.Change{Request: "q", Interest: &opportunity.Interest{Item: string(item), Quantity: quantity, Reserve: true}}
	}
	expire := exchange.Change{Request: "q", ReservationChange: &exchange.ReservationChange{}}
	move := exchange.Change{Request: "p", Progress: &opportunity.Progress{To: string(won.ID)}}
	moved := exchange.ChangeResult{Status: exchange.StatusDone, Step: &proposed}
	for _, c := range []struct {
		name     string
		first    bool // whether the opportunity has no earlier reservation
		batch    []exchange.Change
		answers  []exchange.ChangeResult
		perEvent func() bool
		want     []opportunity.PlacesState
		reasons  int // entries of attention
	}{
		{"the first reservation", true, []exchange.Change{places(event, 2), expire}, []exchange.ChangeResult{reservedResult("b", event, -1, -1), reservationResult(true)}, never, []opportunity.PlacesState{held}, 0},
		{"no reservation", true, []exchange.Change{places(event, 2), expire}, []exchange.ChangeResult{reservedResult("b", event, -1, -1), reservationResult(false)}, never, []opportunity.PlacesState{notHeld}, 1},
		{"a second event that grew", false, []exchange.Change{places(otherEvent, 2), expire}, []exchange.ChangeResult{reservedResult("b", otherEvent, 10, 12), reservationResult(true)}, never, []opportunity.PlacesState{held}, 0},
		{"a second event that did not grow", false, []exchange.Change{places(otherEvent, 2), expire}, []exchange.ChangeResult{reservedResult("b", otherEvent, 10, 10), reservationResult(true)}, always, []opportunity.PlacesState{notKnown}, 1},
		{"a second event without places", false, []exchange.Change{places(otherEvent, 2), expire}, []exchange.ChangeResult{reservedResult("b", otherEvent, 0, 0), reservationResult(true)}, always, []opportunity.PlacesState{notHeld}, 1},
		{"a second event that was not read", false, []exchange.Change{places(otherEvent, 2), expire}, []exchange.ChangeResult{reservedResult("b", otherEvent, -1, -1), reservationResult(true)}, always, []opportunity.PlacesState{notKnown}, 1},
		{"fewer than with the earlier places", false, []exchange.Change{places(event, 2), expire}, []exchange.ChangeResult{reservedResult("b", event, 3, 3), reservationResult(true)}, always, []opportunity.PlacesState{notHeld}, 1},
		{"two events at once", true, []exchange.Change{places(event, 2), places(otherEvent, 3), expire}, []exchange.ChangeResult{reservedResult("b", event, 0, 2), reservedResult("c", otherEvent, 10, 10), reservationResult(true)}, always, []opportunity.PlacesState{held, notKnown}, 1},
		{"two interests on one event", true, []exchange.Change{places(event, 2), places(event, 3), expire}, []exchange.ChangeResult{reservedResult("b", event, 1, 6), reservedResult("c", event, 1, 6), reservationResult(true)}, never, []opportunity.PlacesState{held, held}, 0},
		{"one of two on one event", true, []exchange.Change{places(event, 2), places(event, 3), expire}, []exchange.ChangeResult{reservedResult("b", event, 5, 7), reservedResult("c", event, 5, 7), reservationResult(true)}, always, []opportunity.PlacesState{notKnown, notKnown}, 2},
		{"one of two was rejected", true, []exchange.Change{places(event, 2), places(otherEvent, 3), expire}, []exchange.ChangeResult{reservedResult("b", event, -1, -1), rejectedResult("No"), reservationResult(true)}, never, []opportunity.PlacesState{held}, 0},
		{"a transition used up places", false, []exchange.Change{places(otherEvent, 2), expire, move}, []exchange.ChangeResult{reservedResult("b", otherEvent, 0, 0), reservationResult(true), moved}, always, []opportunity.PlacesState{notKnown}, 1},
		{"a run of an earlier version", false, []exchange.Change{places(otherEvent, 2), expire}, []exchange.ChangeResult{reservedResult("b", otherEvent, -1, -1), reservationResult(true)}, never, []opportunity.PlacesState{""}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := openedState(t)
			if !c.first {
				accept(t, s, addInterests(reservingInterest(2)), "r")
				sendBatch(t, s, reservedResult("a", event, -1, -1), reservationResult(true))
			}
			earlier := len(s.Interests)
			var asked []opportunity.Interest
			for i := range c.batch {
				if c.batch[i].Interest != nil {
					c.batch[i].Index = len(asked)
					asked = append(asked, *c.batch[i].Interest)
				}
			}
			accept(t, s, addInterests(asked...), "q")
			s.ApplyResults(c.batch, s.VerifyResults(c.batch, c.answers), c.perEvent, noon)
			var got []opportunity.PlacesState
			for _, one := range s.Interests[earlier:] {
				got = append(got, one.Places)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			if n := len(s.Attention); n != c.reasons {
				t.Errorf("%d entries of attention, want %d: %+v", n, c.reasons, s.Attention)
			}
			for i, one := range outcome(t, s, "q").Results {
				if i >= len(got) {
					break
				}
				says := ""
				if one.Error != nil {
					says = one.Error.Message
				}
				wanted := map[opportunity.PlacesState]string{notHeld: notHeldText, notKnown: notKnownText}[got[i]]
				if isTold := one.ReservedUntil != nil; isTold != (wanted == "") || says != wanted {
					t.Errorf("result %d: reserved until %v, error %q, want %q", i, one.ReservedUntil, says, wanted)
				}
			}
		})
	}
}

// TestReadProvesSolePlaces: when a read shows a valid reservation and only one interest in an
// event, the places of this interest are reserved.
func TestReadProvesSolePlaces(t *testing.T) {
	for others, want := range map[int]opportunity.PlacesState{0: opportunity.PlacesHeld, 1: opportunity.PlacesNotKnown} {
		s := openedState(t)
		accept(t, s, addInterests(reservingInterest(2)), "r")
		sendBatch(t, s, reservedResult("a", event, -1, -1), notSentResult)
		if got := s.Interests[0].Places; got != opportunity.PlacesNotKnown || len(s.Attention) != 1 {
			t.Errorf("before the read: %q, attention %+v", got, s.Attention)
		}
		r := recordNow(exchange.InterestRef{ID: "a", Item: event}, exchange.InterestRef{ID: "c", Item: course})
		for range others {
			r.Interests = append(r.Interests, exchange.InterestRef{ID: "b", Item: otherEvent})
		}
		r.Reservation = opportunity.Reservation{Valid: true, Until: noon.Add(time.Hour)}
		s.ApplyRefresh(r, noon)
		if got := s.Interests[0].Places; got != want || len(s.Attention) != others {
			t.Errorf("%d other events: %q, want %q; attention %+v", others, got, want, s.Attention)
		}
	}
}

// TestAttentionAboutPlaces: attention about the places of one interest ends with skip, or when the
// opportunity ends. A reservation of other places does not end the attention.
func TestAttentionAboutPlaces(t *testing.T) {
	doubtful := func() *entity.State {
		s := openedState(t)
		accept(t, s, addInterests(reservingInterest(2)), "r")
		sendBatch(t, s, reservedResult("a", event, -1, -1), reservationResult(true))
		accept(t, s, addInterests(opportunity.Interest{Item: string(otherEvent), Quantity: 2, Reserve: true}), "q")
		sendBatch(t, s, reservedResult("b", otherEvent, 10, 10), reservationResult(true))
		return s
	}
	s := doubtful()
	accept(t, s, addInterests(reservingInterest(1)), "s")
	sendBatch(t, s, reservedResult("c", event, 2, 3), reservationResult(true))
	if len(s.Attention) != 1 || s.Attention[0].Request != "b" || !strings.Contains(s.Attention[0].Reason, "2 on event "+string(otherEvent)) {
		t.Errorf("after another reservation: %+v", s.Attention)
	}
	if err := execute(s, opportunity.Skip{Request: "b", Reason: "seen"}); err != nil || len(s.Attention) > 0 {
		t.Errorf("after skip: %v, %+v", err, s.Attention)
	}
	s = doubtful()
	s.ClearExpiredReservation(true)
	if len(s.Attention) > 0 {
		t.Errorf("at the end: %+v", s.Attention)
	}
}

func TestApplyReservationResults(t *testing.T) {
	for _, c := range []struct {
		name    string
		answers []exchange.ChangeResult
		until   bool   // whether the result has ReservedUntil
		mistake string // the result's error
		due     bool
		words   []string
	}{
		{"held", []exchange.ChangeResult{doneResult("a"), reservationResult(true)}, true, "", false, nil},
		{"read back as not held", []exchange.ChangeResult{doneResult("a"), reservationResult(false)}, false, notHeldText, false, []string{"reservation"}},
		{"refused", []exchange.ChangeResult{doneResult("a"), rejectedResult("Lapsed")}, false, notHeldText, false, []string{"reservation"}},
		{"not sent", []exchange.ChangeResult{doneResult("a"), notSentResult}, false, notKnownText, true, []string{"reservation"}},
		{"unknown", []exchange.ChangeResult{doneResult("a"), unknownResult}, false, notKnownText, true, []string{"reservation"}},
		{"no interest, no places", []exchange.ChangeResult{rejectedResult("Sold Out"), unknownResult}, false, "no", false, []string{"failed"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := openedState(t)
			accept(t, s, addInterests(reservingInterest(2)), "r")
			sendBatch(t, s, c.answers...)
			got := outcome(t, s, "r").Results[0]
			if (got.ReservedUntil != nil) != c.until || got.ReservedUntil != nil && !got.ReservedUntil.Equal(noon) {
				t.Errorf("reserved until %v", got.ReservedUntil)
			}
			if mistake := got.Error; (mistake == nil) != (c.mistake == "") || mistake != nil && mistake.Message != c.mistake {
				t.Errorf("the result's error is %v", mistake)
			}
			if s.ExpiryPending != c.due || s.HasBatch() != c.due {
				t.Errorf("an expiry is due: %v, work: %v", s.ExpiryPending, s.HasBatch())
			}
			if diff := cmp.Diff(c.words, s.AttentionKinds(), cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
			if c.due {
				sendBatch(t, s, reservationResult(true))
				if s.ExpiryPending || !s.Reservation.Valid || len(s.AttentionKinds()) > 0 {
					t.Errorf("after the expiry was set: due %v, %+v, attention %v", s.ExpiryPending, s.Reservation, s.AttentionKinds())
				}
			}
		})
	}
	t.Run("a later success calms", func(t *testing.T) {
		s := openedState(t)
		accept(t, s, addInterests(reservingInterest(2)), "r")
		sendBatch(t, s, doneResult("a"), reservationResult(false))
		accept(t, s, addInterests(reservingInterest(2)), "q")
		sendBatch(t, s, doneResult("b"), reservationResult(true))
		if len(s.AttentionKinds()) > 0 || !s.Reservation.Valid {
			t.Errorf("attention %v", s.AttentionKinds())
		}
	})
}

func TestRelease(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer exchange.ChangeResult
		again  bool
		words  []string
	}{
		{"done", exchange.ChangeResult{Status: exchange.StatusDone, Reservation: &opportunity.Reservation{}}, false, nil},
		{"still held", reservationResult(true), false, []string{"reservation"}},
		{"refused", rejectedResult("No"), false, []string{"reservation"}},
		{"unknown", unknownResult, false, []string{"reservation"}},
		{"not sent", notSentResult, true, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := openedState(t)
			s.Reservation, s.ExpiryPending = opportunity.Reservation{Valid: true, Until: noon.Add(time.Hour)}, true
			s.ApplyResults(s.ReleaseBatch(), []exchange.ChangeResult{c.answer}, always, noon)
			if again := len(s.ReleaseBatch()) > 0; again != c.again {
				t.Errorf("to be released again: %v", again)
			}
			if diff := cmp.Diff(c.words, s.AttentionKinds(), cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
			released := strings.Contains(s.Timeline[len(s.Timeline)-1].Text, "released")
			if want := c.name == "done"; released != want {
				t.Errorf("the timeline says released: %v", released)
			}
		})
	}
}

// TestReservationsInDoubtExpire: when an operator ends a request in doubt, its change may still
// have been made. The places that a request in doubt may have reserved need an expiry or a release.
func TestReservationsInDoubtExpire(t *testing.T) {
	doubted := func() *entity.State {
		s := openedState(t)
		accept(t, s, addInterests(plainInterest(1), reservingInterest(1)), "r")
		sendBatch(t, s, unknownResult, unknownResult, unknownResult)
		return s
	}
	s := doubted()
	if err := execute(s, opportunity.Skip{Request: "r", Reason: "it did"}); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(batchText(s.NextBatch()), " "); got != "extend" {
		t.Errorf("after skip %q is sent", got)
	}
	s = doubted()
	s.FailAll(opportunity.Failf(opportunity.Closed, "over"), noon)
	if got := strings.Join(batchText(s.ReleaseBatch()), " "); got != "release" {
		t.Errorf("at the end %q is sent", got)
	}
	s = doubted()
	if err := execute(s, opportunity.Retry{Request: "r"}); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(batchText(s.NextBatch()), " "); got != "r/0 r/1 extend" {
		t.Errorf("after retry %q is sent", got)
	}
	// A change that was certainly not made has reserved no places.
	s = openedState(t)
	accept(t, s, addInterests(reservingInterest(1)), "r")
	s.FailAll(opportunity.Failf(opportunity.Closed, "over"), noon)
	if got := s.ReleaseBatch(); len(got) > 0 {
		t.Errorf("places are released that were never taken")
	}
}

// TestRejectedExpiryKeepsTheEarlierOne: when the API rejects a second expiry, the places keep the
// expiry of the earlier request and need no further expiry.
func TestRejectedExpiryKeepsTheEarlierOne(t *testing.T) {
	for _, second := range []exchange.ChangeResult{rejectedResult("No"), notSentResult} {
		s := openedState(t)
		accept(t, s, addInterests(reservingInterest(1)), "r")
		accept(t, s, laterExpiry, "x")
		accept(t, s, opportunity.ExtendReservations{Until: laterExpiry.Until.AddDate(0, 1, 0)}, "y")
		sendBatch(t, s, doneResult("i"), expiryResult(true, laterExpiry.Until), second)
		if s.ExpiryPending || !s.Reservation.Until.Equal(laterExpiry.Until) {
			t.Errorf("%s: another is due: %v, held until %s", second.Status, s.ExpiryPending, s.Reservation.Until)
		}
	}
	// Places that are reserved between the two expiry requests have no expiry.
	s := openedState(t)
	accept(t, s, laterExpiry, "x")
	accept(t, s, addInterests(reservingInterest(1)), "r")
	accept(t, s, opportunity.ExtendReservations{Until: laterExpiry.Until.AddDate(0, 1, 0)}, "y")
	sendBatch(t, s, expiryResult(true, laterExpiry.Until), doneResult("i"), rejectedResult("No"))
	if got := strings.Join(batchText(s.NextBatch()), " "); got != "extend" {
		t.Errorf("behind places without an expiry %q is sent", got)
	}
}

// TestExpiryAfterReservationInDoubt: when the API confirmed a later requested expiry, the places of
// the request in doubt have an expiry. After an operator ends the request in doubt, no further
// expiry is sent.
func TestExpiryAfterReservationInDoubt(t *testing.T) {
	for _, c := range []struct {
		name   string
		expiry exchange.ChangeResult
		again  string // the change that is sent after skip
	}{
		{"set", expiryResult(true, laterExpiry.Until), ""},
		{"not held", expiryResult(false, laterExpiry.Until), "extend"},
		{"another", expiryResult(true, laterExpiry.Until.AddDate(0, 1, 0)), "extend"},
		{"refused", rejectedResult("No"), "extend"},
	} {
		s := openedState(t)
		accept(t, s, addInterests(reservingInterest(1)), "r")
		accept(t, s, laterExpiry, "x")
		sendBatch(t, s, unknownResult, c.expiry)
		s = continued(t, s)
		if err := execute(s, opportunity.Skip{Request: "r", Reason: "it did"}); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(batchText(s.NextBatch()), " "); got != c.again {
			t.Errorf("%s: after skip %q is sent, want %q", c.name, got, c.again)
		}
		if c.again == "" && !s.Reservation.Until.Equal(laterExpiry.Until) {
			t.Errorf("%s: held until %s", c.name, s.Reservation.Until)
		}
	}
	// When the request in doubt is sent again, its places are reserved after the expiry was set.
	s := openedState(t)
	accept(t, s, addInterests(reservingInterest(1)), "r")
	accept(t, s, laterExpiry, "x")
	sendBatch(t, s, unknownResult, expiryResult(true, laterExpiry.Until))
	if err := execute(s, opportunity.Retry{Request: "r"}); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(batchText(s.NextBatch()), " "); got != "r/0 extend" {
		t.Errorf("after retry %q is sent", got)
	}
	sendBatch(t, s, unknownResult, unknownResult)
	if err := execute(s, opportunity.Skip{Request: "r", Reason: "it did"}); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(batchText(s.NextBatch()), " "); got != "extend" {
		t.Errorf("skipped after a retry, %q is sent", got)
	}
}
