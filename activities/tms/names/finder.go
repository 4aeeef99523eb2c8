package names

import (
	"context"
	"fmt"
	"slices"

	"golang.org/x/text/unicode/norm"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// API is the set of client methods that look up names.
type API interface {
	Lookup(ctx context.Context, w administrate.LookupRequest) (administrate.LookupResult, error)
}

// Finder looks up names in the API.
type Finder struct {
	API   API
	Cache *Cache
}

// Find returns the candidates for the names, grouped by the type of the ids.
func (f Finder) Find(ctx context.Context, wanted []exchange.UnresolvedName) (map[string][]Candidate, error) {
	candidates := make(map[string][]Candidate)
	add := func(typ, id, name string, details []string, texts ...string) {
		candidates[typ] = append(candidates[typ], Candidate{Ref: opportunity.Ref{ID: opportunity.ID(id), Name: name}, names: texts, details: details})
	}
	requests := groupLookups(wanted)
	for len(requests) > 0 {
		found, err := f.API.Lookup(ctx, requests[0])
		if err != nil {
			return nil, err
		}
		requests = requests[1:]
		if found.Next != nil {
			requests = append(requests, *found.Next)
		}
		for _, s := range found.Steps {
			add(opportunity.TypeStep, s.ID, s.Name, []string{fmt.Sprintf("stage %q", s.Stage.Name)}, s.Name)
			f.Cache.StoreStep(StepOf(s))
		}
		for _, r := range found.Regions {
			add(opportunity.TypeRegion, r.ID, r.Name, nil, r.Name)
			f.Cache.StoreRegion(opportunity.Ref{ID: opportunity.ID(r.ID), Name: r.Name})
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

const lookupsPerRequest = 20

// groupLookups distributes names over several requests; the first request also reads the lists of
// steps, regions and currencies.
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
				last.Items = append(last.Items, administrate.ItemName{Text: text, Kind: APIKindOfIDType(name.Type)})
			}
		}
	}
	return requests
}

// The API compares names character by character, and a letter with an accent may be one character
// or two characters.
func spellings(text string) []string {
	all := []string{text}
	for _, form := range []norm.Form{norm.NFC, norm.NFD} {
		if other := form.String(text); !slices.Contains(all, other) {
			all = append(all, other)
		}
	}
	return all
}
