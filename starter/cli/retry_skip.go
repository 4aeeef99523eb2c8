package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/oppflow/oppflow/opportunity"
)

func (p *program) retry() *cobra.Command {
	command := &cobra.Command{
		Use:   "retry REF REQUEST [flags]",
		Short: messageHelp(opportunity.MessageRetry),
		Long: `retry answers the question an opportunity stands at when nobody can tell whether a change reached the TMS. Look into
the TMS first: retry says that the change is not there, and sends it again. A request that is parked, since the TMS fails
to carry it out, is sent again before all that waits.`,
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
		sending.successText = fmt.Sprintf("request %s of %s is sent again; see oppflow outcome %s %s", args[1], reference, reference, args[1])
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
		Long: `confirm answers the question an opportunity stands at when nobody can tell whether a change reached the TMS. Look into
the TMS first: confirm says that the change is there. The request ends as done, and the record is read again. An effect of
the playbook is confirmed by its key. Where the question is whether the record was created, --record gives its id.`,
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
		Long: `skip answers the question an opportunity stands at when nobody can tell whether a change reached the TMS. Look into
the TMS first: skip leaves the change as it is there, ends the request as failed and goes on with what waits. It also ends a request that is parked,
since the TMS fails to carry it out.`,
		Example:           `  oppflow skip lead-4711 6f1c… --reason "the interest is there"`,
		Args:              exactArgs("REF", "REQUEST"),
		ValidArgsFunction: completeNothing,
	}
	command.Flags().StringVar(&skip.Reason, "reason", "", "why; kept with the outcome")
	sending := p.newMessageCommand(command)
	command.RunE = func(command *cobra.Command, args []string) error {
		reference, err := reference(args)
		if err != nil {
			return err
		}
		if skip.Reason == "" {
			return usagef(`--reason is missing; say why, such as --reason "it is there already"`)
		}
		skip.RequestID, skip.Request = sending.request.get(), args[1]
		sending.successText = fmt.Sprintf("request %s of %s is skipped", skip.Request, reference)
		return sending.send(command.Context(), reference, skip, map[string]string{
			"requestId": "--request-id", "request": "REQUEST", "reason": "--reason",
		})
	}
	return command
}
