package playbook

import (
	"fmt"
	"strings"

	"github.com/oppflow/oppflow/opportunity"
)

// FollowUpRule is a rule for an action that Oppflow plans for a time while an opportunity is in a
// step.
type FollowUpRule struct {
	// Name is the unique name of the rule, in small letters, digits and hyphens. After a change of the name, a
	// follow-up that was done under the old name is done again.
	Name string `json:"name"`
	// When is a condition; a rule without When always applies.
	When Expression `json:"when,omitempty"`
	// Due says when the follow-up is due.
	Due Due `json:"due"`
	// Hours says whether the follow-up waits for the business hours of the calendar (the default)
	// or is done at any hour outside the quiet hours.
	Hours string `json:"hours,omitempty" jsonschema:"enum=business,enum=any"`
	// Do is the action.
	Do ActionRule `json:"do"`
	// Repeat says how often and when the action is repeated.
	Repeat *Repeat `json:"repeat,omitempty"`
	// Then is the final action, which Oppflow does one interval after the last repetition.
	Then *ActionRule `json:"then,omitempty"`
}

// Due says when a follow-up is due; exactly one of its members is set. A follow-up whose due time
// has already passed is due at once.
type Due struct {
	// InStep says how long after the entry into the step the follow-up is due.
	InStep *Period `json:"inStep,omitempty"`
	// Idle says how long after the last activity on the opportunity the follow-up is due.
	Idle *Period `json:"idle,omitempty"`
	// BeforeReservationExpiry says how long before the reservation expires the follow-up is due;
	// with 0 hours, the follow-up is due at the expiry time.
	BeforeReservationExpiry *Period `json:"beforeReservationExpires,omitempty"`
	// BeforeStart says how long before the start of an event the follow-up is due, for each event
	// of the interests.
	BeforeStart *Period `json:"beforeStart,omitempty"`
	// BeforeTokensExpire says how long before training tokens expire the follow-up is due, for each
	// interest in training tokens.
	BeforeTokensExpire *Period `json:"beforeTokensExpire,omitempty"`
}

// Repeat says how often and when a follow-up is repeated.
type Repeat struct {
	// Times is the total number of times that the follow-up is done, from 2 to 20.
	Times int `json:"times"`
	// Every is the time from one repetition to the next.
	Every Period `json:"every"`
}

// ActionRule contains one action, in the field of the action's kind.
type ActionRule struct {
	// Email sends a mail.
	Email *EmailRule `json:"email,omitempty"`
	// Log writes an entry to the record's external integration log.
	Log *LogRule `json:"log,omitempty"`
	// Call calls a service of the tenant.
	Call *CallRule `json:"call,omitempty"`
	// Progress moves the opportunity to another step, and is always the last action of a follow-up.
	Progress *ProgressRule `json:"progress,omitempty"`
	// Attention shows a message to operators.
	Attention *AttentionRule `json:"attention,omitempty"`
}

// ProgressRule says to which step the opportunity moves.
type ProgressRule struct {
	// To is the name or the id of the target step.
	To string `json:"to"`
}

// AttentionRule is a message to operators.
type AttentionRule struct {
	// Text is a template on one line, and must not name a person.
	Text Text `json:"text"`
}

// anchor is the name of the member of Due that sets the due time.
type anchor string

const (
	sinceStep              anchor = "inStep"
	sinceIdle              anchor = "idle"
	untilReservationExpiry anchor = "beforeReservationExpires"
	untilEventStart        anchor = "beforeStart"
	untilTokensExpire      anchor = "beforeTokensExpire"
)

// givenAnchors returns the names and the values of the members that are set, in the order of the fields.
func (d Due) givenAnchors() (anchors []anchor, lengths []Period) {
	for _, one := range []struct {
		anchor anchor
		length *Period
	}{
		{sinceStep, d.InStep},
		{sinceIdle, d.Idle},
		{untilReservationExpiry, d.BeforeReservationExpiry},
		{untilEventStart, d.BeforeStart},
		{untilTokensExpire, d.BeforeTokensExpire},
	} {
		if one.length != nil {
			anchors, lengths = append(anchors, one.anchor), append(lengths, *one.length)
		}
	}
	return anchors, lengths
}

func (a ActionRule) givenKinds() []opportunity.ActionKind {
	var kinds []opportunity.ActionKind
	for _, one := range []struct {
		kind opportunity.ActionKind
		is   bool
	}{
		{opportunity.ActionEmail, a.Email != nil},
		{opportunity.ActionLog, a.Log != nil},
		{opportunity.ActionCall, a.Call != nil},
		{opportunity.ActionProgress, a.Progress != nil},
		{opportunity.ActionAttention, a.Attention != nil},
	} {
		if one.is {
			kinds = append(kinds, one.kind)
		}
	}
	return kinds
}

// repetitions returns how often the follow-up is done, without the final action in the member "then".
func (f FollowUpRule) repetitions() int {
	if f.Repeat == nil {
		return 1
	}
	return f.Repeat.Times
}

// followUpCount returns the number of follow-ups of the rule, including the final action.
func (f FollowUpRule) followUpCount() int {
	if f.Then == nil {
		return f.repetitions()
	}
	return f.repetitions() + 1
}

// action returns the action of a follow-up by its number, from 1 to followUpCount.
func (f FollowUpRule) action(number int) ActionRule {
	if number > f.repetitions() && f.Then != nil {
		return *f.Then
	}
	return f.Do
}

func (f FollowUpRule) mailCount(n int) int {
	mails := 0
	for number := 1; number <= n; number++ {
		if f.action(number).Email != nil {
			mails++
		}
	}
	return mails
}

func (c *checker) checkStep(index int) {
	path, rule := fmt.Sprintf("steps[%d]", index), &c.rules.Steps[index]
	c.checkStepSelector(path+".at", &rule.At)
	for other, earlier := range c.rules.Steps[:index] {
		if earlier.At == rule.At && rule.At != (StepSelector{}) {
			line, _ := c.position(fmt.Sprintf("steps[%d]", other))
			c.report(path+".at", "the rule in line %d is already for the same steps; put all follow-ups into that rule", line)
		}
	}
	if len(rule.FollowUps) == 0 && c.isGiven(path+".followUps") {
		c.report(path+".followUps", "the list of follow-ups is empty; give at least one follow-up")
	}
	c.atMost(path+".followUps", len(rule.FollowUps), MaxFollowUps)
	for i := range rule.FollowUps {
		c.checkFollowUp(fmt.Sprintf("%s.followUps[%d]", path, i), rule.At, &rule.FollowUps[i])
	}
}

func (c *checker) checkFollowUp(path string, at StepSelector, rule *FollowUpRule) {
	c.checkName(path+".name", rule.Name)
	c.checkWhen(path+".when", &rule.When)
	anchors, lengths := rule.Due.givenAnchors()
	if !c.hasExactlyOne(path+".due", len(anchors)) {
		c.report(path+".due", "%d of the members \"inStep\", \"idle\", \"beforeReservationExpires\", \"beforeStart\" and \"beforeTokensExpire\" are given; give exactly one of these members", len(anchors))
	}
	for i, anchor := range anchors {
		c.checkPeriod(path+".due."+string(anchor), lengths[i], anchor != untilReservationExpiry && anchor != sinceStep)
	}
	if rule.Hours == "business" && len(c.rules.Calendar.Hours) == 0 {
		c.report(path+".hours", "the follow-up waits for business hours, but the calendar has no business hours; give calendar.hours, or leave hours out")
	}
	if rule.Repeat != nil {
		if c.isGiven(path + ".repeat.times") {
			c.checkRange(path+".repeat.times", rule.Repeat.Times, 2, MaxRepetitions)
		}
		c.checkPeriod(path+".repeat.every", rule.Repeat.Every, true)
	}
	c.checkAction(path+".do", at, &rule.Do)
	if rule.Do.Progress != nil && (rule.Repeat != nil || rule.Then != nil) {
		c.report(path+".do.progress", "progress must be the last action of a follow-up; put progress into the member \"then\", or leave out the members \"repeat\" and \"then\"")
	}
	if rule.Then != nil {
		c.checkAction(path+".then", at, rule.Then)
		if rule.Repeat == nil {
			c.report(path+".then", "the action in the member \"then\" follows the last repetition, but the follow-up has no member \"repeat\"; give the member \"repeat\"")
		}
	}
	most := c.rules.FollowUpsAtMost
	if most == 0 {
		most = DefaultFollowUpsPerOpportunity
	}
	if rule.followUpCount() > most && rule.repetitions() <= MaxRepetitions {
		c.report(path, "the rule makes %d follow-ups, but an opportunity gets at most %d; lower repeat.times, or raise followUpsAtMost", rule.followUpCount(), most)
	}
}

func (c *checker) checkAction(path string, at StepSelector, action *ActionRule) {
	if !c.isGiven(path) {
		return
	}
	if given := action.givenKinds(); !c.hasExactlyOne(path, len(given)) {
		c.report(path, "%d of the members \"email\", \"log\", \"call\", \"progress\" and \"attention\" are given; give exactly one of these members", len(given))
	}
	if action.Email != nil {
		action.Email.check(c, path+".email")
	}
	if action.Log != nil {
		action.Log.check(c, path+".log")
	}
	if action.Call != nil {
		action.Call.check(c, path+".call")
	}
	if action.Attention != nil {
		c.checkText(path+".attention.text", action.Attention.Text, Variables{}, true)
	}
	if to := path + ".progress.to"; action.Progress != nil && c.isGiven(to) {
		switch {
		case strings.TrimSpace(action.Progress.To) == "":
			c.report(to, "the value is empty; give the name or the id of a step")
		case action.Progress.To == at.Step:
			c.report(to, "the transition leads to the same step; give another step")
		default:
			c.checkID(to, action.Progress.To, opportunity.TypeStep, "a step")
		}
	}
}
