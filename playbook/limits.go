package playbook

// The limits of a playbook keep plans small and loading quick.
const (
	// MaxFileBytes is the largest size of a playbook file, in bytes.
	MaxFileBytes = 256 << 10
	// MaxRules is the highest number of transitions in a playbook, and also of reactions, of steps,
	// of mails and of services.
	MaxRules = 200
	// MaxEffects is the highest number of effects in one list of a rule. MaxAllEffects is the highest number of effects
	// in all transitions and reactions together.
	MaxEffects    = 20
	MaxAllEffects = 400
	// MaxFollowUps is the highest number of follow-up rules of a step.
	MaxFollowUps = 20
	// MaxRepetitions is the highest number of times that a follow-up may be done.
	MaxRepetitions = 20
	// MaxFollowUpsPerOpportunity is the highest value of Rules.FollowUpsAtMost.
	// DefaultFollowUpsPerOpportunity is the default value.
	MaxFollowUpsPerOpportunity     = 100
	DefaultFollowUpsPerOpportunity = 20
	// MinReservationSeconds is the shortest time for which places may be reserved. When a reservation expires, a rule
	// may reserve places again; only MinReservationSeconds limits how often the rule does so.
	MinReservationSeconds = 60
	// MaxHolidays is the highest number of holidays of a calendar.
	MaxHolidays = 1000
	// MaxTextBytes is the longest template, in bytes.
	MaxTextBytes = 16 << 10
	// MaxExpressionBytes is the longest condition, in bytes.
	MaxExpressionBytes = 1 << 10
	// MaxLineBytes is the longest template of a text on one line, in bytes.
	MaxLineBytes = 1 << 10
)

const (
	// maxRenderedBytes is the longest filled-in text in a plan, in bytes.
	maxRenderedBytes = 4 << 10
	// maxListed is the highest number of problems in a plan, and also of skipped follow-ups.
	maxListed = 50
	// maxNesting limits the nesting of loops over interests in a condition, so that Oppflow
	// evaluates the condition quickly.
	maxNesting = 2
)
