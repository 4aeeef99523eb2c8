package playbook_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/playbook"
)

func digest(t *testing.T, file string) string {
	t.Helper()
	p, err := playbook.Load([]byte(file))
	if err != nil {
		t.Fatalf("%v\n%s", err, file)
	}
	return p.Digest()
}

func TestDigestIsOfWhatIsSaid(t *testing.T) {
	const file = `
followUpsAtMost: 5
calendar: { zone: Europe/London, holidays: [2026-12-25, 2026-12-28] }
transitions:
  - name: win
    to: { state: Won }
    when: value >= 1000.50
    after: [reserve: { for: 2 days }, log: { message: Won }]
steps:
  - at: { step: Proposed }
    followUps: [{ name: a, due: { idle: 36h }, do: { progress: { to: Lost } } }]
keepOpen: { Won: 30 days }
`
	want := digest(t, file)
	if !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(want) {
		t.Errorf("the digest is %q", want)
	}
	for name, same := range map[string][2]string{
		"comment":             {"followUpsAtMost: 5", "# so many\nfollowUpsAtMost: 5 # not more"},
		"order of members":    {"name: win\n    to: { state: Won }", "to: { state: \"Won\" }\n    name: win"},
		"form":                {"{ zone: Europe/London, holidays: [2026-12-25, 2026-12-28] }", "\n  zone: Europe/London\n  holidays:\n    - \"2026-12-25\"\n    - 2026-12-28"},
		"order of holidays":   {"2026-12-25, 2026-12-28", "2026-12-28, 2026-12-25"},
		"spaces in condition": {"value >= 1000.50", "\"value  >=1000.5\""},
		"unit":                {"36h", "36 hours"},
	} {
		if got := digest(t, strings.Replace(file, same[0], same[1], 1)); got != want {
			t.Errorf("%s changes the digest", name)
		}
	}
	for name, other := range map[string][2]string{
		"cap":             {"followUpsAtMost: 5", "followUpsAtMost: 6"},
		"condition":       {"1000.50", "1000.51"},
		"setting":         {"2 days", "48 hours"},
		"name":            {"name: a", "name: b"},
		"order of effect": {"reserve: { for: 2 days }, log: { message: Won }", "log: { message: Won }, reserve: { for: 2 days }"},
		"holiday":         {"2026-12-28", "2026-12-29"},
		"kept open":       {"keepOpen: { Won: 30 days }", "keepOpen: { Lost: 30 days }"},
		"nothing":         {file, ""},
	} {
		if got := digest(t, strings.Replace(file, other[0], other[1], 1)); got == want {
			t.Errorf("%s does not change the digest", name)
		}
	}
	if digest(t, "") != digest(t, "# nothing\n") || digest(t, "") != digest(t, "{}") || digest(t, "") != new(playbook.Playbook).Digest() {
		t.Error("two playbooks without rules have different digests")
	}
}

func TestMailIsWritten(t *testing.T) {
	p, f := load(t, "examples/reminders.yaml"), facts(t)
	got, known := p.RenderMail("reminder", f, "Olive Owner", "Carl Contact", 2, 4)
	if want := "First Aid course: are you still interested?"; !known || got.Subject != want {
		t.Errorf("subject %q, want %q", got.Subject, want)
	}
	for _, want := range []string{"Dear Carl Contact,", "this is reminder 2 about", "starts on Monday, 18 January 2027, 09:00 GMT."} {
		if !strings.Contains(got.Body, want) {
			t.Errorf("%q does not say %q", got.Body, want)
		}
	}
	if _, known := p.RenderMail("none", f, "", "", 1, 1); known {
		t.Error("RenderMail returns a mail that the playbook does not have")
	}
	f.Details.Name = "a\nBcc: all"
	if got, _ := p.RenderMail("reminder", f, "", "", 1, 1); strings.Contains(got.Subject, "\n") {
		t.Errorf("a subject of several lines: %q", got.Subject)
	}
}

// TestMailDoesNotTellDoubtfulPlaces checks that a mail contains no expiry time of the reservation
// if it is unknown whether requested places are reserved.
func TestMailDoesNotTellDoubtfulPlaces(t *testing.T) {
	for _, c := range []struct {
		name, subject, body string
		want                string // the body with places in doubt, or "" for no mail
	}{
		{"without the time", "Hello", "Dear customer", "Dear customer"},
		{"in the body", "Hello", "Held until {{.ReservedUntil}}.", ""},
		{"in the subject", "Held until {{.ReservedUntil}}", "Hello", ""},
		{"with a condition", "Hello", "We ask.{{if .ReservedUntil}} Held until {{.ReservedUntil}}.{{end}}", "We ask."},
		{"with else", "Hello", "{{if .ReservedUntil}}Held until {{.ReservedUntil}}.{{else}}We ask.{{end}}", "We ask."},
	} {
		p, err := playbook.Load([]byte("emails:\n  m: { subject: '" + c.subject + "', body: '" + c.body + "' }\n"))
		if err != nil {
			t.Fatal(err)
		}
		f := facts(t)
		f.Reservation = opportunity.Reservation{Valid: true, Until: f.Now.Add(time.Hour)}
		if got, ok := p.RenderMail("m", f, "", "", 1, 1); !ok || strings.Contains(c.subject+c.body, "Until") != strings.Contains(got.Subject+got.Body, "until ") {
			t.Errorf("%s, places held: %v, %+v", c.name, ok, got)
		}
		f.PlacesInDoubt = true
		if got, ok := p.RenderMail("m", f, "", "", 1, 1); ok != (c.want != "") || got.Body != c.want {
			t.Errorf("%s, places in doubt: %v, %+v, want %q", c.name, ok, got, c.want)
		}
	}
}

// TestOfCountsMails checks that the variable Of counts only mails, and not a transition after the mails.
func TestOfCountsMails(t *testing.T) {
	p, err := playbook.Load([]byte(`
emails: { m: { subject: "{{.Number}} of {{.Of}}", body: b } }
steps:
  - at: { state: Open }
    followUps:
      - { name: silent-end, due: { idle: 1 day }, repeat: { times: 3, every: 1 day }, do: { email: { to: owner, use: m } }, then: { progress: { to: Lost } } }
      - { name: mail-end, due: { idle: 1 day }, repeat: { times: 2, every: 1 day }, do: { email: { to: owner, use: m } }, then: { email: { to: owner, use: m } } }
      - { name: one-mail, due: { idle: 1 day }, repeat: { times: 2, every: 1 day }, do: { log: { message: Idle } }, then: { email: { to: owner, use: m } } }
      - { name: once, due: { idle: 1 day }, do: { email: { to: owner, use: m } } }
`))
	if err != nil {
		t.Fatal(err)
	}
	f, got := facts(t), make(map[string][]string)
	for _, planned := range p.Plan(f, exchange.PlanCause{}).FollowUps {
		mail := exchange.SettingsOf[exchange.SendEmail](planned.Action.Settings)
		if planned.Action.Kind != opportunity.ActionEmail || mail == nil {
			continue
		}
		written, _ := p.RenderMail(mail.Template, f, "", "", max(mail.Number, 1), max(mail.Of, 1))
		got[planned.Name] = append(got[planned.Name], written.Subject)
	}
	want := map[string][]string{
		"silent-end": {"1 of 3", "2 of 3", "3 of 3"}, "mail-end": {"1 of 3", "2 of 3", "3 of 3"}, "one-mail": {"1 of 1"}, "once": {"1 of 1"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("subjects (-want +got):\n%s", diff)
	}
}

func TestFirstStartIsShownInTheZoneOfTheEvent(t *testing.T) {
	p := load(t, "examples/reminders.yaml")
	for zone, want := range map[string]string{
		"America/Santo_Domingo": "Monday, 14 June 2027, 09:00 AST",
		"":                      "Monday, 14 June 2027, 14:00 BST",
		"Atlantis/Poseidonis":   "Monday, 14 June 2027, 14:00 BST",
	} {
		f := facts(t)
		f.Interests[0].Start, f.Interests[0].StartZone = at(t, "2027-06-14T13:00:00Z"), zone
		f.Interests = append(f.Interests, playbook.Interest{
			Item: "later", Kind: opportunity.Event, Start: at(t, "2027-06-15T00:00:00Z"), StartZone: "Asia/Tokyo",
		})
		if got, _ := p.RenderMail("reminder", f, "", "", 1, 3); !strings.Contains(got.Body, "starts on "+want+".") {
			t.Errorf("in the zone %q: %q does not say %q", zone, got.Body, want)
		}
	}
}

func TestFollowUpsBeforeEventsAndTokens(t *testing.T) {
	p, err := playbook.Load([]byte(`
calendar: { zone: America/New_York }
steps:
  - at: { state: Open }
    followUps:
      - { name: starts, due: { beforeStart: 2 days }, do: { attention: { text: "{{.Name}} starts" } } }
      - { name: expires, due: { beforeTokensExpire: 1 week }, do: { log: { message: "Tokens expire" } } }
`))
	if err != nil {
		t.Fatal(err)
	}
	checkPlans(t, p, []planCase{
		{"an event", nil, exchange.PlanCause{}, []string{
			`2027-01-16T09:00:00Z starts/Q291cnNlOjE=/20270118T090000Z/1 "attention":"First Aid course starts"`,
		}},
		{"the same event twice, another, and one that has started", func(f *playbook.Facts) {
			other := f.Interests[0]
			other.Item, other.Start = "e2", at(t, "2027-03-15T12:00:00Z") // after the clocks are set forward
			past := f.Interests[0]
			past.Item, past.Start = "e3", at(t, "2026-11-01T12:00:00Z")
			f.Interests = append(f.Interests, f.Interests[0], other, past)
		}, exchange.PlanCause{}, []string{
			`2027-01-16T09:00:00Z starts/Q291cnNlOjE=/20270118T090000Z/1 "attention":"First Aid course starts"`,
			`2027-03-13T13:00:00Z starts/e2/20270315T120000Z/1 "attention":"First Aid course starts"`,
		}},
		{"tokens, at local time", func(f *playbook.Facts) {
			f.Interests = []playbook.Interest{
				{Item: "t1", Kind: opportunity.Tokens, Quantity: 1, ExpiresAt: "2026-12-31T23:59:59"},
				{Item: "t2", Kind: opportunity.Tokens, Quantity: 1, ExpiresAt: "2023-12-31T23:59:59"},
				{Item: "t3", Kind: opportunity.Tokens, Quantity: 1},
			}
		}, exchange.PlanCause{}, []string{
			`2026-12-25T04:59:59Z expires/t1/20270101T045959Z/1 "log":{"message":"Tokens expire","status":"success"}`,
		}},
		{"at once, since little time is left", func(f *playbook.Facts) { f.Interests[0].Start = f.Now.Add(time.Hour) }, exchange.PlanCause{}, []string{
			`2026-11-30T10:00:00Z starts/Q291cnNlOjE=/20261130T110000Z/1 "attention":"First Aid course starts"`,
		}},
	})
}

func TestWhatCannotBeDecidedIsTold(t *testing.T) {
	p, err := playbook.Load([]byte("transitions:\n  - name: a\n    when: int(attributes[\"seats\"]) > 5\n    after: [release: {}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	f := facts(t)
	f.Attributes["seats"] = "Melissa Green"
	plan := p.Plan(f, transitionTo("Won"))
	if len(plan.After) != 0 || len(plan.Problems) != 1 || strings.Contains(plan.Problems[0], "Melissa") || !strings.HasPrefix(plan.Problems[0], "a: ") {
		t.Errorf("planned: %+v", plan)
	}
}

func TestAllIsExplained(t *testing.T) {
	for _, file := range seeds(t) {
		p, err := playbook.Load(file)
		if err != nil {
			t.Fatal(err)
		}
		said := p.Explain()
		for _, name := range regexp.MustCompile(`(?m)name: ([a-z-]+)$`).FindAllStringSubmatch(string(file), -1) {
			if !strings.Contains(said, "("+name[1]+")") {
				t.Errorf("%s is not explained:\n%s", name[1], said)
			}
		}
	}
	said := load(t, "examples/reminders.yaml").Explain()
	for _, want := range []string{
		"Times of day are in the time zone Europe/London.", "Business hours are 09:00 to 17:30 on mon, tue, wed, thu, fri, except for 3 holidays.",
		"from 20:00 to 08:00", "at most 10 follow-ups", "While the step is step Proposed:",
		`5 business days after the last activity of the opportunity (remind), if account != "House account":`,
		"the action is done 3 times in total, 2 business days apart", "2 business days after the last repetition, the opportunity goes to Lost",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("it is not said %q:\n%s", want, said)
		}
	}
	manual, err := playbook.Load([]byte(rule("    manualTransitions: skip\n    after: [release: {}]\n") + "  - name: lose\n    to: { step: Lost }\n    after: [release: {}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"after the transition, but not when a person made the transition by hand in the TMS:", "after the transition, also when a person made the transition by hand in the TMS:"} {
		if said := manual.Explain(); !strings.Contains(said, want) {
			t.Errorf("it is not said %q:\n%s", want, said)
		}
	}
	if said := new(playbook.Playbook).Explain(); !strings.Contains(said, "The playbook does nothing.") {
		t.Errorf("the explanation of a playbook without rules is: %s", said)
	}
}
