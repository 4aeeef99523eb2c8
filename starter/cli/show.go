package cli

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/oppflow/oppflow/lifecycle"
)

func (p *program) show() *cobra.Command {
	command := &cobra.Command{
		Use:   "show REF [flags]",
		Short: "Show an opportunity: details, step, interests, what waits, what happened",
		Long: `show asks the opportunity's workflow for the whole picture; the TMS is not asked. It needs a running worker; without one,
or when the workflow's task fails, show says so on the Temporal server's word. An opportunity that has ended can be shown as long as Temporal keeps its history.`,
		Example:           "  oppflow show lead-4711\n  oppflow show lead-4711 --output json",
		Args:              exactly("REF"),
		ValidArgsFunction: completeNothing,
	}
	form := outputFlag(command)
	connection := p.connection(command.Flags(), answerTimeout)
	command.RunE = func(command *cobra.Command, args []string) error {
		reference, err := reference(args)
		if err != nil {
			return err
		}
		ctx, temporal, done, err := connection.open(command.Context())
		if err != nil {
			return err
		}
		defer done()
		view, err := lifecycle.NewClient(temporal).View(ctx, reference)
		if err != nil {
			return connection.explain(silence(ctx, temporal, reference, err))
		}
		return form.show(p.stdout, view, func(w io.Writer) { showView(w, view) })
	}
	return command
}
