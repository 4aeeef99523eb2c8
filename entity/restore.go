package entity

import (
	"slices"
	"time"

	"github.com/oppflow/oppflow/entity/queue"
	"github.com/oppflow/oppflow/entity/readback"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// ApplyRestore updates the state after a restore of Temporal's database. An interest of the record
// counts as requested after the backup if neither the backup nor a waiting command contains the
// interest. A later request for an equal interest may be a repetition of the request that came
// after the backup.
func (s *State) ApplyRestore(answers []exchange.ChangeResult, record exchange.Snapshot, now time.Time) {
	s.appendTimeline(now, "Temporal's database was restored")
	known := s.knownInterestIDs()
	for _, answer := range answers {
		for _, ref := range answer.Interests {
			known[ref.ID] = true
		}
	}
	for _, ref := range record.Interests {
		if !known[ref.ID] && len(s.InterestsAfterBackup) < opportunity.MaxInterests && !slices.ContainsFunc(s.InterestsAfterBackup, func(u exchange.InterestRef) bool { return u.ID == ref.ID }) {
			s.InterestsAfterBackup = append(s.InterestsAfterBackup, ref)
		}
	}
}

// FlagPossibleRepeats puts a request of the batch in doubt if the request adds an interest equal to
// one of InterestsAfterBackup. FlagPossibleRepeats reports whether any request is newly in doubt.
// Each interest in InterestsAfterBackup causes at most one question.
func (s *State) FlagPossibleRepeats(batch []exchange.Change, resolved map[exchange.UnresolvedName]opportunity.ID, now time.Time) bool {
	found := false
	for _, m := range batch {
		if m.Interest == nil || !m.IsRequested() {
			continue
		}
		of := slices.IndexFunc(s.InterestsAfterBackup, readback.ExpectedInterestOf(m, resolved).Matches)
		at := slices.IndexFunc(s.Queue, func(e queue.Command) bool { return e.Request == m.Request })
		if of < 0 || at < 0 {
			continue
		}
		s.InterestsAfterBackup = slices.Delete(s.InterestsAfterBackup, of, of+1)
		s.Queue[at].InDoubt, found = true, true
	}
	if found {
		s.updateQuestion(now)
	}
	return found
}
