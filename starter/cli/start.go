package cli

import (
	"context"
	"errors"
	"io"

	"github.com/spf13/cobra"

	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

func (p *program) start() *cobra.Command {
	var start opportunity.Start
	command := &cobra.Command{
		Use:   "start REF --name NAME --region REGION [flags]",
		Short: "Start an opportunity: create its record in the TMS, or adopt an existing record",
		Long: `start creates the record of an opportunity in the TMS and runs its workflow. REF is your own key of the opportunity, such as an
order number, without personal data and without "@". A repeated command returns the same outcome. With --adopt, start adopts
an existing record: then give no name, region, account, currency or step.`,
		Example: `  oppflow start lead-4711 --name "First Aid course" --region UK --account Administrate --currency USD
  oppflow start lead-4712 --adopt T3Bwb3J0dW5pdHk6MQ==`,
		Args:              exactArgs("REF"),
		ValidArgsFunction: completeNothing,
	}
	fs := command.Flags()
	fs.StringVar(&start.Name, "name", "", "name of the opportunity")
	fs.StringVar(&start.Region, "region", "", "id or name of the region")
	fs.StringVar(&start.Account, "account", "", "id or name of the account")
	fs.StringVar(&start.Currency, "currency", "", "code or name of the currency")
	fs.StringVar(&start.EntryStep, "entry-step", "", "id or name of the step in which the record starts (default: the TMS selects the step)")
	fs.StringVar((*string)(&start.Adopt), "adopt", "", "id of an existing record in the TMS to adopt")
	fs.Var((*requestID)(&start.RequestID), "request-id", "your own id of this request")
	fs.StringVar(&start.Source, "source", "", "source of the request, such as the name of a web shop; Oppflow serves all sources fairly in turn (default: the region)")
	fs.BoolVar(&start.Urgent, "urgent", false, "create the record before records of starts that are not urgent")
	form := outputFlag(command)
	connection := p.connection(fs, updateTimeout)
	command.RunE = func(command *cobra.Command, args []string) error {
		reference, err := reference(args)
		if err != nil {
			return err
		}
		switch {
		case start.Adopt == "" && fs.Changed("adopt"):
			return usagef("--adopt is empty; give the id of the record, such as --adopt T3Bwb3J0dW5pdHk6MQ==")
		case start.Adopt != "":
		case start.Name == "":
			return usagef(`--name is missing; give the name of the opportunity, such as --name "First Aid course"`)
		case start.Region == "":
			return usagef("--region is missing; give the region by id or name, such as --region UK")
		}
		if err := start.Validate(); err != nil {
			return asUsageError(err, map[string]string{
				"adopt": "--adopt", "requestId": "--request-id", "source": "--source", "name": "--name", "region": "--region",
				"account": "--account", "currency": "--currency", "entryStep": "--entry-step",
			})
		}
		return connection.opportunities(command.Context(), func(ctx context.Context, client *lifecycle.Client) error {
			opened, err := client.Start(ctx, reference, start)
			var own *opportunity.Error
			if err != nil && !errors.As(err, &own) {
				return explainedf("%v; it is unknown whether the start of %s was accepted; run the same command again", connection.explainError(err), reference)
			}
			if err != nil {
				return err
			}
			return form.show(p.stdout, opened, func(w io.Writer) { showCreateStatus(w, opened) })
		})
	}
	return command
}
