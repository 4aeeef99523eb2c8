package playbook

import (
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/oppflow/oppflow/opportunity"
)

// checker finds what is wrong with rules that could be read.
type checker struct {
	source
	rules      Rules
	zone       *time.Location
	conditions map[string]condition
	// names are those of all rules and where they stand.
	names map[string]string
}

func (c *checker) check() {
	c.names = make(map[string]string)
	c.checkCalendar()
	if at := "followUpsAtMost"; c.isGiven(at) {
		c.within(at, c.rules.FollowUpsAtMost, 1, MaxCap)
	}
	c.checkSizes()
	for _, name := range sorted(c.rules.Services) {
		c.checkService("services."+name, name, c.rules.Services[name])
	}
	for _, name := range sorted(c.rules.Emails) {
		c.checkMail("emails."+name, name, c.rules.Emails[name])
	}
	for i := range c.rules.Transitions {
		c.checkTransition(fmt.Sprintf("transitions[%d]", i), &c.rules.Transitions[i])
	}
	c.checkTogether()
	c.checkPromises()
	for i := range c.rules.Happenings {
		path, rule := fmt.Sprintf("happenings[%d]", i), &c.rules.Happenings[i]
		c.checkName(path+".name", rule.Name)
		c.checkWhen(path+".when", &rule.When)
		if len(rule.Do) == 0 && c.isGiven(path+".do") {
			c.at(path+".do", "nothing to do; give at least one effect")
		}
		c.checkEffects(path+".do", rule.Do, false)
		c.checkContradictions(effectsOf(path+".do", rule.Do))
	}
	for i := range c.rules.Steps {
		c.checkStep(i)
	}
}

// isOne reports whether the number of members that are given is right; where there
// are none since their names are wrong, that is told already.
func (c *checker) isOne(path string, given int) bool {
	return given == 1 || !c.isGiven(path) || given == 0 && c.odd[path]
}

func (c *checker) within(path string, number, least, most int) {
	if number < least || number > most {
		c.at(path, "%d; a whole number from %d to %d is wanted", number, least, most)
	}
}

func (c *checker) checkSizes() {
	for _, list := range []struct {
		path string
		size int
	}{
		{"services", len(c.rules.Services)},
		{"emails", len(c.rules.Emails)},
		{"transitions", len(c.rules.Transitions)},
		{"happenings", len(c.rules.Happenings)},
		{"steps", len(c.rules.Steps)},
	} {
		c.atMost(list.path, list.size, MaxRules)
	}
	effects := 0
	for _, rule := range c.rules.Transitions {
		effects += len(rule.Before) + len(rule.After)
	}
	for _, rule := range c.rules.Happenings {
		effects += len(rule.Do)
	}
	if effects > MaxAllEffects {
		c.at("", "%d effects in all; at most %d", effects, MaxAllEffects)
	}
}

func (c *checker) atMost(path string, size, most int) {
	if size > most {
		c.at(path, "%d of them; at most %d", size, most)
	}
}

func (c *checker) checkCalendar() {
	calendar := c.rules.Calendar
	if at := "calendar.zone"; c.isGiven(at) {
		zone, err := time.LoadLocation(calendar.Zone)
		if err != nil || calendar.Zone == "" || calendar.Zone == "Local" {
			c.at(at, "there is no time zone %q; give its IANA name, such as Europe/London or America/New_York", clip(calendar.Zone))
		} else {
			c.zone = zone
		}
	}
	c.atMost("calendar.hours", len(calendar.Hours), 50)
	c.atMost("calendar.holidays", len(calendar.Holidays), MaxHolidays)
	taken := make(map[Weekday][]span)
	for i, hours := range calendar.Hours {
		path := fmt.Sprintf("calendar.hours[%d]", i)
		if !c.isGiven(path+".from") || !c.isGiven(path+".to") || !c.isGiven(path+".days") {
			continue
		}
		if len(hours.Days) == 0 {
			c.at(path+".days", "no days; give some of mon, tue, wed, thu, fri, sat, sun")
		}
		if hours.From >= hours.To {
			c.at(path+".to", "business hours end at %s, which is not after %s; give those past midnight as two", hours.To, hours.From)
			continue
		}
		for d, day := range hours.Days {
			for _, other := range taken[day] {
				if hours.From < other.to && other.from < hours.To {
					c.at(fmt.Sprintf("%s.days[%d]", path, d), "%s has business hours from %s to %s already", day, other.from, other.to)
				}
			}
			taken[day] = append(taken[day], span{hours.From, hours.To})
		}
	}
	seen := make(map[Date]bool)
	for i, day := range calendar.Holidays {
		if seen[day] {
			c.at(fmt.Sprintf("calendar.holidays[%d]", i), "%s is given twice", day)
		}
		seen[day] = true
	}
	c.checkQuiet(calendar, taken)
}

// checkQuiet looks for a time at which a follow-up may be done.
func (c *checker) checkQuiet(calendar Calendar, open map[Weekday][]span) {
	quiet := calendar.Quiet
	if quiet == nil || !c.isGiven("calendar.quiet.from") || !c.isGiven("calendar.quiet.to") {
		return
	}
	if quiet.From == quiet.To {
		c.at("calendar.quiet", "quiet hours from %s to %s are no time at all, or all the time; give two different times", quiet.From, quiet.To)
		return
	}
	if quiet.From == endOfDay {
		c.at("calendar.quiet.from", "quiet hours begin at 24:00; write 00:00")
		return
	}
	if len(open) == 0 {
		if quiet.From == 0 && quiet.To == endOfDay {
			c.at("calendar.quiet", "all the day is quiet; no follow-up could ever be done")
		}
		return
	}
	for _, spans := range open {
		for _, s := range spans {
			for minute := s.from; minute < s.to; minute++ {
				if !quiet.has(minute) {
					return
				}
			}
		}
	}
	c.at("calendar.quiet", "all business hours are quiet; no follow-up could ever be done")
}

// has reports whether the minute of the day is quiet.
func (q QuietHours) has(minute Clock) bool {
	if q.From <= q.To {
		return q.From <= minute && minute < q.To
	}
	return minute >= q.From || minute < q.To
}

var nameForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$`)

// checkName wants a name no other rule has.
func (c *checker) checkName(path, name string) {
	if !c.isGiven(path) {
		return
	}
	if !nameForm.MatchString(name) {
		c.at(path, "%q is no name; write up to 40 small letters, digits and hyphens, such as remind-owner", clip(name))
		return
	}
	if other, taken := c.names[name]; taken {
		line, _ := c.position(other)
		c.at(path, "the rule of line %d is called %s already", line, name)
		return
	}
	c.names[name] = path
}

func (c *checker) checkService(path, name string, service Service) {
	if !nameForm.MatchString(name) {
		c.at(path, "%q is no name; write up to 40 small letters, digits and hyphens, such as erp", clip(name))
	}
	if at := path + ".url"; c.isGiven(at) {
		u, err := url.Parse(service.URL)
		if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.HasSuffix(u.Path, "/") {
			c.at(at, "not the address of a service; write https, host and path without a slash at the end, such as https://erp.example.com/hooks")
		}
	}
	if at := path + ".secret"; c.isGiven(at) && !nameForm.MatchString(service.Secret) {
		c.at(at, "not the name of a secret; write up to 40 small letters, digits and hyphens, never the secret itself")
	}
}

func (c *checker) checkMail(path, name string, mail Mail) {
	if !nameForm.MatchString(name) {
		c.at(path, "%q is no name; write up to 40 small letters, digits and hyphens, such as reminder", clip(name))
	}
	c.checkText(path+".subject", mail.Subject, MailVariables{}, true)
	c.checkText(path+".body", mail.Body, MailVariables{}, false)
	if at := path + ".from"; c.isGiven(at) && opportunity.ID(mail.From).Type() == "" {
		c.at(at, "not the id of a sending address, as the API writes it")
	}
}

// checkText wants a template that can be filled in with the variables.
func (c *checker) checkText(path string, text Text, variables any, line bool) {
	if !c.isGiven(path) {
		return
	}
	switch written := strings.TrimSpace(string(text)); {
	case written == "":
		c.at(path, "the text is empty")
	case line && strings.Contains(written, "\n"):
		c.at(path, "the text has several lines where one is wanted")
	case line && len(text) > MaxLineBytes:
		c.at(path, "the line has %d bytes; at most %d", len(text), MaxLineBytes)
		return
	}
	for _, wrong := range text.faults(variables) {
		row, column := c.inside(path, string(text), wrong.offset)
		c.mistakes.add(row, column, wrong.text)
	}
}

// checkWhen compiles a condition, and keeps it in its canonical form.
func (c *checker) checkWhen(path string, when *Expression) {
	if !c.isGiven(path) {
		return
	}
	found, wrong := when.compile()
	if wrong != nil {
		line, column := c.inside(path, string(*when), wrong.offset)
		c.mistakes.add(line, column, wrong.text)
		return
	}
	c.conditions[path] = found
	*when = Expression(found.canonical)
}

// checkPlace wants exactly one of its members, not the id of something else.
func (c *checker) checkPlace(path string, place *Place) {
	if place == nil {
		return
	}
	given := 0
	for _, one := range []struct{ name, value, typ, what string }{
		{"step", place.Step, opportunity.TypeStep, "a step"},
		{"stage", place.Stage, "OpportunityStage", "a stage"},
		{"state", place.State, "", "a state"},
	} {
		at := path + "." + one.name
		if c.nodes[at] == nil {
			continue
		}
		given++
		switch {
		case !c.isGiven(at): // that is told already
		case strings.TrimSpace(one.value) == "":
			c.at(at, "empty; give the name or the id of %s", one.what)
		case one.typ != "":
			c.checkID(at, one.value, one.typ, one.what)
		}
	}
	if !c.isOne(path, given) {
		c.at(path, "%d of step, stage and state are given; give exactly one of them", given)
	}
}

// checkID refuses the id of something of another type; names pass.
func (c *checker) checkID(path, value, typ, what string) {
	known := []string{
		opportunity.TypeOpportunity, opportunity.TypeStep, "OpportunityStage", opportunity.TypeRegion, opportunity.TypeAccount,
		opportunity.TypeContact, opportunity.TypeCourse, opportunity.TypeEvent, opportunity.TypePath, opportunity.TypeTokens,
	}
	if got := opportunity.ID(value).Type(); got != typ && slices.Contains(known, got) {
		c.at(path, "%s is the id of a %s, not of %s", clip(value), got, what)
	}
}

func (c *checker) checkTransition(path string, rule *Transition) {
	c.checkName(path+".name", rule.Name)
	c.checkPlace(path+".from", rule.From)
	c.checkPlace(path+".to", rule.To)
	c.checkWhen(path+".when", &rule.When)
	if len(rule.Before)+len(rule.After) == 0 && c.isGiven(path) && !c.odd[path] {
		c.at(path, "nothing to do; give effects before or after the move")
	}
	if rule.From != nil && rule.To != nil && rule.From.Step != "" && *rule.From == *rule.To {
		c.at(path+".to", "a move from step %q to itself; give another step", clip(rule.To.Step))
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
		if undo, why := effects[i].undo(); before && undo == opportunity.UndoNone && why != "" {
			right := "do it after the move"
			switch effects[i].kind() {
			case opportunity.EffectReserve:
				right += ", or say noneHeld: true where the opportunity can hold no places yet"
			case opportunity.EffectCall:
				right += ", or give undo"
			case opportunity.EffectInvoice:
				right += ", or leave finaliseBeforeStart out"
			}
			c.at(at, "%s cannot be done before a move, since the move may fail: %s; %s", effects[i].kind(), why, right)
		}
	}
}

func (c *checker) checkEffect(path string, e *EffectRule) {
	if !c.isGiven(path) {
		return
	}
	c.checkWhen(path+".when", &e.When)
	if given := e.given(); !c.isOne(path, len(given)) {
		if len(given) == 0 {
			c.at(path, "no effect is given; give one of %s", strings.Join(members(reflect.TypeFor[EffectRule]())[1:], ", "))
		} else {
			c.at(path, "%d effects are given in one; begin each with \"- \"", len(given))
		}
	}
	if e.Account != nil {
		c.checkText(path+".account.name", e.Account.Name, Variables{}, true)
	}
	if e.Attributes != nil {
		if len(e.Attributes.Set) == 0 && c.isGiven(path+".attributes.set") {
			c.at(path+".attributes.set", "no attributes; give at least one key and its value")
		}
		c.atMost(path+".attributes.set", len(e.Attributes.Set), 50)
		for _, key := range sorted(e.Attributes.Set) {
			if text := e.Attributes.Set[key]; text != "" { // an empty one clears the attribute
				c.checkText(path+".attributes.set."+key, text, Variables{}, false)
			}
		}
	}
	if e.Reserve != nil {
		c.checkLength(path+".reserve.for", e.Reserve.For, true)
	}
	if e.Extend != nil {
		c.checkLength(path+".extend.for", e.Extend.For, true)
	}
	if e.Invoice != nil {
		c.checkLength(path+".invoice.wait", e.Invoice.Wait, true)
		c.checkText(path+".invoice.purchaseOrder", e.Invoice.PurchaseOrder, Variables{}, true)
		c.checkText(path+".invoice.comments", e.Invoice.Comments, Variables{}, false)
		if e.Invoice.FinaliseBeforeStart != nil {
			c.checkLength(path+".invoice.finaliseBeforeStart", *e.Invoice.FinaliseBeforeStart, false)
		}
	}
	if e.Tokens != nil {
		c.checkLength(path+".tokens.wait", e.Tokens.Wait, true)
	}
	c.checkMessages(path, e.Email, e.Log, e.Call)
}

// checkMessages checks what effects and follow-ups have in common.
func (c *checker) checkMessages(path string, email *EmailRule, log *LogRule, call *CallRule) {
	if at := path + ".email.use"; email != nil && c.isGiven(at) {
		if _, known := c.rules.Emails[email.Use]; !known {
			c.at(at, "there is no mail %q under emails; %s", clip(email.Use), nearest(email.Use, sorted(c.rules.Emails)))
		}
	}
	if log != nil {
		c.checkText(path+".log.message", log.Message, Variables{}, true)
	}
	if call == nil {
		return
	}
	if at := path + ".call.service"; c.isGiven(at) {
		if _, known := c.rules.Services[call.Service]; !known {
			c.at(at, "there is no service %q under services; %s", clip(call.Service), nearest(call.Service, sorted(c.rules.Services)))
		}
	}
	for _, one := range []struct{ at, value string }{{path + ".call.path", call.Path}, {path + ".call.undo", call.Undo}} {
		if !c.isGiven(one.at) {
			continue
		}
		if u, err := url.Parse(one.value); err != nil || !strings.HasPrefix(one.value, "/") || strings.HasPrefix(one.value, "//") || u.Fragment != "" {
			c.at(one.at, "%q is no path; begin it with one slash, such as /orders", clip(one.value))
		}
	}
}

// sorted are the names in a map.
func sorted[V any](named map[string]V) []string { return slices.Sorted(maps.Keys(named)) }

// checkLength checks a length that is given; some must be more than nothing.
func (c *checker) checkLength(path string, length Length, some bool) {
	if !c.isGiven(path) || length.Unit == "" { // what could not be read is told already
		return
	}
	if some && length.Count == 0 {
		c.at(path, "no time at all; give more than 0")
	}
	if length.Unit == BusinessHours && len(c.rules.Calendar.Hours) == 0 {
		c.at(path, "business hours are reckoned with, and there are none; give calendar.hours")
	}
}

// placed is an effect and where it stands.
type placed struct {
	path   string
	effect EffectRule
}

func effectsOf(path string, effects []EffectRule) []placed {
	var all []placed
	for i, effect := range effects {
		all = append(all, placed{fmt.Sprintf("%s[%d]", path, i), effect})
	}
	return all
}

func (t Transition) effects(path string) []placed {
	return append(effectsOf(path+".before", t.Before), effectsOf(path+".after", t.After)...)
}

// contradict says why two effects cannot both be meant, "" when they can.
func contradict(a, b EffectRule) string {
	kinds := []opportunity.EffectKind{a.kind(), b.kind()}
	has := func(one, other opportunity.EffectKind) bool {
		return kinds[0] == one && kinds[1] == other || kinds[0] == other && kinds[1] == one
	}
	switch {
	case kinds[0] == "" || kinds[1] == "":
		return ""
	case kinds[0] == kinds[1]:
		switch kinds[0] {
		case opportunity.EffectAttributes, opportunity.EffectEmail, opportunity.EffectLog, opportunity.EffectCall:
			return ""
		}
		return "is given twice; give it once"
	case has(opportunity.EffectReserve, opportunity.EffectRelease), has(opportunity.EffectExtend, opportunity.EffectRelease):
		return fmt.Sprintf("and %s contradict each other: what is held is given back for good; give one of them", kinds[0])
	case has(opportunity.EffectReserve, opportunity.EffectExtend):
		return fmt.Sprintf("and %s contradict each other: both say until when places are held; give one of them", kinds[0])
	case has(opportunity.EffectRegister, opportunity.EffectCancelRegistrations):
		return fmt.Sprintf("and %s contradict each other; give one of them", kinds[0])
	case has(opportunity.EffectRegister, opportunity.EffectReserve), has(opportunity.EffectRegister, opportunity.EffectExtend):
		register := a.Register
		if register == nil {
			register = b.Register
		}
		if !register.KeepPlaces {
			return fmt.Sprintf("and %s contradict each other: registering gives the places back; give one of them, or say keepPlaces: true", kinds[0])
		}
	}
	return ""
}

// checkContradictions looks for effects of one rule that cannot both be meant.
// Where one has a condition, they may never meet.
func (c *checker) checkContradictions(effects []placed) {
	for i, b := range effects {
		for _, a := range effects[:i] {
			if why := contradict(a.effect, b.effect); why != "" && a.effect.When == "" && b.effect.When == "" {
				c.at(b.path, "%s %s", b.effect.kind(), why)
				break
			}
		}
	}
}

// checkTogether looks for transitions that always apply to the same move and whose
// effects cannot both be meant.
func (c *checker) checkTogether() {
	overlap := func(a, b *Place) bool { return a == nil || b == nil || *a == *b }
	for i, b := range c.rules.Transitions {
		for j, a := range c.rules.Transitions[:i] {
			if !overlap(a.From, b.From) || !overlap(a.To, b.To) || a.When != "" || b.When != "" {
				continue
			}
			for _, later := range b.effects(fmt.Sprintf("transitions[%d]", i)) {
				for _, earlier := range a.effects(fmt.Sprintf("transitions[%d]", j)) {
					if why := contradict(earlier.effect, later.effect); why != "" && earlier.effect.When == "" && later.effect.When == "" {
						line, _ := c.position(earlier.path)
						c.at(later.path, "%s, together with line %d, which goes with the same moves, %s", later.effect.kind(), line, why)
					}
				}
			}
		}
	}
}

// checkPromises looks for promises that no places are held yet which another rule
// breaks: it always holds places on the move that leads to where this one starts.
func (c *checker) checkPromises() {
	for i, b := range c.rules.Transitions {
		for _, later := range effectsOf(fmt.Sprintf("transitions[%d].before", i), b.Before) {
			if b.From == nil || later.effect.Reserve == nil || !later.effect.Reserve.NoneHeld {
				continue
			}
			for j, a := range c.rules.Transitions {
				for _, earlier := range a.effects(fmt.Sprintf("transitions[%d]", j)) {
					if a.To != nil && *a.To == *b.From && a.When == "" && earlier.effect.Reserve != nil && earlier.effect.When == "" {
						line, _ := c.position(earlier.path)
						c.at(later.path+".reserve.noneHeld", "places are held by then: line %d holds them on every move to %s; hold them there, or after this move", line, b.From.words())
					}
				}
			}
		}
	}
}

func (c *checker) checkStep(index int) {
	path, rule := fmt.Sprintf("steps[%d]", index), &c.rules.Steps[index]
	c.checkPlace(path+".at", &rule.At)
	for other, earlier := range c.rules.Steps[:index] {
		if earlier.At == rule.At && rule.At != (Place{}) {
			line, _ := c.position(fmt.Sprintf("steps[%d]", other))
			c.at(path+".at", "line %d is about the same already; put all follow-ups there", line)
		}
	}
	if len(rule.FollowUps) == 0 && c.isGiven(path+".followUps") {
		c.at(path+".followUps", "nothing to do; give at least one follow-up")
	}
	c.atMost(path+".followUps", len(rule.FollowUps), MaxFollowUps)
	for i := range rule.FollowUps {
		c.checkFollowUp(fmt.Sprintf("%s.followUps[%d]", path, i), rule.At, &rule.FollowUps[i])
	}
}

func (c *checker) checkFollowUp(path string, at Place, rule *FollowUpRule) {
	c.checkName(path+".name", rule.Name)
	c.checkWhen(path+".when", &rule.When)
	anchors, lengths := rule.Due.given()
	if !c.isOne(path+".due", len(anchors)) {
		c.at(path+".due", "%d of inStep, idle, beforeLapse, beforeStart and beforeTokensExpire are given; give exactly one of them", len(anchors))
	}
	for i, anchor := range anchors {
		c.checkLength(path+".due."+string(anchor), lengths[i], anchor != untilLapse && anchor != sinceStep)
	}
	if rule.Hours == "business" && len(c.rules.Calendar.Hours) == 0 {
		c.at(path+".hours", "it waits for business hours, and there are none; give calendar.hours, or leave this out")
	}
	if rule.Repeat != nil {
		if c.isGiven(path + ".repeat.times") {
			c.within(path+".repeat.times", rule.Repeat.Times, 2, MaxTimes)
		}
		c.checkLength(path+".repeat.every", rule.Repeat.Every, true)
	}
	c.checkAction(path+".do", at, &rule.Do)
	if rule.Do.Progress != nil && (rule.Repeat != nil || rule.Then != nil) {
		c.at(path+".do.progress", "a move is the last thing a follow-up does; put it under then, or leave repeat and then out")
	}
	if rule.Then != nil {
		c.checkAction(path+".then", at, rule.Then)
		if rule.Repeat == nil {
			c.at(path+".then", "it comes after the last repetition, and nothing is repeated; give repeat")
		}
	}
	most := c.rules.FollowUpsAtMost
	if most == 0 {
		most = DefaultCap
	}
	if rule.length() > most && rule.times() <= MaxTimes {
		c.at(path, "it makes %d follow-ups, and an opportunity gets at most %d; repeat it less often, or raise followUpsAtMost", rule.length(), most)
	}
}

func (c *checker) checkAction(path string, at Place, action *ActionRule) {
	if !c.isGiven(path) {
		return
	}
	if given := action.given(); !c.isOne(path, len(given)) {
		c.at(path, "%d of email, log, call, progress and attention are given; give exactly one of them", len(given))
	}
	c.checkMessages(path, action.Email, action.Log, action.Call)
	if action.Attention != nil {
		c.checkText(path+".attention.text", action.Attention.Text, Variables{}, true)
	}
	if to := path + ".progress.to"; action.Progress != nil && c.isGiven(to) {
		switch {
		case strings.TrimSpace(action.Progress.To) == "":
			c.at(to, "empty; give the name or the id of a step")
		case action.Progress.To == at.Step:
			c.at(to, "a move to the step it stands in; give another step")
		default:
			c.checkID(to, action.Progress.To, opportunity.TypeStep, "a step")
		}
	}
}
