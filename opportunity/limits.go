package opportunity

import "time"

// This list contains all limits of what one opportunity keeps or accepts, so that the size of the
// state can be checked in one place. Together the limits keep the state that a run passes to the
// next run below MaxStateBytes.
const (
	// MaxReferenceLength is the longest reference, in characters.
	MaxReferenceLength = 200
	// MaxRequestIDLength is the longest request id, in bytes.
	MaxRequestIDLength = 200
	// MaxSourceLength is the longest source, in bytes, which is also Temporal's limit
	// for a fairness key.
	MaxSourceLength = 64
	// MaxInterestsPerCommand is the maximum number of interests in one addInterests message.
	MaxInterestsPerCommand = 100
	// MaxInterests is the maximum number of interests of one opportunity.
	MaxInterests = 500
	// MaxLearners is the maximum number of learners and contacts that one interest may name.
	MaxLearners = 500
	// MaxCommandBytes is the size of the largest message, in bytes of JSON.
	MaxCommandBytes = 256 << 10
	// MaxUpdateBytes is the size in bytes of the largest update, with its headers and Temporal's
	// additions. Ten updates of this size must fit into the response to one workflow task, which
	// has at most 4 MiB.
	MaxUpdateBytes = MaxCommandBytes + 64<<10
	// MaxQuantity is the largest quantity of one interest; the largest Int of the API is 2³¹−1.
	MaxQuantity = 1_000_000
	// MaxTextLength is the longest name, code or other free text, in characters.
	MaxTextLength = 255

	// MaxRememberedRequests is how many request ids a run remembers in order to recognise a
	// repeated request.
	MaxRememberedRequests = 10_000
	// MaxOutcomes is how many outcomes a run keeps completely.
	MaxOutcomes = 200
	// MaxOutcomeBytes is the largest JSON size, in bytes, of the outcomes that a run keeps
	// completely; the run removes the oldest outcomes first.
	MaxOutcomeBytes = 128 << 10
	// MaxErrorLabel is the maximum number of characters of an error's label, and of an error's value,
	// in an outcome. MaxErrorMessage is the maximum number of characters of an error's message in an
	// outcome. The API does not limit the length of its own texts.
	MaxErrorLabel   = 100
	MaxErrorMessage = 500
	// MaxRecordedItem is the maximum length, in characters, of the caller's name for an item in a
	// recorded interest. An id is far shorter.
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

	// ParkAfterErrors is how many consecutive server errors the API must return for a command
	// before Oppflow parks the command. ParkAfter is the shortest time between the first of these
	// errors and the moment at which Oppflow parks the command.
	ParkAfterErrors = 5
	ParkAfter       = 10 * time.Minute
	// MaxParked is how many commands may be parked, and MaxParkedBytes is the largest JSON size of
	// the parked commands, in bytes. When a command cannot be parked, Oppflow sends the command
	// repeatedly, and the other commands wait.
	MaxParked      = 20
	MaxParkedBytes = 64 << 10

	// MaxActiveEffectBytes is the largest JSON size of the active effects when an effect starts, in
	// bytes. This size does not include undo entries that Oppflow adds later.
	MaxActiveEffectBytes = 32 << 10
	// MaxEffectResults is how many effect results the view shows.
	MaxEffectResults = 50
	// MaxAttendeeBytes is the largest JSON size, in bytes, of the attendees that a run keeps for a
	// playbook that may register attendees.
	MaxAttendeeBytes = 32 << 10

	// MaxFollowUps is how many planned follow-ups a run keeps: the earliest follow-ups.
	// MaxFollowUps is also the maximum number of snoozed follow-ups. MaxFollowUpBytes is the
	// largest JSON size of all kept follow-ups, in bytes.
	MaxFollowUps     = 20
	MaxFollowUpBytes = 32 << 10
	// MaxCancelledFollowUps is how many follow-ups of one opportunity may be cancelled. A run keeps
	// every cancelled follow-up, so that a later plan does not plan the follow-up once more.
	MaxCancelledFollowUps = 100
	// MaxSkippedFollowUps is how many skipped follow-ups the view shows.
	MaxSkippedFollowUps = 20

	// MaxWaitingUpdates is how many updates with commands may wait for their outcomes at the same
	// time; a further update returns pending immediately. The server allows ten open updates of one
	// run, so two of the ten are reserved for an operator's updates.
	MaxWaitingUpdates = 8

	// ExpiryTolerance is the maximum difference between the expiry time that the API returns and
	// the requested expiry time.
	ExpiryTolerance = 5 * time.Minute
	// MaxUpdateWait is how long an update waits for its outcome before it returns
	// pending.
	MaxUpdateWait = 20 * time.Second
)
