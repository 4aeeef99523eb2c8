package tms

import (
	"context"
	"errors"
	"time"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// StoreRegions stores the names of regions that the worker has read already, so that the activities
// need not look them up.
func (a *Activities) StoreRegions(regions []opportunity.Ref) {
	for _, region := range regions {
		a.nameCache.StoreRegion(region)
	}
}

// regionRef returns the region with its name. The API's responses do not contain the region of a
// record. given is the region as the caller wrote it. The name is empty if it cannot be found.
func (a *Activities) regionRef(ctx context.Context, given, id string) opportunity.Ref {
	if given == id {
		return a.namedRegion(ctx, opportunity.Ref{ID: opportunity.ID(id)})
	}
	region := opportunity.Ref{ID: opportunity.ID(id), Name: given}
	if meaning, ok := a.nameCache.Lookup(exchange.UnresolvedName{Type: opportunity.TypeRegion, Text: given}); ok {
		region.Name = meaning.Name
	}
	return region
}

// sideReadShare is the part of the send window that an additional read of a change may take.
const sideReadShare = 4

// withSideReadTimeout bounds an additional read of an activity that sends a change. Neither the
// change nor its result may be late because of such a read.
func (a *Activities) withSideReadTimeout(ctx context.Context) (context.Context, context.CancelFunc) {
	now := a.now()
	return context.WithTimeout(ctx, a.times.SendDeadline(now, 0).Sub(now)/sideReadShare)
}

// regionRetryTime is how long the worker waits after a failed look-up of the regions.
const regionRetryTime = time.Minute

// namedRegion returns the region with its name. It makes one request for each hundred regions,
// unless the worker has read the regions lately. If the request fails, the last known name counts.
func (a *Activities) namedRegion(ctx context.Context, region opportunity.Ref) opportunity.Ref {
	if region.ID == "" || region.Name != "" {
		return region
	}
	if found, current := a.nameCache.Region(region.ID); current {
		return found
	}
	ctx, cancel := a.withSideReadTimeout(ctx)
	defer cancel()
	_, err := a.nameFinder().Find(ctx, []exchange.UnresolvedName{{Type: opportunity.TypeRegion, Text: string(region.ID)}})
	found, current := a.nameCache.Region(region.ID)
	var refused *administrate.RefusedError
	var invalid *administrate.InvalidError
	switch {
	case current:
	case err == nil, errors.As(err, &refused), errors.As(err, &invalid): // another look-up would not find the name either
		a.nameCache.StoreRegion(found)
	default:
		a.nameCache.StoreRegionFor(found, regionRetryTime)
	}
	return found
}
