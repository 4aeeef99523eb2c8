package audit

import (
	"slices"
	"time"

	"github.com/oppflow/oppflow/opportunity"
)

// Restore is a restore of Temporal's database. The histories may lack a message that the server
// accepted between the times Backup and Restored.
type Restore struct {
	// Backup is the time after which an accepted message may be missing from the backup.
	Backup time.Time `json:"backup"`
	// Restored is the time until which the server may have accepted a message that the backup does
	// not have.
	Restored time.Time `json:"restored"`
}

// MayBeLost reports whether the message may have been accepted by a server whose database was then
// restored from an earlier backup. A lost message may have taken effect once. A refused message was
// not accepted, with one exception: a message that was sent before the restore and refused after
// the restore. The server may have accepted an earlier attempt of such a message before the
// restore.
func (e Evidence) MayBeLost(t Observation) bool {
	heard := t.AnsweredAt
	if heard.IsZero() {
		heard = t.SentAt
	}
	return slices.ContainsFunc(e.Restores, func(r Restore) bool {
		return !t.SentAt.After(r.Restored) && !heard.Before(r.Backup) && (t.Result != Refused || heard.After(r.Restored))
	})
}

// LostByRestore counts the messages that a server accepted, or may have accepted, and that are in
// no history after a restore.
func (e Evidence) LostByRestore() int {
	known := map[opportunity.Reference]map[string]bool{}
	for i := range e.Chains {
		of := known[e.Chains[i].Reference]
		if of == nil {
			of = map[string]bool{}
			known[e.Chains[i].Reference] = of
		}
		for _, a := range e.Chains[i].Accepted {
			of[a.Request] = true
		}
	}
	lost := map[string]bool{}
	for _, t := range e.Observations {
		if e.MayBeLost(t) && !known[t.Reference][t.Request] {
			lost[string(t.Reference)+" "+t.Request] = true
		}
	}
	return len(lost)
}

// addLostByRestore adds the messages that are in no history after a restore.
func (a *auditor) addLostByRestore(f *caseFile) {
	known := map[string]bool{}
	for _, r := range f.requests {
		known[r.id] = true
	}
	for _, t := range f.observations {
		if known[t.Request] || !a.evidence.MayBeLost(t) {
			continue
		}
		command, err := opportunity.Decode(t.Message, t.Payload)
		if err != nil {
			continue
		}
		known[t.Request], f.maybeLost = true, true
		f.requests = append(f.requests, request{id: t.Request, message: t.Message, command: command, state: undecided, lostByRestore: true})
	}
}
