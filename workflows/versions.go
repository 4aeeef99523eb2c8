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
	// changeUnsetStartAttributes unsets the search attributes that a start brings.
	changeUnsetStartAttributes = "unset search attributes of a start"
	// changeYieldBetweenSignals lets other coroutines have a turn between large signals.
	changeYieldBetweenSignals = "breathe between large signals"
	// changeBackgroundYields: background work gives way to commands.
	changeBackgroundYields = "give way to commands"
	// changeOutages: each kind of wait for the API has its own attention, and a long wait is one
	// activity instead of many timers.
	changeOutages = "wait for the API by its kind"
	// changeFollowUps: a follow-up is dropped when a command was accepted in the meantime.
	changeFollowUps = "drop follow-ups behind commands"
	// changeBackgroundCalls: a service of the tenant is called while everything else goes on.
	changeBackgroundCalls = "call services aside"
	// changeForgetGoneInterests: a move's effects are about the interests that the record has.
	changeForgetGoneInterests = "forget interests that are gone before a move"
	// changeReplanForFoundStep: follow-ups are planned again when planning finds another step.
	changeReplanForFoundStep = "plan again for the step that is found"
	// changeProof: a result that does not prove itself says nothing.
	changeProof = "a result proves itself"
	// changeAcceptRedelivered: a message that a run before accepted is accepted again before anything refuses
	// it.
	changeAcceptRedelivered = "take in what a run before accepted"
	// changeCompleteShutdown: when a run or a move ends, every caller that waits for it is answered, and the
	// effects of changes that were not made are undone, whatever else waits.
	changeCompleteShutdown = "leave nothing open at an end"
	// changeTaggedByOther: a record that carries the mark of another reference is not written to.
	changeTaggedByOther = "pause at the mark of another reference"
	// changeSkipFailingNames: a name that cannot be looked up holds up its own request alone.
	changeSkipFailingNames = "go on without names that cannot be looked up"
	// changeLatestPlaybook: a plan of a lower version of the playbook than the run has seen does not
	// count.
	changeLatestPlaybook = "plan by the latest version of the playbook"
	// changeCallAgain: a call of a service that got no answer wakes a run that rests, so that the
	// run waits for the time of the next call.
	changeCallAgain = "wake for the next call of a service"
	// changeReadBeforeFailing: a read that is due is done before what waits is reported failed.
	changeReadBeforeFailing = "read before failing what waits"
	// changeGiveUpLostActivities: an activity that the server has lost is given up.
	changeGiveUpLostActivities = "give up activities that the server has lost"
)

// hasChange reports whether the change is in force in the run.
func hasChange(ctx workflow.Context, change string) bool {
	return workflow.GetVersion(ctx, change, workflow.DefaultVersion, 1) != workflow.DefaultVersion
}
