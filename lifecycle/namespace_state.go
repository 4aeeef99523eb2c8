package lifecycle

import (
	"slices"
	"time"

	"github.com/oppflow/oppflow/opportunity"
)

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
