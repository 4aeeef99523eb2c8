package cli

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/oppflow/oppflow/playbook"
	"github.com/oppflow/oppflow/playbook/diagnostic"
)

const standardInput = "-"

func (p *program) playbook() *cobra.Command {
	command := &cobra.Command{
		Use:   "playbook check|explain|preview|deploy|list|rollback",
		Short: "Check, explain, preview or deploy a tenant's rules for transitions and follow-ups",
		Long: `A playbook is a file with a tenant's rules: the effects of transitions, the reactions to external changes, and the follow-ups
while an opportunity is in a step. docs/playbook.md explains the format. A namespace has one playbook with versions. deploy, list
and rollback work with the versions, check and explain work with a file alone, and preview works with a file and the records of
the TMS.`,
		Example: "  oppflow playbook check playbook.yaml\n  oppflow playbook explain\n  oppflow playbook deploy playbook.yaml",
		RunE: func(command *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(command, args[0])
			}
			return usagef("the subcommand check, explain, preview, deploy, list or rollback is missing; usage: %s", command.UseLine())
		},
		ValidArgsFunction: completeNothing,
	}
	for _, c := range []*cobra.Command{p.checkPlaybook(), p.explainPlaybook(), p.previewPlaybook(), p.deployPlaybook(), p.listPlaybooks(), p.rollBackPlaybook()} {
		c.DisableFlagsInUseLine = true
		c.Flags().SortFlags = false
		command.AddCommand(c)
	}
	return command
}

func (p *program) checkPlaybook() *cobra.Command {
	command := &cobra.Command{
		Use:   "check FILE [flags]",
		Short: "Report every mistake in a playbook",
		Long: `check reports every mistake in the playbook. For each mistake, check prints the line, the column and what would be right. check
validates names, lengths of time, conditions, templates, rules that contradict each other, and effects that cannot be done before a
transition. If FILE is -, check reads the playbook from standard input. The exit code is 0 if there are no mistakes.`,
		Example:           "  oppflow playbook check playbook.yaml\n  oppflow playbook check - < playbook.yaml\n  oppflow playbook check playbook.yaml --output json",
		Args:              exactArgs("FILE"),
		ValidArgsFunction: completeYAML,
	}
	form := outputFlag(command)
	command.RunE = func(command *cobra.Command, args []string) error {
		file, err := readPlaybook(command, args[0])
		if err != nil {
			return err
		}
		result := playbookReport{File: fileName(args[0]), Diagnostics: diagnostic.List{}}
		loaded, err := playbook.Load(file)
		if err != nil && !errors.As(err, &result.Diagnostics) {
			return err
		}
		if err == nil {
			result.Digest = loaded.Digest()
		}
		if err := form.show(p.stdout, result, func(w io.Writer) { showPlaybook(w, result) }); err != nil {
			return err
		}
		return result.asError()
	}
	return command
}

func (p *program) explainPlaybook() *cobra.Command {
	command := &cobra.Command{
		Use:   "explain [FILE] [flags]",
		Short: "Explain what a playbook does, and at which times",
		Long: `explain describes in words what the playbook does and when: for every transition the effects before and after it and how they
are undone, and for every step the follow-ups. Without FILE, explain describes the default playbook. The default playbook fits
a typical tenant, and oppflow up deploys it. If FILE is -, explain reads the playbook from standard input.`,
		Example: "  oppflow playbook explain\n  oppflow playbook explain playbook.yaml\n  oppflow playbook explain --source > playbook.yaml",
		Args: func(command *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("unexpected argument %q; usage: %s", args[1], command.UseLine())
			}
			return nil
		},
		ValidArgsFunction: completeYAML,
	}
	var source bool
	command.Flags().BoolVar(&source, "source", false, "print the text of the playbook file, for example as a first version of your own playbook")
	command.RunE = func(command *cobra.Command, args []string) error {
		file, name := playbook.DefaultFile(), "the default playbook"
		if len(args) == 1 {
			var err error
			if file, err = readPlaybook(command, args[0]); err != nil {
				return err
			}
			name = fileName(args[0])
		}
		if source {
			_, err := p.stdout.Write(file)
			return err
		}
		loaded, err := playbook.Load(file)
		result := playbookReport{File: name}
		switch {
		case errors.As(err, &result.Diagnostics):
			showPlaybook(p.stdout, result)
			return result.asError()
		case err != nil:
			return err
		}
		_, err = io.WriteString(p.stdout, loaded.Explain())
		return err
	}
	return command
}

// readPlaybook stops reading as soon as the file is too large.
func readPlaybook(command *cobra.Command, name string) ([]byte, error) {
	from := command.InOrStdin()
	switch name {
	case "":
		return nil, usagef("FILE is empty; give a file, or - for standard input")
	case standardInput:
	default:
		file, err := os.Open(name)
		if err != nil {
			return nil, usagef("FILE: %v", err)
		}
		defer file.Close()
		from = file
	}
	content, err := io.ReadAll(io.LimitReader(from, playbook.MaxFileBytes+1))
	if err != nil {
		return nil, usagef("FILE: %v", err)
	}
	return content, nil
}

func fileName(name string) string {
	if name == standardInput {
		return "standard input"
	}
	return name
}

func completeYAML(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return []string{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt
}

type playbookReport struct {
	File        string          `json:"file"`
	Digest      string          `json:"digest,omitempty"`
	Diagnostics diagnostic.List `json:"mistakes"`
}

func (c playbookReport) asError() error {
	if len(c.Diagnostics) == 0 {
		return nil
	}
	return fmt.Errorf("%s has %s", c.File, countText(len(c.Diagnostics), "mistake", "mistakes"))
}

func showPlaybook(w io.Writer, c playbookReport) {
	if len(c.Diagnostics) == 0 {
		line(w, fmt.Sprintf("%s has no mistakes; its digest is %s.", c.File, c.Digest))
		return
	}
	for _, mistake := range c.Diagnostics {
		line(w, fmt.Sprintf("%s:%s", c.File, mistake))
	}
}
