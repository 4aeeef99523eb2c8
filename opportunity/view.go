package opportunity

import (
	"fmt"
	"strings"
	"time"
)

// View is the whole picture of one opportunity, as the run knows it. It needs no call to
// the API.
type View struct {
	Reference   Reference    `json:"reference"`
	Opportunity ID           `json:"opportunity,omitempty"`
	Details     Details      `json:"details"`
	Step        *Step        `json:"step,omitempty"`
	Interests   []Held       `json:"interests"`
	Total       Amount       `json:"total"`
	Reservation *Reservation `json:"reservation,omitempty"`
	// Queue holds the waiting commands, in order.
	Queue []Waiting `json:"queue"`
	// Parked holds the commands that the API fails to carry out, and that wait for an
	// operator while the others go on.
	Parked   []Waiting `json:"parked,omitempty"`
	Question *Question `json:"question,omitempty"`
	// Paused is set while an operator keeps everything from being sent.
	Paused *Standstill `json:"paused,omitempty"`
	// Closing is set once an operator has ended the opportunity.
	Closing *Closing `json:"closing,omitempty"`
	// Waits says what the queue waits for, such as the API or the request that is under
	// way.
	Waits     *Wait       `json:"waits,omitempty"`
	Attention []Attention `json:"attention"`
	// Effects are the results of the side effects, the latest last, and Working the side
	// effects under way.
	Effects []LedgerEntry `json:"effects,omitempty"`
	Working []Working     `json:"working,omitempty"`
	// FollowUps are the earliest planned follow-ups, the next one first.
	FollowUps []PlannedFollowUp `json:"followUps,omitempty"`
	// LeftOut are follow-ups that will not be done, and why.
	LeftOut []LeftOut `json:"leftOut,omitempty"`
	// Playbook is the version of the playbook that planned the effects of the last move;
	// left out when the namespace has no playbook.
	Playbook int `json:"playbook,omitempty"`
	// Failures counts the requests that failed over the whole life.
	Failures int `json:"failures"`
	// Timeline holds the last entries, oldest first.
	Timeline     []Moment `json:"timeline"`
	Runs         int      `json:"runs"`
	StateVersion int      `json:"stateVersion"`
}

// Working is a side effect that is under way.
type Working struct {
	Key  string     `json:"key"`
	Kind EffectKind `json:"kind"`
	// Stage is before or after its move, or undo.
	Stage JobStage `json:"stage"`
	// Next is the time of its next inspection, when the effect waits for a time.
	Next time.Time `json:"next,omitzero"`
	// Problem says why the effect waits for an operator.
	Problem string `json:"problem,omitempty"`
}

func (j Job) working() Working {
	return Working{Key: j.Effect.Key, Kind: j.Effect.Kind, Stage: j.Stage, Next: j.NotBefore, Problem: j.Problem}
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

// Waiting is a command in the queue, without its payload.
type Waiting struct {
	Request  string    `json:"request"`
	Summary  string    `json:"summary"`
	Accepted time.Time `json:"accepted"`
	Doubt    bool      `json:"doubt,omitempty"`
}

func (e Entry) waiting() Waiting {
	return Waiting{Request: e.Request, Summary: e.Summary(), Accepted: e.Accepted, Doubt: e.Doubt}
}

// maxShownQueue is how many commands of the queue a view shows.
const maxShownQueue = 100

// View returns the picture, with the first hundred commands of a longer queue.
func (s *State) View() View {
	v := View{
		Reference: s.Reference, Opportunity: s.ID, Details: s.Details,
		Interests: append([]Held{}, s.Interests...), Total: s.Total(),
		Queue: []Waiting{}, Attention: append([]Attention{}, s.Attention...),
		Failures: s.Failures, Timeline: append([]Moment{}, s.Timeline...), Runs: s.Runs, StateVersion: s.Version,
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
	if s.Waits != nil {
		waits := *s.Waits
		v.Waits = &waits
	}
	for _, e := range s.Queue[:min(len(s.Queue), maxShownQueue)] {
		v.Queue = append(v.Queue, e.waiting())
	}
	v.Effects = append(v.Effects, s.Ledger...)
	for _, j := range s.Jobs {
		v.Working = append(v.Working, j.working())
	}
	v.FollowUps = s.plannedFollowUps()
	v.LeftOut = append(v.LeftOut, s.LeftOut...)
	v.Playbook = s.PlannedBy
	for _, e := range s.Parked {
		v.Parked = append(v.Parked, e.waiting())
	}
	return v
}

// Card describes the opportunity in Markdown for an operator, and says what it waits for.
// It names no person.
func (s *State) Card() string {
	var b strings.Builder
	fmt.Fprintf(&b, "### Opportunity %s\n\n", markdown(string(s.Reference)))
	row := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "- **%s:** %s\n", name, value)
		}
	}
	if s.ID == "" {
		row("Record", "not created yet")
	} else {
		row("Record", "`"+string(s.ID)+"`")
		row("Step", markdown(s.Step.Name)+" (stage "+markdown(s.Step.Stage.Name)+", "+string(s.Step.Stage.State)+")")
		row("Region", markdown(s.Details.Region.Name))
		row("Interests", fmt.Sprintf("%d, total %s %s", len(s.Interests), s.Total(), s.Details.Currency))
	}
	if s.Reservation.Valid {
		row("Places held until", s.Reservation.Until.UTC().Format(time.RFC3339))
	}
	if s.Paused != nil {
		row("Paused since", s.Paused.Since.UTC().Format(time.RFC3339))
	}
	if s.Waits != nil {
		row("Waits since "+s.Waits.Since.UTC().Format(time.RFC3339), markdown(s.Waits.Reason))
	}
	row("Waiting", waitingText(s.Queue))
	row("Parked", waitingText(s.Parked))
	row("Effects under way", jobsText(s.Jobs))
	row("Next follow-up", s.nextText())
	if s.Failures > 0 {
		row("Failed requests", fmt.Sprint(s.Failures))
	}
	if len(s.Attention) > 0 {
		b.WriteString("\n#### Needs attention\n\n")
		for _, a := range s.Attention {
			fmt.Fprintf(&b, "- **%s** since %s", a.Word, a.Since.UTC().Format(time.RFC3339))
			if a.Request != "" {
				fmt.Fprintf(&b, ", request `%s`", strings.ReplaceAll(a.Request, "`", "'"))
			}
			fmt.Fprintf(&b, ": %s\n", markdown(a.Text))
		}
	}
	if len(s.Timeline) > 0 {
		b.WriteString("\n#### Last\n\n")
		for _, m := range s.Timeline[max(0, len(s.Timeline)-10):] {
			fmt.Fprintf(&b, "- %s %s\n", m.At.UTC().Format(time.RFC3339), markdown(m.Text))
		}
	}
	return b.String()
}

func jobsText(jobs []Job) string {
	switch len(jobs) {
	case 0:
		return ""
	case 1:
		return markdown(string(jobs[0].Effect.Kind))
	}
	return fmt.Sprintf("%d, first: %s", len(jobs), markdown(string(jobs[0].Effect.Kind)))
}

func waitingText(queue []Entry) string {
	switch len(queue) {
	case 0:
		return ""
	case 1:
		return markdown(queue[0].Summary())
	}
	return fmt.Sprintf("%d requests, first: %s", len(queue), markdown(queue[0].Summary()))
}

// markdown keeps a text from being read as markup.
func markdown(text string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "`", "\\`", "<", "&lt;", "[", `\[`, "#", `\#`, "\n", " ").Replace(text)
}
