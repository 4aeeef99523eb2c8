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
		Long: `refresh reads the record again, for example after a manual change in the TMS. If the opportunity waits for an API that could not
be reached, refresh ends this wait. refresh returns when the opportunity has accepted the message. Use show to see the record.`,
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
