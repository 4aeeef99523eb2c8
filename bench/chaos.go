package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/oppflow/oppflow/e2e/chaos"
	"github.com/oppflow/oppflow/e2e/chaos/audit"
	"github.com/oppflow/oppflow/e2e/chaos/tenant"
)

func chaosCommand(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	asked, err := chaosFlags(args, stdout)
	if err != nil {
		return err
	}
	asked.options.Progress = func(text string) { fmt.Fprintln(stderr, text) }
	report, err := chaos.Run(ctx, asked.options, audit.Tolerances{})
	if err != nil {
		return err
	}
	if asked.output == outputJSON {
		encoder := json.NewEncoder(stdout)
		encoder.SetIndent("", "  ")
		err = encoder.Encode(report)
	} else {
		report.Write(stdout)
	}
	if err != nil {
		return err
	}
	return verdict(report, asked.short || len(asked.options.Only) > 0)
}

// verdict returns an error if the report contains violations or problems. If short is false,
// verdict also returns an error if a kill point was not reached or a disruption affected too few
// messages.
func verdict(report chaos.Report, short bool) error {
	switch unvisited, unmet := report.MissingKillPoints(), report.Uncovered(); {
	case len(report.Violations) > 0:
		return fmt.Errorf("the chaos test found %d violations; seed %d", len(report.Violations), report.Seed)
	case len(report.Problems) > 0:
		return fmt.Errorf("the chaos test did not run as planned: the report has %d problems; seed %d", len(report.Problems), report.Seed)
	case len(unvisited) > 0 && !short:
		return fmt.Errorf("no worker was killed at the points %q, so the chaos test does not cover these points; seed %d", unvisited, report.Seed)
	case len(unmet) > 0 && !short:
		return fmt.Errorf("the chaos test is not valid: the disruptions %q affected too few messages; seed %d", unmet, report.Seed)
	}
	return nil
}

const (
	outputText = "text"
	outputJSON = "json"
)

type chaosArgs struct {
	options chaos.Options
	output  string
	short   bool
}

func chaosFlags(args []string, stdout io.Writer) (chaosArgs, error) {
	var a chaosArgs
	fs := pflag.NewFlagSet("bench chaos", pflag.ContinueOnError)
	fs.SetOutput(io.Discard)
	minutes := fs.Int("minutes", 30, "number of minutes during which the chaos test disrupts the servers, the workers and the API")
	fs.BoolVar(&a.short, "short", false, "run each disruption only once; --short cannot be combined with --minutes")
	seed := fs.Uint64("seed", 1, "seed for the random messages and disruptions; equal seeds generate equal messages and disruptions")
	opportunities := fs.Int("opportunities", 0, "number of opportunities (default: 20 for each minute of --minutes, or 60 with --short)")
	data := fs.String("data", "", "directory for the databases (default: a temporary directory, which is removed after the chaos test)")
	only := fs.StringSlice("only", nil, "run only the disruptions whose names contain one of these words, such as restore,service")
	playbook := fs.String("playbook", "", "use this playbook, add opportunities that end won, lost or archived, and audit the effects: default or rich")
	race := fs.Bool("race", false, "build the worker and the sandbox with the race detector")
	fs.StringVar(&a.output, "output", outputText, "format of the report: text or json")
	if err := fs.Parse(args); err != nil {
		if err == pflag.ErrHelp { //nolint:errorlint // pflag returns the error unwrapped
			fmt.Fprintf(stdout, "Usage:\n  bench chaos [flags]\n\nFlags:\n%s", fs.FlagUsages())
			return a, err
		}
		return a, &usageError{message: err.Error()}
	}
	var err error
	switch {
	case fs.NArg() > 0:
		err = &usageError{message: fmt.Sprintf("unexpected argument %q: bench chaos accepts only flags", fs.Arg(0))}
	case *minutes < 1:
		err = &usageError{message: fmt.Sprintf("--minutes %d: must be at least 1", *minutes)}
	case a.short && fs.Changed("minutes"):
		err = &usageError{message: "--short and --minutes exclude each other; give one of them"}
	case *opportunities < 0:
		err = &usageError{message: fmt.Sprintf("--opportunities %d: must be positive", *opportunities)}
	case len(*only) > 0 && len(kindsMatching(*only)) == 0:
		err = &usageError{message: fmt.Sprintf("--only %s: no disruption has a name that contains one of these words; the names are %q", strings.Join(*only, ","), chaos.DisruptionKinds())}
	case *playbook != "" && !slices.Contains(tenant.Playbooks(), tenant.Playbook(*playbook)):
		err = &usageError{message: fmt.Sprintf("--playbook %q: must be one of %q", *playbook, tenant.Playbooks())}
	case holdsFiles(*data):
		err = &usageError{message: fmt.Sprintf("--data %s: contains files already, such as the databases of an earlier run; give an empty directory", *data)}
	case a.output != outputText && a.output != outputJSON:
		err = &usageError{message: fmt.Sprintf("--output %q: must be text or json", a.output)}
	}
	if err != nil {
		return a, err
	}
	a.options = chaos.Long(*seed, *minutes)
	if a.short {
		a.options = chaos.Short(*seed)
	}
	if *opportunities > 0 {
		a.options.Opportunities = *opportunities
		a.options.Rounds = (*opportunities + a.options.Senders - 1) / a.options.Senders
	}
	if *playbook != "" {
		a.options = a.options.WithPlaybook(tenant.Playbook(*playbook))
	}
	a.options.Data, a.options.Race, a.options.Only = *data, *race, kindsMatching(*only)
	return a, nil
}

func holdsFiles(directory string) bool {
	entries, err := os.ReadDir(directory)
	return err == nil && len(entries) > 0
}

func kindsMatching(words []string) []chaos.DisruptionKind {
	return slices.DeleteFunc(chaos.DisruptionKinds(), func(t chaos.DisruptionKind) bool {
		return !slices.ContainsFunc(words, func(word string) bool { return word != "" && strings.Contains(string(t), word) })
	})
}
