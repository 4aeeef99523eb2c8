package lifecycle

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/oppflow/oppflow/opportunity"
)

// Tenant is the data that distinguishes a tenant of the TMS from others. The address of the API
// does not distinguish tenants, because one host serves many tenants.
type Tenant struct {
	// ClientID is the OAuth client whose tokens reach the tenant; "" where the settings give
	// a token instead.
	ClientID string `json:"clientId,omitempty"`
	// Regions, Steps and Currencies are the lists of the tenant, at most 100 rows of each. A
	// currency has its code as its id.
	Regions    []opportunity.Ref `json:"regions,omitempty"`
	Steps      []opportunity.Ref `json:"steps,omitempty"`
	Currencies []opportunity.Ref `json:"currencies,omitempty"`
}

// IsZero reports whether the tenant has no data that distinguishes it.
func (t Tenant) IsZero() bool {
	return t.ClientID == "" && len(t.Regions)+len(t.Steps)+len(t.Currencies) == 0
}

// tenantList is one list of a tenant with its noun.
type tenantList struct {
	noun string
	rows []opportunity.Ref
}

func (t Tenant) lists() []tenantList {
	return []tenantList{{"regions", t.Regions}, {"steps", t.Steps}, {"currencies", t.Currencies}}
}

// Difference returns why other is another tenant than t, or "" when both are the same tenant.
// Tenants differ when their OAuth clients differ. Tenants also differ when fewer than half of the
// rows of a list of t are in the same list of other, with equal id and equal name. The limit is
// half for two reasons: a tenant changes some rows, and different tenants may have some equal rows.
// Data that only one of the two has is not compared. If there is nothing to compare, the tenants
// differ.
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

// MergedWith returns t with the new data of other, which is the same tenant.
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

// String describes the tenant in a few words: its OAuth client and its regions, or its
// steps where no region is known.
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

// maxShownNames is how many names a text shows.
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

// NamespaceState is the state that the workflow of a namespace keeps, and the argument that starts
// this workflow.
type NamespaceState struct {
	// Tenant is the tenant that the namespace belongs to; nil until the namespace is bound to a
	// tenant.
	Tenant *Tenant `json:"tenant,omitempty"`
	// BoundAt is when the namespace was bound to the tenant.
	BoundAt time.Time `json:"tiedAt,omitzero"`
	// Records are some records that Oppflow created in the tenant after BoundAt: the first reported
	// record and the latest reported records.
	Records []CreatedRecord `json:"records,omitempty"`
	// Recovery is the last recovery; nil before Temporal's database was restored.
	Recovery *Recovery `json:"recovery,omitempty"`
	// Playbooks are the versions of the playbook.
	Playbooks PlaybookVersions `json:"playbooks,omitempty"`
	// WorkerJoined says that a worker started to work before there was a playbook.
	WorkerJoined bool `json:"working,omitempty"`
}

// Recovery says that Temporal's database was restored.
type Recovery struct {
	// Epoch distinguishes the recovery from all others. It is random.
	Epoch string `json:"epoch"`
	// Backup is when the restored backup was made.
	Backup time.Time `json:"backup"`
}

// Recover records that Temporal's database was restored.
func (s *NamespaceState) Recover(r Recovery) {
	if r.Epoch != "" {
		s.Recovery = &r
	}
}

// Epoch returns the epoch of the last recovery; "" before the first one.
func (s NamespaceState) Epoch() string {
	if s.Recovery == nil {
		return ""
	}
	return s.Recovery.Epoch
}

// CreatedRecord is a record that Oppflow created and that has a reference tag.
type CreatedRecord struct {
	ID        opportunity.ID        `json:"id"`
	Reference opportunity.Reference `json:"reference"`
	// BoundAt is NamespaceState.BoundAt at the time when the record was created.
	BoundAt time.Time `json:"tiedAt"`
}

// maxCreatedRecords is how many records a namespace keeps.
const maxCreatedRecords = 5

// AddRecord stores the record, unless the record was created before the namespace was bound again.
func (s *NamespaceState) AddRecord(record CreatedRecord) {
	known := slices.ContainsFunc(s.Records, func(r CreatedRecord) bool { return r.ID == record.ID })
	if record.ID == "" || known || s.Tenant == nil || !record.BoundAt.Equal(s.BoundAt) {
		return
	}
	if s.Records = append(slices.Clone(s.Records), record); len(s.Records) > maxCreatedRecords {
		s.Records = slices.Delete(s.Records, 1, 2)
	}
}

// Bind binds the namespace to the tenant at the time. When the tenant stays the same, BoundAt stays
// the time of the first binding. Bind returns a Conflict when the namespace belongs to another
// tenant.
func (s *NamespaceState) Bind(tenant Tenant, now time.Time) error {
	if err := s.CheckBind(tenant); err != nil {
		return err
	}
	if s.Tenant == nil {
		s.Rebind(tenant, now)
		return nil
	}
	updated := s.Tenant.MergedWith(tenant)
	s.Tenant = &updated
	return nil
}

// CheckBind returns why Bind would reject the tenant.
func (s *NamespaceState) CheckBind(tenant Tenant) error {
	if tenant.IsZero() {
		return opportunity.Invalidf("nothing identifies the tenant; give an OAuth client, regions, steps or currencies")
	}
	if s.Tenant == nil {
		return nil
	}
	if difference := s.Tenant.Difference(tenant); difference != "" {
		return opportunity.Failf(opportunity.Conflict, "the namespace belongs to another tenant: %s", difference)
	}
	return nil
}

// Rebind binds the namespace to the tenant, even when it belonged to another tenant.
func (s *NamespaceState) Rebind(tenant Tenant, now time.Time) {
	s.Tenant, s.BoundAt, s.Records = &tenant, now, nil
}
