package opportunity

import (
	"slices"
	"time"
)

// RecordState is the known state of the record in the TMS.
type RecordState struct {
	// Start is the run's start, until the record exists; StartDigest stays after that.
	Start       *Start `json:"start,omitempty"`
	StartDigest string `json:"startDigest"`

	// ID is the record's id in the TMS, "" until it exists.
	ID          ID          `json:"id,omitempty"`
	Details     Details     `json:"details"`
	Step        Step        `json:"step,omitzero"`
	Interests   []Held      `json:"interests,omitempty"`
	Reservation Reservation `json:"reservation,omitzero"`
	// ExtendDue says that places were requested and no expiry has been set yet.
	ExtendDue bool `json:"extendDue,omitempty"`
	// Foreign are interests of the record that no known request of ours has made.
	Foreign []ID `json:"foreign,omitempty"`
	// Unclaimed are interests of the record that were requested after the backup from
	// which Temporal's database was restored. It is unknown who requested them.
	Unclaimed []InterestRef `json:"unclaimed,omitempty"`
	// Attendees are the people to be trained, as long as a playbook may register them.
	Attendees []Attendee `json:"attendees,omitempty"`
	// CancelledEvents are the events known to be cancelled, SoldOutEvents the events
	// known to have sold out.
	CancelledEvents []ID `json:"cancelledEvents,omitempty"`
	SoldOutEvents   []ID `json:"soldOutEvents,omitempty"`
	// Entered is when the record came into its step, LastActivity the time of the last
	// activity other than a follow-up; both are zero when unknown.
	Entered      time.Time `json:"entered,omitzero"`
	LastActivity time.Time `json:"lastActivity,omitzero"`
	// AdoptedAt is when the record was adopted, where its follow-ups count from the record's
	// own time of last change. It is zero for all other records.
	AdoptedAt time.Time `json:"adoptedAt,omitzero"`
}

// identify stores the contacts of attendees, and drops their names.
func (s *RecordState) identify(contacts []ID) {
	for i, contact := range contacts {
		if i < len(s.Attendees) && contact != "" {
			s.Attendees[i].Contact, s.Attendees[i].Person = contact, nil
		}
	}
}

func (s *RecordState) holdsPlaces() bool {
	return s.ExtendDue || s.Reservation.Valid
}

// knowAccount stores which account the opportunity has, or that it lost the account.
func (s *RecordState) knowAccount(j Job) {
	if j.Undoes() {
		if slices.ContainsFunc(j.Trace.Records, func(r Record) bool { return r.Gone && r.ID == s.Details.Account.ID }) {
			s.Details.Account = Named{}
		}
		return
	}
	for _, record := range j.Trace.Records {
		if record.Kind == RecordAccount && record.ID != s.Details.Account.ID {
			s.Details.Account = Named{ID: record.ID, Name: j.Effect.Account.Name}
		}
	}
}

// stand stores the opportunity's step, and since when it is there.
func (s *RecordState) stand(step Step, now time.Time) {
	if step.ID != s.Step.ID {
		s.Entered = now
	}
	s.Step = step
}

// Disown stores the interests of the record that no known request has made, so that they
// never count as the effect of a later request.
func (s *RecordState) Disown(record Snapshot) {
	known := s.knownInterests()
	for _, ref := range record.Interests {
		if !known[ref.ID] && len(s.Foreign) < MaxInterests {
			s.Foreign = append(s.Foreign, ref.ID)
		}
	}
}

// show adds interests of the record that the view does not show yet, and returns how
// many. They never count as the effect of a request.
func (s *RecordState) show(record Snapshot) int {
	shown := make(map[ID]bool, len(s.Interests))
	for _, held := range s.Interests {
		shown[held.ID] = true
	}
	found := 0
	for _, ref := range record.Interests {
		if shown[ref.ID] || len(s.Interests) >= MaxInterests {
			continue
		}
		shown[ref.ID] = true
		s.Interests = append(s.Interests, ref.held())
		found++
	}
	s.Foreign = slices.DeleteFunc(s.Foreign, func(id ID) bool { return shown[id] })
	s.Disown(record)
	return found
}

// knownInterests returns the ids that cannot belong to an interest just added.
func (s *RecordState) knownInterests() map[ID]bool {
	known := make(map[ID]bool, len(s.Interests)+len(s.Foreign))
	for _, held := range s.Interests {
		known[held.ID] = true
	}
	for _, id := range s.Foreign {
		known[id] = true
	}
	return known
}

// Total returns the sum over the interests of quantity times unit amount, before tax and
// discounts.
func (s *RecordState) Total() Amount {
	var total Amount
	for _, held := range s.Interests {
		total = total.Add(held.UnitAmount.Times(held.Quantity))
	}
	return total
}

// Lacks reports whether the record lacks an interest that it had.
func (s *RecordState) Lacks(record Snapshot) bool {
	return slices.ContainsFunc(s.Interests, func(held Held) bool { return !record.has(held.ID) })
}

// requestEnded counts as activity; places that the request may have taken get an expiry.
func (s *RecordState) requestEnded(e requestEnded) {
	s.LastActivity = e.at
	s.ExtendDue = s.ExtendDue || e.unheld
}
