package cli

import (
	"github.com/spf13/cobra"

	"github.com/oppflow/oppflow/opportunity"
)

func (p *program) update() *cobra.Command {
	var details opportunity.UpdateDetails
	command := &cobra.Command{
		Use:               "update REF [--name NAME] [--account ACCOUNT] [--currency CURRENCY] [flags]",
		Short:             messageHelp(opportunity.MessageUpdateDetails),
		Long:              "update sets the details that are given and does not change the other details.",
		Example:           "  oppflow update lead-4711 --account Administrate --currency USD",
		Args:              exactArgs("REF"),
		ValidArgsFunction: completeNothing,
	}
	fs := command.Flags()
	fs.StringVar(&details.Name, "name", "", "name of the opportunity")
	fs.StringVar(&details.Account, "account", "", "id or name of the account")
	fs.StringVar(&details.Currency, "currency", "", "code or name of the currency")
	sending := p.newMessageCommand(command)
	command.RunE = func(command *cobra.Command, args []string) error {
		reference, err := reference(args)
		if err != nil {
			return err
		}
		for _, name := range []string{"name", "account", "currency"} {
			if flag := command.Flags().Lookup(name); flag.Changed && flag.Value.String() == "" {
				return usagef("--%s is empty; give a value or leave the flag out: a detail cannot be cleared", name)
			}
		}
		if details == (opportunity.UpdateDetails{}) {
			return usagef("nothing to update: give --name, --account or --currency")
		}
		details.RequestID = sending.request.get()
		return sending.send(command.Context(), reference, details, map[string]string{
			"requestId": "--request-id", "name": "--name", "account": "--account", "currency": "--currency",
		})
	}
	return command
}
