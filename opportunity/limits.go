package opportunity

import "time"

// All limits of what one opportunity keeps or accepts are here, so that the size of the state can
// be checked in one place. Together the limits keep the state that a run passes to the next run
// below MaxStateBytes.
const (
	// MaxReferenceLength is the longest reference, in characters.
	MaxReferenceLength = 200
	// MaxRequestIDLength is the longest request id, in bytes.
	MaxRequestIDLength = 200
	// MaxSourceLength is the longest source, in bytes, which is also Temporal's limit
	// for a fairness key.
	MaxSourceLength = 64
	// MaxInterestsPerCommand is the most interests one addInterests may carry.
	MaxInterestsPerCommand = 100
	// MaxInterests is the most interests one opportunity may have.
	MaxInterests = 500
	// MaxLearners is the most learners and contacts one interest may name.
	MaxLearners = 500
	// MaxCommandBytes is the largest message, in bytes of JSON.
	MaxCommandBytes = 256 << 10
	// MaxUpdateBytes is the largest update, with its headers and Temporal's additions. Ten such
	// updates must fit into the response to one workflow task, which has at most 4 MiB.
	MaxUpdateBytes = MaxCommandBytes + 64<<10
	// MaxQuantity is the largest quantity of one interest; the API's Int ends at 2³¹−1.
	MaxQuantity = 1_000_000
	// MaxTextLength is the longest name, code or other free text, in characters.
	MaxTextLength = 255

	// MaxRememberedRequests is how many request ids are remembered, so that a
	// repeated request is recognised.
	MaxRememberedRequests = 10_000
	// MaxOutcomes is how many outcomes are kept in full.
	MaxOutcomes = 200
	// MaxOutcomeBytes is the largest JSON size of the outcomes that are kept in full, in bytes;
	// the oldest outcomes are dropped first.
	MaxOutcomeBytes = 128 << 10
	// MaxErrorLabel is how many characters of an error's label and value an outcome keeps, and
	// MaxErrorMessage is how many characters of the message. The API's own texts have no limit.
	MaxErrorLabel   = 100
	MaxErrorMessage = 500
	// MaxRecordedItem is how many characters of the caller's name for an item are kept with the
	// interest; ids are far shorter.
	MaxRecordedItem = 80
	// MaxTimeline is how many entries the timeline shows.
	MaxTimeline = 50

	// MaxChangesPerRequest is the most changes one API request carries.
	MaxChangesPerRequest = 20
	// MaxRequestBytes is the largest JSON size of the changes in one API request, in bytes.
	MaxRequestBytes = 256 << 10

	// MaxWaitingBytes is the largest JSON size of the waiting commands that a run may pass to the
	// next run, in bytes. The server terminates a workflow whose input is larger than 2 MiB, so a
	// run with more waiting commands first carries out enough of the commands.
	MaxWaitingBytes = 256 << 10
	// MaxStateBytes is the largest JSON size of the state that a run may pass to the next run, in
	// bytes.
	MaxStateBytes = 1 << 20

	// ParkAfterErrors is how many consecutive server errors of the API a command must meet before
	// it is parked. ParkAfter is the shortest time between the first error and the parking.
	ParkAfterErrors = 5
	ParkAfter       = 10 * time.Minute
	// MaxParked is how many commands may be parked, and MaxParkedBytes is the largest JSON size of
	// the parked commands, in bytes. When a command cannot be parked, Oppflow keeps sending it,
	// and the other commands wait.
	MaxParked      = 20
	MaxParkedBytes = 64 << 10

	// MaxActiveEffectBytes is the largest JSON size of the active effects when an effect starts,
	// in bytes. Undo entries that are added later do not count.
	MaxActiveEffectBytes = 32 << 10
	// MaxEffectResults is how many effect results are shown.
	MaxEffectResults = 50
	// MaxAttendeeBytes is the largest JSON size, in bytes, of the attendees that a run keeps for a
	// playbook that may register attendees.
	MaxAttendeeBytes = 32 << 10

	// MaxFollowUps is how many planned follow-ups are kept (the earliest follow-ups), and also how
	// many follow-ups may be snoozed. MaxFollowUpBytes is the largest JSON size of all kept
	// follow-ups, in bytes.
	MaxFollowUps     = 20
	MaxFollowUpBytes = 32 << 10
	// MaxCancelledFollowUps is how many follow-ups may be cancelled. A run keeps every cancelled
	// follow-up, so that a later plan does not repeat the follow-up.
	MaxCancelledFollowUps = 100
	// MaxSkippedFollowUps is how many skipped follow-ups are shown.
	MaxSkippedFollowUps = 20

	// MaxWaitingUpdates is how many updates of commands wait for their outcome at once; a further
	// update returns pending at once. The server allows ten open updates of one run, so two stay
	// free for an operator's updates.
	MaxWaitingUpdates = 8

	// ExpiryTolerance is how far the API's expiry may differ from the requested expiry.
	ExpiryTolerance = 5 * time.Minute
	// MaxUpdateWait is how long an update waits for its outcome before it returns
	// pending.
	MaxUpdateWait = 20 * time.Second
)
