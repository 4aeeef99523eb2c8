package tms

import (
	"context"
	"maps"
	"time"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/opportunity"
)

// places are what the API says of the places that an opportunity holds, all with one
// expiry.
type places struct {
	// held says that some are held now, as far as the API says so. Where it names no
	// expiry it may say so of an opportunity that never held any.
	held bool
	// until is when they lapse, or have lapsed; zero where no expiry is set.
	until time.Time
	// spent says that they have lapsed or were given back: the opportunity can hold
	// none again.
	spent bool
}

// reservation is what a view shows of them: places without an expiry are not known to
// be held.
func (p places) reservation() *opportunity.Reservation {
	return &opportunity.Reservation{Valid: p.held && !p.until.IsZero(), Until: p.until}
}

func (a *Activities) places(ctx context.Context, id opportunity.ID) (places, error) {
	record, err := a.api.Opportunity(ctx, string(id))
	if err != nil {
		return places{}, err
	}
	out := places{held: record.Reservations.Valid}
	if until := record.Reservations.Until; until != nil {
		out.until, out.spent = until.UTC(), !until.After(a.now())
		out.held = out.held && !out.spent
	}
	return out, nil
}

// What is kept of effects about places and services beside what a Trace has members
// for, under keys of Trace.Values.
const (
	// keptLooked: places were looked at before anything was asked for.
	keptLooked = "looked"
	// keptAsked: the API answered that it did what was asked for.
	keptAsked = "asked"
	// keptBack is until when places are held that are taken back.
	keptBack = "back"
)

// keep adds to what is kept of an effect. The trace it is given stays as it is.
func keep(trace opportunity.Trace, key, value string) opportunity.Trace {
	values := maps.Clone(trace.Values)
	if values == nil {
		values = make(map[string]string)
	}
	if values[key] = value; value == "" {
		delete(values, key)
	}
	trace.Values = values
	return trace
}

// looked keeps until when places were held before, the first time only.
func (p places) looked(trace opportunity.Trace) opportunity.Trace {
	if trace.Values[keptLooked] != "" {
		return trace
	}
	if p.held {
		trace.Until = p.until
	}
	return keep(trace, keptLooked, "yes")
}

// lapseAt sets until when places are held. A moment that has come gives them back.
func (a *Activities) lapseAt(ctx context.Context, in activities.EffectInput, until time.Time) activities.CarryOutResult {
	_, err := a.api.ExtendReservations(a.inTime(ctx), administrate.ExtendReservations{
		OpportunityID: string(in.Opportunity), Until: until.UTC().Truncate(time.Second),
	})
	return asked(in, err)
}

// asked tells what is known of a request about places.
func asked(in activities.EffectInput, err error) activities.CarryOutResult {
	result := activities.CarryOutResult{Sending: sending(err), Trace: in.Trace}
	if err == nil {
		result.Trace = keep(in.Trace, keptAsked, "yes")
	}
	return result
}

// noUndo answers that the effect cannot be taken back.
func noUndo(why string) *opportunity.Error {
	return opportunity.Invalidf("it cannot be taken back: %s", why)
}
