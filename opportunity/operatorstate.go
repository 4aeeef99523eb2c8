package opportunity

import (
	"fmt"
	"slices"
	"time"
)

// OperatorState holds the decisions of operators, and the matters that need an
// operator.
type OperatorState struct {
	// Paused is set while an operator keeps everything from being sent.
	Paused *Standstill `json:"paused,omitempty"`
	// Closing is set once an operator has ended the opportunity.
	Closing *Closing `json:"closing,omitempty"`
	// RefreshDue says that the record must be read again.
	RefreshDue bool `json:"refreshDue,omitempty"`

	Question *Question `json:"question,omitempty"`
	// CreateAnyway is an operator's decision to create the record without another
	// search for it.
	CreateAnyway bool `json:"createAnyway,omitempty"`
	// CreateSkipped is an operator's decision not to create the record.
	CreateSkipped *Error      `json:"createSkipped,omitempty"`
	Attention     []Attention `json:"attention,omitempty"`
	// Waits says why all sending waits; nil while it does not.
	Waits *Wait `json:"waits,omitempty"`
}

// maxAttention is how many entries of attention are kept: the newest, and at least
// one of each word.
const maxAttention = 20

// Attend raises attention; a word about the same request is raised once.
func (s *OperatorState) Attend(word Word, request, text string, now time.Time) {
	for i := range s.Attention {
		if s.Attention[i].Word == word && s.Attention[i].Request == request {
			s.Attention[i].Text = text
			return
		}
	}
	s.Attention = append(s.Attention, Attention{Word: word, Request: request, Text: text, Since: now})
	for len(s.Attention) > maxAttention {
		oldest := max(0, slices.IndexFunc(s.Attention, func(a Attention) bool { return s.countWord(a.Word) > 1 }))
		s.Attention = slices.Delete(s.Attention, oldest, oldest+1)
	}
}

func (s *OperatorState) countWord(word Word) int {
	n := 0
	for _, a := range s.Attention {
		if a.Word == word {
			n++
		}
	}
	return n
}

// Calm removes all attention of the word.
func (s *OperatorState) Calm(word Word) {
	s.Attention = slices.DeleteFunc(s.Attention, func(a Attention) bool { return a.Word == word })
}

// calmAbout removes the attention of the word about the request.
func (s *OperatorState) calmAbout(word Word, request string) {
	s.Attention = slices.DeleteFunc(s.Attention, func(a Attention) bool { return a.Word == word && a.Request == request })
}

// Words returns the words of attention in order, each once.
func (s *OperatorState) Words() []string {
	words := []string{}
	for _, a := range s.Attention {
		if !slices.Contains(words, string(a.Word)) {
			words = append(words, string(a.Word))
		}
	}
	slices.Sort(words)
	return words
}

// tell raises attention for each problem of the plan.
func (s *OperatorState) tell(plan Plan, now time.Time) {
	for _, problem := range plan.Problems {
		s.Attend(AttentionPlaybook, clip(problem, 60), problem, now)
	}
}

// calmJob removes the attention about the effect of the key.
func (s *OperatorState) calmJob(key string) {
	for _, word := range []Word{AttentionEffect, AttentionService} {
		s.calmAbout(word, key)
	}
	s.Unasked(key)
}

// requestEnded raises attention for a failure that no caller waits for.
func (s *OperatorState) requestEnded(e requestEnded) {
	if e.outcome.State != Failed || !e.entry.Silent {
		return
	}
	word, text := AttentionFailed, fmt.Sprintf("%s failed: %s", masked(e.entry.Verb), e.outcome.Error.label())
	if e.entry.Payload == nil {
		word = AttentionMessage
	}
	s.Attend(word, e.entry.Request, text, e.at)
}
