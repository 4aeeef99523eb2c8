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
		{"read back as not held", []exchange.ChangeResult{doneResult("a"), reservationResult(false)}, false, "the interest was added, but its places are not reserved", false, []string{"reservation"}},
		{"refused", []exchange.ChangeResult{doneResult("a"), rejectedResult("Lapsed")}, false, "the interest was added, but its places are not reserved", false, []string{"reservation"}},
		{"not sent", []exchange.ChangeResult{doneResult("a"), notSentResult}, false, "", true, nil},
		{"unknown", []exchange.ChangeResult{doneResult("a"), unknownResult}, false, "", true, nil},
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
			s.ApplyResults(s.ReleaseBatch(), []exchange.ChangeResult{c.answer}, noon)
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
// have been made. The places that such a request may have reserved need an expiry or a release.
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
