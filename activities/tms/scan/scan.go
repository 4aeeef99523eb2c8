// Package scan compares the records of open runs with what the runs show in Temporal's visibility.
package scan

import (
	"context"
	"errors"
	"time"

	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/lifecycle"
)

// API is the operation of the TMS that the scan needs.
type API interface {
	OpportunitySteps(ctx context.Context, ids []string) ([]administrate.Opportunity, error)
}

// Activities are the activities of the scan.
type Activities struct {
	api      API
	temporal client.Client
}

// New makes the activities of the scan.
func New(api API, temporal client.Client) *Activities {
	return &Activities{api: api, temporal: temporal}
}

// Register registers the activities under their names in package activities.
func (a *Activities) Register(registry worker.ActivityRegistry) {
	registry.RegisterActivityWithOptions(a.CompareRuns, activity.RegisterOptions{Name: activities.CompareRuns})
}

// CompareRuns lists one page of open runs, reads the records of the runs in one request, and
// returns the runs whose records differ. If no run on the page shows a record, CompareRuns sends no
// request to the API. Temporal repeats CompareRuns after an error; a refusal of the API is not an
// error, but part of the result.
//
// Temporal's visibility is out of date for some time after a change, so CompareRuns may return a
// run whose record does not differ.
func (a *Activities) CompareRuns(ctx context.Context, in activities.CompareRunsInput) (activities.CompareRunsResult, error) {
	out := activities.CompareRunsResult{Pass: in.Pass}
	counted, err := a.temporal.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{Query: lifecycle.OpenRunsQuery(time.Time{})})
	if err != nil {
		return out, err
	}
	listed, err := a.list(ctx, in)
	if err != nil {
		return out, err
	}
	out.OpenRuns, out.Runs, out.NextPageToken = int(counted.GetCount()), len(listed.GetExecutions()), listed.GetNextPageToken()
	shown := shownRecords(listed.GetExecutions())
	if len(shown) == 0 {
		return out, nil
	}
	ids := make([]string, len(shown))
	for i, run := range shown {
		ids[i] = run.id
	}
	records, err := a.api.OpportunitySteps(ctx, ids)
	switch {
	case errors.As(err, new(*administrate.RefusedError)), errors.As(err, new(*administrate.InvalidError)):
		out.Refused = err.Error()
		return out, nil
	case err != nil:
		return out, retryError(err)
	}
	byID := make(map[string]administrate.Opportunity, len(records))
	for _, record := range records {
		byID[record.ID] = record
	}
	for _, run := range shown {
		if record, exists := byID[run.id]; !exists || run.differs(record) {
			out.Changed = append(out.Changed, run.workflowID)
		}
	}
	return out, nil
}

// list returns the page of open runs. If the server refuses the page token, such as a token of an
// earlier release, list returns the first page.
func (a *Activities) list(ctx context.Context, in activities.CompareRunsInput) (*workflowservice.ListWorkflowExecutionsResponse, error) {
	request := &workflowservice.ListWorkflowExecutionsRequest{
		PageSize: lifecycle.ScanPageRuns, NextPageToken: in.PageToken, Query: lifecycle.OpenRunsQuery(in.StartedSince),
	}
	listed, err := a.temporal.ListWorkflow(ctx, request)
	if len(in.PageToken) > 0 && errors.As(err, new(*serviceerror.InvalidArgument)) {
		request.NextPageToken = nil
		return a.temporal.ListWorkflow(ctx, request)
	}
	return listed, err
}

// retryError returns the error of a read, with the time until the next attempt if the API gave this
// time.
func retryError(err error) error {
	var notSent *administrate.NotSentError
	if errors.As(err, &notSent) && notSent.RetryAfter > 0 {
		return temporal.NewApplicationErrorWithOptions(err.Error(), string(activities.ReasonRateLimit), temporal.ApplicationErrorOptions{
			NextRetryDelay: notSent.RetryAfter, Category: temporal.ApplicationErrorCategoryBenign,
		})
	}
	return err
}

// shownRecord contains what the search attributes of a run show of the run's record.
type shownRecord struct {
	workflowID, id, step, state, account string
}

// shownRecords returns what the runs show, without the runs that show no record or no step.
func shownRecords(executions []*workflowpb.WorkflowExecutionInfo) []shownRecord {
	var shown []shownRecord
	for _, execution := range executions {
		attributes := execution.GetSearchAttributes().GetIndexedFields()
		text := func(name string) (value string) {
			if payload := attributes[name]; payload != nil {
				// An attribute that cannot be read counts as not shown.
				_ = converter.GetDefaultDataConverter().FromPayload(payload, &value)
			}
			return value
		}
		run := shownRecord{
			workflowID: execution.GetExecution().GetWorkflowId(),
			id:         text(lifecycle.OpportunityID.GetName()), step: text(lifecycle.OpportunityStep.GetName()),
			state: text(lifecycle.OpportunityState.GetName()), account: text(lifecycle.OpportunityAccount.GetName()),
		}
		if run.id != "" && run.step != "" {
			shown = append(shown, run)
		}
	}
	return shown
}

// differs reports whether the record has a step or an account other than the run shows. A member
// that the API does not return counts as equal, so a run may show an account that the record no
// longer has.
func (s shownRecord) differs(record administrate.Opportunity) bool {
	account := ""
	if record.Account != nil {
		account = record.Account.ID
	}
	isOther := func(found, shown string) bool { return found != "" && found != shown }
	return isOther(record.Step.Name, s.step) || isOther(record.Step.Stage.State, s.state) || isOther(account, s.account)
}
