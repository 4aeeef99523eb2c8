package administrate

import (
	"context"

	"github.com/oppflow/oppflow/administrate/transport"
)

// CustomField is a custom field that the tenant has defined (observed, API notes 3.6).
type CustomField struct {
	Key   string `json:"key"` // the definitionKey of an attribute
	Label string `json:"label"`
}

// OpportunityFields reads the definitions of the attributes of opportunities (assumed: see
// Assumptions.FieldsType).
func (c *Client) OpportunityFields(ctx context.Context) ([]CustomField, error) {
	const name = "OpportunityFields"
	b := newBuilder(&c.assumed)
	if c.assumed.FieldsType == Off {
		b.invalid("FieldsType", "custom fields cannot be read, because the assumption FieldsType is switched off")
	}
	b.root("template: customFieldTemplate(type: %s) { customFieldDefinitions { key label } }", c.assumed.FieldsType)
	doc, err := b.document("query", name)
	if err != nil {
		return nil, err
	}
	var got struct {
		Template struct {
			Fields []CustomField `json:"customFieldDefinitions"`
		} `json:"template"`
	}
	if err := c.Read(ctx, doc, &got); err != nil {
		return nil, err
	}
	for _, field := range got.Template.Fields {
		if requireID(field.Key) != nil {
			return nil, transport.MalformedResponse(name)
		}
	}
	return got.Template.Fields, nil
}
