package tms

import (
	"context"
	"slices"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms/names"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// When an account is merged into another account, a worker or a run may still store the old id of
// the merged account. The API rejects the old id, although the caller gave a name and not the old
// id.

// lookUpRejected looks up again those names whose ids were part of a rejected request. The result
// is empty if the look-up fails or no name needs a look-up.
func (a *Activities) lookUpRejected(ctx context.Context, wanted []exchange.UnresolvedName, d *names.Resolver) []exchange.ResolvedName {
	old := slices.DeleteFunc(slices.Clone(wanted), func(name exchange.UnresolvedName) bool {
		id, used := d.Used[name]
		return !used || a.nameCache.IsFresh(name, id)
	})
	if len(old) == 0 {
		return nil
	}
	a.nameCache.Forget(old)
	ctx, cancel := a.withSideReadTimeout(ctx)
	defer cancel()
	candidates, err := a.nameFinder().Find(ctx, old)
	if err != nil {
		return nil
	}
	found := make([]exchange.ResolvedName, len(old))
	for i, name := range old {
		meaning, fault := names.Select(name, candidates[name.Type])
		if fault == nil {
			a.nameCache.Store(name, meaning)
		}
		found[i] = exchange.ResolvedName{UnresolvedName: name, ID: meaning.ID, Error: fault}
	}
	return found
}

// handleRejectedCreate changes the result of a rejected creation if the ids of its names have
// changed. The workflow then sends the creation again with the current ids. If a name no longer
// matches an object, the caller gets the error of the name.
func (a *Activities) handleRejectedCreate(ctx context.Context, result *activities.CallResult, wanted []exchange.UnresolvedName, d *names.Resolver) {
	if !a.isRejectedByAPI(result.Status, result.Error) {
		return
	}
	var moved []exchange.ResolvedName
	for _, one := range a.lookUpRejected(ctx, wanted, d) {
		switch {
		case one.Error != nil:
			result.Error = one.Error
			return
		case one.ID != d.Used[one.UnresolvedName]:
			moved = append(moved, one)
		}
	}
	if len(moved) == 0 {
		return
	}
	*result = activities.CallResult{Status: exchange.StatusNotSent, Reason: activities.ReasonUnresolvedNames, ResolvedNames: moved}
	for _, one := range moved {
		result.MissingNames = append(result.MissingNames, one.UnresolvedName)
	}
}

// handleRejectedChanges replaces the error of each rejected change whose name no longer matches an
// object with the error of the name.
func (a *Activities) handleRejectedChanges(ctx context.Context, changes []exchange.Change, results []exchange.ChangeResult, d *names.Resolver) {
	var wanted []exchange.UnresolvedName
	for i, change := range changes {
		if a.isRejectedByAPI(results[i].Status, results[i].Error) {
			wanted = append(wanted, change.Names()...)
		}
	}
	for _, one := range a.lookUpRejected(ctx, wanted, d) {
		for i, change := range changes {
			if one.Error != nil && a.isRejectedByAPI(results[i].Status, results[i].Error) && slices.Contains(change.Names(), one.UnresolvedName) {
				results[i].Error = one.Error
			}
		}
	}
}

// isRejectedByAPI reports whether the API rejected a change, and a wrong id in the change may be
// the cause. The error that a transition does not exist proves nothing about the name of the target
// step.
func (a *Activities) isRejectedByAPI(status exchange.ChangeStatus, reason *opportunity.Error) bool {
	return status == exchange.StatusRejected && reason != nil && reason.Type == opportunity.Rejected && !a.readOnly
}
