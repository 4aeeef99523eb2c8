package entity_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/oppflow/oppflow/entity"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// TestCapsOfAState fills every list to its maximum and measures the size of the state, because the
// server ends a workflow whose input exceeds 2 MiB.
func TestCapsOfAState(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("y", 3000)
	item := strings.Repeat("x", opportunity.MaxTextLength)
	interest := opportunity.Interest{Item: item, Kind: opportunity.Event, Quantity: 1_000_000, Reserve: true}
	interest.UnitAmount = amount(t, "999999999999999.9999")
	s := openedState(t)
	n := 0
	send := func(answer func(m exchange.Change) exchange.ChangeResult) {
		t.Helper()
		for batch := s.NextBatch(); len(batch) > 0; batch = s.NextBatch() {
			answers := make([]exchange.ChangeResult, len(batch))
			for i, m := range batch {
				answers[i] = answer(m)
			}
			s.ApplyResults(batch, s.VerifyResults(batch, answers), always, noon)
		}
	}
	refused := &opportunity.Error{Type: opportunity.Rejected, Label: long, Message: long, Value: long}
	reject := func(exchange.Change) exchange.ChangeResult {
		return exchange.ChangeResult{Status: exchange.StatusRejected, Error: refused}
	}
	for range opportunity.MaxInterests / opportunity.MaxInterestsPerCommand {
		accept(t, s, addInterests(repeat(interest, opportunity.MaxInterestsPerCommand)...), fmt.Sprint("add ", n))
		send(func(m exchange.Change) exchange.ChangeResult {
			n++
			if m.ReservationChange != nil {
				return exchange.ChangeResult{Status: exchange.StatusRejected, Error: refused}
			}
			return exchange.ChangeResult{Status: exchange.StatusDone, Interests: []exchange.InterestRef{{ID: id("OpportunityInterest", 1_000_000_000+n)}}}
		})
	}
	if len(s.Interests) != opportunity.MaxInterests {
		t.Fatalf("%d interests stand", len(s.Interests))
	}
	// The state stores full outcomes only of the last requests, so only these outcomes are as large
	// as possible.
	done := func(exchange.Change) exchange.ChangeResult {
		return exchange.ChangeResult{Status: exchange.StatusDone}
	}
	for range opportunity.MaxRememberedRequests + opportunity.MaxOutcomes {
		n++
		name, answer := "x", done
		if n > opportunity.MaxRememberedRequests-opportunity.MaxOutcomes {
			name, answer = item, reject
		}
		accept(t, s, opportunity.UpdateDetails{Name: name}, strings.Repeat("r", 180)+fmt.Sprint(n))
		if n%20 == 0 {
			send(answer)
		}
	}
	send(reject)
	s.Unattributed = nil
	s.MarkUnattributed(recordNow(repeat(exchange.InterestRef{ID: id("OpportunityInterest", 2_000_000_000)}, 3*opportunity.MaxInterests)...))
	fill(t, s, opportunity.MaxWaitingBytes-400, func() {
		n++
		accept(t, s, opportunity.UpdateDetails{Name: item}, fmt.Sprint(n))
	})
	if s.WaitingBytes() > opportunity.MaxWaitingBytes {
		t.Fatalf("%d bytes wait", s.WaitingBytes())
	}
	fillFollowUps(s)
	kept, err := json.Marshal(s.Outcomes)
	if err != nil {
		t.Fatal(err)
	}
	parts := map[string]int{"outcomes": len(s.Outcomes), "timeline": len(s.Timeline), "attention": len(s.Attention), "foreign": len(s.Unattributed), "handled": s.DedupWindow.Len() - len(s.Queue)}
	for part, most := range map[string]int{
		"outcomes": opportunity.MaxOutcomes, "timeline": opportunity.MaxTimeline, "attention": 20,
		"foreign": opportunity.MaxInterests, "handled": opportunity.MaxRememberedRequests,
	} {
		if parts[part] > most {
			t.Errorf("%s: %d, at most %d", part, parts[part], most)
		}
	}
	// MaxOutcomeBytes does not count the other members of a StoredOutcome.
	if most := opportunity.MaxOutcomeBytes + 120*opportunity.MaxOutcomes; len(kept) > most {
		t.Errorf("the outcomes take %d bytes, at most %d", len(kept), most)
	}
	whole, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes: outcomes %d of %d, %d interests, %d handled, %d waiting", len(whole), len(kept), len(s.Outcomes), len(s.Interests), s.DedupWindow.Len(), len(s.Queue))
	if len(whole) > opportunity.MaxStateBytes {
		var members map[string]json.RawMessage
		_ = json.Unmarshal(whole, &members)
		for name, value := range members {
			t.Logf("%s: %d", name, len(value))
		}
		t.Errorf("the state takes %d bytes, at most %d", len(whole), opportunity.MaxStateBytes)
	}
}

// fill accepts commands until the waiting commands have at least the given number of bytes. No
// later command may be larger than the first command, which contains the payload. Each measurement
// reads all commands, so fill adds as many commands between two measurements as would fit if each
// command were as large as the first command.
func fill(t *testing.T, s *entity.State, bytes int, accept func()) {
	t.Helper()
	before := s.WaitingBytes()
	accept()
	each := s.WaitingBytes() - before
	for left := bytes - s.WaitingBytes(); left > 0; left = bytes - s.WaitingBytes() {
		for range max(1, left/each) {
			accept()
		}
	}
}

func fillFollowUps(s *entity.State) {
	var planned []exchange.FollowUp
	for n := range 100 {
		f := reminder(n, n)
		f.Key = strings.Repeat("k", 100) + f.Key
		f.Action.Attention = strings.Repeat("y", 1000)
		planned = append(planned, f)
		if n < opportunity.MaxFollowUps {
			s.SnoozedFollowUps = append(s.SnoozedFollowUps, entity.SnoozedFollowUp{Key: f.Key, Until: noon.Add(time.Hour), Reason: strings.Repeat("y", opportunity.MaxTextLength)})
		}
	}
	s.SetFollowUps(exchange.Plan{FollowUps: planned}, noon)
	for n := range 100 + opportunity.MaxCancelledFollowUps {
		s.DoneFollowUps = append(s.DoneFollowUps, exchange.DoneFollowUp{Key: fmt.Sprint(planned[0].Key, n), At: noon, Cancelled: n >= 100})
	}
}

// TestLongNamesOfSignals: signals with the longest names that the server allows cannot make the
// state too large for the next run.
func TestLongNamesOfSignals(t *testing.T) {
	s := openedState(t)
	for range 2 * opportunity.MaxOutcomes {
		s.FailMessage(opportunity.MessageName(strings.Repeat("<", 1000)), "", opportunity.Invalidf("there is no such message"), noon)
	}
	data, err := json.Marshal(s)
	if err != nil || len(data) > opportunity.MaxStateBytes/4 {
		t.Errorf("the state takes %d bytes: %v", len(data), err)
	}
}

// TestOneLargeOutcome: an API that returns long errors for a hundred rejected changes does not
// make the state too large for the next run.
func TestOneLargeOutcome(t *testing.T) {
	s := openedState(t)
	accept(t, s, addInterests(repeat(plainInterest(1), 100)...), "r")
	long := strings.Repeat("é<", 50_000)
	for batch := s.NextBatch(); len(batch) > 0; batch = s.NextBatch() {
		answers := repeat(exchange.ChangeResult{Status: exchange.StatusRejected, Error: &opportunity.Error{Type: opportunity.Rejected, Label: long, Message: long, Value: long}}, len(batch))
		s.ApplyResults(batch, answers, always, noon)
		if data, err := json.Marshal(s); err != nil || len(data) > opportunity.MaxStateBytes {
			t.Fatalf("the state takes %d bytes, at most %d: %v", len(data), opportunity.MaxStateBytes, err)
		}
	}
	got := outcome(t, s, "r")
	if got.State != opportunity.Failed || len(got.Results) != 100 || !strings.HasPrefix(got.Results[99].Error.Message, "é<é<é<") {
		t.Errorf("state %s, %d results", got.State, len(got.Results))
	}
}
