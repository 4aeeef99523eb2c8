package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/oppflow/oppflow/activities/tms"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/playbook"
	"github.com/oppflow/oppflow/settings"
	"github.com/oppflow/oppflow/worker/host"
)

const (
	previewWithin  = 7 * 24 * time.Hour
	previewTimeout = 10 * time.Minute
)

func (p *program) previewPlaybook() *cobra.Command {
	api := settings.API{Environment: p.env}
	within, timeout := durationFlag(previewWithin), durationFlag(previewTimeout)
	command := &cobra.Command{
		Use:   "preview FILE|default [flags]",
		Short: "Report which follow-ups would be due if all open opportunities were adopted now",
		Long: `preview reads the tenant's open opportunities and reports which follow-ups of the playbook would be due within a time, if each
opportunity were adopted now by a worker with --adopted-since record. preview prints one line for each day, in UTC. With --output
json, preview prints each follow-up. preview prints no names of people or opportunities. preview reads only opportunities in steps
in which the playbook has follow-ups, with one request for each hundred opportunities. preview changes nothing and needs no Temporal
server.

preview does not read events, and the API does not show when training tokens expire. preview therefore reports follow-ups that
depend on these times as unknown. preview does not plan beyond a transition that a follow-up makes. FILE is the path of a playbook,
- is standard input, default is the built-in playbook.`,
		Example:           "  oppflow playbook preview playbook.yaml\n  oppflow playbook preview default --within 720h\n  oppflow playbook preview playbook.yaml --output json",
		Args:              exactArgs("FILE|default"),
		ValidArgsFunction: completeYAML,
	}
	fs := command.Flags()
	fs.Var(&within, "within", "length of time from now; preview reports the follow-ups that are due within this time")
	form := outputFlag(command)
	fs.Var(&timeout, "timeout", "maximum time for reading the opportunities")
	readerFlags(fs, &api)
	command.RunE = func(command *cobra.Command, args []string) error {
		opened, err := p.openPlaybook(command, args[0])
		if err != nil {
			return err
		}
		book := opened.loaded
		return p.withAPI(command.Context(), &api, time.Duration(timeout), func(ctx context.Context, client *administrate.Client) error {
			result := newPreview(time.Now(), time.Duration(within))
			err := openRecords(ctx, client, book, func(record administrate.Opportunity) { result.add(book, record) })
			if err != nil {
				return err
			}
			result.sort()
			return form.show(p.stdout, result, func(w io.Writer) { showPreview(w, result) })
		})
	}
	return command
}

// openRecords calls the function each once for every open opportunity in a step with follow-ups in
// the playbook.
func openRecords(ctx context.Context, client *administrate.Client, book *playbook.Playbook, each func(administrate.Opportunity)) error {
	steps, err := openSteps(ctx, client, book.Features())
	if err != nil {
		return err
	}
	seen := map[string]bool{} // the pages change while people create and change opportunities
	for some := range slices.Chunk(steps, administrate.MaxEntries) {
		search := administrate.Search{
			First: pageSize, Full: true,
			Filters: []administrate.Filter{{Field: administrate.ByStepID, Operation: administrate.In, Values: some}},
		}
		for more := true; more; more = search.After != "" {
			page, err := client.Opportunities(ctx, search)
			if err != nil {
				return err
			}
			for _, record := range page.Rows {
				if seen[record.ID] || record.Step.Stage.State != string(opportunity.Open) {
					continue
				}
				seen[record.ID] = true
				if record, err = withAllInterests(ctx, client, record); err != nil {
					return err
				}
				each(record)
			}
			search.After = page.NextCursor
		}
	}
	return nil
}

func openSteps(ctx context.Context, client *administrate.Client, has playbook.Features) ([]string, error) {
	var ids []string
	if !has.FollowUps {
		return nil, nil
	}
	steps, err := host.ReadTenantSteps(ctx, client)
	if err != nil {
		return nil, err
	}
	for _, step := range steps {
		if step.Stage.State == opportunity.Open && has.Steps.Matches(step) {
			ids = append(ids, string(step.ID))
		}
	}
	return ids, nil
}

// withAllInterests adds the interests that the API did not return together with the record.
func withAllInterests(ctx context.Context, client *administrate.Client, record administrate.Opportunity) (administrate.Opportunity, error) {
	for record.NextInterestsCursor != "" {
		page, err := client.Interests(ctx, record.ID, record.NextInterestsCursor)
		if err != nil {
			return record, err
		}
		record.Interests, record.NextInterestsCursor = append(record.Interests, page.Interests...), page.NextCursor
	}
	return record, nil
}

// A preview contains no names of people or opportunities.
type preview struct {
	Adopted time.Time `json:"adopted"`
	Until   time.Time `json:"until"`
	// Opportunities is the number of open opportunities in steps with follow-ups in the playbook.
	// WithoutChangeTime is the number of these opportunities for which the API does not return the
	// time of the last change.
	Opportunities     int           `json:"opportunities"`
	WithoutChangeTime int           `json:"withoutTimeOfChange"`
	FollowUps         []dueFollowUp `json:"followUps"`
	Unknown           []countedNote `json:"unknown"`
	Problems          []countedNote `json:"problems"`
}

type dueFollowUp struct {
	Record   string    `json:"record"`
	Step     string    `json:"step"`
	FollowUp string    `json:"followUp"`
	Number   int       `json:"number"`
	Of       int       `json:"of"`
	Due      time.Time `json:"due"`
}

// countedNote is a note about a follow-up whose due time the preview cannot determine, or about a
// problem of the plan.
type countedNote struct {
	FollowUp      string `json:"followUp,omitempty"`
	Text          string `json:"text"`
	Opportunities int    `json:"opportunities"`
}

func newPreview(now time.Time, within time.Duration) *preview {
	now = now.UTC().Truncate(time.Second)
	return &preview{Adopted: now, Until: now.Add(within), FollowUps: []dueFollowUp{}, Unknown: []countedNote{}, Problems: []countedNote{}}
}

// add plans the follow-ups of the record as a worker does when the worker adopts the record.
func (v *preview) add(book *playbook.Playbook, record administrate.Opportunity) {
	v.Opportunities++
	if record.UpdatedAt == nil {
		v.WithoutChangeTime++
	}
	facts := tms.AdoptionFacts(record, v.Adopted)
	plan := book.Plan(facts, exchange.PlanCause{})
	for _, f := range plan.FollowUps {
		if !f.Due.After(v.Until) {
			v.FollowUps = append(v.FollowUps, dueFollowUp{
				Record: record.ID, Step: record.Step.Name, FollowUp: f.Name, Number: f.Number, Of: f.Of, Due: f.Due.UTC().Truncate(time.Second),
			})
		}
	}
	for _, u := range book.Undated(facts) {
		text := "preview does not read the start times of events"
		if u.Missing == playbook.MissingExpiry {
			text = "the API does not show when training tokens expire"
		}
		v.Unknown = addNote(v.Unknown, countedNote{FollowUp: u.Name, Text: text})
	}
	for _, problem := range plan.Problems {
		v.Problems = addNote(v.Problems, countedNote{Text: problem})
	}
}

func addNote(all []countedNote, one countedNote) []countedNote {
	at := slices.IndexFunc(all, func(u countedNote) bool { return u.FollowUp == one.FollowUp && u.Text == one.Text })
	if at < 0 {
		at, all = len(all), append(all, one)
	}
	all[at].Opportunities++
	return all
}

func (v *preview) sort() {
	slices.SortFunc(v.FollowUps, func(a, b dueFollowUp) int {
		return cmp.Or(a.Due.Compare(b.Due), cmp.Compare(a.Record, b.Record), cmp.Compare(a.FollowUp, b.FollowUp), cmp.Compare(a.Number, b.Number))
	})
	for _, all := range [][]countedNote{v.Unknown, v.Problems} {
		slices.SortFunc(all, func(a, b countedNote) int {
			return cmp.Or(cmp.Compare(a.FollowUp, b.FollowUp), cmp.Compare(a.Text, b.Text))
		})
	}
}

func showPreview(w io.Writer, v *preview) {
	line(w, fmt.Sprintf("%s. An adoption at %s with --adopted-since record would plan %s that are due until %s.",
		countText(v.Opportunities, "open opportunity is in a step with follow-ups", "open opportunities are in steps with follow-ups"), timeText(v.Adopted), countText(len(v.FollowUps), "follow-up", "follow-ups"), timeText(v.Until)))
	for _, day := range v.days() {
		line(w, day.date, strings.Join(day.counts, ", "))
	}
	for _, u := range v.Unknown {
		line(w, fmt.Sprintf("The due time of follow-up %s of %s is unknown, because %s.", u.FollowUp, countText(u.Opportunities, "opportunity", "opportunities"), u.Text))
	}
	for _, u := range v.Problems {
		line(w, fmt.Sprintf("Problem with %s: %s.", countText(u.Opportunities, "opportunity", "opportunities"), u.Text))
	}
	if v.WithoutChangeTime > 0 {
		line(w, fmt.Sprintf("The API does not show the time of the last change of %s, so the delays of the follow-ups start at the adoption.", countText(v.WithoutChangeTime, "opportunity", "opportunities")))
	}
}

type dayOfPreview struct {
	date   string
	counts []string
}

func (v *preview) days() []dayOfPreview {
	numbers := map[string]map[string]int{}
	var dates []string
	for _, f := range v.FollowUps {
		date := f.Due.Format(time.DateOnly)
		if numbers[date] == nil {
			numbers[date], dates = map[string]int{}, append(dates, date)
		}
		numbers[date][f.FollowUp]++
	}
	all := make([]dayOfPreview, len(dates))
	for i, date := range dates {
		all[i].date = date
		for name, n := range numbers[date] {
			all[i].counts = append(all[i].counts, fmt.Sprintf("%s %d", name, n))
		}
		slices.Sort(all[i].counts)
	}
	return all
}
