package entity

import (
	"fmt"
	"strings"
	"time"

	"github.com/oppflow/oppflow/opportunity"
)

func (j ActiveEffect) runningEffect() opportunity.RunningEffect {
	return opportunity.RunningEffect{Key: j.Effect.Key, Kind: j.Effect.Kind, Stage: j.Stage, Next: j.NotBefore, Problem: j.Problem, AsksPeople: j.AsksPeople}
}

func (e QueuedCommand) queuedMessage() opportunity.QueuedMessage {
	return opportunity.QueuedMessage{Request: e.Request, Summary: e.Summary(), Accepted: e.Accepted, InDoubt: e.InDoubt}
}

const maxShownQueue = 100

// View returns the view. Of a longer queue, the view shows the first hundred commands.
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
	}
	for _, e := range s.Queue[:min(len(s.Queue), maxShownQueue)] {
		v.Queue = append(v.Queue, e.queuedMessage())
	}
	v.EffectResults = append(v.EffectResults, s.EffectResults...)
	for _, j := range s.ActiveEffects {
		v.RunningEffects = append(v.RunningEffects, j.runningEffect())
	}
	v.FollowUps = s.plannedFollowUps()
	v.SkippedFollowUps = append(v.SkippedFollowUps, s.SkippedFollowUps...)
	v.PlaybookVersion = s.PlannedByVersion
	for _, e := range s.Parked {
		v.Parked = append(v.Parked, e.queuedMessage())
	}
	return v
}

// CurrentDetails describes the opportunity in Markdown for an operator, and says what the
// opportunity waits for. The text names no person.
func (s *State) CurrentDetails() string {
	var b strings.Builder
	fmt.Fprintf(&b, "### Opportunity %s\n\n", escapeMarkdown(string(s.Reference)))
	row := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "- **%s:** %s\n", name, value)
		}
	}
	if s.ID == "" {
		row("Record", "not created yet")
	} else {
		row("Record", "`"+string(s.ID)+"`")
		row("Step", escapeMarkdown(s.Step.Name)+" (stage "+escapeMarkdown(s.Step.Stage.Name)+", "+string(s.Step.Stage.State)+")")
		row("Region", escapeMarkdown(s.Details.Region.Name))
		row("Interests", fmt.Sprintf("%d, total %s %s", len(s.Interests), s.Total(), s.Details.Currency))
	}
	if s.Reservation.Valid {
		row("Places reserved until", s.Reservation.Until.UTC().Format(time.RFC3339))
	}
	if s.Paused != nil {
		row("Paused since", s.Paused.Since.UTC().Format(time.RFC3339))
	}
	if s.Wait != nil {
		row("Waiting since "+s.Wait.Since.UTC().Format(time.RFC3339), escapeMarkdown(s.Wait.Reason))
	}
	row("Queue", queueText(s.Queue))
	row("Parked", queueText(s.Parked))
	row("Active effects", activeEffectsText(s.ActiveEffects))
	row("Next follow-up", s.nextFollowUpText())
	if s.Failures > 0 {
		row("Failed requests", fmt.Sprint(s.Failures))
	}
	if len(s.Attention) > 0 {
		b.WriteString("\n#### Needs attention\n\n")
		for _, a := range s.Attention {
			fmt.Fprintf(&b, "- **%s** since %s", a.Kind, a.Since.UTC().Format(time.RFC3339))
			if a.Request != "" {
				fmt.Fprintf(&b, ", request `%s`", strings.ReplaceAll(a.Request, "`", "'"))
			}
			fmt.Fprintf(&b, ": %s\n", escapeMarkdown(a.Reason))
		}
	}
	if len(s.Timeline) > 0 {
		b.WriteString("\n#### Timeline\n\n")
		for _, m := range s.Timeline[max(0, len(s.Timeline)-10):] {
			fmt.Fprintf(&b, "- %s %s\n", m.At.UTC().Format(time.RFC3339), escapeMarkdown(m.Text))
		}
	}
	return b.String()
}

func activeEffectsText(effects []ActiveEffect) string {
	switch len(effects) {
	case 0:
		return ""
	case 1:
		return escapeMarkdown(string(effects[0].Effect.Kind))
	}
	return fmt.Sprintf("%d, first: %s", len(effects), escapeMarkdown(string(effects[0].Effect.Kind)))
}

func queueText(queue []QueuedCommand) string {
	switch len(queue) {
	case 0:
		return ""
	case 1:
		return escapeMarkdown(queue[0].Summary())
	}
	return fmt.Sprintf("%d requests, first: %s", len(queue), escapeMarkdown(queue[0].Summary()))
}

func escapeMarkdown(text string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "`", "\\`", "<", "&lt;", "[", `\[`, "#", `\#`, "\n", " ").Replace(text)
}
