package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/settings"
	"github.com/oppflow/oppflow/stack"
	"github.com/oppflow/oppflow/starter/story"
	"github.com/oppflow/oppflow/worker/host"
)

func (p *program) demo() *cobra.Command {
	var local localFlags
	var keep bool
	command := &cobra.Command{
		Use:   "demo [flags]",
		Short: "Run the example of the API documentation through a workflow, and compare the results",
		Long: `demo starts everything on this machine and runs the example of the API documentation (Sales Opportunities). demo creates
an opportunity, assigns the opportunity to an account, and adds a course, an event, a learning path and training tokens. Then demo
progresses the opportunity until it is won, and tries one transition that the TMS refuses. demo compares each outcome with the
documentation. The exit code is 0 only if all outcomes agree.

The worker follows the default playbook: when the opportunity is won, the worker registers the learner, releases the reserved
places, and finds the tokens and the invoice that the TMS creates.`,
		Example:           "  oppflow demo\n  oppflow demo --keep\n  oppflow demo --output json",
		Args:              exactArgs(),
		ValidArgsFunction: completeNothing,
	}
	fs := command.Flags()
	fs.BoolVar(&keep, "keep", false, "keep the server, the sandbox and the worker running after the demo, until Ctrl-C")
	form := outputFlag(command)
	local.add(fs)
	command.RunE = func(command *cobra.Command, _ []string) (err error) {
		ctx := command.Context()
		tell := p.stdout
		if *form == asJSON {
			tell = p.stderr
		}
		_, _ = fmt.Fprintln(tell, "starting a Temporal server, the sandbox and a worker …")
		options := local.options(tell, p.stderr)
		catalogue, err := demoCatalogue()
		if err != nil {
			return err
		}
		defer func() { _ = os.Remove(catalogue) }()
		options.SandboxArgs, options.WorkerArgs = []string{"--catalogue", catalogue}, []string{"--playbook", "default"}
		running, err := startStack(ctx, options)
		if err != nil {
			return err
		}
		defer func() {
			if downErr := stopStack(ctx, running); err == nil {
				err = downErr
			}
		}()
		report, err := playDemo(ctx, running, tell)
		switch {
		case ctx.Err() != nil:
			return errInterrupted
		case err != nil:
			return err
		}
		if *form == asJSON {
			if err := form.show(p.stdout, report.View, nil); err != nil {
				return err
			}
		}
		p.printDemoResult(tell, running, report, keep)
		if keep {
			if err := untilDone(ctx, running, false); err != nil {
				return err
			}
		}
		if n := len(report.Mismatches()); n > 0 {
			return fmt.Errorf("%d of %d compared results differ from the documentation", n, report.Compared())
		}
		return nil
	}
	return command
}

func playDemo(ctx context.Context, running *stack.Stack, tell io.Writer) (story.Report, error) {
	temporal, _, err := host.Connect(ctx, host.InsecureTemporal(running.TemporalAddress(), running.Namespace()), nil)
	if err != nil {
		return story.Report{}, err
	}
	defer temporal.Close()
	api, err := apiClient(&settings.API{URL: running.APIURL(), Token: settings.NewSecret(running.APIToken()), Environment: settings.Environment{}}, nil)
	if err != nil {
		return story.Report{}, err
	}
	return story.Play(ctx, story.Connections{Temporal: temporal, API: api}, story.Options{
		DefaultPlaybook: true,
		Reference:       opportunity.Reference("demo-" + time.Now().UTC().Format("20060102-150405.000")),
		Begin: func(number, of int, say string) {
			_, _ = fmt.Fprintf(tell, "\n%2d/%d %s\n", number, of, say)
		},
		End: func(result story.Result) {
			_, _ = fmt.Fprintf(tell, "      → %s\n", oneLine(result.Text))
			agreed := 0
			for _, check := range result.Checks {
				if check.OK() {
					agreed++
					continue
				}
				_, _ = fmt.Fprintf(tell, "      ✗ %s\n", oneLine(check.String()))
			}
			if agreed == len(result.Checks) {
				_, _ = fmt.Fprintf(tell, "      ✓ as documented (%d comparisons)\n", agreed)
			}
		},
	})
}

func (p *program) printDemoResult(tell io.Writer, running *stack.Stack, report story.Report, keep bool) {
	if tell == p.stdout {
		_, _ = fmt.Fprintln(tell, "\nThe opportunity, as its workflow shows it:")
		form := table
		_ = form.show(tell, nil, func(w io.Writer) { showView(w, report.View) })
	}
	_, _ = fmt.Fprintf(tell, "\nThe history of the opportunity in the Web UI:\n  %s\n", historyURL(running.UIURL(), running.Namespace(), report.WorkflowID, report.RunID))
	if mismatches := report.Mismatches(); len(mismatches) == 0 {
		_, _ = fmt.Fprintf(tell, "\nAll %d comparisons agree with the documentation.\n", report.Compared())
	}
	if !keep {
		_, _ = fmt.Fprintln(tell, "The server, the sandbox and the worker stop now; with --keep, these programs continue to run.")
		return
	}
	if tell == p.stdout {
		_, _ = fmt.Fprintln(tell)
		p.printStack(running, &localEncryption{}, false)
		return
	}
	_, _ = fmt.Fprintln(tell, "The server, the sandbox and the worker run; Ctrl-C stops these programs.")
}
