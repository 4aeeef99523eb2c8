package administrate

import (
	"context"
)

// NewOpportunity describes a record to create. Name and region are documented. The members Account,
// Currency and EntryStep are observed.
type NewOpportunity struct {
	Name        string
	RegionID    string
	AccountID   string      // optional
	Currency    string      // optional, the bare code
	EntryStepID string      // optional; when empty, the API uses the tenant's entry step
	Attributes  []Attribute // optional (assumed: see Assumptions.CreateAttributes)
}

// CreateOpportunity creates a record and returns the new record. The returned Opportunity contains
// all members except attributes, interests and UpdatedAt.
func (c *Client) CreateOpportunity(ctx context.Context, n NewOpportunity) (Opportunity, error) {
	return applyOne(ctx, c, n)
}

func (n NewOpportunity) build(b *builder) opportunityMutation {
	b.location += ": NewOpportunity"
	var in object
	in.set("name", b.bindRequired("Name", "name", "String", n.Name))
	in.set("regionId", b.bindRequired("RegionID", "regionId", "ID", n.RegionID))
	if n.AccountID != "" {
		in.set("accountId", b.bindText("AccountID", "accountId", "ID", n.AccountID))
	}
	if n.Currency != "" {
		in.set("financialUnitId", b.literal("Currency", n.Currency))
	}
	if n.EntryStepID != "" {
		in.set("entryStepId", b.bindText("EntryStepID", "entryStepId", "ID", n.EntryStepID))
	}
	writeAttributes(b, &in, b.assumed.CreateAttributes, n.Attributes)
	return opportunityMutation{
		field: "create", input: in,
		selection: "opportunity { " + selectOpportunity + " }", resultKey: memberOpportunity,
	}
}
