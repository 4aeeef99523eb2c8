package workflows

import "go.temporal.io/sdk/workflow"

// Names of changes of the workflow's code, for workflow.GetVersion. A run asks for the version of a
// change only where the change shows, so that it costs no event elsewhere.
const (
	// changeStrictMessages refuses some messages that were accepted before, and accepts messages
	// without a payload, which were refused before.
	changeStrictMessages = "read messages strictly"
	// changeStrictStarts refuses some starts that were accepted before.
	changeStrictStarts = "read starts strictly"
	// changeOwnAttributes unsets the search attributes that a start brings.
	changeOwnAttributes = "unset search attributes of a start"
	// changeBreath lets other coroutines have a turn between large signals.
	changeBreath = "breathe between large signals"
	// changeAside: background work gives way to commands.
	changeAside = "give way to commands"
	// changeOutages: each kind of wait for the API has its own attention, and a long wait is one
	// activity instead of many timers.
	changeOutages = "wait for the API by its kind"
	// changeFollowUps: a follow-up is dropped when a command was accepted in the meantime.
	changeFollowUps = "drop follow-ups behind commands"
	// changeCalls: a service of the tenant is called while everything else goes on.
	changeCalls = "call services aside"
	// changeFacts: a move's effects are about the interests that the record has.
	changeFacts = "forget interests that are gone before a move"
	// changeEntry: follow-ups are planned again when planning finds another step.
	changeEntry = "plan again for the step that is found"
	// changeProof: a result that does not prove itself says nothing.
	changeProof = "a result proves itself"
	// changeReadmit: a message that a run before accepted is accepted again before anything refuses
	// it.
	changeReadmit = "take in what a run before accepted"
	// changeEnding: when a run or a move ends, every caller that waits for it is answered, and the
	// effects of changes that were not made are undone, whatever else waits.
	changeEnding = "leave nothing open at an end"
	// changeForeign: a record that carries the mark of another reference is not written to.
	changeForeign = "pause at the mark of another reference"
	// changeNames: a name that cannot be looked up holds up its own request alone.
	changeNames = "go on without names that cannot be looked up"
	// changePlaybook: a plan of a lower version of the playbook than the run has seen does not
	// count.
	changePlaybook = "plan by the latest version of the playbook"
	// changeCallAgain: a call of a service that got no answer wakes a run that rests, so that the
	// run waits for the time of the next call.
	changeCallAgain = "wake for the next call of a service"
	// changeLastRead: a read that is due is done before what waits is reported failed.
	changeLastRead = "read before failing what waits"
	// changeLost: an activity that the server has lost is given up.
	changeLost = "give up activities that the server has lost"
)

// since reports whether the change is in force in the run.
func since(ctx workflow.Context, change string) bool {
	return workflow.GetVersion(ctx, change, workflow.DefaultVersion, 1) != workflow.DefaultVersion
}
