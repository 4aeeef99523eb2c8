package lifecycle

import (
	"slices"
	"time"

	"github.com/oppflow/oppflow/opportunity"
)

// NamespaceState is the input and the state of the workflow of a namespace.
type NamespaceState struct {
	// Tenant is the tenant to which the namespace belongs, or nil while the namespace belongs to no
	// tenant.
	Tenant *Tenant `json:"tenant,omitempty"`
	// BoundAt is the time at which the namespace was bound to the tenant.
	BoundAt time.Time `json:"tiedAt,omitzero"`
	// Records are some of the records that Oppflow created in the tenant's TMS after BoundAt: the
	// first reported record and the latest reported records.
	Records []CreatedRecord `json:"records,omitempty"`
	// Recovery describes the latest restore of Temporal's database, or is nil when there was no
	// restore.
	Recovery *Recovery `json:"recovery,omitempty"`
	// Encryption says with which keys the namespace's payloads are encrypted, or is nil when no worker
	// has encrypted payloads. A namespace that is encrypted once stays encrypted.
	Encryption *NamespaceEncryption `json:"encryption,omitempty"`
	Playbooks  PlaybookVersions     `json:"playbooks,omitempty"`
	// WorkerJoined says that a worker started to work while the namespace had no playbook.
	WorkerJoined bool `json:"working,omitempty"`
}

// Recovery describes a restore of Temporal's database.
type Recovery struct {
	// Epoch identifies the epoch that begins with this restore. Epoch is a random text.
	Epoch string `json:"epoch"`
	// Backup is the time at which the restored backup was made.
	Backup time.Time `json:"backup"`
}

// Recover stores that Temporal's database was restored.
func (s *NamespaceState) Recover(r Recovery) {
	if r.Epoch != "" {
		s.Recovery = &r
	}
}

// Epoch returns the epoch since the latest restore, or "" when there was no restore.
func (s NamespaceState) Epoch() string {
	if s.Recovery == nil {
		return ""
	}
	return s.Recovery.Epoch
}

// CreatedRecord is a record that Oppflow created with a reference tag.
type CreatedRecord struct {
	ID        opportunity.ID        `json:"id"`
	Reference opportunity.Reference `json:"reference"`
	// BoundAt is the value that NamespaceState.BoundAt had when the record was created.
	BoundAt time.Time `json:"tiedAt"`
}

const maxCreatedRecords = 5

// AddRecord stores the record. AddRecord ignores a record that was created before the namespace was
// bound to its present tenant.
func (s *NamespaceState) AddRecord(record CreatedRecord) {
	known := slices.ContainsFunc(s.Records, func(r CreatedRecord) bool { return r.ID == record.ID })
	if record.ID == "" || known || s.Tenant == nil || !record.BoundAt.Equal(s.BoundAt) {
		return
	}
	if s.Records = append(slices.Clone(s.Records), record); len(s.Records) > maxCreatedRecords {
		s.Records = slices.Delete(s.Records, 1, 2)
	}
}

// Bind binds the namespace to the tenant, and stores now as the time of the binding. If the
// namespace already belongs to the tenant, BoundAt stays unchanged. Bind returns the error Conflict
// when the namespace belongs to another tenant.
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

// CheckBind returns the error that Bind would return for the tenant.
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

// Rebind binds the namespace to the tenant, even if the namespace belongs to another tenant.
func (s *NamespaceState) Rebind(tenant Tenant, now time.Time) {
	s.Tenant, s.BoundAt, s.Records = &tenant, now, nil
}
