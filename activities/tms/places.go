package tms

import (
	"context"
	"maps"
	"time"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/opportunity"
)

// places is the API's data about the places that an opportunity holds. All have one
// expiry.
type places struct {
	// held says that the API reports some places as held now. Without an expiry, the API may
	// report this for an opportunity that never held any.
	held bool
	// until is when the places lapse, or have lapsed; zero where no expiry is set.
	until time.Time
	// spent says that the places have lapsed or were given back, so that the opportunity
	// cannot hold any again.
	spent bool
}

// reservation returns what a view shows of the places. Places without an expiry are not
// known to be held.
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

// The keys of Trace.Values for effects about places and services. A Trace has other
// members for everything else.
const (
	// keptLooked: an inspection read the places before the effect requested anything.
	keptLooked = "looked"
	// keptAsked: the API answered that it did what the effect requested.
	keptAsked = "asked"
	// keptBack is until when the places stay held after an undo.
	keptBack = "back"
)

// keep returns the trace with a value added, and leaves the given trace unchanged.
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

// looked keeps until when places were held before the effect, the first time only.
func (p places) looked(trace opportunity.Trace) opportunity.Trace {
	if trace.Values[keptLooked] != "" {
		return trace
	}
	if p.held {
		trace.Until = p.until
	}
	return keep(trace, keptLooked, "yes")
}

// lapseAt sets until when places are held. A time that is not in the future gives them
// back.
func (a *Activities) lapseAt(ctx context.Context, in activities.EffectInput, until time.Time) activities.CarryOutResult {
	_, err := a.api.ExtendReservations(a.inTime(ctx), administrate.ExtendReservations{
		OpportunityID: string(in.Opportunity), Until: until.UTC().Truncate(time.Second),
	})
	return asked(in, err)
}

// asked returns the fate of a request about places.
func asked(in activities.EffectInput, err error) activities.CarryOutResult {
	result := activities.CarryOutResult{Sending: sending(err), Trace: in.Trace}
	if err == nil {
		result.Trace = keep(in.Trace, keptAsked, "yes")
	}
	return result
}

func noUndo(why string) *opportunity.Error {
	return opportunity.Invalidf("it cannot be taken back: %s", why)
}
