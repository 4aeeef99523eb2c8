// Package cli contains the commands of oppflow. Package cli parses what a user typed, calls the
// package that does the work, and shows the result. Package cli writes every error as one line on
// standard error.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/oppflow/oppflow/settings"
	"github.com/oppflow/oppflow/worker/host"
)

type program struct {
	env    settings.Environment
	stdout io.Writer
	stderr io.Writer
}

// Main runs the command in args, which do not contain the program's name, until the command is done
// or ctx ends. Main returns the exit code: 0 for success, 1 for a failure, 2 for a mistake in the
// arguments or settings, 130 for an interrupted watch. env is the environment.
func Main(ctx context.Context, args, env []string, stdout, stderr io.Writer) int {
	if env == nil {
		env = []string{} // because nil would mean the environment of the process
	}
	p := &program{env: env, stdout: stdout, stderr: stderr}
	root := p.root()
	root.SetArgs(append([]string{}, args...)) // because nil would mean the arguments of the process
	root.SetOut(stdout)
	root.SetErr(stderr)
	command, err := root.ExecuteContextC(ctx)
	var silent *exitError
	switch {
	case err == nil:
		return host.ExitDone
	case errors.As(err, &silent):
		return silent.code
	}
	err = explainCommand(root, err)
	where := root.Name()
	if command != nil {
		where = command.CommandPath()
	}
	_, _ = fmt.Fprintf(stderr, "%s: %s\n", where, oneLine(err.Error()))
	var usage *usageError
	var wrong *host.SettingsError
	if errors.As(err, &usage) || errors.As(err, &wrong) {
		return host.ExitUsage
	}
	return host.ExitFailure
}

func (p *program) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "oppflow",
		Short: "Sales opportunities as durable workflows over the Administrate TMS",
		Long: `oppflow runs each sales opportunity as one durable workflow that keeps the opportunity's record in the Administrate TMS up to date.

Try it without a tenant:      oppflow demo
Run everything locally:       oppflow up
Prepare a namespace:          oppflow setup
Work with an opportunity:     oppflow start, add-interest, update, progress, show, watch
List opportunities:           oppflow list`,
		SilenceErrors:     true,
		SilenceUsage:      true,
		DisableAutoGenTag: true,
		Version:           host.BuildVersion().String(),
	}
	root.SetVersionTemplate("oppflow {{.Version}}\n")
	root.SetFlagErrorFunc(explainFlag)
	root.SetHelpCommand(helpCommand(root))
	// cobra's own suggestions take several lines.
	root.DisableSuggestions = true
	root.AddGroup(
		&cobra.Group{ID: groupOpportunity, Title: "Opportunities:"},
		&cobra.Group{ID: groupOperator, Title: "For operators:"},
		&cobra.Group{ID: groupLocal, Title: "On this machine:"},
	)
	add := func(group string, commands ...*cobra.Command) {
		for _, c := range commands {
			c.GroupID = group
			c.DisableFlagsInUseLine = true
			c.Flags().SortFlags = false
			root.AddCommand(c)
		}
	}
	add(groupOpportunity, p.start(), p.addInterest(), p.update(), p.progress(), p.extend(), p.show(), p.watch(), p.outcome(), p.list(), p.search())
	add(groupOperator, p.pause(), p.resume(), p.retry(), p.confirm(), p.skip(), p.refresh(), p.snooze(), p.acknowledge(), p.cancelFollowUp(), p.close(), p.setup(), p.recover(), p.check(), p.playbook(), p.keys(), p.codecServer())
	add(groupLocal, p.demo(), p.up(), p.sandbox(), p.version())
	return root
}

const (
	groupOpportunity = "opportunity"
	groupOperator    = "operator"
	groupLocal       = "local"
)

// helpCommand is cobra's command help, with one difference: an unknown command is a usage error.
func helpCommand(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:   "help [command]",
		Short: "Help about any command",
		ValidArgsFunction: func(_ *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
			var names []string
			for _, c := range root.Commands() {
				if c.IsAvailableCommand() {
					names = append(names, c.Name())
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			command, rest, err := root.Find(args)
			if err == nil && len(rest) > 0 {
				err = unknownCommand(command, rest[0])
			}
			if err != nil {
				return err
			}
			command.InitDefaultHelpFlag()
			return command.Help()
		},
	}
}

func withTimeout(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	if limit <= 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, limit)
}

func oneLine(text string) string {
	return strings.Join(strings.Fields(printable(text)), " ")
}

// printable replaces characters that would move the cursor, end the line or change the direction of the text.
func printable(text string) string {
	return strings.Map(func(c rune) rune {
		if !unicode.IsPrint(c) {
			return ' '
		}
		return c
	}, text)
}

func flagNames(fs *pflag.FlagSet) []string {
	var names []string
	fs.VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	})
	return names
}
