package opportunity

import "time"

// All caps of what one opportunity keeps or accepts are here, so that the size of the
// state can be checked in one place. Together they keep the state that a run hands to
// the next run below MaxStateBytes.
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
	// MaxUpdateBytes is the largest update, with its headers and Temporal's additions.
	// Ten of them must fit into the response to one workflow task, which has 4 MiB.
	MaxUpdateBytes = MaxCommandBytes + 64<<10
	// MaxQuantity is the largest quantity of one interest; the API's Int ends at 2³¹−1.
	MaxQuantity = 1_000_000
	// MaxTextLength is the longest name, code or other free text, in characters.
	MaxTextLength = 255

	// MaxRememberedRequests is how many request ids are remembered, so that a
	// repeated request is recognised.
	MaxRememberedRequests = 10_000
	// MaxOutcomes is how many outcomes can be asked for again in full.
	MaxOutcomes = 200
	// MaxOutcomeBytes is the most JSON those outcomes may take together; the
	// oldest go first.
	MaxOutcomeBytes = 128 << 10
	// MaxErrorLabel and MaxErrorMessage are how much of an error an outcome keeps, in
	// characters: of its label and value, and of its message. The API's own texts have
	// no limit.
	MaxErrorLabel   = 100
	MaxErrorMessage = 500
	// MaxRecordedItem is how much of the caller's name for an item is kept with the
	// interest, in characters; ids are far shorter.
	MaxRecordedItem = 80
	// MaxTimeline is how many entries the timeline shows.
	MaxTimeline = 50

	// MaxChangesPerRequest is the most changes one API request carries.
	MaxChangesPerRequest = 20
	// MaxRequestBytes is the most JSON of changes one API request carries.
	MaxRequestBytes = 256 << 10

	// MaxWaitingBytes is the most JSON of waiting commands that a run may hand to the
	// run that continues it. The server terminates a workflow whose input passes 2 MiB,
	// so a run with more commands works them off first.
	MaxWaitingBytes = 256 << 10
	// MaxStateBytes is the most JSON of state a run may hand over.
	MaxStateBytes = 1 << 20

	// ParkAfterErrors and ParkAfter decide when the others go on without a command:
	// after this many of the API's own errors, over at least this time.
	ParkAfterErrors = 5
	ParkAfter       = 10 * time.Minute
	// MaxParked is how many commands may be parked, MaxParkedBytes the most JSON that
	// they may have in the input of the next run. A command without room is sent again
	// and again, and the others wait.
	MaxParked      = 20
	MaxParkedBytes = 64 << 10

	// MaxActiveEffectBytes is the most JSON of effects under way at which further ones may begin;
	// the facts kept of effects under way come on top.
	MaxActiveEffectBytes = 32 << 10
	// MaxEffectResults is how many effects that ended are shown.
	MaxEffectResults = 50
	// MaxAttendeeBytes is the most JSON of people to be trained that is kept for a
	// playbook that may register them.
	MaxAttendeeBytes = 32 << 10

	// MaxFollowUps is how many planned follow-ups are kept, the earliest ones, and how
	// many may be put off; MaxFollowUpBytes is the most JSON they may take together.
	MaxFollowUps     = 20
	MaxFollowUpBytes = 32 << 10
	// MaxCancelledFollowUps is how many follow-ups may be cancelled; cancelled ones are
	// never forgotten, since they would be planned again.
	MaxCancelledFollowUps = 100
	// MaxSkippedFollowUps is how many follow-ups that will not be done are shown.
	MaxSkippedFollowUps = 20

	// MaxWaitingUpdates is how many updates of commands wait for their outcome at once;
	// a further update returns pending at once. The server holds ten open updates of one
	// run, and an operator's update must always find room.
	MaxWaitingUpdates = 8

	// ExpiryTolerance is how far the API's expiry may differ from the requested expiry.
	ExpiryTolerance = 5 * time.Minute
	// MaxUpdateWait is how long an update waits for its outcome before it returns
	// pending.
	MaxUpdateWait = 20 * time.Second
)
