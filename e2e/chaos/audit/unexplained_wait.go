package audit

import (
	"slices"
	"time"

	"github.com/oppflow/oppflow/opportunity"
)

// maxUnexplainedWait is how long an accepted message may wait without a reason.
const maxUnexplainedWait = 120 * time.Second

// maxSampleGap is the longest time between two samples of an opportunity that the auditor counts as
// waiting time. While no worker polls, each query for a view lasts until its timeout, so the time
// between two samples can be longer than maxSampleGap.
const maxSampleGap = 90 * time.Second

// The counted waiting time begins again at zero after a sample with a reason, after a reset of the
// run, and after a gap above maxSampleGap. A reason for the whole queue also explains the messages
// that the view does not list. Each message is reported once.
func (a *auditor) checkUnexplainedWaits(f *caseFile) {
	explained, reported, resets := map[string]time.Time{}, map[string]bool{}, a.resetTimes(f.reference)
	var allExplained, seenFrom time.Time
	for _, s := range a.samples[f.reference] {
		if s.explainsAll() {
			allExplained = s.At
		}
		if !s.Before.IsZero() && s.At.Sub(s.Before) > maxSampleGap {
			seenFrom = s.At
		}
		for _, w := range a.waitingMessages(f, s) {
			if s.explains(w.Request) {
				explained[w.Request] = s.At
			}
			since := w.Accepted
			for _, anew := range append(slices.Clone(resets), explained[w.Request], allExplained, seenFrom) {
				if anew.After(since) && !anew.After(s.At) {
					since = anew
				}
			}
			silent := s.At.Sub(since)
			if silent <= maxUnexplainedWait || reported[w.Request] {
				continue
			}
			reported[w.Request] = true
			how := "the view"
			if !s.HasView {
				how = "the list of opportunities (the query view got no response)"
			}
			a.report(UnexplainedWait, f.reference, w.Request, "at %s the message had waited for %v; during the last %v of the wait, %s showed no reason for the wait",
				s.At.Format(time.TimeOnly), s.At.Sub(w.Accepted).Round(time.Second), silent.Round(time.Second), how)
		}
	}
}

// If the sample has no view, the waiting messages come from the histories. The histories show no
// waiting messages for the time before a reset, because the new run replaced the old run.
func (a *auditor) waitingMessages(f *caseFile, s Sample) []opportunity.QueuedMessage {
	if s.HasView {
		return s.Waiting
	}
	var list []opportunity.QueuedMessage
	if slices.ContainsFunc(a.resetTimes(f.reference), s.At.Before) {
		return nil
	}
	for _, c := range f.chains {
		for _, life := range c.waitPeriods() {
			if life.Overlaps(s.At, s.At) {
				list = append(list, opportunity.QueuedMessage{Request: life.Request, Accepted: life.From})
			}
		}
	}
	return list
}

func (s Sample) explainsAll() bool {
	return s.Reason != "" || slices.ContainsFunc(s.Attention, func(a opportunity.Attention) bool { return !isAboutOneRequest(a) })
}

// explains reports whether the sample has a reason why the request waits. Other attention, such as
// a follow-up that is due, explains nothing.
func (s Sample) explains(request string) bool {
	return s.explainsAll() || slices.ContainsFunc(s.Attention, func(a opportunity.Attention) bool {
		return a.Request != "" && a.Request == request
	})
}

// isAboutOneRequest reports whether the attention explains the wait of only one request.
func isAboutOneRequest(a opportunity.Attention) bool {
	switch a.Kind {
	case opportunity.AttentionFollowUp, opportunity.AttentionPlaybook, opportunity.AttentionFailed, opportunity.AttentionReservation, opportunity.AttentionMessage, opportunity.AttentionRecord:
		return true
	}
	return false
}
