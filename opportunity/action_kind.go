package opportunity

// ActionKind is the kind of the action of a follow-up.
type ActionKind string

// The kinds of actions.
const (
	ActionEmail     ActionKind = "email"
	ActionLog       ActionKind = "log"
	ActionCall      ActionKind = "call"
	ActionProgress  ActionKind = "progress"  // a transition to another step
	ActionAttention ActionKind = "attention" // a message for an operator
)
