package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/administrate/schemacheck"
	"github.com/oppflow/oppflow/settings"
)

const checkTimeout = 2 * time.Minute

func (p *program) check() *cobra.Command {
	api := settings.API{Environment: p.env}
	timeout := durationFlag(checkTimeout)
	var file string
	command := &cobra.Command{
		Use:   "check [flags]",
		Short: "Check whether a tenant's API supports everything that Oppflow sends",
		Long: `check reads the schema of the API by introspection, in one request that changes nothing, and compares the schema with everything
that Oppflow may send: operations, fields, arguments, members, their types, and what the API requires. check reports what is
missing. check also reports each of Oppflow's assumptions that does not hold for this tenant, with its cost and the line of the code
that corrects it. The exit code is 0 if nothing is missing and all assumptions hold. check lists missing parts separately if
only side effects of transitions and follow-ups need them. These parts do not change the exit code, because a tenant may have no
side effects.

With --playbook, check also compares the names of steps, stages, regions, sending addresses and attributes in a playbook with those of the
tenant. check reports each name that the tenant does not have, or has twice, with the line and the column in the file.`,
		Example:           "  oppflow check --api-url https://api.getadministrate.com/graphql --api-token-file token\n  oppflow check --output json\n  oppflow check --playbook playbook.yaml",
		Args:              exactArgs(),
		ValidArgsFunction: completeNothing,
	}
	fs := command.Flags()
	form := outputFlag(command)
	fs.Var(&timeout, "timeout", "how long to wait for a response")
	fs.Var((*playbookFlag)(&file), "playbook", "playbook whose names are compared with the tenant: a file, - for standard input, or default")
	readerFlags(fs, &api)
	command.RunE = func(command *cobra.Command, _ []string) error {
		var book namedPlaybook
		if file != "" {
			var err error
			if book, err = p.openPlaybook(command, file); err != nil {
				return err
			}
		}
		return p.withAPI(command.Context(), &api, time.Duration(timeout), func(ctx context.Context, client *administrate.Client) error {
			found, err := schemacheck.Check(ctx, client)
			if err != nil {
				return err
			}
			result := newCheckReport(api.URL, found)
			if book.loaded != nil {
				names, err := compareNames(ctx, client, book)
				if err != nil {
					return err
				}
				result.Playbook = &names
			}
			if err := form.show(p.stdout, result, func(w io.Writer) { showCheckReport(w, result) }); err != nil {
				return err
			}
			return result.asError()
		})
	}
	return command
}

// checkReport is the result of the command check in JSON.
type checkReport struct {
	URL         string            `json:"url"`
	Operations  int               `json:"operations"`
	Missing     []missingPart     `json:"missing"`
	Assumptions []assumption      `json:"assumptions"`
	SideEffects sideEffectsReport `json:"sideEffects"`
	// Playbook is the comparison of the names in a playbook with the tenant's names, or nil without a
	// playbook.
	Playbook *namesReport `json:"playbook,omitempty"`
}

// sideEffectsReport contains the results for the parts of the API's schema that only side effects
// of transitions and follow-ups use. If only these parts are missing, the command check still
// succeeds.
type sideEffectsReport struct {
	Operations  int           `json:"operations"`
	Missing     []missingPart `json:"missing"`
	Assumptions []assumption  `json:"assumptions"`
}

type missingPart struct {
	Problem    string   `json:"problem"`
	Operations []string `json:"operations"`
}

type assumption struct {
	Entry   string        `json:"entry"`
	Name    string        `json:"name"`
	Assumed string        `json:"assumed"`
	Cost    string        `json:"cost"`
	Line    string        `json:"line"`
	Missing []missingPart `json:"missing"`
}

func newCheckReport(url string, found schemacheck.Report) checkReport {
	return checkReport{
		URL: url, Operations: found.Operations, Missing: missingOf(found.Mismatches), Assumptions: assumptionsOf(found.FailedAssumptions),
		SideEffects: sideEffectsReport{
			Operations: found.SideEffects.Operations, Missing: missingOf(found.SideEffects.Mismatches), Assumptions: assumptionsOf(found.SideEffects.FailedAssumptions),
		},
	}
}

func assumptionsOf(found []schemacheck.FailedAssumption) []assumption {
	all := []assumption{}
	for _, u := range found {
		all = append(all, assumption{
			Entry: u.Entry, Name: string(u.Name), Assumed: u.Assumption, Cost: u.Cost, Line: u.Line, Missing: missingOf(u.Mismatches),
		})
	}
	return all
}

func missingOf(found []schemacheck.Mismatch) []missingPart {
	all := []missingPart{}
	for _, m := range found {
		all = append(all, missingPart(m))
	}
	return all
}

func (c checkReport) asError() error {
	err := c.schemaError()
	if c.Playbook == nil || c.Playbook.asError() == nil {
		return err
	}
	if err == nil {
		return c.Playbook.asError()
	}
	return fmt.Errorf("%w; %w", err, c.Playbook.asError())
}

func (c checkReport) schemaError() error {
	var parts []string
	if n := len(c.Missing); n > 0 {
		parts = append(parts, countText(n, "part is missing", "parts are missing"))
	}
	if n := len(c.Assumptions); n > 0 {
		parts = append(parts, countText(n, "assumption does not hold", "assumptions do not hold"))
	}
	if len(parts) == 0 {
		return nil
	}
	return fmt.Errorf("the API at %s does not support everything that Oppflow sends: %s", c.URL, strings.Join(parts, ", "))
}

type playbookFlag string

func (f *playbookFlag) Set(text string) error {
	if text == "" {
		return errors.New("must not be empty; give a file, - for standard input, or default")
	}
	*f = playbookFlag(text)
	return nil
}

func (f *playbookFlag) String() string { return string(*f) }
func (f *playbookFlag) Type() string   { return "file" }

func countText(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

const maxShownOperations = 4

func showCheckReport(w io.Writer, c checkReport) {
	if c.schemaError() == nil {
		line(w, fmt.Sprintf("The API at %s supports everything that Oppflow sends; %d operations were compared.", c.URL, c.Operations))
	}
	showMissing(w, "The API lacks these parts, which are documented or were observed with other tenants:", c.Missing)
	showAssumptions(w, "These assumptions of Oppflow do not hold for this tenant:", c.Assumptions)
	showMissing(w, "The API lacks these parts, which only side effects of transitions and follow-ups need:", c.SideEffects.Missing)
	showAssumptions(w, "These assumptions about side effects of transitions and about follow-ups do not hold for this tenant:", c.SideEffects.Assumptions)
	if c.Playbook != nil {
		showNames(w, *c.Playbook)
		if len(c.Playbook.Diagnostics)+len(c.Playbook.NotCompared) == 0 {
			line(w, fmt.Sprintf("The tenant has each step, stage, region, sending address and attribute that %s names.", c.Playbook.File))
		}
	}
}

func showMissing(w io.Writer, title string, all []missingPart) {
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
		line(w, "    cost: "+a.Cost)
		line(w, fmt.Sprintf("    where to correct or switch off the assumption: %s (%s)", a.Line, a.Entry))
	}
}

func showProblems(w io.Writer, indent string, all []missingPart) {
	for _, m := range all {
		uses := strings.Join(m.Operations[:min(len(m.Operations), maxShownOperations)], ", ")
		if more := len(m.Operations) - maxShownOperations; more > 0 {
			uses += fmt.Sprintf(" and %d more", more)
		}
		line(w, indent+m.Problem)
		line(w, indent+"  operations that fail: "+uses)
	}
}
