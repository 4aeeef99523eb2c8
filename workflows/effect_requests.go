package workflows

import (
	"slices"
	"strings"

	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/entity"
	"github.com/oppflow/oppflow/exchange"
)

// effectRequest is the next request of an active effect.
type effectRequest struct {
	effect  entity.ActiveEffect
	request exchange.EffectRequest
}

// inspectedEffect is a later effect of a chain, with an inspection that was made together with the
// inspection of the current effect.
type inspectedEffect struct {
	effect entity.ActiveEffect
	found  entity.Inspection
	// usesCreated says that the request contains the account or the contacts that a request before it
	// created.
	usesCreated bool
}

// sendEffectRequests sends the request of an effect. After a transition, one API request also
// contains the independent requests of the next effects in the chain, and a request whose data a
// response shows follows without another inspection. The next inspection checks the result of all
// these requests.
func (r *run) sendEffectRequests(ctx workflow.Context, first effectRequest, revision int) {
	inspectedAt, following := r.inspections.at, r.followingEffects(ctx, first.effect)
	var sent []exchange.EffectRequestKind
	for due := []effectRequest{first}; ; {
		due, following = r.joinRequests(ctx, due, sent, following)
		if len(due) == 0 {
			return
		}
		results := r.executeEffects(ctx, due)
		if !r.applyEffectResults(ctx, due, results) {
			return
		}
		for _, one := range due {
			sent = append(sent, one.request.Kind)
		}
		due, following = r.nextRequests(ctx, due, results, following)
		if len(due)+len(following) == 0 || workflow.Now(ctx).Sub(inspectedAt) > maxInspectionAge ||
			r.isInterrupted(ctx) || r.isInspectionOutdated(ctx, first.effect, revision) {
			return
		}
	}
}

// followingEffects returns the next effects in the chain that were inspected together with the
// effect, if one of them needs a request.
func (r *run) followingEffects(ctx workflow.Context, active entity.ActiveEffect) []inspectedEffect {
	if !r.mayJoin(active) || r.inspections.revision != r.revision || workflow.Now(ctx).Sub(r.inspections.at) > maxInspectionAge {
		return nil
	}
	var following []inspectedEffect
	needsRequest := false
	for _, next := range r.state.EffectsAhead(active.Effect.Key, workflow.Now(ctx)) {
		found, is := r.inspections.found[next.Effect.Key]
		if !is {
			break
		}
		following = append(following, inspectedEffect{effect: next, found: inspectionOf(found)})
		needsRequest = needsRequest || found.Request != nil
	}
	if !needsRequest || !hasChange(ctx, changeJoinEffects) {
		return nil
	}
	return following
}

// mayJoin reports whether the requests of later effects may travel with a request of the effect.
// Before a transition, and in a follow-up, each effect waits for the result of the effect before it.
func (r *run) mayJoin(active entity.ActiveEffect) bool {
	return active.IsAfter() && active.Number == 0 && !r.separateEffects
}

// joinRequests adds the requests of the following effects to the requests that are due, in the order
// of the chain. joinRequests stops at the first effect whose request depends on a request that is due
// or was sent. It also returns the effects that still follow.
func (r *run) joinRequests(ctx workflow.Context, due []effectRequest, sent []exchange.EffectRequestKind, following []inspectedEffect) ([]effectRequest, []inspectedEffect) {
	for len(following) > 0 {
		next, found := following[0], following[0].found
		if found.NextRequest != nil {
			found.NextRequest, next.usesCreated = withAccount(*found.NextRequest, due, next.usesCreated)
		}
		switch {
		case found.Error != nil, !found.RecheckAt.IsZero() && !found.NonBlocking:
			return due, nil
		case found.NextRequest == nil:
			following = following[1:]
			continue
		case !next.usesCreated && !isIndependentOf(due, sent, found.NextRequest.Kind), entity.NeedsContacts(*found.NextRequest):
			return due, following
		}
		act := r.state.ApplyInspection(next.effect.Effect.Key, found, workflow.Now(ctx))
		if act == nil {
			return due, nil
		}
		next.effect.UndoEntry = found.UndoEntry
		due, following = append(due, effectRequest{next.effect, *act}), following[1:]
	}
	return due, nil
}

func isIndependentOf(due []effectRequest, sent []exchange.EffectRequestKind, kind exchange.EffectRequestKind) bool {
	return !slices.ContainsFunc(sent, func(other exchange.EffectRequestKind) bool { return !exchange.IsIndependent(other, kind) }) &&
		!slices.ContainsFunc(due, func(other effectRequest) bool { return !exchange.IsIndependent(other.request.Kind, kind) })
}

// withAccount returns the request to create contacts with the account that a request before it sets
// on the record, and true. Another request stays unchanged.
func withAccount(request exchange.EffectRequest, before []effectRequest, usesCreated bool) (*exchange.EffectRequest, bool) {
	at := slices.IndexFunc(before, func(one effectRequest) bool { return one.request.Kind == exchange.RequestSetAccount })
	if at < 0 || request.Kind != exchange.RequestCreateContacts {
		return &request, usesCreated
	}
	request = request.WithAccount(before[at].request.Target)
	return &request, true
}

// executeEffects sends the requests in one activity, and returns their results in the same order.
func (r *run) executeEffects(ctx workflow.Context, due []effectRequest) []activities.ExecuteResult {
	ctx, stop := workflow.NewDisconnectedContext(ctx)
	defer stop()
	first := due[0]
	input := r.effectInput(ctx, first.effect)
	input.Request, input.RunID = &first.request, r.believedRunID
	summary := []string{first.request.Kind.Summary()}
	for _, next := range due[1:] {
		input.Ahead = append(input.Ahead, activities.EffectAhead{Effect: next.effect.Effect, UndoEntry: next.effect.UndoEntry, Request: &next.request})
		if needsAttendees(next.effect.Effect) {
			input.Attendees = r.state.Attendees
		}
		summary = append(summary, next.request.Kind.Summary())
	}
	ctx = workflow.WithActivityOptions(ctx, withEffectPriority(first.effect, r.changeOptions(strings.Join(summary, ", "))))
	result := executeChange(ctx, r, activities.ExecuteEffect, input, func(result activities.ExecuteResult) bool { return result.Proves(input) },
		func(s activities.CallResult) activities.ExecuteResult { return activities.ExecuteResult{CallResult: s} })
	results := append([]activities.ExecuteResult{result}, result.Ahead...)
	for len(results) < len(due) { // the result applies to the whole request
		results = append(results, activities.ExecuteResult{CallResult: result.CallResult})
	}
	return results
}

// applyEffectResults stores the results of the requests, and reports whether all requests were done.
func (r *run) applyEffectResults(ctx workflow.Context, due []effectRequest, results []activities.ExecuteResult) bool {
	if first := results[0]; first.Status == exchange.StatusNotSent && first.Reason == activities.ReasonNotJoined {
		r.separateEffects = true
		return false
	} else if first.Status == exchange.StatusNotSent {
		r.handleNotSent(ctx, due[0].effect, due[0].request, first.CallResult)
		return false
	}
	if at := slices.IndexFunc(results, func(one activities.ExecuteResult) bool { return one.Status == exchange.StatusUnknown }); at >= 0 {
		// An inspection before the settle time is over could miss the effect of the request.
		settling, stop := workflow.NewDisconnectedContext(ctx)
		defer stop()
		if r.waitSettleTime(settling, results[at].Reason) != nil {
			return false // cannot be cancelled
		}
	} else {
		r.resetBackOff()
	}
	done := true
	for i, one := range due {
		result := results[i]
		done = done && result.Status == exchange.StatusDone
		r.state.ApplyEffectRequestResult(one.effect.Effect.Key, one.request, exchange.ChangeResult{Status: result.Status, Error: result.Error, About: result.About},
			result.UndoEntry, result.Contacts, workflow.Now(ctx))
	}
	return done
}

// nextRequests returns the requests whose data the results of the done requests show. The returned
// following effects contain the contacts that the done requests created.
func (r *run) nextRequests(ctx workflow.Context, done []effectRequest, results []activities.ExecuteResult, following []inspectedEffect) ([]effectRequest, []inspectedEffect) {
	var next []effectRequest
	for i, result := range results {
		if result.Next != nil && r.mayJoin(done[i].effect) && hasChange(ctx, changeJoinEffects) {
			effect := done[i].effect
			effect.UndoEntry = result.UndoEntry
			next = append(next, effectRequest{effect, *result.Next})
		}
		if len(result.CreatedContacts) > 0 && len(following) > 0 {
			following[0].found, following[0].usesCreated = following[0].found.WithCreatedContacts(result.CreatedContacts)
		}
	}
	return next, following
}
