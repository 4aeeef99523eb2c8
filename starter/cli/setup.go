package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/settings"
	"github.com/oppflow/oppflow/worker/host"
)

const (
	// setupTimeout is longer than a Temporal cluster needs until new search attributes can be used.
	setupTimeout = 3 * time.Minute
	// minRetention is the shortest retention that a self-hosted Temporal service accepts.
	minRetention = time.Hour
)

func (p *program) setup() *cobra.Command {
	var create, again bool
	api := settings.API{Environment: p.env}
	retention := durationFlag(host.DefaultRetention)
	command := &cobra.Command{
		Use:   "setup [flags]",
		Short: "Prepare a Temporal namespace: register the search attributes and bind the namespace to its tenant",
		Long: `setup registers the search attributes that Oppflow needs in the namespace. With --create-namespace, setup first creates the
namespace. You may run setup again: setup does not change what exists.

A namespace belongs to one tenant of the TMS, so that no worker writes the data of one tenant into the records of another tenant.
With the settings of the API, setup reads what identifies the tenant (OAuth client, regions, steps, currencies; one request that
changes nothing) and binds the namespace to this tenant. Without these settings, the first worker binds the namespace. If the
namespace belongs to another tenant, setup fails. With --rebind, setup binds the namespace to the new tenant.

A reference cannot be used again as long as the namespace keeps the closed run of its opportunity. --retention sets this time for
a new namespace. An existing namespace keeps its own retention.`,
		Example:           "  oppflow setup\n  oppflow setup --temporal-namespace sales --create-namespace --retention 2160h\n  oppflow setup --api-url https://api.getadministrate.com/graphql --api-token-file token",
		Args:              exactArgs(),
		ValidArgsFunction: completeNothing,
	}
	fs := command.Flags()
	fs.BoolVar(&create, "create-namespace", false, "create the namespace if it does not exist")
	fs.Var(&retention, "retention", "with --create-namespace: how long the new namespace keeps a closed run; the reference of a closed run cannot be used again during this time")
	fs.BoolVar(&again, "rebind", false, "bind the namespace to the tenant of the API's settings, even if the namespace belongs to another tenant")
	connection := p.connection(fs, setupTimeout)
	readerFlags(fs, &api)
	command.RunE = func(command *cobra.Command, _ []string) error {
		chosen := fs.Changed("retention")
		switch {
		case chosen && !create:
			return usagef("--retention is for a namespace that --create-namespace creates; give both flags or neither")
		case time.Duration(retention) < minRetention:
			return usagef("--retention %q: must be at least %v", durationText(time.Duration(retention)), durationText(minRetention))
		}
		tenant := api.URL != "" || p.env.Get("ADMINISTRATE_URL") != ""
		if again && !tenant {
			return usagef("--rebind needs the settings of the API; set --api-url or ADMINISTRATE_URL, and the credentials of the API")
		}
		if tenant {
			if err := api.Resolve(); err != nil {
				return &usageError{text: err.Error()}
			}
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
			line(p.stdout, name+": "+namespaceText(created, kept, time.Duration(retention), chosen))
		}
		missing, err := host.MissingSearchAttributes(ctx, temporal, connection.namespace)
		if err != nil {
			return err
		}
		if err := host.Setup(ctx, temporal, connection.namespace); err != nil {
			return err
		}
		if len(missing) == 0 {
			line(p.stdout, name+": all search attributes exist already")
		} else {
			line(p.stdout, name+": registered "+strings.Join(missing, ", "))
		}
		if !tenant {
			line(p.stdout, name+": not bound to a tenant, because no settings of the API are given; the first worker binds the namespace to its tenant")
			return nil
		}
		return p.bindTenant(ctx, temporal, connection, &api, again)
	}
	return command
}

func (p *program) bindTenant(ctx context.Context, temporal client.Client, connection *connection, api *settings.API, again bool) error {
	tie := host.BindTenant
	if again {
		tie = host.RebindTenant
	}
	var tenant lifecycle.Tenant
	var bound host.BindResult
	err := p.withAPI(ctx, api, connection.timeout, func(ctx context.Context, client *administrate.Client) (err error) {
		if tenant, err = host.ReadTenant(ctx, client, api.OAuth.ClientID); err == nil {
			bound, err = tie(ctx, temporal, client, connection.namespace, tenant)
		}
		return err
	})
	if err != nil {
		return err
	}
	line(p.stdout, "namespace "+connection.namespace+": "+boundText(bound, tenant, again))
	return nil
}

func boundText(bound host.BindResult, tenant lifecycle.Tenant, again bool) string {
	of := "the tenant with " + tenant.String()
	switch {
	case bound.New:
		return "bound to " + of
	case bound.Before == nil && again:
		return "rebound to " + of + "; the earlier tenant of the namespace is unknown, because no worker responds"
	case bound.Before == nil:
		return "already bound; no worker responds, so setup did not compare the tenants; the next worker that starts compares the tenants"
	}
	difference := bound.Before.Tenant.Difference(tenant)
	switch {
	case difference == "" && !again:
		return "already bound to " + of
	case difference == "":
		return "rebound to " + of + "; the earlier tenant of the namespace has the same regions, steps and currencies"
	case again:
		return "rebound to " + of + "; the earlier tenant of the namespace was another tenant: " + difference
	}
	return "bound to " + of
}

func namespaceText(created bool, kept, wanted time.Duration, chosen bool) string {
	switch {
	case created:
		return "created; the namespace keeps closed runs for " + durationText(kept)
	case chosen && kept != wanted:
		return fmt.Sprintf("exists already and is unchanged; the namespace keeps closed runs for %s, not for the requested %s (to change the retention, run temporal operator namespace update --retention)", durationText(kept), durationText(wanted))
	}
	return "exists already; the namespace keeps closed runs for " + durationText(kept)
}

// durationText returns a length of time as Temporal's command line writes it; minutes and seconds
// are omitted if both are zero.
func durationText(d time.Duration) string {
	if d%time.Hour == 0 {
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return d.String()
}
