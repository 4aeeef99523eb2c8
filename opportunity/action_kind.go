package opportunity

// ActionKind names what a follow-up does.
type ActionKind string

// The kinds of actions.
const (
	ActionEmail     ActionKind = "email"
	ActionLog       ActionKind = "log"
	ActionCall      ActionKind = "call"
	ActionProgress  ActionKind = "progress"  // a move to another step
	ActionAttention ActionKind = "attention" // a word for an operator
)
