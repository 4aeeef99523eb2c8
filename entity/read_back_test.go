package entity_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/oppflow/oppflow/entity"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

func interestRef(i, item opportunity.ID) exchange.InterestRef {
	return exchange.InterestRef{ID: i, Item: item}
}

func statuses(answers []exchange.ChangeResult) []string {
	var list []string
	for _, a := range answers {
		one := string(a.Status)
		for _, i := range a.Interests {
			one += " " + string(i.ID)
		}
		list = append(list, one)
	}
	return list
}

func TestReadBackInterests(t *testing.T) {
	named := opportunity.Interest{Item: "Workplace Safety", Kind: opportunity.Path, Quantity: 1}
	places := reservingInterest(1)
	for _, c := range []struct {
		name    string
		answers []exchange.ChangeResult // the results for a course by id, an event, a path by name, and the expiry
		record  []exchange.InterestRef
		want    []string
	}{
		{"none happened", repeat(unknownResult, 4), []exchange.InterestRef{interestRef("old", course), interestRef("strange", course)}, []string{"notSent", "notSent", "notSent", "notSent"}},
		{
			"all happened", repeat(unknownResult, 4),
			[]exchange.InterestRef{interestRef("old", course), interestRef("a", course), interestRef("strange", event), interestRef("b", event), interestRef("c", path)},
			[]string{"done a", "done b", "done c", "notSent"},
		},
		{"the first happened", repeat(unknownResult, 4), []exchange.InterestRef{interestRef("old", course), interestRef("a", course)}, []string{"done a", "notSent", "notSent", "notSent"}},
		{"the first was rejected", repeat(unknownResult, 4), []exchange.InterestRef{interestRef("b", event)}, []string{"rejected", "done b", "notSent", "notSent"}},
		{"the second was rejected", repeat(unknownResult, 4), []exchange.InterestRef{interestRef("a", course), interestRef("b", path)}, []string{"done a", "rejected", "done b", "notSent"}},
		{"another order", repeat(unknownResult, 4), []exchange.InterestRef{interestRef("b", event), interestRef("a", course)}, []string{"unknown", "unknown", "unknown", "notSent"}},
		{"something else came", repeat(unknownResult, 4), []exchange.InterestRef{interestRef("a", course), interestRef("x", tokens)}, []string{"unknown", "unknown", "unknown", "notSent"}},
		{
			"more than was asked", repeat(unknownResult, 4),
			[]exchange.InterestRef{interestRef("a", course), interestRef("b", event), interestRef("c", path), interestRef("d", course)},
			[]string{"unknown", "unknown", "unknown", "notSent"},
		},
		{
			"the answered ones are known",
			[]exchange.ChangeResult{doneResult("a"), unknownResult, unknownResult, unknownResult},
			[]exchange.InterestRef{interestRef("a", course), interestRef("b", event)},
			[]string{"done a", "done b", "notSent", "notSent"},
		},
		{
			"a rejected one is none",
			[]exchange.ChangeResult{rejectedResult("No"), unknownResult, unknownResult, unknownResult},
			[]exchange.InterestRef{interestRef("b", event)},
			[]string{"rejected", "done b", "notSent", "notSent"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := openedState(t)
			s.Interests, s.Unattributed = []opportunity.RecordedInterest{{ID: "old"}}, []opportunity.ID{"strange"}
			accept(t, s, addInterests(plainInterest(1), places, named), "r")
			batch := s.NextBatch()
			given := slices.Clone(c.answers)
			got := s.ReadBack(batch, c.answers, recordNow(c.record...), map[exchange.UnresolvedName]opportunity.ID{{Type: opportunity.TypePath, Text: "Workplace Safety"}: path}, always)
			if diff := cmp.Diff(c.want, statuses(got)); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(given, c.answers); diff != "" {
				t.Errorf("the answers given were changed: %s", diff)
			}
		})
	}
	t.Run("a name that could not be looked up", func(t *testing.T) {
		s := openedState(t)
		accept(t, s, addInterests(named), "r")
		if got := statuses(s.ReadBack(s.NextBatch(), []exchange.ChangeResult{unknownResult}, recordNow(interestRef("a", "")), nil, always)); got[0] != "unknown" {
			t.Errorf("got %v", got)
		}
	})
	// The interests in one item differ only in facts that a read does not show, and the API may
	// have rejected any of the interests.
	for _, c := range []struct {
		name   string
		record []exchange.InterestRef
		want   []string
	}{
		{"none of the same", nil, []string{"notSent", "notSent", "notSent"}},
		{"one of the same", []exchange.InterestRef{interestRef("a", course)}, []string{"unknown", "unknown", "unknown"}},
		{"both of the same", []exchange.InterestRef{interestRef("a", course), interestRef("b", course)}, []string{"done a", "done b", "notSent"}},
		{"all", []exchange.InterestRef{interestRef("a", course), interestRef("b", course), interestRef("c", path)}, []string{"done a", "done b", "done c"}},
		{"one of the same and the other", []exchange.InterestRef{interestRef("a", course), interestRef("c", path)}, []string{"unknown", "unknown", "unknown"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := openedState(t)
			accept(t, s, addInterests(plainInterest(1), plainInterest(2), opportunity.Interest{Item: string(path), Quantity: 1}), "r")
			if diff := cmp.Diff(c.want, statuses(s.ReadBack(s.NextBatch(), repeat(unknownResult, 3), recordNow(c.record...), nil, always))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// In a run that a worker of an earlier version began, a read decides nothing about a request with a
// rejected interest.
func TestReadBackInARunOfAnEarlierVersion(t *testing.T) {
	for _, c := range []struct {
		record []exchange.InterestRef
		looks  int
		want   []string
	}{
		{[]exchange.InterestRef{interestRef("b", path)}, 1, []string{"unknown", "unknown"}},
		{[]exchange.InterestRef{interestRef("a", course)}, 0, []string{"done a", "notSent"}},
		{nil, 0, []string{"notSent", "notSent"}},
	} {
		s := openedState(t)
		accept(t, s, addInterests(plainInterest(1), opportunity.Interest{Item: string(path), Quantity: 1}), "r")
		looks := 0
		got := statuses(s.ReadBack(s.NextBatch(), repeat(unknownResult, 2), recordNow(c.record...), nil, func() bool { looks++; return false }))
		if diff := cmp.Diff(c.want, got); diff != "" || looks != c.looks {
			t.Errorf("looked %d times, want %d: %s", looks, c.looks, diff)
		}
	}
}

// A command whose interests are all on the record is done, even if it is unknown which interests of
// another command are on the record.
func TestReadBackOfSeveralCommands(t *testing.T) {
	s := openedState(t)
	accept(t, s, addInterests(plainInterest(1), plainInterest(2)), "ambiguous")
	accept(t, s, addInterests(opportunity.Interest{Item: string(path), Quantity: 1}), "shown")
	record := recordNow(interestRef("a", course), interestRef("b", path))
	got := statuses(s.ReadBack(s.NextBatch(), repeat(unknownResult, 3), record, nil, always))
	if diff := cmp.Diff([]string{"unknown", "unknown", "done b"}, got); diff != "" {
		t.Error(diff)
	}
}

// TestReadBackEqualInterests: any of several equal interests may count as done, unless the interest
// on the record may also be a different requested interest.
func TestReadBackEqualInterests(t *testing.T) {
	one, other := plainInterest(1), plainInterest(2)
	for _, c := range []struct {
		name  string
		asked []opportunity.Interest
		has   int
		want  []string
	}{
		{"equal", repeat(one, 3), 2, []string{"done x", "done x", "notSent"}},
		{"a different one in between", []opportunity.Interest{one, other, one}, 1, []string{"unknown", "unknown", "unknown"}},
		{"a different one in between, of two", []opportunity.Interest{one, other, one}, 2, []string{"unknown", "unknown", "unknown"}},
		{"a different one at the end", []opportunity.Interest{one, one, other}, 1, []string{"unknown", "unknown", "unknown"}},
		{"a different item in between", []opportunity.Interest{one, {Item: string(path), Quantity: 1}, one}, 1, []string{"done x", "notSent", "notSent"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := openedState(t)
			accept(t, s, addInterests(c.asked...), "r")
			got := s.ReadBack(s.NextBatch(), repeat(unknownResult, len(c.asked)), recordNow(repeat(interestRef("x", course), c.has)...), nil, always)
			if diff := cmp.Diff(c.want, statuses(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestReadBackByQuantityAndPrice(t *testing.T) {
	dear := plainInterest(2)
	dear.UnitAmount = amount(t, "300")
	asked := []opportunity.Interest{plainInterest(1), plainInterest(2), dear}
	price := func(s string) *opportunity.Amount { a := amount(t, s); return &a }
	usual := asked[0].UnitAmount
	for _, c := range []struct {
		name string
		has  []exchange.InterestRef
		want []string
	}{
		{"the first", []exchange.InterestRef{{ID: "x", Item: course, Quantity: 1}}, []string{"done x", "notSent", "notSent"}},
		{"not the first", []exchange.InterestRef{{ID: "x", Item: course, Quantity: 2}}, []string{"unknown", "unknown", "unknown"}},
		{
			"two, by quantity alone",
			[]exchange.InterestRef{{ID: "x", Item: course, Quantity: 1}, {ID: "y", Item: course, Quantity: 2}},
			[]string{"unknown", "unknown", "unknown"},
		},
		{
			"two, by the price as well",
			[]exchange.InterestRef{{ID: "x", Item: course, Quantity: 1, UnitAmount: &usual}, {ID: "y", Item: course, Quantity: 2, UnitAmount: &usual}},
			[]string{"done x", "done y", "notSent"},
		},
		{
			"the second was rejected",
			[]exchange.InterestRef{{ID: "x", Item: course, Quantity: 1, UnitAmount: &usual}, {ID: "y", Item: course, Quantity: 2, UnitAmount: price("300.00")}},
			[]string{"done x", "rejected", "done y"},
		},
		{"somebody changed the price", []exchange.InterestRef{{ID: "x", Item: course, Quantity: 1, UnitAmount: price("1")}}, []string{"unknown", "unknown", "unknown"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := openedState(t)
			accept(t, s, addInterests(asked...), "r")
			got := s.ReadBack(s.NextBatch(), repeat(unknownResult, len(asked)), recordNow(c.has...), nil, always)
			if diff := cmp.Diff(c.want, statuses(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestReadBackProgress(t *testing.T) {
	lost := opportunity.Step{ID: id(opportunity.TypeStep, 6), Name: "Lost"}
	names := map[exchange.UnresolvedName]opportunity.ID{{Type: opportunity.TypeStep, Text: "Won"}: won.ID}
	for _, c := range []struct {
		name  string
		to    string
		names map[exchange.UnresolvedName]opportunity.ID
		stand opportunity.Step
		want  exchange.ChangeStatus
	}{
		{"it moved", "Won", names, won, exchange.StatusDone},
		{"it moved, by id", string(won.ID), nil, won, exchange.StatusDone},
		{"it stands where it stood", "Won", names, proposed, exchange.StatusNotSent},
		{"it stands elsewhere", "Won", names, lost, exchange.StatusUnknown},
		{"nobody knows where to", "Won", nil, won, exchange.StatusUnknown},
		{"nobody knows where to, and it did not move", "Won", nil, proposed, exchange.StatusNotSent},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := openedState(t)
			accept(t, s, opportunity.Progress{To: c.to}, "r")
			snapshot := recordNow()
			snapshot.Step = c.stand
			got := s.ReadBack(s.NextBatch(), []exchange.ChangeResult{unknownResult}, snapshot, c.names, always)
			if got[0].Status != c.want {
				t.Errorf("got %+v", got[0])
			}
			s.ApplyResults(s.NextBatch(), got, always, noon)
			if c.want == exchange.StatusDone && s.Step != won {
				t.Errorf("the state stands in %+v", s.Step)
			}
		})
	}
}

// TestReadBackUpdate: a second send of details does no harm, unless a later update set the same
// details.
func TestReadBackUpdate(t *testing.T) {
	named := func(name string) exchange.ChangeResult {
		return exchange.ChangeResult{Status: exchange.StatusDone, Details: &opportunity.Details{Name: name}}
	}
	for _, c := range []struct {
		name    string
		later   opportunity.UpdateDetails
		answers []exchange.ChangeResult
		want    []string
	}{
		{"both unknown", opportunity.UpdateDetails{Name: "second"}, []exchange.ChangeResult{unknownResult, unknownResult}, []string{"notSent", "notSent"}},
		{"the later was done", opportunity.UpdateDetails{Name: "second"}, []exchange.ChangeResult{unknownResult, named("second")}, []string{"unknown", "done"}},
		{"the later set something else", opportunity.UpdateDetails{Currency: "USD"}, []exchange.ChangeResult{unknownResult, named("first")}, []string{"notSent", "done"}},
		{"the later was refused", opportunity.UpdateDetails{Name: "second"}, []exchange.ChangeResult{unknownResult, rejectedResult("No")}, []string{"notSent", "rejected"}},
		{"the earlier was done", opportunity.UpdateDetails{Name: "second"}, []exchange.ChangeResult{named("first"), unknownResult}, []string{"done", "notSent"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := openedState(t)
			accept(t, s, opportunity.UpdateDetails{Name: "first"}, "a")
			accept(t, s, c.later, "b")
			got := s.ReadBack(s.NextBatch(), c.answers, recordNow(), nil, always)
			if diff := cmp.Diff(c.want, statuses(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestUnattributedInterestsAreNotMatched: if the run raised a question about who requested a
// recorded interest, the interest does not count as the effect of a later request.
func TestUnattributedInterestsAreNotMatched(t *testing.T) {
	s := openedState(t)
	accept(t, s, addInterests(plainInterest(1)), "r")
	batch := s.NextBatch()
	strange := recordNow(interestRef("x", path), interestRef("y", course))
	answers := s.ReadBack(batch, []exchange.ChangeResult{unknownResult}, strange, nil, always)
	s.MarkUnattributed(strange)
	s.MarkUnattributed(strange) // each interest is stored once
	s.ApplyResults(batch, answers, always, noon)
	if s.Question == nil || len(s.Unattributed) != 2 {
		t.Fatalf("question %+v, not ours: %v", s.Question, s.Unattributed)
	}
	if err := execute(s, opportunity.Retry{Request: "r"}); err != nil {
		t.Fatal(err)
	}
	batch = s.NextBatch()
	if got := statuses(s.ReadBack(batch, []exchange.ChangeResult{unknownResult}, strange, nil, always)); got[0] != "notSent" {
		t.Errorf("got %v", got)
	}
	if got := statuses(s.VerifyResults(batch, []exchange.ChangeResult{{Status: exchange.StatusDone, Interests: append(strange.Interests, interestRef("z", course))}})); got[0] != "done z" {
		t.Errorf("got %v", got)
	}
}

func TestAdoptFound(t *testing.T) {
	named := opportunity.Interest{Item: "ABC-123-01", Kind: opportunity.Event, Quantity: 2, Reserve: true}
	names := map[exchange.UnresolvedName]opportunity.ID{{Type: opportunity.TypeEvent, Text: "ABC-123-01"}: event}
	for _, c := range []struct {
		name     string
		asked    []opportunity.Interest
		has      []exchange.InterestRef
		held     bool
		sent     []string
		stand    []string
		question bool
		finished bool
		foreign  []opportunity.ID
	}{
		{name: "nothing asked, nothing there"},
		{name: "nothing asked", has: []exchange.InterestRef{interestRef("a", course)}, foreign: []opportunity.ID{"a"}},
		{name: "nothing there", asked: []opportunity.Interest{plainInterest(1)}, sent: []string{"#start/0"}},
		{
			name: "all there", asked: []opportunity.Interest{plainInterest(1), named}, has: []exchange.InterestRef{interestRef("a", course), interestRef("b", event)}, held: true,
			stand: []string{"a", "b"}, finished: true,
		},
		{
			name: "a part is there", asked: []opportunity.Interest{plainInterest(1), named}, has: []exchange.InterestRef{interestRef("a", course)},
			stand: []string{"a"}, sent: []string{"#start/1", "extend"},
		},
		{
			name: "more is there", asked: []opportunity.Interest{plainInterest(1)}, has: []exchange.InterestRef{interestRef("a", course), interestRef("x", path)},
			stand: []string{"a"}, finished: true, foreign: []opportunity.ID{"x"},
		},
		{
			name: "something else is there", asked: []opportunity.Interest{plainInterest(1), named}, has: []exchange.InterestRef{interestRef("a", course), interestRef("x", path)},
			stand: []string{"a"}, question: true, foreign: []opportunity.ID{"x"},
		},
		{
			name: "one of two in the same item", asked: []opportunity.Interest{plainInterest(1), plainInterest(2)}, has: []exchange.InterestRef{interestRef("a", course)},
			question: true, foreign: []opportunity.ID{"a"},
		},
		{
			name: "both in the same item", asked: []opportunity.Interest{plainInterest(1), plainInterest(2)}, has: []exchange.InterestRef{interestRef("a", course), interestRef("b", course)},
			stand: []string{"a", "b"}, finished: true,
		},
		{
			name: "places without an expiry", asked: []opportunity.Interest{named}, has: []exchange.InterestRef{interestRef("b", event)},
			stand: []string{"b"}, finished: true, sent: []string{"extend"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := entity.NewState("A-1", opportunity.Start{Name: "x", Region: "UK", Interests: c.asked}, noon)
			accept(t, s, opportunity.Progress{To: "Won"}, "early")
			snapshot := recordNow(c.has...)
			snapshot.Reservation.Valid = c.held
			s.AdoptFound(snapshot, opportunity.Ref{ID: region}, names, noon)
			s = continued(t, s)
			var stand []string
			for _, i := range s.Interests {
				stand = append(stand, string(i.ID))
			}
			if diff := cmp.Diff(c.stand, stand); diff != "" {
				t.Errorf("what stands: %s", diff)
			}
			if diff := cmp.Diff(c.foreign, s.Unattributed, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("what is not ours: %s", diff)
			}
			if (s.Question != nil) != c.question {
				t.Fatalf("question %+v", s.Question)
			}
			if got, err := s.Outcome(opportunity.StartRequestID); c.finished && (err != nil || got.State != opportunity.Done || len(got.Results) != len(c.asked)) {
				t.Errorf("the start's interests are %+v, %v", got, err)
			}
			if c.question {
				return
			}
			if diff := cmp.Diff(append(c.sent, "early>Won"), batchText(s.NextBatch())); diff != "" {
				t.Errorf("what is sent: %s", diff)
			}
		})
	}
}

// TestReadBackInterestBeforeAnAppliedChange: a change that took effect proves that the API handled
// the changes before it. If an interest is missing although a later change took effect, the API
// rejected the interest. A second send of the rejected interest would break the order of the
// changes.
func TestReadBackInterestBeforeAnAppliedChange(t *testing.T) {
	s := openedState(t)
	accept(t, s, addInterests(plainInterest(1)), "interest")
	accept(t, s, opportunity.Progress{To: string(won.ID)}, "move")
	batch := s.NextBatch()
	there := recordNow()
	for _, c := range []struct {
		step    opportunity.Step
		answers []exchange.ChangeResult
		want    []string
	}{
		{won, repeat(unknownResult, 2), []string{"rejected", "done"}},
		{proposed, repeat(unknownResult, 2), []string{"notSent", "notSent"}},
		{proposed, []exchange.ChangeResult{unknownResult, rejectedResult("Transition Not Found")}, []string{"rejected", "rejected"}},
	} {
		there.Step = c.step
		got := s.ReadBack(batch, c.answers, there, nil, always)
		if diff := cmp.Diff(c.want, statuses(got)); diff != "" {
			t.Error(diff)
		}
		if got[0].Status == exchange.StatusRejected && (got[0].Error == nil || got[0].Error.Message == "") {
			t.Errorf("no reason: %+v", got[0].Error)
		}
	}
	// An expiry that the record shows may be from before the batch, so the expiry proves nothing
	// about a change of the batch.
	s = openedState(t)
	accept(t, s, addInterests(reservingInterest(1)), "places")
	held := recordNow()
	held.Reservation = opportunity.Reservation{Valid: true, Until: noon.AddDate(0, 0, 14)}
	if got := statuses(s.ReadBack(s.NextBatch(), repeat(unknownResult, 2), held, nil, always)); got[0] != "notSent" {
		t.Errorf("got %v", got)
	}
}

// TestOnlyResentCommandsAreMaybeApplied: an expiry that Oppflow adds for reserved places has the
// opportunity's reference as its request id. A caller may use the same text as a request id.
func TestOnlyResentCommandsAreMaybeApplied(t *testing.T) {
	for _, c := range []struct {
		command opportunity.Command
		want    opportunity.ErrorType
	}{
		{opportunity.Progress{To: string(won.ID)}, opportunity.Closed},
		{opportunity.UpdateDetails{Name: "x"}, opportunity.Undecided},
	} {
		s := openedState(t)
		s.ExpiryPending = true
		accept(t, s, c.command, string(s.Reference))
		batch := s.NextBatch()
		if len(batch) != 2 {
			t.Fatalf("the request is %v", batchText(batch))
		}
		s.ApplyResults(batch, s.ReadBack(batch, repeat(unknownResult, 2), recordNow(), nil, always), always, noon)
		s.FailAll(opportunity.Failf(opportunity.Closed, "closed"), noon)
		if got := outcome(t, s, string(s.Reference)); got.Error == nil || got.Error.Type != c.want {
			t.Errorf("%s: got %+v, want %s", c.command.MessageName(), got.Error, c.want)
		}
	}
}
