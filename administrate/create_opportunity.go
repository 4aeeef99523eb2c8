package administrate

import (
	"context"
)

// NewOpportunity asks for a new record. The API documentation shows name and region. That
// the API accepts account, currency and entry step is observed.
type NewOpportunity struct {
	Name        string
	RegionID    string
	AccountID   string      // optional
	Currency    string      // optional, the bare code
	EntryStepID string      // optional; without it the tenant's entry step
	Attributes  []Attribute // optional (assumed: see Assumptions.CreateAttributes)
}

// CreateOpportunity makes a record and returns the new record with all members except
// Attributes and interests.
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
