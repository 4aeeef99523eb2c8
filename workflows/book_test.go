package workflows_test

import (
	"context"
	"strings"

	"go.temporal.io/sdk/temporal"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/opportunity"
)

// book is a playbook as these tests imagine it, with the results of its effects.
type book struct {
	has  activities.Rules
	plan func(in activities.PlanInput) opportunity.Plan
	// things are what effects ensure, by the names of the effects in the plan.
	things map[string]*thing
	plans  int
	// events are the API's news of the events, out the occasion for which the API does not answer.
	events []activities.EventNews
	out    opportunity.OccasionKind
	// acts counts the requests of effects; lost decides for the nth request whether its answer is
	// lost, and whether the request commits.
	acts int
	lost func(n int) (commits, is bool)
}

// thing is what an effect ensures; it exists once enough requests for it were done.
type thing struct {
	needs int
	done  int
	// refused is how often the API refuses a request for the thing, idle how often the API says
	// that it carried out a request, and does nothing.
	refused, idle int
	// stays says that the thing cannot be undone.
	stays bool
	// away says that the service of the thing refuses connections, hangs that the service does not
	// respond.
	away, hangs bool
	// lacking, when set, is why the workers do not know the effect.
	lacking error
	// looks, when set, is called before the thing is inspected.
	looks func(in activities.EffectInput) *activities.InspectResult
	kind  opportunity.ActKind
}

func (b *book) rules() *activities.Rules {
	if b == nil {
		return nil
	}
	has := b.has
	return &has
}

// thing finds the thing of the effect; the key of the effect ends with the thing's name.
func (b *book) thing(in activities.EffectInput) (string, *thing) {
	name := in.Effect.Key[strings.LastIndex(in.Effect.Key, "/")+1:]
	return name, b.things[name]
}

// named makes effects with the given names.
func named(names ...string) []opportunity.Effect {
	var effects []opportunity.Effect
	for _, name := range names {
		effects = append(effects, opportunity.Effect{Key: "rule/" + name, Kind: opportunity.EffectAttributes, Undo: opportunity.UndoExact})
	}
	return effects
}

func (r *record) planOpportunity(_ context.Context, in activities.PlanInput) (activities.PlanResult, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, activities.PlanOpportunity)
	r.book.plans++
	if r.down != nil {
		return activities.PlanResult{}, r.down
	}
	if !r.exists {
		return activities.PlanResult{}, temporal.NewNonRetryableApplicationError("no such record", string(opportunity.NotFound), nil)
	}
	if r.book.out != "" && in.Occasion.Kind == r.book.out {
		return activities.PlanResult{}, temporal.NewApplicationError("out", "unreachable")
	}
	out := activities.PlanResult{Rules: *r.book.rules(), Record: r.snapshot(), Events: r.book.events, Run: r.run}
	out.Foreign = r.owner != "" && r.owner != in.Reference && !r.untold
	if r.book.plan != nil {
		out.Plan = r.book.plan(in)
	}
	return out, nil
}

func (r *record) inspectEffect(_ context.Context, in activities.EffectInput) (activities.InspectResult, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, activities.InspectEffect)
	if r.down != nil {
		return activities.InspectResult{}, r.down
	}
	name, thing := r.book.thing(in)
	if thing.lacking != nil {
		return activities.InspectResult{}, thing.lacking
	}
	out := activities.InspectResult{About: in.About(), Trace: in.Trace, Run: r.run}
	if thing.looks != nil {
		if instead := thing.looks(in); instead != nil {
			instead.About, instead.Run = in.About(), r.run
			return *instead, nil
		}
	}
	kind := thing.kind
	if kind == "" {
		kind = opportunity.ActSetAttributes
	}
	switch {
	case in.Undo && thing.done > 0:
		out.Act = &opportunity.Act{Kind: kind, On: opportunity.ID("undo " + name)}
		out.Act.Attendees = []int{thing.done}
	case !in.Undo && thing.done < max(thing.needs, 1):
		out.Act = &opportunity.Act{Kind: kind, On: opportunity.ID(name)}
		out.Act.Attendees = []int{thing.done}
	}
	return out, nil
}

func (r *record) carryOutEffect(_ context.Context, in activities.EffectInput) (activities.CarryOutResult, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, activities.CarryOutEffect)
	if in.Run != r.run {
		return activities.CarryOutResult{Sending: r.reset()}, nil
	}
	if r.down != nil {
		return activities.CarryOutResult{Sending: activities.Sending{Fate: opportunity.FateNotSent, Reason: activities.ReasonUnreachable}}, nil
	}
	r.book.acts++
	name, thing := r.book.thing(in)
	if r.book.lost != nil {
		if commits, is := r.book.lost(r.book.acts); is {
			if commits {
				r.did(in, name, thing)
			}
			return activities.CarryOutResult{}, temporal.NewTimeoutError(1, nil)
		}
	}
	switch {
	case thing.away:
		return activities.CarryOutResult{Sending: activities.Sending{Fate: opportunity.FateNotSent, Reason: activities.ReasonUnreachable}}, nil
	case thing.hangs:
		return activities.CarryOutResult{Sending: activities.Sending{
			Fate: opportunity.FateUnknown, Error: opportunity.Failf(opportunity.Undecided, "the service crm did not answer"),
		}}, nil
	case in.Undo && thing.stays, !in.Undo && thing.refused > 0:
		thing.refused--
		return activities.CarryOutResult{Sending: activities.Sending{
			Fate: opportunity.FateRejected, Error: &opportunity.Error{Type: opportunity.Rejected, Label: "Sold Out"},
		}}, nil
	case thing.idle > 0:
		thing.idle--
	default:
		r.did(in, name, thing)
	}
	return activities.CarryOutResult{Sending: activities.Sending{Fate: opportunity.FateDone}, Trace: in.Trace}, nil
}

// did makes the request take effect.
func (r *record) did(in activities.EffectInput, name string, thing *thing) {
	if in.Undo {
		thing.done--
		r.log = append(r.log, "undo "+name)
		return
	}
	thing.done++
	r.log = append(r.log, "do "+name)
}
