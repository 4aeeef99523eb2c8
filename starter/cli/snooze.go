package cli

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/oppflow/oppflow/opportunity"
)

func (p *program) snooze() *cobra.Command {
	var snooze opportunity.Snooze
	command := &cobra.Command{
		Use:   "snooze REF FOLLOW-UP --until TIME [--reason TEXT] [flags]",
		Short: messageHelp(opportunity.MessageSnooze),
		Long: `snooze delays a planned follow-up and its repetitions until a time. A second snooze replaces the time. show lists the keys of
planned follow-ups.`,
		Example:           `  oppflow snooze lead-4711 remind/20261201T120000Z/2 --until 2026-12-31T17:00:00+01:00 --reason "on holiday"`,
		Args:              exactArgs("REF", "FOLLOW-UP"),
		ValidArgsFunction: completeNothing,
	}
	fs := command.Flags()
	fs.Var((*timeFlag)(&snooze.Until), "until", "earliest time for the follow-up, with a UTC offset, such as 2026-12-31T17:00:00Z")
	fs.StringVar(&snooze.Reason, "reason", "", "reason for the delay; oppflow show displays the reason")
	sending := p.newMessageCommand(command)
	command.RunE = func(command *cobra.Command, args []string) error {
		reference, err := reference(args)
		if err != nil {
			return err
		}
		if snooze.Until.IsZero() {
			return usagef("--until is missing; give a time with a UTC offset, such as --until 2026-12-31T17:00:00Z")
		}
		if fs.Changed("reason") && snooze.Reason == "" {
			return usagef("--reason is empty; give a reason or leave the flag out")
		}
		snooze.FollowUp, snooze.RequestID = args[1], sending.request.get()
		sending.successText = fmt.Sprintf("follow-up %s of %s is not done before %s", args[1], reference, snooze.Until.Format(time.RFC3339))
		return sending.send(command.Context(), reference, snooze, map[string]string{
			"requestId": "--request-id", "followUp": "FOLLOW-UP", "until": "--until", "reason": "--reason",
		})
	}
	return command
}
