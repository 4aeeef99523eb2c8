package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/settings"
	"github.com/oppflow/oppflow/worker/host"
)

// recoverTimeout is long enough to signal some thousand opportunities.
const recoverTimeout = 10 * time.Minute

func (p *program) recover() *cobra.Command {
	var backup time.Time
	api := settings.API{Environment: p.env}
	command := &cobra.Command{
		Use:   "recover --backup TIME [flags]",
		Short: "Prepare a namespace after a restore of Temporal's database, before workers run again",
		Long: `recover prepares a namespace after Temporal's database was restored from a backup. The opportunities in the backup do not know
the changes after the backup. Workers therefore compare each opportunity with its record before they send anything for the
opportunity. A request that waited in the backup ends as done if its change is in the record. A message that adds an interest
becomes a question if the record has an equal interest that no known request made.

Stop all workers, restore the database, run recover, and start the workers. recover fails while a worker polls. You may run
recover again. Messages that were accepted after the backup and are not in the record are lost: their senders must send them again.

With the settings of the API, recover also lists the records of opportunities that began after the backup and are unknown to
Temporal. recover sends one request for each hundred records that were created since the backup.`,
		Example:           "  oppflow recover --backup 2026-11-29T03:00:00Z",
		Args:              exactArgs(),
		ValidArgsFunction: completeNothing,
	}
	fs := command.Flags()
	fs.Var((*timeFlag)(&backup), "backup", "time at which the backup was made, with a UTC offset, such as 2026-11-29T03:00:00Z")
	connection := p.connection(fs, recoverTimeout)
	readerFlags(fs, &api)
	fs.Lookup("reference-tag").Hidden = false // the flag is needed: the reference tag names the opportunity of a record
	command.RunE = func(command *cobra.Command, _ []string) error {
		switch {
		case backup.IsZero():
			return usagef("--backup is missing; give the time of the backup with a UTC offset, such as --backup 2026-11-29T03:00:00Z")
		case backup.After(time.Now()):
			return usagef("--backup %s: is in the future; give the time at which the backup was made", backup.Format(time.RFC3339))
		}
		listing := api.URL != "" || p.env.Get("ADMINISTRATE_URL") != ""
		if listing {
			if err := api.Resolve(); err != nil {
				return &usageError{text: err.Error()}
			}
		}
		ctx, temporal, done, err := connection.open(command.Context())
		if err != nil {
			return err
		}
		defer done()
		if err := checkNoWorkers(ctx, temporal); err != nil {
			return err
		}
		recovery := lifecycle.Recovery{Epoch: rand.Text(), Backup: backup.UTC()}
		_, err = temporal.SignalWithStartWorkflow(ctx, lifecycle.NamespaceID, lifecycle.Recover.Name, recovery,
			lifecycle.NamespaceOptions(), lifecycle.NamespaceType, lifecycle.NamespaceState{})
		if err != nil {
			return err
		}
		marked, err := refreshAll(ctx, temporal, connection.namespace)
		if err != nil {
			return fmt.Errorf("recover failed after it had marked %d opportunities for the comparison with their records: %w; run recover again", marked, err)
		}
		line(p.stdout, fmt.Sprintf("namespace %s: recovered from the backup of %s; when workers run again, the workers compare %d opportunities with their records",
			connection.namespace, backup.UTC().Format(time.RFC3339), marked))
		line(p.stdout, "Messages that were accepted after the backup and are not in the TMS are lost; their senders must send them again.")
		if !listing {
			line(p.stdout, "With --api-url or ADMINISTRATE_URL, recover also lists the records that are unknown to Temporal.")
			return nil
		}
		return p.listUnknownRecords(ctx, temporal, connection, &api, backup)
	}
	return command
}

func (p *program) listUnknownRecords(ctx context.Context, temporal client.Client, connection *connection, api *settings.API, backup time.Time) error {
	var strays []unknownRecord
	err := p.withAPI(ctx, api, connection.timeout, func(ctx context.Context, client *administrate.Client) (err error) {
		strays, err = unknownRecords(ctx, temporal, connection.namespace, client, host.ReferenceTagOf(*api), backup)
		return err
	})
	if err != nil {
		return fmt.Errorf("the namespace is recovered, but the records that are unknown to Temporal cannot be listed: %w", err)
	}
	if len(strays) == 0 {
		line(p.stdout, "Each record that was created since the backup and has a reference tag belongs to an opportunity that Temporal knows.")
	}
	for _, stray := range strays {
		line(p.stdout, fmt.Sprintf("record %s has the reference %q, which is unknown to Temporal; a start with this reference finds the record", stray.id, stray.reference))
	}
	return nil
}

// checkNoWorkers returns an error if a worker has polled a task queue within lifecycle.MaxPollAge.
func checkNoWorkers(ctx context.Context, temporal client.Client) error {
	for queue, kinds := range map[string][]enums.TaskQueueType{
		lifecycle.TaskQueue:  {enums.TASK_QUEUE_TYPE_WORKFLOW, enums.TASK_QUEUE_TYPE_ACTIVITY},
		activities.TaskQueue: {enums.TASK_QUEUE_TYPE_ACTIVITY},
	} {
		for _, kind := range kinds {
			described, err := temporal.DescribeTaskQueue(ctx, queue, kind)
			if err != nil {
				return err
			}
			for _, poller := range described.GetPollers() {
				if ago := time.Since(poller.GetLastAccessTime().AsTime()); ago < lifecycle.MaxPollAge {
					return explainedf("the worker %s polled the task queue %s %s ago; stop all workers, wait %s, and run recover again",
						poller.GetIdentity(), queue, ago.Round(time.Second), lifecycle.MaxPollAge)
				}
			}
		}
	}
	return nil
}

// refreshAll makes every running opportunity compare itself with its record, and returns the number
// of these opportunities.
func refreshAll(ctx context.Context, temporal client.Client, namespace string) (int, error) {
	shop := lifecycle.NewClient(temporal)
	marked := 0
	for next := []byte(nil); ; {
		page, err := temporal.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
			Namespace: namespace, NextPageToken: next, Query: lifecycle.OpenRunsQuery(time.Time{}),
		})
		if err != nil {
			return marked, err
		}
		for _, run := range page.GetExecutions() {
			reference, is := lifecycle.ReferenceOf(run.GetExecution().GetWorkflowId())
			if !is {
				continue
			}
			var ended *opportunity.Error
			switch err := shop.Signal(ctx, reference, opportunity.Refresh{}); {
			case err == nil:
				marked++
			case !errors.As(err, &ended): // an opportunity that has ended needs no comparison
				return marked, err
			}
		}
		if next = page.GetNextPageToken(); len(next) == 0 {
			return marked, nil
		}
	}
}
