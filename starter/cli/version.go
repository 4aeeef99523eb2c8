package cli

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/oppflow/oppflow/worker/host"
)

func (p *program) version() *cobra.Command {
	command := &cobra.Command{
		Use:               "version [flags]",
		Short:             "Tell which build of Oppflow this is",
		Long:              "version tells the version, the commit, and what it was built with, in one line. So does --version.",
		Args:              exactArgs(),
		ValidArgsFunction: completeNothing,
	}
	form := outputFlag(command)
	command.RunE = func(*cobra.Command, []string) error {
		version := host.BuildVersion()
		return form.show(p.stdout, version, func(w io.Writer) { line(w, "oppflow "+version.String()) })
	}
	return command
}
