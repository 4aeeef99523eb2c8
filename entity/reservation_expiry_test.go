package entity_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/oppflow/oppflow/entity"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

func TestReservingUntilAPastTime(t *testing.T) {
	const want = "until: this time has passed; give a time in the future"
	for _, until := range []time.Time{noon, noon.Add(-time.Second), noon.Add(-24 * time.Hour)} {
		s := openedState(t)
		ask := opportunity.ExtendReservations{Until: until}
		wantError(t, s.CheckUpdate(ask, "r", noon), opportunity.Invalid, want)
		_, err := s.Accept(ask, "r", true, noon)
		wantError(t, err, opportunity.Invalid, want)
		if len(s.Queue) != 0 || s.DedupWindow.Len() != 0 {
			t.Error("what was refused is kept")
		}
		if _, err := s.Accept(ask, "r", true, until.Add(-time.Hour)); err != nil {
			t.Fatal(err)
		}
		wantError(t, s.CheckUpdate(ask, "r", noon), opportunity.Invalid, "")
		if _, err := s.Accept(ask, "r", true, noon); err != nil || len(s.Queue) != 1 {
			t.Errorf("a repetition: %v, %d wait", err, len(s.Queue))
		}
	}
}

// TestExtendReservationsOutcome: a response without an error does not prove that the API set the
// expiry.
func TestExtendReservationsOutcome(t *testing.T) {
	const none = "the API reports no valid reservation; only a reservation that has not expired can be extended"
	for _, c := range []struct {
		name   string
		answer exchange.ChangeResult
		want   string
	}{
		{"exact", expiryResult(true, laterExpiry.Until), ""},
		{"as near as may be", expiryResult(true, laterExpiry.Until.Add(opportunity.ExpiryTolerance)), ""},
		{"not as near", expiryResult(true, laterExpiry.Until.Add(-opportunity.ExpiryTolerance-time.Second)), "the API reports the expiry time 2027-01-23T11:54:59Z, not the expiry time that the extension requested"},
		{"as it was", expiryResult(true, noon), "the API reports the expiry time 2026-11-23T12:00:00Z, not the expiry time that the extension requested"},
		{"not held", expiryResult(false, laterExpiry.Until), none},
		{"none", exchange.ChangeResult{Status: exchange.StatusDone, Reservation: &opportunity.Reservation{}}, none},
		{"nothing said", exchange.ChangeResult{Status: exchange.StatusDone}, none},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := openedState(t)
			s.Reservation = opportunity.Reservation{Valid: true, Until: noon}
			accept(t, s, laterExpiry, "r")
			sendBatch(t, s, c.answer)
			got := outcome(t, s, "r")
			if c.want == "" {
				if got.State != opportunity.Done || !s.Reservation.Until.Equal(c.answer.Reservation.Until) {
					t.Errorf("got %+v, places %+v", got, s.Reservation)
				}
				if last := s.Timeline[len(s.Timeline)-1].Text; last != "the places are reserved until "+s.Reservation.Until.Format(time.RFC3339) {
					t.Errorf("the timeline says %q", last)
				}
				return
			}
			if got.State != opportunity.Failed {
				t.Fatalf("got %+v", got)
			}
			wantError(t, got.Error, opportunity.Rejected, c.want)
			// The failed request raises attention, so the error of the request raises no second
			// attention.
			if diff := cmp.Diff([]string{"failed"}, s.AttentionKinds()); diff != "" {
				t.Error(diff)
			}
		})
	}
	t.Run("the API's refusal leaves the place its expiry", func(t *testing.T) {
		s := openedState(t)
		accept(t, s, addInterests(reservingInterest(1)), "a")
		accept(t, s, laterExpiry, "b")
		sendBatch(t, s, doneResult("i"), rejectedResult("Too Late"))
		if got := outcome(t, s, "b"); got.State != opportunity.Failed || got.Error.Label != "Too Late" {
			t.Errorf("got %+v", got)
		}
		if got := strings.Join(batchText(s.NextBatch()), " "); got != "extend" {
			t.Errorf("next %q", got)
		}
	})
	t.Run("the places just taken are told as held until then", func(t *testing.T) {
		s := openedState(t)
		accept(t, s, addInterests(reservingInterest(1)), "a")
		accept(t, s, laterExpiry, "b")
		sendBatch(t, s, doneResult("i"), expiryResult(true, laterExpiry.Until))
		if got := outcome(t, s, "a").Results[0]; got.ReservedUntil == nil || !got.ReservedUntil.Equal(laterExpiry.Until) || s.ExpiryPending {
			t.Errorf("got %+v", got)
		}
	})
}

func expiryResult(valid bool, until time.Time) exchange.ChangeResult {
	return exchange.ChangeResult{Status: exchange.StatusDone, Reservation: &opportunity.Reservation{Valid: valid, Until: until}}
}

// TestExtensionExpiresInTheQueue: if Oppflow sent a requested expiry after the expiry time, the API
// would release the places.
func TestExtensionExpiresInTheQueue(t *testing.T) {
	s := openedState(t)
	s.Reservation = opportunity.Reservation{Valid: true, Until: noon.Add(48 * time.Hour)}
	accept(t, s, addInterests(plainInterest(1)), "before")
	accept(t, s, opportunity.ExtendReservations{Until: noon.Add(time.Hour)}, "early")
	accept(t, s, opportunity.ExtendReservations{Until: noon.Add(3 * time.Hour)}, "late")
	accept(t, s, addInterests(plainInterest(2)), "after")
	s.FailExpiredCommands(noon.Add(time.Hour - time.Second))
	if len(s.Queue) != 4 {
		t.Fatalf("%d wait", len(s.Queue))
	}
	s.FailExpiredCommands(noon.Add(time.Hour))
	got := outcome(t, s, "early")
	if got.State != opportunity.Failed || got.Error.Type != opportunity.Invalid || !strings.Contains(got.Error.Message, "nothing was sent") {
		t.Errorf("got %+v", got)
	}
	var left []string
	for _, e := range s.Queue {
		left = append(left, e.Request)
	}
	if diff := cmp.Diff([]string{"before", "late", "after"}, left); diff != "" {
		t.Error(diff)
	}
	if !s.Reservation.Valid || s.Failures != 1 {
		t.Errorf("reservation %+v, %d failures", s.Reservation, s.Failures)
	}
	// An operator decides about a request in doubt, because the request may have been sent already.
	s.Queue[1].InDoubt = true
	s.FailExpiredCommands(noon.Add(24 * time.Hour))
	if len(s.Queue) != 3 {
		t.Errorf("%d wait", len(s.Queue))
	}
}

func TestTheSameTimeInAnotherZone(t *testing.T) {
	s := openedState(t)
	until := noon.Add(time.Hour)
	accept(t, s, opportunity.ExtendReservations{Until: until}, "r")
	if key, err := s.Accept(opportunity.ExtendReservations{Until: until.In(time.FixedZone("", 3600))}, "r", true, noon); err != nil || key != "r" || len(s.Queue) != 1 {
		t.Errorf("%q, %v, %d wait", key, err, len(s.Queue))
	}
	_, err := s.Accept(opportunity.ExtendReservations{Until: until.Add(time.Second)}, "r", true, noon)
	wantError(t, err, opportunity.Conflict, `requestId "r" was used for another message; give each message an id of its own`)
}

func TestWhenAReservationHasExpired(t *testing.T) {
	reserved := opportunity.Reservation{Valid: true, Until: noon}
	for name, c := range map[string]struct {
		before, after opportunity.Reservation
		step          opportunity.Step
		now           time.Time
		want          bool
	}{
		"at its time":              {reserved, opportunity.Reservation{Until: noon}, proposed, noon, true},
		"the API shows nothing":    {reserved, opportunity.Reservation{}, proposed, noon.Add(time.Hour), true},
		"released before its time": {reserved, opportunity.Reservation{}, proposed, noon.Add(-time.Second), false},
		"still reserved":           {reserved, reserved, proposed, noon.Add(time.Hour), false},
		"not reserved before":      {opportunity.Reservation{Until: noon}, opportunity.Reservation{Until: noon}, proposed, noon.Add(time.Hour), false},
		"its time is unknown":      {opportunity.Reservation{Valid: true}, opportunity.Reservation{}, proposed, noon, false},
		"won":                      {reserved, opportunity.Reservation{Until: noon}, won, noon.Add(time.Hour), false},
	} {
		s := openedState(t)
		s.Reservation, s.Step = c.after, c.step
		if got := s.HasReservationExpired(c.before, c.now); got != c.want {
			t.Errorf("%s: %t, want %t", name, got, c.want)
		}
	}
}

// TestExpiredReservationIsNotConfused: when the attention about the expired reservation is removed,
// the attention about requests stays.
func TestExpiredReservationIsNotConfused(t *testing.T) {
	for name, end := range map[string]func(*entity.State) bool{
		"won":      func(s *entity.State) bool { s.Step = won; return false },
		"reserved": func(s *entity.State) bool { s.Reservation.Valid = true; return false },
		"run ends": func(*entity.State) bool { return true },
	} {
		s := openedState(t)
		s.RaiseAttention(opportunity.AttentionReservation, "r", "the API rejected the reservation", noon)
		s.RaiseExpiredReservation(noon, noon)
		if s.ClearExpiredReservation(false); len(s.Attention) != 2 {
			t.Errorf("%s: attention %+v, want both", name, s.Attention)
		}
		if s.ClearExpiredReservation(end(s)); len(s.Attention) != 1 || s.Attention[0].Request != "r" {
			t.Errorf("%s: attention %+v, want the one about the request", name, s.Attention)
		}
	}
}
