package host

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/cenkalti/backoff/v5"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"github.com/oppflow/oppflow/lifecycle"
)

const (
	// If startScan cannot start the scan, the pause before the next attempt grows from
	// firstScanPause to longestScanPause.
	firstScanPause   = time.Second
	longestScanPause = 30 * time.Second
)

// startScan starts the scan of the namespace, or sends the period to a scan that already runs. If
// the period is 0, startScan ends the scan. Before startScan sends anything, startScan waits until
// the worker is permitted to send, so that a worker of another tenant changes nothing. startScan
// repeats a failed attempt until ctx ends.
func startScan(ctx context.Context, c client.Client, period time.Duration, whyBlocked func() error, logger *slog.Logger) {
	isReported := false
	_, _ = backoff.Retry(ctx, func() (struct{}, error) {
		if err := whyBlocked(); err != nil {
			return struct{}{}, err // the log already contains the reason why the worker is not permitted to send
		}
		err := sendScanSettings(ctx, c, period)
		if err != nil && !isReported && ctx.Err() == nil {
			isReported = true
			logger.WarnContext(ctx, "the scan of the open opportunities cannot be started yet", "reason", Reason(err))
		}
		return struct{}{}, err
	}, backoff.WithBackOff(&backoff.ExponentialBackOff{InitialInterval: firstScanPause, Multiplier: 2, MaxInterval: longestScanPause}), backoff.WithMaxElapsedTime(0))
}

func sendScanSettings(ctx context.Context, c client.Client, period time.Duration) error {
	if period > 0 {
		_, err := c.SignalWithStartWorkflow(ctx, lifecycle.ScanID, lifecycle.SetScan.Name, lifecycle.ScanSettings{Period: period},
			lifecycle.ScanOptions(), lifecycle.ScanType, lifecycle.ScanState{})
		return err
	}
	err := c.SignalWorkflow(ctx, lifecycle.ScanID, "", lifecycle.SetScan.Name, lifecycle.ScanSettings{Off: true})
	if errors.As(err, new(*serviceerror.NotFound)) { // no scan runs
		return nil
	}
	return err
}
