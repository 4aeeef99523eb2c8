package playbook

// The limits of a playbook keep plans small and loading quick.
const (
	// MaxFileBytes is the largest file.
	MaxFileBytes = 256 << 10
	// MaxRules is the highest number of transitions, and of reactions, steps, mails and services.
	MaxRules = 200
	// MaxEffects is the highest number of effects in one list of a rule. MaxAllEffects is the highest number in all
	// transitions and reactions together.
	MaxEffects    = 20
	MaxAllEffects = 400
	// MaxFollowUps is the highest number of follow-ups of a step.
	MaxFollowUps = 20
	// MaxRepetitions is the highest number of times that a follow-up may be done.
	MaxRepetitions = 20
	// MaxFollowUpsPerOpportunity is the highest cap of follow-ups of one opportunity.
	// DefaultFollowUpsPerOpportunity is the cap if the playbook gives no cap.
	MaxFollowUpsPerOpportunity     = 100
	DefaultFollowUpsPerOpportunity = 20
	// MinReservationSeconds is the shortest time for which places may be reserved. When a
	// reservation expires, a rule may reserve places again, and nothing else limits how often the
	// rule does so.
	MinReservationSeconds = 60
	// MaxHolidays is the highest number of holidays of a calendar.
	MaxHolidays = 1000
	// MaxTextBytes is the longest text of a template.
	MaxTextBytes = 16 << 10
	// MaxExpressionBytes is the longest condition.
	MaxExpressionBytes = 1 << 10
	// MaxLineBytes is the longest text of a template on one line.
	MaxLineBytes = 1 << 10
)

const (
	// maxRenderedBytes is the longest part of a filled-in text that a plan contains.
	maxRenderedBytes = 4 << 10
	// maxListed is the highest number of problems, and of skipped follow-ups, in a plan.
	maxListed = 50
	// maxNesting is how deep lists of interests may be nested in a condition, so that a condition
	// is evaluated quickly.
	maxNesting = 2
)
