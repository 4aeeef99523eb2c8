package playbook

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/playbook/diagnostic"
)

func (c *checker) checkTransition(path string, rule *Transition) {
	c.checkName(path+".name", rule.Name)
	c.checkStepSelector(path+".from", rule.From)
	c.checkStepSelector(path+".to", rule.To)
	c.checkWhen(path+".when", &rule.When)
	if len(rule.Before)+len(rule.After) == 0 && c.isGiven(path) && !c.unknownMembers[path] {
		c.report(path, "the transition rule has no effects; give effects in the member \"before\" or \"after\"")
	}
	if rule.From != nil && rule.To != nil && rule.From.Step != "" && *rule.From == *rule.To {
		c.report(path+".to", "the transition leads from step %q to the same step; give another step", diagnostic.Quote(rule.To.Step))
	}
	c.checkEffects(path+".before", rule.Before, true)
	c.checkEffects(path+".after", rule.After, false)
	c.checkContradictions(rule.effects(path))
}

func (c *checker) checkEffects(path string, effects []EffectRule, before bool) {
	c.atMost(path, len(effects), MaxEffects)
	for i := range effects {
		at := fmt.Sprintf("%s[%d]", path, i)
		c.checkEffect(at, &effects[i])
		if undo, why := effects[i].undo(); before && undo == exchange.UndoNone && why != "" {
			right := "put the effect into the member \"after\""
			if advised, is := effects[i].settings().(advisedSettings); is {
				right += ", " + advised.adviceBefore()
			}
			c.report(at, "%s cannot be done before a transition, because the transition may fail: %s; %s", effects[i].kind(), why, right)
		}
	}
}

func (c *checker) checkEffect(path string, e *EffectRule) {
	if !c.isGiven(path) {
		return
	}
	c.checkWhen(path+".when", &e.When)
	given, all := e.given()
	if !c.hasExactlyOne(path, len(given)) {
		if len(given) == 0 {
			c.report(path, "the list entry has no effect; give one of %s", strings.Join(memberNames(reflect.TypeFor[EffectRule]())[1:], ", "))
		} else {
			c.report(path, "one list entry has %d effects; begin each effect with \"- \"", len(given))
		}
	}
	for i, settings := range all {
		if checked, is := settings.(checkedSettings); is {
			checked.check(c, path+"."+string(given[i]))
		}
	}
}

func (c *checker) checkReservationPeriod(path string, length Period) {
	c.checkPeriod(path, length, true)
	if length.Unit == Seconds && length.Count > 0 && length.Count < MinReservationSeconds && c.isGiven(path) {
		c.report(path, "places are reserved for less than a minute; give at least %d seconds", MinReservationSeconds)
	}
}

type locatedEffect struct {
	path   string
	effect EffectRule
}

func effectsOf(path string, effects []EffectRule) []locatedEffect {
	var all []locatedEffect
	for i, effect := range effects {
		all = append(all, locatedEffect{fmt.Sprintf("%s[%d]", path, i), effect})
	}
	return all
}

func (t Transition) effects(path string) []locatedEffect {
	return append(effectsOf(path+".before", t.Before), effectsOf(path+".after", t.After)...)
}

// contradiction returns why two effects contradict each other, or "" if the two effects do not
// contradict each other.
func contradiction(a, b EffectRule) string {
	kinds := []opportunity.EffectKind{a.kind(), b.kind()}
	has := func(one, other opportunity.EffectKind) bool {
		return kinds[0] == one && kinds[1] == other || kinds[0] == other && kinds[1] == one
	}
	switch {
	case kinds[0] == "" || kinds[1] == "":
		return ""
	case kinds[0] == kinds[1]:
		if a.isRepeatable() {
			return ""
		}
		return "the effect is given twice; give the effect once"
	case has(opportunity.EffectReserve, opportunity.EffectRelease), has(opportunity.EffectExtend, opportunity.EffectRelease):
		return fmt.Sprintf("the effect contradicts %s, because a release cannot be undone; give only one of the two effects", kinds[0])
	case has(opportunity.EffectReserve, opportunity.EffectExtend):
		return fmt.Sprintf("the effect contradicts %s, because both effects set when the reservation expires; give only one of the two effects", kinds[0])
	case has(opportunity.EffectRegister, opportunity.EffectCancelRegistrations):
		return fmt.Sprintf("the effect contradicts %s; give only one of the two effects", kinds[0])
	case has(opportunity.EffectRegister, opportunity.EffectReserve), has(opportunity.EffectRegister, opportunity.EffectExtend):
		register := a.Register
		if register == nil {
			register = b.Register
		}
		if !register.KeepReservation {
			return fmt.Sprintf("the effect contradicts %s, because register releases the reserved places; give only one of the two effects, or set keepReservation: true in register", kinds[0])
		}
	}
	return ""
}

// checkContradictions finds effects of one rule that contradict each other. checkContradictions
// ignores effects with a condition, because the condition may be false whenever the other effect
// applies.
func (c *checker) checkContradictions(effects []locatedEffect) {
	for i, b := range effects {
		for _, a := range effects[:i] {
			if why := contradiction(a.effect, b.effect); why != "" && a.effect.When == "" && b.effect.When == "" {
				c.report(b.path, "effect %s: %s", b.effect.kind(), why)
				break
			}
		}
	}
}

// checkOverlappingTransitions finds effects of different rules that contradict each other and
// always apply to the same transition.
func (c *checker) checkOverlappingTransitions() {
	overlap := func(a, b *StepSelector) bool { return a == nil || b == nil || *a == *b }
	for i, b := range c.rules.Transitions {
		for j, a := range c.rules.Transitions[:i] {
			if !overlap(a.From, b.From) || !overlap(a.To, b.To) || a.When != "" || b.When != "" {
				continue
			}
			for _, later := range b.effects(fmt.Sprintf("transitions[%d]", i)) {
				for _, earlier := range a.effects(fmt.Sprintf("transitions[%d]", j)) {
					if why := contradiction(earlier.effect, later.effect); why != "" && earlier.effect.When == "" && later.effect.When == "" {
						line, _ := c.position(earlier.path)
						c.report(later.path, "the effect %s conflicts with the effect in line %d for the same transitions: %s", later.effect.kind(), line, why)
					}
				}
			}
		}
	}
}

// checkNoneReservedPromises finds reserve effects with noneReserved on a transition from steps at
// which another rule has already reserved places.
func (c *checker) checkNoneReservedPromises() {
	for i, b := range c.rules.Transitions {
		for _, later := range effectsOf(fmt.Sprintf("transitions[%d].before", i), b.Before) {
			if b.From == nil || later.effect.Reserve == nil || !later.effect.Reserve.NoneReserved {
				continue
			}
			for j, a := range c.rules.Transitions {
				for _, earlier := range a.effects(fmt.Sprintf("transitions[%d]", j)) {
					if a.To != nil && *a.To == *b.From && a.When == "" && earlier.effect.Reserve != nil && earlier.effect.When == "" {
						line, _ := c.position(earlier.path)
						c.report(later.path+".reserve.noneReserved", "places are already reserved, because line %d reserves places on every transition to %s; leave this effect out, or put this effect into the member \"after\"", line, b.From.describe())
					}
				}
			}
		}
	}
}
