package playbook_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/playbook"
)

// drawnPlaybook is a random playbook with its rules in a form that only the tests use. The tests
// compare plans with the rules in this form, so the tests do not repeat mistakes of the planner.
type drawnPlaybook struct {
	text  string
	rules map[string]*drawnRule
	most  int
	zone  *time.Location
	// quietFrom and quietTo are minutes since midnight. quietFrom and quietTo are equal if the
	// playbook has no quiet hours.
	quietFrom, quietTo int
	// releases says for each stage state whether a transition to a stage in that state releases the
	// places.
	releases map[opportunity.StageState]bool
	// first and again are loaded from the same file. uncapped and withoutQuiet differ from first in
	// followUpsAtMost and in the quiet hours, and are loaded on first use.
	first, again           *playbook.Playbook
	uncapped, withoutQuiet func() *playbook.Playbook
}

// drawnRule is a follow-up rule.
type drawnRule struct {
	where  string // the member of "at" that is given, and its value
	anchor string
	due    drawnPeriod
	every  drawnPeriod
	times  int
	of     int
	moves  bool // the last action is a transition
	holds  func(*simulation) bool
}

// drawnPeriod is a period with its shortest and longest length, including a margin for clock
// changes. If open is true, the longest length is unknown, because the period counts only business
// hours.
type drawnPeriod struct {
	text        string
	least, most time.Duration
	open        bool
}

func drawPeriod(r *rand.Rand, business bool, least int) drawnPeriod {
	const clocks = 2 * time.Hour
	n := least + r.IntN(5)
	day := 24 * time.Hour
	kinds := 5
	if business {
		kinds = 7
	}
	switch r.IntN(kinds) {
	case 0:
		n = least + r.IntN(300)
		d := time.Duration(n) * time.Minute
		return drawnPeriod{text: fmt.Sprint(n, " minutes"), least: d, most: d}
	case 1:
		n = least + r.IntN(80)
		d := time.Duration(n) * time.Hour
		return drawnPeriod{text: fmt.Sprint(n, "h"), least: d, most: d}
	case 2:
		d := time.Duration(n) * day
		return drawnPeriod{text: fmt.Sprint(n, " days"), least: max(0, d-clocks), most: d + clocks}
	case 3:
		d := time.Duration(n) * 7 * day
		return drawnPeriod{text: fmt.Sprint(n, "w"), least: max(0, d-clocks), most: d + clocks}
	case 4:
		n = least + r.IntN(100)
		d := time.Duration(n) * time.Second
		return drawnPeriod{text: fmt.Sprint(n, oneOf(r, "s", " seconds")), least: d, most: d}
	case 5:
		n = least + r.IntN(20)
		return drawnPeriod{text: fmt.Sprint(n, " business hours"), least: max(0, time.Duration(n)*time.Hour-clocks), open: true}
	}
	return drawnPeriod{text: fmt.Sprint(n, " business days"), least: max(0, time.Duration(n-1)*day-clocks), open: true}
}

func oneOf[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

// drawPlaybook returns a random valid playbook.
func drawPlaybook(t testing.TB, r *rand.Rand) *drawnPlaybook {
	t.Helper()
	b := &drawnPlaybook{rules: make(map[string]*drawnRule), releases: make(map[opportunity.StageState]bool)}
	zone, err := time.LoadLocation(oneOf(r, "UTC", "Europe/London", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"))
	if err != nil {
		t.Fatal(err)
	}
	b.zone = zone
	calendar := "calendar:\n  zone: " + zone.String() + "\n"
	business := r.IntN(2) == 0
	if business {
		calendar += oneOf(r,
			"  hours: [{ days: [mon, tue, wed, thu, fri], from: \"09:00\", to: \"17:30\" }]\n",
			"  hours: [{ days: [mon, wed], from: \"08:00\", to: \"12:00\" }, { days: [mon, sat], from: \"13:00\", to: \"24:00\" }]\n")
		calendar += oneOf(r, "", "  holidays: [2026-11-02, 2026-11-03, 2026-12-25]\n")
	}
	quiet := ""
	if r.IntN(3) > 0 {
		span := oneOf(r, [2]int{20 * 60, 8 * 60}, [2]int{0, 7 * 60}, [2]int{12 * 60, 13*60 + 30}, [2]int{22 * 60, 24 * 60}, [2]int{90, 150})
		if b.quietFrom, b.quietTo = span[0], span[1]; business && span[0] == 12*60 {
			b.quietFrom, b.quietTo = 0, 7*60 // one of the calendars has business hours only in the morning
		}
		clock := func(m int) string { return fmt.Sprintf("\"%02d:%02d\"", m/60, m%60) }
		quiet = "  quiet: { from: " + clock(b.quietFrom) + ", to: " + clock(b.quietTo) + " }\n"
	}
	var rules strings.Builder
	rules.WriteString("emails:\n  mail: { subject: \"{{.Name}}\", body: \"{{.Number}} of {{.Of}}\" }\n")
	b.drawTransitions(r, &rules)
	longest := b.drawSteps(r, &rules, business)
	capped := ""
	if b.most = playbook.DefaultFollowUpsPerOpportunity; r.IntN(3) > 0 || longest > b.most {
		b.most = min(playbook.MaxFollowUpsPerOpportunity, longest+r.IntN(6))
		capped = fmt.Sprintf("followUpsAtMost: %d\n", b.most)
	}
	b.text = calendar + quiet + capped + rules.String()
	load := func(text string) *playbook.Playbook {
		p, err := playbook.Load([]byte(text))
		if err != nil {
			t.Fatalf("a playbook that was drawn is not valid: %v\n%s", err, text)
		}
		return p
	}
	b.first, b.again = load(b.text), load(b.text)
	b.uncapped = sync.OnceValue(func() *playbook.Playbook {
		return load(calendar + quiet + fmt.Sprintf("followUpsAtMost: %d\n", playbook.MaxFollowUpsPerOpportunity) + rules.String())
	})
	b.withoutQuiet = sync.OnceValue(func() *playbook.Playbook { return load(calendar + capped + rules.String()) })
	return b
}

func (b *drawnPlaybook) drawTransitions(r *rand.Rand, rules *strings.Builder) {
	rules.WriteString("transitions:\n")
	rule := func(name, to, list string, effects ...string) {
		fmt.Fprintf(rules, "  - name: %s\n    to: { %s }\n    %s:\n", name, to, list)
		for _, effect := range effects {
			fmt.Fprintf(rules, "      - %s\n", effect)
		}
	}
	for _, state := range []opportunity.StageState{opportunity.Lost, opportunity.Archived} {
		if b.releases[state] = r.IntN(3) > 0; b.releases[state] {
			rule("end-"+strings.ToLower(string(state)), "state: "+string(state), "after", oneOf(r, []string{"release: {}"}, []string{"log: { message: It ended }", "release: {}"})...)
		}
	}
	hold := fmt.Sprintf("for: %d hours", 1+r.IntN(400))
	switch r.IntN(3) {
	case 0:
		rule("offer", "step: Offered", "before", "reserve: { "+hold+", noneReserved: true }")
	case 1:
		rule("offer", "step: Offered", "after", "reserve: { "+hold+" }", "email: { to: contact, use: mail }")
	}
	rule("win", "state: Won", "after", "log: { message: Won }")
}

// drawSteps writes random follow-up rules for some steps, and returns the highest number of
// follow-ups of a rule.
func (b *drawnPlaybook) drawSteps(r *rand.Rand, rules *strings.Builder, business bool) int {
	places := []string{"step: Proposed", "stage: Stage Offered", "state: Open", "state: Won", "step: Lost"}
	r.Shuffle(len(places), func(i, j int) { places[i], places[j] = places[j], places[i] })
	rules.WriteString("steps:\n")
	longest := 1
	for _, where := range places[:1+r.IntN(3)] {
		fmt.Fprintf(rules, "  - at: { %s }\n    followUps:\n", where)
		for range 1 + r.IntN(3) {
			name := fmt.Sprintf("rule-%d", len(b.rules))
			rule := b.drawRule(r, rules, name, where, business)
			longest = max(longest, rule.of)
		}
	}
	return longest
}

func (b *drawnPlaybook) drawRule(r *rand.Rand, rules *strings.Builder, name, where string, business bool) *drawnRule {
	rule := &drawnRule{where: where, times: 1, of: 1, holds: func(*simulation) bool { return true }}
	b.rules[name] = rule
	rule.anchor = oneOf(r, "inStep", "idle", "beforeReservationExpires", "beforeStart", "beforeTokensExpire")
	least := 1
	if rule.anchor == "inStep" || rule.anchor == "beforeReservationExpires" {
		least = r.IntN(2)
	}
	if rule.due = drawPeriod(r, business, least); rule.anchor == "beforeReservationExpires" && r.IntN(3) == 0 {
		rule.due = drawnPeriod{text: "0 hours"}
	}
	fmt.Fprintf(rules, "      - name: %s\n        due: { %s: %s }\n", name, rule.anchor, rule.due.text)
	if r.IntN(2) == 0 {
		fmt.Fprintf(rules, "        hours: any\n")
	}
	switch r.IntN(8) {
	case 0:
		rules.WriteString("        when: value >= 100\n")
		rule.holds = func(l *simulation) bool { return l.value() >= 100 }
	case 1:
		rules.WriteString("        when: attributes[\"po\"] != \"\"\n")
		rule.holds = func(l *simulation) bool { return l.facts.Attributes["po"] != "" }
	case 2:
		rules.WriteString("        when: any(interests, .kind == \"tokens\")\n")
		rule.holds = func(l *simulation) bool {
			for _, i := range l.facts.Interests {
				if i.Kind == opportunity.Tokens {
					return true
				}
			}
			return false
		}
	}
	move := "progress: { to: " + oneOf(r, "Lost", "Archived") + " }"
	if where == "step: Lost" {
		move = "progress: { to: Archived }"
	}
	do := oneOf(r, "email: { to: owner, use: mail }", "log: { message: It waits }", "attention: { text: It waits }", move)
	repeats := r.IntN(2) == 0
	if do == move {
		rule.moves, repeats = true, false
	}
	fmt.Fprintf(rules, "        do: { %s }\n", do)
	if repeats {
		rule.times = 2 + r.IntN(4)
		rule.every = drawPeriod(r, business, 1)
		rule.of = rule.times
		fmt.Fprintf(rules, "        repeat: { times: %d, every: %s }\n", rule.times, rule.every.text)
		if r.IntN(2) == 0 {
			rule.of++
			then := oneOf(r, move, move, "log: { message: The end }")
			rule.moves = then == move
			fmt.Fprintf(rules, "        then: { %s }\n", then)
		}
	}
	return rule
}

func (b *drawnPlaybook) isQuiet(t time.Time) bool {
	hour, minute, _ := t.In(b.zone).Clock()
	m := 60*hour + minute
	if b.quietFrom < b.quietTo {
		return m >= b.quietFrom && m < b.quietTo
	}
	return b.quietFrom != b.quietTo && (m >= b.quietFrom || m < b.quietTo)
}

func (rule *drawnRule) matches(step opportunity.Step) bool {
	switch member, value, _ := strings.Cut(rule.where, ": "); member {
	case "step":
		return value == step.Name
	case "stage":
		return value == step.Stage.Name
	default:
		return value == string(step.Stage.State)
	}
}
