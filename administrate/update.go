package administrate

import (
	"context"
)

// UpdateOpportunity changes the members that are not empty.
type UpdateOpportunity struct {
	ID         string
	AccountID  string
	Currency   string      // the bare code
	Name       string      // assumed: see Assumptions.UpdateName
	Attributes []Attribute // assumed: see Assumptions.UpdateAttributes
}

// UpdateOpportunity sends one update and answers the record like
// CreateOpportunity.
func (c *Client) UpdateOpportunity(ctx context.Context, u UpdateOpportunity) (Opportunity, error) {
	return applyOne(ctx, c, u)
}

func (u UpdateOpportunity) build(b *builder) operation {
	b.where += ": UpdateOpportunity"
	var in object
	in.set("id", b.required("ID", "id", "ID", u.ID))
	if u.AccountID != "" {
		in.set("accountId", b.text("AccountID", "accountId", "ID", u.AccountID))
	}
	if u.Currency != "" {
		in.set("financialUnitId", b.literal("Currency", u.Currency))
	}
	if u.Name != "" {
		if b.assumed.UpdateName == Off {
			b.invalid("Name", "cannot be changed: the assumption UpdateName is switched off")
		}
		in.set(string(b.assumed.UpdateName), b.text("Name", "name", "String", u.Name))
	}
	writeAttributes(b, &in, b.assumed.UpdateAttributes, u.Attributes)
	if len(in) == 1 {
		b.invalid("ID", "is all there is; give at least one member to change")
	}
	return operation{
		field: "update", input: in,
		result: "opportunity { " + selectOpportunity + " }", member: memberOpportunity,
	}
}
