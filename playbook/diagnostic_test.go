package playbook_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/oppflow/oppflow/playbook"
	"github.com/oppflow/oppflow/playbook/diagnostic"
)

// The given lines start at line 4 of the returned file.
func rule(lines string) string {
	return "transitions:\n  - name: win\n    to: { step: Won }\n" + lines
}

// The given lines start at line 5 of the returned file.
func followUp(lines string) string {
	return "steps:\n  - at: { step: Proposed }\n    followUps:\n      - name: remind\n" + lines
}

func TestEveryMistakeIsToldWithItsPlace(t *testing.T) {
	const attention = "        do: { attention: { text: Look } }\n"
	after := "    after: [release: {}]\n"
	tests := []struct {
		name, file string
		want       []string // for each mistake: the start of its line and other parts of the line, separated by " … "
	}{
		{"not YAML", "a: b: c\n", []string{"1:5: the file is not YAML … mapping values are not allowed"}},
		{"no end", "steps: [1, 2\n", []string{"1:8: the file is not YAML … did not find expected ',' or ']'"}},
		{"tab", "steps:\n\t- a\n", []string{"2:1: the file is not YAML"}},
		{"alias", "steps: *all\n", []string{"1:8: the alias *all is not supported; write the value itself"}},
		{"anchor and alias", "followUpsAtMost: &most 5\nsteps: *most\n", []string{"2:8: the alias *most is not supported; write the value itself"}},
		{"no names", "emails: []\n", []string{"1:9: the value must be a mapping of names, but is a list"}},
		{"no name", "emails: { a.b: {} }\n", []string{`1:11: "a.b" is not a valid name; leave out dots and brackets`}},
		{"same mail", "services:\n  a: { url: https://a.example.com, secret: a }\n  a: { url: https://a.example.com, secret: a }\n", []string{`3:3: the name "a" is given twice`}},
		{"a list for a text", "calendar: { zone: [UTC] }\n", []string{"1:19: the value must be a text, but is a list"}},
		{"a list for a length", rule("    after: [reserve: { for: [1 day] }]\n"), []string{"4:29: the value must be a text, but is a list"}},
		{"a word for yes", rule("    before: [reserve: { for: 1 day, noneReserved: yes }]\n"), []string{`4:14: reserve cannot be done`, `4:51: the value must be true or false, but is "yes"`}},
		{"tag", "steps: !secret []\n", []string{"1:8: the YAML tag !secret is not supported"}},
		{"two documents", "steps: []\n---\nsteps: []\n", []string{"2:1: the file contains a second document"}},
		{"a text", "hello\n", []string{`1:1: the value must be an object, but is "hello"; give an object with the members calendar, followUpsAtMost`}},
		{"a list", "- a\n", []string{"1:1: the value must be an object, but is a list; give an object with the members"}},
		{"unknown member", "transitons: []\n", []string{`1:1: unknown member "transitons"; did you mean transitions?`}},
		{"nothing like it", "colour: red\n", []string{`1:1: unknown member "colour"; the known names are calendar, followUpsAtMost, people, services`}},
		{"twice", "steps: []\nsteps: []\n", []string{"2:1: the member \"steps\" is given twice"}},
		{"no list", "steps: {}\n", []string{`1:8: the value must be a list, but is an object with members`}},
		{"no number", "followUpsAtMost: many\n", []string{`1:18: the value must be a whole number, but is "many"`}},
		{"nothing", "calendar: { zone: }\n", []string{"1:19: the value must be a text, but is empty"}},

		// The calendar.
		{"zone", "calendar: { zone: Europe/Londn }\n", []string{`1:19: there is no time zone "Europe/Londn"; give the IANA name of a time zone, such as Europe/London`}},
		{"zone of the machine", "calendar: { zone: Local }\n", []string{`1:19: there is no time zone "Local"`}},
		{"clock", "calendar: { quiet: { from: 8pm, to: \"08:00\" } }\n", []string{`1:28: "8pm" is not a time of day; write hours and minutes, such as 09:00`}},
		{"past the day", "calendar: { quiet: { from: \"20:00\", to: \"24:30\" } }\n", []string{`1:41: "24:30" is not a time of day; the day ends at 24:00`}},
		{"backwards", "calendar:\n  hours:\n    - { days: [mon], from: \"17:00\", to: \"09:00\" }\n", []string{"3:41: the business hours end at 09:00, which is not after the start at 17:00"}},
		{"weekday", "calendar:\n  hours:\n    - { days: [mo], from: \"09:00\", to: \"17:00\" }\n", []string{`3:16: "mo" is not a day of the week`}},
		{"twice open", "calendar:\n  hours:\n    - { days: [mon, tue], from: \"09:00\", to: \"17:00\" }\n    - { days: [tue], from: \"16:00\", to: \"18:00\" }\n", []string{"4:16: tue already has business hours from 09:00 to 17:00"}},
		{"holiday", "calendar: { holidays: [2026-02-30] }\n", []string{`1:24: "2026-02-30" is not a date; write a date such as 2026-12-25`}},
		{"holiday twice", "calendar: { holidays: [2026-12-25, 2026-12-25] }\n", []string{"1:36: the holiday 2026-12-25 is given twice"}},
		{"always quiet", "calendar: { quiet: { from: \"08:00\", to: \"08:00\" } }\n", []string{"1:20: quiet hours from 08:00 to 08:00 start and end at the same time"}},
		{"quiet all day", "calendar: { quiet: { from: \"00:00\", to: \"24:00\" } }\n", []string{"1:20: the quiet hours cover the whole day"}},
		{
			"quiet business", "calendar:\n  hours:\n    - { days: [mon], from: \"09:00\", to: \"17:00\" }\n  quiet: { from: \"08:00\", to: \"18:00\" }\n",
			[]string{"4:10: the quiet hours cover all business hours, so no follow-up can ever be done"},
		},

		// Names and references.
		{"open for no time", "keepOpen:\n  Won: 0 days\n", []string{"2:8: the length of time is 0; give more than 0"}},
		{"open for a number", "keepOpen: { Won: 30 }\n", []string{`1:18: "30" is not a length of time; write a whole number and a unit`}},
		{"open in an open state", "keepOpen: { Open: 30 days }\n", []string{`1:13: unknown member "Open"; the known names are Won, Lost, Archived`}},
		{"open for business hours", "keepOpen: { Lost: 4 bh }\n", []string{"1:19: the length of time is in business hours, but the calendar has no business hours"}},
		{"cap", "followUpsAtMost: 0\n", []string{"1:18: 0 is out of range; give a whole number from 1 to 100"}},
		{"service", "services:\n  erp: { url: http://erp.example.com, secret: \"s3cr3t!\" }\n", []string{"2:15: the value is not the address of a service; write https", "2:47: the value is not the name of a secret"}},
		{"sending address", "emails:\n  a: { subject: s, body: b, from: me@example.com }\n", []string{"2:35: the value is not the id of a sending address"}},
		{"fallback", "emails:\n  a: { subject: s, body: b, fallback: Office <me@example.com> }\n", []string{"2:39: the value is not an e-mail address; write the address alone"}},
		{"name", "transitions:\n  - name: Win it\n    after: [release: {}]\n", []string{`2:11: "Win it" is not a valid name; write up to 40 small letters`}},
		{"same name", rule(after) + "  - name: win\n    to: { step: Lost }\n" + after, []string{"5:11: the rule in line 2 already has the name win"}},
		{"no mail", rule("    after: [email: { to: owner, use: remindr }]\n") + "emails:\n  reminder: { subject: s, body: b }\n", []string{`4:38: there is no mail "remindr" under emails; did you mean reminder?`}},
		{"no service", rule("    after: [call: { service: erp, path: orders }]\n"), []string{`4:30: there is no service "erp" under services; no name is defined`, `4:41: "orders" is not a path; begin the path with one slash`}},
		{"recipient", rule("    after: [email: { to: boss, use: a }]\n") + "emails: { a: { subject: s, body: b } }\n", []string{`4:26: "boss" is not one of owner, contact`}},

		// Step selectors.
		{"two places", rule(after) + "    from: { step: Offered, state: Open }\n", []string{"5:11: 2 of the members \"step\", \"stage\" and \"state\" are given; give exactly one of these members"}},
		{"no place", "steps:\n  - at: {}\n    followUps: []\n", []string{"2:9: 0 of the members \"step\", \"stage\" and \"state\" are given", "3:16: the list of follow-ups is empty; give at least one follow-up"}},
		{"state", "transitions:\n  - name: a\n    to: { state: won }\n" + after, []string{`3:18: "won" is not one of Open, Won, Lost, Archived; did you mean Won?`}},
		{"id of a region", "transitions:\n  - name: a\n    to: { step: UmVnaW9uOlVL }\n" + after, []string{"3:17: UmVnaW9uOlVL is the id of a Region, not of a step"}},
		{"to itself", rule(after) + "    from: { step: Won }\n", []string{`3:9: the transition leads from step "Won" to the same step`}},

		// Conditions.
		{"unknown name", rule(after) + "    when: valeu >= 1000\n", []string{"5:11: the condition is wrong: unknown name valeu; did you mean value?"}},
		{"unknown name in a block", rule(after) + "    when: |\n      value >= 1000 and\n        regin == \"UK\"\n", []string{"7:9: the condition is wrong: unknown name regin; did you mean region?"}},
		{"unknown name in quotes", rule(after) + "    when: \"value > 1 and x\"\n", []string{"5:26: the condition is wrong: unknown name x"}},
		{"unknown name behind an umlaut", rule(after) + "    when: region == \"Köln\" and regin == \"\"\n", []string{"5:32: the condition is wrong: unknown name regin"}},
		{"unknown member of an interest", rule(after) + "    when: any(interests, .kid == \"event\")\n", []string{"5:27: the condition is wrong: unknown member kid of an interest; did you mean kind?"}},
		{"no condition", rule(after) + "    when: value + 1\n", []string{"5:11: the condition is wrong: expected bool, but got money"}},
		{"cut off", rule(after) + "    when: value >=\n", []string{"5:18: the condition is wrong: unexpected token EOF"}},
		{"empty condition", rule(after) + "    when: \"\"\n", []string{"5:12: the condition is empty; leave the condition out"}},
		{"types", rule(after) + "    when: value == \"1000\"\n", []string{"5:17: the condition is wrong: invalid operation: == (mismatched types money and string)"}},
		{"division", rule(after) + "    when: value / 2 > 1\n", []string{"5:17: a condition cannot use the operator /, because its result is not exact"}},
		{"amount in a list", rule(after) + "    when: value in [1, 2]\n", []string{"5:17: a condition cannot use the operator \"in\" with an amount"}},
		{"exponent", rule(after) + "    when: value > 1.5e3\n", []string{`5:19: "1.5e3" is not an amount; write a decimal such as 199.90`}},
		{"unknown free places", rule(after) + "    when: any(interests, .freePlaces != 0)\n", []string{"5:38: freePlaces may be unknown, and the operator \"!=\" would treat an unknown value as a number; compare freePlaces with <, <=, > or >="}},
		{"a list of free places", rule(after) + "    when: any(interests, .freePlaces in [1, 2])\n", []string{"5:38: freePlaces may be unknown, and the operator \"in\" would"}},
		{"loops", rule(after) + "    when: any(interests, any(interests, any(interests, .quantity > 1)))\n", []string{"5:26: loops over the interests are nested too deeply; the limit is 2 levels"}},
		{"clock", rule(after) + "    when: now().Year() > 2026\n", []string{"5:11: the condition is wrong: unknown name now"}},

		// Effects.
		{"nothing to do", rule(""), []string{"2:5: the transition rule has no effects; give effects in the member \"before\" or \"after\""}},
		{"transitions by hand", rule("    manualTransitions: ignore\n    after: [release: {}]\n"), []string{`4:24: "ignore" … ensure … skip`}},
		{"two effects in one", rule("    after:\n      - release: {}\n        register: {}\n"), []string{"5:9: one list entry has 2 effects; begin each effect with \"- \""}},
		{"no effect", rule("    after:\n      - when: value > 1\n"), []string{"5:9: the list entry has no effect; give one of account, contacts"}},
		{"unknown effect", rule("    after:\n      - relase: {}\n"), []string{`5:9: unknown member "relase"; did you mean release?`}},
		{"mail before", rule("    before: [email: { to: owner, use: a }]\n") + "emails: { a: { subject: s, body: b } }\n", []string{"4:14: email cannot be done before a transition … cannot be recalled; put the effect into the member \"after\""}},
		{"log before", rule("    before: [log: { message: m }]\n"), []string{"4:14: log cannot be done before a transition"}},
		{"release before", rule("    before: [release: ]\n"), []string{"4:14: release cannot be done before a transition"}},
		{"final before", rule("    before: [invoice: { finaliseBeforeStart: 7 days }]\n"), []string{"4:14: invoice cannot be done before a transition … omit the member \"finaliseBeforeStart\""}},
		{"reserve before", rule("    before: [reserve: { for: 7 days }]\n"), []string{"4:14: reserve cannot be done before a transition … never reserve places again … noneReserved: true"}},
		{
			"call before", "services: { erp: { url: https://erp.example.com, secret: erp } }\n" + rule("    before: [call: { service: erp, path: /a }]\n"),
			[]string{"5:14: call cannot be done before a transition … or set the member \"undo\" to the path of the undo call"},
		},
		{"no expiry", rule("    after: [reserve: {}]\n"), []string{"4:22: the member \"for\" is missing"}},
		{"length", rule("    after: [reserve: { for: 7 }]\n"), []string{`4:29: "7" is not a length of time; write a whole number and a unit, such as 30 seconds, 30 minutes`}},
		{"too long", rule("    after: [reserve: { for: 999 weeks }]\n"), []string{`4:29: "999 weeks" is too long; the limit is 520 weeks`}},
		{"too long in seconds", rule("    after: [tokens: { wait: 300000001s }]\n"), []string{`4:29: "300000001s" is too long; the limit is 300000000 seconds`}},
		{"places held too short", rule("    after: [reserve: { for: 59 seconds }]\n"), []string{"4:29: places are reserved for less than a minute; give at least 60 seconds"}},
		{"places held on too short", rule("    after: [extend: { for: 1s }]\n"), []string{"4:28: places are reserved for less than a minute; give at least 60 seconds"}},
		{"no seconds at all", followUp("        due: { idle: 1 second }\n        repeat: { times: 2, every: 0 seconds }\n" + attention), []string{"6:36: the length of time is 0; give more than 0"}},
		{"no time", rule("    after: [reserve: { for: 0 days }]\n"), []string{"4:29: the length of time is 0; give more than 0"}},
		{"no business hours", rule("    after: [reserve: { for: 4 business hours }]\n"), []string{"4:29: the length of time is in business hours, but the calendar has no business hours; give calendar.hours"}},
		{"word", rule("    after: [log: { message: m, status: sucess }]\n"), []string{`4:40: "sucess" is not one of success, failed, partial; did you mean success?`}},

		// Contradictions.
		{"reserve and release", rule("    after: [reserve: { for: 7 days }, release: {}]\n"), []string{"4:39: effect release: the effect contradicts reserve"}},
		{"register and reserve", rule("    before: [reserve: { for: 7 days, noneReserved: true }]\n    after: [register: {}]\n"), []string{"5:13: effect register: the effect contradicts reserve … keepReservation: true"}},
		{"extend and release", rule("    after: [release: {}, extend: { for: 7 days }]\n"), []string{"4:26: effect extend: the effect contradicts release"}},
		{"reserve and extend", rule("    after: [reserve: { for: 1 day }, extend: { for: 7 days }]\n"), []string{"4:38: effect extend: the effect contradicts reserve, because both effects set when the reservation expires"}},
		{"register and cancel", rule("    after: [register: {}, cancelRegistrations: {}]\n"), []string{"4:27: effect cancelRegistrations: the effect contradicts register"}},
		{"twice registered", rule("    after: [register: {}, register: {}]\n"), []string{"4:27: effect register: the effect is given twice; give the effect once"}},
		{
			"two rules", rule("    after: [reserve: { for: 7 days }]\n") + "  - name: other\n    after: [release: {}]\n",
			[]string{"6:13: the effect release conflicts with the effect in line 4 for the same transitions: the effect contradicts reserve"},
		},
		{
			"broken promise", rule("    after: [reserve: { for: 7 days }]\n") + "  - name: other\n    from: { step: Won }\n    to: { step: Lost }\n    before: [reserve: { for: 7 days, noneReserved: true }]\n",
			[]string{"8:52: places are already reserved, because line 4 reserves places on every transition to step Won"},
		},
		{
			"two steps", "steps:\n  - at: { step: A }\n    followUps: [{ name: a, due: { idle: 1 day }, do: { progress: { to: B } } }]\n  - at: { step: A }\n    followUps: [{ name: b, due: { idle: 1 day }, do: { progress: { to: A } } }]\n",
			[]string{"4:9: the rule in line 2 is already for the same steps; put all follow-ups into that rule", "5:72: the transition leads to the same step; give another step"},
		},

		// Follow-ups.
		{"nothing is due", followUp("        due: {}\n" + attention), []string{"5:14: 0 of the members \"inStep\", \"idle\", \"beforeReservationExpires\", \"beforeStart\" and \"beforeTokensExpire\" are given"}},
		{"missing", followUp(""), []string{"4:9: the member \"due\" is missing", "4:9: the member \"do\" is missing"}},
		{"two are due", followUp("        due: { idle: 1 day, inStep: 1 day }\n" + attention), []string{"5:14: 2 of the members \"inStep\", \"idle\""}},
		{"unit", followUp("        due: { idle: 2 busy days }\n" + attention), []string{`5:22: "2 busy days" is not a length of time`}},
		{"no action", followUp("        due: { idle: 1 day }\n        do: {}\n"), []string{"6:13: 0 of the members \"email\", \"log\", \"call\", \"progress\" and \"attention\" are given"}},
		{"once", followUp("        due: { idle: 1 day }\n        repeat: { times: 1, every: 1 day }\n" + attention), []string{"6:26: 1 is out of range; give a whole number from 2 to 20"}},
		{"then after nothing", followUp("        due: { idle: 1 day }\n" + attention + "        then: { progress: { to: Lost } }\n"), []string{"7:15: the action in the member \"then\" follows the last repetition, but the follow-up has no member \"repeat\"; give the member \"repeat\""}},
		{"move in between", followUp("        due: { idle: 1 day }\n        repeat: { times: 2, every: 1 day }\n        do: { progress: { to: Lost } }\n"), []string{"7:25: progress must be the last action of a follow-up; put progress into the member \"then\""}},
		{
			"never at its end", "followUpsAtMost: 3\n" + followUp("        due: { idle: 1 day }\n        repeat: { times: 3, every: 1 day }\n"+attention+"        then: { progress: { to: Lost } }\n"),
			[]string{"5:9: the rule makes 4 follow-ups, but an opportunity gets at most 3"},
		},
		{"hours", followUp("        due: { idle: 1 day }\n        hours: business\n" + attention), []string{"6:16: the follow-up waits for business hours, but the calendar has no business hours; give calendar.hours"}},

		// Templates.
		{"variable", "emails:\n  a:\n    subject: Hi {{.Ownr}}\n    body: |\n      Dear {{.Contact}},\n\n      {{if .Accont}}x{{end}}\n", []string{"3:19: unknown variable {{.Ownr}}; did you mean Owner?", "7:12: unknown variable {{.Accont}}; did you mean Account?"}},
		{"people in the log", rule("    after: [log: { message: \"{{.Owner}}\" }]\n"), []string{"4:32: unknown variable {{.Owner}}; the known names are ID, Name"}},
		{"loop", "emails: { a: { subject: s, body: \"{{range 9}}x{{end}}\" } }\n", []string{"1:43: a template may not use this action; a template may use variables, if"}},
		{"function", "emails: { a: { subject: s, body: \"{{printf .Name}}\" } }\n", []string{"1:37: a template may not call printf"}},
		{"cut-off template", "emails: { a: { subject: s, body: \"Dear {{.Name\" } }\n", []string{"1:35: the template cannot be filled in: unclosed action"}},
		{"template in a template", "emails: { a: { subject: s, body: \"{{define \\\"x\\\"}}y{{end}}\" } }\n", []string{`1:34: the text defines the template "x"; write the text of the template where the template is used`}},
		{"variable in brackets", "emails: { a: { subject: s, body: \"{{if (eq (.Nam) .Of)}}x{{end}}\" } }\n", []string{"1:45: unknown variable {{.Nam}}; did you mean Name?"}},
		{"index of a text", "emails: { a: { subject: s, body: \"{{index .Name 5}}\" } }\n", []string{"1:37: the template cannot be filled in"}},
		{"lines in a subject", "emails:\n  a: { body: b, subject: \"a\\nb\" }\n", []string{"2:26: the text has several lines; give one line"}},

		{
			"many at once", "calendar: { zone: Mars }\n" + rule("    when: valu > 1\n    before: [log: { mesage: m }]\n"),
			[]string{`1:19: there is no time zone "Mars"`, "5:11: the condition is wrong: unknown name valu", "6:14: log cannot be done before", "6:19: the member \"message\" is missing", `6:21: unknown member "mesage"`},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := playbook.Load([]byte(test.file))
			var found diagnostic.List
			if !errors.As(err, &found) {
				t.Fatalf("loads, or has an error that is no list of mistakes: %v\n%s", err, test.file)
			}
			if len(found) != len(test.want) {
				t.Errorf("%d mistakes, want %d:\n%v\n%s", len(found), len(test.want), err, test.file)
				return
			}
			for i, mistake := range found {
				parts := strings.Split(test.want[i], " … ")
				ok := strings.HasPrefix(mistake.String(), parts[0])
				for _, part := range parts {
					ok = ok && strings.Contains(mistake.String(), part)
				}
				if !ok {
					t.Errorf("told\n%s\nwant\n%s\n%s", mistake, test.want[i], test.file)
				}
			}
		})
	}
}

func TestListsHaveLimits(t *testing.T) {
	var many strings.Builder
	for i := range playbook.MaxRules + 1 {
		fmt.Fprintf(&many, "  - { name: r%d, after: [log: { message: m }, log: { message: m }] }\n", i)
	}
	_, err := playbook.Load([]byte("transitions:\n" + many.String()))
	for _, want := range []string{"1:1: the playbook has 402 effects; the limit is 400", "2:3: the list has 201 entries; the limit is 200"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	for what, file := range map[string]string{
		"the list has 21 entries":   rule("    after: [" + strings.Repeat("log: { message: m }, ", 21) + "]\n"),
		"line has 1025 bytes":       rule("    after: [log: { message: " + strings.Repeat("m", 1025) + " }]\n"),
		"text has 16385 bytes":      "emails: { a: { subject: s, body: " + strings.Repeat("b", 16385) + " } }\n",
		"condition has 1025 bytes":  rule("    after: [release: {}]\n    when: " + strings.Repeat("v", 1025) + "\n"),
		"number from 2 to 20":       followUp("        due: { idle: 1 day }\n        repeat: { times: 21, every: 1 day }\n        do: { attention: { text: Look } }\n"),
		"the list has 1001 entries": "calendar: { holidays: [" + strings.Repeat("2026-12-25, ", 1001) + "] }\n",
	} {
		if _, err := playbook.Load([]byte(file)); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%.300v, want %s", err, what)
		}
	}
}

func seeds(t testing.TB) [][]byte {
	t.Helper()
	paths, err := filepath.Glob("examples/*.yaml")
	if err != nil || len(paths) < 6 {
		t.Fatalf("%d examples: %v", len(paths), err)
	}
	files := [][]byte{playbook.DefaultFile()}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, content)
	}
	return files
}

// checkWellFormed checks that each mistake has a position and one line of text. If the playbook has
// no mistakes, checkWellFormed explains the playbook and makes plans.
func checkWellFormed(t interface {
	Fatalf(format string, args ...any)
}, file []byte, f playbook.Facts,
) {
	p, err := playbook.Load(file)
	var found diagnostic.List
	if err != nil && (!errors.As(err, &found) || len(found) == 0 || len(found) > diagnostic.MaxEntries) {
		t.Fatalf("an error that is no list of mistakes: %v", err)
	}
	lines := 1
	for _, end := range []string{"\n", "\r", "\u0085", "\u2028", "\u2029"} { // every character that ends a line in YAML
		lines += strings.Count(string(file), end)
	}
	for _, m := range found {
		if m.Line < 1 || m.Line > lines+1 || m.Column < 1 || m.Text == "" || strings.ContainsAny(m.Text, "\n\r\t") {
			t.Fatalf("a mistake without a position, or with several lines: %q", m.String())
		}
	}
	if err != nil {
		return
	}
	if len(p.Digest()) != 32 || p.Explain() == "" {
		t.Fatalf("digest %q", p.Digest())
	}
	f.Reservation.Until = f.Now.AddDate(0, 0, 3)
	f.Reservation.Valid = true
	p.Plan(f, transitionTo("Won"))
	for _, followUp := range p.Plan(f, transitionTo("")).FollowUps {
		t.Fatalf("a transition plans %v", followUp)
	}
}

func FuzzLoad(f *testing.F) {
	for _, file := range seeds(f) {
		f.Add(file)
	}
	for _, file := range []string{"", "a: b: c", "- *x", "a: &a [*a]", "? a", "{", "\t", "!!x", "steps: [1,", "'", "when: |\n  a"} {
		f.Add([]byte(file))
	}
	known := facts(f)
	f.Fuzz(func(t *testing.T, file []byte) { checkWellFormed(t, file, known) })
}

// TestDamagedFilesAreToldAsMistakes removes, swaps, joins or changes lines of an example file. Load
// must return a playbook or a list of mistakes.
func TestDamagedFilesAreToldAsMistakes(t *testing.T) {
	files, known := seeds(t), facts(t)
	rapid.Check(t, func(t *rapid.T) {
		lines := strings.SplitAfter(string(rapid.SampledFrom(files).Draw(t, "file")), "\n")
		for range rapid.IntRange(1, 3).Draw(t, "damages") {
			i, j := rapid.IntRange(0, len(lines)-1).Draw(t, "line"), rapid.IntRange(0, len(lines)-1).Draw(t, "other")
			switch rapid.IntRange(0, 3).Draw(t, "damage") {
			case 0:
				lines[i] = ""
			case 1:
				lines[i], lines[j] = lines[j], lines[i]
			case 2:
				lines[i] += lines[j]
			case 3:
				at := rapid.IntRange(0, len(lines[i])).Draw(t, "at")
				lines[i] = lines[i][:at] + rapid.StringOfN(rapid.SampledFrom([]rune("{}[]:-\"'|>{{.}}&*! ax1\t\n")), 0, 3, -1).Draw(t, "typed") + lines[i][at:]
			}
		}
		checkWellFormed(t, []byte(strings.Join(lines, "")), known)
	})
}

func TestMistakesAreNotWithoutEnd(t *testing.T) {
	var file strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&file, "x%d: 1\n", i)
	}
	_, err := playbook.Load([]byte(file.String()))
	var found diagnostic.List
	if !errors.As(err, &found) || len(found) != diagnostic.MaxEntries {
		t.Errorf("%d mistakes are reported", len(found))
	}
	_, err = playbook.Load([]byte("# " + strings.Repeat("x", playbook.MaxFileBytes)))
	if err == nil || !strings.Contains(err.Error(), "the limit is 262144 bytes") {
		t.Errorf("a file that is too large: %v", err)
	}
}

func TestNothingTakesLong(t *testing.T) {
	for _, file := range []string{
		strings.Repeat("[", 200_000), strings.Repeat("{a: ", 50_000), strings.Repeat("- ", 100_000), strings.Repeat("a:\n", 80_000),
		strings.Repeat(`"`, 200_000), strings.Repeat("a: b: ", 40_000), strings.Repeat("&a ", 60_000), strings.Repeat("? ", 100_000),
		strings.Repeat("a: [", 4_000), "x: |\n" + strings.Repeat("  y\n", 60_000) + " z",
		rule("    when: " + strings.Repeat("(", 1000) + "\n"), rule("    when: " + strings.Repeat("not ", 250) + "\n"),
		"emails: { a: { subject: \"" + strings.Repeat("{{if .Name}}", 1000) + "\", body: b } }",
	} {
		began := time.Now()
		_, err := playbook.Load([]byte(file))
		// Load takes less than a second, or several seconds with the race detector on a busy
		// machine. If the time of Load grew faster than the size of the file, Load would take
		// minutes.
		if took := time.Since(began); err == nil || took > 30*time.Second {
			t.Errorf("%.20q…: Load returned after %v: %v", file, took, err != nil)
		}
	}
}
