package playbook_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/playbook"
)

func mustLoad(t *testing.T, text string) *playbook.Playbook {
	t.Helper()
	p, err := playbook.Load([]byte(text))
	if err != nil {
		t.Fatalf("%s:\n%v", text, err)
	}
	return p
}

func TestWhatAPlaybookHas(t *testing.T) {
	toLearners := func(rule string) string {
		return "emails: { m: { subject: s, body: b } }\nsteps: [{ at: { state: Open }, followUps: [{ name: a, due: { idle: 1d }, " + rule + " }] }]"
	}
	for text, want := range map[string]playbook.Features{
		"": {},
		"calendar: { zone: Europe/London }\nfollowUpsAtMost: 3\nemails: { a: { subject: s, body: b } }":                                        {},
		"steps: [{ at: { state: Open }, followUps: [{ name: a, due: { idle: 1d }, do: { attention: { text: t } } }] }]":                        {FollowUps: true, Steps: "state Open"},
		toLearners("do: { email: { to: learners, use: m } }"):                                                                                  {FollowUps: true, Steps: "state Open", Learners: true},
		toLearners("do: { log: { message: m } }, then: { email: { to: learners, use: m } }, repeat: { times: 2, every: 1d }"):                  {FollowUps: true, Steps: "state Open", Learners: true},
		toLearners("do: { email: { to: owner, use: m } }"):                                                                                     {FollowUps: true, Steps: "state Open"},
		"transitions: [{ name: a, to: { state: Won }, after: [{ account: {} }] }]":                                                             {Transitions: true},
		"emails: { m: { subject: s, body: b } }\ntransitions: [{ name: a, to: { state: Won }, after: [{ email: { to: learners, use: m } }] }]": {Transitions: true, Learners: true},
		"transitions: [{ name: a, to: { state: Won }, after: [{ account: {} }, { register: {} }] }]":                                           {Transitions: true, Learners: true},
		"transitions: [{ name: a, to: { state: Won }, before: [{ contacts: {} }] }]":                                                           {Transitions: true, Learners: true},
		"reactions: [{ name: a, on: eventCancelled, do: [{ contacts: {} }] }]":                                                                 {Reactions: true, Learners: true, Steps: exchange.NoSteps},
	} {
		if got := mustLoad(t, text).Features(); got != want {
			t.Errorf("%s: %+v, want %+v", text, got, want)
		}
	}
	if got := (*playbook.Playbook)(nil).Features(); got != (playbook.Features{}) {
		t.Errorf("without a playbook: %+v", got)
	}
}

func TestHowLongAnEndedOpportunityTakesMessages(t *testing.T) {
	const day = 24 * time.Hour
	noon := time.Date(2026, 3, 27, 12, 0, 0, 0, time.UTC) // a Friday; the clocks change on Sunday
	for text, want := range map[string]exchange.KeepOpen{
		"":                           {},
		"keepOpen: { Won: 30 days }": {Won: 30 * day},
		"calendar: { zone: Europe/London }\nkeepOpen: { Won: 30 days, Lost: 1 day }":        {Won: 30*day - time.Hour, Lost: day},
		"calendar: { holidays: [2026-03-30] }\nkeepOpen: { Archived: 1 business day }":      {Archived: 4 * day},
		"calendar: { zone: Europe/London }\nkeepOpen: { Won: 720 hours, Archived: 1 week }": {Won: 30 * day, Archived: 7*day - time.Hour},
	} {
		if got := mustLoad(t, text).KeepOpen(noon); got != want {
			t.Errorf("%s: %+v, want %+v", text, got, want)
		}
	}
	if got := (*playbook.Playbook)(nil).KeepOpen(noon); got != (exchange.KeepOpen{}) {
		t.Errorf("without a playbook: %+v", got)
	}
	book, err := playbook.Load(playbook.DefaultFile())
	if err != nil {
		t.Fatal(err)
	}
	if got, want := book.KeepOpen(noon), (exchange.KeepOpen{Won: 30 * day}); got != want {
		t.Errorf("the default playbook: %+v, want %+v", got, want)
	}
	text := mustLoad(t, "keepOpen: { Won: 30 days }").Explain()
	if want := "An opportunity that is Won takes messages for 30 days."; !strings.Contains(text, want) || strings.Contains(text, "does nothing") {
		t.Errorf("%q does not say %q", text, want)
	}
}

func TestWhatAPlaybookNeedsToKnowOfEvents(t *testing.T) {
	const move, lapsed, cancelled = exchange.CauseTransition, exchange.CauseReservationExpired, exchange.CauseEventCancelled
	step := func(rule string) string {
		return "steps: [{ at: { state: Open }, followUps: [{ name: a, " + rule + " }] }]"
	}
	win := func(effect string) string {
		return "transitions: [{ name: a, to: { state: Won }, after: [" + effect + "] }]"
	}
	all := []exchange.PlanCauseKind{"", move, lapsed, cancelled}
	for text, want := range map[string][]exchange.PlanCauseKind{
		"": nil,
		step("due: { idle: 1d }, do: { attention: { text: t } }"):                                                                                   nil,
		step("due: { beforeReservationExpires: 1d }, do: { log: { message: \"{{.Name}}\" } }"):                                                      nil,
		step("due: { beforeStart: 1d }, do: { attention: { text: t } }"):                                                                            {""},
		step("due: { idle: 1d }, do: { attention: { text: \"{{.FirstStart}}\" } }"):                                                                 {""},
		step("due: { idle: 1d }, do: { log: { message: \"{{.FirstStart}}\" } }"):                                                                    {""},
		step("due: { idle: 1d }, do: { attention: { text: t } }, repeat: { times: 2, every: 1d }, then: { log: { message: \"{{.FirstStart}}\" } }"): {""},
		win("{ account: { name: \"{{.Name}}\" } }"):                                                                                                 nil,
		win("{ account: { name: \"{{.FirstStart}}\" } }"):                                                                                           {move},
		win("{ attributes: { set: { a: b, c: \"{{.FirstStart}}\" } } }"):                                                                            {move},
		win("{ invoice: {} }"): nil,
		win("{ invoice: { comments: \"{{with .FirstStart}}{{.}}{{end}}\" } }"):                                                       {move},
		win("{ invoice: { purchaseOrder: \"{{.FirstStart}}\" } }"):                                                                   {move},
		win("{ invoice: { finaliseBeforeStart: 7d } }"):                                                                              {move},
		win("{ log: { message: \"{{.FirstStart}}\" } }"):                                                                             {move},
		step("when: \"any(interests, .freePlaces > 0)\", due: { idle: 1d }, do: { attention: { text: t } }"):                         {""},
		win("{ log: { message: m }, when: \"any(interests, .freePlaces > 0)\" }"):                                                    {move},
		"transitions: [{ name: a, when: \"any(interests, .freePlaces > 0)\", after: [{ account: {} }] }]":                            {move},
		"reactions: [{ name: a, on: reservationExpired, when: \"any(interests, .freePlaces > 0)\", do: [{ log: { message: m } }] }]": {lapsed},
		"reactions: [{ name: a, on: eventCancelled, do: [{ log: { message: m } }] }]":                                                {""},
		"reactions: [{ name: a, on: reservationExpired, do: [{ log: { message: m } }] }]":                                            nil,
		"reactions: [{ name: a, on: reservationExpired, do: [{ log: { message: \"{{.FirstStart}}\" } }] }]":                          {lapsed},
		"reactions: [{ name: a, on: eventCancelled, do: [{ log: { message: \"{{.FirstStart}}\" } }] }]":                              {"", cancelled},
		"emails: { m: { subject: s, body: \"{{.FirstStart}}\" } }\n" + win("{ email: { to: owner, use: m } }"):                       nil, // a plan does not contain the text of a mail
	} {
		var got []exchange.PlanCauseKind
		for _, kind := range all {
			if mustLoad(t, text).NeedsEvents(kind) {
				got = append(got, kind)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
	if (*playbook.Playbook)(nil).NeedsEvents("") {
		t.Error("without a playbook")
	}
}

func TestWhatAMailNeeds(t *testing.T) {
	p := mustLoad(t, `
emails:
  plain: { subject: "{{.Name}}", body: "{{.Owner}}" }
  start: { subject: "{{.FirstStart}}", body: b, from: U2VuZGluZ0VtYWlsQWRkcmVzczox }
  whom: { subject: s, body: "{{if .FirstStart}}{{.Contact}}{{end}}", fallback: office@training.example }
`)
	for name, want := range map[string][3]bool{
		"plain": {true, false, false}, "start": {true, true, false}, "whom": {true, true, true}, "none": {},
	} {
		if got := [3]bool{p.HasMail(name), p.MailNeedsEvents(name), p.MailNeedsContact(name)}; got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	for name, want := range map[string][3]bool{
		"plain": {true, true, false}, "start": {false, true, true}, "whom": {false, false, false}, "none": {},
	} {
		record, events := p.SubjectNeeds(name)
		if got := [3]bool{p.MailNeedsOwner(name), record, events}; got != want {
			t.Errorf("owner and subject of %s: %v, want %v", name, got, want)
		}
	}
	if p.MailFallback("whom") != "office@training.example" || p.MailFallback("plain") != "" {
		t.Errorf("fallbacks %q and %q", p.MailFallback("whom"), p.MailFallback("plain"))
	}
	if p.MailFrom("start") != "U2VuZGluZ0VtYWlsQWRkcmVzczox" || p.MailFrom("plain") != "" {
		t.Errorf("from %q and %q", p.MailFrom("start"), p.MailFrom("plain"))
	}
}

func TestServicesThatCannotBeSignedFor(t *testing.T) {
	p := mustLoad(t, `services:
  erp:
    url: https://erp.example.com
    secret: erp-key
  crm: { url: https://crm.example.com, secret: crm-key }
`)
	has := func(names ...string) func(string) bool {
		return func(secret string) bool {
			for _, name := range names {
				if name == secret {
					return true
				}
			}
			return false
		}
	}
	if got := p.MissingSecrets(has("erp-key", "crm-key")); len(got) != 0 {
		t.Errorf("with all keys: %v", got)
	}
	if got := p.MissingSecrets(has("crm-key")).Error(); got != "4:13: the worker has no service key with the name erp-key, so requests to the service cannot be signed" {
		t.Errorf("without one: %s", got)
	}
	if got := p.MissingSecrets(has()); len(got) != 2 || got[1].Line != 5 {
		t.Errorf("without keys: %v", got)
	}
	if service, known := p.Service("erp"); !known || service.URL != "https://erp.example.com" || service.Secret != "erp-key" {
		t.Errorf("service %+v", service)
	}
	if _, known := p.Service("none"); known {
		t.Error("the playbook returns a service that it does not have")
	}
}
