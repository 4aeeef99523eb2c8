package workflows

// The changes of the order or the kind of what the workflow asks the server for. Each
// name is recorded in histories.
const (
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
