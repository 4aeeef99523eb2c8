package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

func (p *program) retry() *cobra.Command {
	command := &cobra.Command{
		Use:   "retry REF REQUEST [flags]",
		Short: "Answer a question: the request did not happen, send it again",
		Long: `retry answers the question an opportunity stands at when nobody can tell whether a change reached the TMS. Look into
the TMS first: retry says that the change is not there, and sends it again.`,
		Example:           "  oppflow retry lead-4711 6f1c…",
		Args:              exactly("REF", "REQUEST"),
		ValidArgsFunction: completeNothing,
	}
	form := outputFlag(command)
	connection := p.connection(command.Flags(), answerTimeout)
	command.RunE = func(command *cobra.Command, args []string) error {
		reference, err := reference(args)
		if err != nil {
			return err
		}
		answer := opportunity.Retry{Request: args[1]}
		if err := answer.Validate(); err != nil {
			return mistyped(err, map[string]string{"request": "REQUEST"})
		}
		return connection.opportunities(command.Context(), func(ctx context.Context, client *lifecycle.Client) error {
			outcome, err := client.Retry(ctx, reference, answer)
			if err != nil {
				return err
			}
			return form.show(p.stdout, outcome, func(w io.Writer) {
				line(w, fmt.Sprintf("request %s of %s is sent again; see oppflow show %s", answer.Request, reference, reference))
			})
		})
	}
	return command
}

func (p *program) skip() *cobra.Command {
	var answer opportunity.Skip
	command := &cobra.Command{
		Use:   "skip REF REQUEST --reason REASON [flags]",
		Short: "Answer a question: the request did happen, or never mind",
		Long: `skip answers the question an opportunity stands at when nobody can tell whether a change reached the TMS. Look into
the TMS first: skip leaves the change as it is there and goes on with what waits.`,
		Example:           `  oppflow skip lead-4711 6f1c… --reason "the interest is there"`,
		Args:              exactly("REF", "REQUEST"),
		ValidArgsFunction: completeNothing,
	}
	command.Flags().StringVar(&answer.Reason, "reason", "", "why; kept with the outcome")
	form := outputFlag(command)
	connection := p.connection(command.Flags(), answerTimeout)
	command.RunE = func(command *cobra.Command, args []string) error {
		reference, err := reference(args)
		if err != nil {
			return err
		}
		answer.Request = args[1]
		if answer.Reason == "" {
			return usagef(`--reason is missing; say why, such as --reason "it is there already"`)
		}
		if err := answer.Validate(); err != nil {
			return mistyped(err, map[string]string{"request": "REQUEST", "reason": "--reason"})
		}
		return connection.opportunities(command.Context(), func(ctx context.Context, client *lifecycle.Client) error {
			outcome, err := client.Skip(ctx, reference, answer)
			if err != nil {
				return err
			}
			return form.show(p.stdout, outcome, func(w io.Writer) {
				line(w, fmt.Sprintf("request %s of %s is skipped", answer.Request, reference))
			})
		})
	}
	return command
}
