package workflows

import "go.temporal.io/sdk/workflow"

// Names of changes of the workflow code, for workflow.GetVersion. A run requests the version of a
// change only where the change has an effect, so that the change adds no history event elsewhere.
const (
	// changeStrictMessages rejects some messages that were accepted before, and accepts messages
	// without a payload, which were rejected before.
	changeStrictMessages = "read messages strictly"
	// changeStrictStarts rejects some starts that were accepted before.
	changeStrictStarts = "read starts strictly"
	// changeUnsetStartAttributes unsets the search attributes that a caller sets with the start.
	changeUnsetStartAttributes = "unset search attributes of a start"
	// changeYieldBetweenSignals lets other coroutines run between large signals.
	changeYieldBetweenSignals = "breathe between large signals"
	// changeBackgroundYields: commands interrupt background work.
	changeBackgroundYields = "give way to commands"
	// changeOutages: each kind of wait for the API has its own attention kind, and a long wait is
	// one activity instead of many timers.
	changeOutages = "wait for the API by its kind"
	// changeFollowUps: a follow-up is dropped when a command was accepted in the meantime.
	changeFollowUps = "drop follow-ups behind commands"
	// changeBackgroundCalls: a call of a service runs in the background, beside all other work.
	changeBackgroundCalls = "call services aside"
	// changeForgetGoneInterests: the effects of a transition concern only the interests that are on
	// the record.
	changeForgetGoneInterests = "forget interests that are gone before a move"
	// changeReplanForFoundStep: follow-ups are planned again when the plan finds the record in
	// another step.
	changeReplanForFoundStep = "plan again for the step that is found"
	// changeProof: a result that does not prove that it belongs to the input of its activity is
	// unknown.
	changeProof = "a result proves itself"
	// changeAcceptRedelivered: a message that the run before a reset accepted is accepted again
	// before any check rejects it.
	changeAcceptRedelivered = "take in what a run before accepted"
	// changeCompleteShutdown: when a run or a transition ends, every waiting caller gets an
	// outcome, and the effects of changes that were not made are undone, regardless of what else
	// waits.
	changeCompleteShutdown = "leave nothing open at an end"
	// changeTaggedByOther: nothing is sent for a record that has the reference tag of another
	// reference.
	changeTaggedByOther = "pause at the mark of another reference"
	// changeSkipFailingNames: a name that cannot be looked up delays only the request that contains
	// the name.
	changeSkipFailingNames = "go on without names that cannot be looked up"
	// changeLatestPlaybook: a plan of a lower version of the playbook than the run has seen is
	// discarded.
	changeLatestPlaybook = "plan by the latest version of the playbook"
	// changeCallAgain: a failed call of a service wakes a run that waits for work, so that the run
	// then waits until the time of the next call.
	changeCallAgain = "wake for the next call of a service"
	// changeEffectsYield: commands go before the effects after a transition, and interrupt an
	// inspection of such an effect.
	changeEffectsYield = "give way to commands after a transition"
	// changeReadBeforeFailing: a due read is made before waiting messages are reported failed.
	changeReadBeforeFailing = "read before failing what waits"
	// changeGiveUpLostActivities: the run stops waiting for an activity that the server has lost.
	changeGiveUpLostActivities = "give up activities that the server has lost"
)

// hasChange reports whether the change is in force in the run.
func hasChange(ctx workflow.Context, change string) bool {
	return workflow.GetVersion(ctx, change, workflow.DefaultVersion, 1) != workflow.DefaultVersion
}
