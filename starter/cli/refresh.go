package cli

import (
	"context"
	"fmt"
	"time"

	"al.essio.dev/pkg/shellescape"
	"github.com/spf13/cobra"

	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

// The command refresh waits for the read of the record, but at most a quarter of its timeout
// (refreshTimeoutShare).
const (
	refreshPollInterval = 200 * time.Millisecond
	refreshTimeoutShare = 4
)

func (p *program) refresh() *cobra.Command {
	command := &cobra.Command{
		Use:   "refresh REF [flags]",
		Short: messageHelp(opportunity.MessageRefresh),
		Long: `refresh reads the record again, for example after a manual change in the TMS. If the opportunity waits for an API that could not
be reached, refresh ends this wait. refresh returns when the record is read, or after a quarter of --timeout if the API does not
respond. Use show to see the record. The exit code is 1 if the TMS does not have the record any more.`,
		Example:           "  oppflow refresh lead-4711",
		Args:              exactArgs("REF"),
		ValidArgsFunction: completeNothing,
	}
	sending := p.newMessageCommand(command)
	command.RunE = func(command *cobra.Command, args []string) error {
		reference, err := reference(args)
		if err != nil {
			return err
		}
		sending.successText = fmt.Sprintf("the record of %s is read again; see oppflow show %s", reference, shellescape.Quote(string(reference)))
		sending.checkDone = func(ctx context.Context, client *lifecycle.Client, reference opportunity.Reference) error {
			view, err := awaitRead(ctx, client, reference, sending.connection.timeout/refreshTimeoutShare)
			if err != nil {
				return explainedf("%v; the opportunity has accepted the refresh; see oppflow show %s", sending.connection.explainError(err), shellescape.Quote(string(reference)))
			}
			if view.Refreshing {
				why := "the API has not responded yet"
				if view.Wait != nil {
					why = view.Wait.Reason
				}
				sending.successText = fmt.Sprintf("the record of %s is not read yet: %s; see oppflow show %s", reference, why, shellescape.Quote(string(reference)))
			}
			for _, a := range view.Attention {
				if a.Kind == opportunity.AttentionRecord && !view.Refreshing {
					return explainedf("%s: %s", reference, a.Reason)
				}
			}
			return nil
		}
		return sending.send(command.Context(), reference, opportunity.Refresh{RequestID: sending.request.get()}, map[string]string{"requestId": "--request-id"})
	}
	return command
}

func awaitRead(ctx context.Context, client *lifecycle.Client, reference opportunity.Reference, limit time.Duration) (opportunity.View, error) {
	ended := time.After(limit)
	for {
		view, err := client.View(ctx, reference)
		if err != nil || !view.Refreshing {
			return view, err
		}
		select {
		case <-ctx.Done():
			return view, ctx.Err()
		case <-ended:
			return view, nil
		case <-time.After(refreshPollInterval):
		}
	}
}
