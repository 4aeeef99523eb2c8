package tms

import (
	"context"
	"slices"
	"strings"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/opportunity"
)

// ReferenceTag says in which part of a record in the TMS the worker writes the caller's reference.
// The worker uses the tag to find a record whose create request got no response. If ReferenceTag is
// the zero value, the worker writes no tag.
type ReferenceTag struct {
	// Attribute is the key of the custom attribute in which the worker writes the reference.
	Attribute string
	// InName says that the worker adds the reference in brackets to the end of the opportunity's
	// name.
	InName bool
}

func (m ReferenceTag) isDisabled() bool { return m.Attribute == "" && !m.InName }

func (m ReferenceTag) attributes(reference opportunity.Reference) []administrate.Attribute {
	if m.Attribute == "" {
		return nil
	}
	return []administrate.Attribute{{Key: m.Attribute, Value: string(reference)}}
}

func (m ReferenceTag) addToName(name string, reference opportunity.Reference) string {
	if !m.InName || name == "" {
		return name
	}
	return name + nameSuffix(reference)
}

func (m ReferenceTag) stripFromName(name string, reference opportunity.Reference) string {
	if !m.InName {
		return name
	}
	return strings.TrimSuffix(name, nameSuffix(reference))
}

// nameSuffix escapes brackets that are part of the reference. Without the escapes, a name with the
// tag of the reference "b] [x" would end like a name with the tag of the reference "x".
func nameSuffix(reference opportunity.Reference) string {
	return " [" + strings.NewReplacer("%", "%25", "[", "%5B", "]", "%5D").Replace(string(reference)) + "]"
}

func (m ReferenceTag) isOn(record administrate.Opportunity, reference opportunity.Reference) bool {
	if m.InName {
		return strings.HasSuffix(record.Name, nameSuffix(reference))
	}
	for _, attribute := range record.Attributes {
		if attribute.Key == m.Attribute && attribute.Value == string(reference) {
			return true
		}
	}
	return false
}

// Reference returns the reference in the record's tag, or false if the record has no tag. Reference
// treats every name that ends in brackets as a name with a tag.
func (m ReferenceTag) Reference(record administrate.Opportunity) (opportunity.Reference, bool) {
	if m.InName {
		begin := strings.LastIndex(record.Name, " [")
		if begin < 0 || !strings.HasSuffix(record.Name, "]") {
			return "", false
		}
		written := record.Name[begin+len(" [") : len(record.Name)-len("]")]
		return opportunity.Reference(strings.NewReplacer("%5B", "[", "%5D", "]", "%25", "%").Replace(written)), written != ""
	}
	for _, attribute := range record.Attributes {
		if m.Attribute != "" && attribute.Key == m.Attribute && attribute.Value != "" {
			return opportunity.Reference(attribute.Value), true
		}
	}
	return "", false
}

// IsTagged reports whether the record has the tag of the reference, in any of the forms that a
// worker can write.
func IsTagged(record administrate.Opportunity, reference opportunity.Reference) bool {
	return strings.HasSuffix(record.Name, nameSuffix(reference)) ||
		slices.ContainsFunc(record.Attributes, func(a administrate.Attribute) bool { return a.Value == string(reference) })
}

// tagOwner treats every name that ends in brackets as a name with a tag, because a tag looks like
// any other text in brackets.
func (m ReferenceTag) tagOwner(record administrate.Opportunity, reference opportunity.Reference) activities.TagOwner {
	if m.isDisabled() {
		return activities.TagOwnerUnknown
	}
	if m.isOn(record, reference) {
		return activities.TagOwnerThis
	}
	if m.InName && strings.HasSuffix(record.Name, "]") && strings.Contains(record.Name, " [") {
		return activities.TagOwnerOther
	}
	for _, attribute := range record.Attributes {
		if !m.InName && attribute.Key == m.Attribute && attribute.Value != "" {
			return activities.TagOwnerOther
		}
	}
	return activities.TagOwnerNone
}

// isTaggedByOther reports whether the record certainly has a tag with a reference other than the
// given reference.
func (m ReferenceTag) isTaggedByOther(record administrate.Opportunity, reference opportunity.Reference) bool {
	return !m.InName && m.tagOwner(record, reference) == activities.TagOwnerOther
}

// TagOpportunity puts the reference tag on a record, in one request. The worker assumes that the
// API keeps attributes that are not in the request.
func (a *Activities) TagOpportunity(ctx context.Context, in activities.TagInput) (activities.CallResult, error) {
	if why := a.adoptionConflict(ctx, in); why != nil {
		return *why, nil
	}
	change := administrate.UpdateOpportunity{ID: string(in.Opportunity), Attributes: a.referenceTag.attributes(in.Reference)}
	if a.referenceTag.InName {
		change.Name = a.referenceTag.addToName(in.Name, in.Reference)
	}
	_, err := a.api.UpdateOpportunity(a.withSendDeadline(ctx), change)
	return callResult(err), nil
}
