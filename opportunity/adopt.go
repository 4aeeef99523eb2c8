package opportunity

import "time"

// Adopted takes over a record that was found by its mark. An earlier run made the
// record, or a request whose answer was lost. Interests of the record count as
// interests of the start when they match the start item by item and cannot be any
// other interests. An interest that contradicts the start, or may be a later one of
// the start, makes a question, since adding it again might double it.
func (s *State) Adopted(record Snapshot, region Named, resolved map[Name]ID, now time.Time) {
	start := s.Start
	s.Created(record, region, now)
	s.note(now, "found by its mark and taken over")
	if start == nil || len(start.Interests) == 0 || len(record.Interests) == 0 {
		s.Disown(record)
		return
	}
	entry := &s.Queue[0]
	entry.Results = make([]InterestResult, entry.Changes)
	asked := start.Mutations()
	wishes := make([]wish, len(asked))
	for i, m := range asked {
		wishes[i] = m.wish(resolved)
	}
	there := record.Interests[:min(len(record.Interests), len(asked))]
	for !beginsOnly(there, wishes) {
		entry.Doubt = true
		there = there[:len(there)-1]
	}
	for i, ref := range there {
		interest := *asked[i].Interest
		entry.Results[i] = InterestResult{Item: interest.Item, Interest: ref.ID}
		s.Interests = append(s.Interests, interest.held(ref.ID))
		// The request that sets the expiry may be the lost one.
		s.ExtendDue = s.ExtendDue || interest.Reserve && !record.Reservation.Valid
	}
	s.Disown(record)
	if entry.mutationsLeft() == 0 {
		finished := *entry
		s.Queue = s.Queue[1:]
		s.finish(finished, nil, now)
	}
	s.ask(now)
}

// Known takes over a record after a reset. The run before the reset may have made a
// part of the record. Known does not count any of its interests as part of the
// start.
func (s *State) Known(record Snapshot, region Named, now time.Time) {
	s.know(record, region)
	s.Entered, s.LastActivity = now, now
	s.note(now, "taken over in step "+record.Step.Name)
}

// TakenOver takes over the record that the start names. Its interests are shown,
// and never count as the effect of a request.
func (s *State) TakenOver(record Snapshot, region Named, now time.Time) {
	s.know(record, region)
	// It is unknown when the record came into its step. Follow-ups count from now, or from
	// the record's last change where the worker asked for that time.
	since := now
	if !record.Changed.IsZero() {
		since, s.AdoptedAt = earliest(record.Changed, now), now
	}
	s.Entered, s.LastActivity = since, since
	s.note(now, "taken over in step "+record.Step.Name)
	s.show(record)
}

// catchUpSpread is the time over which the first follow-ups of adopted records are spread.
const catchUpSpread = 3 * 24 * time.Hour

// CatchUpAt returns when a follow-up is due that was due before its record was adopted: at
// the adoption and the record's own part of three days. So thousands of records that are
// adopted together do not have their follow-ups in the same minute.
func CatchUpAt(id ID, adopted time.Time) time.Time {
	return adopted.Add(ownPart(id, catchUpSpread).Truncate(time.Second))
}

// CreateRequest is the request id of a question about the creation of the record
// itself.
const CreateRequest = "#create"

// AskAboutCreate asks an operator whether the record exists. because says why
// reading could not decide.
func (s *State) AskAboutCreate(because string, now time.Time) {
	s.Question = &Question{
		Request: CreateRequest, Verb: "start", Since: now,
		Text: "was the record created? Its fate is unknown: " + because +
			". Look in the TMS, then answer confirm with the id of the record (there is one: take it over), retry (there is none: create it) or skip (never mind: this run ends).",
	}
	s.Attend(AttentionUndecided, CreateRequest, s.Question.Text, now)
	s.note(now, "a question waits for an operator: was the record created?")
}

// answerCreate ends the question about the creation of the record.
func (s *State) answerCreate(text string, now time.Time) {
	s.Question = nil
	s.Calm(AttentionUndecided)
	s.note(now, text)
}

// asksAboutCreate reports whether the request is the create that is in question.
func (s *State) asksAboutCreate(request string) bool {
	return request == CreateRequest && s.ID == "" && s.Question != nil
}
