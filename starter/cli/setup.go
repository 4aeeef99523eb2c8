package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/oppflow/oppflow/worker/host"
)

const (
	// setupTimeout is more than the time a cluster takes to learn of new search attributes.
	setupTimeout = 3 * time.Minute
	// leastRetention is the least a service of one's own takes.
	leastRetention = time.Hour
)

func (p *program) setup() *cobra.Command {
	var create bool
	retention := length(host.DefaultRetention)
	command := &cobra.Command{
		Use:   "setup [flags]",
		Short: "Prepare a Temporal namespace: register the search attributes",
		Long: `setup registers the search attributes Oppflow needs in the namespace, and creates the namespace before if asked to. It may
be called again: what is there stays.

A reference stays taken as long as the namespace keeps the closed run of its opportunity: --retention is how long a new
namespace does. A namespace that is there keeps its own.`,
		Example:           "  oppflow setup\n  oppflow setup --temporal-namespace sales --create-namespace --retention 2160h",
		Args:              exactly(),
		ValidArgsFunction: completeNothing,
	}
	fs := command.Flags()
	fs.BoolVar(&create, "create-namespace", false, "create the namespace if it is not there")
	fs.Var(&retention, "retention", "with --create-namespace: how long the new namespace keeps closed runs, and the references that cannot be used again")
	connection := p.connection(fs, setupTimeout)
	command.RunE = func(command *cobra.Command, _ []string) error {
		chosen := fs.Changed("retention")
		switch {
		case chosen && !create:
			return usagef("--retention is for a namespace that --create-namespace creates; give both or neither")
		case time.Duration(retention) < leastRetention:
			return usagef("--retention %q: must be at least %v", hours(time.Duration(retention)), hours(leastRetention))
		}
		ctx, temporal, done, err := connection.open(command.Context())
		if err != nil {
			return err
		}
		defer done()
		name := "namespace " + connection.namespace
		if create {
			created, kept, err := host.CreateNamespace(ctx, temporal, connection.namespace, time.Duration(retention))
			if err != nil {
				return err
			}
			line(p.stdout, name+": "+tellNamespace(created, kept, time.Duration(retention), chosen))
		}
		missing, err := host.MissingSearchAttributes(ctx, temporal, connection.namespace)
		if err != nil {
			return err
		}
		if err := host.Setup(ctx, temporal, connection.namespace); err != nil {
			return err
		}
		if len(missing) == 0 {
			line(p.stdout, name+": all search attributes are there already")
			return nil
		}
		line(p.stdout, name+": registered "+strings.Join(missing, ", "))
		return nil
	}
	return command
}

// tellNamespace says what became of the namespace. One that is there with another retention than the one asked for is
// left as it is, and that is said.
func tellNamespace(created bool, kept, wanted time.Duration, chosen bool) string {
	switch {
	case created:
		return "created; it keeps closed runs for " + hours(kept)
	case chosen && kept != wanted:
		return fmt.Sprintf("is there already and stays as it is; it keeps closed runs for %s, not %s (temporal operator namespace update --retention changes that)", hours(kept), hours(wanted))
	}
	return "is there already; it keeps closed runs for " + hours(kept)
}

// hours writes a length of time as Temporal's command line takes it: whole hours without minutes and seconds.
func hours(d time.Duration) string {
	if d%time.Hour == 0 {
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return d.String()
}
