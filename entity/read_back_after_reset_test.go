package entity_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/oppflow/oppflow/entity/queue"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

var opportunityStep = opportunity.Step{ID: id(opportunity.TypeStep, 4), Name: "Opportunity", Stage: proposed.Stage}

func always() bool { return true }

func TestReadBackAfterReset(t *testing.T) {
	move := func(to opportunity.Step) opportunity.Command { return opportunity.Progress{To: string(to.ID)} }
	rename := func(name string) opportunity.Command { return opportunity.UpdateDetails{Name: name} }
	until := func(day int) opportunity.Command {
		return opportunity.ExtendReservations{Until: noon.AddDate(0, 0, day)}
	}
	in := func(item opportunity.ID) opportunity.Command {
		return addInterests(opportunity.Interest{Item: string(item), Quantity: 1})
	}
	at := func(step opportunity.Step, interests ...exchange.InterestRef) exchange.Snapshot {
		r := recordNow(interests...)
		r.Step = step
		return r
	}
	named := func(r exchange.Snapshot, name string) exchange.Snapshot {
		r.Details.Name = name
		return r
	}
	inEuro := func(r exchange.Snapshot, account opportunity.ID) exchange.Snapshot {
		r.Details.Account.ID, r.Details.Currency = account, "EUR"
		return r
	}
	held := func(r exchange.Snapshot, day int) exchange.Snapshot {
		r.Reservation = opportunity.Reservation{Valid: true, Until: noon.AddDate(0, 0, day)}
		return r
	}
	for _, c := range []struct {
		name   string
		waits  []opportunity.Command
		record exchange.Snapshot
		want   string
	}{
		{"nothing was sent", []opportunity.Command{in(course), move(opportunityStep), rename("x"), until(3)}, at(proposed), "notSent|notSent|notSent|notSent"},
		{"all was", []opportunity.Command{in(course), move(opportunityStep), rename("x"), until(3)}, held(named(at(opportunityStep, interestRef("a", course)), "x"), 3), "done a|done|done|done"},
		{"the first was", []opportunity.Command{in(course), move(opportunityStep), in(event)}, at(proposed, interestRef("a", course)), "done a|notSent|notSent"},
		{"what stands before what happened was sent", []opportunity.Command{move(opportunityStep), in(course), in(event)}, at(proposed, interestRef("a", course)), "unknown|done a|notSent"},
		{"so was an interest that is not there", []opportunity.Command{in(course), move(opportunityStep)}, at(opportunityStep), "unknown|done"},
		{"and details that do not show", []opportunity.Command{rename("x"), in(course)}, at(proposed, interestRef("a", course)), "unknown|done a"},
		{"details that were set over", []opportunity.Command{rename("x"), rename("y"), in(course)}, named(at(proposed, interestRef("a", course)), "y"), "done|done|done a"},
		{"details that were so before", []opportunity.Command{opportunity.UpdateDetails{Name: "x", Account: string(account)}, rename("y"), rename("y")}, named(at(proposed), "y"), "notSent|notSent|notSent"},
		{"other details that were so before", []opportunity.Command{opportunity.UpdateDetails{Account: string(account)}, rename("y")}, named(at(proposed), "y"), "notSent|done"},
		{"details that two later updates set over", []opportunity.Command{opportunity.UpdateDetails{Name: "x", Currency: "GBP"}, opportunity.UpdateDetails{Name: "y", Account: string(account), Currency: "EUR"}, rename("z")}, inEuro(named(at(proposed), "z"), account), "done|done|done"},
		{"details of which a later update set over a part", []opportunity.Command{opportunity.UpdateDetails{Name: "x", Currency: "GBP"}, opportunity.UpdateDetails{Name: "y", Currency: "EUR"}}, named(at(proposed), "y"), "notSent|notSent"},
		{"an expiry that was set over", []opportunity.Command{until(3), until(9), until(30)}, held(at(proposed), 9), "done|done|notSent"},
		{"interests of somebody else", []opportunity.Command{in(course), in(event)}, at(proposed, interestRef("x", path), interestRef("a", event)), "unknown|done a"},
		{"moves in a row", []opportunity.Command{move(opportunityStep), move(won)}, at(won), "unknown|done"},
		{"the first of them", []opportunity.Command{move(opportunityStep), move(won)}, at(opportunityStep), "done|notSent"},
		{"there and back", []opportunity.Command{move(opportunityStep), move(proposed)}, at(proposed), "unknown|unknown"},
		{"to where it stands", []opportunity.Command{move(proposed), move(opportunityStep)}, at(proposed), "notSent|notSent"},
		{"twice to the same", []opportunity.Command{move(opportunityStep), move(won), move(opportunityStep), move(won)}, at(opportunityStep), "unknown|unknown|unknown|notSent"},
		{"somebody else moved it", []opportunity.Command{move(opportunityStep), in(course)}, at(won), "unknown|notSent"},
		{"more of an item than was asked for", []opportunity.Command{in(course), in(event)}, at(proposed, interestRef("a", event), interestRef("b", event)), "notSent|unknown"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := openedState(t)
			for n, command := range c.waits {
				accept(t, s, command, fmt.Sprint(n))
			}
			all := s.Backlog()
			got := strings.Join(statuses(s.ReadBackAfterReset(all, proposed.ID, c.record, nil, always)), "|")
			if got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
	t.Run("names", func(t *testing.T) {
		s := openedState(t)
		accept(t, s, opportunity.Progress{To: "Opportunity"}, "move")
		accept(t, s, opportunity.UpdateDetails{Account: "Acme", Currency: "US Dollar"}, "details")
		r := at(opportunityStep)
		r.Details.Account.ID = "account"
		got := statuses(s.ReadBackAfterReset(s.Backlog(), proposed.ID, r, map[exchange.UnresolvedName]opportunity.ID{
			{Type: opportunity.TypeStep, Text: "Opportunity"}: opportunityStep.ID, {Type: opportunity.TypeAccount, Text: "Acme"}: "account", {Type: exchange.TypeCurrency, Text: "US Dollar"}: "USD",
		}, always))
		if !slices.Equal(got, []string{"done", "done"}) {
			t.Errorf("got %v", got)
		}
	})
	t.Run("no step was known", func(t *testing.T) {
		s := openedState(t)
		accept(t, s, move(opportunityStep), "1")
		accept(t, s, move(won), "2")
		for step, want := range map[opportunity.Step]string{proposed: "notSent|notSent", opportunityStep: "done|notSent", won: "unknown|done"} {
			if got := strings.Join(statuses(s.ReadBackAfterReset(s.Backlog(), "", at(step), nil, always)), "|"); got != want {
				t.Errorf("in %s: got %s, want %s", step.Name, got, want)
			}
		}
	})
}

// TestReadBackAfterResetInAnEarlierVersion: a run that began in an earlier version still decides to
// send the same updates as a worker of the earlier version. The run reads its version only when the
// result depends on the version.
func TestReadBackAfterResetInAnEarlierVersion(t *testing.T) {
	currency := func(code string) opportunity.Command {
		return opportunity.UpdateDetails{Name: "set to " + code, Currency: code}
	}
	for _, c := range []struct {
		waits []opportunity.Command
		want  string
		looks int
	}{
		{[]opportunity.Command{currency("GBP"), currency("EUR"), opportunity.UpdateDetails{Name: "z"}}, "notSent|notSent|notSent", 1},
		{[]opportunity.Command{opportunity.UpdateDetails{Name: "x"}, opportunity.UpdateDetails{Name: "z"}}, "done|done", 0},
	} {
		s, looks := openedState(t), 0
		for n, command := range c.waits {
			accept(t, s, command, fmt.Sprint(n))
		}
		record := recordNow()
		record.Details.Name, record.Details.Currency = "z", "EUR"
		got := strings.Join(statuses(s.ReadBackAfterReset(s.Backlog(), proposed.ID, record, nil, func() bool { looks++; return false })), "|")
		if got != c.want || looks != c.looks {
			t.Errorf("got %s and %d looks, want %s and %d", got, looks, c.want, c.looks)
		}
	}
}

// TestUpdatesAfterAReset: the run before the reset made the first updates. When the run after the
// reset has sent the updates that do not count as done, the record has the same details as after
// all updates in their order. If no two updates set the same value, every update that was made
// counts as done.
func TestUpdatesAfterAReset(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, record := openedState(t), recordNow()
		values := rapid.IntRange(2, 100).Draw(t, "values")
		unique := values > 20
		value := func(n int, kind string) string {
			switch set := rapid.Bool().Draw(t, kind); {
			case !set:
				return ""
			case unique:
				return fmt.Sprint(kind, n)
			}
			return fmt.Sprint(kind, rapid.IntRange(0, values-1).Draw(t, "value"))
		}
		apply := func(d opportunity.Details, u opportunity.UpdateDetails) opportunity.Details {
			d.Name, d.Currency, d.Account.ID = cmp.Or(u.Name, d.Name), cmp.Or(u.Currency, d.Currency), cmp.Or(opportunity.ID(u.Account), d.Account.ID)
			return d
		}
		made := rapid.IntRange(0, 6).Draw(t, "made")
		want := record.Details
		for n := range 6 {
			u := opportunity.UpdateDetails{Name: value(n, "name"), Currency: value(n, "currency"), Account: value(n, "account")}
			if u == (opportunity.UpdateDetails{}) {
				u.Name = fmt.Sprint("name", n)
			}
			if _, err := s.Accept(u, fmt.Sprint(n), true, noon); err != nil {
				t.Fatal(err)
			}
			want = apply(want, u)
			if n < made {
				record.Details = want
			}
		}
		all := s.Backlog()
		got := record.Details
		for n, answer := range s.ReadBackAfterReset(all, proposed.ID, record, nil, always) {
			if answer.Status == exchange.StatusNotSent {
				got = apply(got, *all.Changes[n].Update)
			}
			if unique && n < made && answer.Status != exchange.StatusDone {
				t.Errorf("update %d was made and is %s", n, answer.Status)
			}
		}
		if got.Name != want.Name || got.Currency != want.Currency || got.Account.ID != want.Account.ID {
			t.Errorf("the record is %+v, want %+v", got, want)
		}
	})
}

// TestClosingAfterAReset: details that the record does not show may still have been set before the
// reset. If the opportunity is closed before an update of such details is sent again, the result of
// the update is unknown.
func TestClosingAfterAReset(t *testing.T) {
	s := openedState(t)
	accept(t, s, opportunity.UpdateDetails{Name: "x"}, "details")
	accept(t, s, opportunity.ExtendReservations{Until: noon.AddDate(0, 0, 3)}, "expiry")
	accept(t, s, addInterests(opportunity.Interest{Item: string(course), Quantity: 1}), "interest")
	all, r := s.Backlog(), recordNow()
	s.ApplyReadBackAfterReset(all, s.ReadBackAfterReset(all, proposed.ID, r, nil, always), r, always, noon)
	s.FailAll(opportunity.Failf(opportunity.Closed, "the opportunity was closed"), noon)
	for request, want := range map[string]opportunity.ErrorType{"details": opportunity.Undecided, "expiry": opportunity.Undecided, "interest": opportunity.Closed} {
		if got := outcome(t, s, request); got.Error == nil || got.Error.Type != want {
			t.Errorf("%s: got %+v, want the error %s", request, got, want)
		}
	}
}

// TestApplyReadBackAfterReset: decided requests continue, undecided requests raise questions, and
// the run sets the expiry of reserved places again, because the earlier change of the expiry may be
// lost.
func TestApplyReadBackAfterReset(t *testing.T) {
	s := openedState(t)
	accept(t, s, opportunity.Progress{To: string(opportunityStep.ID)}, "move")
	accept(t, s, addInterests(reservingInterest(2)), "places")
	accept(t, s, opportunity.UpdateDetails{Name: "later"}, "later")
	r := recordNow(interestRef("a", event))
	all := s.Backlog()
	s.ApplyReadBackAfterReset(all, s.ReadBackAfterReset(all, proposed.ID, r, nil, always), r, always, noon)
	if got := queued(s); !slices.Equal(got, []string{"move", "later"}) {
		t.Errorf("in the queue are %v", got)
	}
	if s.Question == nil || s.Question.Request != "move" {
		t.Errorf("the question is %+v", s.Question)
	}
	if got := outcome(t, s, "places"); got.State != opportunity.Done || got.Results[0].Interest != "a" {
		t.Errorf("got %+v", got)
	}
	if err := execute(s, opportunity.Skip{Request: "move", Reason: "it was refused"}); err != nil {
		t.Fatal(err)
	}
	if got := batchText(s.NextBatch()); !slices.Equal(got, []string{"later=later", "extend"}) {
		t.Errorf("the next request is %v", got)
	}
}

// TestNothingIsRepeatedAfterAReset: a run makes any part of the waiting changes, and is then reset
// to a point before these changes. Every change that counts as done after the reset was really
// made. No change that was made is sent again, whichever truthful answers an operator sends.
func TestNothingIsRepeatedAfterAReset(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		fake := &fakeTMS{now: noon, madeBy: map[opportunity.ID]string{}, step: proposed, name: "First Aid", reserved: map[opportunity.ID]bool{}, rejects: map[string]bool{}}
		s := openedState(t)
		items := []opportunity.ID{course, event, path}
		stations := []opportunity.Step{proposed, opportunityStep, won}
		for n := range rapid.IntRange(1, 8).Draw(t, "commands") {
			key := fmt.Sprint("r", n)
			var command opportunity.Command
			switch rapid.IntRange(0, 3).Draw(t, "kind") {
			case 0:
				command = opportunity.Progress{To: string(stations[rapid.IntRange(0, 2).Draw(t, "step")].ID)}
			case 1:
				command = opportunity.UpdateDetails{Name: fmt.Sprint("name ", rapid.IntRange(0, 2).Draw(t, "name"))}
			case 2:
				command = opportunity.ExtendReservations{Until: noon.AddDate(0, 0, rapid.IntRange(1, 5).Draw(t, "day"))}
			default:
				var list []opportunity.Interest
				for i := range rapid.IntRange(1, 3).Draw(t, "interests") {
					item := items[rapid.IntRange(0, 2).Draw(t, "item")]
					list = append(list, opportunity.Interest{Item: string(item), Quantity: rapid.IntRange(1, 2).Draw(t, "quantity"), Reserve: item == event})
					fake.rejects[fmt.Sprintf("%s/%d", key, i)] = rapid.IntRange(0, 9).Draw(t, "refused") == 0
				}
				command = addInterests(list...)
			}
			fake.rejects[key+"/0"] = fake.rejects[key+"/0"] || rapid.IntRange(0, 9).Draw(t, "refused") == 0
			called := rapid.Bool().Draw(t, "called")
			if _, err := s.Accept(command, key, !called, noon); err != nil {
				t.Fatal(err)
			}
		}
		// The run before the reset makes a part of the changes. After the reset, Temporal delivers
		// the signals first.
		before := continued(t, s)
		slices.SortStableFunc(s.Queue, func(a, b queue.Command) int {
			switch {
			case a.FromUpdate == b.FromUpdate:
				return 0
			case b.FromUpdate:
				return -1
			}
			return 1
		})
		for steps := rapid.IntRange(0, 8).Draw(t, "requests"); steps > 0 && len(before.NextBatch()) > 0; steps-- {
			batch := before.NextBatch()
			answers := make([]exchange.ChangeResult, len(batch))
			for i, m := range batch {
				answers[i] = fake.apply(m)
			}
			before.ApplyResults(batch, before.VerifyResults(batch, answers), always, noon)
		}
		happened := slices.Clone(fake.log)
		// The run after the reset knows nothing of these changes.
		backlog := s.Backlog()
		all := backlog.Changes
		answers := s.ReadBackAfterReset(backlog, proposed.ID, fake.snapshot(), nil, always)
		// Equal interests are interchangeable.
		counts, did, left, asked := map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}
		for i, m := range all {
			if m.Interest == nil && m.Progress == nil {
				continue // to set details or an expiry again does no harm
			}
			asked[changeText(m)]++
			if slices.Contains(happened, changeKey(m)) {
				did[changeText(m)]++
			}
			switch answers[i].Status {
			case exchange.StatusDone:
				counts[changeText(m)]++
			case exchange.StatusNotSent:
				left[changeText(m)]++
			}
		}
		for what, n := range asked {
			if counts[what] > did[what] || left[what] > n-did[what] {
				t.Fatalf("of %d times %s: %d happened, %d count as done, %d as not sent", n, what, did[what], counts[what], left[what])
			}
		}
		s.ApplyReadBackAfterReset(backlog, answers, fake.snapshot(), always, noon)
		for rounds := 0; len(s.Queue) > 0 || s.ExpiryPending; rounds++ {
			if rounds > 100 {
				t.Fatalf("it does not end: %v, %+v", queued(s), s.Question)
			}
			if q := s.Question; q != nil {
				// The operator knows which changes were made. For a command of several changes, the
				// operator sends retry only when no change was made.
				did := slices.ContainsFunc(happened, func(c string) bool { return strings.HasPrefix(c, q.Request+"/") })
				var err error
				if did || refusedOnce(fake, q.Request) {
					err = execute(s, opportunity.Skip{Request: q.Request, Reason: "it was sent"})
				} else {
					err = execute(s, opportunity.Retry{Request: q.Request})
				}
				if err != nil {
					t.Fatal(err)
				}
				continue
			}
			batch := s.NextBatch()
			answers := make([]exchange.ChangeResult, len(batch))
			for i, m := range batch {
				answers[i] = fake.apply(m)
			}
			s.ApplyResults(batch, s.VerifyResults(batch, answers), always, noon)
		}
		made := map[string]int{}
		for _, m := range all {
			if m.Interest != nil || m.Progress != nil {
				made[changeText(m)] += fake.count(changeKey(m))
			}
		}
		for what, n := range made {
			if n > asked[what] {
				t.Fatalf("%s was asked for %d times and happened %d times: %v", what, asked[what], n, fake.log)
			}
		}
	})
}

func changeText(m exchange.Change) string {
	if m.Progress != nil {
		return m.Progress.To
	}
	return fmt.Sprintf("%+v", *m.Interest)
}

func refusedOnce(fake *fakeTMS, request string) bool {
	for key, refused := range fake.rejects {
		if refused && strings.HasPrefix(key, request+"/") {
			return true
		}
	}
	return false
}
