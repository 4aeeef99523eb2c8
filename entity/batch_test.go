package entity_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/oppflow/oppflow/entity"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// batchText writes a batch in short form: "r/0" is an interest of request r, "r>Won" a
// transition, "r=" an update, "r~" a requested expiry, "extend" any other expiry, "release" a
// release.
func batchText(batch []exchange.Change) []string {
	var list []string
	for _, m := range batch {
		switch {
		case m.Interest != nil:
			list = append(list, fmt.Sprintf("%s/%d", m.Request, m.Index))
		case m.Progress != nil:
			list = append(list, m.Request+">"+m.Progress.To)
		case m.Update != nil:
			list = append(list, m.Request+"="+m.Update.Name)
		case m.ReservationChange.Release:
			list = append(list, "release")
		case !m.ReservationChange.Until.IsZero():
			list = append(list, m.Request+"~")
		default:
			list = append(list, "extend")
		}
	}
	return list
}

func TestNextBatch(t *testing.T) {
	for _, c := range []struct {
		name    string
		prepare func(*entity.State)
		want    string
	}{
		{"nothing", func(*entity.State) {}, ""},
		{"waiting together", func(s *entity.State) {
			accept(t, s, addInterests(plainInterest(1), plainInterest(2)), "a")
			accept(t, s, opportunity.UpdateDetails{Name: "n"}, "b")
		}, "a/0 a/1 b=n"},
		{"a move is last", func(s *entity.State) {
			accept(t, s, opportunity.UpdateDetails{Name: "n"}, "a")
			accept(t, s, opportunity.Progress{To: "Won"}, "b")
			accept(t, s, opportunity.UpdateDetails{Name: "m"}, "c")
		}, "a=n b>Won"},
		{"places travel with their expiry", func(s *entity.State) {
			accept(t, s, addInterests(reservingInterest(1), plainInterest(1)), "a")
		}, "a/0 a/1 extend"},
		{"the expiry precedes the move", func(s *entity.State) {
			accept(t, s, addInterests(reservingInterest(1)), "a")
			accept(t, s, opportunity.Progress{To: "Won"}, "b")
		}, "a/0 extend b>Won"},
		{"an expiry that was asked for serves the places before it", func(s *entity.State) {
			accept(t, s, addInterests(reservingInterest(1)), "a")
			accept(t, s, laterExpiry, "b")
			accept(t, s, opportunity.Progress{To: "Won"}, "c")
		}, "a/0 b~ c>Won"},
		{"not those after it", func(s *entity.State) {
			accept(t, s, laterExpiry, "a")
			accept(t, s, addInterests(reservingInterest(1)), "b")
			accept(t, s, opportunity.Progress{To: "Won"}, "c")
		}, "a~ b/0 extend c>Won"},
		{"before and after", func(s *entity.State) {
			accept(t, s, addInterests(reservingInterest(1)), "a")
			accept(t, s, laterExpiry, "b")
			accept(t, s, addInterests(reservingInterest(1)), "c")
		}, "a/0 b~ c/0 extend"},
		{"an expiry that is due and asked for", func(s *entity.State) {
			s.ExpiryPending = true
			accept(t, s, laterExpiry, "a")
		}, "a~"},
		{"an expiry alone", func(s *entity.State) {
			accept(t, s, opportunity.UpdateDetails{Name: "n"}, "a")
			accept(t, s, laterExpiry, "b")
			s.Queue[1].SendAlone = true
		}, "a=n"},
		{"a pause stops everything", func(s *entity.State) {
			accept(t, s, addInterests(reservingInterest(1)), "a")
			s.ExpiryPending = true
			if err := execute(s, opportunity.Pause{}); err != nil {
				t.Fatal(err)
			}
		}, ""},
		{"an expiry that is due", func(s *entity.State) { s.ExpiryPending = true }, "extend"},
		{"an expiry that is due, before a move", func(s *entity.State) {
			s.ExpiryPending = true
			accept(t, s, opportunity.Progress{To: "Won"}, "b")
		}, "extend b>Won"},
		{"what has to travel alone", func(s *entity.State) {
			accept(t, s, opportunity.UpdateDetails{Name: "n"}, "a")
			accept(t, s, addInterests(plainInterest(1), plainInterest(2)), "b")
			s.Queue[1].SendAlone = true
		}, "a=n"},
		{"alone, one by one", func(s *entity.State) {
			accept(t, s, addInterests(reservingInterest(1), plainInterest(2)), "b")
			accept(t, s, opportunity.UpdateDetails{Name: "n"}, "a")
			s.Queue[0].SendAlone = true
		}, "b/0 extend"},
		{"what is settled is not sent again", func(s *entity.State) {
			accept(t, s, addInterests(plainInterest(1), plainInterest(2), plainInterest(3)), "a")
			s.Queue[0].Results = []opportunity.InterestResult{{Interest: "i"}, {}, {Error: opportunity.Invalidf("no")}}
		}, "a/1"},
		{"a question stops everything", func(s *entity.State) {
			accept(t, s, opportunity.Progress{To: "Won"}, "a")
			s.ExpiryPending = true
			s.Question = &opportunity.Question{}
		}, ""},
		{"no record", func(s *entity.State) {
			accept(t, s, opportunity.Progress{To: "Won"}, "a")
			s.ID = ""
		}, ""},
		{
			"twenty", func(s *entity.State) { accept(t, s, addInterests(repeat(plainInterest(1), 21)...), "a") },
			"a/0 a/1 a/2 a/3 a/4 a/5 a/6 a/7 a/8 a/9 a/10 a/11 a/12 a/13 a/14 a/15 a/16 a/17 a/18 a/19",
		},
		{
			"twenty with the expiry", func(s *entity.State) { accept(t, s, addInterests(repeat(reservingInterest(1), 21)...), "a") },
			"a/0 a/1 a/2 a/3 a/4 a/5 a/6 a/7 a/8 a/9 a/10 a/11 a/12 a/13 a/14 a/15 a/16 a/17 a/18 extend",
		},
		{"no room for the expiry of the last", func(s *entity.State) {
			accept(t, s, addInterests(repeat(plainInterest(1), 19)...), "a")
			accept(t, s, addInterests(reservingInterest(1)), "b")
		}, "a/0 a/1 a/2 a/3 a/4 a/5 a/6 a/7 a/8 a/9 a/10 a/11 a/12 a/13 a/14 a/15 a/16 a/17 a/18"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := openedState(t)
			c.prepare(s)
			if got := strings.Join(batchText(s.NextBatch()), " "); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if got := len(s.NextBatch()) > 0; got != s.HasBatch() {
				t.Errorf("has work: %v, but it has a batch: %v", s.HasBatch(), got)
			}
		})
	}
}

var laterExpiry = opportunity.ExtendReservations{Until: noon.AddDate(0, 2, 0)}

// TestRequestedExpiryIsExact: a requested expiry is set exactly, and places that are reserved later
// expire no earlier than the requested time.
func TestRequestedExpiryIsExact(t *testing.T) {
	s := openedState(t)
	s.Reservation = opportunity.Reservation{Valid: true, Until: noon.AddDate(1, 0, 0)}
	accept(t, s, laterExpiry, "a")
	accept(t, s, addInterests(reservingInterest(1)), "b")
	batch := s.NextBatch()
	if len(batch) != 3 || batch[0].ReservationChange == nil || !batch[0].ReservationChange.Until.Equal(laterExpiry.Until) || !batch[0].ReservationChange.NotBefore.IsZero() {
		t.Fatalf("asked for: %+v", batch)
	}
	if last := batch[2].ReservationChange; last == nil || !last.Until.IsZero() || !last.NotBefore.Equal(laterExpiry.Until) {
		t.Errorf("after it: %+v", last)
	}
}

func TestAnExpiryDoesNotShorten(t *testing.T) {
	s := openedState(t)
	s.Reservation = opportunity.Reservation{Valid: true, Until: noon}
	accept(t, s, addInterests(reservingInterest(1)), "a")
	batch := s.NextBatch()
	if got := batch[1].ReservationChange; got == nil || !got.NotBefore.Equal(noon) || got.Release || batch[1].Request != "a" {
		t.Errorf("the expiry is %+v for %q", got, batch[1].Request)
	}
}

func TestReleaseBatch(t *testing.T) {
	for _, c := range []struct {
		name    string
		prepare func(*entity.State)
		want    []string
	}{
		{"nothing held", func(*entity.State) {}, nil},
		{"held", func(s *entity.State) { s.Reservation.Valid = true }, []string{"release"}},
		{"taken without an expiry", func(s *entity.State) { s.ExpiryPending = true }, []string{"release"}},
		{"no record", func(s *entity.State) { s.ExpiryPending, s.ID = true, "" }, nil},
		{"while a question waits", func(s *entity.State) { s.ExpiryPending, s.Question = true, &opportunity.Question{} }, []string{"release"}},
	} {
		s := openedState(t)
		c.prepare(s)
		if diff := cmp.Diff(c.want, batchText(s.ReleaseBatch())); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

// TestBatchInvariants draws random states, sends all their batches, and compares the sent changes
// with the accepted changes.
func TestBatchInvariants(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := openedState(t)
		s.ExpiryPending = rapid.Bool().Draw(t, "due")
		var accepted, alone []string
		for n := range rapid.IntRange(1, 12).Draw(t, "commands") {
			command, key := drawCommand(t), fmt.Sprint("r", n)
			if big, ok := command.(opportunity.AddInterests); ok && rapid.IntRange(0, 9).Draw(t, "big") == 0 {
				for i := range big.Interests {
					if big.Interests[i].Kind != opportunity.Tokens {
						big.Interests[i].Learners = repeat(opportunity.Learner{FirstName: strings.Repeat("a", 200), LastName: "b", Email: "a@b"}, rapid.IntRange(1, 500).Draw(t, "learners"))
					}
				}
				command = big
			}
			if _, err := s.Accept(command, key, true, noon); err != nil {
				t.Fatal(err)
			}
			e := &s.Queue[n]
			switch c := command.(type) {
			case opportunity.Progress:
				accepted = append(accepted, key+">"+c.To)
			case opportunity.UpdateDetails:
				accepted = append(accepted, key+"="+c.Name)
			case opportunity.AddInterests:
				e.Results = make([]opportunity.InterestResult, len(c.Interests))
				for i := range c.Interests {
					if i > 0 && rapid.IntRange(0, 9).Draw(t, "settled") == 0 {
						e.Results[i].Interest = "known"
						continue
					}
					accepted = append(accepted, fmt.Sprintf("%s/%d", key, i))
				}
			}
			if rapid.IntRange(0, 5).Draw(t, "alone") == 0 {
				e.SendAlone = true
				alone = append(alone, key)
			}
		}
		var sent []string
		placesDue := s.ExpiryPending
		for s.HasBatch() {
			batch := s.NextBatch()
			if len(batch) == 0 {
				t.Fatal("there is work and no batch")
			}
			size, own, extends, reserves := 0, 0, 0, false
			answers := make([]exchange.ChangeResult, len(batch))
			for i, m := range batch {
				answers[i] = exchange.ChangeResult{Status: exchange.StatusDone}
				if m.ReservationChange != nil {
					extends++
					answers[i].Reservation = &opportunity.Reservation{Valid: true, Until: noon}
					if i < len(batch)-2 || i == len(batch)-2 && batch[i+1].Progress == nil {
						t.Fatalf("the expiry stands in the middle of %v", batchText(batch))
					}
					continue
				}
				own++
				data, err := json.Marshal(m)
				if err != nil {
					t.Fatal(err)
				}
				size += len(data)
				if m.Progress != nil && i != len(batch)-1 {
					t.Fatalf("a move is not last in %v", batchText(batch))
				}
				if m.Interest != nil {
					reserves = reserves || m.Interest.Reserve
					answers[i].Interests = []exchange.InterestRef{{ID: opportunity.ID(fmt.Sprintf("%s/%d", m.Request, m.Index))}}
				}
			}
			if len(batch) > opportunity.MaxChangesPerRequest {
				t.Fatalf("%d changes in one request", len(batch))
			}
			if size > opportunity.MaxRequestBytes && own > 1 {
				t.Fatalf("%d bytes in %d changes", size, own)
			}
			if want := reserves || placesDue; (extends == 1) != want || extends > 1 {
				t.Fatalf("%d expiries, places wanted: %v, in %v", extends, want, batchText(batch))
			}
			placesDue = false
			for _, m := range batch {
				if m.ReservationChange != nil {
					continue
				}
				for _, key := range alone {
					if m.Request == key && own > 1 {
						t.Fatalf("%s does not travel alone in %v", key, batchText(batch))
					}
				}
				sent = append(sent, batchText([]exchange.Change{m})...)
			}
			s.ApplyResults(batch, answers, always, noon)
		}
		if diff := cmp.Diff(accepted, sent); diff != "" {
			t.Fatal(diff)
		}
	})
}
