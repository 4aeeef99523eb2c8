package entity

import (
	"cmp"
	"slices"
	"time"

	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// RecordState is what the run knows of the record in the TMS.
type RecordState struct {
	// Start is the message start of the run, or nil after the record was created or adopted.
	// StartDigest stays set after the record was created or adopted.
	Start       *opportunity.Start `json:"start,omitempty"`
	StartDigest string             `json:"startDigest"`

	// ID is the record's id in the TMS, or "" while there is no record.
	ID      opportunity.ID      `json:"id,omitempty"`
	Details opportunity.Details `json:"details"`
	Step    opportunity.Step    `json:"step,omitzero"`
	// StepSeenAt is when the record was last seen in Step, by this run or by the sender of a refresh;
	// zero when unknown. StepUnconfirmed says that a progress command ended and that its target step
	// may be the step of the record.
	StepSeenAt      time.Time                      `json:"stepSeen,omitzero"`
	StepUnconfirmed bool                           `json:"stepUnconfirmed,omitempty"`
	Interests       []opportunity.RecordedInterest `json:"interests,omitempty"`
	Reservation     opportunity.Reservation        `json:"reservation,omitzero"`
	// ExpiryPending says that places were requested and no expiry has been set yet.
	ExpiryPending bool `json:"extendDue,omitempty"`
	// Unattributed are interests of the record that no known request has made.
	Unattributed []opportunity.ID `json:"foreign,omitempty"`
	// InterestsAfterBackup are interests of the record that an unknown sender requested after the
	// backup from which Temporal's database was restored.
	InterestsAfterBackup []exchange.InterestRef `json:"unclaimed,omitempty"`
	// Attendees are the people to register. Attendees are stored only while the playbook may
	// register them.
	Attendees []exchange.Attendee `json:"attendees,omitempty"`
	// CancelledEvents and SoldOutEvents are the events that a read showed as cancelled or sold out.
	CancelledEvents []opportunity.ID `json:"cancelledEvents,omitempty"`
	SoldOutEvents   []opportunity.ID `json:"soldOutEvents,omitempty"`
	// Entered is the time at which the record entered its step. LastActivity is the time of the
	// last activity other than a follow-up. Entered and LastActivity are zero when the times are
	// unknown.
	Entered      time.Time `json:"entered,omitzero"`
	LastActivity time.Time `json:"lastActivity,omitzero"`
	// AdoptedAt is the time of the adoption if the times of follow-ups are calculated from the
	// record's last change, and zero otherwise.
	AdoptedAt time.Time `json:"adoptedAt,omitzero"`
	// RecordSeenAt is the time of the last response that contained the whole record, if the state
	// is still equal to that record. RecordSeenAt is zero when the record may have changed since
	// the last response.
	RecordSeenAt time.Time `json:"recordSeen,omitzero"`
}

// setContacts stores the contacts that were found or created for attendees, and removes the names
// of these attendees.
func (s *RecordState) setContacts(contacts []opportunity.ID) {
	for i, contact := range contacts {
		if i < len(s.Attendees) && contact != "" {
			s.Attendees[i].Contact, s.Attendees[i].Person = contact, nil
		}
	}
}

// HasReservation reports whether the opportunity has reserved places, or may have reserved places.
func (s *RecordState) HasReservation() bool {
	return s.ExpiryPending || s.Reservation.Valid
}

func (s *RecordState) setDetails(d opportunity.Details) {
	s.Details.Name = cmp.Or(d.Name, s.Details.Name)
	s.Details.Region = cmp.Or(d.Region, s.Details.Region)
	s.Details.Account = cmp.Or(d.Account, s.Details.Account)
	s.Details.Currency = cmp.Or(d.Currency, s.Details.Currency)
}

// If the effect was undone, setAccount removes the account.
func (s *RecordState) setAccount(j ActiveEffect) {
	if j.IsUndo() {
		if slices.ContainsFunc(j.UndoEntry.Objects, func(r opportunity.TouchedObject) bool { return r.Reverted && r.ID == s.Details.Account.ID }) {
			s.Details.Account = opportunity.Ref{}
		}
		return
	}
	name := ""
	if settings := exchange.SettingsOf[exchange.EnsureAccount](j.Effect.Settings); settings != nil {
		name = settings.Name
	}
	for _, record := range j.UndoEntry.Objects {
		if record.Kind == opportunity.ObjectAccount && record.ID != s.Details.Account.ID {
			s.Details.Account = opportunity.Ref{ID: record.ID, Name: name}
		}
	}
}

// When the record returns to the step before a transition by hand, setStep forgets this transition.
func (s *State) setStep(step opportunity.Step, now time.Time) {
	if step.ID != s.Step.ID {
		s.Entered, s.StepBeforeReset = now, false
	}
	s.Step, s.StepSeenAt, s.StepUnconfirmed = step, now, false
	if s.ManualTransition != nil && s.ManualTransition.From.ID == step.ID {
		s.ManualTransition = nil
		s.appendTimeline(now, "the record is back in step "+step.Name+", so the transition by hand has no effects")
	}
}

// MarkUnattributed stores the interests of the record that no known request has made, so that
// these interests never count as the effect of a later request.
func (s *RecordState) MarkUnattributed(record exchange.Snapshot) {
	known := s.knownInterestIDs()
	for _, ref := range record.Interests {
		if !known[ref.ID] && len(s.Unattributed) < opportunity.MaxInterests {
			s.Unattributed = append(s.Unattributed, ref.ID)
		}
	}
}

// addUnknownInterests adds those interests of the record that the view does not show yet, and
// returns their number. The added interests never count as the effect of a request.
func (s *RecordState) addUnknownInterests(record exchange.Snapshot) int {
	shown := make(map[opportunity.ID]bool, len(s.Interests))
	for _, held := range s.Interests {
		shown[held.ID] = true
	}
	found := 0
	for _, ref := range record.Interests {
		if shown[ref.ID] || len(s.Interests) >= opportunity.MaxInterests {
			continue
		}
		shown[ref.ID] = true
		s.Interests = append(s.Interests, ref.Recorded())
		found++
	}
	s.Unattributed = slices.DeleteFunc(s.Unattributed, func(id opportunity.ID) bool { return shown[id] })
	s.MarkUnattributed(record)
	return found
}

// applyInterestValues stores the quantities and the unit amounts of the record, and returns the
// number of interests whose values changed. A value that the API did not return stays as it was
// requested, and is marked as requested.
func (s *RecordState) applyInterestValues(record exchange.Snapshot) int {
	shown := make(map[opportunity.ID]exchange.InterestRef, len(record.Interests))
	for _, ref := range record.Interests {
		shown[ref.ID] = ref
	}
	changed := 0
	for i := range s.Interests {
		held := &s.Interests[i]
		ref, found := shown[held.ID]
		if !found {
			continue
		}
		held.AsRequested = held.Quantity != 0 && (ref.Quantity == 0 || ref.UnitAmount == nil)
		differs := false
		if ref.Quantity != 0 && ref.Quantity != held.Quantity {
			if held.Places == opportunity.PlacesHeld && ref.Quantity > held.Quantity {
				held.Places = opportunity.PlacesNotKnown
			}
			held.Quantity, differs = ref.Quantity, true
		}
		if ref.UnitAmount != nil && !ref.UnitAmount.Equal(held.UnitAmount) {
			held.UnitAmount, differs = *ref.UnitAmount, true
		}
		if differs {
			changed++
		}
	}
	return changed
}

func (s *RecordState) knownInterestIDs() map[opportunity.ID]bool {
	known := make(map[opportunity.ID]bool, len(s.Interests)+len(s.Unattributed))
	for _, held := range s.Interests {
		known[held.ID] = true
	}
	for _, id := range s.Unattributed {
		known[id] = true
	}
	return known
}

// Total returns the sum of quantity times unit amount over all interests, before tax and discounts.
func (s *RecordState) Total() opportunity.Amount {
	var total opportunity.Amount
	for _, held := range s.Interests {
		total = total.Add(held.UnitAmount.Times(held.Quantity))
	}
	return total
}

// HasLostInterest reports whether the record no longer has an interest that the state contains.
func (s *RecordState) HasLostInterest(record exchange.Snapshot) bool {
	return slices.ContainsFunc(s.Interests, func(held opportunity.RecordedInterest) bool { return !record.HasInterest(held.ID) })
}

// applyRequestEnd counts the end of a request as activity. If the request may have reserved places
// without an expiry, applyRequestEnd makes an expiry due. A progress that the API did not confirm may
// have changed the step.
func (s *RecordState) applyRequestEnd(e requestEnd) {
	s.LastActivity = e.at
	s.ExpiryPending = s.ExpiryPending || e.needsExpiry
	s.StepUnconfirmed = s.StepUnconfirmed || e.command.MessageName == opportunity.MessageProgress && (e.confirmed || e.command.InDoubt)
}

// setRegistrations stores which attendees the complete effect registered, and which attendees were
// registered before the effect.
func (s *RecordState) setRegistrations(j ActiveEffect) {
	for _, o := range j.UndoEntry.Objects {
		if o.Kind != opportunity.ObjectLearner {
			continue
		}
		for i := range s.Attendees {
			a := &s.Attendees[i]
			switch {
			case a.Event != o.Event || a.Contact != o.Contact:
			case o.Reverted && a.Learner == o.ID:
				a.Learner = ""
			case o.Created && !o.Reverted:
				a.Learner = o.ID
			case !o.Created && a.Learner != o.ID:
				a.RegisteredBefore = true
			}
		}
	}
}

// addAttendees stores the people to register, if the playbook may register them. addAttendees
// raises attention for people beyond MaxAttendeeBytes, and for people whose event is unknown.
func (s *State) addAttendees(asked opportunity.Interest, ref exchange.InterestRef, now time.Time) {
	if !s.Playbook.Learners || asked.ResolvedKind() != opportunity.Event {
		return
	}
	event := ref.Item
	if event == "" && opportunity.ID(asked.Item).Type() == opportunity.TypeEvent {
		event = opportunity.ID(asked.Item)
	}
	taken := exchange.JSONSize(s.Attendees)
	add := func(a exchange.Attendee) {
		a.Interest, a.Event = ref.ID, event
		if taken += exchange.JSONSize(a); event == "" || taken > opportunity.MaxAttendeeBytes {
			s.RaiseAttention(opportunity.AttentionEffect, string(ref.ID), "some attendees could not be stored; register the attendees of this interest by hand", now)
			return
		}
		s.Attendees = append(s.Attendees, a)
	}
	for _, learner := range asked.Learners {
		add(exchange.Attendee{Person: &learner})
	}
	for _, contact := range asked.Contacts {
		add(exchange.Attendee{Contact: contact})
	}
}
