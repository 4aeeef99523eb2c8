package cli

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/oppflow/oppflow/worker/host"
)

func (p *program) version() *cobra.Command {
	command := &cobra.Command{
		Use:               "version [flags]",
		Short:             "Show the version of Oppflow",
		Long:              "version shows the version, the commit, and the Go version of the build, in one line. oppflow --version shows the same line.",
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
