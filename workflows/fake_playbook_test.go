package workflows_test

import (
	"context"
	"strings"

	"go.temporal.io/sdk/temporal"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// fakePlaybook imitates a playbook in these tests, and contains the results of its effects.
type fakePlaybook struct {
	features activities.PlaybookFeatures
	plan     func(in activities.PlanInput) exchange.Plan
	// resources are the objects that effects ensure. A key of the map is the name of an effect in
	// the plan.
	resources map[string]*fakeResource
	plans     int
	// reads counts the plans for which the record was read. needsRead says that the plan of a
	// transition needs data that only a read returns.
	reads     int
	needsRead bool
	// events are the changes of events that a plan reports. failsFor is the cause for which no plan
	// can be made.
	events   []activities.EventChange
	failsFor exchange.PlanCauseKind
	// down, when set, is the error of every request for a plan.
	down error
	// requests counts the requests of effects. For the nth request, lost returns whether the
	// response is lost, and whether the API executes the request.
	requests int
	lost     func(n int) (commits, is bool)
	// refusesJoined says that the API refuses a request with the requests of several effects.
	refusesJoined bool
}

// fakeResource is the object that an effect ensures. The object exists once the API has executed
// enough requests for the object.
type fakeResource struct {
	required int
	done     int
	// rejections is how often the API rejects a request for the resource. ignoredRequests is how
	// often the API reports success for a request but does nothing.
	rejections, ignoredRequests int
	// cannotUndo says that the resource cannot be undone.
	cannotUndo bool
	// about names the object of a rejected request.
	about string
	// unreachable says that the service of the resource refuses connections. hangs says that the
	// service does not respond.
	unreachable, hangs bool
	// unknownKindError, when set, is the error of the workers, which do not know the kind of the
	// effect.
	unknownKindError error
	// unknownKindOnExecute, when set, is the error text of a worker that receives the request but
	// does not know the effect. notSent, when set, is why the request is not sent.
	unknownKindOnExecute string
	notSent              activities.Reason
	// inspect, when set, is called before the resource is inspected.
	inspect func(in activities.EffectInput) *activities.InspectResult
	kind    exchange.EffectRequestKind
	// next, when set, is the next request that the response to a done request shows.
	next *exchange.EffectRequest
}

func (b *fakePlaybook) playbookFeatures() *activities.PlaybookFeatures {
	if b == nil {
		return nil
	}
	has := b.features
	return &has
}

// resource finds the resource of the effect; the key of the effect ends with the resource's name.
func (b *fakePlaybook) resource(in activities.EffectInput) (string, *fakeResource) {
	name := in.Effect.Key[strings.LastIndex(in.Effect.Key, "/")+1:]
	return name, b.resources[name]
}

func effectsNamed(names ...string) []exchange.Effect {
	var effects []exchange.Effect
	for _, name := range names {
		effects = append(effects, exchange.Effect{Key: "rule/" + name, Kind: opportunity.EffectAttributes, Undo: exchange.UndoExact})
	}
	return effects
}

func (r *fakeTMS) planOpportunity(_ context.Context, in activities.PlanInput) (activities.PlanResult, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, activities.PlanOpportunity)
	r.playbook.plans++
	if r.down != nil {
		return activities.PlanResult{}, r.down
	}
	if r.playbook.down != nil {
		return activities.PlanResult{}, r.playbook.down
	}
	if !r.exists {
		return activities.PlanResult{}, temporal.NewNonRetryableApplicationError("no such record", string(opportunity.NotFound), nil)
	}
	if r.playbook.failsFor != "" && in.PlanFor.Kind == r.playbook.failsFor {
		return activities.PlanResult{}, temporal.NewApplicationError("out", "unreachable")
	}
	out := activities.PlanResult{PlaybookFeatures: *r.playbook.playbookFeatures(), Record: r.snapshot(), Events: r.playbook.events, RunID: r.run}
	out.TaggedByOther = r.owner != "" && r.owner != in.Reference && !r.ownerUnknown
	if r.playbook.plan != nil {
		out.Plan = r.playbook.plan(in)
	}
	if in.Known != nil && !r.playbook.needsRead && len(out.Plan.Before) == 0 {
		out.Record, out.Events, out.TaggedByOther, out.FromKnown = exchange.Snapshot{ID: in.Opportunity}, nil, false, true
		return out, nil
	}
	r.playbook.reads++
	return out, nil
}

func (r *fakeTMS) inspectEffect(_ context.Context, in activities.EffectInput) (activities.InspectResult, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, activities.InspectEffect)
	if r.down != nil {
		return activities.InspectResult{}, r.down
	}
	out, err := r.inspectOne(in)
	for _, next := range in.Ahead {
		one := in
		one.Effect, one.UndoEntry, one.Ahead, one.ReadRecord = next.Effect, next.UndoEntry, nil, false
		if found, failure := r.inspectOne(one); err == nil && failure == nil {
			out.Ahead = append(out.Ahead, found)
		}
	}
	return out, err
}

func (r *fakeTMS) inspectOne(in activities.EffectInput) (activities.InspectResult, error) {
	name, thing := r.playbook.resource(in)
	if thing.unknownKindError != nil {
		return activities.InspectResult{}, thing.unknownKindError
	}
	out := activities.InspectResult{Subject: in.Subject(), UndoEntry: in.UndoEntry, RunID: r.run}
	if in.ReadRecord {
		out.Read = &activities.RecordRead{Record: r.snapshot(), Events: r.playbook.events}
	}
	if thing.inspect != nil {
		if instead := thing.inspect(in); instead != nil {
			instead.Subject, instead.RunID = in.Subject(), r.run
			return *instead, nil
		}
	}
	kind := thing.kind
	if kind == "" {
		kind = exchange.RequestSetAttributes
	}
	switch {
	case in.Undo && thing.done > 0:
		out.Request = &exchange.EffectRequest{Kind: kind, Target: opportunity.ID("undo " + name)}
		out.Request.Attendees = []int{thing.done}
	case !in.Undo && thing.done < max(thing.required, 1):
		out.Request = &exchange.EffectRequest{Kind: kind, Target: opportunity.ID(name)}
		out.Request.Attendees = []int{thing.done}
	}
	return out, nil
}

func (r *fakeTMS) executeEffect(_ context.Context, in activities.EffectInput) (activities.ExecuteResult, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, activities.ExecuteEffect)
	if in.RunID != r.run {
		return activities.ExecuteResult{CallResult: r.resetResult()}, nil
	}
	if r.down != nil {
		return activities.ExecuteResult{CallResult: activities.CallResult{Status: exchange.StatusNotSent, Reason: activities.ReasonUnreachable}}, nil
	}
	r.playbook.requests++
	if len(in.Ahead) > 0 && r.playbook.refusesJoined {
		return activities.ExecuteResult{CallResult: activities.CallResult{Status: exchange.StatusNotSent, Reason: activities.ReasonNotJoined}}, nil
	}
	all := []activities.EffectInput{in}
	for _, next := range in.Ahead {
		all = append(all, next.Of(in))
	}
	if r.playbook.lost != nil {
		if commits, is := r.playbook.lost(r.playbook.requests); is {
			for _, one := range all {
				if name, thing := r.playbook.resource(one); commits {
					r.applyEffect(one, name, thing)
				}
			}
			return activities.ExecuteResult{}, temporal.NewTimeoutError(1, nil)
		}
	}
	result := r.executeOne(all[0])
	for _, one := range all[1:] {
		next := r.executeOne(one)
		next.Subject = one.Subject()
		result.Ahead = append(result.Ahead, next)
	}
	return result, nil
}

func (r *fakeTMS) executeOne(in activities.EffectInput) activities.ExecuteResult {
	name, thing := r.playbook.resource(in)
	switch {
	case thing.unknownKindOnExecute != "":
		return activities.ExecuteResult{CallResult: activities.CallResult{
			Status: exchange.StatusNotSent, Reason: activities.ReasonUnknownEffectKind, Error: opportunity.Failf(opportunity.Rejected, "%s", thing.unknownKindOnExecute),
		}}
	case thing.notSent != "":
		return activities.ExecuteResult{CallResult: activities.CallResult{Status: exchange.StatusNotSent, Reason: thing.notSent}}
	case thing.unreachable:
		return activities.ExecuteResult{CallResult: activities.CallResult{Status: exchange.StatusNotSent, Reason: activities.ReasonUnreachable}}
	case thing.hangs:
		return activities.ExecuteResult{CallResult: activities.CallResult{
			Status: exchange.StatusUnknown, Error: opportunity.Failf(opportunity.Undecided, "the service crm did not respond"),
		}}
	case in.Undo && thing.cannotUndo, !in.Undo && thing.rejections > 0:
		thing.rejections--
		return activities.ExecuteResult{CallResult: activities.CallResult{
			Status: exchange.StatusRejected, Error: &opportunity.Error{Type: opportunity.Rejected, Label: "Sold Out"},
		}, About: thing.about}
	case thing.ignoredRequests > 0:
		thing.ignoredRequests--
	default:
		r.applyEffect(in, name, thing)
	}
	var next *exchange.EffectRequest
	if thing.done < thing.required {
		next = thing.next
	}
	return activities.ExecuteResult{CallResult: activities.CallResult{Status: exchange.StatusDone}, UndoEntry: in.UndoEntry, Next: next}
}

func (r *fakeTMS) applyEffect(in activities.EffectInput, name string, thing *fakeResource) {
	if in.Undo {
		thing.done--
		r.log = append(r.log, "undo "+name)
		return
	}
	thing.done++
	r.log = append(r.log, "do "+name)
}
