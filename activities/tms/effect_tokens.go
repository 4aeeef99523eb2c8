package tms

import (
	"cmp"
	"context"
	"errors"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms/runs"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// tokensHandler checks whether the TMS issued the training tokens of the interests. Only the TMS
// issues tokens, so the effect has nothing to undo.
type tokensHandler struct{ *Activities }

func (h effectHandlers) Tokens() effectHandler { return tokensHandler{h.activities} }

func (e tokensHandler) inspect(ctx context.Context, in activities.EffectInput) (activities.InspectResult, error) {
	out := activities.InspectResult{UndoEntry: in.UndoEntry, RunID: runs.CurrentID(ctx)}
	settings := settingsOf[exchange.AwaitTokens](in)
	if settings == nil {
		out.Error = opportunity.Invalidf("the settings of the effect contain no time by which the TMS must issue the training tokens")
		return out, nil
	}
	wanted := countTokens(in.Interests)
	if in.Undo || wanted.total == 0 {
		return out, nil
	}
	until := settings.WaitUntil
	issues, err := e.readIssuedTokens(ctx, in.Opportunity)
	switch {
	case err != nil:
		return out, readError(err)
	case !issues.Shown && in.Now.Before(until):
		// The API does not show tokens, so the effect only waits for the deadline, and later effects need
		// not wait.
		out.RecheckAt, out.NonBlocking = until, true
		return out, nil
	case !issues.Shown:
		out.Error = opportunity.Failf(opportunity.Undecided, "the API does not show whether tokens were issued; check in the TMS that %s were issued, then send the message confirm", plural(wanted.total, "token"))
		return out, nil
	}
	missing := wanted.missing(issues.Issues)
	switch {
	case missing == 0:
	case in.Now.Before(until):
		out.UndoEntry, out.RecheckAt = nextPoll(in.UndoEntry, in.Now, until)
	default:
		out.Error = opportunity.Failf(opportunity.NotFound, "the TMS issued %d of %s before the deadline %s; issue the missing tokens in the TMS, then send the message retry",
			wanted.total-missing, plural(wanted.total, "token"), formatTime(until))
	}
	return out, nil
}

func (e tokensHandler) readIssuedTokens(ctx context.Context, id opportunity.ID) (administrate.TokenIssues, error) {
	if !e.api.ShowsTokenIssues() {
		return administrate.TokenIssues{}, nil
	}
	issues, err := e.api.TokenIssues(ctx, string(id))
	if errors.As(err, new(*administrate.RefusedError)) {
		return administrate.TokenIssues{}, nil // the assumption that the API shows issued tokens does not hold
	}
	return issues, err
}

// boughtTokens contains the number of bought tokens of each type with a known id, and the total
// number.
type boughtTokens struct {
	byType map[string]int
	total  int
}

func countTokens(interests []opportunity.RecordedInterest) boughtTokens {
	wanted := boughtTokens{byType: make(map[string]int)}
	for _, held := range interests {
		if cmp.Or(held.Kind, (opportunity.Interest{Item: held.Item}).ResolvedKind()) != opportunity.Tokens {
			continue
		}
		wanted.total += held.Quantity
		if opportunity.ID(held.Item).Type() == opportunity.TypeTokens {
			wanted.byType[held.Item] += held.Quantity
		}
	}
	return wanted
}

// For a type with a known id, only issued tokens of this type count. Issued tokens of other types
// and surplus tokens count for the types whose id is not known.
func (w boughtTokens) missing(issues []administrate.TokenIssue) int {
	issued, spare := make(map[string]int), 0
	for _, issue := range issues {
		issued[issue.TokenTypeID] += issue.Quantity
	}
	missing, named := 0, w.total
	for id, quantity := range w.byType {
		got := min(quantity, issued[id])
		issued[id] -= got
		missing += quantity - got
		named -= quantity
	}
	for _, left := range issued {
		spare += left
	}
	return missing + max(0, named-spare)
}

func (e tokensHandler) execute(ctx context.Context, in activities.EffectInput) (activities.ExecuteResult, error) {
	if run, other := runs.DetectReset(ctx, in.RunID); other {
		return activities.ExecuteResult{CallResult: runs.ResetResult(run)}, nil
	}
	return rejectedResult(opportunity.Invalidf("training tokens can be issued only by the TMS, not by Oppflow")), nil
}
