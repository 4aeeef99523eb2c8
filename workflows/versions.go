package workflows

import "go.temporal.io/sdk/workflow"

// These are the names of changes of the workflow code, for workflow.GetVersion. A run calls
// GetVersion only where the change has an effect, so that GetVersion adds no history event to other
// runs.
const (
	// changeStrictMessages makes the run reject some messages that earlier releases accepted, and
	// accept messages without a payload, which earlier releases rejected.
	changeStrictMessages       = "read messages strictly"
	changeStrictStarts         = "read starts strictly"
	changeUnsetStartAttributes = "unset search attributes of a start"
	// changeYieldBetweenSignals makes the run execute other coroutines between large signals.
	changeYieldBetweenSignals = "breathe between large signals"
	// changeBackgroundYields makes commands interrupt background work.
	changeBackgroundYields = "give way to commands"
	// changeOutages adds an attention kind for each kind of wait for the API. changeOutages also
	// makes the run wait for a long time in one activity instead of with many timers.
	changeOutages = "wait for the API by its kind"
	// changeFollowUps makes the run withdraw a due follow-up when a command was accepted before the
	// follow-up was done.
	changeFollowUps = "drop follow-ups behind commands"
	// changeBackgroundCalls makes a call of a service run in the background, while the run
	// continues all other work.
	changeBackgroundCalls = "call services aside"
	// changeForgetGoneInterests limits the effects of a transition to the interests that are still
	// on the record.
	changeForgetGoneInterests = "forget interests that are gone before a move"
	// changeReplanForFoundStep makes the run plan follow-ups again when the plan shows the record
	// in another step.
	changeReplanForFoundStep = "plan again for the step that is found"
	// changeReplanForActivity makes the run plan follow-ups again when the plan shows that a person
	// changed the record.
	changeReplanForActivity = "plan again after a change by a person"
	// changeProof makes the run ignore a result that does not prove that it belongs to the input of
	// its activity.
	changeProof = "a result proves itself"
	// changeAcceptRedelivered makes the run after a reset accept a redelivered message that the run
	// before the reset accepted, even when the run would reject a new message.
	changeAcceptRedelivered = "take in what a run before accepted"
	// changeCompleteShutdown makes every waiting caller receive an outcome when a run or a
	// transition ends. changeCompleteShutdown also makes the run undo the effects of changes that
	// were not made.
	changeCompleteShutdown = "leave nothing open at an end"
	// changeTaggedByOther makes the run send nothing for a record that has the reference tag of
	// another reference. In version 1, the run is paused. In version 2, the run asks an operator.
	changeTaggedByOther = "pause at the mark of another reference"
	// changeSkipFailingNames makes a name that cannot be looked up delay only the request that
	// contains the name.
	changeSkipFailingNames = "go on without names that cannot be looked up"
	// changeLatestPlaybook makes the run discard a plan of a lower version of the playbook than a
	// version that the run has seen.
	changeLatestPlaybook = "plan by the latest version of the playbook"
	// changeCallAgain makes a failed call of a service wake a run that waits for work. After the
	// failed call of a service, the run waits until the time of the next call.
	changeCallAgain = "wake for the next call of a service"
	// changeEffectsYield makes the run execute commands before the effects after a transition.
	// Commands also interrupt the inspection of an effect after a transition.
	changeEffectsYield = "give way to commands after a transition"
	// changeReadBeforeFailing makes the run read the record, if a read is due, before the run
	// reports waiting messages as failed.
	changeReadBeforeFailing    = "read before failing what waits"
	changeGiveUpLostActivities = "give up activities that the server has lost"
	// changeReadBackRejected makes the run also read back a lost request when the API rejected some
	// changes of the request.
	changeReadBackRejected = "read back a request with rejected changes"
	// changeOverwrittenUpdates makes a read after a reset count an update as done when several
	// later updates together overwrote the values of the update.
	changeOverwrittenUpdates = "read back updates that later updates overwrote"
	changeInspectAhead       = "inspect the next effects together"
	changeExpiredReservation = "raise attention for expired places"
	// changeBlockedFollowUps makes the later follow-ups of a series wait for a follow-up that waits
	// for an operator. If the opportunity has ended since a mail was due, the first retry of the
	// mail only asks the operator again.
	changeBlockedFollowUps = "wait for mails that were not sent"
	changeRecordAttention  = "raise attention for a record that cannot be read"
	// changePlacesPerEvent reports for each event whether the requested places are held. Without this
	// change, the reservation of the opportunity counts for all events of the opportunity.
	changePlacesPerEvent    = "report reserved places per event"
	changeManualTransitions = "do the effects of transitions by hand"
	// changeRevisions makes the run discard the results that background work found for an earlier
	// revision of the state. When an operator pauses the opportunity during the inspection of an
	// effect, changeRevisions also makes the run wait with the effect.
	changeRevisions = "discard what was found for an earlier state"
	// changeJoinEffects sends independent requests of several effects after a transition together, and
	// sends a request whose data a response shows without another inspection.
	changeJoinEffects = "send the requests of several effects together"
	// changeMailsAfterReset lets an operator decide about the mails of follow-ups that come due after a
	// reset, while the record stays in the step that it had at the reset.
	changeMailsAfterReset = "ask about mails of follow-ups after a reset"
	// changeResetWait shows in the view why the run waits after a reset.
	changeResetWait = "show the wait after a reset"
	// changeUnnamedPlaces keeps the run of a won opportunity open while places are held for people
	// without names.
	changeUnnamedPlaces = "keep open for unnamed places"
)

func hasChange(ctx workflow.Context, change string) bool {
	return workflow.GetVersion(ctx, change, workflow.DefaultVersion, 1) != workflow.DefaultVersion
}
