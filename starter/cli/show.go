package cli

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

// shownView adds to a view how the run ended, which the view of the workflow does not contain.
type shownView struct {
	opportunity.View
	Ended *lifecycle.RunEnd `json:"ended,omitempty"`
}

// For a run that has ended, show writes no advice, because the run accepts no messages any more.
func (v shownView) show(w io.Writer) {
	if v.Ended == nil {
		showView(w, v.View)
		return
	}
	line(w, "Ended", fmt.Sprintf("%s at %s; the opportunity accepts no more messages", v.Ended.Status, v.Ended.At.UTC().Format(time.RFC3339)))
	writeView(w, v.View, false)
}

func (p *program) show() *cobra.Command {
	command := &cobra.Command{
		Use:   "show REF [flags]",
		Short: "Show an opportunity: details, step, interests, waiting requests, timeline",
		Long: `show reads the whole view from the opportunity's workflow and sends nothing to the TMS. show needs a running worker. If no worker
responds, or if the workflow's task fails, show reports the reason that the Temporal server knows. show also displays an opportunity
that has ended, as long as Temporal keeps its history.`,
		Example:           "  oppflow show lead-4711\n  oppflow show lead-4711 --output json",
		Args:              exactArgs("REF"),
		ValidArgsFunction: completeNothing,
	}
	form := outputFlag(command)
	connection := p.connection(command.Flags(), updateTimeout)
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
		client := lifecycle.NewClient(temporal)
		view, err := client.View(ctx, reference)
		if err != nil {
			return connection.explainError(unresponsiveError(ctx, temporal, reference, err))
		}
		end, err := client.RunEnd(ctx, reference)
		if err != nil {
			end = nil // the view is shown even if the end of the run is unknown
		}
		all := shownView{View: view, Ended: end}
		return form.show(p.stdout, all, func(w io.Writer) { all.show(w) })
	}
	return command
}
