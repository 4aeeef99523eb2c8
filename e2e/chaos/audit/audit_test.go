package audit_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/oppflow/oppflow/e2e/chaos/audit"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/sandbox/requestlog"
)

const (
	testReference  = opportunity.Reference("ours")
	otherReference = opportunity.Reference("others")
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

// evidence is the evidence of two opportunities without a violation. The evidence contains
// interests, a transition, a changed name and reserved places. In the evidence, the request for one
// of the interests failed.
func evidence(t *testing.T) *audit.Evidence {
	t.Helper()
	event := opportunity.Interest{Item: "Q291cnNlOjE=", Quantity: 2, UnitAmount: amount(t, "10.00"), Reserve: true}
	course := opportunity.Interest{Item: "Q291cnNlVGVtcGxhdGU6MTE=", Quantity: 1, UnitAmount: amount(t, "5.50")}
	draft := opportunity.Interest{Item: "Q291cnNlVGVtcGxhdGU6MTM=", Quantity: 1, UnitAmount: amount(t, "5.50")}
	e := &audit.Evidence{At: at(30), ExistingRecords: []opportunity.ID{"before"}, Records: []audit.Record{{ID: "before", Name: "Before"}}}
	key := int64(0)
	number := int64(0)
	change := func(name string, record opportunity.ID) { // each change arrives after the response to the change before
		number++
		from := at(20).Add(time.Duration(number) * time.Second)
		e.RequestLog = append(e.RequestLog, requestlog.Entry{
			Number: number, Received: from, Answered: from.Add(time.Second), Operations: []string{"Apply", name},
			Fields: []requestlog.Field{{Name: name, Opportunity: string(record), Outcome: requestlog.Committed}},
		})
	}
	for _, reference := range []opportunity.Reference{testReference, otherReference} {
		c := audit.Chain{
			Reference: reference, Runs: []string{"run"}, Status: audit.Running, Start: opportunity.Start{Name: "Begin", Region: "UK"},
			View: &opportunity.View{Reference: reference, Opportunity: opportunity.ID("record of " + reference)}, Outcomes: map[string]opportunity.Outcome{},
		}
		record := audit.Record{ID: c.View.Opportunity, ReferenceTag: reference, Name: "Middle", Currency: "GBP", Step: "Opportunity", State: opportunity.Open}
		until := at(59)
		record.ReservedUntil = &until
		add := func(request string, command opportunity.Command, state opportunity.OutcomeState, results ...opportunity.InterestResult) {
			payload, err := json.Marshal(command.WithRequestID(request))
			if err != nil {
				t.Fatal(err)
			}
			c.Accepted = append(c.Accepted, audit.Accepted{Request: request, Message: command.MessageName(), Payload: payload, Transport: audit.BySignal, Event: int64(len(c.Accepted) + 5), At: at(20), ReportedAt: at(21)})
			outcome := opportunity.Outcome{RequestID: request, State: state, Results: results}
			if state == opportunity.Failed {
				outcome.Error = opportunity.Failf(opportunity.Rejected, "no")
			}
			c.Outcomes[request] = outcome
			e.Observations = append(e.Observations, audit.Observation{Reference: reference, Request: request, Message: command.MessageName(), Payload: payload, Transport: audit.BySignal, Result: audit.Acknowledged})
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

// sentAt sets the minutes at which the messages of testReference are sent. The response to each
// message comes one minute later.
func sentAt(e *audit.Evidence, minutes ...int) {
	for n, minute := range minutes {
		e.Observations[n].SentAt, e.Observations[n].AnsweredAt = at(minute), at(minute+1)
	}
}

// loseMessage adds an acknowledged message for an interest, and no history has the message.
// Temporal's database was restored in minute 16 from a backup of minute 14.
func loseMessage(t *testing.T, e *audit.Evidence, sent, heard time.Time) {
	t.Helper()
	payload, err := json.Marshal(opportunity.AddInterests{RequestID: "gone", Interests: opportunity.Interests{{Item: "Q291cnNlVGVtcGxhdGU6MTI=", Quantity: 3, UnitAmount: amount(t, "7.00")}}})
	if err != nil {
		t.Fatal(err)
	}
	e.Restores = []audit.Restore{{Backup: at(14), Restored: at(16)}}
	e.Observations = append(e.Observations, audit.Observation{
		Reference: testReference, Request: "gone", Message: opportunity.MessageAddInterests, Payload: payload, Transport: audit.BySignal, Result: audit.Acknowledged, SentAt: sent, AnsweredAt: heard,
	})
}

// setCopies adds the interest that loseMessage requests to the record and to the request log, the
// given number of times.
func setCopies(e *audit.Evidence, record, times int) {
	for n := range times {
		e.Records[record].Interests = append(e.Records[record].Interests, audit.Interest{
			ID: opportunity.ID(fmt.Sprintf("gone %d", n)), Content: audit.Content{Item: "Q291cnNlVGVtcGxhdGU6MTI=", Quantity: 3, UnitAmount: 700},
		})
		e.RequestLog = append(e.RequestLog, requestlog.Entry{Number: int64(50 + n), Received: at(25 + n), Answered: at(25 + n), Operations: []string{"Apply"}, Fields: []requestlog.Field{{
			Name: "opportunities.addInterest", Opportunity: string(e.Records[record].ID), Outcome: requestlog.Committed,
		}}})
	}
}

func waitingSample(request string, long time.Duration, view opportunity.View) audit.Sample {
	view.Reference, view.Queue = testReference, []opportunity.QueuedMessage{{Request: request, Accepted: at(10)}}
	return audit.NewSample(at(10).Add(long), view)
}

func addQuestion(c *audit.Chain, request string) {
	delete(c.Outcomes, request)
	c.Outcomes[request] = opportunity.Outcome{RequestID: request, State: opportunity.Pending}
	c.View.Question = &opportunity.Question{Request: request}
	c.View.Queue = []opportunity.QueuedMessage{{Request: request, InDoubt: true}}
}

func TestAudit(t *testing.T) {
	const of = 1 // the index of the record of testReference
	for _, c := range []struct {
		name  string
		spoil func(e *audit.Evidence)
		rules audit.Tolerances
		want  []string
	}{
		{"nothing", func(*audit.Evidence) {}, audit.Tolerances{}, nil},
		{"a signal that no history contains", func(e *audit.Evidence) {
			e.Observations = append(e.Observations, audit.Observation{Reference: testReference, Request: "gone", Result: audit.Acknowledged})
		}, audit.Tolerances{}, []string{"lost ours gone"}},
		{"a signal with an unknown result", func(e *audit.Evidence) {
			e.Observations = append(e.Observations, audit.Observation{Reference: testReference, Request: "gone", Result: audit.Unknown})
		}, audit.Tolerances{}, nil},
		{"a request without an outcome and without an effect", func(e *audit.Evidence) {
			delete(e.Chains[0].Outcomes, "one")
			e.Chains[0].Status = audit.Terminated
			e.Records[of].Interests, e.RequestLog = e.Records[of].Interests[:2], append(e.RequestLog[:3:3], e.RequestLog[4:]...)
		}, audit.Tolerances{}, []string{"lost ours one"}},
		{"a request without an outcome but with an effect", func(e *audit.Evidence) {
			delete(e.Chains[0].Outcomes, "one")
			e.Chains[0].Status = audit.Terminated
		}, audit.Tolerances{}, nil},
		{"a request that is parked", func(e *audit.Evidence) {
			addQuestion(&e.Chains[0], "one")
			e.Chains[0].View.Question, e.Chains[0].View.Parked, e.Chains[0].View.Queue = nil, e.Chains[0].View.Queue, nil
		}, audit.Tolerances{MaxQuestionShare: 1}, nil},
		{"an interest that was added twice", func(e *audit.Evidence) {
			twice := e.Records[of].Interests[0]
			twice.ID, twice.Key = "another", 99
			e.Records[of].Interests = append(e.Records[of].Interests, twice)
		}, audit.Tolerances{}, []string{"doubled ours two"}},
		{"a transition that was made twice", func(e *audit.Evidence) {
			twice := e.RequestLog[2]
			twice.Received, twice.Answered = at(29), at(29)
			e.RequestLog = append(e.RequestLog, twice)
		}, audit.Tolerances{}, []string{"doubled ours "}},
		{"interests in another order", func(e *audit.Evidence) {
			e.Records[of].Interests[2].Key = 0
		}, audit.Tolerances{}, []string{"swapped ours one"}},
		{"a transition before an interest of an earlier request", func(e *audit.Evidence) {
			e.RequestLog[1].Fields, e.RequestLog[2].Fields = e.RequestLog[2].Fields, e.RequestLog[1].Fields
		}, audit.Tolerances{}, []string{"swapped ours two"}},
		{"an interest on the record of another opportunity", func(e *audit.Evidence) {
			e.Records[2].Interests = append(e.Records[2].Interests, e.Records[of].Interests[2])
			e.Records[of].Interests = e.Records[of].Interests[:2]
		}, audit.Tolerances{}, []string{"wrong-opportunity ours one"}},
		{"a failed interest that is on the record", func(e *audit.Evidence) {
			e.Records[of].Interests = append(e.Records[of].Interests, audit.Interest{
				ID: "another", Key: 99, Content: audit.Content{Item: "Q291cnNlVGVtcGxhdGU6MTM=", Quantity: 1, UnitAmount: 550},
			})
		}, audit.Tolerances{}, []string{"reported-failed-but-done ours draft"}},
		{"a failed transition that was made", func(e *audit.Evidence) { e.Records[of].Step = "Proposed" }, audit.Tolerances{}, []string{"reported-failed-but-done ours nowhere"}},
		{"a failed name that was set", func(e *audit.Evidence) { e.Records[of].Name = "Bad" }, audit.Tolerances{}, []string{"reported-failed-but-done ours bad name"}},
		{"an interest that is not on the record", func(e *audit.Evidence) {
			e.Records[of].Interests = e.Records[of].Interests[1:]
		}, audit.Tolerances{}, []string{"reported-done-but-not ours two"}},
		{"an older interest that is not on the record", func(e *audit.Evidence) {
			e.Chains[0].Outcomes["one"] = opportunity.Outcome{RequestID: "one", State: opportunity.Done}
			e.Records[of].Interests = e.Records[of].Interests[:2]
		}, audit.Tolerances{}, []string{"reported-done-but-not ours one"}},
		{"a transition that was not made", func(e *audit.Evidence) {
			e.RequestLog = append(e.RequestLog[:2:2], e.RequestLog[3:]...)
		}, audit.Tolerances{}, []string{"reported-done-but-not ours "}},
		{"a record with another name", func(e *audit.Evidence) { e.Records[of].Name = "Begin" }, audit.Tolerances{}, []string{"reported-done-but-not ours name"}},
		{"places that are reserved for a shorter time", func(e *audit.Evidence) {
			until := at(40)
			e.Records[of].ReservedUntil = &until
		}, audit.Tolerances{}, []string{"reported-done-but-not ours hold"}},
		{"the sender got done, the workflow reports failed", func(e *audit.Evidence) { e.Observations[1].Result = audit.Done }, audit.Tolerances{}, []string{"reported-done-but-not ours draft"}},
		{"the sender got failed, the workflow reports done", func(e *audit.Evidence) { e.Observations[0].Result = audit.Failed }, audit.Tolerances{}, []string{"reported-failed-but-done ours two"}},
		{"a record without a reference tag", func(e *audit.Evidence) {
			e.Records = append(e.Records, audit.Record{ID: "another"})
		}, audit.Tolerances{}, []string{"orphan-record  "}},
		{"a second record", func(e *audit.Evidence) {
			e.Records = append(e.Records, audit.Record{ID: "another", ReferenceTag: testReference})
		}, audit.Tolerances{}, []string{"orphan-record ours "}},
		{"a record of an unknown reference", func(e *audit.Evidence) {
			e.Records = append(e.Records, audit.Record{ID: "another", ReferenceTag: "stranger"})
		}, audit.Tolerances{}, []string{"orphan-record stranger "}},
		{"an interest that no message requested", func(e *audit.Evidence) {
			e.Records[of].Interests = append(e.Records[of].Interests, audit.Interest{ID: "another", Key: 99, Content: audit.Content{Item: "x", Quantity: 77}})
		}, audit.Tolerances{}, []string{"orphan-interest ours "}},
		{"places that no message requested", func(e *audit.Evidence) { e.Records[of].Interests[1].Reserve = true }, audit.Tolerances{}, []string{"orphan-reservation ours two"}},
		{"places of a closed opportunity", func(e *audit.Evidence) {
			e.Chains[0].Status, e.Chains[0].View.Closing = audit.Completed, &opportunity.CloseInfo{Reason: "over"}
		}, audit.Tolerances{}, []string{"orphan-reservation ours "}},
		{"places of a lost opportunity", func(e *audit.Evidence) {
			e.Chains[0].Status, e.Records[of].State = audit.Completed, opportunity.Lost
		}, audit.Tolerances{}, []string{"orphan-reservation ours "}},
		{"places that a lost opportunity released before its end", func(e *audit.Evidence) {
			until := at(29)
			e.Records[of].State, e.Records[of].ReservedUntil = opportunity.Lost, &until
		}, audit.Tolerances{}, nil},
		{"a question about an interest that no other message asks for", func(e *audit.Evidence) { addQuestion(&e.Chains[0], "draft") }, audit.Tolerances{MaxQuestionShare: 0.5}, []string{"readable-question ours draft"}},
		{"a question about a missing interest after a reset of the run", func(e *audit.Evidence) {
			addQuestion(&e.Chains[0], "draft")
			e.Resets = []audit.Reset{{Reference: testReference, At: at(6)}}
		}, audit.Tolerances{MaxQuestionShare: 0.5}, nil},
		{"a question about an interest that is missing among others of unknown origin", func(e *audit.Evidence) {
			addQuestion(&e.Chains[0], "one")
			addQuestion(&e.Chains[0], "draft")
		}, audit.Tolerances{MaxQuestionShare: 0.5}, nil},
		{"a question about the only other name", func(e *audit.Evidence) {
			e.Chains[0].Accepted = slices.DeleteFunc(e.Chains[0].Accepted, func(a audit.Accepted) bool { return a.Request == "bad name" })
			delete(e.Chains[0].Outcomes, "bad name")
			e.Observations = slices.DeleteFunc(e.Observations, func(o audit.Observation) bool { return o.Request == "bad name" })
			addQuestion(&e.Chains[0], "name")
		}, audit.Tolerances{MaxQuestionShare: 0.5}, []string{"readable-question ours name"}},
		{"a question about a transition", func(e *audit.Evidence) { addQuestion(&e.Chains[0], "move") }, audit.Tolerances{MaxQuestionShare: 0.5}, []string{"readable-question ours move"}},
		{"a question about a transition back to the first step", func(e *audit.Evidence) {
			e.Chains[0].Start.EntryStep = "Opportunity"
			addQuestion(&e.Chains[0], "move")
		}, audit.Tolerances{MaxQuestionShare: 0.5}, nil},
		{"a question about a transition to another step than that of the record", func(e *audit.Evidence) { addQuestion(&e.Chains[0], "nowhere") }, audit.Tolerances{MaxQuestionShare: 0.5}, nil},
		{"a question about a transition of a record that a person took to another step", func(e *audit.Evidence) {
			e.ManualTransitions = append(e.ManualTransitions, audit.ManualTransition{Record: e.Records[1].ID, To: "Opportunity", At: at(26)})
			addQuestion(&e.Chains[0], "move")
		}, audit.Tolerances{MaxQuestionShare: 0.5}, nil},
		{"a question about an interest that is on the record", func(e *audit.Evidence) { addQuestion(&e.Chains[0], "one") }, audit.Tolerances{MaxQuestionShare: 0.5}, nil},
		{"a question about an interest that is not on the record", func(e *audit.Evidence) {
			addQuestion(&e.Chains[0], "one")
			e.Records[of].Interests, e.RequestLog = e.Records[of].Interests[:2], append(e.RequestLog[:3:3], e.RequestLog[4:]...)
		}, audit.Tolerances{MaxQuestionShare: 0.5}, nil},
		{"a change that arrives before the response to the previous change", func(e *audit.Evidence) {
			e.RequestLog[1].Received = e.RequestLog[0].Answered.Add(-time.Millisecond)
		}, audit.Tolerances{}, []string{"overlapped ours "}},
		{"two changes that arrive during a long change", func(e *audit.Evidence) {
			e.RequestLog[0].Answered = e.RequestLog[2].Answered.Add(-time.Millisecond) // two of three requests arrive while the first request is under way
		}, audit.Tolerances{}, []string{"overlapped ours ", "overlapped ours "}},
		{"a change of a person that arrives during another change", func(e *audit.Evidence) {
			hand := e.RequestLog[0]
			hand.Number, hand.Operations = 99, []string{audit.ManualOperation}
			e.RequestLog = append(e.RequestLog, hand)
		}, audit.Tolerances{}, nil},
		{"a request without effect that arrives during a change", func(e *audit.Evidence) {
			idle := e.RequestLog[0]
			idle.Number, idle.Fields = 99, []requestlog.Field{{Name: "opportunities.addInterest", Opportunity: idle.Fields[0].Opportunity, Outcome: requestlog.NotRun}}
			e.RequestLog = append(e.RequestLog, idle)
		}, audit.Tolerances{}, nil},
		{"a refused request that arrives during a change", func(e *audit.Evidence) {
			refused := e.RequestLog[0]
			refused.Number, refused.Fields = 99, []requestlog.Field{{Name: "opportunities.addInterest", Opportunity: refused.Fields[0].Opportunity, Outcome: requestlog.Refused}}
			e.RequestLog = append(e.RequestLog, refused)
		}, audit.Tolerances{}, []string{"overlapped ours "}},
		{"messages in the order in which they were sent", func(e *audit.Evidence) { sentAt(e, 0, 2, 4, 6, 8) }, audit.Tolerances{}, nil},
		{"messages that were sent at the same time", func(e *audit.Evidence) { sentAt(e, 0, 0, 0, 0) }, audit.Tolerances{}, nil},
		{"a message that was sent later, but is earlier in the history", func(e *audit.Evidence) { sentAt(e, 0, 2, 6, 4, 8) }, audit.Tolerances{}, []string{"swapped ours move"}},
		{"a message that a restore lost", func(e *audit.Evidence) { loseMessage(t, e, at(15), at(15)) }, audit.Tolerances{}, nil},
		{"a lost message that was sent before the backup", func(e *audit.Evidence) { loseMessage(t, e, at(13), at(13)) }, audit.Tolerances{}, []string{"lost ours gone"}},
		{"a lost message that was sent after the restore", func(e *audit.Evidence) { loseMessage(t, e, at(17), at(17)) }, audit.Tolerances{}, []string{"lost ours gone"}},
		{"a lost message that was sent before the backup and again after the backup", func(e *audit.Evidence) { loseMessage(t, e, at(13), at(14)) }, audit.Tolerances{}, nil},
		{"a message that a restore lost and that took effect", func(e *audit.Evidence) {
			loseMessage(t, e, at(15), at(15))
			setCopies(e, of, 1)
		}, audit.Tolerances{}, nil},
		{"a message that a restore lost and that took effect twice", func(e *audit.Evidence) {
			loseMessage(t, e, at(15), at(15))
			setCopies(e, of, 2)
		}, audit.Tolerances{}, []string{"doubled ours gone"}},
		{"a message that was refused after a restore and took effect before it", func(e *audit.Evidence) {
			loseMessage(t, e, at(15), at(17))
			e.Observations[len(e.Observations)-1].Result = audit.Refused
			setCopies(e, of, 1)
		}, audit.Tolerances{}, nil},
		{"a message that was refused before a restore and took effect", func(e *audit.Evidence) {
			loseMessage(t, e, at(15), at(15))
			e.Observations[len(e.Observations)-1].Result = audit.Refused
			setCopies(e, of, 1)
		}, audit.Tolerances{}, []string{"orphan-interest ours "}},
		{"a skipped request that took effect and whose error is no longer stored", func(e *audit.Evidence) {
			e.Chains[0].Outcomes["one"] = opportunity.Outcome{RequestID: "one", State: opportunity.Failed}
			e.Chains[0].Skipped = []string{"one"}
		}, audit.Tolerances{}, nil},
		{"a failed request that took effect and whose error is no longer stored", func(e *audit.Evidence) {
			e.Chains[0].Outcomes["one"] = opportunity.Outcome{RequestID: "one", State: opportunity.Failed}
		}, audit.Tolerances{}, []string{"reported-failed-but-done ours one"}},
		{"a failed transition that a person made", func(e *audit.Evidence) {
			e.Records[of].Step, e.ManualTransitions = "Proposed", []audit.ManualTransition{{Record: e.Records[of].ID, To: "Proposed"}}
		}, audit.Tolerances{}, nil},
		{"a transition that a person made before the message", func(e *audit.Evidence) {
			e.ManualTransitions = []audit.ManualTransition{{Record: e.Records[of].ID, To: "Opportunity"}}
			e.RequestLog = append(e.RequestLog[:2:2], e.RequestLog[3:]...)
		}, audit.Tolerances{}, nil},
		{"a transition that a person made on another record", func(e *audit.Evidence) {
			e.ManualTransitions = []audit.ManualTransition{{Record: e.Records[of+1].ID, To: "Opportunity"}}
			e.RequestLog = append(e.RequestLog[:2:2], e.RequestLog[3:]...)
		}, audit.Tolerances{}, []string{"reported-done-but-not ours "}},
		{"a wait of 121 s without a reason", func(e *audit.Evidence) {
			e.Samples = append(e.Samples, waitingSample("one", 121*time.Second, opportunity.View{}), waitingSample("one", 130*time.Second, opportunity.View{}))
		}, audit.Tolerances{}, []string{"silent ours one"}},
		{"a wait of 120 s without a reason", func(e *audit.Evidence) {
			e.Samples = append(e.Samples, waitingSample("one", 120*time.Second, opportunity.View{}))
		}, audit.Tolerances{}, nil},
		{"a wait of 121 s, of which 120 s after a reset", func(e *audit.Evidence) {
			e.Resets = []audit.Reset{{Reference: testReference, At: at(10).Add(time.Second)}}
			e.Samples = append(e.Samples, waitingSample("one", 121*time.Second, opportunity.View{}))
		}, audit.Tolerances{}, nil},
		{"a wait of 121 s after a reset", func(e *audit.Evidence) {
			e.Resets = []audit.Reset{{Reference: testReference, At: at(10).Add(time.Second)}}
			e.Samples = append(e.Samples, waitingSample("one", 122*time.Second, opportunity.View{}))
		}, audit.Tolerances{}, []string{"silent ours one"}},
		{"a long wait with a reason", func(e *audit.Evidence) {
			for _, view := range []opportunity.View{
				{Wait: &opportunity.WaitInfo{Kind: opportunity.AttentionAPI, Reason: "the API"}},
				{Question: &opportunity.Question{Request: "two", Text: "did it happen?"}},
				{Paused: &opportunity.PauseInfo{}},
				{Closing: &opportunity.CloseInfo{}},
				{Attention: []opportunity.Attention{{Kind: opportunity.AttentionService, Reason: "the service"}}},
				{Attention: []opportunity.Attention{{Kind: opportunity.AttentionMessage, Request: "one"}}},
			} {
				e.Samples = append(e.Samples, waitingSample("one", time.Hour, view))
			}
		}, audit.Tolerances{}, nil},
		{"a wait of 121 s after a question was answered", func(e *audit.Evidence) {
			e.Samples = append(e.Samples, waitingSample("one", time.Hour+121*time.Second, opportunity.View{}),
				waitingSample("one", time.Hour, opportunity.View{Question: &opportunity.Question{Request: "two", Text: "did it happen?"}}))
		}, audit.Tolerances{}, []string{"silent ours one"}},
		{"a wait of 120 s after a question was answered", func(e *audit.Evidence) {
			e.Samples = append(e.Samples, waitingSample("one", time.Hour, opportunity.View{Question: &opportunity.Question{Request: "two", Text: "did it happen?"}}),
				waitingSample("one", time.Hour+120*time.Second, opportunity.View{}))
		}, audit.Tolerances{}, nil},
		{"a wait of 121 s after a view with a reason that listed only other messages", func(e *audit.Evidence) {
			e.Samples = append(e.Samples, waitingSample("two", 20*time.Second, opportunity.View{Wait: &opportunity.WaitInfo{Reason: "the API"}}),
				waitingSample("one", 121*time.Second, opportunity.View{}))
		}, audit.Tolerances{}, nil},
		{"a long wait without samples", func(e *audit.Evidence) {
			late := waitingSample("one", time.Hour, opportunity.View{})
			late.Before = late.At.Add(-91 * time.Second)
			e.Samples = append(e.Samples, late)
		}, audit.Tolerances{}, nil},
		{"a long wait with samples", func(e *audit.Evidence) {
			late := waitingSample("one", time.Hour, opportunity.View{})
			late.Before = late.At.Add(-90 * time.Second)
			e.Samples = append(e.Samples, late)
		}, audit.Tolerances{}, []string{"silent ours one"}},
		{"a long wait beside a follow-up", func(e *audit.Evidence) {
			e.Samples = append(e.Samples, waitingSample("one", time.Hour, opportunity.View{Attention: []opportunity.Attention{{Kind: opportunity.AttentionFollowUp, Reason: "call them"}}}))
		}, audit.Tolerances{}, []string{"silent ours one"}},
		{"a long wait in a run that returns no query result", func(e *audit.Evidence) {
			e.Chains[0].Accepted[0].At, e.Chains[0].Accepted[0].ReportedAt = at(1), at(9)
			e.Samples = append(e.Samples,
				audit.Sample{At: at(2), Reference: testReference, Reason: "no worker polls"}, audit.Sample{At: at(10), Reference: testReference}, audit.Sample{At: at(5), Reference: testReference})
		}, audit.Tolerances{}, []string{"silent ours two"}},
		{"a long wait in a run that was replaced and returned no query result", func(e *audit.Evidence) {
			e.Chains[0].Accepted[0].At, e.Chains[0].Accepted[0].ReportedAt = at(1), at(9)
			e.Resets = []audit.Reset{{Reference: testReference, At: at(6)}}
			e.Samples = append(e.Samples, audit.Sample{At: at(5), Reference: testReference})
		}, audit.Tolerances{}, nil},
		{"too many questions", func(e *audit.Evidence) { addQuestion(&e.Chains[0], "one") }, audit.Tolerances{}, []string{"too-many-questions  "}},
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
