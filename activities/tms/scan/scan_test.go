package scan_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms/scan"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/lifecycle"
)

// namespace is a Temporal client whose visibility contains runs.
type namespace struct {
	client.Client
	runs     []*workflowpb.WorkflowExecutionInfo
	err      error
	requests []*workflowservice.ListWorkflowExecutionsRequest
}

func (n *namespace) CountWorkflow(_ context.Context, r *workflowservice.CountWorkflowExecutionsRequest) (*workflowservice.CountWorkflowExecutionsResponse, error) {
	if r.GetQuery() != "WorkflowType = 'Lifecycle' AND ExecutionStatus = 'Running'" {
		return nil, errors.New(r.GetQuery())
	}
	return &workflowservice.CountWorkflowExecutionsResponse{Count: 2500}, nil
}

func (n *namespace) ListWorkflow(_ context.Context, r *workflowservice.ListWorkflowExecutionsRequest) (*workflowservice.ListWorkflowExecutionsResponse, error) {
	copied := workflowservice.ListWorkflowExecutionsRequest{PageSize: r.GetPageSize(), NextPageToken: r.GetNextPageToken(), Query: r.GetQuery()}
	n.requests = append(n.requests, &copied)
	if n.err != nil {
		return nil, n.err
	}
	if string(r.GetNextPageToken()) == "of an earlier release" {
		return nil, serviceerror.NewInvalidArgument("page token")
	}
	return &workflowservice.ListWorkflowExecutionsResponse{Executions: n.runs, NextPageToken: []byte("next")}, nil
}

// run returns an open run with the texts of its search attributes OpportunityId, OpportunityStep,
// OpportunityState and OpportunityAccount.
func run(reference string, attributes ...string) *workflowpb.WorkflowExecutionInfo {
	names := []string{"OpportunityId", "OpportunityStep", "OpportunityState", "OpportunityAccount"}
	fields := map[string]*commonpb.Payload{}
	for i, value := range attributes {
		if value != "" {
			fields[names[i]], _ = converter.GetDefaultDataConverter().ToPayload(value)
		}
	}
	return &workflowpb.WorkflowExecutionInfo{
		Execution:        &commonpb.WorkflowExecution{WorkflowId: "opportunity/" + reference, RunId: "r"},
		SearchAttributes: &commonpb.SearchAttributes{IndexedFields: fields},
	}
}

// tms is an API that contains records.
type tms struct {
	records  []administrate.Opportunity
	err      error
	requests [][]string
}

func (a *tms) OpportunitySteps(_ context.Context, ids []string) ([]administrate.Opportunity, error) {
	a.requests = append(a.requests, ids)
	var found []administrate.Opportunity
	for _, record := range a.records {
		if slices.Contains(ids, record.ID) {
			found = append(found, record)
		}
	}
	return found, a.err
}

func record(id, step, state, account string) administrate.Opportunity {
	out := administrate.Opportunity{ID: id, Step: administrate.Step{ID: "S", Name: step, Stage: administrate.Stage{State: state}}}
	if account != "" {
		out.Account = &administrate.Ref{ID: account}
	}
	return out
}

// One request compares all runs of a page. A run counts as changed if its record has another step
// or account, or does not exist any more.
func TestCompareRuns(t *testing.T) {
	t.Parallel()
	n := &namespace{runs: []*workflowpb.WorkflowExecutionInfo{
		run("same", "1", "Proposed", "Open", "A"),
		run("moved", "2", "Proposed", "Open", "A"),
		run("another stage", "3", "Closed", "Won"),
		run("another account", "4", "Proposed", "Open", "A"),
		run("first account", "5", "Proposed", "Open"),
		run("no account any more", "6", "Proposed", "Open", "A"),
		run("deleted", "7", "Proposed", "Open"),
		run("not created"),
		run("no known step", "8"),
	}}
	api := &tms{records: []administrate.Opportunity{
		record("6", "Proposed", "Open", ""), record("5", "Proposed", "Open", "B"), record("4", "Proposed", "Open", "B"),
		record("3", "Closed", "Lost", ""), record("2", "Won", "Won", "A"), record("1", "Proposed", "Open", "A"),
	}}
	pass := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	in := activities.CompareRunsInput{Pass: pass, PageToken: []byte("here")}
	out, err := scan.New(api, n).CompareRuns(t.Context(), in)
	if err != nil || !out.Proves(in) {
		t.Fatalf("%+v, %v", out, err)
	}
	want := activities.CompareRunsResult{
		Pass: pass, Runs: 9, OpenRuns: 2500, NextPageToken: []byte("next"),
		Changed: []string{"opportunity/moved", "opportunity/another stage", "opportunity/another account", "opportunity/first account", "opportunity/deleted"},
	}
	if diff := cmp.Diff(want, out); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([][]string{{"1", "2", "3", "4", "5", "6", "7"}}, api.requests); diff != "" {
		t.Errorf("requests: %s", diff)
	}
	if r := n.requests[0]; len(n.requests) != 1 || r.GetPageSize() != lifecycle.ScanPageRuns || string(r.GetNextPageToken()) != "here" {
		t.Errorf("lists %+v", n.requests)
	}
}

func TestRunsWithoutRecordsCostNoRequest(t *testing.T) {
	t.Parallel()
	api := &tms{}
	out, err := scan.New(api, &namespace{runs: []*workflowpb.WorkflowExecutionInfo{run("not created")}}).CompareRuns(t.Context(), activities.CompareRunsInput{})
	if err != nil || out.Runs != 1 || len(out.Changed) != 0 || len(api.requests) != 0 {
		t.Errorf("%+v, %v, %v", out, err, api.requests)
	}
}

func TestListOfRunsThatStartedDuringThePass(t *testing.T) {
	t.Parallel()
	n := &namespace{}
	since := time.Date(2026, 11, 30, 12, 0, 0, 5, time.FixedZone("", 3600))
	if _, err := scan.New(&tms{}, n).CompareRuns(t.Context(), activities.CompareRunsInput{StartedSince: since}); err != nil {
		t.Fatal(err)
	}
	if got := n.requests[0].GetQuery(); !strings.HasSuffix(got, " AND StartTime >= '2026-11-30T11:00:00.000000005Z'") {
		t.Error(got)
	}
}

// If the server refuses the page token, the scan lists the runs from the beginning.
func TestRefusedPageToken(t *testing.T) {
	t.Parallel()
	n := &namespace{}
	out, err := scan.New(&tms{}, n).CompareRuns(t.Context(), activities.CompareRunsInput{PageToken: []byte("of an earlier release")})
	if err != nil || len(n.requests) != 2 || len(n.requests[1].GetNextPageToken()) > 0 || string(out.NextPageToken) != "next" {
		t.Errorf("%+v, %v, %+v", out, err, n.requests)
	}
}

// Temporal repeats the comparison after each error, except after a refusal of the API. The other pages
// do not wait for a page that the API refuses.
func TestCompareRunsWithoutAnswer(t *testing.T) {
	t.Parallel()
	runs := []*workflowpb.WorkflowExecutionInfo{run("a", "1", "Proposed")}
	for name, c := range map[string]struct {
		listing, reading error
		refused          bool
		retryAfter       time.Duration
	}{
		"visibility is away":   {listing: serviceerror.NewUnavailable("away")},
		"visibility refuses":   {listing: serviceerror.NewInvalidArgument("query")},
		"the API is away":      {reading: &administrate.NotSentError{Reason: administrate.Unreachable}},
		"the rate is exceeded": {reading: &administrate.NotSentError{Reason: administrate.RateLimited, RetryAfter: time.Minute}, retryAfter: time.Minute},
		"the response is lost": {reading: &administrate.UnknownError{}},
		"the API refuses":      {reading: &administrate.RefusedError{Operation: "OpportunitySteps"}, refused: true},
	} {
		out, err := scan.New(&tms{err: c.reading}, &namespace{runs: runs, err: c.listing}).CompareRuns(t.Context(), activities.CompareRunsInput{})
		if (err == nil) != c.refused || (out.Refused != "") != c.refused || len(out.Changed) != 0 {
			t.Errorf("%s: %+v, %v", name, out, err)
		}
		var application *temporal.ApplicationError
		if c.retryAfter > 0 && (!errors.As(err, &application) || application.NextRetryDelay() != c.retryAfter) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
