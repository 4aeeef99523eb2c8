package tms

import (
	"context"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/opportunity"
)

// ensurer looks at effects of one kind and acts for them.
type ensurer interface {
	inspect(ctx context.Context, in activities.EffectInput) (activities.InspectResult, error)
	carryOut(ctx context.Context, in activities.EffectInput) (activities.CarryOutResult, error)
}

// ensurerOf is who ensures effects of the kind; nil where nobody does.
func (a *Activities) ensurerOf(kind opportunity.EffectKind) ensurer {
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
		return ensureEmail{a}
	case opportunity.EffectLog:
		return ensureLog{a}
	case opportunity.EffectCall:
		return ensureCall{a}
	}
	return nil
}

// InspectEffect looks what an effect still needs.
func (a *Activities) InspectEffect(ctx context.Context, in activities.EffectInput) (activities.InspectResult, error) {
	e := a.ensurerOf(in.Effect.Kind)
	if e == nil {
		return activities.InspectResult{About: in.About(), Trace: in.Trace, Run: runOf(ctx), Error: opportunity.Invalidf("no worker knows effects of kind %q", in.Effect.Kind)}, nil
	}
	out, err := e.inspect(ctx, in)
	out.About = in.About()
	return out, err
}

// CarryOutEffect makes the request that looking found missing.
func (a *Activities) CarryOutEffect(ctx context.Context, in activities.EffectInput) (activities.CarryOutResult, error) {
	e := a.ensurerOf(in.Effect.Kind)
	if e == nil || in.Act == nil {
		return rejected(opportunity.Invalidf("no worker knows effects of kind %q", in.Effect.Kind)), nil
	}
	return e.carryOut(ctx, in)
}
