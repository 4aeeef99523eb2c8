package playbook_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/playbook"
)

// simulation is the random history of one opportunity under a playbook. A seed and a number
// determine the history.
type simulation struct {
	counts
	drawn     *drawnPlaybook
	rand      *rand.Rand
	seededBug brokenPlanner
	facts     playbook.Facts
	// before is the step before the current step.
	before opportunity.Step
	// again reports whether the plan came from the second playbook that was loaded from the file.
	again bool
	// If logging is true, log contains a line for each event of the simulation.
	log     []string
	logging bool
}

type counts struct{ plans, planned, done, cancelled, moved, released, leftOut, full int }

func (c *counts) add(o counts) {
	c.plans, c.planned, c.done, c.cancelled = c.plans+o.plans, c.planned+o.planned, c.done+o.done, c.cancelled+o.cancelled
	c.moved, c.released, c.leftOut, c.full = c.moved+o.moved, c.released+o.released, c.leftOut+o.leftOut, c.full+o.full
}

// brokenPlanner is a planner with a deliberate mistake.
type brokenPlanner func(*simulation, *drawnPlaybook, playbook.Facts, exchange.PlanCause) exchange.Plan

func newSimulation(b *drawnPlaybook, seed uint64, number int, spoil brokenPlanner) *simulation {
	r := rand.New(rand.NewPCG(seed, 1<<32+uint64(number)))
	l := &simulation{drawn: b, rand: r, seededBug: spoil}
	start := oneOf(r, time.Date(2026, 10, 20, 0, 0, 0, 0, time.UTC), time.Date(2026, 3, 5, 0, 0, 0, 0, time.UTC), time.Date(2026, 12, 20, 0, 0, 0, 0, time.UTC))
	now := start.Add(time.Duration(r.IntN(20*24*60*60)) * time.Second)
	l.facts = playbook.Facts{
		Now: now, ID: "T3Bwb3J0dW5pdHk6MQ==", Details: opportunity.Details{Name: "First Aid course", Currency: "GBP"},
		Step: step("Proposed"), Entered: now, LastActivity: now, Attributes: map[string]string{},
	}
	l.before = l.facts.Step
	for n := range r.IntN(4) {
		interest := playbook.Interest{Item: opportunity.ID(fmt.Sprint("item", n)), Kind: opportunity.Event, Quantity: 1 + r.IntN(200)}
		switch r.IntN(3) {
		case 0:
			interest.Kind = opportunity.Tokens
			interest.ExpiresAt = l.ahead(90).In(b.zone).Format(opportunity.LocalTimeLayout)
		default:
			interest.Start = l.ahead(60)
		}
		interest.UnitAmount, _ = opportunity.ParseAmount("1")
		l.facts.Interests = append(l.facts.Interests, interest)
	}
	return l
}

func (l *simulation) ahead(days int) time.Time {
	return l.facts.Now.Add(time.Duration(1+l.rand.IntN(days*24*60)) * time.Minute)
}

func (l *simulation) value() int {
	value := 0
	for _, i := range l.facts.Interests {
		value += i.Quantity
	}
	return value
}

func (l *simulation) logf(format string, args ...any) {
	if !l.logging {
		return
	}
	l.log = append(l.log, l.facts.Now.In(l.drawn.zone).Format("2006-01-02 15:04:05 ")+fmt.Sprintf(format, args...))
}

// run runs the simulation, and returns the mistake of a plan, or "" if no plan was wrong.
func (l *simulation) run() string {
	for range 2 + l.rand.IntN(7) {
		l.drawChange()
		wrong := l.runDueFollowUps()
		if l.rand.IntN(4) == 0 && wrong == "" {
			wrong = l.moveTo(oneOf(l.rand, "Proposed", "Offered", "Offered", "Won", "Lost", "Archived"))
		}
		if wrong != "" {
			return wrong
		}
	}
	return ""
}

// drawChange makes a random change that does not come from a follow-up.
func (l *simulation) drawChange() {
	f := &l.facts
	switch l.rand.IntN(8) {
	case 0, 1:
		f.Now = f.Now.Add(time.Duration(l.rand.IntN(10*24*60*60)) * time.Second)
		l.logf("time has passed")
	case 2:
		f.Reservation = opportunity.Reservation{Valid: true, Until: l.ahead(20)}
		l.logf("places are held until %s", f.Reservation.Until)
	case 3:
		if f.Reservation.Valid {
			f.Reservation.Until = l.ahead(40)
			l.logf("places are held until %s instead", f.Reservation.Until)
		}
	case 4:
		if f.Reservation.Valid {
			f.Reservation = opportunity.Reservation{Until: f.Now}
			l.logf("places are given back by hand")
		}
	case 5:
		for i := range f.Interests {
			if f.Interests[i].Kind == opportunity.Event {
				f.Interests[i].Start = l.ahead(30)
				l.logf("%s starts at %s", f.Interests[i].Item, f.Interests[i].Start)
				break
			}
		}
	case 6:
		f.LastActivity = f.Now
		l.logf("somebody did something")
	case 7:
		if f.Attributes = map[string]string{"po": ""}; l.rand.IntN(2) == 0 {
			f.Attributes["po"] = "4711"
		}
		l.logf("the attribute is %q", f.Attributes["po"])
	}
	if held := &f.Reservation; held.Valid && !held.Until.After(f.Now) {
		held.Valid = false
		l.logf("the places have expired")
	}
}

func (l *simulation) planFor(facts playbook.Facts, occasion exchange.PlanCause) exchange.Plan {
	l.plans++
	if l.again = l.rand.IntN(2) == 0; l.seededBug != nil {
		return l.seededBug(l, l.drawn, facts, occasion)
	}
	if l.again {
		return l.drawn.again.Plan(facts, occasion)
	}
	return l.drawn.first.Plan(facts, occasion)
}

func (l *simulation) moveTo(name string) string {
	to, f := step(name), &l.facts
	if to == f.Step {
		return ""
	}
	plan := l.planFor(*f, exchange.PlanCause{Kind: exchange.CauseTransition, To: to})
	releases := 0
	for _, e := range slices.Concat(plan.Before, plan.After) {
		switch e.Kind {
		case opportunity.EffectRelease:
			releases++
		case opportunity.EffectReserve:
			until := exchange.SettingsOf[exchange.EnsureReservation](e.Settings).Until
			if !until.After(f.Now) {
				return fmt.Sprintf("places are to be held until %s, which has passed", until)
			}
			f.Reservation = opportunity.Reservation{Valid: true, Until: until}
		}
	}
	want := 0
	if l.drawn.releases[to.Stage.State] {
		want = 1
	}
	if releases != want {
		return fmt.Sprintf("the move to %s gives places back %d times, want %d", name, releases, want)
	}
	if releases > 0 && f.Reservation.Valid {
		l.released++
		f.Reservation = opportunity.Reservation{Until: f.Now}
	}
	l.before, f.Step, f.Entered, f.LastActivity = f.Step, to, f.Now, f.Now
	l.logf("moved to %s", name)
	return ""
}

func (l *simulation) runDueFollowUps() string {
	f := &l.facts
	for range 1 + l.rand.IntN(3) {
		plan := l.planFor(*f, exchange.PlanCause{})
		if wrong := l.checkPlan(plan); wrong != "" {
			return wrong
		}
		if wrong := l.planAgain(plan); wrong != "" {
			return wrong
		}
		if len(plan.FollowUps) == 0 {
			return ""
		}
		if next := plan.FollowUps[0]; next.Due.After(f.Now) {
			switch l.rand.IntN(5) {
			case 0:
				return ""
			case 1:
				cancelled := oneOf(l.rand, plan.FollowUps...)
				l.logf("%s is cancelled", cancelled.Key)
				l.cancelled++
				f.Done = append(f.Done, exchange.DoneFollowUp{Key: cancelled.Key, At: f.Now, Cancelled: true})
				continue
			case 2:
				f.Now = next.Due.Add(time.Duration(l.rand.IntN(3*24*60)) * time.Minute)
			default:
				f.Now = next.Due
			}
			if held := &f.Reservation; held.Valid && !held.Until.After(f.Now) {
				held.Valid = false
			}
			continue // the next pass plans the follow-up again, right before doing it
		}
		if l.rand.IntN(4) == 0 {
			f.Now = f.Now.Add(time.Duration(1+l.rand.IntN(600)) * time.Second)
			l.logf("%s failed", plan.FollowUps[0].Key)
			continue
		}
		if wrong := l.do(plan.FollowUps[0]); wrong != "" {
			return wrong
		}
	}
	return ""
}

func (l *simulation) do(due exchange.FollowUp) string {
	f := &l.facts
	l.logf("%s is done: %s", due.Key, due.Action.Kind)
	l.done++
	if slices.ContainsFunc(f.Done, func(d exchange.DoneFollowUp) bool { return d.Key == due.Key }) {
		return due.Key + " is done twice"
	}
	if l.drawn.isQuiet(f.Now) {
		return fmt.Sprintf("%s is done at %s, which is quiet", due.Key, f.Now.In(l.drawn.zone))
	}
	f.Done = append(f.Done, exchange.DoneFollowUp{Key: due.Key, At: f.Now})
	if due.Action.Kind == opportunity.ActionProgress && l.rand.IntN(5) > 0 { // the TMS may reject the transition
		l.moved++
		return l.moveTo(due.Action.Progress.To)
	}
	return ""
}

// planAgain makes the plan again at the same moment, and sometimes also at a moment before the next
// follow-up is due. Each new plan must have the same follow-ups.
func (l *simulation) planAgain(plan exchange.Plan) string {
	facts := l.facts
	if l.rand.IntN(2) == 0 { // the time zone of a moment must not change the plan
		facts.Entered, facts.LastActivity = facts.Entered.In(l.drawn.zone), facts.LastActivity.In(l.drawn.zone)
	}
	if wrong := planDiff(plan, l.planFor(facts, exchange.PlanCause{})); wrong != "" {
		return "planned again at the same moment: " + wrong
	}
	if len(plan.FollowUps) == 0 {
		return ""
	}
	wait := plan.FollowUps[0].Due.Sub(facts.Now)
	if wait <= 0 || l.rand.IntN(2) == 0 {
		return ""
	}
	facts.Now = facts.Now.Add(time.Duration(l.rand.Int64N(int64(wait))))
	if wrong := planDiff(plan, l.planFor(facts, exchange.PlanCause{})); wrong != "" {
		return fmt.Sprintf("planned again at %s: %s", facts.Now, wrong)
	}
	return ""
}

func planDiff(a, b exchange.Plan) string {
	if len(a.FollowUps) != len(b.FollowUps) {
		return fmt.Sprintf("%d follow-ups, and %d", len(a.FollowUps), len(b.FollowUps))
	}
	for i, f := range a.FollowUps {
		if g := b.FollowUps[i]; f.Key != g.Key || !f.Due.Equal(g.Due) {
			return fmt.Sprintf("%s at %s, and %s at %s", f.Key, f.Due, g.Key, g.Due)
		}
	}
	return ""
}

func (l *simulation) checkPlan(plan exchange.Plan) string {
	f := l.facts
	done := 0
	for _, d := range f.Done {
		if !d.Cancelled {
			done++
		}
	}
	l.planned, l.leftOut = l.planned+len(plan.FollowUps), l.leftOut+len(plan.SkippedFollowUps)
	switch room := l.drawn.most - done; {
	case len(plan.FollowUps) > room:
		return fmt.Sprintf("%d are planned after %d, at most %d", len(plan.FollowUps), done, l.drawn.most)
	case len(plan.FollowUps) == room:
		l.full++
	}
	if len(plan.Problems) > 0 {
		return "problems: " + strings.Join(plan.Problems, "; ")
	}
	seen := make(map[string]bool, len(plan.FollowUps))
	var last time.Time
	for _, p := range plan.FollowUps {
		var wrong string
		switch {
		case p.Due.Before(last):
			wrong = "not in order"
		case p.Due.Before(f.Now):
			wrong = "before it was planned"
		case p.Due.Location() != time.UTC:
			wrong = "not in UTC"
		case seen[p.Key]:
			wrong = "planned twice"
		case l.drawn.isQuiet(p.Due):
			wrong = "in quiet hours"
		default:
			wrong = l.checkFollowUp(plan, p)
		}
		if wrong != "" {
			return fmt.Sprintf("%s (%d of %d, %s) at %s, planned at %s: %s",
				p.Key, p.Number, p.Of, p.Action.Kind, p.Due.In(l.drawn.zone), f.Now.In(l.drawn.zone), wrong)
		}
		seen[p.Key], last = true, p.Due
	}
	return ""
}

func (l *simulation) checkFollowUp(plan exchange.Plan, p exchange.FollowUp) string {
	rule := l.drawn.rules[p.Name]
	parts := strings.Split(p.Key, "/")
	switch {
	case rule == nil:
		return "no rule of that name"
	case parts[0] != p.Name || len(parts) < 3:
		return "its key does not tell the rule and the reason"
	case !rule.matches(l.facts.Step):
		return fmt.Sprintf("planned for %s, and it stands in %s", rule.where, l.facts.Step.Name)
	case !rule.holds(l):
		return "its condition does not hold"
	case p.Of != rule.of || p.Number < 1 || p.Number > p.Of:
		return "wrongly counted"
	case p.Action.Kind == opportunity.ActionProgress && (!rule.moves || p.Number != p.Of):
		return "a move that is not the last thing"
	}
	number := strconv.Itoa(p.Number)
	if p.Number > rule.times {
		number = "then"
	}
	if parts[len(parts)-1] != number {
		return "its key does not tell the number"
	}
	row := strings.TrimSuffix(p.Key, number)
	for _, other := range plan.FollowUps {
		if strings.HasPrefix(other.Key, row) && other.Key != p.Key && (other.Number > p.Number) != other.Due.After(p.Due) {
			return "not in its place in the row, which has " + other.Key
		}
	}
	for _, d := range l.facts.Done {
		after, of := strings.CutPrefix(d.Key, row)
		switch {
		case !of:
		case after == number:
			return "it was done already"
		case after == "then" && !d.Cancelled:
			return "what ends it was done already"
		case after == strconv.Itoa(p.Number-1) && p.Due.Before(d.At.Add(rule.every.least)):
			return fmt.Sprintf("too soon after the one before it, done at %s", d.At)
		}
	}
	about, err := time.Parse("20060102T150405Z", parts[len(parts)-2])
	if err != nil {
		return "its key does not tell what it is reckoned from"
	}
	return l.checkDue(rule, p, parts[1], about)
}

func (l *simulation) checkDue(rule *drawnRule, p exchange.FollowUp, item string, about time.Time) string {
	f := l.facts
	is := func(t time.Time) bool { return t.Truncate(time.Second).Equal(about) }
	waited := rule.due.least + time.Duration(p.Number-1)*rule.every.least
	early := about.Add(-rule.due.most)
	switch rule.anchor {
	case "inStep":
		if !is(f.Entered) || p.Due.Before(f.Entered.Add(waited)) {
			return "too early in the step"
		}
		return ""
	case "idle":
		if !is(f.LastActivity) || p.Due.Before(f.LastActivity.Add(waited)) {
			return "too early after the last activity"
		}
		return ""
	case "beforeReservationExpires":
		if !is(f.Reservation.Until) {
			return "not about the places that are held"
		}
		if strings.HasPrefix(rule.due.text, "0 ") || rule.due.text == "0h" || rule.due.text == "0w" || rule.due.text == "0s" {
			if p.Due.Before(about) {
				return "before the places expire"
			}
			return ""
		}
		if !f.Reservation.Valid {
			return "no places are held"
		}
	default:
		if !slices.ContainsFunc(f.Interests, func(i playbook.Interest) bool {
			deadline := i.Start
			if i.Kind == opportunity.Tokens {
				deadline, _ = time.ParseInLocation(opportunity.LocalTimeLayout, i.ExpiresAt, l.drawn.zone)
			}
			return string(i.Item) == item && deadline.Sub(about).Abs() < 2*time.Hour
		}) {
			return "not about anything that starts or expires"
		}
	}
	switch {
	case !p.Due.Before(about):
		return fmt.Sprintf("not before %s", about)
	case !rule.due.open && p.Due.Before(early):
		return fmt.Sprintf("more than %s before %s", rule.due.text, about)
	}
	return ""
}
