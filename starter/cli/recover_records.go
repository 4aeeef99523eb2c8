package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/oppflow/oppflow/activities/tms"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

type unknownRecord struct {
	id        string
	reference opportunity.Reference
}

// unknownRecords returns the records that were created after the backup and whose reference tag
// names an opportunity that Temporal does not know. If the tenant's API cannot search by the time
// of creation, unknownRecords also returns records that were created before the backup. A returned
// record that was created before the backup belongs to an ended opportunity whose run the namespace
// no longer keeps.
func unknownRecords(ctx context.Context, temporal client.Client, namespace string, api *administrate.Client, mark tms.ReferenceTag, backup time.Time) ([]unknownRecord, error) {
	known, err := knownReferences(ctx, temporal, namespace)
	if err != nil {
		return nil, err
	}
	search := administrate.Search{First: 100, Attributes: mark.Attribute != "", Bare: true}
	search.Filters = []administrate.Filter{{Field: administrate.ByCreated, Operation: administrate.GreaterEqual, Value: backup.UTC().Format(time.RFC3339)}}
	var strays []unknownRecord
	for {
		page, err := api.Opportunities(ctx, search)
		var refused *administrate.RefusedError
		var invalid *administrate.InvalidError
		if search.After == "" && len(search.Filters) > 0 && (errors.As(err, &refused) || errors.As(err, &invalid)) {
			search.Filters = nil // the search by the time of creation is only an assumption about the API
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, record := range page.Rows {
			if reference, marked := mark.Reference(record); marked && !known[reference] {
				strays = append(strays, unknownRecord{id: record.ID, reference: reference})
			}
		}
		if search.After = page.NextCursor; search.After == "" {
			return strays, nil
		}
	}
}

const (
	runsPerPage = 200
	// maxListFailures is how many consecutive requests for a page may fail before knownReferences
	// returns an error.
	maxListFailures = 5
)

// knownReferences returns the references of all opportunities that the namespace knows, including
// opportunities that ended. knownReferences skips a run that ended with continue as new, because
// the next run has the same reference. A server is slow after a restore, so knownReferences uses
// small pages and repeats a failed request.
func knownReferences(ctx context.Context, temporal client.Client, namespace string) (map[opportunity.Reference]bool, error) {
	known := map[opportunity.Reference]bool{}
	failures := 0
	for next := []byte(nil); ; {
		page, err := temporal.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
			Namespace: namespace, NextPageToken: next, PageSize: runsPerPage,
			Query: fmt.Sprintf("WorkflowType = '%s' AND ExecutionStatus != 'ContinuedAsNew'", lifecycle.WorkflowType),
		})
		if err != nil {
			if failures++; failures < maxListFailures && ctx.Err() == nil {
				continue
			}
			return nil, fmt.Errorf("the runs cannot be listed: %w", err)
		}
		failures = 0
		for _, run := range page.GetExecutions() {
			if reference, is := lifecycle.ReferenceOf(run.GetExecution().GetWorkflowId()); is {
				known[reference] = true
			}
		}
		if next = page.GetNextPageToken(); len(next) == 0 {
			return known, nil
		}
	}
}
