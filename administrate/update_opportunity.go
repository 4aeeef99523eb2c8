package administrate

import (
	"context"
)

// UpdateOpportunity changes an opportunity; an empty member changes nothing.
type UpdateOpportunity struct {
	ID         string
	AccountID  string
	NoAccount  bool        // removes the account from the record; assumed: see Assumptions.ClearAccount
	Currency   string      // the currency code alone, such as USD
	Name       string      // assumed: see Assumptions.UpdateName
	OwnerID    string      // the id of a User; assumed: see Assumptions.UpdateOwner
	ContactID  string      // assumed: see Assumptions.UpdateContact
	Attributes []Attribute // assumed: see Assumptions.UpdateAttributes
	Full       bool        // also return the attributes and the first 100 interests
}

// UpdateOpportunity sends one mutation update and returns the record after the update.
func (c *Client) UpdateOpportunity(ctx context.Context, u UpdateOpportunity) (Opportunity, error) {
	return applyOne(ctx, c, u)
}

func (u UpdateOpportunity) build(b *builder) opportunityMutation {
	b.location += ": UpdateOpportunity"
	var in object
	in.set("id", b.bindRequired("ID", "id", "ID", u.ID))
	if u.AccountID != "" {
		in.set("accountId", b.bindText("AccountID", "accountId", "ID", u.AccountID))
	}
	switch {
	case u.NoAccount && u.AccountID != "":
		b.invalid("NoAccount", "NoAccount and AccountID exclude each other; set only one of the two")
	case u.NoAccount && b.assumed.ClearAccount == Off:
		b.invalid("NoAccount", "the account cannot be removed, because the assumption ClearAccount is switched off")
	case u.NoAccount:
		in.set(string(b.assumed.ClearAccount), "null")
	}
	if u.Currency != "" {
		in.set("financialUnitId", b.literal("Currency", u.Currency))
	}
	if u.Name != "" {
		if b.assumed.UpdateName == Off {
			b.invalid("Name", "the name cannot be changed, because the assumption UpdateName is switched off")
		}
		in.set(string(b.assumed.UpdateName), b.bindText("Name", "name", "String", u.Name))
	}
	for _, person := range []struct {
		member, id, entry string
		name              SchemaName
	}{
		{"OwnerID", u.OwnerID, "UpdateOwner", b.assumed.UpdateOwner},
		{"ContactID", u.ContactID, "UpdateContact", b.assumed.UpdateContact},
	} {
		if person.id == "" {
			continue
		}
		if person.name == Off {
			b.invalid(person.member, "the value cannot be changed, because the assumption "+person.entry+" is switched off")
		}
		in.set(string(person.name), b.bindText(person.member, "person", "ID", person.id))
	}
	writeAttributes(b, &in, b.assumed.UpdateAttributes, u.Attributes)
	if len(in) == 1 {
		b.invalid("ID", "the update changes nothing; give at least one member besides ID")
	}
	return opportunityMutation{
		field: "update", input: in,
		selection: "opportunity { " + b.assumed.selectResult(u.Full) + " }", resultKey: memberOpportunity,
	}
}
