package audit

import (
	"slices"

	"github.com/oppflow/oppflow/opportunity"
)

// If a run ended and had to release its places, the record must have no reservation. For any other
// run, the places must be reserved at least until the time that the last extendReservations
// requested. Later reservations do not shorten the time that the last extendReservations requested.
func (a *auditor) checkReservations(f *caseFile) {
	if f.record == nil || len(f.chains) == 0 {
		return
	}
	last := f.chains[len(f.chains)-1]
	holds := a.actualRecord(f).hasReservation(a.evidence.At)
	ended := ""
	switch {
	case last.Status == Canceled:
		ended = "was cancelled"
	case last.Status == Completed && last.View != nil && last.View.Closing != nil:
		ended = "was closed"
	case last.Status == Completed && (f.record.State == opportunity.Lost || f.record.State == opportunity.Archived):
		ended = "is lost or archived"
	}
	if ended != "" {
		if holds && !hasAttention(last.View, opportunity.AttentionReservation) {
			a.report(OrphanReservation, f.reference, "", "the opportunity has ended (it %s), but the record reserves places until %v", ended, f.record.ReservedUntil)
		}
		return
	}
	if last.Status == Running && (f.record.State == opportunity.Lost || f.record.State == opportunity.Archived) {
		return // the run releases the places before it ends, and an effect may delay its end
	}
	if f.record.State == opportunity.Won && a.tolerances.Effects {
		return // the effect register releases the places
	}
	var asked *opportunity.ExtendReservations
	var request string
	for _, r := range f.requests {
		extend, ok := r.command.(opportunity.ExtendReservations)
		switch {
		case !ok || r.state == reportedFailed:
		case r.state == reportedDone:
			asked, request = &extend, r.id
		default:
			asked = nil // the undecided request may have set another time
		}
	}
	if asked == nil {
		return
	}
	if until := f.record.ReservedUntil; until == nil || until.Before(asked.Until.Add(-opportunity.ExpiryTolerance)) {
		if asked.Until.After(a.evidence.At) {
			a.report(ReportedDoneButMissing, f.reference, request, "an extension of the reservation until %v is reported as done, but the record reserves places until %v", asked.Until, until)
		}
	}
}

func hasAttention(view *opportunity.View, word opportunity.AttentionKind) bool {
	return view != nil && slices.ContainsFunc(view.Attention, func(a opportunity.Attention) bool { return a.Kind == word })
}
