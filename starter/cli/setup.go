package cli

import (
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/oppflow/oppflow/worker/host"
)

// setupTimeout is more than the time a cluster takes to learn of new search attributes.
const setupTimeout = 3 * time.Minute

func (p *program) setup() *cobra.Command {
	command := &cobra.Command{
		Use:               "setup [flags]",
		Short:             "Prepare a Temporal namespace: register the search attributes",
		Long:              "setup registers the search attributes Oppflow needs in the namespace. It may be called again: what is there stays.",
		Args:              exactly(),
		ValidArgsFunction: completeNothing,
	}
	connection := p.connection(command.Flags(), setupTimeout)
	command.RunE = func(command *cobra.Command, _ []string) error {
		ctx, temporal, done, err := connection.open(command.Context())
		if err != nil {
			return err
		}
		defer done()
		missing, err := host.MissingSearchAttributes(ctx, temporal, connection.namespace)
		if err != nil {
			return err
		}
		if err := host.Setup(ctx, temporal, connection.namespace); err != nil {
			return err
		}
		if len(missing) == 0 {
			line(p.stdout, "namespace "+connection.namespace+": all search attributes are there already")
			return nil
		}
		line(p.stdout, "namespace "+connection.namespace+": registered "+strings.Join(missing, ", "))
		return nil
	}
	return command
}
