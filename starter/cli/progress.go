package cli

import (
	"github.com/spf13/cobra"

	"github.com/oppflow/oppflow/opportunity"
)

func (p *program) progress() *cobra.Command {
	var progress opportunity.Progress
	command := &cobra.Command{
		Use:               "progress REF --to STEP [flags]",
		Short:             messageHelp(opportunity.MessageProgress),
		Long:              "progress moves the opportunity over a transition to another step. The tenant must have configured this transition in the TMS.",
		Example:           "  oppflow progress lead-4711 --to Won",
		Args:              exactArgs("REF"),
		ValidArgsFunction: completeNothing,
	}
	command.Flags().StringVar(&progress.To, "to", "", "id or name of the step")
	sending := p.newMessageCommand(command)
	command.RunE = func(command *cobra.Command, args []string) error {
		reference, err := reference(args)
		if err != nil {
			return err
		}
		if progress.To == "" {
			return usagef("--to is missing; give the step by id or name, such as --to Won")
		}
		progress.RequestID = sending.request.get()
		return sending.send(command.Context(), reference, progress, map[string]string{"requestId": "--request-id", "to": "--to"})
	}
	return command
}
