package chaos

import (
	"time"

	"github.com/oppflow/oppflow/sandbox/fault"
)

// backgroundFaults are the faults that are set during the whole experiment; each fault has its own
// seed. No background fault holds requests, because only the disruptions that kill workers hold
// requests. times is how often the faults were set before. times changes the seeds, so the faults
// affect other requests each time.
func backgroundFaults(o Options, times uint64) []fault.Rule {
	const often, seldom, progress, details, interest = 0.012, 0.008, "opportunities.progress", "opportunities.update", "opportunities.addInterest"
	rules := []fault.Rule{
		{Kind: fault.ErrorBefore, Probability: often},
		{Kind: fault.ErrorAfter, Probability: often},
		{Kind: fault.DropBefore, Probability: often},
		{Kind: fault.DropAfter, Probability: often},
		{Kind: fault.TooManyRequests, Probability: often, RetryAfter: fault.Duration(time.Second)},
		// If the API refuses several tokens that are less than a minute old, a worker requests no
		// token for up to a minute.
		{Kind: fault.ExpireTokens, From: 30, Every: 2000},
		{Kind: fault.Truncated, Probability: often},
		{Kind: fault.Malformed, Probability: often},
		{Kind: fault.Slow, Probability: often, Delay: fault.Duration(o.SlowTime)},
		{Kind: fault.FailField, Operation: progress, Probability: often},
		{Kind: fault.FailField, Operation: details, Probability: often},
		{Kind: fault.FailField, Operation: interest, Probability: often},
		{Kind: fault.FailTrigger, Operation: progress, Probability: often},
		{Kind: fault.Late, Probability: seldom, Delay: fault.Duration(o.LateBy)},
		{Kind: fault.Late, Operation: interest, From: 8, Every: 20, Delay: fault.Duration(o.LateBy)}, // makes some interests late in every experiment
	}
	for i := range rules {
		rules[i].Seed = o.Seed + uint64(i) + times<<32
	}
	return rules
}
