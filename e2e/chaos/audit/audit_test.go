package audit_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/oppflow/oppflow/e2e/chaos/audit"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/sandbox/ledger"
)

const (
	ours   = opportunity.Reference("ours")
	others = opportunity.Reference("others")
)

func at(minute int) time.Time { return time.Date(2026, 1, 2, 3, minute, 0, 0, time.UTC) }

func amount(t *testing.T, text string) opportunity.Amount {
	t.Helper()
	a, err := opportunity.ParseAmount(text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// evidence is that of two opportunities that went well: interests, one of them in a request that failed, a move, another
// name, and places that are held.
func evidence(t *testing.T) *audit.Evidence {
	t.Helper()
	event := opportunity.Interest{Item: "Q291cnNlOjE=", Quantity: 2, UnitAmount: amount(t, "10.00"), Reserve: true}
	course := opportunity.Interest{Item: "Q291cnNlVGVtcGxhdGU6MTE=", Quantity: 1, UnitAmount: amount(t, "5.50")}
	draft := opportunity.Interest{Item: "Q291cnNlVGVtcGxhdGU6MTM=", Quantity: 1, UnitAmount: amount(t, "5.50")}
	e := &audit.Evidence{At: at(30), Before: []opportunity.ID{"before"}, Records: []audit.Record{{ID: "before", Name: "Before"}}}
	key := int64(0)
	number := int64(0)
	change := func(name string, record opportunity.ID) { // one after the other
		number++
		from := at(20).Add(time.Duration(number) * time.Second)
		e.Ledger = append(e.Ledger, ledger.Entry{
			Number: number, Received: from, Answered: from.Add(time.Second), Operations: []string{"Apply", name},
			Fields: []ledger.Field{{Name: name, Opportunity: string(record), Outcome: ledger.Committed}},
		})
	}
	for _, reference := range []opportunity.Reference{ours, others} {
		c := audit.Chain{
			Reference: reference, Runs: []string{"run"}, Status: audit.Running, Start: opportunity.Start{Name: "Begin", Region: "UK"},
			View: &opportunity.View{Reference: reference, Opportunity: opportunity.ID("record of " + reference)}, Outcomes: map[string]opportunity.Outcome{},
		}
		record := audit.Record{ID: c.View.Opportunity, Mark: reference, Name: "Middle", Currency: "GBP", Step: "Opportunity", State: opportunity.Open}
		until := at(59)
		record.Until = &until
		add := func(request string, command opportunity.Command, state opportunity.OutcomeState, results ...opportunity.InterestResult) {
			payload, err := json.Marshal(command.WithID(request))
			if err != nil {
				t.Fatal(err)
			}
			c.Accepted = append(c.Accepted, audit.Accepted{Request: request, Verb: command.Verb(), Payload: payload, Way: audit.BySignal, Event: int64(len(c.Accepted) + 5), At: at(20), Over: at(21)})
			outcome := opportunity.Outcome{RequestID: request, State: state, Results: results}
			if state == opportunity.Failed {
				outcome.Error = opportunity.Failf(opportunity.Rejected, "no")
			}
			c.Outcomes[request] = outcome
			e.Told = append(e.Told, audit.Told{Reference: reference, Request: request, Verb: command.Verb(), Payload: payload, Way: audit.BySignal, Fate: audit.Acknowledged})
		}
		made := func(i opportunity.Interest) opportunity.InterestResult {
			key++
			id := opportunity.ID(fmt.Sprintf("interest %d", key))
			record.Interests = append(record.Interests, audit.Interest{ID: id, Key: key, Content: audit.Content{
				Item: opportunity.ID(i.Item), Quantity: i.Quantity, UnitAmount: i.UnitAmount.Decimal().Shift(2).IntPart(), Reserve: i.Reserve,
			}})
			change("opportunities.addInterest", record.ID)
			return opportunity.InterestResult{Item: i.Item, Interest: id}
		}
		add("two", opportunity.AddInterests{Interests: opportunity.Interests{event, course}}, opportunity.Done, made(event), made(course))
		add("draft", opportunity.AddInterests{Interests: opportunity.Interests{draft}}, opportunity.Failed,
			opportunity.InterestResult{Item: draft.Item, Error: opportunity.Failf(opportunity.Rejected, "draft")})
		add("move", opportunity.Progress{To: "Opportunity"}, opportunity.Done)
		change("opportunities.progress", record.ID)
		add("one", opportunity.AddInterests{Interests: opportunity.Interests{course}}, opportunity.Done, made(course))
		add("name", opportunity.UpdateDetails{Name: "Middle"}, opportunity.Done)
		add("bad name", opportunity.UpdateDetails{Name: "Bad"}, opportunity.Failed)
		add("hold", opportunity.ExtendReservations{Until: until}, opportunity.Done)
		add("nowhere", opportunity.Progress{To: "Proposed"}, opportunity.Failed)
		e.Chains, e.Records = append(e.Chains, c), append(e.Records, record)
	}
	return e
}

// sentAt has the messages of ours be sent at these minutes, each heard of a minute later.
func sentAt(e *audit.Evidence, minutes ...int) {
	for n, minute := range minutes {
		e.Told[n].Sent, e.Told[n].Heard = at(minute), at(minute+1)
	}
}

// lose has a message that asks for an interest be acknowledged and be in no history. The database was restored at 16 from
// a backup of 14.
func lose(t *testing.T, e *audit.Evidence, sent, heard time.Time) {
	t.Helper()
	payload, err := json.Marshal(opportunity.AddInterests{RequestID: "gone", Interests: opportunity.Interests{{Item: "Q291cnNlVGVtcGxhdGU6MTI=", Quantity: 3, UnitAmount: amount(t, "7.00")}}})
	if err != nil {
		t.Fatal(err)
	}
	e.Restores = []audit.Restore{{Backup: at(14), Restored: at(16)}}
	e.Told = append(e.Told, audit.Told{
		Reference: ours, Request: "gone", Verb: opportunity.VerbAddInterests, Payload: payload, Way: audit.BySignal, Fate: audit.Acknowledged, Sent: sent, Heard: heard,
	})
}

// take has the record have the interest of that message so many times, made before all others.
func take(e *audit.Evidence, record, times int) {
	for n := range times {
		e.Records[record].Interests = append(e.Records[record].Interests, audit.Interest{
			ID: opportunity.ID(fmt.Sprintf("gone %d", n)), Content: audit.Content{Item: "Q291cnNlVGVtcGxhdGU6MTI=", Quantity: 3, UnitAmount: 700},
		})
		e.Ledger = append(e.Ledger, ledger.Entry{Number: int64(50 + n), Received: at(25 + n), Answered: at(25 + n), Operations: []string{"Apply"}, Fields: []ledger.Field{{
			Name: "opportunities.addInterest", Opportunity: string(e.Records[record].ID), Outcome: ledger.Committed,
		}}})
	}
}

// waiting is what the view shows when a request has waited that long.
func waiting(request string, long time.Duration, view opportunity.View) audit.Sample {
	view.Reference, view.Queue = ours, []opportunity.Waiting{{Request: request, Accepted: at(10)}}
	return audit.SampleOf(at(10).Add(long), view)
}

// ask puts the question of a request.
func ask(c *audit.Chain, request string) {
	delete(c.Outcomes, request)
	c.Outcomes[request] = opportunity.Outcome{RequestID: request, State: opportunity.Pending}
	c.View.Question = &opportunity.Question{Request: request}
	c.View.Queue = []opportunity.Waiting{{Request: request, Doubt: true}}
}

func TestAudit(t *testing.T) {
	const of = 1 // the place of ours among the records
	for _, c := range []struct {
		name  string
		spoil func(e *audit.Evidence)
		rules audit.Rules
		want  []string
	}{
		{"nothing", func(*audit.Evidence) {}, audit.Rules{}, nil},
		{"a signal no history has", func(e *audit.Evidence) {
			e.Told = append(e.Told, audit.Told{Reference: ours, Request: "gone", Fate: audit.Acknowledged})
		}, audit.Rules{}, []string{"lost ours gone"}},
		{"a signal nobody knows the fate of", func(e *audit.Evidence) {
			e.Told = append(e.Told, audit.Told{Reference: ours, Request: "gone", Fate: audit.Untold})
		}, audit.Rules{}, nil},
		{"no word and no effect", func(e *audit.Evidence) {
			delete(e.Chains[0].Outcomes, "one")
			e.Chains[0].Status = audit.Terminated
			e.Records[of].Interests, e.Ledger = e.Records[of].Interests[:2], append(e.Ledger[:3:3], e.Ledger[4:]...)
		}, audit.Rules{}, []string{"lost ours one"}},
		{"no word and an effect", func(e *audit.Evidence) {
			delete(e.Chains[0].Outcomes, "one")
			e.Chains[0].Status = audit.Terminated
		}, audit.Rules{}, nil},
		{"a request that is parked", func(e *audit.Evidence) {
			ask(&e.Chains[0], "one")
			e.Chains[0].View.Question, e.Chains[0].View.Parked, e.Chains[0].View.Queue = nil, e.Chains[0].View.Queue, nil
		}, audit.Rules{Questions: 1}, nil},
		{"an interest twice", func(e *audit.Evidence) {
			twice := e.Records[of].Interests[0]
			twice.ID, twice.Key = "another", 99
			e.Records[of].Interests = append(e.Records[of].Interests, twice)
		}, audit.Rules{}, []string{"doubled ours two"}},
		{"a move twice", func(e *audit.Evidence) {
			twice := e.Ledger[2]
			twice.Received, twice.Answered = at(29), at(29)
			e.Ledger = append(e.Ledger, twice)
		}, audit.Rules{}, []string{"doubled ours "}},
		{"interests in another order", func(e *audit.Evidence) {
			e.Records[of].Interests[2].Key = 0
		}, audit.Rules{}, []string{"swapped ours one"}},
		{"a move before an interest", func(e *audit.Evidence) {
			e.Ledger[1].Fields, e.Ledger[2].Fields = e.Ledger[2].Fields, e.Ledger[1].Fields
		}, audit.Rules{}, []string{"swapped ours two"}},
		{"an interest elsewhere", func(e *audit.Evidence) {
			e.Records[2].Interests = append(e.Records[2].Interests, e.Records[of].Interests[2])
			e.Records[of].Interests = e.Records[of].Interests[:2]
		}, audit.Rules{}, []string{"wrong-opportunity ours one"}},
		{"a failed interest that is there", func(e *audit.Evidence) {
			e.Records[of].Interests = append(e.Records[of].Interests, audit.Interest{
				ID: "another", Key: 99, Content: audit.Content{Item: "Q291cnNlVGVtcGxhdGU6MTM=", Quantity: 1, UnitAmount: 550},
			})
		}, audit.Rules{}, []string{"told-failed-but-done ours draft"}},
		{"a failed move that was made", func(e *audit.Evidence) { e.Records[of].Step = "Proposed" }, audit.Rules{}, []string{"told-failed-but-done ours nowhere"}},
		{"a failed name that was set", func(e *audit.Evidence) { e.Records[of].Name = "Bad" }, audit.Rules{}, []string{"told-failed-but-done ours bad name"}},
		{"an interest that is not there", func(e *audit.Evidence) {
			e.Records[of].Interests = e.Records[of].Interests[1:]
		}, audit.Rules{}, []string{"told-done-but-not ours two"}},
		{"an older interest that is not there", func(e *audit.Evidence) {
			e.Chains[0].Outcomes["one"] = opportunity.Outcome{RequestID: "one", State: opportunity.Done}
			e.Records[of].Interests = e.Records[of].Interests[:2]
		}, audit.Rules{}, []string{"told-done-but-not ours one"}},
		{"a move that was not made", func(e *audit.Evidence) {
			e.Ledger = append(e.Ledger[:2:2], e.Ledger[3:]...)
		}, audit.Rules{}, []string{"told-done-but-not ours "}},
		{"another name", func(e *audit.Evidence) { e.Records[of].Name = "Begin" }, audit.Rules{}, []string{"told-done-but-not ours name"}},
		{"places not held as long", func(e *audit.Evidence) {
			until := at(40)
			e.Records[of].Until = &until
		}, audit.Rules{}, []string{"told-done-but-not ours hold"}},
		{"told done, reported failed", func(e *audit.Evidence) { e.Told[1].Fate = audit.Done }, audit.Rules{}, []string{"told-done-but-not ours draft"}},
		{"told failed, reported done", func(e *audit.Evidence) { e.Told[0].Fate = audit.Failed }, audit.Rules{}, []string{"told-failed-but-done ours two"}},
		{"a record of nobody", func(e *audit.Evidence) {
			e.Records = append(e.Records, audit.Record{ID: "another"})
		}, audit.Rules{}, []string{"orphan-record  "}},
		{"a second record", func(e *audit.Evidence) {
			e.Records = append(e.Records, audit.Record{ID: "another", Mark: ours})
		}, audit.Rules{}, []string{"orphan-record ours "}},
		{"a record of an unknown reference", func(e *audit.Evidence) {
			e.Records = append(e.Records, audit.Record{ID: "another", Mark: "stranger"})
		}, audit.Rules{}, []string{"orphan-record stranger "}},
		{"an interest of nobody", func(e *audit.Evidence) {
			e.Records[of].Interests = append(e.Records[of].Interests, audit.Interest{ID: "another", Key: 99, Content: audit.Content{Item: "x", Quantity: 77}})
		}, audit.Rules{}, []string{"orphan-interest ours "}},
		{"places nobody asked for", func(e *audit.Evidence) { e.Records[of].Interests[1].Reserve = true }, audit.Rules{}, []string{"orphan-reservation ours two"}},
		{"places of a closed opportunity", func(e *audit.Evidence) {
			e.Chains[0].Status, e.Chains[0].View.Closing = audit.Completed, &opportunity.Closing{Reason: "over"}
		}, audit.Rules{}, []string{"orphan-reservation ours "}},
		{"places of a lost opportunity", func(e *audit.Evidence) {
			e.Chains[0].Status, e.Records[of].State = audit.Completed, opportunity.Lost
		}, audit.Rules{}, []string{"orphan-reservation ours "}},
		{"places that a lost opportunity gave back before its end", func(e *audit.Evidence) {
			until := at(29)
			e.Records[of].State, e.Records[of].Until = opportunity.Lost, &until
		}, audit.Rules{}, nil},
		{"a question about what is there", func(e *audit.Evidence) { ask(&e.Chains[0], "one") }, audit.Rules{Questions: 0.5}, nil},
		{"a question about what is not there", func(e *audit.Evidence) {
			ask(&e.Chains[0], "one")
			e.Records[of].Interests, e.Ledger = e.Records[of].Interests[:2], append(e.Ledger[:3:3], e.Ledger[4:]...)
		}, audit.Rules{Questions: 0.5}, nil},
		{"a change that comes before the one before it is over", func(e *audit.Evidence) {
			e.Ledger[1].Received = e.Ledger[0].Answered.Add(-time.Millisecond)
		}, audit.Rules{}, []string{"overlapped ours "}},
		{"a change that comes within a long one", func(e *audit.Evidence) {
			e.Ledger[0].Answered = e.Ledger[2].Answered.Add(-time.Millisecond) // of three, two come while the first is under way
		}, audit.Rules{}, []string{"overlapped ours ", "overlapped ours "}},
		{"a change of a person that comes meanwhile", func(e *audit.Evidence) {
			hand := e.Ledger[0]
			hand.Number, hand.Operations = 99, []string{audit.ByHand}
			e.Ledger = append(e.Ledger, hand)
		}, audit.Rules{}, nil},
		{"a request that comes meanwhile and does nothing", func(e *audit.Evidence) {
			idle := e.Ledger[0]
			idle.Number, idle.Fields = 99, []ledger.Field{{Name: "opportunities.addInterest", Opportunity: idle.Fields[0].Opportunity, Outcome: ledger.NotRun}}
			e.Ledger = append(e.Ledger, idle)
		}, audit.Rules{}, nil},
		{"a request that comes meanwhile and is refused", func(e *audit.Evidence) {
			refused := e.Ledger[0]
			refused.Number, refused.Fields = 99, []ledger.Field{{Name: "opportunities.addInterest", Opportunity: refused.Fields[0].Opportunity, Outcome: ledger.Refused}}
			e.Ledger = append(e.Ledger, refused)
		}, audit.Rules{}, []string{"overlapped ours "}},
		{"messages in the order in which they were sent", func(e *audit.Evidence) { sentAt(e, 0, 2, 4, 6, 8) }, audit.Rules{}, nil},
		{"messages that were sent at the same time", func(e *audit.Evidence) { sentAt(e, 0, 0, 0, 0) }, audit.Rules{}, nil},
		{"a message that was sent after one that the history has later", func(e *audit.Evidence) { sentAt(e, 0, 2, 6, 4, 8) }, audit.Rules{}, []string{"swapped ours move"}},
		{"a message that is gone since a restore", func(e *audit.Evidence) { lose(t, e, at(15), at(15)) }, audit.Rules{}, nil},
		{"a message that is gone and was sent before the backup", func(e *audit.Evidence) { lose(t, e, at(13), at(13)) }, audit.Rules{}, []string{"lost ours gone"}},
		{"a message that is gone and was sent after the restore", func(e *audit.Evidence) { lose(t, e, at(17), at(17)) }, audit.Rules{}, []string{"lost ours gone"}},
		{"a message that is gone and was sent before the backup, and again after it", func(e *audit.Evidence) { lose(t, e, at(13), at(14)) }, audit.Rules{}, nil},
		{"a message that is gone since a restore and took effect", func(e *audit.Evidence) {
			lose(t, e, at(15), at(15))
			take(e, of, 1)
		}, audit.Rules{}, nil},
		{"a message that is gone since a restore and took effect twice", func(e *audit.Evidence) {
			lose(t, e, at(15), at(15))
			take(e, of, 2)
		}, audit.Rules{}, []string{"doubled ours gone"}},
		{"a message that was refused after a restore and took effect before it", func(e *audit.Evidence) {
			lose(t, e, at(15), at(17))
			e.Told[len(e.Told)-1].Fate = audit.Refused
			take(e, of, 1)
		}, audit.Rules{}, nil},
		{"a message that was refused before a restore and took effect", func(e *audit.Evidence) {
			lose(t, e, at(15), at(15))
			e.Told[len(e.Told)-1].Fate = audit.Refused
			take(e, of, 1)
		}, audit.Rules{}, []string{"orphan-interest ours "}},
		{"a request that was skipped, took effect, and whose error is forgotten", func(e *audit.Evidence) {
			e.Chains[0].Outcomes["one"] = opportunity.Outcome{RequestID: "one", State: opportunity.Failed}
			e.Chains[0].Skipped = []string{"one"}
		}, audit.Rules{}, nil},
		{"a request that failed, took effect, and whose error is forgotten", func(e *audit.Evidence) {
			e.Chains[0].Outcomes["one"] = opportunity.Outcome{RequestID: "one", State: opportunity.Failed}
		}, audit.Rules{}, []string{"told-failed-but-done ours one"}},
		{"a move that a person made and that failed", func(e *audit.Evidence) {
			e.Records[of].Step, e.ByHand = "Proposed", []audit.HandMove{{Record: e.Records[of].ID, To: "Proposed"}}
		}, audit.Rules{}, nil},
		{"a move that a person made first", func(e *audit.Evidence) {
			e.ByHand = []audit.HandMove{{Record: e.Records[of].ID, To: "Opportunity"}}
			e.Ledger = append(e.Ledger[:2:2], e.Ledger[3:]...)
		}, audit.Rules{}, nil},
		{"a move that a person made on another record", func(e *audit.Evidence) {
			e.ByHand = []audit.HandMove{{Record: e.Records[of+1].ID, To: "Opportunity"}}
			e.Ledger = append(e.Ledger[:2:2], e.Ledger[3:]...)
		}, audit.Rules{}, []string{"told-done-but-not ours "}},
		{"a wait of 121 s without a word", func(e *audit.Evidence) {
			e.Samples = append(e.Samples, waiting("one", 121*time.Second, opportunity.View{}), waiting("one", 130*time.Second, opportunity.View{}))
		}, audit.Rules{}, []string{"silent ours one"}},
		{"a wait of 120 s without a word", func(e *audit.Evidence) {
			e.Samples = append(e.Samples, waiting("one", 120*time.Second, opportunity.View{}))
		}, audit.Rules{}, nil},
		{"a wait of 121 s, of which 120 s after a reset", func(e *audit.Evidence) {
			e.Resets = []audit.Reset{{Reference: ours, At: at(10).Add(time.Second)}}
			e.Samples = append(e.Samples, waiting("one", 121*time.Second, opportunity.View{}))
		}, audit.Rules{}, nil},
		{"a wait of 121 s after a reset", func(e *audit.Evidence) {
			e.Resets = []audit.Reset{{Reference: ours, At: at(10).Add(time.Second)}}
			e.Samples = append(e.Samples, waiting("one", 122*time.Second, opportunity.View{}))
		}, audit.Rules{}, []string{"silent ours one"}},
		{"a long wait with a reason", func(e *audit.Evidence) {
			for _, view := range []opportunity.View{
				{Waits: &opportunity.Wait{Word: opportunity.AttentionAPI, Reason: "the API"}},
				{Question: &opportunity.Question{Request: "two", Text: "did it happen?"}},
				{Paused: &opportunity.Standstill{}},
				{Closing: &opportunity.Closing{}},
				{Attention: []opportunity.Attention{{Word: opportunity.AttentionService, Text: "the service"}}},
				{Attention: []opportunity.Attention{{Word: opportunity.AttentionMessage, Request: "one"}}},
			} {
				e.Samples = append(e.Samples, waiting("one", time.Hour, view))
			}
		}, audit.Rules{}, nil},
		{"a wait of 121 s after a question was answered", func(e *audit.Evidence) {
			e.Samples = append(e.Samples, waiting("one", time.Hour+121*time.Second, opportunity.View{}),
				waiting("one", time.Hour, opportunity.View{Question: &opportunity.Question{Request: "two", Text: "did it happen?"}}))
		}, audit.Rules{}, []string{"silent ours one"}},
		{"a wait of 120 s after a question was answered", func(e *audit.Evidence) {
			e.Samples = append(e.Samples, waiting("one", time.Hour, opportunity.View{Question: &opportunity.Question{Request: "two", Text: "did it happen?"}}),
				waiting("one", time.Hour+120*time.Second, opportunity.View{}))
		}, audit.Rules{}, nil},
		{"a long wait beside a follow-up", func(e *audit.Evidence) {
			e.Samples = append(e.Samples, waiting("one", time.Hour, opportunity.View{Attention: []opportunity.Attention{{Word: opportunity.AttentionFollowUp, Text: "call them"}}}))
		}, audit.Rules{}, []string{"silent ours one"}},
		{"a long wait where no query is answered", func(e *audit.Evidence) {
			e.Chains[0].Accepted[0].At, e.Chains[0].Accepted[0].Over = at(1), at(9)
			e.Samples = append(e.Samples,
				audit.Sample{At: at(2), Reference: ours, Reason: "no worker polls"}, audit.Sample{At: at(10), Reference: ours}, audit.Sample{At: at(5), Reference: ours})
		}, audit.Rules{}, []string{"silent ours two"}},
		{"a long wait where no query is answered, in a run that was replaced", func(e *audit.Evidence) {
			e.Chains[0].Accepted[0].At, e.Chains[0].Accepted[0].Over = at(1), at(9)
			e.Resets = []audit.Reset{{Reference: ours, At: at(6)}}
			e.Samples = append(e.Samples, audit.Sample{At: at(5), Reference: ours})
		}, audit.Rules{}, nil},
		{"too many questions", func(e *audit.Evidence) { ask(&e.Chains[0], "one") }, audit.Rules{}, []string{"too-many-questions  "}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := evidence(t)
			c.spoil(e)
			var got []string
			for _, v := range audit.Audit(*e, c.rules) {
				got = append(got, fmt.Sprintf("%s %s %s", v.Kind, v.Reference, v.Request))
				t.Log(v)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("wanted (-), found (+):\n%s", diff)
			}
		})
	}
}
