package tms

import (
	"context"
	"errors"
	"time"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms/names"
	"github.com/oppflow/oppflow/activities/tms/runs"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// PlanOpportunity reads the record and returns the plan of the worker's playbook. PlanOpportunity
// makes one request for each hundred interests. If the plan depends on events, PlanOpportunity also
// makes one request for each hundred events. If the worker does not know the target step of a
// transition, PlanOpportunity makes one more request to read the steps. If the workflow does not
// know the name of the region, PlanOpportunity makes one more request to read the regions. For a
// step that does not exist, the plan is empty, because the API will reject the transition.
//
// PlanOpportunity makes the plan with the playbook that is in force after the record was read. A
// worker makes no plan if its playbook has a lower version than the playbook that the opportunity
// has seen.
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
	raw, err := a.fullRecord(ctx, in.Opportunity)
	if err != nil {
		return activities.PlanResult{}, readError(err)
	}
	record := a.snapshot(raw, in.Reference)
	if in.Region.Name == "" {
		record.Details.Region = a.namedRegion(ctx, in.Region)
	}
	result := activities.PlanResult{Record: record, TargetStep: in.PlanFor.To, TaggedByOther: a.referenceTag.isTaggedByOther(raw, in.Reference), RunID: runs.CurrentID(ctx)}
	if rules := a.featuresOf(ctx, book); rules != nil {
		result.PlaybookFeatures = *rules
	}
	cause := in.PlanFor
	var problem string
	if result.PlaybookFeatures.Transitions && cause.Kind == exchange.CauseTransition && cause.To == (opportunity.Step{}) {
		if cause.To, problem, err = a.findStep(ctx, in.TargetStep); err != nil {
			return activities.PlanResult{}, readError(err)
		}
		result.TargetStep = cause.To
	}
	if cause.Kind == exchange.CauseTransition && cause.To == (opportunity.Step{}) {
		result.Plan = exchange.Plan{Digest: book.Playbook.Digest(), Version: book.Version}
		if problem != "" {
			result.Plan.Problems = []string{problem}
		}
		return result, nil
	}
	var events []administrate.ScheduledEvent
	if book.Playbook.NeedsEvents(cause.Kind) {
		if events, err = a.readEvents(ctx, raw); err != nil {
			return activities.PlanResult{}, readError(err)
		}
	}
	facts := a.playbookFacts(record, raw, events, workflowFacts{in.Region, in.KnownInterests}, in.Now)
	facts.Entered, facts.LastActivity, facts.Adopted, facts.Done = in.Entered, in.LastActivity, in.AdoptedAt, in.DoneFollowUps
	result.Plan = book.Playbook.Plan(facts, cause)
	result.Plan.Version = book.Version
	result.Plan.Problems = append(result.Plan.Problems, book.NameProblems[:min(len(book.NameProblems), maxNameProblems)]...)
	for _, event := range events {
		result.Events = append(result.Events, activities.EventChange{
			Event: opportunity.ID(event.ID), Cancelled: event.Cancelled, SoldOut: event.SoldOut, FreePlaces: event.RemainingPlaces,
		})
	}
	return result, nil
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
	for _, name := range (exchange.Change{Progress: &opportunity.Progress{To: text}}).Names() { // an id has no names
		meaning, _ := a.nameCache.Lookup(name)
		id = meaning.ID
	}
	return a.nameCache.Step(id)
}
