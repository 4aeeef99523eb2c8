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
	// Doubled: a message took effect more than once.
	Doubled Kind = "doubled"
	// Swapped: two messages took effect in another order than they were accepted in.
	Swapped Kind = "swapped"
	// WrongOpportunity: a message took effect on the record of another reference.
	WrongOpportunity Kind = "wrong-opportunity"
	// ToldFailedButDone: a message that is reported failed took effect.
	ToldFailedButDone Kind = "told-failed-but-done"
	// ToldDoneButNot: a message that is reported done took no effect.
	ToldDoneButNot Kind = "told-done-but-not"
	// OrphanRecord: a record belongs to no reference, or not to one alone.
	OrphanRecord Kind = "orphan-record"
	// OrphanInterest: no accepted message asked for an interest that is there.
	OrphanInterest Kind = "orphan-interest"
	// OrphanReservation: places are held without a request, or for a run that ended and had to release them.
	OrphanReservation Kind = "orphan-reservation"
	// TooManyQuestions: too large a share of the messages ended as a question to an operator.
	TooManyQuestions Kind = "too-many-questions"
	// Overlapped: two changes of one record were under way at the same time.
	Overlapped Kind = "overlapped"
	// Silent: an accepted message waited for long, and nothing said why.
	Silent Kind = "silent"
)

// Kinds are all of them.
func Kinds() []Kind {
	return []Kind{
		Lost, Doubled, Swapped, WrongOpportunity, ToldFailedButDone, ToldDoneButNot,
		OrphanRecord, OrphanInterest, OrphanReservation, TooManyQuestions, Overlapped, Silent,
	}
}

// Violation is one broken promise.
type Violation struct {
	Kind      Kind                  `json:"kind"`
	Reference opportunity.Reference `json:"reference,omitempty"`
	// Request is the id of the message, "" where it is about none or about several.
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
