package tms

import (
	"context"
	"errors"
	"slices"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms/names"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// ResolveNames looks up the ids of names and codes. ResolveNames makes one request for each twenty
// names, and no request if all names are in the worker's cache. If a name matches nothing, the
// error of the name is NotFound. If a name matches several objects, the error of the name is
// Invalid and lists these objects.
func (a *Activities) ResolveNames(ctx context.Context, in activities.ResolveInput) (activities.ResolveResult, error) {
	out := activities.ResolveResult{ResolvedNames: make([]exchange.ResolvedName, len(in.Names))}
	var wanted []exchange.UnresolvedName
	for i, name := range in.Names {
		out.ResolvedNames[i].UnresolvedName = name
		if meaning, ok := a.nameCache.Lookup(name); ok {
			out.ResolvedNames[i].ID = meaning.ID
			continue
		}
		if kind := names.APIKindOfIDType(name.Type); kind != "" && !a.api.CanLookUp(kind) {
			out.ResolvedNames[i].Error = lookupError(name, "a search by name needs an assumption about the API, and this assumption is switched off")
			continue
		}
		if !slices.Contains(wanted, name) {
			wanted = append(wanted, name)
		}
	}
	if len(wanted) == 0 {
		return out, nil
	}
	candidates, err := a.nameFinder().Find(ctx, wanted)
	var refused *administrate.RefusedError
	var invalid *administrate.InvalidError
	if errors.As(err, &refused) || errors.As(err, &invalid) {
		for i := range out.ResolvedNames {
			if out.ResolvedNames[i].ID == "" && out.ResolvedNames[i].Error == nil {
				out.ResolvedNames[i].Error = lookupError(out.ResolvedNames[i].UnresolvedName, err.Error())
			}
		}
		return out, nil
	}
	if err != nil {
		return activities.ResolveResult{}, readError(err)
	}
	for i := range out.ResolvedNames {
		one := &out.ResolvedNames[i]
		if one.ID != "" || one.Error != nil {
			continue
		}
		meaning, fault := names.Select(one.UnresolvedName, candidates[one.Type])
		if fault != nil {
			one.Error = fault
			continue
		}
		a.nameCache.Store(one.UnresolvedName, meaning)
		one.ID = meaning.ID
	}
	return out, nil
}

func (a *Activities) nameFinder() names.Finder { return names.Finder{API: a.api, Cache: a.nameCache} }

func lookupError(name exchange.UnresolvedName, reason string) *opportunity.Error {
	return opportunity.Invalidf("Oppflow cannot find %q by name in this TMS; give the id instead of the name (%s)", name.Text, reason)
}
