package cli

import (
	"fmt"

	"al.essio.dev/pkg/shellescape"
	"github.com/spf13/cobra"

	"github.com/oppflow/oppflow/opportunity"
)

func (p *program) pause() *cobra.Command {
	var pause opportunity.Pause
	command := &cobra.Command{
		Use:   "pause REF [flags]",
		Short: messageHelp(opportunity.MessagePause),
		Long: `pause stops all sending to the TMS for the opportunity: signals wait, and updates are refused with the error Paused. A request
that is already under way is completed. Operator commands and show work as before. A second pause replaces the reason.`,
		Example:           `  oppflow pause lead-4711 --reason "two accounts of the customer are being merged"`,
		Args:              exactArgs("REF"),
		ValidArgsFunction: completeNothing,
	}
	command.Flags().StringVar(&pause.Reason, "reason", "", "reason for the pause; oppflow show displays the reason")
	sending := p.newMessageCommand(command)
	command.RunE = func(command *cobra.Command, args []string) error {
		reference, err := reference(args)
		if err != nil {
			return err
		}
		if command.Flags().Changed("reason") && pause.Reason == "" {
			return usagef("--reason is empty; give a reason or leave the flag out")
		}
		pause.RequestID = sending.request.get()
		sending.successText = fmt.Sprintf("%s is paused; end the pause with: oppflow resume %s", reference, shellescape.Quote(string(reference)))
		return sending.send(command.Context(), reference, pause, map[string]string{"requestId": "--request-id", "reason": "--reason"})
	}
	return command
}

func (p *program) resume() *cobra.Command {
	command := &cobra.Command{
		Use:               "resume REF [flags]",
		Short:             messageHelp(opportunity.MessageResume),
		Long:              "resume ends a pause: the requests that waited are sent in order. An opportunity that is not paused stays as it is.",
		Example:           "  oppflow resume lead-4711",
		Args:              exactArgs("REF"),
		ValidArgsFunction: completeNothing,
	}
	sending := p.newMessageCommand(command)
	command.RunE = func(command *cobra.Command, args []string) error {
		reference, err := reference(args)
		if err != nil {
			return err
		}
		sending.successText = fmt.Sprintf("%s is resumed", reference)
		return sending.send(command.Context(), reference, opportunity.Resume{RequestID: sending.request.get()}, map[string]string{"requestId": "--request-id"})
	}
	return command
}
