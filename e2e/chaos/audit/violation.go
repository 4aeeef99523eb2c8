package audit

import (
	"fmt"

	"github.com/oppflow/oppflow/opportunity"
)

// Kind is a way in which a promise can be broken.
type Kind string

// The kinds of violations.
const (
	// Lost: an accepted message took no effect, and no outcome reports that.
	Lost Kind = "lost"
	// Duplicated: a message took effect more than once.
	Duplicated Kind = "doubled"
	// Reordered: two messages took effect in another order than the order of their acceptance.
	Reordered Kind = "swapped"
	// WrongOpportunity: a message took effect on the record of another reference.
	WrongOpportunity Kind = "wrong-opportunity"
	// ReportedFailedButDone: a message that is reported failed took effect.
	ReportedFailedButDone Kind = "reported-failed-but-done"
	// ReportedDoneButMissing: a message that is reported done took no effect.
	ReportedDoneButMissing Kind = "reported-done-but-not"
	// OrphanRecord: a record belongs to no reference, or to several references.
	OrphanRecord Kind = "orphan-record"
	// OrphanInterest: no accepted message requested an interest that exists.
	OrphanInterest Kind = "orphan-interest"
	// OrphanReservation: places are reserved without a request, or for a run that ended and had to
	// release the places.
	OrphanReservation Kind = "orphan-reservation"
	// TooManyQuestions: too large a share of the messages ended as a question to an operator.
	TooManyQuestions Kind = "too-many-questions"
	// ReadableQuestion: a question is about a change whose result the record shows.
	ReadableQuestion Kind = "readable-question"
	// Concurrent: two changes of one record were under way at the same time.
	Concurrent Kind = "overlapped"
	// UnexplainedWait: an accepted message waited longer than maxUnexplainedWait without a reason.
	UnexplainedWait Kind = "silent"
)

// Kinds are all kinds.
func Kinds() []Kind {
	return []Kind{
		Lost, Duplicated, Reordered, WrongOpportunity, ReportedFailedButDone, ReportedDoneButMissing,
		OrphanRecord, OrphanInterest, OrphanReservation, TooManyQuestions, ReadableQuestion, Concurrent, UnexplainedWait,
	}
}

// Violation is one broken promise.
type Violation struct {
	Kind      Kind                  `json:"kind"`
	Reference opportunity.Reference `json:"reference,omitempty"`
	// Request is the id of the message, "" where the violation is about no message or about
	// several.
	Request string `json:"request,omitempty"`
	Text    string `json:"text"`
}

// String writes the violation as one line.
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
