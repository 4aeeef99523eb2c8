package lifecycle

import (
	"fmt"
	"slices"
	"strings"

	"github.com/oppflow/oppflow/opportunity"
)

// Tenant is the data that distinguishes one tenant of the TMS from other tenants. The address of
// the API does not distinguish tenants, because one host serves many tenants.
type Tenant struct {
	// ClientID is the OAuth client whose tokens give access to the tenant. ClientID is "" when the
	// settings contain a token instead of an OAuth client.
	ClientID string `json:"clientId,omitempty"`
	// Regions, Steps and Currencies are the tenant's lists of these objects, with at most 100 rows
	// each. The id of a currency is its code.
	Regions    []opportunity.Ref `json:"regions,omitempty"`
	Steps      []opportunity.Ref `json:"steps,omitempty"`
	Currencies []opportunity.Ref `json:"currencies,omitempty"`
}

// IsZero reports whether the tenant has no data that distinguishes it.
func (t Tenant) IsZero() bool {
	return t.ClientID == "" && len(t.Regions)+len(t.Steps)+len(t.Currencies) == 0
}

type tenantList struct {
	noun string
	rows []opportunity.Ref
}

func (t Tenant) lists() []tenantList {
	return []tenantList{{"regions", t.Regions}, {"steps", t.Steps}, {"currencies", t.Currencies}}
}

// Difference returns why other is another tenant than t, or "" when both are the same tenant.
// Tenants differ when their OAuth clients differ, or when fewer than half of the rows in one list
// of t are also in the same list of other. The limit is half, because a tenant changes some rows,
// and different tenants may have some equal rows. Difference compares only data that both tenants
// have; without any data to compare, the tenants differ.
func (t Tenant) Difference(other Tenant) string {
	compared := false
	if t.ClientID != "" && other.ClientID != "" {
		if t.ClientID != other.ClientID {
			return fmt.Sprintf("the OAuth client is %s, but the other tenant has the OAuth client %s", other.ClientID, t.ClientID)
		}
		compared = true
	}
	there := other.lists()
	for n, list := range t.lists() {
		if len(list.rows) == 0 || len(there[n].rows) == 0 {
			continue
		}
		compared = true
		same := 0
		for _, row := range list.rows {
			if slices.Contains(there[n].rows, row) {
				same++
			}
		}
		if 2*same < len(list.rows) {
			return fmt.Sprintf("the %s are %s, but the other tenant has %s", list.noun, joinNames(there[n].rows), joinNames(list.rows))
		}
	}
	if !compared {
		return "the two tenants cannot be compared: a comparison needs the OAuth client, the regions, the steps or the currencies of both tenants"
	}
	return ""
}

// MergedWith returns t with the new data of other; other must describe the same tenant as t.
func (t Tenant) MergedWith(other Tenant) Tenant {
	if other.ClientID != "" {
		t.ClientID = other.ClientID
	}
	for _, list := range []struct{ known, found *[]opportunity.Ref }{
		{&t.Regions, &other.Regions}, {&t.Steps, &other.Steps}, {&t.Currencies, &other.Currencies},
	} {
		if len(*list.found) > 0 {
			*list.known = *list.found
		}
	}
	return t
}

// Equal reports whether t and other have the same data.
func (t Tenant) Equal(other Tenant) bool {
	return t.ClientID == other.ClientID && slices.EqualFunc(t.lists(), other.lists(), func(a, b tenantList) bool {
		return slices.Equal(a.rows, b.rows)
	})
}

// String describes the tenant by its OAuth client and its first list that is not empty: regions,
// steps or currencies.
func (t Tenant) String() string {
	var parts []string
	if t.ClientID != "" {
		parts = append(parts, "OAuth client "+t.ClientID)
	}
	for _, list := range t.lists() {
		if len(list.rows) > 0 {
			parts = append(parts, list.noun+" "+joinNames(list.rows))
			break
		}
	}
	return strings.Join(parts, ", ")
}

const maxShownNames = 4

func joinNames(rows []opportunity.Ref) string {
	var names []string
	for _, row := range rows[:min(len(rows), maxShownNames)] {
		name := row.Name
		if name == "" {
			name = string(row.ID)
		}
		names = append(names, name)
	}
	if more := len(rows) - maxShownNames; more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	return strings.Join(names, ", ")
}
