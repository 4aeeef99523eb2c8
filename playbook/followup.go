package playbook

import "github.com/oppflow/oppflow/opportunity"

// FollowUpRule is something to be done when time has passed.
type FollowUpRule struct {
	// Name tells it from the other rules: small letters, digits and hyphens. What
	// was done is remembered by it; under another name it is done again.
	Name string `json:"name"`
	// When is a condition; left out, the rule always applies.
	When Expression `json:"when,omitempty"`
	// Due says when it is due.
	Due Due `json:"due"`
	// Hours says whether it waits for the business hours of the calendar (the
	// default) or is done at any hour that is not quiet.
	Hours string `json:"hours,omitempty" jsonschema:"enum=business,enum=any"`
	// Do is what is done.
	Do ActionRule `json:"do"`
	// Repeat does it again.
	Repeat *Repeat `json:"repeat,omitempty"`
	// Then is what is done in the end, as long after the last time as the times lie
	// apart.
	Then *ActionRule `json:"then,omitempty"`
}

// Due says when a follow-up is due. Exactly one of its members is given. When less time is left than the length, the
// follow-up is due at once.
type Due struct {
	// InStep is the time since the opportunity came into the step.
	InStep *Period `json:"inStep,omitempty"`
	// Idle is the time since anything last happened with the opportunity.
	Idle *Period `json:"idle,omitempty"`
	// BeforeReservationExpiry is the time until the places that are held expire; 0 hours is the
	// moment they do.
	BeforeReservationExpiry *Period `json:"beforeReservationExpires,omitempty"`
	// BeforeStart is the time until an event of the interests starts, for each event.
	BeforeStart *Period `json:"beforeStart,omitempty"`
	// BeforeTokensExpire is the time until training tokens of the interests expire.
	BeforeTokensExpire *Period `json:"beforeTokensExpire,omitempty"`
}

// Repeat does a follow-up again.
type Repeat struct {
	// Times is how often it is done in all, from 2 to 20.
	Times int `json:"times"`
	// Every is the time from one to the next.
	Every Period `json:"every"`
}

// ActionRule is one action, under the name of its kind.
type ActionRule struct {
	// Email sends a mail.
	Email *EmailRule `json:"email,omitempty"`
	// Log writes an entry of the external integration log of the record.
	Log *LogRule `json:"log,omitempty"`
	// Call calls a service of the tenant.
	Call *CallRule `json:"call,omitempty"`
	// Progress moves the opportunity to another step. It is the last thing a
	// follow-up does.
	Progress *ProgressRule `json:"progress,omitempty"`
	// Attention tells an operator something.
	Attention *AttentionRule `json:"attention,omitempty"`
}

// ProgressRule says where to move.
type ProgressRule struct {
	// To is the name or the id of the step.
	To string `json:"to"`
}

// AttentionRule is a message to an operator.
type AttentionRule struct {
	// Text is a template on one line, which names no person.
	Text Text `json:"text"`
}

// anchor is the event from which a follow-up is counted.
type anchor string

const (
	sinceStep              anchor = "inStep"
	sinceIdle              anchor = "idle"
	untilReservationExpiry anchor = "beforeReservationExpires"
	untilEventStart        anchor = "beforeStart"
	untilTokensExpire      anchor = "beforeTokensExpire"
)

// givenAnchors returns the members that are given, in their order.
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

// givenKinds returns the kinds of actions that are given, in the order of the members.
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

// repetitions returns how often the follow-up is done, without the last action under then.
func (f FollowUpRule) repetitions() int {
	if f.Repeat == nil {
		return 1
	}
	return f.Repeat.Times
}

// followUpCount returns the number of follow-ups of the rule, the last action included.
func (f FollowUpRule) followUpCount() int {
	if f.Then == nil {
		return f.repetitions()
	}
	return f.repetitions() + 1
}
