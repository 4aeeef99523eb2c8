package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/oppflow/oppflow/opportunity"
)

func (p *program) acknowledge() *cobra.Command {
	var acknowledge opportunity.Acknowledge
	command := &cobra.Command{
		Use:   "acknowledge REF REQUEST [flags]",
		Short: messageHelp(opportunity.MessageAcknowledge),
		Long: `acknowledge removes attention that only informs an operator: a failed request, a message that could not be read, and what a follow-up
or the playbook reports. Attention that needs a decision has another answer, and attention about an outage ends by itself. show lists
the attention with its requests.`,
		Example:           "  oppflow acknowledge lead-4711 web-1234\n  oppflow acknowledge lead-4711 '#1' --kind message",
		Args:              exactArgs("REF", "REQUEST"),
		ValidArgsFunction: completeNothing,
	}
	command.Flags().StringVar(&acknowledge.Kind, "kind", "", "kind of the attention (default: all kinds about the request)")
	sending := p.newMessageCommand(command)
	command.RunE = func(command *cobra.Command, args []string) error {
		reference, err := reference(args)
		if err != nil {
			return err
		}
		acknowledge.Request, acknowledge.RequestID = args[1], sending.request.get()
		sending.successText = fmt.Sprintf("the attention about %s of %s is removed", args[1], reference)
		return sending.send(command.Context(), reference, acknowledge, map[string]string{"requestId": "--request-id", "request": "REQUEST", "kind": "--kind"})
	}
	return command
}
