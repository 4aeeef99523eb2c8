package workflows

// Names of changes of the workflow's code, for workflow.GetVersion. A run asks for
// one only where the change shows, so that it costs no event elsewhere.
const (
	// changeStrictMessages refuses messages that were taken, and takes messages
	// without a payload that were refused.
	changeStrictMessages = "read messages strictly"
	// changeStrictStarts refuses starts that were taken.
	changeStrictStarts = "read starts strictly"
	// changeOwnAttributes unsets the search attributes that a start brings.
	changeOwnAttributes = "unset search attributes of a start"
	// changeBreath lets other coroutines have a turn between large signals.
	changeBreath = "breathe between large signals"
)
