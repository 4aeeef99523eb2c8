package tms

import (
	"context"
	"maps"
	"slices"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms/runs"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

type attributesHandler struct{ *Activities }

func (h effectHandlers) Attributes() effectHandler { return attributesHandler{h.activities} }

func (e attributesHandler) inspect(ctx context.Context, in activities.EffectInput) (activities.InspectResult, error) {
	out := activities.InspectResult{UndoEntry: in.UndoEntry, RunID: runs.CurrentID(ctx)}
	settings := settingsOf[exchange.EnsureAttributes](in)
	if settings == nil {
		return out, nil
	}
	wanted := settings.Values
	if _, isMark := wanted[e.referenceTag.Attribute]; isMark && e.referenceTag.Attribute != "" {
		out.Error = opportunity.Invalidf("the attribute %s contains the reference tag; a playbook must not set this attribute", e.referenceTag.Attribute)
		return out, nil
	}
	links, err := e.api.OpportunityLinks(ctx, string(in.Opportunity))
	if err != nil {
		return out, readError(err)
	}
	now := make(map[string]string, len(links.Attributes))
	for _, attribute := range links.Attributes {
		now[attribute.Key] = attribute.Value
	}
	missing := make(map[string]string)
	if in.Undo {
		// The undo of the effect keeps a value that somebody changed after the effect.
		for key, before := range originalAttributes(in.UndoEntry) {
			if ours, set := wanted[key]; set && now[key] == ours && ours != before {
				missing[key] = before
			}
		}
	} else {
		before := maps.Clone(originalAttributes(in.UndoEntry))
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
			out.UndoEntry.Attributes, out.UndoEntry.Notes = before, nil
		}
	}
	if len(missing) > 0 {
		out.Request = &exchange.EffectRequest{Kind: exchange.RequestSetAttributes, Values: missing}
	}
	return out, nil
}

// originalAttributes returns the attributes as they were before the effect. Earlier versions of
// Oppflow stored the original attributes in the notes.
func originalAttributes(entry exchange.UndoEntry) map[string]string {
	if entry.Attributes != nil {
		return entry.Attributes
	}
	return entry.Notes
}

// The worker assumes that the API keeps attributes that are not in the request.
func (e attributesHandler) execute(ctx context.Context, in activities.EffectInput) (activities.ExecuteResult, error) {
	if run, other := runs.DetectReset(ctx, in.RunID); other {
		return activities.ExecuteResult{CallResult: runs.ResetResult(run)}, nil
	}
	change := administrate.UpdateOpportunity{ID: string(in.Opportunity)}
	for _, key := range slices.Sorted(maps.Keys(in.Request.Values)) {
		change.Attributes = append(change.Attributes, administrate.Attribute{Key: key, Value: in.Request.Values[key]})
	}
	_, err := e.api.UpdateOpportunity(e.withSendDeadline(ctx), change)
	return activities.ExecuteResult{CallResult: callResult(err), UndoEntry: in.UndoEntry}, nil
}
