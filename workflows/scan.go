package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

// maxScanEvents is the number of history events after which the scan continues as new. One page with a
// message to each of its runs adds about 220 events.
const maxScanEvents = 1000

// scanWorkflow compares the records of the open runs with the search attributes of the runs. One
// activity compares one page of runs. Each run whose record differs receives the message refresh. A
// signal from a worker, or a cancellation, ends the scan; a failed page never ends the scan.
func scanWorkflow(ctx workflow.Context, state lifecycle.ScanState) error {
	err := workflow.SetQueryHandlerWithOptions(ctx, lifecycle.ScanOf.Name, func() (lifecycle.ScanState, error) {
		return state, nil
	}, workflow.QueryHandlerOptions{Description: lifecycle.ScanOf.Description})
	if err != nil {
		return err
	}
	if state.LastPageAt.IsZero() {
		state.LastPageAt = workflow.Now(ctx)
	}
	signals := workflow.NewNamedSelector(ctx, "signals")
	addSignalReceiver(ctx, signals, lifecycle.SetScan, state.Set)
	workflow.Go(ctx, func(ctx workflow.Context) {
		for {
			signals.Select(ctx)
		}
	})
	for {
		if err := awaitScanPage(ctx, &state); err != nil || state.Off {
			return err
		}
		if err := scanPage(ctx, &state); err != nil {
			return err
		}
		if info := workflow.GetInfo(ctx); info.GetContinueAsNewSuggested() || info.GetCurrentHistoryLength() > maxScanEvents {
			for signals.HasPending() {
				signals.Select(ctx)
			}
			return workflow.NewContinueAsNewError(ctx, lifecycle.ScanType, state)
		}
	}
}

// awaitScanPage waits until the next page is due or the scan is switched off. A change of the period
// changes the time of the next page. The error says that the scan was cancelled.
func awaitScanPage(ctx workflow.Context, state *lifecycle.ScanState) error {
	for !state.Off {
		period := state.Period
		left := state.NextPageAt().Sub(workflow.Now(ctx))
		if left <= 0 && period > 0 {
			return nil
		}
		isChanged := func() bool { return state.Off || state.Period != period }
		var err error
		if period > 0 {
			_, err = workflow.AwaitWithOptions(ctx, workflow.AwaitOptions{
				Timeout: left, TimerOptions: workflow.TimerOptions{Summary: "wait for the next page of open runs"},
			}, isChanged)
		} else {
			err = workflow.Await(ctx, isChanged) // the first signal contains the period
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// scanPage compares one page of runs and sends the message refresh to the runs whose records
// differ.
func scanPage(ctx workflow.Context, state *lifecycle.ScanState) error {
	state.StartPage(workflow.Now(ctx))
	in := activities.CompareRunsInput{Pass: state.Pass.StartedAt, PageToken: state.PageToken, StartedSince: state.StartedSince()}
	var out activities.CompareRunsResult
	err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, activities.CompareRunsOptions(state.Failures)), activities.CompareRuns, in).Get(ctx, &out)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	problem := ""
	switch {
	case err != nil:
		problem = readFailureText(err)
	case !out.Proves(in):
		problem = "the result of the comparison is not about this page"
	}
	if problem != "" {
		if state.AddFailure(problem); state.Failures == 1 {
			workflow.GetLogger(ctx).Warn("the scan could not compare a page of open runs; the scan repeats the page", "problem", problem)
		}
		return nil
	}
	refreshes := state.AddPage(lifecycle.ScanPage{
		Runs: out.Runs, OpenRuns: out.OpenRuns, Changed: out.Changed, Refused: out.Refused, NextPageToken: out.NextPageToken,
	})
	if out.Refused != "" {
		workflow.GetLogger(ctx).Warn("the API refused to return the records of a page of open runs", "problem", out.Refused)
	}
	sent, err := sendRefreshes(ctx, refreshes)
	if err != nil {
		return err
	}
	if state.EndPage(sent, workflow.Now(ctx)) {
		p := state.LastPass
		workflow.GetLogger(ctx).Info("the scan compared the records of the open runs", "runs", p.Runs, "pages", p.Pages, "changed", p.Changed, "refreshes", p.Refreshes)
	}
	return nil
}

// sendRefreshes sends the message refresh to runs and returns how many runs received the message. A
// run that has ended in the meantime receives no message.
func sendRefreshes(ctx workflow.Context, refreshes []lifecycle.ScanRefresh) (int, error) {
	futures := make([]workflow.Future, len(refreshes))
	for i, r := range refreshes {
		futures[i] = workflow.SignalExternalWorkflow(ctx, r.WorkflowID, "", string(opportunity.MessageRefresh), r.Refresh)
	}
	sent := 0
	for _, f := range futures {
		if f.Get(ctx, nil) == nil {
			sent++
		}
	}
	return sent, ctx.Err()
}
