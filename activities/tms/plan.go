package tms

import (
	"context"
	"errors"
	"time"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/opportunity"
)

// PlanOpportunity reads the record and returns the plan of the worker's playbook. It
// makes one request for each hundred interests and, where the plan depends on the events,
// one for each hundred events. A move to a step that the worker does not know takes one
// more request, to read the steps. A step that does not exist makes an empty plan: the
// API will answer the move itself.
//
// The plan is made by the playbook that is in force after the record was read. A worker
// whose playbook has a lower version than the opportunity has seen makes no plan.
func (a *Activities) PlanOpportunity(ctx context.Context, in activities.PlanInput) (activities.PlanResult, error) {
	begun := time.Now()
	book, err := a.book(ctx)
	switch {
	case err != nil:
		return activities.PlanResult{}, unready("%s", err)
	case book.Version < in.Version:
		return activities.PlanResult{}, unready("version %d of the playbook is in force here, and the opportunity has seen version %d", book.Version, in.Version)
	}
	result, err := a.plan(ctx, in, book)
	if err != nil {
		return activities.PlanResult{}, err
	}
	now, err := a.bookAfter(ctx, time.Since(begun))
	switch {
	case err != nil:
		return activities.PlanResult{}, unready("%s", err)
	case now.Version != book.Version:
		return activities.PlanResult{}, unready("version %d of the playbook came in force while the plan was made", now.Version)
	}
	return result, nil
}

func (a *Activities) plan(ctx context.Context, in activities.PlanInput, book Book) (activities.PlanResult, error) {
	raw, err := a.whole(ctx, in.Opportunity)
	if err != nil {
		return activities.PlanResult{}, reading(err)
	}
	record := a.snapshot(raw, in.Reference)
	result := activities.PlanResult{Record: record, To: in.Occasion.To, Foreign: a.mark.foreign(raw, in.Reference), Run: runOf(ctx)}
	if rules := a.rulesOf(book); rules != nil {
		result.Rules = *rules
	}
	occasion := in.Occasion
	var problem string
	if result.Rules.Moves && occasion.Kind == opportunity.OccasionMove && occasion.To == (opportunity.Step{}) {
		if occasion.To, problem, err = a.stepCalled(ctx, in.Step); err != nil {
			return activities.PlanResult{}, reading(err)
		}
		result.To = occasion.To
	}
	if occasion.Kind == opportunity.OccasionMove && occasion.To == (opportunity.Step{}) {
		result.Plan = opportunity.Plan{Digest: book.Playbook.Digest(), Version: book.Version}
		if problem != "" {
			result.Plan.Problems = []string{problem}
		}
		return result, nil
	}
	var events []administrate.ScheduledEvent
	if book.Playbook.NeedsEvents(occasion.Kind) {
		if events, err = a.eventsOf(ctx, raw); err != nil {
			return activities.PlanResult{}, reading(err)
		}
	}
	facts := a.facts(record, raw, events, known{in.Region, in.Known}, in.Now)
	facts.Entered, facts.LastActivity, facts.Adopted, facts.Done = in.Entered, in.LastActivity, in.Adopted, in.Done
	result.Plan = book.Playbook.Plan(facts, occasion)
	result.Plan.Version = book.Version
	for _, event := range events {
		result.Events = append(result.Events, activities.EventNews{
			Event: opportunity.ID(event.ID), Cancelled: event.Cancelled, SoldOut: event.SoldOut,
		})
	}
	return result, nil
}

// stepCalled returns the step with the name or id, zero where there is none or several.
// The problem says that steps cannot be read in this TMS.
func (a *Activities) stepCalled(ctx context.Context, text string) (step opportunity.Step, problem string, err error) {
	if step, ok := a.rememberedStep(text); ok {
		return step, "", nil
	}
	name := opportunity.Name{Type: opportunity.TypeStep, Text: text}
	candidates, err := a.lookUp(ctx, []opportunity.Name{name})
	var refused *administrate.RefusedError
	var invalid *administrate.InvalidError
	switch {
	case errors.As(err, &refused), errors.As(err, &invalid):
		return opportunity.Step{}, "the steps cannot be read in this TMS, so nothing goes with the move", nil
	case err != nil:
		return opportunity.Step{}, "", err
	}
	if meaning, fault := choose(name, candidates[opportunity.TypeStep]); fault == nil {
		a.names.remember(name, meaning)
	}
	step, _ = a.rememberedStep(text)
	return step, "", nil
}

// rememberedStep returns the step with the name or id, if the worker knows the step.
func (a *Activities) rememberedStep(text string) (opportunity.Step, bool) {
	id := opportunity.ID(text)
	for _, name := range (opportunity.Mutation{Progress: &opportunity.Progress{To: text}}).Names() { // an id is no name
		meaning, _ := a.names.lookup(name)
		id = meaning.ID
	}
	return a.names.step(id)
}
