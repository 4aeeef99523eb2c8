package playbook_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/playbook"
)

func step(name string) opportunity.Step {
	states := map[string]opportunity.StageState{"Won": opportunity.Won, "Lost": opportunity.Lost, "Archived": opportunity.Archived}
	state, ends := states[name]
	if !ends {
		state = opportunity.Open
	}
	return opportunity.Step{ID: opportunity.ID("step-" + name), Name: name, Stage: opportunity.Stage{ID: opportunity.ID("stage-" + name), Name: "Stage " + name, State: state}}
}

func amount(t testing.TB, text string) opportunity.Amount {
	t.Helper()
	a, err := opportunity.ParseAmount(text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func at(t testing.TB, text string) time.Time {
	t.Helper()
	moment, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return moment
}

// facts returns the facts of an opportunity on a Monday, with an interest in two places on an event.
func facts(t testing.TB) playbook.Facts {
	return playbook.Facts{
		Now: at(t, "2026-11-30T10:00:00Z"), ID: "T3Bwb3J0dW5pdHk6MQ==",
		Details: opportunity.Details{
			Name: "First Aid course", Region: opportunity.Ref{ID: "UmVnaW9uOlVL", Name: "UK"},
			Account: opportunity.Ref{ID: "a1", Name: "Administrate"}, Currency: "GBP",
		},
		Step: step("Proposed"), Entered: at(t, "2026-11-27T15:00:00Z"), LastActivity: at(t, "2026-11-27T15:00:00Z"),
		Interests: []playbook.Interest{{
			Item: "Q291cnNlOjE=", Kind: opportunity.Event, Quantity: 2, UnitAmount: amount(t, "199.90"), Reserve: true,
			Start: at(t, "2027-01-18T09:00:00Z"),
		}},
		Attributes: map[string]string{"po": "PO-4711", "company": "Administrate Ltd"},
	}
}

func load(t testing.TB, file string) *playbook.Playbook {
	t.Helper()
	content, err := os.ReadFile(filepath.FromSlash(file))
	if err != nil {
		t.Fatal(err)
	}
	p, err := playbook.Load(content)
	if err != nil {
		t.Fatalf("%s:\n%v", file, err)
	}
	return p
}

func transitionTo(to string) exchange.PlanCause {
	return exchange.PlanCause{Kind: exchange.CauseTransition, To: step(to)}
}

func planLines(plan exchange.Plan) []string {
	var lines []string
	settings := func(value any, drop ...string) string {
		var members map[string]any
		data, _ := json.Marshal(value)
		_ = json.Unmarshal(data, &members)
		for _, name := range drop {
			delete(members, name)
		}
		data, _ = json.Marshal(members)
		return strings.TrimSuffix(strings.TrimPrefix(string(data), "{"), "}")
	}
	effects := func(when string, effects []exchange.Effect) {
		for _, e := range effects {
			lines = append(lines, strings.TrimSpace(when+" "+e.Key+" undo "+string(e.Undo)+" "+settings(e, "key", "kind", "undo")))
		}
	}
	effects("before", plan.Before)
	effects("after", plan.After)
	for _, f := range plan.FollowUps {
		lines = append(lines, f.Due.Format(time.RFC3339)+" "+f.Key+" "+settings(f.Action, "kind"))
	}
	for _, l := range plan.SkippedFollowUps {
		lines = append(lines, "left out "+l.Key+": "+string(l.Reason))
	}
	for _, problem := range plan.Problems {
		lines = append(lines, "problem "+problem)
	}
	return lines
}

type planCase struct {
	name     string
	change   func(*playbook.Facts)
	occasion exchange.PlanCause
	want     []string
}

func checkPlans(t *testing.T, p *playbook.Playbook, rows []planCase) {
	t.Helper()
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			f := facts(t)
			if row.change != nil {
				row.change(&f)
			}
			plan := p.Plan(f, row.occasion)
			if diff := cmp.Diff(row.want, planLines(plan)); diff != "" {
				t.Errorf("wanted (-), planned (+):\n%s", diff)
			}
			if plan.Digest != p.Digest() {
				t.Errorf("the plan has the digest %q, the playbook has %q", plan.Digest, p.Digest())
			}
			first, _ := json.Marshal(plan)
			again, _ := json.Marshal(p.Plan(f, row.occasion))
			if string(first) != string(again) {
				t.Errorf("the same facts give\n%s\nand\n%s", first, again)
			}
			var read exchange.Plan
			if err := json.Unmarshal(first, &read); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(plan, read, cmp.Comparer(func(a, b opportunity.Amount) bool { return a.Equal(b) })); diff != "" {
				t.Errorf("made (-), and read back from JSON (+):\n%s", diff)
			}
		})
	}
}

func TestReserveOnProposalAndReleaseOnLoss(t *testing.T) {
	checkPlans(t, load(t, "examples/reserve-on-proposal.yaml"), []planCase{
		{"to the proposal", nil, transitionTo("Proposed"), []string{
			`before propose/before/1/reserve undo partial "reserve":{"until":"2026-12-14T10:00:00Z"}`,
		}},
		{"without events", func(f *playbook.Facts) { f.Interests[0].Kind = opportunity.Course }, transitionTo("Proposed"), nil},
		{"over the end of summer time", func(f *playbook.Facts) { f.Now = at(t, "2026-10-20T09:00:00Z") }, transitionTo("Proposed"), []string{
			`before propose/before/1/reserve undo partial "reserve":{"until":"2026-11-03T10:00:00Z"}`,
		}},
		{"lost", nil, transitionTo("Lost"), []string{`after lose/after/1/release undo none`}},
		{"won", nil, transitionTo("Won"), nil},
		{"standing", nil, exchange.PlanCause{}, nil},
	})
}

func TestWin(t *testing.T) {
	always := []string{
		`before win/before/1/account undo partial "account":{"name":"Administrate Ltd"}`,
		`after win/after/1/contacts undo partial "contacts":{"people":"ask","several":"ask"}`,
		`after win/after/2/register undo partial "register":{"people":"ask","release":true}`,
		`after win/after/4/invoice undo exact "invoice":{"comments":"First Aid course, 399.80 GBP","purchaseOrder":"PO-4711","waitUntil":"2026-11-30T12:00:00Z"}`,
		`after win/after/5/attributes undo exact "attributes":{"values":{"handled-by":"Oppflow"}}`,
		`after win/after/7/log undo none "log":{"message":"Won with 399.80 GBP","status":"success"}`,
	}
	call := `after win/after/6/call undo partial "call":{"path":"/orders","service":"erp","undoPath":"/orders/cancel"}`
	tokens := `after win/after/3/tokens undo exact "tokens":{"waitUntil":"2026-11-30T10:30:00Z"}`
	worth := func(unit, total string) []string {
		var lines []string
		for _, line := range always {
			if strings.Contains(line, "/log") && unit != "499.9999" {
				lines = append(lines, call)
			}
			lines = append(lines, strings.ReplaceAll(line, "399.80", total))
		}
		return lines
	}
	checkPlans(t, load(t, "examples/win.yaml"), []planCase{
		{"two places", nil, transitionTo("Won"), always},
		{"worth a thousand", func(f *playbook.Facts) { f.Interests[0].UnitAmount = amount(t, "500") }, transitionTo("Won"), worth("500", "1000.00")},
		{"worth less by a little", func(f *playbook.Facts) { f.Interests[0].UnitAmount = amount(t, "499.9999") }, transitionTo("Won"), worth("499.9999", "999.9998")},
		{"with tokens", func(f *playbook.Facts) {
			f.Interests = append(f.Interests, playbook.Interest{Item: "t", Kind: opportunity.Tokens, Quantity: 5})
		}, transitionTo("Won"), append(append(append([]string{}, always[:3]...), tokens), always[3:]...)},
		{"lost", nil, transitionTo("Lost"), nil},
	})
}

func TestInvoiceBeforeTheEvent(t *testing.T) {
	register := `after win/after/1/register undo partial "register":{"people":"ask","release":true}`
	invoice := func(final string) string {
		return `after win/after/2/invoice undo none "invoice":{"comments":"First Aid course",` + final + `"purchaseOrder":"PO-4711","waitUntil":"2026-11-30T11:00:00Z"}`
	}
	checkPlans(t, load(t, "examples/invoice-before-event.yaml"), []planCase{
		{"in time", nil, transitionTo("Won"), []string{register, invoice(`"finaliseAt":"2027-01-11T09:00:00Z",`)}},
		{"the first of two", func(f *playbook.Facts) {
			f.Interests = append(f.Interests, playbook.Interest{Item: "other", Kind: opportunity.Event, Quantity: 1, Start: at(t, "2027-01-10T09:00:00Z")})
		}, transitionTo("Won"), []string{register, invoice(`"finaliseAt":"2027-01-03T09:00:00Z",`)}},
		{"at once, since it starts soon", func(f *playbook.Facts) { f.Interests[0].Start = at(t, "2026-12-02T09:00:00Z") }, transitionTo("Won"), []string{
			register, invoice(`"finaliseAt":"2026-11-30T10:00:00Z",`),
		}},
		{"over the beginning of summer time", func(f *playbook.Facts) { f.Interests[0].Start = at(t, "2027-03-30T08:00:00Z") }, transitionTo("Won"), []string{
			register, invoice(`"finaliseAt":"2027-03-23T09:00:00Z",`),
		}},
		{"without a start", func(f *playbook.Facts) { f.Interests[0].Start = time.Time{} }, transitionTo("Won"), []string{
			register, invoice(""), "problem win: no future event of the opportunity is known, so the invoice stays a draft",
		}},
	})
}

func TestThreeRemindersThenLost(t *testing.T) {
	mail := func(number int) string {
		return fmt.Sprintf(` "email":{"number":%d,"of":3,"template":"reminder","to":"contact"}`, number)
	}
	const lost, key = ` "progress":{"to":"Lost"}`, "remind/20261127T150000Z/"
	done := func(f *playbook.Facts, number, when string) {
		f.Done = append(f.Done, exchange.DoneFollowUp{Key: key + number, At: at(t, when)})
	}
	checkPlans(t, load(t, "examples/reminders.yaml"), []planCase{
		{"from a Friday on", nil, exchange.PlanCause{}, []string{
			"2026-12-04T15:00:00Z " + key + "1" + mail(1), "2026-12-08T15:00:00Z " + key + "2" + mail(2),
			"2026-12-10T15:00:00Z " + key + "3" + mail(3), "2026-12-14T15:00:00Z " + key + "then" + lost,
		}},
		{"put off to the morning and over the holidays", func(f *playbook.Facts) { f.LastActivity = at(t, "2026-12-17T19:00:00Z") }, exchange.PlanCause{}, []string{
			"2026-12-29T09:00:00Z remind/20261217T190000Z/1" + mail(1), "2026-12-31T09:00:00Z remind/20261217T190000Z/2" + mail(2),
			"2027-01-05T09:00:00Z remind/20261217T190000Z/3" + mail(3), "2027-01-07T09:00:00Z remind/20261217T190000Z/then" + lost,
		}},
		{"after the first, which was late", func(f *playbook.Facts) {
			f.Now = at(t, "2026-12-09T16:00:00Z")
			done(f, "1", "2026-12-09T15:30:00Z")
		}, exchange.PlanCause{}, []string{
			"2026-12-11T15:30:00Z " + key + "2" + mail(2), "2026-12-15T15:30:00Z " + key + "3" + mail(3), "2026-12-17T15:30:00Z " + key + "then" + lost,
		}},
		{"after a night without a worker, not all at once", func(f *playbook.Facts) { f.Now = at(t, "2026-12-11T22:00:00Z") }, exchange.PlanCause{}, []string{
			"2026-12-14T09:00:00Z " + key + "1" + mail(1), "2026-12-16T09:00:00Z " + key + "2" + mail(2),
			"2026-12-18T09:00:00Z " + key + "3" + mail(3), "2026-12-22T09:00:00Z " + key + "then" + lost,
		}},
		{"all but the last", func(f *playbook.Facts) {
			f.Now = at(t, "2026-12-11T09:00:00Z")
			done(f, "1", "2026-12-04T15:00:00Z")
			done(f, "2", "2026-12-08T15:00:00Z")
			done(f, "3", "2026-12-10T15:00:00Z")
		}, exchange.PlanCause{}, []string{"2026-12-14T15:00:00Z " + key + "then" + lost}},
		{"up to the cap", func(f *playbook.Facts) {
			for range 8 {
				f.Done = append(f.Done, exchange.DoneFollowUp{Key: "old", At: at(t, "2026-11-01T10:00:00Z")})
			}
		}, exchange.PlanCause{}, []string{
			"2026-12-04T15:00:00Z " + key + "1" + mail(1), "2026-12-08T15:00:00Z " + key + "2" + mail(2),
			"left out " + key + "3: cap", "left out " + key + "then: cap",
		}},
		{"what was cancelled is no matter of the cap", func(f *playbook.Facts) {
			for n := range 20 {
				f.Done = append(f.Done, exchange.DoneFollowUp{Key: "old", At: at(t, "2026-11-01T10:00:00Z"), Cancelled: n >= 8})
			}
		}, exchange.PlanCause{}, []string{
			"2026-12-04T15:00:00Z " + key + "1" + mail(1), "2026-12-08T15:00:00Z " + key + "2" + mail(2),
			"left out " + key + "3: cap", "left out " + key + "then: cap",
		}},
		{"after the first, which was cancelled when it was due", func(f *playbook.Facts) {
			f.Now = at(t, "2026-12-09T16:00:00Z")
			f.Done = append(f.Done, exchange.DoneFollowUp{Key: key + "1", At: at(t, "2026-12-09T15:30:00Z"), Cancelled: true})
		}, exchange.PlanCause{}, []string{
			"2026-12-11T15:30:00Z " + key + "2" + mail(2), "2026-12-15T15:30:00Z " + key + "3" + mail(3), "2026-12-17T15:30:00Z " + key + "then" + lost,
		}},
		{"after the first, which was cancelled before it was due", func(f *playbook.Facts) {
			f.Now = at(t, "2026-12-01T16:00:00Z")
			f.Done = append(f.Done, exchange.DoneFollowUp{Key: key + "1", At: at(t, "2026-12-01T15:30:00Z"), Cancelled: true})
		}, exchange.PlanCause{}, []string{
			"2026-12-08T15:00:00Z " + key + "2" + mail(2), "2026-12-10T15:00:00Z " + key + "3" + mail(3), "2026-12-14T15:00:00Z " + key + "then" + lost,
		}},
		{"the end after a reminder that was not sent", func(f *playbook.Facts) {
			f.Now = at(t, "2026-12-07T09:00:00Z")
			f.Done = append(f.Done, exchange.DoneFollowUp{Key: key + "1", At: at(t, "2026-12-04T15:00:00Z"), NotDone: true})
		}, exchange.PlanCause{}, []string{
			"2026-12-08T15:00:00Z " + key + "2" + mail(2), "2026-12-10T15:00:00Z " + key + "3" + mail(3), "left out " + key + "then: notSent",
		}},
		{"another step", func(f *playbook.Facts) { f.Step = step("Won") }, exchange.PlanCause{}, nil},
		{"the account it is not for", func(f *playbook.Facts) { f.Details.Account.Name = "House account" }, exchange.PlanCause{}, nil},
		{"without an activity", func(f *playbook.Facts) { f.LastActivity = time.Time{} }, exchange.PlanCause{}, nil},
	})
}

func TestWaitlistOffer(t *testing.T) {
	p := load(t, "examples/waitlist-offer.yaml")
	mail, lost := ` "email":{"template":"last-call","to":"contact"}`, ` "progress":{"to":"Lost"}`
	const noOffer = `after no-offer/after/1/email undo none "email":{"template":"no-place","to":"owner"}`
	onWaitlist := func(freePlaces *int) func(*playbook.Facts) {
		return func(f *playbook.Facts) { f.Step, f.Interests[0].FreePlaces = step("Waitlist"), freePlaces }
	}
	held := func(until string, valid bool) func(*playbook.Facts) {
		return func(f *playbook.Facts) {
			f.Step, f.Reservation = step("Offered"), opportunity.Reservation{Valid: valid, Until: at(t, until)}
		}
	}
	checkPlans(t, p, []planCase{
		{"offered", onWaitlist(new(2)), transitionTo("Offered"), []string{
			`after offer/after/1/reserve undo none "reserve":{"until":"2026-12-02T10:00:00Z"}`,
			`after offer/after/2/email undo none "email":{"template":"offer","to":"contact"}`,
		}},
		{"too few free places", onWaitlist(new(1)), transitionTo("Offered"), []string{noOffer}},
		{"overbooked", onWaitlist(new(-1)), transitionTo("Offered"), []string{noOffer}},
		{"free places are unknown", onWaitlist(nil), transitionTo("Offered"), []string{
			"problem offer: the condition of the rule cannot be evaluated for this record and counts as not met",
			"problem no-offer: the condition of the rule cannot be evaluated for this record and counts as not met",
		}},
		{"no event", func(f *playbook.Facts) { f.Step, f.Interests = step("Waitlist"), nil }, transitionTo("Offered"), []string{noOffer}},
		{"not from the waiting list", nil, transitionTo("Offered"), nil},
		{"held", held("2026-12-02T10:00:00Z", true), exchange.PlanCause{}, []string{
			"2026-12-02T07:00:00Z last-call/20261202T100000Z/1" + mail, "2026-12-02T10:00:00Z offer-expired/20261202T100000Z/1" + lost,
		}},
		{"expires in the morning", held("2026-12-02T06:30:00Z", true), exchange.PlanCause{}, []string{
			"2026-12-01T18:30:00Z last-call/20261202T063000Z/1" + mail, "2026-12-02T07:00:00Z offer-expired/20261202T063000Z/1" + lost,
		}},
		{"expires at night", func(f *playbook.Facts) {
			held("2026-12-01T06:30:00Z", true)(f)
			f.Now = at(t, "2026-11-30T22:00:00Z")
		}, exchange.PlanCause{}, []string{
			"2026-12-01T07:00:00Z offer-expired/20261201T063000Z/1" + lost, "left out last-call/20261201T063000Z/1: late",
		}},
		{"lapsed", held("2026-11-30T09:00:00Z", false), exchange.PlanCause{}, []string{
			"2026-11-30T10:00:00Z offer-expired/20261130T090000Z/1" + lost,
		}},
		{"expired before it came into the step", held("2026-11-20T09:00:00Z", false), exchange.PlanCause{}, nil},
		{"nothing held", func(f *playbook.Facts) { f.Step = step("Offered") }, exchange.PlanCause{}, nil},
	})
}

func TestEventCancelled(t *testing.T) {
	cancelled := exchange.PlanCause{Kind: exchange.CauseEventCancelled, Item: "Q291cnNlOjE="}
	checkPlans(t, load(t, "examples/event-cancelled.yaml"), []planCase{
		{"open", nil, cancelled, []string{
			`after tell-owner/do/1/email/Q291cnNlOjE= undo none "email":{"template":"event-cancelled","to":"owner"}`,
			`after tell-owner/do/2/log/Q291cnNlOjE= undo none "log":{"message":"An event was cancelled; the owner of the opportunity is told","status":"partial"}`,
		}},
		{"lost", func(f *playbook.Facts) { f.Step = step("Lost") }, cancelled, nil},
		{"something else", nil, exchange.PlanCause{Kind: exchange.CauseReservationExpired}, nil},
		{"something unknown", nil, exchange.PlanCause{Kind: "eclipse"}, []string{`problem the worker does not support plans for the cause "eclipse"`}},
	})
}

func TestDefault(t *testing.T) {
	p, err := playbook.Load(playbook.DefaultFile())
	if err != nil {
		t.Fatal(err)
	}
	expiry := ` "email":{"template":"places-expire","to":"owner"}`
	checkPlans(t, p, []planCase{
		{"won", nil, transitionTo("Won"), []string{
			`after win/after/1/account undo partial "account":{"name":"First Aid course"}`,
			`after win/after/2/contacts undo partial "contacts":{"people":"ask","several":"ask"}`,
			`after win/after/3/register undo partial "register":{"people":"ask","release":true}`,
			`after win/after/5/invoice undo exact "invoice":{"waitUntil":"2026-11-30T11:00:00Z"}`,
		}},
		{"lost", nil, transitionTo("Lost"), []string{"after lose/after/1/release undo none"}},
		{"archived", nil, transitionTo("Archived"), []string{"after archive/after/1/release undo none"}},
		{"another step", nil, transitionTo("Opportunity"), nil},
		{"places held", func(f *playbook.Facts) {
			f.Reservation = opportunity.Reservation{Valid: true, Until: at(t, "2026-12-07T12:00:00Z")}
		}, exchange.PlanCause{}, []string{"2026-12-03T12:00:00Z places-expire/20261207T120000Z/1" + expiry}},
		{"no places held", nil, exchange.PlanCause{}, nil},
	})
}

func TestNothingIsDoneByAnEmptyPlaybook(t *testing.T) {
	empty, err := playbook.Load(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []*playbook.Playbook{nil, new(playbook.Playbook), empty} {
		for _, occasion := range []exchange.PlanCause{
			{}, transitionTo("Won"), transitionTo("Lost"), {Kind: exchange.CauseEventCancelled, Item: "x"}, {Kind: exchange.CauseReservationExpired},
		} {
			if plan := p.Plan(facts(t), occasion); !plan.IsEmpty() || plan.Digest != empty.Digest() {
				t.Errorf("planned: %+v", plan)
			}
		}
	}
}

// For a transition by hand, the plan has the effects in "after" of each rule that matches both
// steps of the transition, except rules that skip transitions by hand.
func TestPlanOfAManualTransition(t *testing.T) {
	t.Parallel()
	p, err := playbook.Load([]byte(`transitions:
  - name: win
    from: { step: Offered }
    to: { state: Won }
    when: step == "Offered"
    before: [attributes: { set: { a: b } }]
    after: [release: {}]
  - name: ensured
    to: { state: Won }
    manualTransitions: ensure
    after: [log: { message: "from {{.Step}}" }]
  - name: only-before
    to: { state: Won }
    when: int(attributes["none"]) > 1
    before: [attributes: { set: { c: d } }]
  - name: skipped
    to: { state: Won }
    manualTransitions: skip
    after: [log: { message: never }]
  - name: from-won
    from: { state: Won }
    after: [log: { message: never }]
`))
	if err != nil {
		t.Fatal(err)
	}
	f := facts(t)
	f.Step = step("Won") // the step in which a read found the record
	for name, c := range map[string]struct {
		cause exchange.PlanCause
		step  opportunity.Step
		want  []string
	}{
		"by hand":   {exchange.PlanCause{Kind: exchange.CauseTransition, From: step("Offered"), To: step("Won")}, step("Won"), []string{"win/after/1/release", "ensured/after/1/log"}},
		"elsewhere": {exchange.PlanCause{Kind: exchange.CauseTransition, From: step("Proposed"), To: step("Won")}, step("Won"), []string{"ensured/after/1/log"}},
		"a command": {transitionTo("Won"), step("Offered"), []string{"win/before/1/attributes", "win/after/1/release", "ensured/after/1/log", "skipped/after/1/log"}},
	} {
		f.Step = c.step
		plan := p.Plan(f, c.cause)
		var got []string
		for _, effect := range append(plan.Before, plan.After...) {
			got = append(got, effect.Key)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if isCommand := c.cause.From.ID == ""; len(plan.Problems) > 0 != isCommand { // problems of the rule only-before
			t.Errorf("%s: problems %v", name, plan.Problems)
		}
	}
}
