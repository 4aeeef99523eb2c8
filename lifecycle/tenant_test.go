package lifecycle_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

// rows returns a list with the given names and with ids that count up from 1.
func rows(names ...string) []opportunity.Ref {
	var all []opportunity.Ref
	for n, name := range names {
		all = append(all, opportunity.Ref{ID: opportunity.ID(fmt.Sprint(n + 1)), Name: name})
	}
	return all
}

// Difference distinguishes two tenants by any data that both tenants have. A tenant that changed
// only some of its data counts as the same tenant.
func TestTenantsAreDistinguished(t *testing.T) {
	known := lifecycle.Tenant{
		ClientID: "web-shop", Regions: rows("UK", "USA"), Steps: rows("Lead", "Open", "Won", "Lost"), Currencies: rows("GBP", "USD"),
	}
	changed := func(change func(*lifecycle.Tenant)) lifecycle.Tenant {
		other := known
		change(&other)
		return other
	}
	for name, c := range map[string]struct {
		known, other lifecycle.Tenant
		says         []string // no words: the same tenant
	}{
		"the same":              {known, known, nil},
		"a region more":         {known, changed(func(o *lifecycle.Tenant) { o.Regions = rows("UK", "USA", "India") }), nil},
		"a region less":         {known, changed(func(o *lifecycle.Tenant) { o.Regions = rows("UK") }), nil},
		"a step renamed":        {known, changed(func(o *lifecycle.Tenant) { o.Steps = rows("Lead", "Open", "Gewonnen", "Lost") }), nil},
		"another order":         {known, changed(func(o *lifecycle.Tenant) { o.Steps = []opportunity.Ref{o.Steps[3], o.Steps[0], o.Steps[2]} }), nil},
		"a token instead":       {known, changed(func(o *lifecycle.Tenant) { o.ClientID = "" }), nil},
		"regions are not known": {known, changed(func(o *lifecycle.Tenant) { o.Regions = nil }), nil},
		"a client is new":       {changed(func(o *lifecycle.Tenant) { o.ClientID = "" }), known, nil},
		"another client":        {known, changed(func(o *lifecycle.Tenant) { o.ClientID = "intranet" }), []string{"OAuth client", "intranet", "the other tenant has the OAuth client web-shop"}},
		"the client of several tenants": {
			known, changed(func(o *lifecycle.Tenant) { o.Regions = rows("Nord", "Süd") }), []string{"regions", "Nord, Süd", "the other tenant has UK, USA"},
		},
		"equal names with other ids": {known, changed(func(o *lifecycle.Tenant) { o.Regions = rows("x", "UK", "USA") }), []string{"regions"}},
		"other steps":                {known, changed(func(o *lifecycle.Tenant) { o.Steps = rows("Lead", "A", "B", "C", "D", "E") }), []string{"steps", "2 more"}},
		"other currencies":           {known, changed(func(o *lifecycle.Tenant) { o.Currencies = rows("EUR") }), []string{"currencies", "EUR"}},
		"nothing in common":          {lifecycle.Tenant{ClientID: "web-shop"}, lifecycle.Tenant{Steps: rows("Lead")}, []string{"cannot be compared"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := c.known.Difference(c.other)
			if (got == "") != (c.says == nil) {
				t.Errorf("differs: %q", got)
			}
			for _, want := range c.says {
				if !strings.Contains(got, want) {
					t.Errorf("%q does not say %q", got, want)
				}
			}
		})
	}
}

// A namespace belongs to another tenant only after an operator has bound the namespace to this
// tenant.
func TestANamespaceKeepsItsTenant(t *testing.T) {
	first, later := time.Unix(1, 0), time.Unix(2, 0)
	mine := lifecycle.Tenant{ClientID: "web-shop", Regions: rows("UK", "USA")}
	grown := lifecycle.Tenant{Regions: rows("UK", "USA", "India")}
	other := lifecycle.Tenant{Regions: rows("Nord")}
	var s lifecycle.NamespaceState
	kind := func(err error) opportunity.ErrorType {
		var own *opportunity.Error
		if errors.As(err, &own) {
			return own.Type
		}
		return ""
	}
	if err := s.Bind(lifecycle.Tenant{}, first); kind(err) != opportunity.Invalid || s.Tenant != nil {
		t.Errorf("nothing: %v, %+v", err, s)
	}
	if err := s.Bind(mine, first); err != nil || !s.Tenant.Equal(mine) || !s.BoundAt.Equal(first) {
		t.Errorf("first: %v, %+v", err, s)
	}
	if err := s.Bind(grown, later); err != nil || len(s.Tenant.Regions) != 3 || s.Tenant.ClientID != "web-shop" || !s.BoundAt.Equal(first) {
		t.Errorf("grown: %v, %+v", err, s)
	}
	if err := s.Bind(other, later); kind(err) != opportunity.Conflict || !strings.Contains(err.Error(), "Nord") || len(s.Tenant.Regions) != 3 {
		t.Errorf("other: %v, %+v", err, s)
	}
	if s.Rebind(other, later); !s.Tenant.Equal(other) || !s.BoundAt.Equal(later) {
		t.Errorf("again: %+v", s)
	}
	made := func(id opportunity.ID, tiedAt time.Time) lifecycle.CreatedRecord {
		return lifecycle.CreatedRecord{ID: id, Reference: "r-" + opportunity.Reference(id), BoundAt: tiedAt}
	}
	s.AddRecord(made("0", first)) // by a worker of the previous tenant
	for _, id := range []opportunity.ID{"1", "2", "1", "3", "4", "5", "6", "7"} {
		s.AddRecord(made(id, later))
	}
	var kept []opportunity.ID
	for _, record := range s.Records {
		kept = append(kept, record.ID)
	}
	if want := []opportunity.ID{"1", "4", "5", "6", "7"}; !slices.Equal(kept, want) {
		t.Errorf("records %v are kept; want %v", kept, want)
	}
	if s.Rebind(mine, first); len(s.Records) > 0 {
		t.Errorf("records of the tenant before are kept: %v", s.Records)
	}
}
