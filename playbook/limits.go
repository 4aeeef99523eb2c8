package playbook

// What a playbook may hold at most, so that plans stay small and loading one is
// quick.
const (
	// MaxFileBytes is the largest file.
	MaxFileBytes = 256 << 10
	// MaxRules is how many transitions, happenings, steps, mails and services each
	// there may be.
	MaxRules = 200
	// MaxEffects is how many effects one list of a rule may have, and MaxAllEffects
	// how many all transitions and happenings may have together.
	MaxEffects    = 20
	MaxAllEffects = 400
	// MaxFollowUps is how many follow-ups a step may have.
	MaxFollowUps = 20
	// MaxTimes is how often a follow-up may be repeated.
	MaxTimes = 20
	// MaxCap is the highest cap of follow-ups of one opportunity, and DefaultCap
	// the one that holds where none is given.
	MaxCap     = 100
	DefaultCap = 20
	// MinHoldSeconds is the shortest time for which places may be held. What is done when places lapse may ask for
	// places again, and nothing else limits how often that is.
	MinHoldSeconds = 60
	// MaxHolidays is how many holidays a calendar may have.
	MaxHolidays = 1000
	// MaxTextBytes is the longest text of a template.
	MaxTextBytes = 16 << 10
	// MaxExpressionBytes is the longest condition.
	MaxExpressionBytes = 1 << 10
	// MaxLineBytes is the longest text of a template on one line.
	MaxLineBytes = 1 << 10
	// MaxMistakes is how many mistakes are told at once.
	MaxMistakes = 100
)

const (
	// maxWrittenBytes is how much of a text that was filled in a plan holds.
	maxWrittenBytes = 4 << 10
	// maxTold is how many problems, and how many follow-ups that are left out, a
	// plan tells of.
	maxTold = 50
	// maxNesting is how deep lists of interests may be gone through inside of one
	// another, so that deciding a condition is quick.
	maxNesting = 2
)
