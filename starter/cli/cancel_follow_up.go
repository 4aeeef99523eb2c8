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
		Long: `cancel-follow-up cancels a planned follow-up for good. The repetitions of the follow-up stay planned until you
cancel the repetitions, too. show lists the keys of planned follow-ups.`,
		Example:           `  oppflow cancel-follow-up lead-4711 remind/20261201T120000Z/2 --reason "we talked on the phone"`,
		Args:              exactArgs("REF", "FOLLOW-UP"),
		ValidArgsFunction: completeNothing,
	}
	command.Flags().StringVar(&cancel.Reason, "reason", "", "reason for cancelling the follow-up; oppflow show displays the reason")
	sending := p.newMessageCommand(command)
	command.RunE = func(command *cobra.Command, args []string) error {
		reference, err := reference(args)
		if err != nil {
			return err
		}
		if cancel.Reason == "" {
			return usagef(`--reason is missing; give a reason, such as --reason "we talked on the phone"`)
		}
		cancel.FollowUp, cancel.RequestID = args[1], sending.request.get()
		sending.successText = fmt.Sprintf("follow-up %s of %s is cancelled", args[1], reference)
		return sending.send(command.Context(), reference, cancel, map[string]string{
			"requestId": "--request-id", "followUp": "FOLLOW-UP", "reason": "--reason",
		})
	}
	return command
}
