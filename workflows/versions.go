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
	// changeAside: what nobody waits for gives way to commands.
	changeAside = "give way to commands"
	// changeOutages: a wait for the API has a kind of attention of its own, and a long
	// one is one activity instead of many timers.
	changeOutages = "wait for the API by its kind"
	// changeFollowUps: a follow-up is dropped when a command was accepted meanwhile.
	changeFollowUps = "drop follow-ups behind commands"
	// changeCalls: a service of the tenant is called beside everything else.
	changeCalls = "call services aside"
)
