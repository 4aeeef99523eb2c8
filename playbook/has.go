package playbook

import (
	"slices"
	"strings"

	"github.com/oppflow/oppflow/opportunity"
)

// Contents are the kinds of rules in a playbook. The zero value is that of a playbook without rules.
type Contents struct {
	// Moves, Happenings and FollowUps report whether the playbook has rules of that kind.
	Moves, Happenings, FollowUps bool
	// At are the steps in which it has follow-ups; "" for a playbook without follow-ups and happenings.
	At opportunity.StepPatterns
	// Learners reports whether the playbook may register learners or make contacts of them.
	Learners bool
}

// Has returns the kinds of rules in the playbook.
func (p *Playbook) Has() Contents {
	if p == nil {
		return Contents{}
	}
	var at []opportunity.StepPattern
	for _, rules := range p.rules.Steps {
		if len(rules.FollowUps) > 0 {
			at = append(at, rules.At.pattern())
		}
	}
	contents := Contents{
		Moves: len(p.rules.Transitions) > 0, Happenings: len(p.rules.Happenings) > 0,
		FollowUps: len(at) > 0,
		Learners: slices.ContainsFunc(p.effectRules(""), func(e EffectRule) bool {
			return e.Contacts != nil || e.Register != nil
		}),
	}
	if contents.Happenings || contents.FollowUps {
		contents.At = opportunity.StepPatternsOf(at...)
	}
	return contents
}

// effectRules returns all effects that the occasion may have, or those of every occasion for "".
func (p *Playbook) effectRules(kind opportunity.OccasionKind) []EffectRule {
	var all []EffectRule
	if kind == "" || kind == opportunity.OccasionMove {
		for _, rule := range p.rules.Transitions {
			all = append(append(all, rule.Before...), rule.After...)
		}
	}
	for _, rule := range p.rules.Happenings {
		if kind == "" || rule.On == string(kind) {
			all = append(all, rule.Do...)
		}
	}
	return all
}

// NeedsEvents reports whether a plan for the occasion depends on the events of the interests. It may depend on when
// they start. The plan for the zero occasion may also depend on whether something happened to them.
func (p *Playbook) NeedsEvents(kind opportunity.OccasionKind) bool {
	if p == nil {
		return false
	}
	if kind != "" {
		return slices.ContainsFunc(p.effectRules(kind), EffectRule.tellsStart)
	}
	if slices.ContainsFunc(p.rules.Happenings, func(h Happening) bool { return h.On != string(opportunity.OccasionLapsed) }) {
		return true
	}
	return slices.ContainsFunc(p.rules.Steps, func(s StepRules) bool {
		return slices.ContainsFunc(s.FollowUps, func(f FollowUpRule) bool {
			return f.Due.BeforeStart != nil || f.Do.tellsStart() || f.Then != nil && f.Then.tellsStart()
		})
	})
}

// MailNeedsEvents reports whether the named mail uses the start of an event.
func (p *Playbook) MailNeedsEvents(name string) bool {
	if p == nil {
		return false
	}
	mail := p.rules.Emails[name]
	return mail.Subject.tellsStart() || mail.Body.tellsStart()
}

// MailNeedsContact reports whether the named mail uses the contact.
func (p *Playbook) MailNeedsContact(name string) bool {
	if p == nil {
		return false
	}
	mail := p.rules.Emails[name]
	return mail.Subject.mentions(".Contact") || mail.Body.mentions(".Contact")
}

// HasMail reports whether the playbook has the named mail.
func (p *Playbook) HasMail(name string) bool {
	if p == nil {
		return false
	}
	_, known := p.rules.Emails[name]
	return known
}

// MailFrom returns the id of the sending address of the named mail, or "" for the tenant's usual address.
func (p *Playbook) MailFrom(name string) string {
	if p == nil {
		return ""
	}
	return p.rules.Emails[name].From
}

// Service returns the tenant's service of the name.
func (p *Playbook) Service(name string) (Service, bool) {
	if p == nil {
		return Service{}, false
	}
	service, known := p.rules.Services[name]
	return service, known
}

// Lacks returns a mistake of the file for each service without a key. Requests to such a service could not be
// signed.
func (p *Playbook) Lacks(has func(secret string) bool) Mistakes {
	if p == nil {
		return nil
	}
	var lacking Mistakes
	for _, s := range p.secrets {
		if !has(s.name) {
			lacking.add(s.line, s.column, "there is no key of the name "+s.name+", so requests to the service cannot be signed")
		}
	}
	return lacking.inOrder()
}

// secret is the name of a key and its place in the playbook.
type secret struct {
	name         string
	line, column int
}

// mentions reports whether the text may name the variable. Text that only looks like the variable counts, too.
func (t Text) mentions(variable string) bool { return strings.Contains(string(t), variable) }

func (t Text) tellsStart() bool { return t.mentions(".FirstStart") }

// tellsStart reports whether the effect depends on the start of an event. Mails do not count, because they are
// written later.
func (e EffectRule) tellsStart() bool {
	switch {
	case e.Account != nil:
		return e.Account.Name.tellsStart()
	case e.Attributes != nil:
		for _, text := range e.Attributes.Set {
			if text.tellsStart() {
				return true
			}
		}
	case e.Invoice != nil:
		return e.Invoice.FinaliseBeforeStart != nil || e.Invoice.PurchaseOrder.tellsStart() || e.Invoice.Comments.tellsStart()
	case e.Log != nil:
		return e.Log.Message.tellsStart()
	}
	return false
}

func (a ActionRule) tellsStart() bool {
	return a.Log != nil && a.Log.Message.tellsStart() || a.Attention != nil && a.Attention.Text.tellsStart()
}
