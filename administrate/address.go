package administrate

import (
	"fmt"
)

// AddressUsage says what a postal address of an account is for.
type AddressUsage string

// The usages that were observed (5.1).
const (
	DefaultAddress  AddressUsage = "default"
	BillingAddress  AddressUsage = "billing"
	ShippingAddress AddressUsage = "shipping"
)

// Address is a postal address of an account. The members are observed (5.1); the request leaves
// out empty members.
type Address struct {
	Usage         AddressUsage
	Lines         []string
	Town          string
	Region        string
	Postcode      string
	CountryID     string
	ProvinceCode  string
	ContactPerson string
}

// write returns the address as a value for a variable.
func (a Address) write(b *builder, i int) map[string]any {
	member := func(name string) string { return fmt.Sprintf("Addresses[%d].%s", i, name) }
	if !isGraphQLName(string(a.Usage)) {
		b.invalid(member("Usage"), "is none of default, billing and shipping")
	}
	address := map[string]any{}
	if len(a.Lines) > 0 {
		lines := make([]any, len(a.Lines))
		for n, line := range a.Lines {
			lines[n] = b.utf8Text(member(fmt.Sprintf("Lines[%d]", n)), line)
		}
		address["lines"] = lines
	}
	for _, m := range []struct{ member, name, value string }{
		{"Town", "town", a.Town},
		{"Region", "region", a.Region},
		{"Postcode", "postcode", a.Postcode},
		{"CountryID", "countryId", a.CountryID},
		{"ProvinceCode", "provinceCode", a.ProvinceCode},
		{"ContactPerson", "contactPerson", a.ContactPerson},
	} {
		if m.value != "" {
			address[m.name] = b.utf8Text(member(m.member), m.value)
		}
	}
	if len(address) == 0 {
		b.invalid(member("Lines"), "and all others are empty; give at least one")
	}
	return map[string]any{"usage": string(a.Usage), "address": address}
}
