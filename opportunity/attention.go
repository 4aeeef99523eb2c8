package opportunity

import (
	"slices"
	"time"
)

// Question is what only an operator can answer: whether a change happened.
type Question struct {
	Request string    `json:"request"`
	Verb    Verb      `json:"verb"`
	Text    string    `json:"text"`
	Since   time.Time `json:"since"`
}

// Word says in one fixed word what needs attention.
type Word string

// The words of attention.
const (
	// AttentionUndecided: a question waits for an operator.
	AttentionUndecided Word = "undecided"
	// AttentionAPI: the API has been out of reach for a while.
	AttentionAPI Word = "api"
	// AttentionReservation: places were asked for and are not held.
	AttentionReservation Word = "reservation"
	// AttentionFailed: a request nobody waits for failed.
	AttentionFailed Word = "failed"
	// AttentionMessage: a message could not be read.
	AttentionMessage Word = "message"
	// AttentionParked: the API fails to carry a command out; the others go on.
	AttentionParked Word = "parked"
	// AttentionEffect: a side effect could not be done, or taken back.
	AttentionEffect Word = "effect"
	// AttentionFollowUp: a follow-up has something to tell.
	AttentionFollowUp Word = "followUp"
	// AttentionPlaybook: the playbook could not decide something about the record.
	AttentionPlaybook Word = "playbook"
	// AttentionPaused: an operator keeps everything from being sent.
	AttentionPaused Word = "paused"
)

// Attention is something a human should look at.
type Attention struct {
	Word    Word      `json:"word"`
	Request string    `json:"request,omitempty"`
	Text    string    `json:"text"`
	Since   time.Time `json:"since"`
}

// maxAttention is how many things needing attention are kept: the newest, and of
// every word at least one.
const maxAttention = 20

// Attend raises attention; a word about the same request is raised once.
func (s *State) Attend(word Word, request, text string, now time.Time) {
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

func (s *State) countWord(word Word) int {
	n := 0
	for _, a := range s.Attention {
		if a.Word == word {
			n++
		}
	}
	return n
}

// Calm takes back what was raised under the word.
func (s *State) Calm(word Word) {
	s.Attention = slices.DeleteFunc(s.Attention, func(a Attention) bool { return a.Word == word })
}

// calmAbout takes back what was raised under the word about the request.
func (s *State) calmAbout(word Word, request string) {
	s.Attention = slices.DeleteFunc(s.Attention, func(a Attention) bool { return a.Word == word && a.Request == request })
}

// Words answers the words of attention in order, each once.
func (s *State) Words() []string {
	words := []string{}
	for _, a := range s.Attention {
		if !slices.Contains(words, string(a.Word)) {
			words = append(words, string(a.Word))
		}
	}
	slices.Sort(words)
	return words
}
