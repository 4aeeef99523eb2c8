package playbook

import (
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/playbook/diagnostic"
)

// checker finds the mistakes in rules that the decoder could read.
type checker struct {
	decoder
	rules      Rules
	zone       *time.Location
	conditions map[string]condition
	// ruleNames maps the name of each rule to the path of the rule.
	ruleNames map[string]string
	// attributes are the keys of attributes in effects and templates.
	attributes []tenantName
}

func (c *checker) check() {
	c.ruleNames = make(map[string]string)
	c.checkCalendar()
	if at := "followUpsAtMost"; c.isGiven(at) {
		c.checkRange(at, c.rules.FollowUpsAtMost, 1, MaxFollowUpsPerOpportunity)
	}
	c.checkSizes()
	for _, name := range sortedNames(c.rules.Services) {
		c.checkService("services."+name, name, c.rules.Services[name])
	}
	for _, name := range sortedNames(c.rules.Emails) {
		c.checkMail("emails."+name, name, c.rules.Emails[name])
	}
	for i := range c.rules.Transitions {
		c.checkTransition(fmt.Sprintf("transitions[%d]", i), &c.rules.Transitions[i])
	}
	c.checkOverlappingTransitions()
	c.checkNoneReservedPromises()
	for i := range c.rules.Reactions {
		path, rule := fmt.Sprintf("reactions[%d]", i), &c.rules.Reactions[i]
		c.checkName(path+".name", rule.Name)
		c.checkWhen(path+".when", &rule.When)
		if len(rule.Do) == 0 && c.isGiven(path+".do") {
			c.report(path+".do", "the reaction has no effects; give at least one effect")
		}
		c.checkEffects(path+".do", rule.Do, false)
		c.checkContradictions(effectsOf(path+".do", rule.Do))
	}
	for i := range c.rules.Steps {
		c.checkStep(i)
	}
	c.checkPeriod("keepOpen.Won", c.rules.KeepOpen.Won, true)
	c.checkPeriod("keepOpen.Lost", c.rules.KeepOpen.Lost, true)
	c.checkPeriod("keepOpen.Archived", c.rules.KeepOpen.Archived, true)
}

// If the value at path has only unknown members, hasExactlyOne returns true, because the decoder
// has already reported these members.
func (c *checker) hasExactlyOne(path string, given int) bool {
	return given == 1 || !c.isGiven(path) || given == 0 && c.unknownMembers[path]
}

func (c *checker) checkRange(path string, number, least, most int) {
	if number < least || number > most {
		c.report(path, "%d is out of range; give a whole number from %d to %d", number, least, most)
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
		{"reactions", len(c.rules.Reactions)},
		{"steps", len(c.rules.Steps)},
	} {
		c.atMost(list.path, list.size, MaxRules)
	}
	effects := 0
	for _, rule := range c.rules.Transitions {
		effects += len(rule.Before) + len(rule.After)
	}
	for _, rule := range c.rules.Reactions {
		effects += len(rule.Do)
	}
	if effects > MaxAllEffects {
		c.report("", "the playbook has %d effects; the limit is %d", effects, MaxAllEffects)
	}
}

func (c *checker) atMost(path string, size, most int) {
	if size > most {
		c.report(path, "the list has %d entries; the limit is %d", size, most)
	}
}

var namePattern = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$`)

func (c *checker) checkName(path, name string) {
	if !c.isGiven(path) {
		return
	}
	if !namePattern.MatchString(name) {
		c.report(path, "%q is not a valid name; write up to 40 small letters, digits and hyphens, such as remind-owner", diagnostic.Quote(name))
		return
	}
	if other, taken := c.ruleNames[name]; taken {
		line, _ := c.position(other)
		c.report(path, "the rule in line %d already has the name %s; give another name", line, name)
		return
	}
	c.ruleNames[name] = path
}

func (c *checker) checkService(path, name string, service Service) {
	if !namePattern.MatchString(name) {
		c.report(path, "%q is not a valid name; write up to 40 small letters, digits and hyphens, such as erp", diagnostic.Quote(name))
	}
	if at := path + ".url"; c.isGiven(at) {
		u, err := url.Parse(service.URL)
		if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.HasSuffix(u.Path, "/") {
			c.report(at, "the value is not the address of a service; write https, host and path without a slash at the end, such as https://erp.example.com/hooks")
		}
	}
	if at := path + ".secret"; c.isGiven(at) && !namePattern.MatchString(service.Secret) {
		c.report(at, "the value is not the name of a secret; write up to 40 small letters, digits and hyphens, never the secret itself")
	}
}

func (c *checker) checkMail(path, name string, mail Mail) {
	if !namePattern.MatchString(name) {
		c.report(path, "%q is not a valid name; write up to 40 small letters, digits and hyphens, such as reminder", diagnostic.Quote(name))
	}
	c.checkText(path+".subject", mail.Subject, MailVariables{}, true)
	c.checkText(path+".body", mail.Body, MailVariables{}, false)
	if at := path + ".from"; c.isGiven(at) && opportunity.ID(mail.From).Type() == "" {
		c.report(at, "the value is not the id of a sending address; write the id as the API returns it")
	}
	if at := path + ".fallback"; c.isGiven(at) {
		user, host, found := strings.Cut(mail.Fallback, "@")
		if !found || user == "" || host == "" || strings.Contains(host, "@") || strings.ContainsAny(mail.Fallback, " \t\r\n<>,;") {
			c.report(at, "the value is not an e-mail address; write the address alone, such as office@training.example")
		}
	}
}

func (c *checker) checkText(path string, text Text, variables any, line bool) {
	if !c.isGiven(path) {
		return
	}
	switch written := strings.TrimSpace(string(text)); {
	case written == "":
		c.report(path, "the text is empty")
	case line && strings.Contains(written, "\n"):
		c.report(path, "the text has several lines; give one line")
	case line && len(text) > MaxLineBytes:
		c.report(path, "the line has %d bytes; the limit is %d bytes", len(text), MaxLineBytes)
		return
	}
	mistakes, attributes := text.diagnose(variables)
	for _, wrong := range mistakes {
		row, column := c.positionInText(path, string(text), wrong.offset)
		c.diagnostics.Add(row, column, wrong.text)
	}
	for _, key := range attributes {
		row, column := c.positionInText(path, string(text), key.offset)
		c.attributes = append(c.attributes, tenantName{NamedAttribute, idOnly, key.text, row, column})
	}
}

func (c *checker) checkWhen(path string, when *Expression) {
	if !c.isGiven(path) {
		return
	}
	found, wrong := when.compile()
	if wrong != nil {
		line, column := c.positionInText(path, string(*when), wrong.offset)
		c.diagnostics.Add(line, column, wrong.text)
		return
	}
	c.conditions[path] = found
	*when = Expression(found.canonical)
}

func (c *checker) checkStepSelector(path string, place *StepSelector) {
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
		case !c.isGiven(at): // the decoder has reported the mistake
		case strings.TrimSpace(one.value) == "":
			c.report(at, "the value is empty; give the name or the id of %s", one.what)
		case one.typ != "":
			c.checkID(at, one.value, one.typ, one.what)
		}
	}
	if !c.hasExactlyOne(path, given) {
		c.report(path, "%d of the members \"step\", \"stage\" and \"state\" are given; give exactly one of these members", given)
	}
}

// checkID rejects the id of an object whose type is not typ. checkID accepts every name.
func (c *checker) checkID(path, value, typ, what string) {
	known := []string{
		opportunity.TypeOpportunity, opportunity.TypeStep, "OpportunityStage", opportunity.TypeRegion, opportunity.TypeAccount,
		opportunity.TypeContact,
	}
	got := opportunity.ID(value).Type()
	if _, isItem := opportunity.KindOfIDType(got); got != typ && (isItem || slices.Contains(known, got)) {
		c.report(path, "%s is the id of a %s, not of %s", diagnostic.Quote(value), got, what)
	}
}

func sortedNames[V any](named map[string]V) []string { return slices.Sorted(maps.Keys(named)) }

func (c *checker) checkPeriod(path string, length Period, some bool) {
	if !c.isGiven(path) || length.Unit == "" { // the decoder has reported a period that it could not read
		return
	}
	if some && length.Count == 0 {
		c.report(path, "the length of time is 0; give more than 0")
	}
	if length.Unit == BusinessHours && len(c.rules.Calendar.Hours) == 0 {
		c.report(path, "the length of time is in business hours, but the calendar has no business hours; give calendar.hours")
	}
}
