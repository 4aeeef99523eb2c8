package playbook

import (
	"fmt"
	"strings"

	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/playbook/diagnostic"
)

// Explain describes the playbook in words, for people: its calendar, then every transition,
// reaction and step.
func (p *Playbook) Explain() string {
	if p == nil {
		p = new(Playbook)
	}
	var t explainer
	t.calendar(p.rules)
	if p.Features().Learners {
		t.people(p.rules)
	}
	for _, rule := range p.rules.Transitions {
		t.transition(rule)
	}
	for _, rule := range p.rules.Reactions {
		t.heading("When %s (%s)%s:", map[string]string{
			string(exchange.CauseEventCancelled):     "an event of the interests was cancelled",
			string(exchange.CauseEventSoldOut):       "an event of the interests has sold out, and no places are reserved",
			string(exchange.CauseReservationExpired): "the reserved places have expired",
		}[rule.On], rule.Name, conditionSuffix(rule.When))
		t.effects("", rule.Do, false)
	}
	for _, rule := range p.rules.Steps {
		t.heading("While the step is %s:", rule.At.describe())
		for _, f := range rule.FollowUps {
			t.followUp(f)
		}
	}
	t.keepOpen(p.rules.KeepOpen)
	if len(p.rules.Transitions)+len(p.rules.Reactions)+len(p.rules.Steps) == 0 && p.rules.KeepOpen == (KeepOpen{}) {
		t.heading("The playbook does nothing.")
	}
	return t.String()
}

type explainer struct{ strings.Builder }

func (t *explainer) line(indent int, format string, args ...any) {
	t.WriteString(strings.Repeat("  ", indent) + fmt.Sprintf(format, args...) + "\n")
}

func (t *explainer) heading(format string, args ...any) {
	t.WriteString("\n")
	t.line(0, format, args...)
}

func (t *explainer) calendar(rules Rules) {
	c := rules.Calendar
	zone := c.Zone
	if zone == "" {
		zone = "UTC"
	}
	t.line(0, "Times of day are in the time zone %s.", zone)
	if len(c.Hours) == 0 {
		t.line(0, "Business days are Monday to Friday%s. Follow-ups do not wait for business hours.", exceptHolidays(c))
	}
	for _, hours := range c.Hours {
		var days []string
		for _, day := range hours.Days {
			days = append(days, day.String())
		}
		t.line(0, "Business hours are %s to %s on %s%s.", hours.From, hours.To, strings.Join(days, ", "), exceptHolidays(c))
	}
	if c.Quiet != nil {
		t.line(0, "No follow-up is done from %s to %s; a follow-up that is due in these hours waits.", c.Quiet.From, c.Quiet.To)
	}
	most := rules.FollowUpsAtMost
	if most == 0 {
		most = DefaultFollowUpsPerOpportunity
	}
	if len(rules.Steps) > 0 {
		t.line(0, "An opportunity gets at most %d follow-ups in its life.", most)
	}
}

func (t *explainer) keepOpen(k KeepOpen) {
	for _, one := range []struct {
		state  opportunity.StageState
		period Period
	}{{opportunity.Won, k.Won}, {opportunity.Lost, k.Lost}, {opportunity.Archived, k.Archived}} {
		if !one.period.IsZero() {
			t.heading("An opportunity that is %s takes messages for %s.", one.state, one.period)
		}
	}
}

func (t *explainer) people(rules Rules) {
	t.line(0, "A learner whose e-mail address belongs to a contact with a different name %s.", map[string]string{
		"":                               "causes a question to an operator",
		string(exchange.PeopleAsk):       "causes a question to an operator",
		string(exchange.PeopleByAddress): "is treated as the contact with this e-mail address",
		string(exchange.PeopleApart):     "gets a new contact",
	}[rules.People])
}

func exceptHolidays(c Calendar) string {
	switch len(c.Holidays) {
	case 0:
		return ""
	case 1:
		return ", except for 1 holiday"
	}
	return fmt.Sprintf(", except for %d holidays", len(c.Holidays))
}

func (place StepSelector) describe() string {
	switch {
	case place.Step != "":
		return "step " + place.Step
	case place.Stage != "":
		return "stage " + place.Stage
	case place.State != "":
		return "any step that is " + place.State
	}
	return "any step"
}

func conditionSuffix(when Expression) string {
	if when == "" {
		return ""
	}
	return ", if " + oneLine(string(when))
}

func (t *explainer) transition(rule Transition) {
	from, to := "", "any step"
	if rule.From != nil {
		from = " from " + rule.From.describe()
	}
	if rule.To != nil {
		to = rule.To.describe()
	}
	t.heading("On a transition%s to %s (%s)%s:", from, to, rule.Name, conditionSuffix(rule.When))
	if len(rule.Before) > 0 {
		t.line(1, "before the transition; if an effect or the transition fails, Oppflow undoes the effects in reverse order:")
		t.effects("  ", rule.Before, true)
	}
	if len(rule.After) > 0 {
		manual := map[bool]string{true: "but not", false: "also"}[rule.ManualTransitions == skipManual]
		t.line(1, "after the transition, %s when a person made the transition by hand in the TMS:", manual)
		t.effects("  ", rule.After, false)
	}
}

func (t *explainer) effects(indent string, effects []EffectRule, before bool) {
	for i, e := range effects {
		t.line(1, "%s%d. %s%s", indent, i+1, e.describe(), conditionSuffix(e.When))
		undo, how := e.undo()
		switch {
		case undo == exchange.UndoNone:
			t.line(1, "%s   cannot be undone: %s", indent, how)
		case before:
			t.line(1, "%s   undone after a failure: %s", indent, how)
		default:
			t.line(1, "%s   can be undone: %s", indent, how)
		}
	}
}

// waitOrDefault returns wait, or one hour if wait is zero.
func waitOrDefault(wait Period) Period {
	if wait.IsZero() {
		return Period{1, Hours}
	}
	return wait
}

func quote(text Text) string { return `"` + diagnostic.Quote(oneLine(string(text))) + `"` }

func (t *explainer) followUp(f FollowUpRule) {
	t.line(1, "%s (%s)%s:", f.Due.describe(), f.Name, conditionSuffix(f.When))
	t.line(2, "%s", f.Do.describe())
	if f.Repeat != nil {
		t.line(2, "the action is done %d times in total, %s apart", f.Repeat.Times, f.Repeat.Every)
	}
	if f.Then != nil {
		t.line(2, "%s after the last repetition, %s", f.Repeat.Every, f.Then.describe())
	}
	if f.Hours == "any" {
		t.line(2, "the follow-up is done at any time outside the quiet hours")
	}
}

func (d Due) describe() string {
	anchors, lengths := d.givenAnchors()
	if len(anchors) != 1 {
		return ""
	}
	length := lengths[0].String()
	switch anchors[0] {
	case sinceStep:
		return length + " after the opportunity entered the step"
	case sinceIdle:
		return length + " after the last activity of the opportunity"
	case untilReservationExpiry:
		if lengths[0].Count == 0 {
			return "when the reservation expires"
		}
		return length + " before the reservation expires"
	case untilEventStart:
		return length + " before an event starts"
	case untilTokensExpire:
		return length + " before training tokens expire"
	}
	return ""
}

func (a ActionRule) describe() string {
	switch {
	case a.Email != nil:
		return a.Email.describe()
	case a.Log != nil:
		return a.Log.describe()
	case a.Call != nil:
		return a.Call.describe()
	case a.Progress != nil:
		return "the opportunity goes to " + a.Progress.To
	case a.Attention != nil:
		return "operators see the attention " + quote(a.Attention.Text)
	}
	return ""
}
