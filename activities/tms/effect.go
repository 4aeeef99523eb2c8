package tms

import (
	"context"
	"fmt"
	"slices"

	"go.temporal.io/sdk/temporal"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/opportunity"
)

// ensurer inspects effects of one kind and acts for them.
type ensurer interface {
	inspect(ctx context.Context, in activities.EffectInput) (activities.InspectResult, error)
	carryOut(ctx context.Context, in activities.EffectInput) (activities.CarryOutResult, error)
}

// ensurerOf returns the ensurer for the kind by the playbook; nil where there is none.
func (a *Activities) ensurerOf(kind opportunity.EffectKind, by Book) ensurer {
	if slices.Contains(a.without, kind) {
		return nil
	}
	switch kind {
	case opportunity.EffectAccount:
		return ensureAccount{a}
	case opportunity.EffectContacts:
		return ensureContacts{a}
	case opportunity.EffectRegister:
		return ensureRegister{a}
	case opportunity.EffectCancelRegistrations:
		return ensureCancelled{a}
	case opportunity.EffectInvoice:
		return ensureInvoice{a}
	case opportunity.EffectTokens:
		return ensureTokens{a}
	case opportunity.EffectAttributes:
		return ensureAttributes{a}
	case opportunity.EffectReserve:
		return ensureReserve{a}
	case opportunity.EffectExtend:
		return ensureExtend{a}
	case opportunity.EffectRelease:
		return ensureRelease{a}
	case opportunity.EffectEmail:
		return ensureEmail{a, by}
	case opportunity.EffectLog:
		return ensureLog{a}
	case opportunity.EffectCall:
		return ensureCall{a, by}
	}
	return nil
}

// InspectEffect finds out what an effect still needs.
func (a *Activities) InspectEffect(ctx context.Context, in activities.EffectInput) (activities.InspectResult, error) {
	by, err := a.book(ctx)
	if err != nil {
		return activities.InspectResult{}, unready("%s", err)
	}
	e := a.ensurerOf(in.Effect.Kind, by)
	if e == nil { // the server offers the activity again, to any worker
		return activities.InspectResult{}, temporal.NewApplicationError(a.lacks(in.Effect.Kind), string(activities.ReasonVersion))
	}
	out, err := e.inspect(ctx, in)
	out.About = in.About()
	return out, err
}

// CarryOutEffect makes the request that the inspection found missing.
func (a *Activities) CarryOutEffect(ctx context.Context, in activities.EffectInput) (activities.CarryOutResult, error) {
	by, err := a.book(ctx)
	if err != nil {
		return activities.CarryOutResult{Sending: ruleless(err)}, nil
	}
	e := a.ensurerOf(in.Effect.Kind, by)
	switch {
	case e == nil:
		return activities.CarryOutResult{Sending: activities.Sending{
			Fate: opportunity.FateNotSent, Reason: activities.ReasonVersion, Error: opportunity.Failf(opportunity.Rejected, "%s", a.lacks(in.Effect.Kind)),
		}}, nil
	case in.Act == nil:
		return rejected(opportunity.Invalidf("no act is given for the effect %q", in.Effect.Key)), nil
	}
	return e.carryOut(ctx, in)
}

func (a *Activities) lacks(kind opportunity.EffectKind) string {
	return fmt.Sprintf("the worker %s does not know effects of kind %q; a worker of a later version does", a.version, kind)
}
