package entity

import (
	"fmt"
	"time"

	"github.com/oppflow/oppflow/entity/markdown"
	"github.com/oppflow/oppflow/entity/queue"
	"github.com/oppflow/oppflow/opportunity"
)

func (j ActiveEffect) runningEffect() opportunity.RunningEffect {
	return opportunity.RunningEffect{Key: j.Effect.Key, Kind: j.Effect.Kind, Stage: j.Stage, Next: j.NotBefore, Problem: j.Problem, AsksPeople: j.AsksPeople}
}

const maxShownQueue = 100

// View returns the view. The view shows at most the first hundred commands of the queue.
func (s *State) View() opportunity.View {
	v := opportunity.View{
		Reference: s.Reference, Opportunity: s.ID, Details: s.Details,
		Interests: append([]opportunity.RecordedInterest{}, s.Interests...), Total: s.Total(),
		Queue: []opportunity.QueuedMessage{}, Attention: append([]opportunity.Attention{}, s.Attention...),
		Refreshing: s.ShouldRefresh(), Failures: s.Failures, Timeline: append([]opportunity.TimelineEntry{}, s.Timeline...), Runs: s.Runs, StateVersion: s.Version,
	}
	if s.ID != "" {
		step := s.Step
		v.Step = &step
	}
	if s.Reservation.Valid || !s.Reservation.Until.IsZero() {
		held := s.Reservation
		v.Reservation = &held
	}
	v.OpenUntil = s.OpenUntil()
	if s.Question != nil {
		question := *s.Question
		v.Question = &question
	}
	if s.Paused != nil {
		paused := *s.Paused
		v.Paused = &paused
	}
	if s.Closing != nil {
		closing := *s.Closing
		v.Closing = &closing
	}
	if s.Wait != nil {
		waits := *s.Wait
		v.Wait = &waits
	} else if len(s.Queue) > 0 {
		v.Wait = s.serviceWait()
	}
	for _, e := range s.Queue[:min(len(s.Queue), maxShownQueue)] {
		v.Queue = append(v.Queue, e.Message())
	}
	v.EffectResults = append(v.EffectResults, s.EffectResults...)
	for _, j := range s.ActiveEffects {
		v.RunningEffects = append(v.RunningEffects, j.runningEffect())
	}
	v.FollowUps = s.plannedFollowUps()
	v.SkippedFollowUps = append(v.SkippedFollowUps, s.SkippedFollowUps...)
	v.PlaybookVersion = s.PlannedByVersion
	for _, e := range s.Parked {
		v.Parked = append(v.Parked, e.Message())
	}
	return v
}

// CurrentDetails describes the opportunity in Markdown for an operator, and says what the
// opportunity waits for. The text names no person.
func (s *State) CurrentDetails() string {
	var page markdown.Page
	page.Title("Opportunity " + string(s.Reference))
	if s.ID == "" {
		page.Row("Record", "not created yet")
	} else {
		page.Row("Record", "`"+string(s.ID)+"`")
		page.Row("Step", markdown.Escape(s.Step.Name)+" (stage "+markdown.Escape(s.Step.Stage.Name)+", "+string(s.Step.Stage.State)+")")
		page.Row("Region", markdown.Escape(s.Details.Region.Name))
		page.Row("Interests", fmt.Sprintf("%d, total %s %s", len(s.Interests), s.Total(), s.Details.Currency))
	}
	if s.Reservation.Valid {
		page.Row("Places reserved until", s.Reservation.Until.UTC().Format(time.RFC3339))
	}
	if s.Paused != nil {
		page.Row("Paused since", s.Paused.Since.UTC().Format(time.RFC3339))
	}
	if s.Wait != nil {
		page.Row("Waiting since "+s.Wait.Since.UTC().Format(time.RFC3339), markdown.Escape(s.Wait.Reason))
	}
	page.Row("Queue", queueText(s.Queue))
	page.Row("Parked", queueText(s.Parked))
	if len(s.ActiveEffects) > 0 {
		page.Row("Active effects", markdown.FirstOf(len(s.ActiveEffects), "", string(s.ActiveEffects[0].Effect.Kind)))
	}
	page.Row("Next follow-up", s.nextFollowUpText())
	if until := s.OpenUntil(); !until.IsZero() {
		page.Row("Takes messages until", until.UTC().Format(time.RFC3339))
	}
	if s.Failures > 0 {
		page.Row("Failed requests", fmt.Sprint(s.Failures))
	}
	page.Attention(s.Attention)
	page.Timeline(s.Timeline[max(0, len(s.Timeline)-10):])
	return page.String()
}

func queueText(queue []queue.Command) string {
	if len(queue) == 0 {
		return ""
	}
	return markdown.FirstOf(len(queue), " requests", queue[0].Summary())
}
