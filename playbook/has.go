package playbook

import (
	"slices"
	"strings"

	"github.com/oppflow/oppflow/opportunity"
)

// Contents tells what kinds of rules a playbook has. The zero value is that of one
// which does nothing.
type Contents struct {
	// Moves, Happenings and FollowUps say that it has rules of that kind.
	Moves, Happenings, FollowUps bool
	// Learners says that it may register learners or make contacts of them.
	Learners bool
}

// Has tells what kinds of rules the playbook has.
func (p *Playbook) Has() Contents {
	if p == nil {
		return Contents{}
	}
	return Contents{
		Moves: len(p.rules.Transitions) > 0, Happenings: len(p.rules.Happenings) > 0,
		FollowUps: slices.ContainsFunc(p.rules.Steps, func(s StepRules) bool { return len(s.FollowUps) > 0 }),
		Learners: slices.ContainsFunc(p.effectRules(""), func(e EffectRule) bool {
			return e.Contacts != nil || e.Register != nil
		}),
	}
}

// effectRules are all that the occasion may bring; those of every occasion for "".
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

// NeedsEvents reports whether a plan for the occasion depends on the events of the
// interests: on when they start, or, for the zero occasion, on whether something
// happened to them.
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

// MailNeedsEvents reports whether the mail of the name tells when an event starts.
func (p *Playbook) MailNeedsEvents(name string) bool {
	if p == nil {
		return false
	}
	mail := p.rules.Emails[name]
	return mail.Subject.tellsStart() || mail.Body.tellsStart()
}

// MailNeedsContact reports whether the mail of the name tells who the contact is.
func (p *Playbook) MailNeedsContact(name string) bool {
	if p == nil {
		return false
	}
	mail := p.rules.Emails[name]
	return mail.Subject.mentions(".Contact") || mail.Body.mentions(".Contact")
}

// HasMail reports whether the playbook has a mail of the name.
func (p *Playbook) HasMail(name string) bool {
	if p == nil {
		return false
	}
	_, known := p.rules.Emails[name]
	return known
}

// MailFrom is the id of the address the mail of the name is sent from; "" is the
// tenant's usual one.
func (p *Playbook) MailFrom(name string) string {
	if p == nil {
		return ""
	}
	return p.rules.Emails[name].From
}

// Service is the tenant's service of the name.
func (p *Playbook) Service(name string) (Service, bool) {
	if p == nil {
		return Service{}, false
	}
	service, known := p.rules.Services[name]
	return service, known
}

// Lacks are the services whose secrets are not among those that there are, as
// mistakes of the file: requests to them could not be signed.
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

// secret is where a playbook names one.
type secret struct {
	name         string
	line, column int
}

// mentions reports whether the text may name the variable: text that only looks so
// counts, too.
func (t Text) mentions(variable string) bool { return strings.Contains(string(t), variable) }

func (t Text) tellsStart() bool { return t.mentions(".FirstStart") }

// tellsStart reports whether the effect depends on when an event starts. Its mails
// are written later.
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
