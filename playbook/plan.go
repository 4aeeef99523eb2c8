package playbook

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/playbook/diagnostic"
)

// Plan returns the effects that the playbook has for the cause, which is a transition or an
// external change. For the zero cause Plan returns the follow-ups of the current step. For a
// transition by hand, Plan returns only effects after the transition, and uses cause.From as the
// step before the transition. All times in the plan are in UTC.
func (p *Playbook) Plan(facts Facts, cause exchange.PlanCause) exchange.Plan {
	isManual := cause.From.ID != ""
	if isManual {
		facts.Step = cause.From
	}
	planner := p.plannerOf(facts)
	switch cause.Kind {
	case "":
		planner.planFollowUps()
	case exchange.CauseTransition:
		planner.planTransition(cause.To, isManual)
	case exchange.CauseEventCancelled, exchange.CauseEventSoldOut, exchange.CauseReservationExpired:
		planner.planReactions(cause)
	default:
		planner.addProblem("the worker does not support plans for the cause %q", diagnostic.Quote(string(cause.Kind)))
	}
	return planner.plan
}

func (p *Playbook) plannerOf(facts Facts) *planner {
	if p == nil {
		p = new(Playbook)
	}
	return &planner{
		Playbook: p, facts: facts, env: conditionEnvOf(facts), variables: p.variables(facts),
		plan: exchange.Plan{Digest: p.Digest()},
	}
}

type planner struct {
	*Playbook
	facts     Facts
	env       conditionEnv
	variables Variables
	plan      exchange.Plan
}

// people returns the playbook's rule for a learner whose e-mail address belongs to a contact with a different name.
func (p *planner) people() exchange.PeoplePolicy {
	return cmp.Or(exchange.PeoplePolicy(p.rules.People), exchange.PeopleAsk)
}

// addProblem adds a text to the problems of the plan if the plan does not contain the text yet.
func (p *planner) addProblem(format string, args ...any) {
	if problem := fmt.Sprintf(format, args...); len(p.plan.Problems) < maxListed && !slices.Contains(p.plan.Problems, problem) {
		p.plan.Problems = append(p.plan.Problems, problem)
	}
}

// A condition that cannot be evaluated counts as false.
func (p *planner) conditionHolds(rule, path string) bool {
	holds, err := p.conditions[path].holds(p.env)
	if err != nil {
		p.addProblem("%s: the condition of the rule cannot be evaluated for this record and counts as not met", rule)
	}
	return holds
}

// If a template cannot be filled in, render adds a problem to the plan.
func (p *planner) render(rule string, text Text) string {
	written, err := text.render(p.variables)
	if err != nil {
		p.addProblem("%s: a text of the rule cannot be filled in for this record and stays empty", rule)
	}
	return truncateRendered(strings.TrimSpace(written))
}

// truncateRendered limits the length of a filled-in text, because the values of a record may be
// long.
func truncateRendered(text string) string {
	if len(text) <= maxRenderedBytes {
		return text
	}
	return strings.ToValidUTF8(text[:maxRenderedBytes], "")
}

// skipManual is the value of manualTransitions that excludes transitions by hand from a rule.
const skipManual = "skip"

// A nil selector selects every step.
func (place *StepSelector) matches(step opportunity.Step) bool {
	return place == nil || place.pattern().Matches(step)
}

func (place *StepSelector) pattern() exchange.StepPattern {
	return exchange.StepPattern{Step: place.Step, Stage: place.Stage, State: opportunity.StageState(place.State)}
}

func (p *planner) planTransition(to opportunity.Step, isManual bool) {
	for i, rule := range p.rules.Transitions {
		path := fmt.Sprintf("transitions[%d]", i)
		if isManual && (rule.ManualTransitions == skipManual || len(rule.After) == 0) {
			continue
		}
		if rule.From.matches(p.facts.Step) && rule.To.matches(to) && p.conditionHolds(rule.Name, path+".when") {
			if !isManual {
				p.plan.Before = append(p.plan.Before, p.planEffects(rule.Name, rule.Name+"/before", path+".before", "", rule.Before)...)
			}
			p.plan.After = append(p.plan.After, p.planEffects(rule.Name, rule.Name+"/after", path+".after", "", rule.After)...)
		}
	}
}

func (p *planner) planReactions(cause exchange.PlanCause) {
	for i, rule := range p.rules.Reactions {
		path := fmt.Sprintf("reactions[%d]", i)
		if rule.On != string(cause.Kind) || !p.conditionHolds(rule.Name, path+".when") {
			continue
		}
		about := string(cause.Item)
		if cause.Kind == exchange.CauseReservationExpired {
			about = keyTime(p.facts.Reservation.Until)
		}
		if about != "" {
			about = "/" + about
		}
		p.plan.After = append(p.plan.After, p.planEffects(rule.Name, rule.Name+"/do", path+".do", about, rule.Do)...)
	}
}

func (p *planner) planEffects(rule, key, path, about string, effects []EffectRule) []exchange.Effect {
	var planned []exchange.Effect
	for i, e := range effects {
		if !p.conditionHolds(rule, fmt.Sprintf("%s[%d].when", path, i)) {
			continue
		}
		effect := p.planEffect(rule, e)
		effect.Key = fmt.Sprintf("%s/%d/%s%s", key, i+1, effect.Kind, about)
		planned = append(planned, effect)
	}
	return planned
}

// waitDeadline returns the time length after the moment of the plan. A zero length counts as one
// hour.
func (p *planner) waitDeadline(length Period) time.Time {
	return p.calendar.add(p.facts.Now, waitOrDefault(length)).UTC()
}

func (p *planner) planEffect(rule string, e EffectRule) exchange.Effect {
	undo, _ := e.undo()
	effect := exchange.Effect{Kind: e.kind(), Undo: undo}
	if settings, is := e.settings().(plannedSettings); is {
		effect.Settings = exchange.NewSettings(settings.plan(p, rule))
	}
	return effect
}

// planFollowUps plans the follow-ups of the step, the earliest first, up to the maximum number of
// follow-ups of an opportunity.
func (p *planner) planFollowUps() {
	var all []candidate
	for i, step := range p.rules.Steps {
		if !step.At.matches(p.facts.Step) {
			continue
		}
		for j, rule := range step.FollowUps {
			if !p.conditionHolds(rule.Name, fmt.Sprintf("steps[%d].followUps[%d].when", i, j)) {
				continue
			}
			for _, course := range p.seriesOf(rule) {
				all = p.addSeries(all, rule, course)
			}
		}
	}
	slices.SortFunc(all, func(a, b candidate) int {
		return cmp.Or(a.followUp.Due.Compare(b.followUp.Due), cmp.Compare(a.followUp.Key, b.followUp.Key))
	})
	left := cmp.Or(p.rules.FollowUpsAtMost, DefaultFollowUpsPerOpportunity)
	for _, done := range p.facts.Done {
		if !done.Cancelled {
			left--
		}
	}
	for _, c := range all {
		reason := opportunity.SkippedByCap
		switch {
		case c.notSent:
			reason = opportunity.SkippedNotSent
		case c.tooLate:
			reason = opportunity.SkippedTooLate
		case left > 0:
			left--
			c.followUp.Action = p.planAction(c)
			p.plan.FollowUps = append(p.plan.FollowUps, c.followUp)
			continue
		}
		if len(p.plan.SkippedFollowUps) < maxListed {
			p.plan.SkippedFollowUps = append(p.plan.SkippedFollowUps, opportunity.SkippedFollowUp{Key: c.followUp.Key, Reason: reason})
		}
	}
}

// candidate is a follow-up that is not done yet. Oppflow skips a candidate that is too late,
// exceeds the maximum number of follow-ups, or follows a mail or call that was not sent.
type candidate struct {
	followUp exchange.FollowUp
	rule     FollowUpRule
	tooLate  bool
	notSent  bool
}

// series is a follow-up with all its repetitions.
type series struct {
	// anchorKey is the part of the follow-up keys that identifies the time from which the series
	// counts, such as the start of an event.
	anchorKey string
	// due is when the first follow-up of the series is due, without a delay by quiet hours,
	// business hours or an adoption.
	due time.Time
	// deadline is the moment before which all follow-ups of the series must be done; zero means no
	// deadline.
	deadline time.Time
}

func keyTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("20060102T150405Z")
}

// seriesOf returns one series for each time in the facts from which the rule counts, such as the
// start of each event.
func (p *planner) seriesOf(rule FollowUpRule) []series {
	anchors, lengths := rule.Due.givenAnchors()
	if len(anchors) != 1 {
		return nil
	}
	f, length := p.facts, lengths[0]
	since := func(t time.Time) []series {
		if t.IsZero() {
			return nil
		}
		return []series{{anchorKey: keyTime(t), due: p.calendar.add(t, length)}}
	}
	until := func(about string, t time.Time) series {
		return series{anchorKey: about + keyTime(t), due: p.calendar.subtract(t, length), deadline: t}
	}
	switch anchors[0] {
	case sinceStep:
		return since(f.Entered)
	case sinceIdle:
		return since(f.LastActivity)
	case untilReservationExpiry:
		expiry := f.Reservation.Until
		switch {
		case expiry.IsZero():
			return nil
		case length.Count == 0 && !expiry.Before(f.Entered): // an expiry in an earlier step does not count
			return []series{{anchorKey: keyTime(expiry), due: expiry}}
		case length.Count > 0 && f.Reservation.Valid && expiry.After(f.Now):
			return []series{until("", expiry)}
		}
	case untilEventStart:
		var all []series
		for _, interest := range f.Interests {
			if one := until(string(interest.Item)+"/", interest.Start); interest.Start.After(f.Now) && !slices.Contains(all, one) {
				all = append(all, one)
			}
		}
		return nearestSeries(all)
	case untilTokensExpire:
		var all []series
		for _, interest := range f.Interests {
			written, err := time.Parse(opportunity.LocalTimeLayout, interest.ExpiresAt)
			if err != nil {
				continue
			}
			expires := p.calendar.momentOf(dateOf(written), localDateTimeOf(written).timeOfDay)
			if one := until(string(interest.Item)+"/", expires); expires.After(f.Now) && !slices.Contains(all, one) {
				all = append(all, one)
			}
		}
		return nearestSeries(all)
	}
	return nil
}

// nearestSeries returns the series with the earliest deadlines, at most MaxFollowUpsPerOpportunity series.
func nearestSeries(all []series) []series {
	slices.SortFunc(all, func(a, b series) int {
		return cmp.Or(a.deadline.Compare(b.deadline), cmp.Compare(a.anchorKey, b.anchorKey))
	})
	return all[:min(len(all), MaxFollowUpsPerOpportunity)]
}

// A follow-up that was done late delays the next follow-ups, so that the time between two
// follow-ups is never shorter than the interval of the rule.
func (p *planner) addSeries(all []candidate, rule FollowUpRule, c series) []candidate {
	due, notSent := p.seriesStart(rule, c), false
	for number := 1; number <= rule.followUpCount(); number++ {
		key := fmt.Sprintf("%s/%s/%d", rule.Name, c.anchorKey, number)
		if number > rule.repetitions() {
			key = fmt.Sprintf("%s/%s/then", rule.Name, c.anchorKey)
		}
		if done := p.findDone(key); done != nil {
			at := done.At
			if done.Cancelled { // an early cancellation does not make the next follow-up earlier
				at = laterOf(due, at)
			}
			due, notSent = at, notSent || done.NotDone
		} else {
			due = p.calendar.firstAllowed(laterOf(due, p.facts.Now), rule.Hours != "any")
			all = append(all, candidate{
				followUp: exchange.FollowUp{Key: key, Name: rule.Name, Due: due.UTC(), Number: number, Of: rule.followUpCount()},
				rule:     rule, tooLate: !c.deadline.IsZero() && !due.Before(c.deadline),
				notSent: notSent && number > rule.repetitions() && rule.Do.Log == nil,
			})
		}
		if rule.Repeat != nil {
			due = p.calendar.add(due, rule.Repeat.Every)
		}
	}
	return all
}

// seriesStart returns when the first follow-up of a series is due, before quiet hours and business
// hours delay the follow-up. A series that was due before its record was adopted begins in the days
// after the adoption, at the time that CatchUpAt returns. If a start at this time would make a
// follow-up of the series too late, the series keeps its due time.
func (p *planner) seriesStart(rule FollowUpRule, c series) time.Time {
	if !c.due.Before(p.facts.Adopted) {
		return c.due
	}
	begins := exchange.CatchUpAt(p.facts.ID, p.facts.Adopted)
	if c.deadline.IsZero() {
		return begins
	}
	last := begins
	for number := 1; ; number++ {
		last = p.calendar.firstAllowed(last, rule.Hours != "any")
		if !last.Before(c.deadline) {
			return c.due
		}
		if number == rule.followUpCount() || rule.Repeat == nil {
			return begins
		}
		last = p.calendar.add(last, rule.Repeat.Every)
	}
}

func (p *planner) findDone(key string) *exchange.DoneFollowUp {
	at := slices.IndexFunc(p.facts.Done, func(d exchange.DoneFollowUp) bool { return d.Key == key })
	if at < 0 {
		return nil
	}
	return &p.facts.Done[at]
}

// planAction numbers only the mails of a series, and does not count other actions.
func (p *planner) planAction(c candidate) exchange.Action {
	rule, a := c.rule.Name, c.rule.action(c.followUp.Number)
	var action exchange.Action
	if kinds := a.givenKinds(); len(kinds) == 1 {
		action.Kind = kinds[0]
	}
	switch action.Kind {
	case opportunity.ActionEmail:
		mail := a.Email.settings()
		if c.rule.followUpCount() > 1 {
			mail.Number, mail.Of = c.rule.mailCount(c.followUp.Number), c.rule.mailCount(c.rule.followUpCount())
		}
		action.Settings = exchange.NewSettings(mail)
	case opportunity.ActionLog:
		action.Settings = exchange.NewSettings(a.Log.settings(p, rule))
	case opportunity.ActionCall:
		action.Settings = exchange.NewSettings(a.Call.settings())
	case opportunity.ActionProgress:
		action.Progress = &opportunity.Progress{To: a.Progress.To}
	case opportunity.ActionAttention:
		action.Attention = oneLine(p.render(rule, a.Attention.Text))
	}
	return action
}

func laterOf(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
