package audit

import (
	"slices"
	"time"

	"github.com/oppflow/oppflow/opportunity"
)

// silentAfter is how long an accepted message may wait with nothing that says why.
const silentAfter = 120 * time.Second

// silence wants every message that has waited for long to have a reason. A message that had one and has it no more, such as
// one behind a question that was answered, waits anew. So does one of a run that was reset. Of each message it tells once.
func (a *auditor) silence(f *file) {
	explained, told, resets := map[string]time.Time{}, map[string]bool{}, a.resets(f.reference)
	for _, s := range a.samples[f.reference] {
		for _, w := range a.waiting(f, s) {
			if s.explains(w.Request) {
				explained[w.Request] = s.At
			}
			since := w.Accepted
			for _, anew := range append(resets, explained[w.Request]) {
				if anew.After(since) && !anew.After(s.At) {
					since = anew
				}
			}
			silent := s.At.Sub(since)
			if silent <= silentAfter || told[w.Request] {
				continue
			}
			told[w.Request] = true
			how := "the view"
			if !s.Answered {
				how = "no view was answered, and the list"
			}
			a.report(Silent, f.reference, w.Request, "at %s it had waited for %v, for %v of which %s gave no reason",
				s.At.Format(time.TimeOnly), s.At.Sub(w.Accepted).Round(time.Second), silent.Round(time.Second), how)
		}
	}
}

// waiting are the messages that waited when the sample was taken. Without a view the histories say so. They do not before a
// reset: the run of that time was replaced.
func (a *auditor) waiting(f *file, s Sample) []opportunity.Waiting {
	if s.Answered {
		return s.Waiting
	}
	var list []opportunity.Waiting
	if slices.ContainsFunc(a.resets(f.reference), s.At.Before) {
		return nil
	}
	for _, c := range f.chains {
		for _, life := range c.lives() {
			if life.During(s.At, s.At) {
				list = append(list, opportunity.Waiting{Request: life.Request, Accepted: life.From})
			}
		}
	}
	return list
}

// explains reports whether the sample says why the request waits. Other attention, such as a follow-up that is due,
// explains nothing.
func (s Sample) explains(request string) bool {
	if s.Reason != "" {
		return true
	}
	return slices.ContainsFunc(s.Attention, func(a opportunity.Attention) bool {
		switch a.Word {
		case opportunity.AttentionFollowUp, opportunity.AttentionPlaybook, opportunity.AttentionFailed, opportunity.AttentionReservation, opportunity.AttentionMessage:
			return a.Request != "" && a.Request == request
		}
		return true
	})
}
