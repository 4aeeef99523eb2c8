package chaos

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/oppflow/oppflow/e2e/chaos/audit"
	"github.com/oppflow/oppflow/e2e/chaos/tenant"
)

// Report is the result of an experiment.
type Report struct {
	Seed          uint64 `json:"seed"`
	Long          bool   `json:"long"`
	Opportunities int    `json:"opportunities"`
	// Sent counts the messages that were sent. Messages counts each accepted command once.
	Sent     int `json:"sent"`
	Messages int `json:"messages"`
	// SendResults counts the messages by the result that the sender got. Outcomes counts the final
	// outcomes of the messages.
	SendResults map[audit.SendResult]int `json:"sendResults"`
	Outcomes    map[string]int           `json:"outcomes"`
	// Requests counts the requests to the API. Faults counts the requests with a fault, by the
	// fault's kind.
	Requests int            `json:"requests"`
	Faults   map[string]int `json:"faults"`
	Kills    []Kill         `json:"kills"`
	// MissedKills counts, by kill point, the attempts to kill that came too late.
	MissedKills map[KillPoint]int `json:"missed,omitempty"`
	// Late counts the requests that committed a change after their client had stopped waiting.
	Late         int `json:"late"`
	WorkerStarts int `json:"workerStarts"`
	Freezes      int `json:"freezes"`
	Restarts     int `json:"serverRestarts"`
	// LostByRestore counts the messages that are in no history after a restore.
	Restores      int `json:"restores"`
	LostByRestore int `json:"lostByRestore"`
	Resets        int `json:"resets"`
	Terminations  int `json:"terminations"`
	Continued     int `json:"continued"`
	Questions     int `json:"questions"`
	// Playbook is the playbook of the experiment. CheckedWins counts the won records whose learners
	// the auditor compared with the registrations. EffectQuestions counts the effects that wait for
	// an operator, which Questions does not count.
	Playbook        tenant.Playbook `json:"playbook,omitempty"`
	CheckedWins     int             `json:"checkedWins,omitempty"`
	EffectQuestions int             `json:"effectQuestions,omitempty"`
	Registrations   int             `json:"registrations,omitempty"`
	Invoices        int             `json:"invoices,omitempty"`
	Mails           int             `json:"mails,omitempty"`
	ManualChanges   int             `json:"manualChanges,omitempty"`
	// Coverage contains, for each kind of disruption, the number of messages that the kind
	// affected.
	Coverage []Coverage `json:"met"`
	// Problems are the errors in the experiment itself.
	Problems   []string          `json:"problems,omitempty"`
	Violations []audit.Violation `json:"violations"`
	Duration   time.Duration     `json:"took"`
}

// KilledAt counts the kills at a kill point.
func (r Report) KilledAt(place KillPoint) int {
	n := 0
	for _, kill := range r.Kills {
		if kill.Point == place {
			n++
		}
	}
	return n
}

// MissingKillPoints are the points at which no worker was killed.
func (r Report) MissingKillPoints() []KillPoint {
	return slices.DeleteFunc(KillPoints(), func(p KillPoint) bool { return r.KilledAt(p) > 0 })
}

// Write writes the report as a table for people.
func (r Report) Write(to io.Writer) {
	row := func(name string, value any) { _, _ = fmt.Fprintf(to, "%-34s %v\n", name, value) }
	row("seed", r.Seed)
	row("took", r.Duration.Round(time.Second))
	row("opportunities", r.Opportunities)
	row("messages sent", r.Sent)
	row("accepted messages without repetitions", r.Messages)
	row("  results of the senders", formatCounts(r.SendResults))
	row("  outcomes in the workflows", formatCounts(r.Outcomes))
	row("API requests", r.Requests)
	row("  API requests with a fault", formatCounts(r.Faults))
	row("kills of workers", len(r.Kills))
	for _, place := range append(KillPoints(), AnyPoint) {
		row("  "+string(place), fmt.Sprintf("%d (missed %d)", r.KilledAt(place), r.MissedKills[place]))
		for _, kill := range r.Kills {
			if kill.Point == place {
				row("    "+kill.At.Format(time.TimeOnly), kill.Evidence)
			}
		}
	}
	row("changes committed late", r.Late)
	row("starts of workers", r.WorkerStarts)
	row("freezes of workers", r.Freezes)
	row("restarts of the server", r.Restarts)
	row("restores of the database", fmt.Sprintf("%d (%d messages lost)", r.Restores, r.LostByRestore))
	row("resets", r.Resets)
	row("terminations", r.Terminations)
	row("runs continued as new", r.Continued)
	row("questions", r.Questions)
	row("changes of another user of the TMS", r.ManualChanges)
	if r.Playbook != tenant.Calls {
		row("playbook", r.Playbook)
		row("  won records with compared learners", r.CheckedWins)
		row("  registrations, invoices, mails", fmt.Sprintf("%d, %d, %d", r.Registrations, r.Invoices, r.Mails))
		row("  effects that wait for an operator", r.EffectQuestions)
	}
	for _, met := range r.Coverage {
		row("affected by: "+string(met.Kind), fmt.Sprintf("%d messages (%.1f%% of all messages); the disruption was executed %d times", met.Messages, 100*met.Share, met.Times))
	}
	if unmet := r.Uncovered(); len(unmet) > 0 {
		row("not covered", fmt.Sprintf("%q, because these disruptions affected too few messages", unmet))
	}
	for _, problem := range r.Problems {
		row("problem", problem)
	}
	row("violations", len(r.Violations))
	for _, v := range r.Violations {
		_, _ = fmt.Fprintln(to, "  "+v.String())
	}
}

func formatCounts[K ~string](of map[K]int) string {
	var parts []string
	for name, n := range of {
		parts = append(parts, fmt.Sprintf("%s %d", name, n))
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}

func (s *Experiment) reportProgress(text string) {
	s.mu.Lock()
	s.currentStep = text
	s.mu.Unlock()
	if s.options.Progress != nil {
		s.options.Progress(fmt.Sprintf("%4.0f s  %s", time.Since(s.startedAt).Seconds(), strings.TrimSpace(text)))
	}
}

func (s *Experiment) reportProgressLoop(ctx context.Context) {
	for sleep(ctx, 30*time.Second) == nil {
		observed := s.observations.all()
		s.mu.Lock()
		text := fmt.Sprintf("%d opportunities, %d messages sent, %d kills of workers, %d freezes of workers, %d restarts of the Temporal server; current step: %s",
			len(s.starts), len(observed), len(s.report.Kills), s.report.Freezes, s.report.Restarts, s.currentStep)
		s.mu.Unlock()
		if s.options.Progress != nil {
			s.options.Progress(fmt.Sprintf("%4.0f s  %s", time.Since(s.startedAt).Seconds(), text))
		}
	}
}

func (s *Experiment) updateReport(change func(*Report)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.report)
}

func (s *Experiment) recordKill(place KillPoint, evidence string) {
	s.updateReport(func(r *Report) {
		r.Kills = append(r.Kills, Kill{Point: place, At: time.Now().UTC(), Evidence: evidence})
	})
	s.reportProgress("killed " + string(place) + ": " + evidence)
}

func (s *Experiment) recordProblem(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	s.updateReport(func(r *Report) { r.Problems = append(r.Problems, text) })
	s.reportProgress("problem: " + text)
}
