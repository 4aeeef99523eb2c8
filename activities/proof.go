package activities

import (
	"slices"

	"github.com/oppflow/oppflow/opportunity"
)

// A result proves itself: the result names its subject, and its zero value proves
// nothing. Anybody may complete an activity by hand, with any result. A result of a newer
// or older worker may lack a member that this worker looks for.

// About returns the subject of the change: the reference of the opportunity.
func (in CreateInput) About() string { return string(in.Reference) }

// About returns the subject of the change: the record.
func (in ApplyInput) About() string { return string(in.Opportunity) }

// About returns the subject of the change: the record.
func (in MarkInput) About() string { return string(in.Opportunity) }

// About returns the subject of the inspection or the change: the key of the effect.
func (in EffectInput) About() string { return in.Effect.Key }

// Outcome returns the part of a result that holds the fate of a change.
func (s *Sending) Outcome() *Sending { return s }

// proves reports whether s proves the fate of the change with the subject about. A result
// without About counts by its other members.
func (s Sending) proves(about string) bool {
	if s.About != "" && s.About != about {
		return false
	}
	switch s.Fate {
	case opportunity.FateDone, opportunity.FateUnknown:
		return true
	case opportunity.FateRejected:
		return s.Error != nil
	case opportunity.FateNotSent:
		return s.Reason != ""
	}
	return false
}

// Proves reports whether s proves the fate of the mark that in asks for.
func (s Sending) Proves(in MarkInput) bool { return s.proves(in.About()) }

// Proves reports whether r proves the fate of the record that in asks for.
func (r CreateResult) Proves(in CreateInput) bool {
	return r.proves(in.About()) && (r.Fate != opportunity.FateDone || r.Record.ID != "")
}

// Proves reports whether r proves the fate of the changes that in asks for; each change
// needs an answer.
func (r ApplyResult) Proves(in ApplyInput) bool {
	return r.proves(in.About()) && (r.Fate != opportunity.FateDone || len(r.Answers) == len(in.Mutations))
}

// AnswerProves reports whether the answer proves the fate of the change. The content of
// the record proves a change that was made: the step of a move, the details of an update,
// and until when places are held.
func AnswerProves(answer opportunity.Answer, change opportunity.Mutation) bool {
	switch answer.Fate {
	case opportunity.FateRejected, opportunity.FateNotSent, opportunity.FateUnknown:
		return true
	case opportunity.FateDone:
		return (change.Progress == nil || answer.Step != nil && answer.Step.ID != "") &&
			(change.Update == nil || answer.Details != nil) &&
			(change.Extend == nil || answer.Reservation != nil)
	}
	return false
}

// Proves reports whether r proves the fate of the act that in asks for.
func (r CarryOutResult) Proves(in EffectInput) bool { return r.proves(in.About()) }

// Proves reports whether r holds the record that in requests.
func (r ReadResult) Proves(in ReadInput) bool {
	return r.Record.ID == in.Opportunity && (in.After != "" || r.Owner != "" && r.Record.Step.ID != "")
}

// Proves reports whether r proves which records carry the mark of the reference in in.
func (r FindResult) Proves(in FindInput) bool {
	if r.Reference == "" {
		return r.Blind || r.Region.ID != ""
	}
	return r.Reference == in.Reference
}

// Proves reports whether r holds the meaning of each name that in asks for.
func (r ResolveResult) Proves(in ResolveInput) bool {
	return slices.EqualFunc(r.Resolved, in.Names, func(one opportunity.Resolved, name opportunity.Name) bool {
		return one.Name == name && (one.ID != "" || one.Error != nil)
	})
}

// Proves reports whether r is the plan for the record in in.
func (r PlanResult) Proves(in PlanInput) bool { return r.Record.ID == in.Opportunity }

// Proves reports whether r says what the effect of in still needs. A result without About
// counts when it names the run that asked.
func (r InspectResult) Proves(in EffectInput) bool {
	if r.About == "" {
		return r.Run != ""
	}
	return r.About == in.About()
}
