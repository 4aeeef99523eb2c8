package playbook

import (
	"reflect"
	"strings"

	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// EffectRule contains one effect, in the field of the effect's kind, and the condition under which
// the effect applies. Oppflow first inspects what exists already, and does only the missing part of
// the effect.
type EffectRule struct {
	// When is a condition; an effect without When always applies.
	When Expression `json:"when,omitempty"`
	// Account links an account to the opportunity when the opportunity has no account.
	Account *AccountRule `json:"account,omitempty"`
	// Contacts creates contacts for the learners of the interests.
	Contacts *ContactsRule `json:"contacts,omitempty"`
	// Attributes sets attributes of the record.
	Attributes *AttributesRule `json:"attributes,omitempty"`
	// Reserve reserves places for the interests in events.
	Reserve *ReserveRule `json:"reserve,omitempty"`
	// Extend sets a new expiry time for the reservation.
	Extend *ExtendRule `json:"extend,omitempty"`
	// Release releases all reserved places, after which the opportunity can never reserve places
	// again.
	Release *ReleaseRule `json:"release,omitempty"`
	// Register registers the learners on their events.
	Register *RegisterRule `json:"register,omitempty"`
	// CancelRegistrations cancels the registrations of the opportunity's learners.
	CancelRegistrations *CancelRegistrationsRule `json:"cancelRegistrations,omitempty"`
	// Invoice waits for the draft invoice of the TMS, fills the draft in and makes the invoice
	// final.
	Invoice *InvoiceRule `json:"invoice,omitempty"`
	// Tokens checks that training tokens were issued.
	Tokens *TokensRule `json:"tokens,omitempty"`
	// Email sends a mail.
	Email *EmailRule `json:"email,omitempty"`
	// Log writes an entry to the record's external integration log.
	Log *LogRule `json:"log,omitempty"`
	// Call calls a service of the tenant.
	Call *CallRule `json:"call,omitempty"`
}

// effectSettings are the settings of an effect of one kind. The settings may also implement the
// other interfaces of this file.
type effectSettings interface {
	// undo returns how much of the effect can be undone. The returned text says how Oppflow undoes the effect, or why
	// Oppflow cannot undo the effect.
	undo() (exchange.UndoLevel, string)
	describe() string
}

type (
	checkedSettings interface{ check(c *checker, path string) }
	// plannedSettings are settings that a plan contains. plan returns the settings with their
	// templates filled in.
	plannedSettings interface {
		plan(p *planner, rule string) any
	}
	// datedSettings are settings that may depend on the start of an event. The settings of a mail are not
	// datedSettings, because a plan does not contain the text of the mail.
	datedSettings interface{ usesFirstStart() bool }
	// learnerSettings are settings of effects that may need the learners who are named in the interests.
	learnerSettings interface{ isAboutLearners() bool }
	// repeatableSettings are settings of effects that one transition may have more than once.
	repeatableSettings interface{ isRepeatable() bool }
	// adviceBefore says which change of the settings allows the effect before a transition.
	advisedSettings interface{ adviceBefore() string }
)

// given returns the kinds and the settings of the effects that are set, in the order of the fields.
func (e EffectRule) given() (kinds []opportunity.EffectKind, all []effectSettings) {
	value := reflect.ValueOf(e)
	for field := range value.Type().Fields() {
		member := value.FieldByIndex(field.Index)
		settings, is := member.Interface().(effectSettings)
		if !is || member.IsNil() {
			continue
		}
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		kinds, all = append(kinds, opportunity.EffectKind(name)), append(all, settings)
	}
	return kinds, all
}

// kind returns the kind of the effect, or "" for an invalid effect.
func (e EffectRule) kind() opportunity.EffectKind {
	if kinds, _ := e.given(); len(kinds) == 1 {
		return kinds[0]
	}
	return ""
}

func (e EffectRule) settings() effectSettings {
	if _, all := e.given(); len(all) == 1 {
		return all[0]
	}
	return nil
}

func (e EffectRule) undo() (exchange.UndoLevel, string) {
	if settings := e.settings(); settings != nil {
		return settings.undo()
	}
	return exchange.UndoNone, ""
}

func (e EffectRule) describe() string {
	if settings := e.settings(); settings != nil {
		return string(e.kind()) + ": " + settings.describe()
	}
	return ""
}

func (e EffectRule) usesFirstStart() bool {
	settings, is := e.settings().(datedSettings)
	return is && settings.usesFirstStart()
}

func (e EffectRule) isAboutLearners() bool {
	settings, is := e.settings().(learnerSettings)
	return is && settings.isAboutLearners()
}

func (e EffectRule) isRepeatable() bool {
	settings, is := e.settings().(repeatableSettings)
	return is && settings.isRepeatable()
}
