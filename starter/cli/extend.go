package cli

import (
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/oppflow/oppflow/opportunity"
)

func (p *program) extend() *cobra.Command {
	var extend opportunity.ExtendReservations
	command := &cobra.Command{
		Use:   "extend REF --until TIME [flags]",
		Short: messageHelp(opportunity.MessageExtendReservations),
		Long: `extend sets a new expiry time, later or earlier, for all reserved places of the opportunity. extend fails if the reservation
has expired: an expired reservation stays expired.`,
		Example:           "  oppflow extend lead-4711 --until 2026-12-31T17:00:00+01:00",
		Args:              exactArgs("REF"),
		ValidArgsFunction: completeNothing,
	}
	command.Flags().Var((*timeFlag)(&extend.Until), "until", "new expiry time, with a UTC offset, such as 2026-12-31T17:00:00Z")
	sending := p.newMessageCommand(command)
	command.RunE = func(command *cobra.Command, args []string) error {
		reference, err := reference(args)
		if err != nil {
			return err
		}
		if extend.Until.IsZero() {
			return usagef("--until is missing; give a time with a UTC offset, such as --until 2026-12-31T17:00:00Z")
		}
		extend.RequestID = sending.request.get()
		return sending.send(command.Context(), reference, extend, map[string]string{"requestId": "--request-id", "until": "--until"})
	}
	return command
}

type timeFlag time.Time

func (m *timeFlag) Set(text string) error {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return errors.New("must be a time with a UTC offset, such as 2026-12-31T17:00:00Z or 2026-12-31T17:00:00+01:00")
	}
	*m = timeFlag(at)
	return nil
}

func (m *timeFlag) String() string {
	if time.Time(*m).IsZero() {
		return ""
	}
	return time.Time(*m).Format(time.RFC3339)
}
func (m *timeFlag) Type() string { return "time" }
