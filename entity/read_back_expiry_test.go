package entity_test

import (
	"strings"
	"testing"
	"time"

	"github.com/oppflow/oppflow/entity"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

func TestReadBackExpiry(t *testing.T) {
	for _, c := range []struct {
		name    string
		release bool
		now     opportunity.Reservation
		want    exchange.ChangeStatus
	}{
		{"held", false, opportunity.Reservation{Valid: true, Until: noon}, exchange.StatusDone},
		{"held too short", false, opportunity.Reservation{Valid: true, Until: noon.Add(-1)}, exchange.StatusNotSent},
		{"not held", false, opportunity.Reservation{Until: noon}, exchange.StatusNotSent},
		{"held without an end", false, opportunity.Reservation{Valid: true}, exchange.StatusNotSent},
		{"released", true, opportunity.Reservation{Until: noon}, exchange.StatusDone},
		{"not released", true, opportunity.Reservation{Valid: true, Until: noon}, exchange.StatusNotSent},
	} {
		s := openedState(t)
		snapshot := recordNow()
		snapshot.Reservation = c.now
		extend := &exchange.ReservationChange{NotBefore: noon, Release: c.release}
		got := s.ReadBack([]exchange.Change{{Request: "r", ReservationChange: extend}}, []exchange.ChangeResult{unknownResult}, snapshot, nil, always)
		if got[0].Status != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got[0].Status, c.want)
		}
	}
	// A requested expiry must be set exactly: a later expiry is as wrong as an earlier expiry.
	for _, c := range []struct {
		name string
		now  opportunity.Reservation
		want exchange.ChangeStatus
	}{
		{"as asked", opportunity.Reservation{Valid: true, Until: noon.Add(opportunity.ExpiryTolerance)}, exchange.StatusDone},
		{"longer", opportunity.Reservation{Valid: true, Until: noon.Add(time.Hour)}, exchange.StatusNotSent},
		{"shorter", opportunity.Reservation{Valid: true, Until: noon.Add(-time.Hour)}, exchange.StatusNotSent},
		{"not held", opportunity.Reservation{Until: noon}, exchange.StatusNotSent},
	} {
		s := openedState(t)
		snapshot := recordNow()
		snapshot.Reservation = c.now
		if _, err := s.Accept(opportunity.ExtendReservations{Until: noon}, "r", true, noon.Add(-time.Hour)); err != nil {
			t.Fatal(err)
		}
		if got := s.ReadBack(s.NextBatch(), []exchange.ChangeResult{unknownResult}, snapshot, nil, always); got[0].Status != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got[0].Status, c.want)
		}
	}
}

// TestReadBackSupersededExpiry: if the result of a request for an expiry was lost, the run does not
// send the request again when the record has a later expiry.
func TestReadBackSupersededExpiry(t *testing.T) {
	auto := laterExpiry.Until.AddDate(0, 1, 0)
	for _, c := range []struct {
		name  string
		auto  exchange.ChangeResult
		again string // the next change that is sent
	}{
		{"held longer", expiryResult(true, auto), ""},
		{"held as long", expiryResult(true, laterExpiry.Until), ""},
		{"not held", expiryResult(false, auto), "x~"},
		{"held shorter", expiryResult(true, laterExpiry.Until.AddDate(0, -1, 0)), "x~"},
		{"lost, too", unknownResult, "x~"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := openedState(t)
			s.Reservation = opportunity.Reservation{Valid: true, Until: noon}
			accept(t, s, laterExpiry, "x")
			accept(t, s, addInterests(reservingInterest(1)), "b")
			batch := s.NextBatch()
			record := recordNow(interestRef("i", event))
			record.Reservation = opportunity.Reservation{Until: noon}
			if c.auto.Reservation != nil {
				record.Reservation = *c.auto.Reservation
				record.Reservation.Until = record.Reservation.Until.Add(time.Hour) // a person changed the expiry before the read
			}
			answers := s.VerifyResults(batch, []exchange.ChangeResult{unknownResult, doneResult("i"), c.auto})
			s.ApplyResults(batch, s.ReadBack(batch, answers, record, nil, always), always, noon)
			if got := strings.Join(batchText(s.NextBatch()), " "); got != c.again {
				t.Errorf("sent next: %q, want %q", got, c.again)
			}
			if c.again == "" && (outcome(t, s, "x").State != opportunity.Done || !s.Reservation.Until.Equal(c.auto.Reservation.Until)) {
				t.Errorf("got %+v, places %+v", outcome(t, s, "x"), s.Reservation)
			}
		})
	}
}

// TestReadBackExpiryWithoutPlaces: while no places are reserved, the API has no reservation to
// extend. The request to extend fails, and places that a later interest reserves keep their own
// expiry.
func TestReadBackExpiryWithoutPlaces(t *testing.T) {
	auto := laterExpiry.Until.AddDate(0, 1, 0)
	for _, c := range []struct {
		name   string
		before func(*entity.State)
		want   opportunity.OutcomeState
	}{
		{"none", func(*entity.State) {}, opportunity.Failed},
		{"expired", func(s *entity.State) { s.Reservation = opportunity.Reservation{Until: noon} }, opportunity.Failed},
		{"an interest without places before", func(s *entity.State) { accept(t, s, addInterests(plainInterest(1)), "a") }, opportunity.Failed},
		{"another expiry before", func(s *entity.State) { accept(t, s, laterExpiry, "a") }, opportunity.Failed},
		{"reserved", func(s *entity.State) { s.Reservation = opportunity.Reservation{Valid: true, Until: noon} }, opportunity.Done},
		{"the expiry of new places is not set yet", func(s *entity.State) { s.ExpiryPending = true }, opportunity.Done},
		{"an interest with places before", func(s *entity.State) { accept(t, s, addInterests(reservingInterest(1)), "a") }, opportunity.Done},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := openedState(t)
			c.before(s)
			accept(t, s, laterExpiry, "x")
			accept(t, s, addInterests(reservingInterest(1)), "b")
			batch := s.NextBatch()
			var refs []exchange.InterestRef
			answers := make([]exchange.ChangeResult, len(batch))
			for n, m := range batch {
				answers[n] = unknownResult
				if m.Interest != nil {
					refs = append(refs, interestRef(opportunity.ID("i"+m.Request), opportunity.ID(m.Interest.Item)))
				}
			}
			record := recordNow(refs...)
			record.Reservation = opportunity.Reservation{Valid: true, Until: auto}
			s.ApplyResults(batch, s.ReadBack(batch, s.VerifyResults(batch, answers), record, nil, always), always, noon)
			if got := outcome(t, s, "x"); got.State != c.want {
				t.Errorf("got %+v, want %s", got, c.want)
			}
			if outcome(t, s, "b").State != opportunity.Done || !s.Reservation.Until.Equal(auto) {
				t.Errorf("the later places: %+v until %s", outcome(t, s, "b"), s.Reservation.Until)
			}
		})
	}
}

// TestReadBackEarlierExpiryProvesNothing: after a request with lost results, the places have the
// same expiry as before. An unchanged expiry does not prove that the API ever set the earlier
// expiry that the request contained.
func TestReadBackEarlierExpiryProvesNothing(t *testing.T) {
	before := laterExpiry.Until.AddDate(0, 1, 0)
	for _, c := range []struct {
		name  string
		now   time.Time // until when the places are reserved
		again string    // the next change that is sent
	}{
		{"as before", before, "x~ b/0 extend"},
		{"longer", before.Add(time.Second), "b/0 extend"},
		{"as asked", laterExpiry.Until, "b/0 extend"},
	} {
		s := openedState(t)
		s.Reservation = opportunity.Reservation{Valid: true, Until: before}
		accept(t, s, laterExpiry, "x")
		accept(t, s, addInterests(reservingInterest(1)), "b")
		batch := s.NextBatch()
		record := recordNow()
		record.Reservation = opportunity.Reservation{Valid: true, Until: c.now}
		s.ApplyResults(batch, s.ReadBack(batch, repeat(unknownResult, len(batch)), record, nil, always), always, noon)
		if got := strings.Join(batchText(s.NextBatch()), " "); got != c.again {
			t.Errorf("%s: sent next: %q, want %q", c.name, got, c.again)
		}
	}
}

// TestReadBackExpiryOfTheSameRequest: if the record shows the first of two requested expiries, the
// API did not set the second, earlier expiry.
func TestReadBackExpiryOfTheSameRequest(t *testing.T) {
	for _, c := range []struct {
		name   string
		second exchange.ChangeResult
		places []exchange.InterestRef // added nevertheless
		again  string                 // the next change that is sent
	}{
		{"broken off", unknownResult, nil, "y~ b/0 extend"},
		{"broken off later", unknownResult, []exchange.InterestRef{interestRef("i", event)}, "y~"},
		{"refused", rejectedResult("No"), []exchange.InterestRef{interestRef("i", event)}, "extend"},
		{"refused, and nothing taken", rejectedResult("No"), nil, "b/0 extend"},
	} {
		s := openedState(t)
		s.Reservation = opportunity.Reservation{Valid: true, Until: laterExpiry.Until.AddDate(0, 1, 0)}
		accept(t, s, laterExpiry, "x")
		accept(t, s, opportunity.ExtendReservations{Until: laterExpiry.Until.AddDate(0, -1, 0)}, "y")
		accept(t, s, addInterests(reservingInterest(1)), "b")
		batch := s.NextBatch()
		record := recordNow(c.places...)
		record.Reservation = opportunity.Reservation{Valid: true, Until: laterExpiry.Until}
		s.ApplyResults(batch, s.ReadBack(batch, []exchange.ChangeResult{unknownResult, c.second, unknownResult, unknownResult}, record, nil, always), always, noon)
		if got := strings.Join(batchText(s.NextBatch()), " "); got != c.again {
			t.Errorf("%s: sent next: %q, want %q", c.name, got, c.again)
		}
		if outcome(t, s, "x").State != opportunity.Done {
			t.Errorf("%s: the one that shows is %+v", c.name, outcome(t, s, "x"))
		}
	}
}

// TestReadBackConsecutiveExpiries: the results of two expiries were lost, and the record shows the
// second expiry. The first expiry is therefore not sent again.
func TestReadBackConsecutiveExpiries(t *testing.T) {
	for _, c := range []struct {
		name          string
		first, second int // months from now
		held          int // 0 when the record shows neither expiry
		again         string
	}{
		{"longer", 1, 2, 2, ""},
		{"shorter", 2, 1, 1, ""},
		{"the first only", 1, 2, 1, "second~"},
		{"neither", 1, 2, 0, "first~ second~"},
	} {
		s := openedState(t)
		at := func(months int) time.Time { return noon.AddDate(0, months, 0) }
		accept(t, s, opportunity.ExtendReservations{Until: at(c.first)}, "first")
		accept(t, s, opportunity.ExtendReservations{Until: at(c.second)}, "second")
		batch := s.NextBatch()
		record := recordNow()
		record.Reservation = opportunity.Reservation{Valid: true, Until: at(c.held)}
		s.ApplyResults(batch, s.ReadBack(batch, []exchange.ChangeResult{unknownResult, unknownResult}, record, nil, always), always, noon)
		if got := strings.Join(batchText(s.NextBatch()), " "); got != c.again {
			t.Errorf("%s: sent next: %q, want %q", c.name, got, c.again)
		}
		if !s.Reservation.Until.Equal(at(c.held)) && c.held > 0 {
			t.Errorf("%s: held until %s", c.name, s.Reservation.Until)
		}
	}
}
