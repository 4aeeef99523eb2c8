package entity

import "github.com/oppflow/oppflow/opportunity"

// FairnessKey returns the fairness key with which Temporal dispatches the activities of many
// opportunities in turn. The fairness key is the source of the start or, when the start is no
// longer stored, the source of the first command. Without a source, the fairness key is the region
// or "".
func (s *State) FairnessKey() string {
	source := ""
	switch {
	case s.Start != nil:
		return s.Start.FairnessKey()
	case len(s.Queue) > 0:
		source = s.Queue[0].Source()
	}
	if source == "" {
		source = s.Details.Region.Name
	}
	if source == "" {
		source = string(s.Details.Region.ID)
	}
	return opportunity.TruncateBytes(source)
}

// IsUrgent reports whether the start is urgent. The records of urgent starts are created before the
// records of other starts.
func (s *State) IsUrgent() bool { return s.Start != nil && s.Start.Urgent }
