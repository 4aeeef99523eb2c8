package opportunity

import "time"

// addAttendees keeps the people to be trained, for a playbook that may register them.
// People for whom there is no room are left to an operator.
func (s *State) addAttendees(asked Interest, ref InterestRef, now time.Time) {
	if !s.Playbook.Learners || asked.ResolvedKind() != Event {
		return
	}
	event := ref.Item
	if event == "" && ID(asked.Item).Type() == TypeEvent {
		event = ID(asked.Item)
	}
	taken := jsonSize(s.Attendees)
	add := func(a Attendee) {
		a.Interest, a.Event = ref.ID, event
		if taken += jsonSize(a); event == "" || taken > MaxAttendeeBytes {
			s.RaiseAttention(AttentionEffect, string(ref.ID), "not everybody who is to be trained could be kept; register those of this interest by hand", now)
			return
		}
		s.Attendees = append(s.Attendees, a)
	}
	for _, learner := range asked.Learners {
		add(Attendee{Person: &learner})
	}
	for _, contact := range asked.Contacts {
		add(Attendee{Contact: contact})
	}
}
