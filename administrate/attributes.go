package administrate

import (
	"fmt"
)

func writeAttributes(b *builder, in *object, name SchemaName, attributes []Attribute) {
	if len(attributes) == 0 {
		return
	}
	if name == Off {
		b.invalid("Attributes", "cannot be written: the assumption for them is switched off")
		return
	}
	in.set(string(name), list(b.attributes("Attributes", attributes)))
}

// attributes writes the entries of a list of {definitionKey, value}.
func (b *builder) attributes(where string, attributes []Attribute) []string {
	entries := make([]string, len(attributes))
	for i, a := range attributes {
		member := fmt.Sprintf("%s[%d]", where, i)
		if a.Key == "" {
			b.invalid(member+".Key", "is missing")
		}
		entries[i] = object{
			"definitionKey: " + b.literal(member+".Key", a.Key),
			"value: " + b.bindText(member+".Value", "value", "String", a.Value),
		}.String()
	}
	return entries
}
