package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/settings"
	"github.com/oppflow/oppflow/worker/host"
)

const (
	pageSize      = 100 // the most the API gives at a time (documented)
	maxRows       = 10_000
	searchTimeout = time.Minute
)

func (p *program) search() *cobra.Command {
	api := settings.API{Environment: p.env}
	var conditions filters
	limit, timeout := rows(50), length(searchTimeout)
	command := &cobra.Command{
		Use:   "search [--filter FIELD=VALUE]... [flags]",
		Short: "Search the opportunities of the TMS, with their totals",
		Long: `search asks the TMS for opportunities that fit all conditions. A condition is FIELD=VALUE or FIELD:OPERATION:VALUE with
one of the API's operations: eq ne gt ge lt le like wordlike, in notin contains (values with commas between them),
isnull notnull (no value). Fields are those of the API's OpportunityField, such as regionName, id or stepId.`,
		Example:           "  oppflow search --filter regionName=UK\n  oppflow search --filter regionName:in:UK,US --filter 'name:like:First%' --output json",
		Args:              exactly(),
		ValidArgsFunction: completeNothing,
	}
	fs := command.Flags()
	fs.Var(&conditions, "filter", "condition, such as regionName=UK (repeatable; all must hold)")
	fs.Var(&limit, "limit", "how many opportunities at most")
	form := outputFlag(command)
	fs.Var(&timeout, "timeout", "how long to wait for an answer")
	readerFlags(fs, &api)
	command.RunE = func(command *cobra.Command, _ []string) error {
		client, err := apiClient(&api)
		if err != nil {
			return err
		}
		ctx, cancel := within(command.Context(), time.Duration(timeout))
		defer cancel()
		result, err := searchUpTo(ctx, client, conditions, int(limit))
		if err != nil {
			return explainAPI(ctx, api.URL, err)
		}
		return form.show(p.stdout, result, func(w io.Writer) { showFound(w, result) })
	}
	return command
}

// readerFlags binds the settings of a command that only reads.
func readerFlags(fs *pflag.FlagSet, api *settings.API) {
	api.AddFlags(fs)
	for _, irrelevant := range []string{"read-only", "mark", "reservation-length", "settle-time"} {
		if fs.Lookup(irrelevant) != nil {
			_ = fs.MarkHidden(irrelevant)
		}
	}
}

// apiClient makes a client of the API the settings name.
func apiClient(s *settings.API) (*administrate.Client, error) {
	if err := s.Resolve(); err != nil {
		return nil, &usageError{text: err.Error()}
	}
	client, err := administrate.New(administrate.Options{
		URL: s.URL, Tokens: administrate.StaticToken(s.Token.Reveal()), RequestsPerSecond: s.Rate, MaxResponseBytes: maxSchema,
	})
	if err != nil {
		return nil, &usageError{text: err.Error()}
	}
	return client, nil
}

// searchUpTo reads page by page.
func searchUpTo(ctx context.Context, client *administrate.Client, conditions filters, limit int) (found, error) {
	var all []administrate.Opportunity
	search := administrate.Search{Filters: conditions}
	for {
		search.First = min(pageSize, limit-len(all))
		page, err := client.Opportunities(ctx, search)
		if err != nil {
			return found{}, err
		}
		all = append(all, page.Rows...)
		if page.More == "" || len(page.Rows) == 0 || len(all) >= limit {
			return foundOf(page.Count, all), nil
		}
		search.After = page.More
	}
}

// explainAPI says in one line what the API answered.
func explainAPI(ctx context.Context, url string, err error) error {
	var refused *administrate.RefusedError
	var notSent *administrate.NotSentError
	var invalid *administrate.InvalidError
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return errors.New(host.Reason(ctx.Err()))
	case errors.As(err, &invalid):
		return &usageError{text: invalid.Error()}
	case errors.As(err, &refused) && len(refused.Messages) > 0:
		// A search holds nothing but what was typed here: the API's words may be shown.
		return fmt.Errorf("the API refused the request: %s", refused.Messages[0])
	case errors.As(err, &notSent) && notSent.Reason == administrate.Unreachable:
		why := errors.Unwrap(notSent)
		if why == nil {
			why = notSent
		}
		return fmt.Errorf("cannot reach the API at %s (set --api-url or ADMINISTRATE_URL): %w", url, why)
	case errors.As(err, &notSent) && notSent.Reason == administrate.Authentication:
		return fmt.Errorf("the API at %s does not take the token; set ADMINISTRATE_TOKEN or --api-token-file", url)
	}
	return err
}

// rows is a flag's value: how many rows.
type rows int

func (r *rows) Set(text string) error {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxRows {
		return fmt.Errorf("must be a whole number from 1 to %d", maxRows)
	}
	*r = rows(n)
	return nil
}

func (r *rows) String() string { return strconv.Itoa(int(*r)) }
func (r *rows) Type() string   { return "number" }
