package tms

import (
	"cmp"
	"context"
	"errors"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/opportunity"
)

// ensureTokens looks whether the training tokens of the interests were issued, which
// only the TMS does. Undoing it there is nothing to do.
type ensureTokens struct{ *Activities }

func (e ensureTokens) inspect(ctx context.Context, in activities.EffectInput) (activities.InspectResult, error) {
	out := activities.InspectResult{Trace: in.Trace, Run: runOf(ctx)}
	wanted := 0
	for _, held := range in.Interests {
		if cmp.Or(held.Kind, (opportunity.Interest{Item: held.Item}).ResolvedKind()) == opportunity.Tokens {
			wanted += held.Quantity
		}
	}
	if in.Undo || wanted == 0 || in.Effect.Tokens == nil {
		return out, nil
	}
	issues, err := e.api.TokenIssues(ctx, string(in.Opportunity))
	var refused *administrate.RefusedError
	switch {
	case errors.As(err, &refused), err == nil && !issues.Shown:
		out.Error = opportunity.Failf(opportunity.Rejected, "this TMS does not tell whether %s were issued; look there, and answer skip when they were", counted(wanted, "token"))
		return out, nil
	case err != nil:
		return out, reading(err)
	}
	issued := 0
	for _, issue := range issues.Issues {
		issued += issue.Quantity
	}
	switch until := in.Effect.Tokens.WaitUntil; {
	case issued >= wanted:
	case in.Now.Before(until):
		out.Again = lookAgain(in.Now, until)
	default:
		out.Error = opportunity.Failf(opportunity.NotFound, "%d of %s were issued by %s; issue the others in the TMS, then answer retry", issued, counted(wanted, "token"), stamp(until))
	}
	return out, nil
}

// carryOut does nothing: there is nothing to do about tokens.
func (e ensureTokens) carryOut(context.Context, activities.EffectInput) (activities.CarryOutResult, error) {
	return rejected(opportunity.Invalidf("tokens are issued by the TMS only")), nil
}
