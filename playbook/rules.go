package playbook

// Rules are the content of a playbook's YAML file. A missing member means that the playbook has no such rules or uses
// the default.
type Rules struct {
	// Calendar says when the tenant works.
	Calendar Calendar `json:"calendar,omitzero"`
	// FollowUpsAtMost is the maximum number of follow-ups of one opportunity over its whole life, from 1 to 100; the
	// default is 20.
	FollowUpsAtMost int `json:"followUpsAtMost,omitempty"`
	// People says what to do with a learner whose e-mail address belongs to a contact with a
	// different name: ask an operator (the default), use this contact, or create a new contact.
	People string `json:"people,omitempty" jsonschema:"enum=ask,enum=address,enum=apart"`
	// Services are the tenant's own services that the playbook may call, by name.
	Services map[string]Service `json:"services,omitempty"`
	// Emails are the mails that the playbook may send, by name.
	Emails map[string]Mail `json:"emails,omitempty"`
	// Transitions are the rules for transitions; all rules that match a transition apply, in the
	// order of the file.
	Transitions []Transition `json:"transitions,omitempty"`
	// Reactions are the rules for external changes.
	Reactions []Reaction `json:"reactions,omitempty"`
	// Steps are the follow-ups that an opportunity has while it is in a step.
	Steps []StepRules `json:"steps,omitempty"`
	// KeepOpen says how long an opportunity takes messages after it has reached a final state; without KeepOpen the run
	// ends as soon as nothing is left to do.
	KeepOpen KeepOpen `json:"keepOpen,omitzero"`
}

// KeepOpen contains the time for which an opportunity takes messages after it has reached a final state. The time counts
// from the moment at which Oppflow sees the final state.
type KeepOpen struct {
	// Won is the time for a won opportunity.
	Won Period `json:"Won,omitzero"`
	// Lost is the time for a lost opportunity.
	Lost Period `json:"Lost,omitzero"`
	// Archived is the time for an archived opportunity.
	Archived Period `json:"Archived,omitzero"`
}

// Transition is a rule that says which effects Oppflow does before and after a transition.
type Transition struct {
	// Name is the unique name of the rule, in small letters, digits and hyphens.
	Name string `json:"name"`
	// From selects the steps at which the transition starts; without From the transition may start at any step.
	From *StepSelector `json:"from,omitempty"`
	// To selects the steps to which the transition leads; without To the transition may lead to any step.
	To *StepSelector `json:"to,omitempty"`
	// When is a condition; a rule without When always applies.
	When Expression `json:"when,omitempty"`
	// ManualTransitions says what to do after a transition that a person made by hand in the TMS: ensure the effects
	// after the transition (the default), or skip the rule.
	ManualTransitions string `json:"manualTransitions,omitempty" jsonschema:"enum=ensure,enum=skip"`
	// Before are effects that must be done before the transition. When one of these effects or the
	// transition fails, Oppflow undoes the effects that were done, the last effect first. Oppflow
	// does no effects before a transition by hand.
	Before []EffectRule `json:"before,omitempty"`
	// After are effects that Oppflow does after the transition was made.
	After []EffectRule `json:"after,omitempty"`
}

// Reaction is a rule that says which effects follow an external change.
type Reaction struct {
	// Name is the unique name of the rule, in small letters, digits and hyphens.
	Name string `json:"name"`
	// On is the external change: an event of one of the interests was cancelled or has sold out,
	// or the reservation has expired.
	On string `json:"on" jsonschema:"enum=eventCancelled,enum=eventSoldOut,enum=reservationExpired"`
	// When is a condition; a rule without When always applies.
	When Expression `json:"when,omitempty"`
	// Do are the effects.
	Do []EffectRule `json:"do"`
}

// StepRules are the follow-ups that an opportunity has while it is in a step.
type StepRules struct {
	// At selects the steps.
	At StepSelector `json:"at"`
	// FollowUps are the actions that Oppflow plans for a time.
	FollowUps []FollowUpRule `json:"followUps"`
}

// StepSelector selects a step, a stage, or all stages with a state; exactly one of its members is set.
type StepSelector struct {
	// Step is the name or the id of a step.
	Step string `json:"step,omitempty"`
	// Stage is the name or the id of a stage.
	Stage string `json:"stage,omitempty"`
	// State is the state of a stage.
	State string `json:"state,omitempty" jsonschema:"enum=Open,enum=Won,enum=Lost,enum=Archived"`
}

// Service is a program of the tenant that a playbook calls with a signed request.
type Service struct {
	// URL is the address of the service and begins with https.
	URL string `json:"url"`
	// Secret is the name of the key with which workers sign the requests, never the key itself.
	Secret string `json:"secret"`
}

// Mail is a template of a mail.
type Mail struct {
	// Subject is the template of the subject, on one line.
	Subject Text `json:"subject"`
	// Body is the template of the text.
	Body Text `json:"body"`
	// From is the id of the sending address; the default is the sending address that the tenant uses for its other
	// mail.
	From string `json:"from,omitempty"`
	// Fallback is the e-mail address of a contact in the TMS, such as the tenant's office, who receives the mail when
	// its recipient cannot receive mail.
	Fallback string `json:"fallback,omitempty"`
}
