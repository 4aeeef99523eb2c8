package tms

import (
	"context"

	"go.temporal.io/sdk/activity"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/opportunity"
)

// CreateOpportunity creates the record, in one request. Unless the workflow has looked
// for the record already, CreateOpportunity first asks Temporal for earlier runs of the
// reference. An earlier run may have created the record, and then nothing is sent.
func (a *Activities) CreateOpportunity(ctx context.Context, in activities.CreateInput) (activities.CreateResult, error) {
	if run, other := anotherRun(ctx, in.Run); other {
		if !in.Looked {
			if why := a.earlier(ctx, in); why != nil && why.Fate == opportunity.FateRejected {
				return activities.CreateResult{Sending: *why}, nil
			}
		}
		return activities.CreateResult{Sending: reset(run)}, nil
	}
	rules, err := a.rules(ctx)
	if err != nil {
		return activities.CreateResult{Sending: ruleless(err)}, nil
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
		if why := a.earlier(ctx, in); why != nil {
			return activities.CreateResult{Sending: *why}, nil
		}
	}
	created, err := a.api.CreateOpportunity(a.inTime(ctx), record)
	result := activities.CreateResult{Sending: sending(err)}
	if result.Fate == opportunity.FateDone || result.Fate == opportunity.FateUnknown {
		a.sent.add(in.Reference, in.StartDigest)
	}
	if err == nil {
		result.Rules = rules
		result.Record = a.snapshot(created, in.Reference)
		a.made(result.Record.ID, in.Reference)
		result.Region = a.region(in.Start.Region, record.RegionID)
	}
	return result, nil
}

// region returns the region with its name, which the API's answers do not hold.
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

// inTime bounds when the request may go out: late enough to be useful, early enough that
// a reader knows when the request can no longer come. The time counts from when the
// server handed out the activity, so a worker that was frozen since then sends nothing.
// The deadline of the SDK counts from when the worker began.
func (a *Activities) inTime(ctx context.Context) context.Context {
	info := activity.GetInfo(ctx)
	return administrate.WithSendBy(ctx, a.times.SendBy(info.StartedTime, info.StartToCloseTimeout))
}
