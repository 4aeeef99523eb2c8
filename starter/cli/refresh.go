package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/oppflow/oppflow/opportunity"
)

func (p *program) refresh() *cobra.Command {
	command := &cobra.Command{
		Use:   "refresh REF [flags]",
		Short: messageHelp(opportunity.MessageRefresh),
		Long: `refresh has the workflow read the record again, where somebody may have changed it by hand, and cuts a wait for an API
that was out of reach short. It answers once that is accepted; show tells what was found.`,
		Example:           "  oppflow refresh lead-4711",
		Args:              exactArgs("REF"),
		ValidArgsFunction: completeNothing,
	}
	sending := p.newMessageCommand(command)
	command.RunE = func(command *cobra.Command, args []string) error {
		reference, err := reference(args)
		if err != nil {
			return err
		}
		sending.successText = fmt.Sprintf("the record of %s is read again; see oppflow show %s", reference, reference)
		return sending.send(command.Context(), reference, opportunity.Refresh{RequestID: sending.request.get()}, map[string]string{"requestId": "--request-id"})
	}
	return command
}
