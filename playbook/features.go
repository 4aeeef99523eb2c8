package playbook

import (
	"slices"
	"strings"
	"time"

	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/playbook/diagnostic"
)

// Features are the kinds of rules in a playbook. The zero value of Features describes a playbook without rules.
type Features struct {
	// Transitions, Reactions and FollowUps report whether the playbook has rules for transitions, reactions and
	// follow-ups.
	Transitions, Reactions, FollowUps bool
	// Steps are the steps in which the playbook has follow-ups, or "" when the playbook has no follow-ups and no
	// reactions.
	Steps exchange.StepPatterns
	// Learners reports whether the playbook may register learners, create contacts for learners, or send mails to
	// learners.
	Learners bool
}

// Features returns the kinds of rules in the playbook.
func (p *Playbook) Features() Features {
	if p == nil {
		return Features{}
	}
	var at []exchange.StepPattern
	for _, rules := range p.rules.Steps {
		if len(rules.FollowUps) > 0 {
			at = append(at, rules.At.pattern())
		}
	}
	contents := Features{
		Transitions: len(p.rules.Transitions) > 0, Reactions: len(p.rules.Reactions) > 0,
		FollowUps: len(at) > 0,
		Learners:  slices.ContainsFunc(p.effectRules(""), EffectRule.isAboutLearners) || p.hasFollowUpsToLearners(),
	}
	if contents.Reactions || contents.FollowUps {
		contents.Steps = exchange.StepPatternsOf(at...)
	}
	return contents
}

// KeepOpen returns how long an opportunity takes messages if it reaches a final state at the given
// time. The length of a period in days depends on this time, because of clock changes and holidays.
func (p *Playbook) KeepOpen(at time.Time) exchange.KeepOpen {
	if p == nil {
		return exchange.KeepOpen{}
	}
	lengthOf := func(period Period) time.Duration { return p.calendar.add(at, period).Sub(at) }
	rules := p.rules.KeepOpen
	return exchange.KeepOpen{Won: lengthOf(rules.Won), Lost: lengthOf(rules.Lost), Archived: lengthOf(rules.Archived)}
}

func (p *Playbook) hasFollowUpsToLearners() bool {
	toLearners := func(a ActionRule) bool { return a.Email != nil && a.Email.isAboutLearners() }
	return slices.ContainsFunc(p.rules.Steps, func(s StepRules) bool {
		return slices.ContainsFunc(s.FollowUps, func(f FollowUpRule) bool {
			return toLearners(f.Do) || f.Then != nil && toLearners(*f.Then)
		})
	})
}

// For the kind "", effectRules returns the effects of all transitions and reactions.
func (p *Playbook) effectRules(kind exchange.PlanCauseKind) []EffectRule {
	var all []EffectRule
	if kind == "" || kind == exchange.CauseTransition {
		for _, rule := range p.rules.Transitions {
			all = append(append(all, rule.Before...), rule.After...)
		}
	}
	for _, rule := range p.rules.Reactions {
		if kind == "" || rule.On == string(kind) {
			all = append(all, rule.Do...)
		}
	}
	return all
}

// NeedsEvents reports whether a plan for a cause of the kind may depend on the starts or the free
// places of events. For the kind "", NeedsEvents also reports whether the plan may depend on
// cancelled or sold-out events.
func (p *Playbook) NeedsEvents(kind exchange.PlanCauseKind) bool {
	if p == nil {
		return false
	}
	if p.usesFreePlaces(kind) {
		return true
	}
	if kind != "" {
		return slices.ContainsFunc(p.effectRules(kind), EffectRule.usesFirstStart)
	}
	if slices.ContainsFunc(p.rules.Reactions, func(h Reaction) bool { return h.On != string(exchange.CauseReservationExpired) }) {
		return true
	}
	return slices.ContainsFunc(p.rules.Steps, func(s StepRules) bool {
		return slices.ContainsFunc(s.FollowUps, func(f FollowUpRule) bool {
			return f.Due.BeforeStart != nil || f.Do.usesFirstStart() || f.Then != nil && f.Then.usesFirstStart()
		})
	})
}

// NeedsRead reports whether the plan of a transition between the two steps may depend on attributes
// of the record or on events, which only a read of the record returns. If needsItems is true,
// NeedsRead also reports whether the plan may depend on the items of interests.
func (p *Playbook) NeedsRead(from, to opportunity.Step, needsItems bool) bool {
	if p == nil {
		return false
	}
	return slices.ContainsFunc(p.rules.Transitions, func(rule Transition) bool {
		if !rule.From.matches(from) || !rule.To.matches(to) {
			return false
		}
		text := Text(exchange.NewSettings(rule))
		return text.mentions("ttributes") || text.mentions(freePlacesName) || text.usesFirstStart() || needsItems && text.mentions("item")
	})
}

func (p *Playbook) usesFreePlaces(kind exchange.PlanCauseKind) bool {
	var all []Expression
	switch kind {
	case "":
		for _, step := range p.rules.Steps {
			for _, rule := range step.FollowUps {
				all = append(all, rule.When)
			}
		}
	case exchange.CauseTransition:
		for _, rule := range p.rules.Transitions {
			all = append(all, rule.When)
		}
	default:
		for _, rule := range p.rules.Reactions {
			if rule.On == string(kind) {
				all = append(all, rule.When)
			}
		}
	}
	if kind != "" {
		for _, effect := range p.effectRules(kind) {
			all = append(all, effect.When)
		}
	}
	return slices.ContainsFunc(all, Expression.usesFreePlaces)
}

// MailNeedsEvents reports whether the named mail uses the start of an event.
func (p *Playbook) MailNeedsEvents(name string) bool {
	if p == nil {
		return false
	}
	mail := p.rules.Emails[name]
	return mail.Subject.usesFirstStart() || mail.Body.usesFirstStart()
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

// MailFallback returns the e-mail address of the contact who receives the named mail when its recipient cannot receive
// mail, or "" when the mail has no fallback.
func (p *Playbook) MailFallback(name string) string {
	if p == nil {
		return ""
	}
	return p.rules.Emails[name].Fallback
}

// MailNeedsOwner reports whether the named mail uses the owner.
func (p *Playbook) MailNeedsOwner(name string) bool {
	if p == nil {
		return false
	}
	mail := p.rules.Emails[name]
	return mail.Subject.mentions(".Owner") || mail.Body.mentions(".Owner")
}

// SubjectNeeds reports whether the subject of the named mail uses the record, and whether the subject
// uses the start of an event.
func (p *Playbook) SubjectNeeds(name string) (record, events bool) {
	if p == nil {
		return false, false
	}
	subject := p.rules.Emails[name].Subject
	return subject.mentions("{{"), subject.usesFirstStart()
}

// Service returns the tenant's service with the given name.
func (p *Playbook) Service(name string) (Service, bool) {
	if p == nil {
		return Service{}, false
	}
	service, known := p.rules.Services[name]
	return service, known
}

// MissingSecrets returns a diagnostic for each service whose signing key the worker does not have.
func (p *Playbook) MissingSecrets(has func(secret string) bool) diagnostic.List {
	if p == nil {
		return nil
	}
	var lacking diagnostic.List
	for _, s := range p.secrets {
		if !has(s.name) {
			lacking.Add(s.line, s.column, "the worker has no service key with the name "+s.name+", so requests to the service cannot be signed")
		}
	}
	return lacking.Sorted()
}

type secret struct {
	name         string
	line, column int
}

func (t Text) mentions(variable string) bool { return strings.Contains(string(t), variable) }

func (t Text) usesFirstStart() bool { return t.mentions(".FirstStart") }

func (a ActionRule) usesFirstStart() bool {
	return a.Log != nil && a.Log.Message.usesFirstStart() || a.Attention != nil && a.Attention.Text.usesFirstStart()
}
