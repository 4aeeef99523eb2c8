package playbook

// Rules are a playbook as it is written: one YAML file. A member that is left out means nothing to do.
type Rules struct {
	// Calendar says when the tenant works.
	Calendar Calendar `json:"calendar,omitzero"`
	// FollowUpsAtMost is how many follow-ups one opportunity gets over its whole
	// life, from 1 to 100; 20 where it is left out.
	FollowUpsAtMost int `json:"followUpsAtMost,omitempty"`
	// Services are the tenant's own services that may be called, by name.
	Services map[string]Service `json:"services,omitempty"`
	// Emails are the mails that may be sent, by name.
	Emails map[string]Mail `json:"emails,omitempty"`
	// Transitions say what goes with a move from step to step. Of several that
	// match a move all apply, in the order of the file.
	Transitions []Transition `json:"transitions,omitempty"`
	// Reactions say what to do when something happens outside of Oppflow.
	Reactions []Reaction `json:"reactions,omitempty"`
	// Steps are the follow-ups on an opportunity that is in a step.
	Steps []StepRules `json:"steps,omitempty"`
}

// Transition is what goes with a move.
type Transition struct {
	// Name tells it from the other rules: small letters, digits and hyphens.
	Name string `json:"name"`
	// From is where the move starts; left out, it may start anywhere.
	From *StepSelector `json:"from,omitempty"`
	// To is where the move leads; left out, it may lead anywhere.
	To *StepSelector `json:"to,omitempty"`
	// When is a condition; left out, the rule always applies.
	When Expression `json:"when,omitempty"`
	// Before are effects that have to be done before the move; where one of them or
	// the move fails, those that were done are undone, the last one first.
	Before []EffectRule `json:"before,omitempty"`
	// After are effects that are done once the move is made.
	After []EffectRule `json:"after,omitempty"`
}

// Reaction is what to do when something happened.
type Reaction struct {
	// Name tells it from the other rules: small letters, digits and hyphens.
	Name string `json:"name"`
	// On is what happens: an event of one of the interests was cancelled, or the
	// places that were held have expired.
	On string `json:"on" jsonschema:"enum=eventCancelled,enum=eventSoldOut,enum=reservationExpired"`
	// When is a condition; left out, the rule always applies.
	When Expression `json:"when,omitempty"`
	// Do are the effects.
	Do []EffectRule `json:"do"`
}

// StepRules are the follow-ups on an opportunity that is in a step.
type StepRules struct {
	// At is the step, stage or state of the stage.
	At StepSelector `json:"at"`
	// FollowUps are what is done when time has passed.
	FollowUps []FollowUpRule `json:"followUps"`
}

// StepSelector is a step, a stage, or all stages of a state. Exactly one of them is given.
type StepSelector struct {
	// Step is the name or the id of a step.
	Step string `json:"step,omitempty"`
	// Stage is the name or the id of a stage.
	Stage string `json:"stage,omitempty"`
	// State is the state of a stage.
	State string `json:"state,omitempty" jsonschema:"enum=Open,enum=Won,enum=Lost,enum=Archived"`
}

// Service is a service of the tenant's own. Requests to it are signed.
type Service struct {
	// URL is where it is, with https.
	URL string `json:"url"`
	// Secret is the name under which workers find the key the requests are signed
	// with. It is never the key itself.
	Secret string `json:"secret"`
}

// Mail is a template of a mail.
type Mail struct {
	// Subject is its subject, a template on one line.
	Subject Text `json:"subject"`
	// Body is its text, a template.
	Body Text `json:"body"`
	// From is the id of the sending address; left out, it is the tenant's usual one.
	From string `json:"from,omitempty"`
}
