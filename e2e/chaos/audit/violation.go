package audit

import (
	"fmt"

	"github.com/oppflow/oppflow/opportunity"
)

// Kind is the kind of a violation: the way in which a promise was broken.
type Kind string

// The kinds of violations.
const (
	// Lost: an accepted message took no effect, and no outcome reports the message failed.
	Lost Kind = "lost"
	// Duplicated: a message took effect more than once.
	Duplicated Kind = "doubled"
	// Reordered: two messages took effect in another order than the order of their acceptance.
	Reordered Kind = "swapped"
	// WrongOpportunity: a message took effect on the record of a reference other than the reference
	// of the message.
	WrongOpportunity Kind = "wrong-opportunity"
	// ReportedFailedButDone: a message took effect although the message is reported failed.
	ReportedFailedButDone Kind = "reported-failed-but-done"
	// ReportedDoneButMissing: a message took no effect although the message is reported done.
	ReportedDoneButMissing Kind = "reported-done-but-not"
	// OrphanRecord: a record belongs to no reference, or to several references.
	OrphanRecord Kind = "orphan-record"
	// OrphanInterest: the record has an interest that no accepted message requested.
	OrphanInterest Kind = "orphan-interest"
	// OrphanReservation: places are reserved although no message requested the reservation, or
	// although a run ended and had to release the places.
	OrphanReservation Kind = "orphan-reservation"
	// TooManyQuestions: too large a share of the messages ended with a question to an operator.
	TooManyQuestions Kind = "too-many-questions"
	// ReadableQuestion: a question is about a change whose result the record shows.
	ReadableQuestion Kind = "readable-question"
	// Concurrent: two changes of one record were under way at the same time.
	Concurrent Kind = "overlapped"
	// UnexplainedWait: an accepted message waited longer than maxUnexplainedWait without a reason.
	UnexplainedWait Kind = "silent"
	// EffectMissing: an effect has ended, but its object does not exist.
	EffectMissing Kind = "effect-missing"
	// EffectDuplicated: an effect created an object more than once.
	EffectDuplicated Kind = "effect-doubled"
	// EffectOrphan: an effect created an object that the record does not ask for.
	EffectOrphan Kind = "effect-orphan"
)

// Kinds returns all kinds of violations.
func Kinds() []Kind {
	return []Kind{
		Lost, Duplicated, Reordered, WrongOpportunity, ReportedFailedButDone, ReportedDoneButMissing,
		OrphanRecord, OrphanInterest, OrphanReservation, TooManyQuestions, ReadableQuestion, Concurrent, UnexplainedWait,
		EffectMissing, EffectDuplicated, EffectOrphan,
	}
}

// Violation is one broken promise.
type Violation struct {
	Kind      Kind                  `json:"kind"`
	Reference opportunity.Reference `json:"reference,omitempty"`
	// Request is the id of the message; "" if the violation concerns no message or several
	// messages.
	Request string `json:"request,omitempty"`
	Text    string `json:"text"`
}

// String returns the violation as one line of text.
func (v Violation) String() string {
	text := string(v.Kind)
	if v.Reference != "" {
		text += " " + string(v.Reference)
	}
	if v.Request != "" {
		text += " request " + v.Request
	}
	return fmt.Sprintf("%s: %s", text, v.Text)
}
