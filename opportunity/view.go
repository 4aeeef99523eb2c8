package opportunity

import (
	"fmt"
	"strings"
	"time"
)

// View is the whole picture of one opportunity, as the run knows it. It needs no call to
// the API.
type View struct {
	Reference   Reference          `json:"reference"`
	Opportunity ID                 `json:"opportunity,omitempty"`
	Details     Details            `json:"details"`
	Step        *Step              `json:"step,omitempty"`
	Interests   []RecordedInterest `json:"interests"`
	Total       Amount             `json:"total"`
	Reservation *Reservation       `json:"reservation,omitempty"`
	// Queue holds the waiting commands, in order.
	Queue []QueuedMessage `json:"queue"`
	// Parked holds the commands that the API fails to carry out, and that wait for an
	// operator while the others go on.
	Parked   []QueuedMessage `json:"parked,omitempty"`
	Question *Question       `json:"question,omitempty"`
	// Paused is set while an operator keeps everything from being sent.
	Paused *PauseInfo `json:"paused,omitempty"`
	// Closing is set once an operator has ended the opportunity.
	Closing *CloseInfo `json:"closing,omitempty"`
	// Wait says what the queue waits for, such as the API or the request that is under
	// way.
	Wait      *WaitInfo   `json:"waits,omitempty"`
	Attention []Attention `json:"attention"`
	// EffectResults are the results of the side effects, the latest last, and Working the side
	// effects under way.
	EffectResults  []EffectResult  `json:"effects,omitempty"`
	RunningEffects []RunningEffect `json:"working,omitempty"`
	// FollowUps are the earliest planned follow-ups, the next one first.
	FollowUps []PlannedFollowUp `json:"followUps,omitempty"`
	// SkippedFollowUps are follow-ups that will not be done, and why.
	SkippedFollowUps []SkippedFollowUp `json:"leftOut,omitempty"`
	// PlaybookVersion is the version of the playbook that planned the effects of the last move;
	// left out when the namespace has no playbook.
	PlaybookVersion int `json:"playbook,omitempty"`
	// Failures counts the requests that failed over the whole life.
	Failures int `json:"failures"`
	// Timeline holds the last entries, oldest first.
	Timeline     []TimelineEntry `json:"timeline"`
	Runs         int             `json:"runs"`
	StateVersion int             `json:"stateVersion"`
}

// RunningEffect is a side effect that is under way.
type RunningEffect struct {
	Key  string     `json:"key"`
	Kind EffectKind `json:"kind"`
	// Stage is before or after its move, or undo.
	Stage EffectStage `json:"stage"`
	// Next is the time of its next inspection, when the effect waits for a time.
	Next time.Time `json:"next,omitzero"`
	// Problem says why the effect waits for an operator.
	Problem string `json:"problem,omitempty"`
}

func (j ActiveEffect) runningEffect() RunningEffect {
	return RunningEffect{Key: j.Effect.Key, Kind: j.Effect.Kind, Stage: j.Stage, Next: j.NotBefore, Problem: j.Problem}
}

// PlannedFollowUp is a follow-up that is planned.
type PlannedFollowUp struct {
	// Key is the name of the follow-up in a snooze or a cancellation.
	Key string `json:"key"`
	// Name is the name of the follow-up in the playbook.
	Name string    `json:"name"`
	Due  time.Time `json:"due"`
	// SnoozedUntil is set when an operator put the follow-up off: it is not done before
	// that time. Reason says why.
	SnoozedUntil time.Time `json:"snoozedUntil,omitzero"`
	Reason       string    `json:"reason,omitempty"`
	// Number counts the repetitions from 1 to Of.
	Number int        `json:"number"`
	Of     int        `json:"of"`
	Action ActionKind `json:"action"`
}

// QueuedMessage is a command in the queue, without its payload.
type QueuedMessage struct {
	Request  string    `json:"request"`
	Summary  string    `json:"summary"`
	Accepted time.Time `json:"accepted"`
	InDoubt  bool      `json:"doubt,omitempty"`
}

func (e QueuedCommand) queuedMessage() QueuedMessage {
	return QueuedMessage{Request: e.Request, Summary: e.Summary(), Accepted: e.Accepted, InDoubt: e.InDoubt}
}

// maxShownQueue is how many commands of the queue a view shows.
const maxShownQueue = 100

// View returns the picture, with the first hundred commands of a longer queue.
func (s *State) View() View {
	v := View{
		Reference: s.Reference, Opportunity: s.ID, Details: s.Details,
		Interests: append([]RecordedInterest{}, s.Interests...), Total: s.Total(),
		Queue: []QueuedMessage{}, Attention: append([]Attention{}, s.Attention...),
		Failures: s.Failures, Timeline: append([]TimelineEntry{}, s.Timeline...), Runs: s.Runs, StateVersion: s.Version,
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

// CurrentDetails describes the opportunity in Markdown for an operator, and says what it waits for.
// It names no person.
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
		row("Places held until", s.Reservation.Until.UTC().Format(time.RFC3339))
	}
	if s.Paused != nil {
		row("Paused since", s.Paused.Since.UTC().Format(time.RFC3339))
	}
	if s.Wait != nil {
		row("Waits since "+s.Wait.Since.UTC().Format(time.RFC3339), escapeMarkdown(s.Wait.Reason))
	}
	row("Waiting", queueText(s.Queue))
	row("Parked", queueText(s.Parked))
	row("Effects under way", activeEffectsText(s.ActiveEffects))
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
		b.WriteString("\n#### Last\n\n")
		for _, m := range s.Timeline[max(0, len(s.Timeline)-10):] {
			fmt.Fprintf(&b, "- %s %s\n", m.At.UTC().Format(time.RFC3339), escapeMarkdown(m.Text))
		}
	}
	return b.String()
}

func activeEffectsText(jobs []ActiveEffect) string {
	switch len(jobs) {
	case 0:
		return ""
	case 1:
		return escapeMarkdown(string(jobs[0].Effect.Kind))
	}
	return fmt.Sprintf("%d, first: %s", len(jobs), escapeMarkdown(string(jobs[0].Effect.Kind)))
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

// escapeMarkdown keeps a text from being read as markup.
func escapeMarkdown(text string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "`", "\\`", "<", "&lt;", "[", `\[`, "#", `\#`, "\n", " ").Replace(text)
}
