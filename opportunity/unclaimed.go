package opportunity

import (
	"slices"
	"time"
)

// Restored takes in that Temporal's database was restored. Interests of the record that
// neither the backup knows nor anything that waits accounts for were asked for after the
// backup. Whoever asks for an equal one may be asking again.
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

// Suspect puts requests of the batch in doubt that ask for an interest which the record
// has and nobody claims, and reports whether there is one. Each interest is asked about
// once. resolved tells the ids of items that were named otherwise.
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
