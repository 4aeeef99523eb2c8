package administrate

import (
	"fmt"
)

func writeAttributes(b *builder, in *object, name SchemaName, attributes []Attribute) {
	if len(attributes) == 0 {
		return
	}
	if name == Off {
		b.invalid("Attributes", "attributes cannot be written, because the assumption CreateAttributes or UpdateAttributes is switched off")
		return
	}
	entries := make([]string, len(attributes))
	for i, a := range attributes {
		member := fmt.Sprintf("Attributes[%d]", i)
		if a.Key == "" {
			b.invalid(member+".Key", "the key of the attribute is missing")
		}
		entries[i] = object{
			"definitionKey: " + b.literal(member+".Key", a.Key),
			"value: " + b.bindText(member+".Value", "value", "String", a.Value),
		}.String()
	}
	in.set(string(name), list(entries))
}
