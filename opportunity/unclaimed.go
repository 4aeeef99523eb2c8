package opportunity

import (
	"slices"
	"time"
)

// Restored handles a restore of Temporal's database. Some interests of the record are in
// neither the backup nor the waiting commands. These were requested after the backup, so
// a request for an equal interest may be a repetition.
func (s *State) Restored(answers []Answer, record Snapshot, now time.Time) {
	s.note(now, "Temporal's database was restored")
	known := s.knownInterests()
	for _, answer := range answers {
		for _, ref := range answer.Interests {
			known[ref.ID] = true
		}
	}
	for _, ref := range record.Interests {
		if !known[ref.ID] && len(s.Unclaimed) < MaxInterests && !slices.ContainsFunc(s.Unclaimed, func(u InterestRef) bool { return u.ID == ref.ID }) {
			s.Unclaimed = append(s.Unclaimed, ref)
		}
	}
}

// Suspect puts requests of the batch in doubt that ask for an unclaimed interest of the
// record, and reports whether there is such a request. Each interest leads to at most
// one question. resolved maps names of items to their ids.
func (s *State) Suspect(batch []Mutation, resolved map[Name]ID, now time.Time) bool {
	found := false
	for _, m := range batch {
		if m.Interest == nil || !m.isAsked() {
			continue
		}
		of := slices.IndexFunc(s.Unclaimed, m.wish(resolved).fits)
		at := slices.IndexFunc(s.Queue, func(e Entry) bool { return e.Request == m.Request })
		if of < 0 || at < 0 {
			continue
		}
		s.Unclaimed = slices.Delete(s.Unclaimed, of, of+1)
		s.Queue[at].Doubt, found = true, true
	}
	if found {
		s.ask(now)
	}
	return found
}
