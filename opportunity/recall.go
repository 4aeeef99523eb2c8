package opportunity

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Recall decides, from the record read back, what became of the changes of
// unknown fate in a batch. It may be asked only once no such change can be
// under way any more. Its answers say done or not sent where the record
// decides, and unknown where it does not.
//
// Added interests are those the record has and nobody knew before; the API
// makes the changes of one request in order, so they must be a prefix of what
// was asked, item by item, and nothing but that prefix. One that is not there
// although a later change took effect was turned down, for a reason that got lost,
// and has had its turn. Where a later, different change in the same item may have
// made one, an earlier one having been turned down, it stays unknown, unless its
// quantity and unit amount, which some tenants let read, tell them apart; learners
// cannot be read back. A move counts as done when the record stands where it was
// to go, and as not sent when it stands where it stood; a move to where it stood
// leads nowhere, since a transition is one between two steps (documented), and
// sent again it is refused again. Setting details or an expiry again does no harm,
// so these are not in doubt, unless the same details were set once more after
// them; that they were tried is noted. An expiry counts as done where it shows, and
// where one behind it, which undid it, was set: whether it was ever set, nobody can
// tell then, and nothing depends on it.
//
// resolved tells the ids of items that were named otherwise.
func (s *State) Recall(batch []Mutation, answers []Answer, record Snapshot, resolved map[Name]ID) []Answer {
	decided := slices.Clone(answers)
	s.recallInterests(batch, decided, record, resolved)
	for i, m := range slices.Backward(batch) { // what shows of the later tells of the earlier
		if decided[i].Fate != FateUnknown {
			continue
		}
		switch {
		case m.Progress != nil:
			decided[i] = s.recallProgress(*m.Progress, record, resolved)
		case m.Update != nil && !overwritten(i, batch, decided):
			decided[i] = Answer{Fate: FateNotSent}
			s.tried(m)
		case m.Extend != nil && s.outlasted(i, batch, answers, decided, record):
			decided[i] = Answer{Fate: FateDone, Reservation: &Reservation{Valid: true, Until: m.Extend.Until}}
		case m.Extend != nil && !m.isAsked() && expiryShows(batch[:i], record):
			decided[i] = Answer{Fate: FateNotSent} // it would show
		case m.Extend != nil:
			decided[i] = recallExtend(*m.Extend, record)
			s.tried(m)
		}
	}
	for i, m := range batch {
		if m.Interest != nil && answers[i].Fate == FateUnknown && decided[i].Fate == FateNotSent && ranAfter(i, batch, answers, decided) {
			decided[i] = Answer{Fate: FateRejected, Error: Failf(Rejected, "the API did not add it, and went on to what came after it; its reason got lost")}
		}
	}
	return decided
}

// tried notes that the change a request asks for is sent again although it may
// have happened.
func (s *Inbox) tried(m Mutation) {
	for i := range s.Queue {
		if s.Queue[i].Request == m.Request && m.isAsked() {
			s.Queue[i].Tried = true
		}
	}
}

// ranAfter reports whether a later change of the batch was made, so that the one
// at i has had its turn. That details show, or an expiry, proves nothing.
func ranAfter(i int, batch []Mutation, answers, decided []Answer) bool {
	for j := i + 1; j < len(batch); j++ {
		shows := batch[j].Interest != nil || batch[j].Progress != nil
		if answers[j].Fate != FateUnknown || shows && decided[j].Fate == FateDone {
			return true
		}
	}
	return false
}

func (s *RecordState) recallInterests(batch []Mutation, decided []Answer, record Snapshot, resolved map[Name]ID) {
	known := s.knownInterests()
	var doubtful []int
	for i, m := range batch {
		switch {
		case m.Interest == nil:
		case decided[i].Fate == FateUnknown:
			doubtful = append(doubtful, i)
		case decided[i].Fate == FateDone && len(decided[i].Interests) > 0:
			known[decided[i].Interests[0].ID] = true
		}
	}
	var fresh []InterestRef
	for _, ref := range record.Interests {
		if !known[ref.ID] {
			fresh = append(fresh, ref)
		}
	}
	asked := make([]wish, len(doubtful))
	for n, i := range doubtful {
		asked[n] = batch[i].wish(resolved)
	}
	if !beginsOnly(fresh, asked) {
		return
	}
	for n, i := range doubtful {
		if n < len(fresh) {
			decided[i] = Answer{Fate: FateDone, Interests: fresh[n : n+1]}
		} else {
			decided[i] = Answer{Fate: FateNotSent}
		}
	}
}

// wish is an interest that was asked for, as far as it can be told from another.
type wish struct {
	item       ID // "" when it is not known
	quantity   int
	unitAmount Amount
	content    string
}

func (m Mutation) wish(resolved map[Name]ID) wish {
	w := wish{item: ID(m.Interest.Item), quantity: m.Interest.Quantity, unitAmount: m.Interest.UnitAmount}
	if names := m.Names(); len(names) > 0 {
		w.item = resolved[names[0]]
	}
	if data, err := json.Marshal(m.Interest); err == nil { // plain data
		w.content = string(data)
	}
	return w
}

// fits reports whether the interest may be what was asked for, by all that was
// read of it.
func (w wish) fits(ref InterestRef) bool {
	return ref.Item != "" && ref.Item == w.item &&
		(ref.Quantity == 0 || ref.Quantity == w.quantity) &&
		(ref.UnitAmount == nil || ref.UnitAmount.Equal(w.unitAmount))
}

// beginsOnly reports whether the interests there are must be the first ones of
// those asked for: all that was read of them says so, and fits no other choice
// among them but one that differs in nothing.
func beginsOnly(there []InterestRef, asked []wish) bool {
	if len(there) > len(asked) {
		return false
	}
	for n, ref := range there {
		if !asked[n].fits(ref) {
			return false
		}
	}
	// Each may be any that it fits from its own place up to the latest that leaves
	// room for those after it; all of these must be equal.
	last := len(asked)
	for n := len(there) - 1; n >= 0; n-- {
		for last--; !asked[last].fits(there[n]); {
			last--
		}
		for _, other := range asked[n : last+1] {
			if other.fits(there[n]) && other.content != asked[n].content {
				return false
			}
		}
	}
	return true
}

func (s *RecordState) recallProgress(asked Progress, record Snapshot, resolved map[Name]ID) Answer {
	switch record.Step.ID {
	case s.Step.ID:
		return Answer{Fate: FateNotSent}
	case asked.target(resolved):
		return Answer{Fate: FateDone, Step: &record.Step}
	}
	return Answer{Fate: FateUnknown}
}

// overwritten reports whether a later update of the batch, which the API did, set
// a detail that the update at i sets: sending that again would undo the later.
func overwritten(i int, batch []Mutation, answers []Answer) bool {
	update := batch[i].Update
	for n := i + 1; n < len(batch); n++ {
		later := batch[n].Update
		if later == nil || answers[n].Fate != FateDone {
			continue
		}
		if update.Name != "" && later.Name != "" || update.Account != "" && later.Account != "" || update.Currency != "" && later.Currency != "" {
			return true
		}
	}
	return false
}

// outlasted reports whether the places are held by a later expiry of the batch,
// which the API set: sending the one asked for at i again would undo it. One that
// was not asked for, but comes with places just taken, only counts where it is no
// shorter, and where the places are not just held as they were before.
func (s *RecordState) outlasted(i int, batch []Mutation, answers, decided []Answer, record Snapshot) bool {
	asked := batch[i].Extend.Until
	changed := record.Reservation.Valid != s.Reservation.Valid || !record.Reservation.Until.Equal(s.Reservation.Until)
	for n := i + 1; n < len(batch) && !asked.IsZero(); n++ {
		held := decided[n].Reservation
		if batch[n].Extend == nil || decided[n].Fate != FateDone || held == nil || !held.Valid {
			continue
		}
		if batch[n].isAsked() || !held.Until.Before(asked) && (changed || answers[n].Fate == FateDone) {
			return true
		}
	}
	return false
}

// expiryShows reports whether the places are held as one of these changes asked.
func expiryShows(batch []Mutation, record Snapshot) bool {
	return slices.ContainsFunc(batch, func(m Mutation) bool {
		return m.Extend != nil && m.isAsked() && m.Extend.missed(&record.Reservation) == nil
	})
}

func recallExtend(asked Extend, record Snapshot) Answer {
	held := record.Reservation
	done := held.Valid && !held.Until.IsZero() && !held.Until.Before(asked.NotBefore)
	switch {
	case asked.Release:
		done = !held.Valid
	case !asked.Until.IsZero():
		done = asked.missed(&held) == nil
	}
	if done {
		return Answer{Fate: FateDone, Reservation: &held}
	}
	return Answer{Fate: FateNotSent}
}

// ask puts the question about the first request in doubt, or takes it back when
// there is none.
func (s *State) ask(now time.Time) {
	at := slices.IndexFunc(s.Queue, func(e Entry) bool { return e.Doubt })
	if at < 0 {
		s.Question = nil
		s.Calm(AttentionUndecided)
		return
	}
	e := s.Queue[at]
	if s.Question != nil && s.Question.Request == e.Request {
		return
	}
	s.Calm(AttentionUndecided)
	s.Question = &Question{
		Request: e.Request, Verb: e.Verb, Since: now,
		Text: fmt.Sprintf("did %q happen? Its fate is unknown and reading the record could not tell. "+
			"Look at the record in the TMS, then answer confirm (it did happen), retry (it did not) or skip (never mind).", e.Summary()),
	}
	s.Attend(AttentionUndecided, e.Request, s.Question.Text, now)
	s.note(now, "a question waits for an operator: "+e.Summary())
}

// retry answers the question: it did not happen, send it again. What was parked
// is sent before all that waits.
func (s *State) retry(answer Retry, now time.Time) {
	if s.asksAboutCreate(answer.Request) {
		s.answerCreate("an operator answered retry: create the record", now)
		s.CreateAnyway = true
		return
	}
	if e, parked := s.unpark(answer.Request); parked {
		s.Queue = slices.Insert(s.Queue, 0, e)
		s.note(now, "an operator answered retry: "+e.Summary())
		return
	}
	if s.isActive(answer.Request) {
		s.retryJob(answer.Request, now)
		return
	}
	at, err := s.doubted(answer.Request)
	if err != nil {
		return // asked before
	}
	s.Queue[at].Doubt = false
	s.note(now, "an operator answered retry: "+s.Queue[at].Summary())
	s.ask(now)
}

// skip answers the question: never mind. The request ends as
// failed with the type Skipped and the operator's reason.
func (s *State) skip(answer Skip, now time.Time) {
	if s.asksAboutCreate(answer.Request) {
		s.answerCreate("an operator answered skip: do not create the record", now)
		s.CreateSkipped = &Error{Type: Skipped, Message: answer.Reason}
		return
	}
	if s.isActive(answer.Request) {
		s.skipJob(answer.Request, answer.Reason, now)
		return
	}
	if s.told(answer.Request) {
		s.calmAbout(AttentionFollowUp, answer.Request)
		s.calmAbout(AttentionPlaybook, answer.Request)
		s.calmAbout(AttentionEffect, answer.Request)
		s.note(now, "an operator has seen: "+clip(answer.Request, 60))
		return
	}
	skipped, parked := s.unpark(answer.Request)
	if !parked {
		at, err := s.doubted(answer.Request)
		if err != nil {
			return // asked before
		}
		skipped = s.Queue[at]
		s.Queue = slices.Delete(s.Queue, at, at+1)
	}
	s.note(now, "an operator answered skip: "+skipped.Summary())
	skipped.Silent = false // a human knows already
	if parked && answer.undoes {
		s.moveEnded(skipped.Request, &Error{Type: Rejected}, now)
	}
	s.finish(skipped, &Error{Type: Skipped, Message: answer.Reason}, now)
	s.ask(now)
}

// doubts reports why no answer to a question about the request is wanted.
func (s *State) doubts(request string) error {
	if s.asksAboutCreate(request) || s.parked(request) >= 0 || s.isActive(request) {
		return nil
	}
	_, err := s.doubted(request)
	return err
}

// told reports whether attention was raised under the name that an operator can but
// take note of.
func (s *State) told(request string) bool {
	return slices.ContainsFunc(s.Attention, func(a Attention) bool {
		return a.Request == request && (a.Word == AttentionFollowUp || a.Word == AttentionPlaybook || a.Word == AttentionEffect && s.job(request) == nil)
	})
}

func (s *Inbox) doubted(request string) (int, error) {
	at := slices.IndexFunc(s.Queue, func(e Entry) bool { return e.Request == request && e.Doubt })
	if at < 0 {
		return 0, Failf(NotFound, "no question about request %q waits", clip(request, 60))
	}
	return at, nil
}
