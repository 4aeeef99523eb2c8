package tms

import (
	"context"

	"go.temporal.io/sdk/activity"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms/names"
	"github.com/oppflow/oppflow/activities/tms/runs"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// CreateOpportunity creates the record, in one request. CreateOpportunity may make another request
// to read the name of a region, or to look up names again after a rejection. If the workflow has
// not searched for the record yet, CreateOpportunity first lists the earlier runs of the reference
// in Temporal. If an earlier run may have created the record, CreateOpportunity sends nothing.
func (a *Activities) CreateOpportunity(ctx context.Context, in activities.CreateInput) (activities.CreateResult, error) {
	if run, other := runs.DetectReset(ctx, in.RunID); other {
		if !in.SkipEarlierRunCheck {
			if why := a.checkEarlierRuns(ctx, in); why != nil && why.Status == exchange.StatusRejected {
				return activities.CreateResult{CallResult: *why}, nil
			}
		}
		return activities.CreateResult{CallResult: runs.ResetResult(run)}, nil
	}
	rules, err := a.playbookFeatures(ctx)
	if err != nil {
		return activities.CreateResult{CallResult: playbookUnavailableResult(err)}, nil
	}
	dictionary := names.NewResolver(a.nameCache, in.ResolvedNames)
	wanted := exchange.StartNames(in.Start)
	record := administrate.NewOpportunity{
		Name:        a.referenceTag.addToName(in.Start.Name, in.Reference),
		RegionID:    dictionary.ID(opportunity.TypeRegion, in.Start.Region, wanted),
		AccountID:   dictionary.ID(opportunity.TypeAccount, in.Start.Account, wanted),
		Currency:    dictionary.ID(exchange.TypeCurrency, in.Start.Currency, wanted),
		EntryStepID: dictionary.ID(opportunity.TypeStep, in.Start.EntryStep, wanted),
		Attributes:  a.referenceTag.attributes(in.Reference),
	}
	if len(dictionary.Missing) > 0 {
		return activities.CreateResult{CallResult: dictionary.UnresolvedResult()}, nil
	}
	if !in.SkipEarlierRunCheck {
		if why := a.checkEarlierRuns(ctx, in); why != nil {
			return activities.CreateResult{CallResult: *why}, nil
		}
	}
	region := a.regionRef(ctx, in.Start.Region, record.RegionID)
	created, err := a.api.CreateOpportunity(a.withSendDeadline(ctx), record)
	result := activities.CreateResult{CallResult: callResult(err)}
	a.handleRejectedCreate(ctx, &result.CallResult, wanted, dictionary)
	if result.Status == exchange.StatusDone || result.Status == exchange.StatusUnknown {
		a.createAttempts.Add(in.Reference, in.StartDigest)
	}
	if err == nil {
		result.PlaybookFeatures = rules
		result.Record = a.snapshot(created, in.Reference)
		a.onRecordCreated(result.Record.ID, in.Reference)
		result.Region = region
	}
	return result, nil
}

// withSendDeadline sets the time after which the worker must not send the request. The deadline
// counts from the moment when the server handed out the activity, so a worker that was frozen for
// too long sends nothing. The SDK's own deadline counts from the later moment when the worker began
// the activity.
func (a *Activities) withSendDeadline(ctx context.Context) context.Context {
	info := activity.GetInfo(ctx)
	return administrate.WithSendDeadline(ctx, a.times.SendDeadline(info.StartedTime, info.StartToCloseTimeout))
}
