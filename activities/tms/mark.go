package tms

import (
	"context"
	"slices"
	"strings"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/opportunity"
)

// Mark says how a record in the TMS carries the caller's reference. By the mark the
// worker finds a record whose create got no answer. The zero value carries no mark.
type Mark struct {
	// Attribute is the key of the custom attribute that holds the reference.
	Attribute string
	// Name puts the reference behind the opportunity's name, in brackets.
	Name bool
}

// none reports whether records carry no mark.
func (m Mark) none() bool { return m.Attribute == "" && !m.Name }

// attributes returns the attributes of a new record.
func (m Mark) attributes(reference opportunity.Reference) []administrate.Attribute {
	if m.Attribute == "" {
		return nil
	}
	return []administrate.Attribute{{Key: m.Attribute, Value: string(reference)}}
}

// written returns the name with the mark, as the TMS stores it.
func (m Mark) written(name string, reference opportunity.Reference) string {
	if !m.Name || name == "" {
		return name
	}
	return name + suffix(reference)
}

// read returns the name without the mark.
func (m Mark) read(name string, reference opportunity.Reference) string {
	if !m.Name {
		return name
	}
	return strings.TrimSuffix(name, suffix(reference))
}

// suffix returns the mark in a name. Brackets of the reference itself are escaped, or the
// mark of "b] [x" would end like the mark of "x".
func suffix(reference opportunity.Reference) string {
	return " [" + strings.NewReplacer("%", "%25", "[", "%5B", "]", "%5D").Replace(string(reference)) + "]"
}

// carriedBy reports whether the record carries the reference.
func (m Mark) carriedBy(record administrate.Opportunity, reference opportunity.Reference) bool {
	if m.Name {
		return strings.HasSuffix(record.Name, suffix(reference))
	}
	for _, attribute := range record.Attributes {
		if attribute.Key == m.Attribute && attribute.Value == string(reference) {
			return true
		}
	}
	return false
}

// Reference returns the reference that the record carries; false where it carries none. A
// name that ends in brackets counts as marked.
func (m Mark) Reference(record administrate.Opportunity) (opportunity.Reference, bool) {
	if m.Name {
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

// Carries reports whether the record carries the reference, in any of the ways in which a
// worker can write it.
func Carries(record administrate.Opportunity, reference opportunity.Reference) bool {
	return strings.HasSuffix(record.Name, suffix(reference)) ||
		slices.ContainsFunc(record.Attributes, func(a administrate.Attribute) bool { return a.Value == string(reference) })
}

// owner returns whose mark the record carries. A name that ends in brackets counts as
// marked, since a mark and a name that looks like a mark are equal.
func (m Mark) owner(record administrate.Opportunity, reference opportunity.Reference) activities.Owner {
	if m.none() {
		return activities.OwnerUntold
	}
	if m.carriedBy(record, reference) {
		return activities.OwnerUs
	}
	if m.Name && strings.HasSuffix(record.Name, "]") && strings.Contains(record.Name, " [") {
		return activities.OwnerOther
	}
	for _, attribute := range record.Attributes {
		if !m.Name && attribute.Key == m.Attribute && attribute.Value != "" {
			return activities.OwnerOther
		}
	}
	return activities.OwnerNobody
}

// foreign reports whether the record certainly carries the mark of another reference.
func (m Mark) foreign(record administrate.Opportunity, reference opportunity.Reference) bool {
	return !m.Name && m.owner(record, reference) == activities.OwnerOther
}

// MarkOpportunity puts the reference's mark on a record, in one request. It is assumed
// that attributes outside the request stay unchanged.
func (a *Activities) MarkOpportunity(ctx context.Context, in activities.MarkInput) (activities.Sending, error) {
	if why := a.takenOver(ctx, in); why != nil {
		return *why, nil
	}
	change := administrate.UpdateOpportunity{ID: string(in.Opportunity), Attributes: a.mark.attributes(in.Reference)}
	if a.mark.Name {
		change.Name = a.mark.written(in.Name, in.Reference)
	}
	_, err := a.api.UpdateOpportunity(a.inTime(ctx), change)
	return sending(err), nil
}
