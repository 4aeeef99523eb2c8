package tms

import (
	"context"
	"maps"
	"slices"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/opportunity"
)

// ensureAttributes sets attributes of the record.
type ensureAttributes struct{ *Activities }

func (e ensureAttributes) inspect(ctx context.Context, in activities.EffectInput) (activities.InspectResult, error) {
	out := activities.InspectResult{Trace: in.Trace, Run: runOf(ctx)}
	if in.Effect.Attributes == nil {
		return out, nil
	}
	wanted := in.Effect.Attributes.Values
	if _, isMark := wanted[e.mark.Attribute]; isMark && e.mark.Attribute != "" {
		out.Error = opportunity.Invalidf("the attribute %s is the mark by which the record is found again; a playbook must not set it", e.mark.Attribute)
		return out, nil
	}
	ties, err := e.api.Ties(ctx, string(in.Opportunity))
	if err != nil {
		return out, reading(err)
	}
	now := make(map[string]string, len(ties.Attributes))
	for _, attribute := range ties.Attributes {
		now[attribute.Key] = attribute.Value
	}
	missing := make(map[string]string)
	if in.Undo {
		// A value that somebody has changed since stays.
		for key, before := range in.Trace.Values {
			if ours, set := wanted[key]; set && now[key] == ours && ours != before {
				missing[key] = before
			}
		}
	} else {
		before := maps.Clone(in.Trace.Values)
		if before == nil {
			before = make(map[string]string)
		}
		for key, value := range wanted {
			if now[key] == value {
				continue
			}
			missing[key] = value
			if _, known := before[key]; !known {
				before[key] = now[key]
			}
		}
		if len(missing) > 0 {
			out.Trace.Values = before
		}
	}
	if len(missing) > 0 {
		out.Act = &opportunity.Act{Kind: opportunity.ActSetAttributes, Values: missing}
	}
	return out, nil
}

// carryOut sets the attributes in one request. It is assumed that attributes outside the
// request stay unchanged.
func (e ensureAttributes) carryOut(ctx context.Context, in activities.EffectInput) (activities.CarryOutResult, error) {
	if run, other := anotherRun(ctx, in.Run); other {
		return activities.CarryOutResult{Sending: reset(run)}, nil
	}
	change := administrate.UpdateOpportunity{ID: string(in.Opportunity)}
	for _, key := range slices.Sorted(maps.Keys(in.Act.Values)) {
		change.Attributes = append(change.Attributes, administrate.Attribute{Key: key, Value: in.Act.Values[key]})
	}
	_, err := e.api.UpdateOpportunity(e.inTime(ctx), change)
	return activities.CarryOutResult{Sending: sending(err), Trace: in.Trace}, nil
}
