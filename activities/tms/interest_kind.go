package tms

import (
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/opportunity"
)

// apiKind returns the API's kind for a kind of interests; "" for an unknown kind.
func apiKind(kind opportunity.InterestKind) administrate.Kind {
	info, known := kind.Info()
	if !known {
		return ""
	}
	return administrate.KindOfSchemaType(info.SchemaType)
}

// apiKindOfIDType returns the API's kind of the items whose ids have the type typ; "" if no item
// has ids of this type.
func apiKindOfIDType(typ string) administrate.Kind {
	kind, _ := opportunity.KindOfIDType(typ)
	return apiKind(kind)
}
