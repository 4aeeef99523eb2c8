package tms

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

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
	// details distinguish the candidate from others of the same name: its code, its start or its
	// stage. A candidate may have none.
	details []string
}

// String describes the candidate, so that a person recognises it.
func (c candidate) String() string {
	return fmt.Sprintf("%s (%s)", c.ID, strings.Join(append([]string{fmt.Sprintf("%q", c.Name)}, c.details...), ", "))
}

// lookupsPerRequest is how many texts of accounts and items one request looks up.
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
		for _, text := range spellings(name.Text) {
			if len(last.Accounts)+len(last.Items) == lookupsPerRequest {
				requests = append(requests, administrate.LookupRequest{})
				last = &requests[len(requests)-1]
			}
			if name.Type == opportunity.TypeAccount {
				last.Accounts = append(last.Accounts, text)
			} else {
				last.Items = append(last.Items, administrate.ItemName{Text: text, Kind: apiKindOfIDType(name.Type)})
			}
		}
	}
	return requests
}

// spellings returns the text and its other Unicode forms. The API compares the characters of a
// text, and a letter with an accent can be one character or two.
func spellings(text string) []string {
	all := []string{text}
	for _, form := range []norm.Form{norm.NFC, norm.NFD} {
		if other := form.String(text); !slices.Contains(all, other) {
			all = append(all, other)
		}
	}
	return all
}

// lookUpNames returns the candidates for the names, by type. lookUpNames reads all pages of a list.
func (a *Activities) lookUpNames(ctx context.Context, wanted []exchange.UnresolvedName) (map[string][]candidate, error) {
	candidates := make(map[string][]candidate)
	add := func(typ, id, name string, details []string, texts ...string) {
		candidates[typ] = append(candidates[typ], candidate{Ref: opportunity.Ref{ID: opportunity.ID(id), Name: name}, names: texts, details: details})
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
			add(opportunity.TypeStep, s.ID, s.Name, []string{fmt.Sprintf("stage %q", s.Stage.Name)}, s.Name)
			a.nameCache.storeStep(StepOf(s))
		}
		for _, r := range found.Regions {
			add(opportunity.TypeRegion, r.ID, r.Name, nil, r.Name)
			a.nameCache.storeRegion(opportunity.Ref{ID: opportunity.ID(r.ID), Name: r.Name}, a.nameCache.ttl)
		}
		for _, c := range found.Currencies {
			add(exchange.TypeCurrency, c.Code, c.Name, nil, c.Name, c.Code)
		}
		for _, list := range found.Accounts {
			for _, account := range list {
				add(opportunity.TypeAccount, account.ID, account.Name, nil, account.Name)
			}
		}
		for _, list := range found.Items {
			for _, item := range list {
				add(opportunity.ID(item.ID).Type(), item.ID, item.Title, itemDetails(item, found.Starts[item.ID]), item.Title, item.Code)
			}
		}
	}
	return candidates, nil
}

// itemDetails returns the code and the start of an item, if it has them.
func itemDetails(item administrate.Item, start administrate.LocalTime) []string {
	var details []string
	if item.Code != "" {
		details = append(details, "code "+item.Code)
	}
	if start != "" {
		details = append(details, "starts "+string(start))
	}
	return details
}

// maxListedMeanings is how many meanings of a name an error lists.
const maxListedMeanings = 5

// selectMeaning returns the meaning of a name: the candidate with exactly this name, or, without
// such a candidate, the candidate whose name differs only in case and in its Unicode form.
func selectMeaning(name exchange.UnresolvedName, candidates []candidate) (opportunity.Ref, *opportunity.Error) {
	for _, same := range []func(a, b string) bool{func(a, b string) bool { return a == b }, isSameName} {
		var fitting []candidate
		for _, c := range candidates {
			called := slices.ContainsFunc(c.names, func(text string) bool { return text != "" && same(text, name.Text) })
			if called && !slices.ContainsFunc(fitting, func(f candidate) bool { return f.ID == c.ID }) {
				fitting = append(fitting, c)
			}
		}
		switch len(fitting) {
		case 0:
			continue
		case 1:
			return fitting[0].Ref, nil
		}
		list := make([]string, 0, len(fitting))
		for _, c := range fitting[:min(len(fitting), maxListedMeanings)] {
			list = append(list, c.String())
		}
		if more := len(fitting) - len(list); more > 0 {
			list = append(list, fmt.Sprintf("%d more", more))
		}
		return opportunity.Ref{}, opportunity.Invalidf("%q matches more than one %s; give the id: %s", name.Text, describeType(name.Type), strings.Join(list, " and "))
	}
	missing := opportunity.Failf(opportunity.NotFound, "no %s is called %q", describeType(name.Type), name.Text)
	switch name.Type {
	case opportunity.TypeStep, opportunity.TypeRegion, exchange.TypeCurrency: // the candidates are the whole list
		missing.Message += candidateList(candidates)
	}
	return opportunity.Ref{}, missing
}

// isSameName reports whether two names differ at most in case and in their Unicode form.
func isSameName(a, b string) bool {
	return strings.EqualFold(norm.NFC.String(a), norm.NFC.String(b))
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
