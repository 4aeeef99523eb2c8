package tms

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms/people"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

const maxNamedEvents = 3

// rejectedEvents returns a text that names the events of a rejected request, and that says why an
// event may accept no learner. The API's reason for the rejection does not name the event.
// rejectedEvents returns "" for a request that was not rejected or is not about events.
func (a *Activities) rejectedEvents(ctx context.Context, in activities.EffectInput, result activities.CallResult) string {
	if !a.isRejectedByAPI(result.Status, result.Error) {
		return ""
	}
	ids := requestedEvents(in)
	if len(ids) == 0 {
		return ""
	}
	named := ids[:min(len(ids), maxNamedEvents)]
	texts := a.describeEvents(ctx, named, in.Request.Kind)
	all := make([]string, 0, len(named)+1)
	for _, id := range named {
		all = append(all, texts[id])
	}
	if more := len(ids) - len(named); more > 0 {
		all = append(all, fmt.Sprintf("%d more", more))
	}
	return strings.Join(all, " and ")
}

func (a *Activities) describeEvents(ctx context.Context, named []opportunity.ID, kind exchange.EffectRequestKind) map[opportunity.ID]string {
	texts := make(map[opportunity.ID]string, len(named))
	var ids []opportunity.ID
	for _, id := range named {
		texts[id] = fmt.Sprintf("event %q", id)
		if id.Type() == opportunity.TypeEvent {
			texts[id], ids = "event "+string(id), append(ids, id)
		}
	}
	if len(ids) == 0 {
		return texts
	}
	ctx, cancel := a.withSideReadTimeout(ctx)
	defer cancel()
	events, err := a.api.Events(ctx, people.IDStrings(ids))
	if err != nil {
		return texts
	}
	for _, event := range events {
		text := fmt.Sprintf("event %q (%s)", event.Title, event.ID)
		switch {
		case event.Cancelled:
			text += ", which is cancelled"
		case !event.Active:
			text += ", which is not active"
		case kind != exchange.RequestCancelLearner && event.RemainingPlaces != nil && *event.RemainingPlaces <= 0:
			text += ", which has no free place"
		}
		texts[opportunity.ID(event.ID)] = text
	}
	return texts
}

func requestedEvents(in activities.EffectInput) []opportunity.ID {
	var events []opportunity.ID
	add := func(id opportunity.ID) {
		if id != "" && !slices.Contains(events, id) {
			events = append(events, id)
		}
	}
	switch request := in.Request; request.Kind {
	case exchange.RequestRegister:
		add(request.Target)
	case exchange.RequestCancelLearner, exchange.RequestReinstateLearner:
		for _, object := range in.UndoEntry.Objects {
			if object.ID == request.Target {
				add(object.Event)
			}
		}
	case exchange.RequestReserve:
		for _, held := range in.Interests {
			if slices.Contains(request.IDs, held.ID) {
				add(opportunity.ID(held.Item))
			}
		}
	}
	return events
}
