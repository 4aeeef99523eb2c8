package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

func (p *program) outcome() *cobra.Command {
	command := &cobra.Command{
		Use:   "outcome REF REQUEST [flags]",
		Short: "Show the outcome of a request",
		Long: `outcome shows the outcome of a request from any sender, sent as a signal or an update. outcome has the same output and exit code
as the command that sends the request: the exit code is 1 if the request failed. Oppflow keeps the outcomes of the last 200 requests
of an opportunity in full. outcome needs a running worker.`,
		Example:           "  oppflow outcome lead-4711 6f1c…",
		Args:              exactArgs("REF", "REQUEST"),
		ValidArgsFunction: completeNothing,
	}
	asking := &messageCommand{output: outputFlag(command), connection: p.connection(command.Flags(), updateTimeout)}
	command.RunE = func(command *cobra.Command, args []string) error {
		reference, err := reference(args)
		if err != nil {
			return err
		}
		if args[1] == "" {
			return usagef("REQUEST is empty; give the id of the request")
		}
		return asking.connection.opportunities(command.Context(), func(ctx context.Context, client *lifecycle.Client) error {
			outcome, err := client.Outcome(ctx, reference, args[1])
			if err == nil && outcome.State == opportunity.Failed && outcome.Error != nil {
				err = outcome.Error
			}
			return asking.showResult(p.stdout, reference, outcome, err)
		})
	}
	return command
}
