package cli

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/settings"
)

const (
	pageSize      = 100 // the largest page of the API (documented)
	maxRows       = 10_000
	searchTimeout = time.Minute
)

func (p *program) search() *cobra.Command {
	api := settings.API{Environment: p.env}
	var conditions filtersFlag
	limit, timeout := rowsFlag(50), durationFlag(searchTimeout)
	command := &cobra.Command{
		Use:   "search [--filter FIELD=VALUE]... [flags]",
		Short: "Search the opportunities of the TMS, with their totals",
		Long: `search reads the opportunities that meet all conditions from the TMS. A condition is FIELD=VALUE or FIELD:OPERATION:VALUE with
one of the API's operations: eq ne gt ge lt le like wordlike, in notin contains (values separated by commas),
isnull notnull (no value). Fields are those of the API's OpportunityField, such as regionName, id or stepId.`,
		Example:           "  oppflow search --filter regionName=UK\n  oppflow search --filter regionName:in:UK,US --filter 'name:like:First%' --output json",
		Args:              exactArgs(),
		ValidArgsFunction: completeNothing,
	}
	fs := command.Flags()
	fs.Var(&conditions, "filter", "condition, such as regionName=UK; may be repeated, and an opportunity must meet all conditions")
	fs.Var(&limit, "limit", "maximum number of opportunities to show")
	form := outputFlag(command)
	fs.Var(&timeout, "timeout", "how long to wait for a response")
	readerFlags(fs, &api)
	command.RunE = func(command *cobra.Command, _ []string) error {
		return p.withAPI(command.Context(), &api, time.Duration(timeout), func(ctx context.Context, client *administrate.Client) error {
			result, err := searchUpTo(ctx, client, conditions, int(limit))
			if err != nil {
				return err
			}
			return form.show(p.stdout, result, func(w io.Writer) { showSearchResult(w, result) })
		})
	}
	return command
}

func searchUpTo(ctx context.Context, client *administrate.Client, conditions filtersFlag, limit int) (searchResult, error) {
	var all []administrate.Opportunity
	search := administrate.Search{Filters: conditions}
	for {
		search.First = min(pageSize, limit-len(all))
		page, err := client.Opportunities(ctx, search)
		if err != nil {
			return searchResult{}, err
		}
		all = append(all, page.Rows...)
		if page.NextCursor == "" || len(page.Rows) == 0 || len(all) >= limit {
			return newSearchResult(page.Count, all), nil
		}
		search.After = page.NextCursor
	}
}

type rowsFlag int

func (r *rowsFlag) Set(text string) error {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxRows {
		return fmt.Errorf("must be a whole number from 1 to %d", maxRows)
	}
	*r = rowsFlag(n)
	return nil
}

func (r *rowsFlag) String() string { return strconv.Itoa(int(*r)) }
func (r *rowsFlag) Type() string   { return "number" }
