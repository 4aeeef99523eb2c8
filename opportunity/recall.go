package opportunity

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Recall decides the changes of unknown fate in a batch from the record, read back.
// Call Recall only when no such change can be under way any more. Its answers are
// done or not sent when the record decides, and unknown otherwise.
//
// Added interests are the interests of the record that were not known before. The
// API makes the changes of one request in order. So the added interests must be the
// first ones of the request, item by item, and nothing else. When an interest is
// missing although a later change took effect, the API rejected the interest for a
// reason that got lost. It is not sent again. An interest stays unknown when the
// API may have made a later, different one in the same item after rejecting an
// earlier one. Quantity and unit amount, which some tenants let Oppflow read, may
// distinguish the two. Learners cannot be read back.
//
// A move counts as done when the record is in the target step, and as not sent when
// the record is in the step before. A move to the step before leads nowhere, since
// a transition is one between two steps (documented). Sent again, such a move is
// refused again.
//
// To set details or an expiry again does no harm, so these changes are not in
// doubt. Recall only notes that they were tried. Details are in doubt when a later
// change set the same details once more. An expiry counts as done when it shows, or
// when a later expiry that undid it was set. It is then unknown whether the first
// expiry was ever set, and nothing depends on it.
//
// resolved maps names of items to their ids.
func (s *State) Recall(batch []Mutation, answers []Answer, record Snapshot, resolved map[Name]ID) []Answer {
	decided := slices.Clone(answers)
	s.recallInterests(batch, decided, record, resolved)
	for i, m := range slices.Backward(batch) { // a later change that shows says something about the earlier ones
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

// tried notes on a request that its change is sent again although it may have
// happened.
func (s *Inbox) tried(m Mutation) {
	for i := range s.Queue {
		if s.Queue[i].Request == m.Request && m.isAsked() {
			s.Queue[i].Tried = true
		}
	}
}

// ranAfter reports whether a later change of the batch was made, so the change at i
// had its turn. Details or an expiry that show prove nothing.
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

// wish is a requested interest, reduced to the facts that distinguish it from
// others.
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

// fits reports whether the interest may be the requested one, by all facts that
// were read.
func (w wish) fits(ref InterestRef) bool {
	return ref.Item != "" && ref.Item == w.item &&
		(ref.Quantity == 0 || ref.Quantity == w.quantity) &&
		(ref.UnitAmount == nil || ref.UnitAmount.Equal(w.unitAmount))
}

// beginsOnly reports whether the interests there must be the first ones of those
// asked for. All facts that were read must say so, and no other choice may fit,
// except one that is equal in everything.
func beginsOnly(there []InterestRef, asked []wish) bool {
	if len(there) > len(asked) {
		return false
	}
	for n, ref := range there {
		if !asked[n].fits(ref) {
			return false
		}
	}
	// Each may be any that it fits, from its own index up to the last index that
	// leaves room for those after it. All of these must be equal.
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

// overwritten reports whether a later update of the batch, which the API made, set
// a detail of the update at i. To send the earlier update again would undo the
// later one.
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

// outlasted reports whether a later expiry of the batch, which the API set, now
// holds the places. To send the requested expiry at i again would undo the later
// one. An expiry that no caller asked for comes with new places. Such an expiry
// counts only when it is no shorter and the places are not just held as before.
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

// ask raises the question about the first request in doubt, and removes the
// question when no request is in doubt.
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

// retry handles the answer that it did not happen: send it again. A parked request
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
		return // cannot happen: applies has checked it
	}
	s.Queue[at].Doubt = false
	s.note(now, "an operator answered retry: "+s.Queue[at].Summary())
	s.ask(now)
}

// skip handles the answer to drop the request. The request fails with the type
// Skipped and the operator's reason.
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
			return // cannot happen: applies has checked it
		}
		skipped = s.Queue[at]
		s.Queue = slices.Delete(s.Queue, at, at+1)
	}
	s.note(now, "an operator answered skip: "+skipped.Summary())
	skipped.Silent = false // an operator knows already
	if parked && answer.undoes {
		s.moveEnded(skipped.Request, &Error{Type: Rejected}, now)
	}
	s.finish(skipped, &Error{Type: Skipped, Message: answer.Reason}, now)
	s.ask(now)
}

// doubts returns an error when no question about the request waits.
func (s *State) doubts(request string) error {
	if s.asksAboutCreate(request) || s.parked(request) >= 0 || s.isActive(request) {
		return nil
	}
	_, err := s.doubted(request)
	return err
}

// told reports whether attention of the name is only a notice: an operator can do
// no more than read it.
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
