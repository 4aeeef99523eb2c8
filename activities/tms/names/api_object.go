package names

import (
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/opportunity"
)

// APIKind returns the API's kind for a kind of interests, or "" for an unknown kind.
func APIKind(kind opportunity.InterestKind) administrate.Kind {
	info, known := kind.Info()
	if !known {
		return ""
	}
	return administrate.KindOfSchemaType(info.SchemaType)
}

// APIKindOfIDType returns the API's kind of the items whose ids have the type typ, or "" if no item
// has ids of this type.
func APIKindOfIDType(typ string) administrate.Kind {
	kind, _ := opportunity.KindOfIDType(typ)
	return APIKind(kind)
}

// StepOf converts a step.
func StepOf(step administrate.Step) opportunity.Step {
	return opportunity.Step{
		ID: opportunity.ID(step.ID), Name: step.Name,
		Stage: opportunity.Stage{
			ID: opportunity.ID(step.Stage.ID), Name: step.Stage.Name, State: opportunity.StageState(step.Stage.State),
		},
	}
}
