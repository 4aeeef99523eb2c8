package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/oppflow/oppflow/opportunity"
)

func (p *program) close() *cobra.Command {
	var ending opportunity.Close
	command := &cobra.Command{
		Use:   "close REF --reason REASON [flags]",
		Short: messageHelp(opportunity.MessageClose),
		Long: `close ends the run for good, without a prompt: requests that wait fail, reserved places are released, and the step in the TMS
stays as it is. Only a start that adopts the record can use the reference again.`,
		Example:           `  oppflow close lead-4711 --reason "handled by phone"`,
		Args:              exactArgs("REF"),
		ValidArgsFunction: completeNothing,
	}
	command.Flags().StringVar(&ending.Reason, "reason", "", "reason for closing the opportunity; Oppflow stores the reason with each request that close ends")
	sending := p.newMessageCommand(command)
	command.RunE = func(command *cobra.Command, args []string) error {
		reference, err := reference(args)
		if err != nil {
			return err
		}
		if ending.Reason == "" {
			return usagef(`--reason is missing; give a reason, such as --reason "handled by phone"`)
		}
		ending.RequestID = sending.request.get()
		sending.successText = fmt.Sprintf("%s is being closed", reference)
		return sending.send(command.Context(), reference, ending, map[string]string{"requestId": "--request-id", "reason": "--reason"})
	}
	return command
}
