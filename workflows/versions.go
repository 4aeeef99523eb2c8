package workflows

import "go.temporal.io/sdk/workflow"

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
	// changeFacts: a move's effects are about the interests that the record has.
	changeFacts = "forget interests that are gone before a move"
	// changeEntry: follow-ups are planned again when planning finds another step.
	changeEntry = "plan again for the step that is found"
	// changeProof: a result that does not prove itself says nothing.
	changeProof = "a result proves itself"
	// changeReadmit: what a run before accepted is taken in before anything refuses it.
	changeReadmit = "take in what a run before accepted"
	// changeEnding: when a run or a move ends, whoever waits for it is answered, and the
	// effects of what was not done are taken back, whatever else waits.
	changeEnding = "leave nothing open at an end"
	// changeForeign: a record that carries the mark of another reference is not written to.
	changeForeign = "pause at the mark of another reference"
	// changeNames: a name that cannot be looked up holds up its own request alone.
	changeNames = "go on without names that cannot be looked up"
	// changePlaybook: no plan is taken of a lower version of the playbook than was seen.
	changePlaybook = "plan by the latest version of the playbook"
	// changeCallAgain: a run that rests is woken by a call of a service that was not
	// answered, so that it waits for the time of the next one.
	changeCallAgain = "wake for the next call of a service"
	// changeLost: an activity that the server has lost is given up.
	changeLost = "give up activities that the server has lost"
)

// since reports whether the change is in force in the run.
func since(ctx workflow.Context, change string) bool {
	return workflow.GetVersion(ctx, change, workflow.DefaultVersion, 1) != workflow.DefaultVersion
}
