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

// TestNoLearnerIsShown puts a mark into the data of every learner, and searches for the mark in
// every shown text, at every stage of a request.
func TestNoLearnerIsShown(t *testing.T) {
	const mark = "Zaphodina"
	marked := func(list opportunity.Interests) opportunity.Interests {
		for i := range list {
			if list[i].Kind == opportunity.Tokens {
				continue
			}
			list[i].Learners = []opportunity.Learner{{FirstName: mark, LastName: mark, Email: mark + "@" + mark + ".example"}}
		}
		return list
	}
	rapid.Check(t, func(t *rapid.T) {
		start := opportunity.Start{Name: "First Aid", Region: "UK", Interests: marked(rapid.SliceOfN(rapid.Custom(drawInterest), 0, 2).Draw(t, "start"))}
		s := entity.NewState("A-1", start, noon)
		look := func() {
			view, err := json.Marshal(s.View())
			if err != nil {
				t.Fatal(err)
			}
			shown := map[string]string{"view": string(view), "card": s.CurrentDetails(), "words": strings.Join(s.AttentionKinds(), " ")}
			for _, m := range s.NextBatch() {
				if m.Progress != nil {
					shown["summary of a move"] = opportunity.Summary(*m.Progress)
				}
			}
			for _, e := range s.Queue {
				shown["summary of "+e.Request] = e.Summary()
			}
			kept := *s
			kept.Queue, kept.Start = nil, nil
			rest, err := json.Marshal(kept)
			if err != nil {
				t.Fatal(err)
			}
			shown["state beside what waits"] = string(rest)
			for what, text := range shown {
				if strings.Contains(text, mark) {
					t.Fatalf("the %s names a learner: %s", what, text)
				}
			}
		}
		look()
		s.ApplyCreated(recordNow(), opportunity.Ref{ID: region}, noon)
		look()
		for n := range rapid.IntRange(1, 4).Draw(t, "commands") {
			command := drawCommand(t)
			if list, ok := command.(opportunity.AddInterests); ok {
				list.Interests = marked(list.Interests)
				command = list
			}
			if text := opportunity.Summary(command); strings.Contains(text, mark) {
				t.Fatalf("the summary names a learner: %s", text)
			}
			if _, err := s.Accept(command, fmt.Sprint("r", n), true, noon); err != nil {
				t.Fatal(err)
			}
		}
		for s.HasBatch() {
			look()
			batch := s.NextBatch()
			answers := make([]exchange.ChangeResult, len(batch))
			for i := range batch {
				answers[i] = exchange.ChangeResult{Status: rapid.SampledFrom([]exchange.ChangeStatus{exchange.StatusDone, exchange.StatusRejected, exchange.StatusUnknown}).Draw(t, "fate")}
				switch {
				case answers[i].Status != exchange.StatusDone:
					answers[i].Error = &opportunity.Error{Type: opportunity.Rejected, Label: "Not Published", Message: "no"}
				case batch[i].Interest != nil:
					answers[i].Interests = []exchange.InterestRef{{ID: opportunity.ID(fmt.Sprint(batch[i].Request, "/", i, "/", len(s.Interests)))}}
				case batch[i].ReservationChange != nil:
					answers[i].Reservation = &opportunity.Reservation{Valid: rapid.Bool().Draw(t, "valid"), Until: noon}
				}
			}
			s.ApplyResults(batch, answers, always, noon)
			look()
			for s.Question != nil {
				if err := execute(s, opportunity.Skip{Request: s.Question.Request, Reason: "looked"}); err != nil {
					t.Fatal(err)
				}
			}
		}
		look()
	})
}

func TestSummaries(t *testing.T) {
	for want, command := range map[string]opportunity.Command{
		"add 1 interest":  addInterests(plainInterest(1)),
		"add 2 interests": addInterests(plainInterest(1), plainInterest(2)),
		"progress to Won": opportunity.Progress{To: "Won"},
		"progress to " + strings.Repeat("x", 40) + "…": opportunity.Progress{To: strings.Repeat("x", 41)},
		"update name, account, currency":               opportunity.UpdateDetails{Name: "n", Account: "a", Currency: "USD"},
		"update currency":                              opportunity.UpdateDetails{Currency: "USD"},
	} {
		if got := opportunity.Summary(command); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestView(t *testing.T) {
	s := entity.NewState("A-1", opportunity.Start{Name: "First Aid", Region: "UK"}, noon)
	empty, err := json.Marshal(s.View())
	if err != nil {
		t.Fatal(err)
	}
	for _, member := range []string{`"interests":[]`, `"queue":[]`, `"attention":[]`} { // lists that callers need not test for null
		if !strings.Contains(string(empty), member) {
			t.Errorf("%s lacks %s", empty, member)
		}
	}
	if strings.Contains(string(empty), `"step"`) || strings.Contains(string(empty), `"reservation"`) {
		t.Errorf("%s shows what is not there", empty)
	}
	s.ApplyCreated(recordNow(), opportunity.Ref{ID: region, Name: "UK"}, noon)
	s.Interests = []opportunity.RecordedInterest{{ID: "a", Quantity: 2, UnitAmount: amount(t, "0.10")}}
	s.Reservation = opportunity.Reservation{Valid: true, Until: noon}
	for n := range 120 {
		accept(t, s, opportunity.Progress{To: "Won"}, fmt.Sprint("r", n))
	}
	s.Queue[0].InDoubt = true
	s.Question = &opportunity.Question{Request: "r0", Text: "?"}
	v := s.View()
	if v.Opportunity != record || v.Step == nil || *v.Step != proposed || v.Total.String() != "0.20" || v.Reservation == nil || v.Question == nil || v.StateVersion != entity.StateVersion || v.Runs != 1 {
		t.Errorf("the view is %+v", v)
	}
	if len(v.Queue) != 100 {
		t.Errorf("%d of the queue are shown", len(v.Queue))
	}
	if diff := cmp.Diff(opportunity.QueuedMessage{Request: "r0", Summary: "progress to Won", Accepted: noon, InDoubt: true}, v.Queue[0]); diff != "" {
		t.Error(diff)
	}
	// A view that was returned does not change with the state.
	s.Interests[0].Quantity, s.Question.Text, s.Reservation.Valid = 3, "!", false
	s.RaiseAttention(opportunity.AttentionAPI, "", "x", noon)
	if v.Interests[0].Quantity != 2 || v.Question.Text != "?" || !v.Reservation.Valid || len(v.Attention) != 0 {
		t.Errorf("the view changed with the state: %+v", v)
	}
}

func TestCurrentDetails(t *testing.T) {
	s := entity.NewState("A_1*", opportunity.Start{Name: "First Aid", Region: "UK"}, noon)
	if card := s.CurrentDetails(); !strings.Contains(card, "### Opportunity A\\_1\\*\n") || !strings.Contains(card, "- **Record:** not created yet\n") {
		t.Errorf("the card of what is not created: %s", card)
	}
	s.ApplyCreated(recordNow(), opportunity.Ref{ID: region, Name: "Dominican Republic"}, noon)
	s.Interests = []opportunity.RecordedInterest{{ID: "a", Quantity: 2, UnitAmount: amount(t, "0.10")}}
	s.Reservation = opportunity.Reservation{Valid: true, Until: noon}
	accept(t, s, opportunity.Progress{To: "<b>Won</b>\u2003[x](http://evil.example)"}, "r`1")
	sendBatch(t, s, exchange.ChangeResult{Status: exchange.StatusUnknown})
	accept(t, s, opportunity.Progress{To: "Lost"}, "q")
	s.Failures = 3
	card := s.CurrentDetails()
	for _, want := range []string{
		"- **Record:** `" + string(record) + "`\n", "- **Step:** Proposed (stage Proposed, Open)\n", "- **Region:** Dominican Republic\n",
		"- **Interests:** 1, total 0.20 USD\n", "- **Places reserved until:** 2026-11-23T12:00:00Z\n",
		"- **Queue:** 2 requests, first: progress to &lt;b>Won", "- **Failed requests:** 3\n", "- **undecided** since 2026-11-23T12:00:00Z, request `r'1`: ",
		"#### Timeline\n\n- 2026-11-23T12:00:00Z start accepted\n",
	} {
		if !strings.Contains(card, want) {
			t.Errorf("the card lacks %q:\n%s", want, card)
		}
	}
	if strings.Contains(card, "<b>") || strings.Contains(card, " [x](") {
		t.Errorf("the card takes texts for markup:\n%s", card)
	}
	for range 30 {
		s.FailMessage("win", "", opportunity.Invalidf("x"), noon)
	}
	_, last, _ := strings.Cut(s.CurrentDetails(), "#### Timeline")
	if lines := strings.Count(last, "\n- "); lines != 10 {
		t.Errorf("%d lines of the timeline are on the card", lines)
	}
}

func TestTotalsAreReadable(t *testing.T) {
	s := openedState(t)
	for n := range opportunity.MaxInterests {
		s.Interests = append(s.Interests, opportunity.RecordedInterest{
			ID: id("OpportunityInterest", n), Quantity: opportunity.MaxQuantity, UnitAmount: amount(t, "999999999999999.9999"),
		})
	}
	for name, shown := range map[string]struct {
		from any
		into interface{ total() opportunity.Amount }
	}{
		"view":  {s.View(), &readView{}},
		"ended": {s.Result(), &readRunResult{}},
	} {
		data, err := json.Marshal(shown.from)
		if err == nil {
			err = json.Unmarshal(data, shown.into)
		}
		if got := shown.into.total(); err != nil || got.String() != "499999999999999999950000.00" {
			t.Errorf("%s: total %s, %v", name, got, err)
		}
	}
	// The limit for the amount of an interest also applies to computed amounts.
	for _, wrong := range []opportunity.Amount{s.Total(), amount(t, "999999999999999").Add(amount(t, "1")), amount(t, "0.0001").Times(-1)} {
		one := opportunity.Interest{Item: string(course), Quantity: 1}
		one.UnitAmount = wrong
		if err := one.Validate(); err == nil || !strings.Contains(err.Error(), "unitAmount: ") {
			t.Errorf("an interest of %s: %v", wrong, err)
		}
	}
}

type (
	readView      struct{ opportunity.View }
	readRunResult struct{ opportunity.RunResult }
)

func (r *readView) total() opportunity.Amount      { return r.Total }
func (r *readRunResult) total() opportunity.Amount { return r.Total }
