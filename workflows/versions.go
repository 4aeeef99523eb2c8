package workflows

import "go.temporal.io/sdk/workflow"

// These are the names of changes of the workflow code, for workflow.GetVersion. A run calls
// GetVersion only where the change has an effect, so that it adds no history event to other runs.
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
	// changeBackgroundYields makes commands interrupt background work.
	changeBackgroundYields = "give way to commands"
	// changeOutages gives each kind of wait for the API its own attention kind. changeOutages also
	// makes a long wait one activity instead of many timers.
	changeOutages = "wait for the API by its kind"
	// changeFollowUps withdraws a due follow-up when a command was accepted before the follow-up
	// was done.
	changeFollowUps = "drop follow-ups behind commands"
	// changeBackgroundCalls makes a call of a service run in the background, while all other work
	// goes on.
	changeBackgroundCalls = "call services aside"
	// changeForgetGoneInterests limits the effects of a transition to the interests that are still
	// on the record.
	changeForgetGoneInterests = "forget interests that are gone before a move"
	// changeReplanForFoundStep makes the run plan follow-ups again when the plan shows the record
	// in another step.
	changeReplanForFoundStep = "plan again for the step that is found"
	// changeProof makes the run ignore a result that does not prove that it belongs to the input of
	// its activity.
	changeProof = "a result proves itself"
	// changeAcceptRedelivered makes the run accept a redelivered message that the run before a
	// reset accepted, even when a check would reject the message now.
	changeAcceptRedelivered = "take in what a run before accepted"
	// changeCompleteShutdown applies when a run or a transition ends. Every waiting caller then
	// gets an outcome, and the run undoes the effects of changes that were not made.
	changeCompleteShutdown = "leave nothing open at an end"
	// changeTaggedByOther makes the run send nothing for a record that has the reference tag of
	// another reference.
	changeTaggedByOther = "pause at the mark of another reference"
	// changeSkipFailingNames makes a name that cannot be looked up delay only the request that
	// contains the name.
	changeSkipFailingNames = "go on without names that cannot be looked up"
	// changeLatestPlaybook makes the run discard a plan of a lower version of the playbook than the
	// run has seen.
	changeLatestPlaybook = "plan by the latest version of the playbook"
	// changeCallAgain makes a failed call of a service wake a run that waits for work. The run then
	// waits until the time of the next call.
	changeCallAgain = "wake for the next call of a service"
	// changeEffectsYield makes commands go before the effects after a transition. Commands also
	// interrupt the inspection of an effect after a transition.
	changeEffectsYield = "give way to commands after a transition"
	// changeReadBeforeFailing makes the run read the record, if a read is due, before it reports
	// waiting messages as failed.
	changeReadBeforeFailing = "read before failing what waits"
	// changeGiveUpLostActivities makes the run stop waiting for an activity that the server has
	// lost.
	changeGiveUpLostActivities = "give up activities that the server has lost"
	// changeReadBackRejected makes a read of the record also decide a lost request of which the API
	// rejected some changes.
	changeReadBackRejected = "read back a request with rejected changes"
	// changeOverwrittenUpdates makes a read after a reset count an update as done when several later
	// updates together overwrote it.
	changeOverwrittenUpdates = "read back updates that later updates overwrote"
	// changeInspectAhead makes an inspection of an effect also inspect the effects that come next.
	changeInspectAhead = "inspect the next effects together"
	// changeExpiredReservation makes the run raise attention for reserved places that have expired.
	changeExpiredReservation = "raise attention for expired places"
	// changeBlockedFollowUps makes the later follow-ups of a series wait for one that waits for an
	// operator. A retry of a mail also asks first when the opportunity has ended since.
	changeBlockedFollowUps = "wait for mails that were not sent"
	// changeRecordAttention raises attention when a read of the record finds that the record does
	// not exist any more, or that the API refuses to show it.
	changeRecordAttention = "raise attention for a record that cannot be read"
)

// hasChange reports whether the change is in force in the run.
func hasChange(ctx workflow.Context, change string) bool {
	return workflow.GetVersion(ctx, change, workflow.DefaultVersion, 1) != workflow.DefaultVersion
}
