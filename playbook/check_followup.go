package playbook

import (
	"fmt"
	"strings"

	"github.com/oppflow/oppflow/opportunity"
)

func (c *checker) checkStep(index int) {
	path, rule := fmt.Sprintf("steps[%d]", index), &c.rules.Steps[index]
	c.checkStepSelector(path+".at", &rule.At)
	for other, earlier := range c.rules.Steps[:index] {
		if earlier.At == rule.At && rule.At != (StepSelector{}) {
			line, _ := c.position(fmt.Sprintf("steps[%d]", other))
			c.report(path+".at", "line %d is about the same already; put all follow-ups there", line)
		}
	}
	if len(rule.FollowUps) == 0 && c.isGiven(path+".followUps") {
		c.report(path+".followUps", "nothing to do; give at least one follow-up")
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
		c.report(path+".due", "%d of inStep, idle, beforeReservationExpires, beforeStart and beforeTokensExpire are given; give exactly one of them", len(anchors))
	}
	for i, anchor := range anchors {
		c.checkPeriod(path+".due."+string(anchor), lengths[i], anchor != untilReservationExpiry && anchor != sinceStep)
	}
	if rule.Hours == "business" && len(c.rules.Calendar.Hours) == 0 {
		c.report(path+".hours", "it waits for business hours, and there are none; give calendar.hours, or leave this out")
	}
	if rule.Repeat != nil {
		if c.isGiven(path + ".repeat.times") {
			c.checkRange(path+".repeat.times", rule.Repeat.Times, 2, MaxRepetitions)
		}
		c.checkPeriod(path+".repeat.every", rule.Repeat.Every, true)
	}
	c.checkAction(path+".do", at, &rule.Do)
	if rule.Do.Progress != nil && (rule.Repeat != nil || rule.Then != nil) {
		c.report(path+".do.progress", "a move is the last thing a follow-up does; put it under then, or leave repeat and then out")
	}
	if rule.Then != nil {
		c.checkAction(path+".then", at, rule.Then)
		if rule.Repeat == nil {
			c.report(path+".then", "it comes after the last repetition, and nothing is repeated; give repeat")
		}
	}
	most := c.rules.FollowUpsAtMost
	if most == 0 {
		most = DefaultFollowUpsPerOpportunity
	}
	if rule.followUpCount() > most && rule.repetitions() <= MaxRepetitions {
		c.report(path, "it makes %d follow-ups, and an opportunity gets at most %d; repeat it less often, or raise followUpsAtMost", rule.followUpCount(), most)
	}
}

func (c *checker) checkAction(path string, at StepSelector, action *ActionRule) {
	if !c.isGiven(path) {
		return
	}
	if given := action.givenKinds(); !c.hasExactlyOne(path, len(given)) {
		c.report(path, "%d of email, log, call, progress and attention are given; give exactly one of them", len(given))
	}
	c.checkMessages(path, action.Email, action.Log, action.Call)
	if action.Attention != nil {
		c.checkText(path+".attention.text", action.Attention.Text, Variables{}, true)
	}
	if to := path + ".progress.to"; action.Progress != nil && c.isGiven(to) {
		switch {
		case strings.TrimSpace(action.Progress.To) == "":
			c.report(to, "empty; give the name or the id of a step")
		case action.Progress.To == at.Step:
			c.report(to, "a move to the step it stands in; give another step")
		default:
			c.checkID(to, action.Progress.To, opportunity.TypeStep, "a step")
		}
	}
}
