package audit_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/oppflow/oppflow/e2e/chaos/audit"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/sandbox/globalid"
)

// wonEvidence extends the result of the function evidence: the record of testReference is won, and
// has one learner on two events, an invoice and a mail. No rule finds a violation.
func wonEvidence(t *testing.T) *audit.Evidence {
	t.Helper()
	e := evidence(t)
	first, second := globalid.EncodeInt(globalid.Event, 101), globalid.EncodeInt(globalid.Event, 102)
	person := opportunity.Learner{FirstName: "Ada", LastName: "One", Email: "ada@sale.example"}
	c, record := &e.Chains[0], &e.Records[1]
	for n, event := range []string{first, second} {
		add := opportunity.AddInterests{RequestID: fmt.Sprintf("sale %d", n), Interests: opportunity.Interests{{
			Item: event, Quantity: 1, UnitAmount: amount(t, "9.00"), Learners: []opportunity.Learner{person},
		}}}
		interest := audit.Interest{
			ID: opportunity.ID(fmt.Sprintf("sold %d", n)), Key: int64(50 + n), People: []audit.Person{{Name: "Ada One", Email: "Ada@sale.example"}},
			Content: audit.Content{Item: opportunity.ID(event), Quantity: 1, UnitAmount: 900, Learners: 1},
		}
		addDone(t, e, c, add, "opportunities.addInterest", opportunity.InterestResult{Item: event, Interest: interest.ID})
		record.Interests = append(record.Interests, interest)
	}
	addDone(t, e, c, opportunity.Progress{RequestID: "win", To: "Won"}, "opportunities.progress")
	record.Step, record.State = "Won", opportunity.Won
	c.View.EffectResults = []opportunity.EffectResult{
		{Key: "1/win/after/2/register", Kind: opportunity.EffectRegister, Outcome: opportunity.EffectDone},
		{Key: "1/win/after/4/email", Kind: opportunity.EffectEmail, Outcome: opportunity.EffectDone},
	}
	e.Bookings = audit.Bookings{
		Contacts: []audit.Contact{{ID: "ada", Names: []string{"Ada One"}, Email: "ada@sale.example"}, {ID: "nora", Names: []string{"Nora"}, Email: "nora@office.example"}},
		Registrations: []audit.Registration{
			{Event: opportunity.ID(first), Contact: "ada", At: at(28)}, {Event: opportunity.ID(second), Contact: "ada", At: at(28)},
		},
		Invoices: []audit.Invoice{{Record: record.ID}, {Record: record.ID, Void: true}, {Record: e.Records[2].ID}},
		Mails:    []audit.Mail{{Record: record.ID, Rule: "win", Contact: "ada", At: at(28)}, {Record: record.ID, Rule: "win", Contact: "nora", At: at(29)}},
	}
	return e
}

// addDone adds a command that is reported done, and its change to the request log.
func addDone(t *testing.T, e *audit.Evidence, c *audit.Chain, command opportunity.Command, field string, results ...opportunity.InterestResult) {
	t.Helper()
	payload, err := json.Marshal(command)
	if err != nil {
		t.Fatal(err)
	}
	id := command.GetRequestID()
	c.Accepted = append(c.Accepted, audit.Accepted{Request: id, Message: command.MessageName(), Payload: payload, Transport: audit.BySignal, Event: int64(len(c.Accepted) + 5), At: at(20), ReportedAt: at(21)})
	c.Outcomes[id] = opportunity.Outcome{RequestID: id, State: opportunity.Done, Results: results}
	entry := e.RequestLog[0]
	entry.Number, entry.Operations = int64(100+len(c.Accepted)), []string{"Apply", field}
	entry.Received, entry.Answered = at(25+len(c.Accepted)), at(25+len(c.Accepted))
	entry.Fields = append(entry.Fields[:0:0], entry.Fields...)
	entry.Fields[0].Name, entry.Fields[0].Opportunity = field, string(c.View.Opportunity)
	e.RequestLog = append(e.RequestLog, entry)
}

func removeByHand(e *audit.Evidence, minute int) {
	record := &e.Records[1]
	last := len(record.Interests) - 1
	e.ManualChanges = append(e.ManualChanges, audit.ManualChange{At: at(minute), Record: record.ID, Before: record.Interests[last], Removed: true})
	record.Interests = record.Interests[:last]
}

func TestAuditOfEffects(t *testing.T) {
	const of = 1 // the index of the record of testReference
	missing, doubled, orphan := []string{"effect-missing ours"}, []string{"effect-doubled ours"}, []string{"effect-orphan ours"}
	for _, c := range []struct {
		name  string
		spoil func(e *audit.Evidence)
		want  []string
	}{
		{"effects that are done", func(*audit.Evidence) {}, nil},
		{"a learner who is not on an event", func(e *audit.Evidence) { e.Bookings.Registrations = e.Bookings.Registrations[:1] }, missing},
		{"a learner who is not on an event, without a result of the effect", func(e *audit.Evidence) {
			e.Bookings.Registrations, e.Chains[0].View.EffectResults = e.Bookings.Registrations[:1], nil
		}, missing},
		{"a learner who is not on an event, after a reset that found the record won", func(e *audit.Evidence) {
			e.Bookings.Registrations, e.Chains[0].View.EffectResults = e.Bookings.Registrations[:1], nil
			e.Resets = []audit.Reset{{Reference: testReference, At: at(20)}}
		}, nil},
		{"a learner who is not on an event while the effect is active", func(e *audit.Evidence) {
			e.Bookings.Registrations = e.Bookings.Registrations[:1]
			e.Chains[0].View.RunningEffects = []opportunity.RunningEffect{{Kind: opportunity.EffectRegister}}
		}, nil},
		{"a learner who is not on an event while an operator is asked", func(e *audit.Evidence) {
			e.Bookings.Registrations = e.Bookings.Registrations[:1]
			e.Chains[0].View.Attention = []opportunity.Attention{{Kind: opportunity.AttentionEffect}}
		}, nil},
		{"a learner who is not on an event after the effect was skipped", func(e *audit.Evidence) {
			e.Bookings.Registrations = e.Bookings.Registrations[:1]
			e.Chains[0].View.EffectResults[0].Outcome = opportunity.EffectSkipped
		}, nil},
		{"a learner who is on an event twice", func(e *audit.Evidence) {
			e.Bookings.Registrations = append(e.Bookings.Registrations, e.Bookings.Registrations[0])
		}, doubled},
		{"a learner of another event", func(e *audit.Evidence) {
			e.Bookings.Registrations = append(e.Bookings.Registrations, audit.Registration{Event: "103", Contact: "ada", At: at(28)})
		}, orphan},
		{"a person whom no message names", func(e *audit.Evidence) {
			e.Bookings.Registrations = append(e.Bookings.Registrations, audit.Registration{Event: "103", Contact: "nora", At: at(28)})
		}, []string{"effect-orphan "}},
		{"an interest that a person removed after the registration", func(e *audit.Evidence) { removeByHand(e, 29) }, nil},
		{"an interest that a person removed before a read and the registration", func(e *audit.Evidence) {
			removeByHand(e, 22)
			e.Chains[0].Reads, e.Chains[0].RegisteredAt = []audit.Period{{From: at(23), To: at(24)}}, append(e.Chains[0].RegisteredAt, at(25), at(29))
		}, orphan},
		{"an interest that a person removed between the read and the registration", func(e *audit.Evidence) {
			removeByHand(e, 26)
			e.Chains[0].Reads, e.Chains[0].RegisteredAt = []audit.Period{{From: at(23), To: at(24)}}, append(e.Chains[0].RegisteredAt, at(27))
		}, nil},
		{"an interest that a person removed before a read that ended after the request was scheduled", func(e *audit.Evidence) {
			removeByHand(e, 22)
			e.Chains[0].Reads, e.Chains[0].RegisteredAt = []audit.Period{{From: at(23), To: at(26)}}, append(e.Chains[0].RegisteredAt, at(25))
		}, nil},
		{"an interest that a person edited and then removed", func(e *audit.Evidence) {
			before := e.Records[of].Interests[4]
			e.Records[of].Interests[4].Quantity, e.Records[of].Interests[4].UnitAmount = 7, 777
			removeByHand(e, 29)
			e.ManualChanges = append(e.ManualChanges, audit.ManualChange{At: at(28), Record: e.Records[of].ID, Before: before})
		}, nil},
		{"an interest that a person edited", func(e *audit.Evidence) {
			e.ManualChanges = []audit.ManualChange{{At: at(28), Record: e.Records[of].ID, Before: e.Records[of].Interests[0]}}
			e.Records[of].Interests[0].Quantity = 7
		}, nil},
		{"an interest that nobody edited", func(e *audit.Evidence) { e.Records[of].Interests[0].Quantity = 7 }, []string{"reported-done-but-not ours"}},
		{"places that nobody requested", func(e *audit.Evidence) { e.Records[of].Interests[1].Reserve = true }, []string{"orphan-reservation ours"}},
		{"places that an effect reserved", func(e *audit.Evidence) {
			e.Records[of].Interests[1].Reserve = true
			e.Chains[0].View.EffectResults = append(e.Chains[0].View.EffectResults, opportunity.EffectResult{Kind: opportunity.EffectReserve, Outcome: opportunity.EffectDone})
		}, nil},
		{"places that an effect of a run before a reset may have reserved", func(e *audit.Evidence) {
			e.Records[of].Interests[1].Reserve, e.Resets = true, []audit.Reset{{Reference: testReference, At: at(20)}}
		}, nil},
		{"places that an effect reserved for an interest that no outcome names", func(e *audit.Evidence) {
			delete(e.Chains[0].Outcomes, "one")
			e.Chains[0].Outcomes["one"] = opportunity.Outcome{RequestID: "one", State: opportunity.Done}
			e.Records[of].Interests[2].Reserve = true
			e.Chains[0].View.EffectResults = append(e.Chains[0].View.EffectResults, opportunity.EffectResult{Kind: opportunity.EffectReserve, Outcome: opportunity.EffectDone})
		}, nil},
		{"two contacts of one person", func(e *audit.Evidence) {
			e.Bookings.Contacts = append(e.Bookings.Contacts, audit.Contact{ID: "second", Names: []string{"ada one"}, Email: "Ada@sale.example"})
		}, doubled},
		{"a second contact of a person whose first contact was renamed", func(e *audit.Evidence) {
			e.Bookings.Contacts[0].Names = []string{"Ada Two", "Ada One"}
			e.Bookings.Contacts = append(e.Bookings.Contacts, audit.Contact{ID: "second", Names: []string{"Ada One"}, Email: "ada@sale.example"})
		}, doubled},
		{"two people with one address", func(e *audit.Evidence) {
			e.Bookings.Contacts = append(e.Bookings.Contacts, audit.Contact{ID: "second", Names: []string{"Bob One"}, Email: "ada@sale.example"})
		}, nil},
		{"two contacts of a person whom no message names", func(e *audit.Evidence) {
			e.Bookings.Contacts = append(e.Bookings.Contacts, audit.Contact{ID: "second", Names: []string{"Nora"}, Email: "nora@office.example"})
		}, nil},
		{"two invoices of a record", func(e *audit.Evidence) {
			e.Bookings.Invoices = append(e.Bookings.Invoices, e.Bookings.Invoices[0])
		}, doubled},
		{"a mail that was sent twice to one contact", func(e *audit.Evidence) {
			again := e.Bookings.Mails[1]
			again.At = at(30)
			e.Bookings.Mails = append(e.Bookings.Mails, again)
		}, doubled},
		{"a mail that was not sent although its effect is done", func(e *audit.Evidence) {
			for n := range e.Bookings.Mails {
				e.Bookings.Mails[n].Record = e.Records[2].ID
			}
		}, missing},
		{"places of a lost record whose run goes on", func(e *audit.Evidence) {
			e.Records[of].State, e.Records[of].Step = opportunity.Lost, "Won"
		}, []string{"orphan-reservation ours"}},
		{"places of a lost record whose release is active", func(e *audit.Evidence) {
			e.Records[of].State, e.Records[of].Step = opportunity.Lost, "Won"
			e.Chains[0].View.RunningEffects = []opportunity.RunningEffect{{Kind: opportunity.EffectRelease}}
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := wonEvidence(t)
			c.spoil(e)
			var got []string
			for _, v := range audit.Audit(*e, audit.Tolerances{Effects: true}) {
				got = append(got, fmt.Sprintf("%s %s", v.Kind, v.Reference))
				t.Log(v)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("wanted (-), found (+):\n%s", diff)
			}
		})
	}
}

// The report shows how many records the rules about effects cover, and how many effects wait for an
// operator.
func TestCountsOfEffects(t *testing.T) {
	e := wonEvidence(t)
	if n := audit.CheckedWins(*e, audit.Tolerances{Effects: true}); n != 1 {
		t.Errorf("%d records are checked, want 1", n)
	}
	e.Chains[0].View.RunningEffects = []opportunity.RunningEffect{{Key: "a", Problem: "was the mail sent?"}, {Key: "b"}}
	if n := e.EffectQuestions(); n != 1 {
		t.Errorf("%d effects wait for an operator, want 1", n)
	}
	if n := audit.CheckedWins(*e, audit.Tolerances{Effects: true}); n != 0 {
		t.Errorf("%d records are checked while an effect waits, want 0", n)
	}
}
