package tms

import (
	"context"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms/names"
	"github.com/oppflow/oppflow/activities/tms/runs"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// ReadOpportunity reads the record, in one request. For a record that does not exist,
// ReadOpportunity returns an error that Temporal does not retry.
func (a *Activities) ReadOpportunity(ctx context.Context, in activities.ReadInput) (activities.ReadResult, error) {
	if in.After != "" {
		page, err := a.api.Interests(ctx, string(in.Opportunity), in.After)
		if err != nil {
			return activities.ReadResult{}, readError(err)
		}
		out := activities.ReadResult{Next: page.NextCursor, Record: exchange.Snapshot{ID: in.Opportunity}}
		for _, interest := range page.Interests {
			out.Record.Interests = append(out.Record.Interests, interestRef(interest))
		}
		return out, nil
	}
	rules, err := a.playbookFeatures(ctx)
	if err != nil {
		return activities.ReadResult{}, playbookUnavailable("%s", err)
	}
	read := a.api.Opportunity
	if in.ForAdoption && a.followUpsFromLastChange {
		read = a.api.OpportunityWithUpdatedAt
	}
	record, err := read(ctx, string(in.Opportunity))
	if err != nil {
		return activities.ReadResult{}, readError(err)
	}
	out := activities.ReadResult{
		Record: a.snapshot(record, in.Reference), TagOwner: a.referenceTag.tagOwner(record, in.Reference), Next: record.NextInterestsCursor,
		TaggedByOther: a.referenceTag.isTaggedByOther(record, in.Reference), RunID: runs.CurrentID(ctx), PlaybookFeatures: rules,
	}
	if out.TagOwner == activities.TagOwnerThis && in.WorkflowID != "" {
		out.SettleTime = a.settleTimeBefore(ctx, in.WorkflowID, in.RunID)
	}
	return out, nil
}

// FindOpportunity searches for records that have the reference tag. FindOpportunity reads the
// region's opportunities page by page, because no documented filter of the API can search for the
// tag. The API's filter compares the exact spelling of region names, so FindOpportunity first looks
// up the name of the region.
func (a *Activities) FindOpportunity(ctx context.Context, in activities.FindInput) (activities.FindResult, error) {
	if a.referenceTag.isDisabled() {
		return activities.FindResult{Reference: in.Reference, TagDisabled: true}, nil
	}
	wanted := exchange.StartNames(opportunity.Start{Region: in.Region})
	if _, err := a.ResolveNames(ctx, activities.ResolveInput{Names: wanted}); err != nil {
		return activities.FindResult{}, err
	}
	dictionary := names.NewResolver(a.nameCache, in.ResolvedNames)
	out := activities.FindResult{Reference: in.Reference, Region: a.regionRef(ctx, in.Region, dictionary.ID(opportunity.TypeRegion, in.Region, wanted))}
	search := administrate.Search{First: 100, After: in.After, Attributes: a.referenceTag.Attribute != "", Bare: true}
	for _, name := range wanted {
		if meaning, ok := a.nameCache.Lookup(name); ok {
			search.Filters = []administrate.Filter{{Field: administrate.ByRegionName, Operation: administrate.Equal, Value: meaning.Name}}
		}
	}
	page, err := a.api.Opportunities(ctx, search)
	if err != nil {
		return activities.FindResult{}, readError(err)
	}
	for _, record := range page.Rows {
		if a.referenceTag.isOn(record, in.Reference) {
			out.Found = append(out.Found, opportunity.ID(record.ID))
		}
	}
	out.Next = page.NextCursor
	if len(out.Found) > 0 {
		another, settling := a.hasDifferentStart(ctx, in.StartDigest)
		if out.SettleTime = settling; another {
			out.Conflict = startConflict(in.Reference).Error
		}
	}
	return out, nil
}

func (a *Activities) snapshot(record administrate.Opportunity, ref opportunity.Reference) exchange.Snapshot {
	out := exchange.Snapshot{
		ID: opportunity.ID(record.ID),
		Details: opportunity.Details{
			Name: a.referenceTag.stripFromName(record.Name, ref),
		},
		Step:        names.StepOf(record.Step),
		Reservation: a.toReservation(record.Reservations),
	}
	if record.UpdatedAt != nil {
		out.Changed = record.UpdatedAt.UTC()
	}
	if record.Account != nil {
		out.Details.Account = opportunity.Ref{ID: opportunity.ID(record.Account.ID), Name: record.Account.Name}
	}
	if record.Currency != nil {
		out.Details.Currency = record.Currency.Code
	}
	for _, interest := range record.Interests {
		out.Interests = append(out.Interests, interestRef(interest))
	}
	return out
}

func interestRef(interest administrate.Interest) exchange.InterestRef {
	ref := exchange.InterestRef{ID: opportunity.ID(interest.ID), Item: opportunity.ID(interest.Item.ID)}
	if interest.Quantity != nil {
		ref.Quantity = *interest.Quantity
	}
	if interest.UnitAmount.Valid {
		// Oppflow never writes an amount that Oppflow cannot parse, so an amount without a valid form
		// stays unset.
		if amount, err := opportunity.ParseAmount(interest.UnitAmount.Decimal.String()); err == nil {
			ref.UnitAmount = &amount
		}
	}
	return ref
}

// ProbeAPI makes one request to find out whether the API responds.
func (a *Activities) ProbeAPI(ctx context.Context) (activities.ProbeResult, error) {
	err := a.api.Hello(ctx)
	return activities.ProbeResult{Answered: err == nil}, readError(err)
}
