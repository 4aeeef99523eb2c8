package playbook

// The limits of a playbook keep plans small and loading quick.
const (
	// MaxFileBytes is the largest file.
	MaxFileBytes = 256 << 10
	// MaxRules is the highest number of transitions in a playbook. MaxRules is also the highest number of reactions, of
	// steps, of mails and of services.
	MaxRules = 200
	// MaxEffects is the highest number of effects in one list of a rule. MaxAllEffects is the highest number of effects
	// in all transitions and reactions together.
	MaxEffects    = 20
	MaxAllEffects = 400
	// MaxFollowUps is the highest number of follow-ups of a step.
	MaxFollowUps = 20
	// MaxRepetitions is the highest number of times that a follow-up may be done.
	MaxRepetitions = 20
	// MaxFollowUpsPerOpportunity is the highest cap that a playbook can set for the follow-ups of one opportunity.
	// DefaultFollowUpsPerOpportunity is the cap when the playbook sets no cap.
	MaxFollowUpsPerOpportunity     = 100
	DefaultFollowUpsPerOpportunity = 20
	// MinReservationSeconds is the shortest time for which places may be reserved. When a reservation expires, a rule
	// may reserve places again; only MinReservationSeconds limits how often the rule does so.
	MinReservationSeconds = 60
	// MaxHolidays is the highest number of holidays of a calendar.
	MaxHolidays = 1000
	// MaxTextBytes is the longest template, in bytes.
	MaxTextBytes = 16 << 10
	// MaxExpressionBytes is the longest condition.
	MaxExpressionBytes = 1 << 10
	// MaxLineBytes is the longest template of a text on one line, in bytes.
	MaxLineBytes = 1 << 10
)

const (
	// maxRenderedBytes is how many bytes of a filled-in text a plan contains at most.
	maxRenderedBytes = 4 << 10
	// maxListed is the highest number of problems in a plan, and also of skipped follow-ups.
	maxListed = 50
	// maxNesting is how deep loops over interests may be nested in a condition, so that a condition is evaluated
	// quickly.
	maxNesting = 2
)
