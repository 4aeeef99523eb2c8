package tms

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/activity"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/opportunity"
)

// CreateOpportunity creates the record, in one request. Before that, unless the
// workflow has looked already, it asks Temporal whether the reference had
// earlier runs: such a one may have created the record, and nothing is sent
// then.
func (a *Activities) CreateOpportunity(ctx context.Context, in activities.CreateInput) (activities.CreateResult, error) {
	if run, other := anotherRun(ctx, in.Run); other {
		return activities.CreateResult{Sending: reset(run)}, nil
	}
	dictionary := a.dictionary(in.Resolved)
	wanted := in.Start.Names()
	record := administrate.NewOpportunity{
		Name:        a.mark.written(in.Start.Name, in.Reference),
		RegionID:    dictionary.id(opportunity.TypeRegion, in.Start.Region, wanted),
		AccountID:   dictionary.id(opportunity.TypeAccount, in.Start.Account, wanted),
		Currency:    dictionary.id(opportunity.TypeCurrency, in.Start.Currency, wanted),
		EntryStepID: dictionary.id(opportunity.TypeStep, in.Start.EntryStep, wanted),
		Attributes:  a.mark.attributes(in.Reference),
	}
	if len(dictionary.missing) > 0 {
		return activities.CreateResult{Sending: dictionary.unresolved()}, nil
	}
	if !in.Looked {
		before, err := a.ranBefore(ctx)
		switch {
		case err != nil: // nobody can tell yet; the API is not asked
			return activities.CreateResult{Sending: activities.Sending{Fate: opportunity.FateNotSent, Reason: activities.ReasonNamespace}}, nil
		case before:
			return activities.CreateResult{Sending: activities.Sending{Fate: opportunity.FateNotSent, Reason: activities.ReasonSeen}}, nil
		}
	}
	created, err := a.api.CreateOpportunity(a.inTime(ctx), record)
	result := activities.CreateResult{Sending: sending(err)}
	if err == nil {
		result.Rules = a.rules()
		result.Record = a.snapshot(created, in.Reference)
		result.Region = a.region(in.Start.Region, record.RegionID)
	}
	return result, nil
}

// region names the region, whose name the API's answers do not hold.
func (a *Activities) region(given, id string) opportunity.Named {
	region := opportunity.Named{ID: opportunity.ID(id)}
	if given != id {
		region.Name = given
		if meaning, ok := a.names.lookup(opportunity.Name{Type: opportunity.TypeRegion, Text: given}); ok {
			region.Name = meaning.Name
		}
	}
	return region
}

// askWithin is how long the namespace is asked for other runs. It answers a
// limited number of such questions a second.
const askWithin = 5 * time.Second

// ranBefore reports whether the namespace knows another run of this workflow
// than the one that asks. Runs are listed from their start on, so one that has
// ended a moment ago is seen. Its error says that the namespace is asked too much
// to answer now; where it does not answer at all there may have been one.
func (a *Activities) ranBefore(ctx context.Context) (bool, error) {
	execution := activity.GetInfo(ctx).WorkflowExecution
	if strings.ContainsAny(execution.ID, `'"\`+"`") {
		return true, nil // not to be put into a query; looking costs a request, guessing a second record
	}
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	listed, err := a.temporal.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
		PageSize: 2, Query: fmt.Sprintf("WorkflowId = '%s'", execution.ID),
	})
	var exhausted *serviceerror.ResourceExhausted
	var late *serviceerror.DeadlineExceeded
	switch {
	case errors.As(err, &exhausted), errors.As(err, &late), errors.Is(err, context.DeadlineExceeded):
		return false, err
	case err != nil:
		return true, nil
	}
	for _, other := range listed.GetExecutions() {
		if other.GetExecution().GetRunId() != execution.RunID {
			return true, nil
		}
	}
	return false, nil
}

// inTime bounds when the request may go out: late enough to be useful, early
// enough that a reader knows when it can no longer come. The time counts from
// when the server handed the activity out, so that a worker that was frozen in
// between sends nothing: the deadline of the SDK counts from when the worker began.
func (a *Activities) inTime(ctx context.Context) context.Context {
	info := activity.GetInfo(ctx)
	return administrate.WithSendBy(ctx, a.times.SendBy(info.StartedTime, info.StartToCloseTimeout))
}
