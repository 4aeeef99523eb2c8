package workflows

import (
	"slices"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/entity"
	"github.com/oppflow/oppflow/lifecycle"
)

// publish sets the search attributes that changed, in one history event. publish also sets the
// current details, which add no history event.
func (r *run) publish(ctx workflow.Context) {
	workflow.SetCurrentDetails(ctx, r.state.CurrentDetails())
	if changes := r.attributeChanges(ctx, currentAttributes(ctx)); len(changes) > 0 {
		if err := workflow.UpsertTypedSearchAttributes(ctx, changes...); err != nil {
			workflow.GetLogger(ctx).Error("the search attributes could not be set", "error", err)
		}
	}
}

// attributeChanges returns the updates that turn the search attributes shown into the search
// attributes of the state. A run that continues as new keeps the search attributes of the previous
// run.
func (r *run) attributeChanges(ctx workflow.Context, shown temporal.SearchAttributes) []temporal.SearchAttributeUpdate {
	s, now := r.state, workflow.Now(ctx)
	var changes []temporal.SearchAttributeUpdate
	keyword := func(key temporal.SearchAttributeKeyKeyword, value string) {
		if current, set := shown.GetKeyword(key); value != "" && (!set || current != value) {
			changes = append(changes, key.ValueSet(value))
		}
	}
	region := s.Details.Region.Name
	if region == "" {
		region = string(s.Details.Region.ID)
	}
	keyword(lifecycle.OpportunityID, string(s.ID))
	keyword(lifecycle.OpportunityAccount, string(s.Details.Account.ID))
	keyword(lifecycle.OpportunityStep, s.Step.Name)
	keyword(lifecycle.OpportunityRegion, region)
	keyword(lifecycle.OpportunityState, string(s.Step.Stage.State))
	words := s.AttentionKinds()
	if current, _ := shown.GetKeywordList(lifecycle.OpportunityAttention); !slices.Equal(current, words) {
		if len(words) == 0 {
			changes = append(changes, lifecycle.OpportunityAttention.ValueUnset())
		} else {
			changes = append(changes, lifecycle.OpportunityAttention.ValueSet(words))
		}
	}
	moment := func(key temporal.SearchAttributeKeyTime, value time.Time) {
		current, set := shown.GetTime(key)
		switch {
		case value.IsZero() && set:
			changes = append(changes, key.ValueUnset())
		case !value.IsZero() && (!set || !current.Equal(value)):
			changes = append(changes, key.ValueSet(value))
		}
	}
	until := time.Time{}
	if s.Reservation.Valid {
		until = s.Reservation.Until
	}
	moment(lifecycle.OpportunityReservedUntil, until)
	moment(lifecycle.OpportunityNextActionTime, s.NextActionAt(now))
	since := waitingSince(s)
	if current, set := shown.GetTime(lifecycle.OpportunityWaitingSince); (set || !since.IsZero()) && !current.Equal(since) &&
		hasChange(ctx, "set the search attribute OpportunityWaitingSince") {
		moment(lifecycle.OpportunityWaitingSince, since)
	}
	return changes
}

// waitingSince returns when the oldest of the things began for which the opportunity has attention,
// or zero without attention. A wait begins before its attention.
func waitingSince(s *entity.State) time.Time {
	var since time.Time
	for _, attention := range s.Attention {
		if since.IsZero() || attention.Since.Before(since) {
			since = attention.Since
		}
	}
	if s.Wait != nil && !s.Wait.Since.IsZero() && s.Wait.Since.Before(since) {
		since = s.Wait.Since
	}
	return since
}
