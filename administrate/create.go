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

func (n NewOpportunity) build(b *builder) operation {
	b.where += ": NewOpportunity"
	var in object
	in.set("name", b.required("Name", "name", "String", n.Name))
	in.set("regionId", b.required("RegionID", "regionId", "ID", n.RegionID))
	if n.AccountID != "" {
		in.set("accountId", b.text("AccountID", "accountId", "ID", n.AccountID))
	}
	if n.Currency != "" {
		in.set("financialUnitId", b.literal("Currency", n.Currency))
	}
	if n.EntryStepID != "" {
		in.set("entryStepId", b.text("EntryStepID", "entryStepId", "ID", n.EntryStepID))
	}
	writeAttributes(b, &in, b.assumed.CreateAttributes, n.Attributes)
	return operation{
		field: "create", input: in,
		result: "opportunity { " + selectOpportunity + " }", member: memberOpportunity,
	}
}
