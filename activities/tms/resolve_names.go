package tms

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// ResolveNames looks up the ids of names and codes. ResolveNames makes one request for each twenty
// names, and no request if all names are in the worker's cache. The error of a name that matches
// nothing is NotFound. The error of a name that matches several objects is Invalid and lists these
// objects.
func (a *Activities) ResolveNames(ctx context.Context, in activities.ResolveInput) (activities.ResolveResult, error) {
	out := activities.ResolveResult{ResolvedNames: make([]exchange.ResolvedName, len(in.Names))}
	var wanted []exchange.UnresolvedName
	for i, name := range in.Names {
		out.ResolvedNames[i].UnresolvedName = name
		if meaning, ok := a.nameCache.lookup(name); ok {
			out.ResolvedNames[i].ID = meaning.ID
			continue
		}
		if kind := apiKindOfIDType(name.Type); kind != "" && !a.api.CanLookUp(kind) {
			out.ResolvedNames[i].Error = lookupError(name, "a search by name needs an assumption about the API that is switched off")
			continue
		}
		if !slices.Contains(wanted, name) {
			wanted = append(wanted, name)
		}
	}
	if len(wanted) == 0 {
		return out, nil
	}
	candidates, err := a.lookUpNames(ctx, wanted)
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
		meaning, fault := selectMeaning(one.UnresolvedName, candidates[one.Type])
		if fault != nil {
			one.Error = fault
			continue
		}
		a.nameCache.store(one.UnresolvedName, meaning)
		one.ID = meaning.ID
	}
	return out, nil
}

func lookupError(name exchange.UnresolvedName, reason string) *opportunity.Error {
	return opportunity.Invalidf("Oppflow cannot find %q by name in this TMS; give the id instead of the name (%s)", name.Text, reason)
}

type candidate struct {
	opportunity.Ref
	// names are all names of the candidate.
	names []string
}

// lookupsPerRequest is how many accounts and items one request looks up.
const lookupsPerRequest = 20

// groupLookups distributes names over requests; the first request also reads the lists.
func groupLookups(wanted []exchange.UnresolvedName) []administrate.LookupRequest {
	requests := make([]administrate.LookupRequest, 1)
	for _, name := range wanted {
		first, last := &requests[0], &requests[len(requests)-1]
		switch name.Type {
		case opportunity.TypeStep:
			first.Steps = &administrate.PageRequest{}
			continue
		case opportunity.TypeRegion:
			first.Regions = &administrate.PageRequest{}
			continue
		case exchange.TypeCurrency:
			first.Currencies = &administrate.PageRequest{}
			continue
		}
		if len(last.Accounts)+len(last.Items) == lookupsPerRequest {
			requests = append(requests, administrate.LookupRequest{})
			last = &requests[len(requests)-1]
		}
		if name.Type == opportunity.TypeAccount {
			last.Accounts = append(last.Accounts, name.Text)
		} else {
			last.Items = append(last.Items, administrate.ItemName{Text: name.Text, Kind: apiKindOfIDType(name.Type)})
		}
	}
	return requests
}

// lookUpNames returns the candidates for the names, by type. lookUpNames reads all pages of a list.
func (a *Activities) lookUpNames(ctx context.Context, wanted []exchange.UnresolvedName) (map[string][]candidate, error) {
	candidates := make(map[string][]candidate)
	add := func(typ, id, name string, texts ...string) {
		candidates[typ] = append(candidates[typ], candidate{Ref: opportunity.Ref{ID: opportunity.ID(id), Name: name}, names: texts})
	}
	requests := groupLookups(wanted)
	for len(requests) > 0 {
		found, err := a.api.Lookup(ctx, requests[0])
		if err != nil {
			return nil, err
		}
		requests = requests[1:]
		if found.Next != nil {
			requests = append(requests, *found.Next)
		}
		for _, s := range found.Steps {
			add(opportunity.TypeStep, s.ID, s.Name, s.Name)
			a.nameCache.storeStep(StepOf(s))
		}
		for _, r := range found.Regions {
			add(opportunity.TypeRegion, r.ID, r.Name, r.Name)
		}
		for _, c := range found.Currencies {
			add(exchange.TypeCurrency, c.Code, c.Name, c.Name, c.Code)
		}
		for _, list := range found.Accounts {
			for _, account := range list {
				add(opportunity.TypeAccount, account.ID, account.Name, account.Name)
			}
		}
		for _, list := range found.Items {
			for _, item := range list {
				add(opportunity.ID(item.ID).Type(), item.ID, item.Title, item.Title, item.Code)
			}
		}
	}
	return candidates, nil
}

// selectMeaning returns the meaning of a name: the candidate with exactly this name, or, without
// such a candidate, the candidate whose name differs only in case.
func selectMeaning(name exchange.UnresolvedName, candidates []candidate) (opportunity.Ref, *opportunity.Error) {
	for _, same := range []func(a, b string) bool{func(a, b string) bool { return a == b }, strings.EqualFold} {
		var fitting []opportunity.Ref
		for _, c := range candidates {
			called := slices.ContainsFunc(c.names, func(text string) bool { return text != "" && same(text, name.Text) })
			if called && !slices.ContainsFunc(fitting, func(f opportunity.Ref) bool { return f.ID == c.ID }) {
				fitting = append(fitting, c.Ref)
			}
		}
		switch len(fitting) {
		case 0:
			continue
		case 1:
			return fitting[0], nil
		}
		list := make([]string, len(fitting))
		for i, f := range fitting {
			list[i] = string(f.ID)
		}
		return opportunity.Ref{}, opportunity.Invalidf("%q matches more than one %s: %s; give the id", name.Text, describeType(name.Type), strings.Join(list, " and "))
	}
	return opportunity.Ref{}, opportunity.Failf(opportunity.NotFound, "no %s is called %q%s", describeType(name.Type), name.Text, candidateList(candidates))
}

// candidateList lists the candidates, or returns "" when there are too many.
func candidateList(candidates []candidate) string {
	if len(candidates) == 0 || len(candidates) > 20 {
		return ""
	}
	list := make([]string, len(candidates))
	for i, c := range candidates {
		list[i] = fmt.Sprintf("%q", c.Name)
	}
	return "; the names in the TMS are " + strings.Join(list, ", ")
}

func describeType(typ string) string {
	switch typ {
	case opportunity.TypeStep:
		return "step"
	case opportunity.TypeRegion:
		return "region"
	case opportunity.TypeAccount:
		return "account"
	case exchange.TypeCurrency:
		return "currency"
	}
	kind, _ := opportunity.KindOfIDType(typ)
	info, _ := kind.Info()
	return info.Noun
}
