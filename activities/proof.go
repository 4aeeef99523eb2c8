package activities

import (
	"slices"

	"github.com/oppflow/oppflow/exchange"
)

// The Proves methods check the results of activities, because a person may complete an activity by
// hand with any result. A worker of another version may also return a result without a member that
// the workflow requires.

// Subject returns the subject of the change: the reference of the opportunity.
func (in CreateInput) Subject() string { return string(in.Reference) }

// Subject returns the subject of the change: the record.
func (in ApplyInput) Subject() string { return string(in.Opportunity) }

// Subject returns the subject of the change: the record.
func (in TagInput) Subject() string { return string(in.Opportunity) }

// Subject returns the subject of the inspection or the change: the key of the effect.
func (in EffectInput) Subject() string { return in.Effect.Key }

// AsCallResult returns the part of a result that contains the status of a change.
func (s *CallResult) AsCallResult() *CallResult { return s }

func (s CallResult) proves(about string) bool {
	if s.Subject != "" && s.Subject != about {
		return false
	}
	switch s.Status {
	case exchange.StatusDone, exchange.StatusUnknown:
		return true
	case exchange.StatusRejected:
		return s.Error != nil
	case exchange.StatusNotSent:
		return s.Reason != ""
	}
	return false
}

// Proves reports whether s proves the status of the tagging that the input requests.
func (s CallResult) Proves(in TagInput) bool { return s.proves(in.Subject()) }

// Proves reports whether r proves the status of the creation that the input requests.
func (r CreateResult) Proves(in CreateInput) bool {
	return r.proves(in.Subject()) && (r.Status != exchange.StatusDone || r.Record.ID != "")
}

// Proves reports whether r proves the status of the changes that the input requests.
func (r ApplyResult) Proves(in ApplyInput) bool {
	return r.proves(in.Subject()) && (r.Status != exchange.StatusDone || len(r.Results) == len(in.Changes))
}

// ProvesChange reports whether answer proves the status of the change.
func ProvesChange(answer exchange.ChangeResult, change exchange.Change) bool {
	switch answer.Status {
	case exchange.StatusRejected, exchange.StatusNotSent, exchange.StatusUnknown:
		return true
	case exchange.StatusDone:
		return (change.Progress == nil || answer.Step != nil && answer.Step.ID != "") &&
			(change.Update == nil || answer.Details != nil) &&
			(change.ReservationChange == nil || answer.Reservation != nil)
	}
	return false
}

// Proves reports whether r proves the status of the request that in contains, and of the request of
// each effect in Ahead. A status of not sent or unknown without results for Ahead applies to all
// requests.
func (r ExecuteResult) Proves(in EffectInput) bool {
	isForAll := len(r.Ahead) == 0 && (r.Status == exchange.StatusNotSent || r.Status == exchange.StatusUnknown)
	return r.proves(in.Subject()) && (isForAll || slices.EqualFunc(r.Ahead, in.Ahead, func(one ExecuteResult, ahead EffectAhead) bool {
		return one.Subject != "" && one.proves(ahead.Effect.Key)
	}))
}

// Proves reports whether r contains the record that the input requests.
func (r ReadResult) Proves(in ReadInput) bool {
	return r.Record.ID == in.Opportunity && (in.After != "" || r.TagOwner != "" && r.Record.Step.ID != "")
}

// Proves reports whether r proves which records have the tag of the reference in the input.
func (r FindResult) Proves(in FindInput) bool {
	if r.Reference == "" {
		return r.TagDisabled || r.Region.ID != ""
	}
	return r.Reference == in.Reference
}

// Proves reports whether r contains the id or the error of each name in the input.
func (r ResolveResult) Proves(in ResolveInput) bool {
	return slices.EqualFunc(r.ResolvedNames, in.Names, func(one exchange.ResolvedName, name exchange.UnresolvedName) bool {
		return one.UnresolvedName == name && (one.ID != "" || one.Error != nil)
	})
}

// Proves reports whether r is the plan for the record in the input.
func (r PlanResult) Proves(in PlanInput) bool { return r.Record.ID == in.Opportunity }

// Proves reports whether r says what the effect in the input still needs. A result without Subject
// counts as proof if the result has a run id.
func (r InspectResult) Proves(in EffectInput) bool {
	if r.Subject == "" {
		return r.RunID != ""
	}
	return r.Subject == in.Subject()
}
