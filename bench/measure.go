package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/oppflow/oppflow/bench/compare"
)

func measureCommand(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var o compare.Options
	fs := pflag.NewFlagSet("bench", pflag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.BoolVar(&o.Quick, "quick", false, "measure only the counts and approximate rates; the measurement takes at most 90 seconds")
	fs.StringSliceVar(&o.Only, "only", nil, "measure only some of "+strings.Join(compare.Figures(), ", ")+"; separate several figures with commas")
	output := fs.String("output", outputText, "format of the report: text or json")
	fs.IntSliceVar(&o.InFlight, "in-flight", nil, "how many lifecycles run at the same time while rates are measured; each number is a separate measurement (default: 1,8,32; with --quick: 8)")
	fs.BoolVar(&o.Postgres, "postgres", false, "start a PostgreSQL server as the database of the Temporal server; PostgreSQL must be installed on this machine")
	fs.StringVar(&o.CPUProfile, "cpuprofile", "", "file to which Oppflow's worker writes its CPU profile")
	fs.StringVar(&o.MemoryProfile, "memprofile", "", "file to which Oppflow's worker writes its memory profile")
	verbose := fs.Bool("verbose", false, "show the output of the Temporal server, the sandbox and the workers")
	switch err := fs.Parse(args); {
	case errors.Is(err, pflag.ErrHelp):
		fmt.Fprintf(stdout, "%s\nFlags of measuring:\n%s", usage, fs.FlagUsages())
		return err
	case err != nil:
		return &usageError{message: err.Error()}
	case fs.NArg() > 0:
		return &usageError{message: fmt.Sprintf("%q is not a command of bench; the only command is chaos", fs.Arg(0))}
	case *output != outputText && *output != outputJSON:
		return &usageError{message: fmt.Sprintf("--output %q: must be text or json", *output)}
	}
	for _, n := range o.InFlight {
		if n < 1 || n > 1000 {
			return &usageError{message: fmt.Sprintf("--in-flight %d: must be from 1 to 1000", n)}
		}
	}
	for _, figure := range o.Only {
		if !slices.Contains(compare.Figures(), figure) {
			return &usageError{message: fmt.Sprintf("--only %q: must be one or more of %s", figure, strings.Join(compare.Figures(), ", "))}
		}
		if o.Quick && !slices.Contains(compare.QuickFigures(), figure) {
			return &usageError{message: fmt.Sprintf("--only %s takes too long for --quick; --quick measures only %s", figure, strings.Join(compare.QuickFigures(), " and "))}
		}
	}
	if *verbose {
		o.Output = stderr
	}
	o.Progress = progress(stderr)
	report, err := compare.Measure(ctx, o)
	report.Command = strings.Join(append([]string{"go run ./bench"}, args...), " ")
	if err != nil {
		return err
	}
	if *output == outputJSON {
		encoder := json.NewEncoder(stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(report)
	}
	return report.Write(stdout)
}

// progress returns a function that shows the progress of a measurement. On a terminal the function
// shows a progress bar. For any other output the function writes one line for each step. Several
// goroutines may call the returned function at the same time.
func progress(w io.Writer) func(step, of int, what string) {
	var one sync.Mutex
	if file, ok := w.(*os.File); !ok || !term.IsTerminal(int(file.Fd())) {
		return func(step, of int, what string) {
			one.Lock()
			defer one.Unlock()
			fmt.Fprintf(w, "%d of %d: %s\n", step, of, what)
		}
	}
	var bar *progressbar.ProgressBar
	return func(step, of int, what string) {
		one.Lock()
		defer one.Unlock()
		if bar == nil {
			bar = progressbar.NewOptions(of, progressbar.OptionSetWriter(w), progressbar.OptionClearOnFinish(), progressbar.OptionSetWidth(20), progressbar.OptionSetElapsedTime(true))
		}
		bar.Describe(what)
		_ = bar.Set(step) // a failed progress display must not fail the measurement
	}
}
