package tms

import (
	"context"
	"errors"
	"slices"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms/names"
	"github.com/oppflow/oppflow/activities/tms/record"
	"github.com/oppflow/oppflow/activities/tms/runs"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/playbook"
)

// PlanOpportunity reads the record and returns the plan of the worker's playbook. PlanOpportunity
// does not read the record if the workflow knows all that the plan of a transition needs. Otherwise
// PlanOpportunity makes one request for each hundred interests. If the plan depends on events, the
// first request also reads the events of the interests that the workflow knows. Further requests
// read other events, the steps if the target step is unknown, and the regions if the name of the
// region is unknown. For a step that does not exist, the plan is empty, because the API will reject
// the transition.
//
// PlanOpportunity returns an error if another version of the playbook came into force during the
// read, or if the opportunity has already used a later version than the worker's version.
func (a *Activities) PlanOpportunity(ctx context.Context, in activities.PlanInput) (activities.PlanResult, error) {
	begun := time.Now()
	book, err := a.currentPlaybook(ctx)
	switch {
	case err != nil:
		return activities.PlanResult{}, playbookUnavailable("%s", err)
	case book.Version < in.MinPlaybookVersion:
		return activities.PlanResult{}, playbookUnavailable("the worker uses version %d of the playbook, but the opportunity has already used the later version %d", book.Version, in.MinPlaybookVersion)
	}
	result, err := a.makePlan(ctx, in, book)
	if err != nil {
		return activities.PlanResult{}, err
	}
	now, err := a.playbookAfterStart(ctx, time.Since(begun))
	switch {
	case err != nil:
		return activities.PlanResult{}, playbookUnavailable("%s", err)
	case now.Version != book.Version:
		return activities.PlanResult{}, playbookUnavailable("version %d of the playbook came into force while the worker made the plan", now.Version)
	}
	return result, nil
}

func (a *Activities) makePlan(ctx context.Context, in activities.PlanInput, book VersionedPlaybook) (activities.PlanResult, error) {
	// The activity may start long after the workflow scheduled the activity.
	if in.Known != nil && activity.GetInfo(ctx).StartedTime.Sub(in.KnownAt) <= exchange.MaxRecordAge {
		if result, isComplete, err := a.planFromKnown(ctx, in, book); isComplete || err != nil {
			return result, err
		}
	}
	reading := record.NewRead(a.api, in.Opportunity, in.KnownInterests)
	needsEvents := book.Playbook.NeedsEvents(in.PlanFor.Kind)
	readRecord, others := reading.Queries(needsEvents)
	if err := administrate.ReadTogether(ctx, readRecord, others...)[0]; err != nil {
		return activities.PlanResult{}, readError(err)
	}
	raw := reading.Record()
	result := activities.PlanResult{Record: a.snapshot(raw, in.Reference), TaggedByOther: a.referenceTag.isTaggedByOther(raw, in.Reference), RunID: runs.CurrentID(ctx)}
	if in.Region.Name == "" {
		result.Record.Details.Region = a.namedRegion(ctx, in.Region)
	}
	cause, isPossible, err := a.preparePlan(ctx, in, book, &result)
	if err != nil || !isPossible {
		return result, err
	}
	var events []administrate.ScheduledEvent
	if needsEvents {
		if events, err = reading.Events(ctx); err != nil {
			return activities.PlanResult{}, readError(err)
		}
	}
	facts := record.Facts(result.Record, raw, events, record.Known{Region: in.Region, Interests: in.KnownInterests}, in.Now)
	facts.Entered, facts.LastActivity, facts.Adopted, facts.Done = in.Entered, in.LastActivity, in.AdoptedAt, in.DoneFollowUps
	result.Plan = book.plan(facts, cause)
	result.Events = record.EventChanges(events)
	return result, nil
}

// planFromKnown plans a transition with the record that the workflow knows. The result isComplete
// is false if the plan may depend on data that only a read returns. The result is also false if the
// plan has effects before the transition, which change the TMS before a response shows the step.
func (a *Activities) planFromKnown(ctx context.Context, in activities.PlanInput, book VersionedPlaybook) (result activities.PlanResult, isComplete bool, err error) {
	result = activities.PlanResult{Record: exchange.Snapshot{ID: in.Opportunity}, FromKnown: true, RunID: runs.CurrentID(ctx)}
	cause, isPossible, err := a.preparePlan(ctx, in, book, &result)
	if err != nil || !isPossible {
		return result, err == nil, err
	}
	if book.Playbook.NeedsRead(in.Known.Step, cause.To, slices.ContainsFunc(in.KnownInterests, hasNoItemID)) {
		return result, false, nil
	}
	known := *in.Known
	if known.Details.Region = in.Region; in.Region.Name == "" {
		known.Details.Region = a.namedRegion(ctx, in.Region)
	}
	facts := record.KnownFacts(known, record.Known{Region: in.Region, Interests: in.KnownInterests}, in.Now)
	result.Plan = book.plan(facts, cause)
	return result, len(result.Plan.Before) == 0, nil
}

// hasNoItemID reports whether the workflow knows the item only as the code or the name that a caller
// wrote.
func hasNoItemID(interest opportunity.RecordedInterest) bool {
	return opportunity.ID(interest.Item).Type() == ""
}

// preparePlan stores the features of the playbook and the target step of a transition in the result.
// If the playbook cannot plan the transition, preparePlan stores an empty plan and returns false.
func (a *Activities) preparePlan(ctx context.Context, in activities.PlanInput, book VersionedPlaybook, result *activities.PlanResult) (exchange.PlanCause, bool, error) {
	if rules := a.featuresOf(ctx, book); rules != nil {
		result.PlaybookFeatures = *rules
	}
	cause := in.PlanFor
	result.TargetStep = cause.To
	if cause.Kind != exchange.CauseTransition || cause.To != (opportunity.Step{}) {
		return cause, true, nil
	}
	var problem string
	if result.PlaybookFeatures.Transitions {
		var err error
		if cause.To, problem, err = a.findStep(ctx, in.TargetStep); err != nil {
			return cause, false, readError(err)
		}
	}
	if result.TargetStep = cause.To; cause.To != (opportunity.Step{}) {
		return cause, true, nil
	}
	result.Plan = exchange.Plan{Digest: book.Playbook.Digest(), Version: book.Version}
	if problem != "" {
		result.Plan.Problems = []string{problem}
	}
	return cause, false, nil
}

// plan returns the plan of the playbook, and adds the playbook's NameProblems to the problems of
// the plan.
func (b VersionedPlaybook) plan(facts playbook.Facts, cause exchange.PlanCause) exchange.Plan {
	plan := b.Playbook.Plan(facts, cause)
	plan.Version = b.Version
	plan.Problems = append(plan.Problems, b.NameProblems[:min(len(b.NameProblems), maxNameProblems)]...)
	return plan
}

const maxNameProblems = 10

// findStep returns the step with the name or id, or the zero value if no step or several steps
// match. problem says that the worker cannot read steps in this TMS.
func (a *Activities) findStep(ctx context.Context, text string) (step opportunity.Step, problem string, err error) {
	if step, ok := a.cachedStepFor(text); ok {
		return step, "", nil
	}
	name := exchange.UnresolvedName{Type: opportunity.TypeStep, Text: text}
	candidates, err := a.nameFinder().Find(ctx, []exchange.UnresolvedName{name})
	var refused *administrate.RefusedError
	var invalid *administrate.InvalidError
	switch {
	case errors.As(err, &refused), errors.As(err, &invalid):
		return opportunity.Step{}, "the worker cannot read the steps of this TMS, so the plan contains no effects for the transition", nil
	case err != nil:
		return opportunity.Step{}, "", err
	}
	if meaning, fault := names.Select(name, candidates[opportunity.TypeStep]); fault == nil {
		a.nameCache.Store(name, meaning)
	}
	step, _ = a.cachedStepFor(text)
	return step, "", nil
}

func (a *Activities) cachedStepFor(text string) (opportunity.Step, bool) {
	id := opportunity.ID(text)
	for _, name := range (exchange.Change{Progress: &opportunity.Progress{To: text}}).Names() { // the loop does not run if text is an id
		meaning, _ := a.nameCache.Lookup(name)
		id = meaning.ID
	}
	return a.nameCache.Step(id)
}
