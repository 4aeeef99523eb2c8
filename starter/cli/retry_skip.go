package cli

import (
	"fmt"

	"al.essio.dev/pkg/shellescape"
	"github.com/spf13/cobra"

	"github.com/oppflow/oppflow/opportunity"
)

func (p *program) retry() *cobra.Command {
	command := &cobra.Command{
		Use:   "retry REF REQUEST [flags]",
		Short: messageHelp(opportunity.MessageRetry),
		Long: `retry answers the question of an opportunity whether a change was made in the TMS. Check the TMS first. retry says that the
change was not made, and Oppflow sends the request again. retry also sends a parked request again, before the requests that wait.
Oppflow parks a request when the API repeatedly returns errors of its own for the request.`,
		Example:           "  oppflow retry lead-4711 6f1c…",
		Args:              exactArgs("REF", "REQUEST"),
		ValidArgsFunction: completeNothing,
	}
	sending := p.newMessageCommand(command)
	command.RunE = func(command *cobra.Command, args []string) error {
		reference, err := reference(args)
		if err != nil {
			return err
		}
		sending.successText = fmt.Sprintf("request %s of %s is sent again; see oppflow outcome %s %s", args[1], reference, shellescape.Quote(string(reference)), shellescape.Quote(args[1]))
		return sending.send(command.Context(), reference, opportunity.Retry{RequestID: sending.request.get(), Request: args[1]}, map[string]string{
			"requestId": "--request-id", "request": "REQUEST",
		})
	}
	return command
}

func (p *program) confirm() *cobra.Command {
	var record string
	command := &cobra.Command{
		Use:   "confirm REF REQUEST [--record ID] [flags]",
		Short: messageHelp(opportunity.MessageConfirm),
		Long: `confirm answers the question of an opportunity whether a change was made in the TMS. Check the TMS first. confirm says that the
change was made. The request ends as done, and Oppflow reads the record again. To confirm an effect of the playbook, give its
key as REQUEST. If the question is whether the record was created, give the id of the record with --record.`,
		Example:           "  oppflow confirm lead-4711 6f1c…",
		Args:              exactArgs("REF", "REQUEST"),
		ValidArgsFunction: completeNothing,
	}
	command.Flags().StringVar(&record, "record", "", "the id of the record that was created")
	sending := p.newMessageCommand(command)
	command.RunE = func(command *cobra.Command, args []string) error {
		reference, err := reference(args)
		if err != nil {
			return err
		}
		confirm := opportunity.Confirm{RequestID: sending.request.get(), Request: args[1], Opportunity: opportunity.ID(record)}
		sending.successText = fmt.Sprintf("request %s of %s is confirmed", confirm.Request, reference)
		return sending.send(command.Context(), reference, confirm, map[string]string{
			"requestId": "--request-id", "request": "REQUEST", "opportunity": "--record",
		})
	}
	return command
}

func (p *program) skip() *cobra.Command {
	var skip opportunity.Skip
	command := &cobra.Command{
		Use:   "skip REF REQUEST --reason REASON [flags]",
		Short: messageHelp(opportunity.MessageSkip),
		Long: `skip answers the question of an opportunity whether a change was made in the TMS. Check the TMS first. skip says to go on without
the change: Oppflow leaves the TMS as it is, ends the request as failed and goes on with the requests that wait. skip also ends a
parked request. Oppflow parks a request when the API repeatedly returns errors of its own for the request.`,
		Example:           `  oppflow skip lead-4711 6f1c… --reason "the customer no longer wants the course"`,
		Args:              exactArgs("REF", "REQUEST"),
		ValidArgsFunction: completeNothing,
	}
	command.Flags().StringVar(&skip.Reason, "reason", "", "reason for skipping the request; Oppflow keeps the reason with the outcome")
	sending := p.newMessageCommand(command)
	command.RunE = func(command *cobra.Command, args []string) error {
		reference, err := reference(args)
		if err != nil {
			return err
		}
		if skip.Reason == "" {
			return usagef(`--reason is missing; give a reason, such as --reason "the customer no longer wants the course"`)
		}
		skip.RequestID, skip.Request = sending.request.get(), args[1]
		sending.successText = fmt.Sprintf("request %s of %s is skipped", skip.Request, reference)
		return sending.send(command.Context(), reference, skip, map[string]string{
			"requestId": "--request-id", "request": "REQUEST", "reason": "--reason",
		})
	}
	return command
}
