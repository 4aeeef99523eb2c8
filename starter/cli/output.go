package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"al.essio.dev/pkg/shellescape"
	"github.com/spf13/cobra"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/opportunity"
)

// output is the form of a command's output: "table" for humans, "json" for programs.
type output string

const (
	table  output = "table"
	asJSON output = "json"
)

func outputFlag(command *cobra.Command) *output {
	o := table
	command.Flags().VarP(&o, "output", "o", "format of the output: table or json")
	_ = command.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{string(table), string(asJSON)}, cobra.ShellCompDirectiveNoFileComp))
	return &o
}

func (o *output) Set(text string) error {
	switch output(text) {
	case table, asJSON:
		*o = output(text)
		return nil
	}
	return errors.New("must be table or json")
}

func (o *output) String() string { return string(*o) }
func (o *output) Type() string   { return "form" }

func (o *output) show(w io.Writer, value any, human func(io.Writer)) error {
	if *o == asJSON {
		encoder := json.NewEncoder(w)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		return encoder.Encode(value)
	}
	columns := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	human(columns)
	return columns.Flush()
}

// line replaces the characters of a text that would end the cell or the line.
func line(w io.Writer, cells ...string) {
	for i, cell := range cells {
		cells[i] = printable(cell)
	}
	_, _ = fmt.Fprintln(w, strings.TrimRight(strings.Join(cells, "\t"), "\t"))
}

func showCreateStatus(w io.Writer, opened opportunity.CreateOutcome) {
	if opened.State == opportunity.Pending {
		line(w, fmt.Sprintf("pending: the start of %s is accepted, but the record does not exist yet; to see the outcome, run the same command again", opened.Reference))
		return
	}
	line(w, "Reference", string(opened.Reference))
	line(w, "Opportunity", string(opened.Opportunity))
	if opened.Details != nil {
		showDetails(w, *opened.Details)
	}
	if opened.Step != nil {
		line(w, "Step", stepText(*opened.Step))
	}
}

func showDetails(w io.Writer, d opportunity.Details) {
	line(w, "Name", d.Name)
	line(w, "Region", refText(d.Region))
	line(w, "Account", refText(d.Account))
	line(w, "Currency", orDash(d.Currency))
}

func showOutcome(w io.Writer, reference opportunity.Reference, outcome opportunity.Outcome) {
	switch outcome.State {
	case opportunity.Pending:
		line(w, fmt.Sprintf("pending: request %[2]s of %[1]s is accepted, but not done yet; see oppflow outcome %[3]s %[4]s", reference, outcome.RequestID, shellescape.Quote(string(reference)), shellescape.Quote(outcome.RequestID)))
		return
	case opportunity.Done:
		line(w, fmt.Sprintf("done: %s, request %s", reference, outcome.RequestID))
	case opportunity.Failed:
		line(w, fmt.Sprintf("failed: %s, request %s", reference, outcome.RequestID))
	}
	if outcome.Note != "" {
		line(w, "  note", outcome.Note)
	}
	for _, r := range outcome.Results {
		line(w, "  interest "+orDash(string(r.Interest)), r.Item, resultText(r))
	}
}

func resultText(r opportunity.InterestResult) string {
	var parts []string
	if r.Interest != "" {
		parts = append(parts, "added")
	}
	if r.ReservedUntil != nil {
		parts = append(parts, "reserved until "+r.ReservedUntil.Format(time.RFC3339))
	}
	if r.Error != nil {
		parts = append(parts, r.Error.Error())
	}
	return strings.Join(parts, ", ")
}

func showView(w io.Writer, v opportunity.View) { writeView(w, v, true) }

// If open is true, writeView also writes which commands an operator can use.
func writeView(w io.Writer, v opportunity.View, open bool) {
	advise := func(format string, args ...any) {
		if open {
			line(w, "", fmt.Sprintf(format, args...))
		}
	}
	writeStatus(w, v, open, advise)
	writeQueue(w, v, advise)
	writeEffects(w, v, advise)
	for n, m := range v.Timeline {
		line(w, heading("Timeline", n), timeText(m.At), m.Text)
	}
}

func writeStatus(w io.Writer, v opportunity.View, open bool, advise func(format string, args ...any)) {
	line(w, "Reference", string(v.Reference))
	line(w, "Opportunity", orDash(string(v.Opportunity)))
	showDetails(w, v.Details)
	step := "-"
	if v.Step != nil {
		step = stepText(*v.Step)
	}
	line(w, "Step", step)
	if !v.OpenUntil.IsZero() && open {
		line(w, "Open until", timeText(v.OpenUntil)+"; the opportunity has ended, and takes messages until this time")
	}
	total := strings.TrimSpace(v.Total.String() + " " + v.Details.Currency)
	if slices.ContainsFunc(v.Interests, func(i opportunity.RecordedInterest) bool { return i.AsRequested }) {
		total += asRequested
	}
	line(w, "Total", total)
	if v.PlaybookVersion > 0 {
		line(w, "Playbook", fmt.Sprintf("version %d of the playbook planned the last transition", v.PlaybookVersion))
	}
	if v.Reservation != nil {
		line(w, "Reservation", reservationText(*v.Reservation))
	}
	if v.Paused != nil && open {
		line(w, "Paused", strings.TrimSuffix(fmt.Sprintf("since %s: %s", timeText(v.Paused.Since), v.Paused.Reason), ": "))
		advise("end the pause with: oppflow resume %s", shellescape.Quote(string(v.Reference)))
	}
	if v.Closing != nil {
		line(w, "Closing", fmt.Sprintf("since %s: %s", timeText(v.Closing.Since), v.Closing.Reason))
	}
	if v.Question != nil {
		line(w, "Question", fmt.Sprintf("request %s (%s): %s", v.Question.Request, v.Question.MessageName, v.Question.Text))
		advise("%s", answerCommands(v.Reference, v.Question.Request))
	}
	if v.Wait != nil {
		line(w, "Waiting", fmt.Sprintf("since %s: %s", timeText(v.Wait.Since), v.Wait.Reason))
	}
	if v.Failures > 0 {
		line(w, "Failures", fmt.Sprint(v.Failures))
	}
	for n, a := range v.Attention {
		if a.Kind == opportunity.AttentionPaused && !open {
			continue
		}
		about := ""
		if a.Request != "" {
			about = "request " + a.Request
		}
		line(w, heading("Attention", n), timeText(a.Since), string(a.Kind), a.Reason, about)
		if isNotice(v, a) {
			advise("remove with: oppflow acknowledge %s %s", shellescape.Quote(string(v.Reference)), shellescape.Quote(a.Request))
		}
	}
}

// isNotice reports whether an operator can only acknowledge the attention. For other attention, the
// question, the parked request or the effect shows the commands to answer with.
func isNotice(v opportunity.View, a opportunity.Attention) bool {
	switch a.Kind {
	case opportunity.AttentionFailed, opportunity.AttentionMessage, opportunity.AttentionFollowUp, opportunity.AttentionPlaybook:
		return true
	case opportunity.AttentionReservation:
		return a.Request != ""
	case opportunity.AttentionEffect:
		return !slices.ContainsFunc(v.RunningEffects, func(e opportunity.RunningEffect) bool { return e.Key == a.Request })
	}
	return false
}

func writeQueue(w io.Writer, v opportunity.View, advise func(format string, args ...any)) {
	for n, i := range v.Interests {
		reserve := ""
		if i.Reserve {
			reserve = "reserve"
		}
		value := fmt.Sprintf("%d × %s", i.Quantity, i.UnitAmount)
		if i.AsRequested {
			value += asRequested
		}
		line(w, heading("Interests", n), string(i.ID), string(i.Kind), i.Item, value, reserve)
	}
	for n, q := range v.Queue {
		doubt := ""
		if q.InDoubt {
			doubt = "in doubt"
		}
		line(w, heading("Queue", n), timeText(q.Accepted), q.Summary, "request "+q.Request, doubt)
	}
	for n, q := range v.Parked {
		line(w, heading("Parked", n), timeText(q.Accepted), q.Summary, "request "+q.Request)
		advise("%s", answerCommands(v.Reference, q.Request))
	}
}

func writeEffects(w io.Writer, v opportunity.View, advise func(format string, args ...any)) {
	for n, e := range v.RunningEffects {
		line(w, heading("Active", n), string(e.Kind), string(e.Stage), "effect "+e.Key, e.Problem)
		switch {
		case e.AsksPeople:
			advise("%s", peopleAnswerCommands(v.Reference, e.Key))
		case e.Problem != "":
			advise("%s", answerCommands(v.Reference, e.Key))
		}
	}
	for n, e := range v.EffectResults {
		line(w, heading("Effects", n), timeText(e.At), string(e.Kind), string(e.Outcome), "effect "+e.Key, e.Reason)
	}
	for n, f := range v.FollowUps {
		off := ""
		if !f.SnoozedUntil.IsZero() {
			off = strings.TrimSuffix(fmt.Sprintf("snoozed until %s: %s", timeText(f.SnoozedUntil), f.Reason), ": ")
		}
		line(w, heading("Follow-ups", n), timeText(f.Due), fmt.Sprintf("%s, %d of %d", f.Name, f.Number, f.Of), string(f.Action), f.Key, off)
	}
	for n, l := range v.SkippedFollowUps {
		line(w, heading("Skipped", n), fmt.Sprintf("%s (%s)", l.Key, l.Reason))
	}
}

// asRequested marks a value that comes from the request, because the TMS does not return the value
// of the record.
const asRequested = " as requested"

// heading returns text for the first line of a list (n is 0), and "" for every other line of the
// list.
func heading(text string, n int) string {
	if n > 0 {
		return ""
	}
	return text
}

func timeText(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func reservationText(r opportunity.Reservation) string {
	switch {
	case r.Valid && !r.Until.IsZero():
		return "reserved until " + r.Until.Format(time.RFC3339)
	case r.Valid:
		return "reserved"
	}
	return "not reserved"
}

func stepText(s opportunity.Step) string {
	return fmt.Sprintf("%s (stage %s, %s)", s.Name, s.Stage.Name, s.Stage.State)
}

func refText(n opportunity.Ref) string {
	switch {
	case n.Name == "":
		return orDash(string(n.ID))
	case n.ID == "":
		return n.Name
	}
	return fmt.Sprintf("%s (%s)", n.Name, n.ID)
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// searchResult is the JSON output of the command search.
type searchResult struct {
	Count         int                `json:"count"`
	Opportunities []foundOpportunity `json:"opportunities"`
}

type foundOpportunity struct {
	ID         string          `json:"id"`
	Name       string          `json:"name"`
	Step       string          `json:"step"`
	State      string          `json:"state"`
	GrandTotal *string         `json:"grandTotal"`
	Interests  []foundInterest `json:"interests"`
	// InterestCount is the number of all interests on the record; the JSON may contain fewer
	// interests.
	InterestCount int `json:"interestCount"`
}

type foundInterest struct {
	ID          string  `json:"id"`
	Item        string  `json:"item"`
	Type        string  `json:"type"`
	TotalAmount *string `json:"totalAmount"`
}

// newSearchResult writes amounts with two digits after the decimal point, as the API does.
func newSearchResult(count int, rows []administrate.Opportunity) searchResult {
	f := searchResult{Count: count, Opportunities: []foundOpportunity{}}
	for _, row := range rows {
		o := foundOpportunity{
			ID: row.ID, Name: row.Name, Step: row.Step.Name, State: row.Step.Stage.State,
			Interests: []foundInterest{}, InterestCount: row.InterestCount,
		}
		if row.GrandTotal.Valid {
			total := row.GrandTotal.Decimal.StringFixed(2)
			o.GrandTotal = &total
		}
		for _, i := range row.Interests {
			interest := foundInterest{ID: i.ID, Item: i.Item.ID, Type: i.Item.Type}
			if i.Total.Valid {
				total := i.Total.Decimal.StringFixed(2)
				interest.TotalAmount = &total
			}
			o.Interests = append(o.Interests, interest)
		}
		f.Opportunities = append(f.Opportunities, o)
	}
	return f
}

func showSearchResult(w io.Writer, f searchResult) {
	line(w, "ID", "NAME", "STEP", "STATE", "TOTAL", "INTERESTS")
	for _, o := range f.Opportunities {
		total := "-"
		if o.GrandTotal != nil {
			total = *o.GrandTotal
		}
		line(w, o.ID, o.Name, o.Step, o.State, total, fmt.Sprint(o.InterestCount))
	}
	if shown := len(f.Opportunities); shown < f.Count {
		line(w, fmt.Sprintf("%d of %d opportunities are shown; set --limit to show more", shown, f.Count))
	}
}

func peopleAnswerCommands(reference opportunity.Reference, effect string) string {
	return fmt.Sprintf("answer with: oppflow confirm %[1]s %[2]s (the same person: use the contact), oppflow retry %[1]s %[2]s (another person: create a new contact), or oppflow skip %[1]s %[2]s --reason … (leave the person out)", shellescape.Quote(string(reference)), shellescape.Quote(effect))
}

func answerCommands(reference opportunity.Reference, request string) string {
	if request == opportunity.RecordRequestID {
		return fmt.Sprintf("answer with: oppflow confirm %[1]s %[2]s (the record belongs to this opportunity), oppflow retry %[1]s %[2]s (the tag is corrected: read the record again), or oppflow skip %[1]s %[2]s --reason … (end this run and do not change the record)", shellescape.Quote(string(reference)), shellescape.Quote(request))
	}
	return fmt.Sprintf("answer with: oppflow confirm %[1]s %[2]s (the change was made), oppflow retry %[1]s %[2]s (the change was not made), or oppflow skip %[1]s %[2]s --reason … (continue without the change)", shellescape.Quote(string(reference)), shellescape.Quote(request))
}
