package audit

import (
	"slices"

	"github.com/oppflow/oppflow/opportunity"
)

// checkInterests compares the interests that were requested with the interests of the record. An
// interest that an outcome names by id is matched by that id. Every other interest is matched by
// content, at most once.
func (a *auditor) checkInterests(f *caseFile) {
	var wishes []expectedInterest
	single := map[string]int{}
	for _, r := range f.requests {
		asked := r.expectedInterests()
		single[r.id] = len(asked)
		wishes = append(wishes, asked...)
	}
	if f.record == nil {
		for _, w := range wishes {
			if w.state == reportedDone {
				a.report(ReportedDoneButMissing, f.reference, w.request, "an interest in %s is reported as added, but the opportunity has no record", w.content.Item)
			}
		}
		return
	}
	used := a.matchByID(f, wishes)
	a.matchByContent(f, wishes, used, single)
}

func (a *auditor) matchByID(f *caseFile, wishes []expectedInterest) map[opportunity.ID]bool {
	used := map[opportunity.ID]bool{}
	var last Interest
	var before string
	for _, w := range wishes {
		if w.id == "" {
			continue
		}
		at := slices.IndexFunc(f.record.Interests, func(i Interest) bool { return i.ID == w.id })
		if at < 0 {
			if on, there := a.interestRecord[w.id]; there {
				a.report(WrongOpportunity, f.reference, w.request, "interest %s of the request is on record %s, which belongs to another opportunity", w.id, on)
			} else {
				a.report(ReportedDoneButMissing, f.reference, w.request, "interest %s in %s is reported as added, but the record does not have the interest", w.id, w.content.Item)
			}
			continue
		}
		there := f.record.Interests[at]
		if used[w.id] {
			a.report(Lost, f.reference, w.request, "the outcomes of two requests name the same interest %s, so one of the two requests added no interest", w.id)
			continue
		}
		used[w.id] = true
		plain := there.Content
		plain.Reserve = w.content.Reserve
		switch {
		case plain != w.content:
			a.report(ReportedDoneButMissing, f.reference, w.request, "interest %s on the record has the content %+v, but the request has the content %+v", w.id, there.Content, w.content)
		case there.Reserve && !w.content.Reserve && !a.mayReserve(f):
			a.report(OrphanReservation, f.reference, w.request, "interest %s reserves places, but the request does not request a reservation", w.id)
		case !there.Reserve && w.content.Reserve && !w.unreserved:
			a.report(ReportedDoneButMissing, f.reference, w.request, "interest %s reserves no places, but the request requests a reservation, and the outcome does not report that the reservation is missing", w.id)
		}
		if there.Key < last.Key {
			a.report(Reordered, f.reference, w.request, "interest %s was created before interest %s of the earlier request %s, but interests must be created in the order of their requests", w.id, last.ID, before)
		}
		last, before = there, w.request
	}
	return used
}

// matchByContent matches the requests with those interests of the record that no outcome names.
// matchByContent then checks that the record has the interests of each request whose outcome names
// no interest.
func (a *auditor) matchByContent(f *caseFile, wishes []expectedInterest, used map[opportunity.ID]bool, asked map[string]int) {
	matched := make([]bool, len(wishes))
	mayReserve := a.mayReserve(f)
	find := func(content Content, standings ...reportedState) int {
		for n, w := range wishes {
			if w.id == "" && !matched[n] && w.content == content && slices.Contains(standings, w.state) {
				return n
			}
		}
		return -1
	}
	findAny := func(content Content, standings ...reportedState) int {
		n := find(content, standings...)
		if n < 0 && content.Reserve && mayReserve {
			content.Reserve = false // an effect reserved the places
			n = find(content, standings...)
		}
		return n
	}
	for _, there := range f.record.Interests {
		if used[there.ID] || a.interestReference[there.ID] != "" && a.interestReference[there.ID] != f.reference {
			continue // an outcome of another reference names the interest, so the check of that reference reports the mistake
		}
		if n := findAny(there.Content, reportedDone, unreported, undecided); n >= 0 {
			matched[n] = true
			continue
		}
		if n := findAny(there.Content, reportedFailed); n >= 0 {
			matched[n] = true
			a.report(ReportedFailedButDone, f.reference, wishes[n].request, "the request is reported as failed, but the record has interest %s of the request", there.ID)
			continue
		}
		if n := slices.IndexFunc(wishes, func(w expectedInterest) bool { return w.content == there.Content }); n >= 0 {
			a.report(Duplicated, f.reference, wishes[n].request, "interest %s is a duplicate: the record has more interests with the same content than were requested", there.ID)
			continue
		}
		a.report(OrphanInterest, f.reference, "", "the record has interest %s with the content %+v, but no request asks for an interest with this content", there.ID, there.Content)
	}
	there := map[string]int{}
	for n, w := range wishes {
		if matched[n] {
			there[w.request]++
		}
	}
	for n, w := range wishes {
		switch {
		case matched[n] || w.id != "":
		case w.state == unreported:
			a.report(Lost, f.reference, w.request, "a request for an interest in %s was accepted, but the record does not have the interest, and no outcome of the request is reported", w.content.Item)
		case w.state == reportedDone && (asked[w.request] == 1 || there[w.request] == 0 && !a.hasNamedInterest(wishes, w.request)):
			// The outcome of an older request with several interests says only that the API made
			// some of the request's changes.
			a.report(ReportedDoneButMissing, f.reference, w.request, "an interest in %s is reported as added, but the record does not have the interest", w.content.Item)
		}
	}
}

func (a *auditor) hasNamedInterest(wishes []expectedInterest, request string) bool {
	return slices.ContainsFunc(wishes, func(w expectedInterest) bool { return w.request == request && w.id != "" })
}

// mayReserve reports whether an effect may have reserved places for the interests of the reference.
// After a reset or a restore, the view does not show the effects of the earlier run.
func (a *auditor) mayReserve(f *caseFile) bool {
	const kind = opportunity.EffectReserve
	return a.tolerances.Effects && a.isInterrupted(f) || slices.ContainsFunc(f.chains, func(c *Chain) bool {
		return c.View != nil && (slices.ContainsFunc(c.View.EffectResults, func(r opportunity.EffectResult) bool { return r.Kind == kind }) ||
			slices.ContainsFunc(c.View.RunningEffects, func(r opportunity.RunningEffect) bool { return r.Kind == kind }))
	})
}
