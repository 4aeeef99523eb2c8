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

// The API's responses do not contain the region of a record. given is the id or the name of the
// region that the caller wrote. The returned name is empty if the worker cannot find the name.
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

// sideReadShare limits an additional read in an activity that sends a change: the read may last the
// send window divided by sideReadShare.
const sideReadShare = 4

func (a *Activities) withSideReadTimeout(ctx context.Context) (context.Context, context.CancelFunc) {
	now := a.now()
	return context.WithTimeout(ctx, a.times.SendDeadline(now, 0).Sub(now)/sideReadShare)
}

const regionRetryTime = time.Minute

// namedRegion makes one request for each hundred regions, but no request if the worker's cache
// contains the regions. If the request fails, namedRegion returns the last known name.
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
