package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/oppflow/oppflow/opportunity"
)

func (p *program) cancelFollowUp() *cobra.Command {
	var cancel opportunity.CancelFollowUp
	command := &cobra.Command{
		Use:   "cancel-follow-up REF FOLLOW-UP --reason TEXT [flags]",
		Short: messageHelp(opportunity.MessageCancelFollowUp),
		Long: `cancel-follow-up keeps a planned follow-up from ever being done. What repeats it is done all the same, at its time,
until it is cancelled as well. show tells the keys of those that are planned.`,
		Example:           `  oppflow cancel-follow-up lead-4711 remind/20261201T120000Z/2 --reason "we talked on the phone"`,
		Args:              exactArgs("REF", "FOLLOW-UP"),
		ValidArgsFunction: completeNothing,
	}
	command.Flags().StringVar(&cancel.Reason, "reason", "", "why; shown with what became of it")
	sending := p.newMessageCommand(command)
	command.RunE = func(command *cobra.Command, args []string) error {
		reference, err := reference(args)
		if err != nil {
			return err
		}
		if cancel.Reason == "" {
			return usagef(`--reason is missing; say why, such as --reason "we talked on the phone"`)
		}
		cancel.FollowUp, cancel.RequestID = args[1], sending.request.get()
		sending.successText = fmt.Sprintf("%s of %s is cancelled", args[1], reference)
		return sending.send(command.Context(), reference, cancel, map[string]string{
			"requestId": "--request-id", "followUp": "FOLLOW-UP", "reason": "--reason",
		})
	}
	return command
}
