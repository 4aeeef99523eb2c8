package compare

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// Report contains all figures that one call of Measure measured. A member of Report is empty if its
// figure was not measured.
type Report struct {
	Command string `json:"command"`
	// Server is the database of the Temporal server: "SQLite in memory" or "PostgreSQL". Processors
	// is the number of the machine's processors.
	Server     string `json:"server"`
	Processors int    `json:"processors"`
	// Counts are the exact counts of each subject without a playbook. Playbook are the counts of
	// each subject with the default playbook, which are exact except Tasks.
	Counts   []SubjectCounts `json:"counts"`
	Playbook []SubjectCounts `json:"defaultPlaybook,omitempty"`
	// Rates are the rates without a rate limit of the API. Limited are the rates with a rate limit
	// of 200 API requests in any 10 seconds.
	Rates   []SubjectRate `json:"rates,omitempty"`
	Limited []SubjectRate `json:"limited,omitempty"`
	// Effects are the rates with the same rate limit, with the default playbook and with learners.
	Effects   []SubjectRate `json:"effects,omitempty"`
	Latencies []Latency     `json:"latencies,omitempty"`
	Idle      *Idle         `json:"idle,omitempty"`
	Burst     *Burst        `json:"burst,omitempty"`
}

// Base is the name of the subject with which the report compares the other subjects if the API has
// no rate limit.
const Base = "bare, signals"

// LimitedBase is the name of the subject with which the report compares the other subjects if the
// API has a rate limit. Of all subjects that send one API request for each API call, this subject
// completes the most lifecycles within the rate limit.
const LimitedBase = "direct"

// EffectsBase is the name of the subject with which the report compares the other subjects if the API
// has a rate limit and Oppflow has the default playbook.
const EffectsBase = "direct, with effects"

// Write writes the report as Markdown tables that are readable as plain text.
func (r Report) Write(w io.Writer) error {
	p := &page{w: w}
	p.text("The command %s measured on a machine with %d processors; the database of the Temporal server is %s.", r.Command, r.Processors, r.Server)
	p.counts("Counts for one lifecycle (11 calls) without other load:", r.Counts)
	p.counts("Counts for one lifecycle with the default playbook. The effects of the playbook run while the next message arrives, so the number of tasks varies:", r.Playbook)
	p.rates("Lifecycles per second, measured for one subject after the other:", "of bare", r.Rates)
	p.rates("Lifecycles per second while the API accepts at most 200 requests in any 10 seconds:", "of direct", r.Limited)
	p.rates("Lifecycles with learners per second, with the default playbook, while the API accepts at most 200 requests in any 10 seconds:", "of direct", r.Effects)
	p.latencies(r.Latencies)
	if i := r.Idle; i != nil {
		p.text("%d opportunities are open and have each handled one message; %d of these opportunities are in the worker's memory. The worker uses %s of resident memory, which is %s more than a worker without opportunities uses (limit of the difference: %s). Another opportunity had %d history events and was no longer in the worker's memory; this opportunity responded after %s.",
			i.Opportunities, i.Cached, megabytes(i.Bytes), megabytes(i.Bytes-min(i.Bytes, i.EmptyBytes)), megabytes(i.AllowedBytes-i.EmptyBytes), i.Events, i.FirstAnswer.Round(time.Millisecond))
	}
	if b := r.Burst; b != nil {
		p.text("%d signals were sent to one opportunity at once; sending all signals took %s. The last signal took effect %s after the start of sending. All signals together caused %d API requests and %d runs.",
			b.Signals, b.Sent.Round(10*time.Millisecond), b.Effect.Round(10*time.Millisecond), b.Requests, b.Runs)
	}
	return p.err
}

// page writes texts and tables to w, and stores the first error of a write.
type page struct {
	w   io.Writer
	err error
}

func (p *page) text(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n\n", args...)
	}
}

// table writes the caption and a table; the first row contains the headings of the columns.
func (p *page) table(caption string, rows [][]string) {
	if len(rows) < 2 {
		return
	}
	p.text("%s", caption)
	columns := tabwriter.NewWriter(p.w, 0, 0, 1, ' ', 0)
	line := func(cells []string) {
		if p.err == nil {
			_, p.err = fmt.Fprintf(columns, "| %s\t|\n", strings.Join(cells, "\t| "))
		}
	}
	line(rows[0])
	rule := make([]string, len(rows[0]))
	for n := range rule {
		if rule[n] = "---:"; n == 0 {
			rule[n] = "---"
		}
	}
	line(rule)
	for _, row := range rows[1:] {
		line(row)
	}
	if p.err == nil {
		p.err = columns.Flush()
	}
	if p.err == nil {
		_, p.err = fmt.Fprintln(p.w)
	}
}

func (p *page) counts(caption string, all []SubjectCounts) {
	rows := [][]string{{"", "requests", "events", "of bare", "KB of history", "tasks", "actions", "of bare"}}
	var base Counts
	for _, one := range all {
		if one.Subject == Base {
			base = one.Counts
		}
	}
	for _, one := range all {
		if one.Events == 0 {
			rows = append(rows, []string{one.Subject, fmt.Sprint(one.Requests), "", "", "", "", "", ""})
			continue
		}
		rows = append(rows, []string{
			one.Subject, fmt.Sprint(one.Requests), fmt.Sprint(one.Events), ratio(float64(one.Events), float64(base.Events)),
			fmt.Sprintf("%.1f", float64(one.Bytes)/1000), fmt.Sprint(one.Tasks), fmt.Sprint(one.Actions), ratio(float64(one.Actions), float64(base.Actions)),
		})
	}
	p.table(caption, rows)
}

func (p *page) rates(caption, of string, all []SubjectRate) {
	rows := [][]string{{"", "in flight", "per second", of, "requests each", "worker's CPU s per 1,000 lifecycles", "peak MB"}}
	for _, one := range all {
		cpu, peak := "", ""
		if one.Usage.PeakBytes > 0 {
			cpu, peak = fmt.Sprintf("%.1f", one.Usage.CPUSeconds), fmt.Sprintf("%.0f", float64(one.Usage.PeakBytes)/1e6)
		}
		rows = append(rows, []string{
			one.Subject, fmt.Sprint(one.InFlight), fmt.Sprintf("%.2f", one.PerSecond), fmt.Sprintf("%.2f", one.OfBase),
			fmt.Sprintf("%.1f", one.RequestsEach), cpu, peak,
		})
	}
	p.table(caption, rows)
}

func (p *page) latencies(all []Latency) {
	rows := [][]string{{"one after the other", "p50 ms", "p95 ms", "p99 ms", "of bare", "n"}}
	ms := func(d time.Duration) string { return fmt.Sprintf("%.1f", float64(d)/float64(time.Millisecond)) }
	for _, one := range all {
		of := ""
		if one.OfBare > 0 {
			of = fmt.Sprintf("%.2f", one.OfBare)
		}
		rows = append(rows, []string{one.What, ms(one.P50), ms(one.P95), ms(one.P99), of, fmt.Sprint(one.N)})
	}
	p.table("Latency, without other load:", rows)
}

func ratio(n, base float64) string {
	if base == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f", n/base)
}

func megabytes(bytes uint64) string { return fmt.Sprintf("%.0f MB", float64(bytes)/1e6) }
