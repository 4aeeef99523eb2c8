package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/settings"
)

const checkTimeout = 2 * time.Minute

func (p *program) check() *cobra.Command {
	api := settings.API{Environment: p.env}
	timeout := length(checkTimeout)
	command := &cobra.Command{
		Use:   "check [flags]",
		Short: "Check whether a tenant's API has all that Oppflow sends to it",
		Long: `check reads the schema of the API by introspection, in one request that changes nothing, and compares it with everything
Oppflow may send: operations, fields, arguments, members, their types, and what the API requires. It tells what is
missing, and which of Oppflow's assumptions about the API do not hold there, what each of them costs, and in which line
it is corrected. The exit code is 0 when nothing is missing. What only side effects of transitions and follow-ups use is told apart
and does not count: a tenant without them does without it.`,
		Example:           "  oppflow check --api-url https://api.getadministrate.com/graphql --api-token-file token\n  oppflow check --output json",
		Args:              exactly(),
		ValidArgsFunction: completeNothing,
	}
	fs := command.Flags()
	form := outputFlag(command)
	fs.Var(&timeout, "timeout", "how long to wait for an answer")
	readerFlags(fs, &api)
	command.RunE = func(command *cobra.Command, _ []string) error {
		return p.askAPI(command.Context(), &api, time.Duration(timeout), func(ctx context.Context, client *administrate.Client) error {
			found, err := client.Check(ctx)
			if err != nil {
				return err
			}
			result := checkedOf(api.URL, found)
			if err := form.show(p.stdout, result, func(w io.Writer) { showChecked(w, result) }); err != nil {
				return err
			}
			return result.failure()
		})
	}
	return command
}

// checked is the JSON form of the results of a check.
type checked struct {
	URL         string       `json:"url"`
	Uses        int          `json:"uses"`
	Missing     []missing    `json:"missing"`
	Assumptions []assumption `json:"assumptions"`
	Extras      extras       `json:"extras"`
}

// extras are parts of the API that only side effects of transitions and follow-ups use. Problems with extras do not count as a
// failure.
type extras struct {
	Uses        int          `json:"uses"`
	Missing     []missing    `json:"missing"`
	Assumptions []assumption `json:"assumptions"`
}

type missing struct {
	Problem string   `json:"problem"`
	Uses    []string `json:"uses"`
}

type assumption struct {
	Entry   string    `json:"entry"`
	Name    string    `json:"name"`
	Assumed string    `json:"assumed"`
	Cost    string    `json:"cost"`
	Line    string    `json:"line"`
	Missing []missing `json:"missing"`
}

func checkedOf(url string, found administrate.Checked) checked {
	return checked{
		URL: url, Uses: found.Uses, Missing: missingOf(found.Missing), Assumptions: assumptionsOf(found.Unmet),
		Extras: extras{
			Uses: found.Extras.Uses, Missing: missingOf(found.Extras.Missing), Assumptions: assumptionsOf(found.Extras.Unmet),
		},
	}
}

func assumptionsOf(found []administrate.Unmet) []assumption {
	all := []assumption{}
	for _, u := range found {
		all = append(all, assumption{
			Entry: u.Entry, Name: string(u.Name), Assumed: u.What, Cost: u.Cost, Line: u.Line, Missing: missingOf(u.Missing),
		})
	}
	return all
}

func missingOf(found []administrate.Missing) []missing {
	all := []missing{}
	for _, m := range found {
		all = append(all, missing(m))
	}
	return all
}

// failure returns one error for all problems, or nil when there are none.
func (c checked) failure() error {
	var parts []string
	if n := len(c.Missing); n > 0 {
		parts = append(parts, counted(n, "thing is missing", "things are missing"))
	}
	if n := len(c.Assumptions); n > 0 {
		parts = append(parts, counted(n, "assumption does not hold", "assumptions do not hold"))
	}
	if len(parts) == 0 {
		return nil
	}
	return fmt.Errorf("the API at %s differs from what Oppflow sends: %s", c.URL, strings.Join(parts, ", "))
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// maxShownUses is the number of the client's uses that are listed with a problem.
const maxShownUses = 4

func showChecked(w io.Writer, c checked) {
	if c.failure() == nil {
		line(w, fmt.Sprintf("The API at %s has all that Oppflow sends to it; %d different requests were compared.", c.URL, c.Uses))
	}
	showMissing(w, "Missing, although documented or observed with other tenants:", c.Missing)
	showAssumptions(w, "Assumed, and different with this tenant:", c.Assumptions)
	showMissing(w, "Missing for side effects of transitions and for follow-ups, if the tenant has any:", c.Extras.Missing)
	showAssumptions(w, "Assumed for side effects of transitions and for follow-ups, and different with this tenant:", c.Extras.Assumptions)
}

func showMissing(w io.Writer, title string, all []missing) {
	if len(all) > 0 {
		line(w, title)
		showProblems(w, "  ", all)
	}
}

func showAssumptions(w io.Writer, title string, all []assumption) {
	if len(all) > 0 {
		line(w, title)
	}
	for _, a := range all {
		line(w, "  "+a.Assumed)
		showProblems(w, "    ", a.Missing)
		line(w, "    without it: "+a.Cost)
		line(w, fmt.Sprintf("    correct it or switch it off: %s (%s)", a.Line, a.Entry))
	}
}

func showProblems(w io.Writer, indent string, all []missing) {
	for _, m := range all {
		uses := strings.Join(m.Uses[:min(len(m.Uses), maxShownUses)], ", ")
		if more := len(m.Uses) - maxShownUses; more > 0 {
			uses += fmt.Sprintf(" and %d more", more)
		}
		line(w, indent+m.Problem)
		line(w, indent+"  fails: "+uses)
	}
}
