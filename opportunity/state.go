package opportunity

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// StateVersion is the version of the state this code writes. A worker that
// meets a newer one must not touch it: it would drop what it does not know.
const StateVersion = 1

// State is all one run knows of its opportunity and hands to the run that
// continues it. It is plain data; its rules are its methods, and every method
// that needs the time is given it.
type State struct {
	Version   int       `json:"version"`
	Reference Reference `json:"reference"`
	// Start is what the run was started from; StartDigest outlives it.
	Start       *Start `json:"start,omitempty"`
	StartDigest string `json:"startDigest"`

	// ID is the record's id in the TMS, "" until it exists.
	ID          ID          `json:"id,omitempty"`
	Details     Details     `json:"details"`
	Step        Step        `json:"step,omitzero"`
	Interests   []Held      `json:"interests,omitempty"`
	Reservation Reservation `json:"reservation,omitzero"`
	// ExtendDue says that places were asked for and no expiry has been set yet.
	ExtendDue bool `json:"extendDue,omitempty"`

	// Queue holds the commands that wait, in the order they came.
	Queue    []Entry `json:"queue,omitempty"`
	Handled  Handled `json:"handled"`
	Outcomes []Kept  `json:"outcomes,omitempty"`
	// Unnamed counts the messages that came without a request id.
	Unnamed int `json:"unnamed,omitempty"`
	// Failures counts the requests that failed.
	Failures int `json:"failures,omitempty"`

	Question *Question `json:"question,omitempty"`
	// CreateAnyway is an operator's decision to create the record without looking
	// for it once more.
	CreateAnyway bool `json:"createAnyway,omitempty"`
	// CreateSkipped is an operator's decision not to create the record.
	CreateSkipped *Error `json:"createSkipped,omitempty"`
	// Foreign are interests of the record that no request of ours is known to
	// have made.
	Foreign   []ID        `json:"foreign,omitempty"`
	Attention []Attention `json:"attention,omitempty"`
	Timeline  []Moment    `json:"timeline,omitempty"`
	// Runs counts the runs of the workflow, this one included.
	Runs int `json:"runs"`
}

// Held is an interest the record has. Who is to be trained is not kept: the TMS
// knows.
type Held struct {
	ID ID `json:"id"`
	// Item is what the caller called it; of a long name, the beginning.
	Item       string `json:"item"`
	Kind       Kind   `json:"kind,omitempty"`
	Quantity   int    `json:"quantity"`
	UnitAmount Amount `json:"unitAmount"`
	// Reserve says that places were asked for.
	Reserve bool `json:"reserve,omitempty"`
}

// Entry is a command that waits.
type Entry struct {
	Request  string          `json:"request"`
	Verb     Verb            `json:"verb"`
	Payload  json.RawMessage `json:"payload"`
	Accepted time.Time       `json:"accepted"`
	// Changes is how many mutations the command makes.
	Changes int `json:"changes"`
	// Results holds, once the first of them is settled, one result per interest
	// of an addInterests; what is not settled yet has neither id nor error.
	Results []InterestResult `json:"results,omitempty"`
	// Doubt says that it is unknown whether its change happened, and that only
	// an operator can tell.
	Doubt bool `json:"doubt,omitempty"`
	// Alone says that its changes travel one by one, since a request that held
	// one of them was refused as a whole.
	Alone bool `json:"alone,omitempty"`
	// Silent says that nobody waits for the answer: a failure of it needs attention.
	Silent bool `json:"silent,omitempty"`
}

// Kept is an outcome that can be asked for again.
type Kept struct {
	Outcome
	Verb Verb      `json:"verb"`
	At   time.Time `json:"at"`
	// Size is how many bytes of JSON the outcome takes.
	Size int `json:"size"`
}

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

// Moment is an entry of the timeline. Its text names no person.
type Moment struct {
	At   time.Time `json:"at"`
	Text string    `json:"text"`
}

// NewState makes the state of an opportunity that is about to be created.
func NewState(reference Reference, start Start, now time.Time) *State {
	s := &State{Version: StateVersion, Reference: reference, Start: &start, StartDigest: start.Digest(), Runs: 1}
	s.Details.Name = start.Name
	s.note(now, "start accepted")
	return s
}

// Digest tells equal starts from different ones, whatever their request ids.
func (s Start) Digest() string {
	s.RequestID = ""
	data, err := json.Marshal(s)
	if err != nil {
		return err.Error() // cannot happen for plain data
	}
	return fmt.Sprintf("%x", digestOf(data))
}

// Created notes that the record exists, and queues the start's interests before
// everything else that waits.
func (s *State) Created(record Snapshot, region Named, now time.Time) {
	start := s.Start
	s.Start = nil
	s.ID = record.ID
	s.Details = record.Details
	s.Details.Region = region
	s.Step = record.Step
	s.Reservation = record.Reservation
	s.note(now, "created in step "+record.Step.Name)
	if start != nil && len(start.Interests) > 0 {
		payload, err := json.Marshal(AddInterests{Interests: start.Interests})
		if err == nil { // plain data
			s.Queue = slices.Insert(s.Queue, 0, Entry{Request: StartRequest, Verb: VerbAddInterests, Payload: payload, Changes: len(start.Interests), Accepted: now, Silent: true})
		}
	}
}

// StartRequest is the request id of the interests a start carries.
const StartRequest = "#start"

// Accept puts the command at the end of the queue. id is the caller's request
// id, or "" for a message that has none; silent says that nobody waits for the
// answer. It answers the id under which the outcome can be asked for. A request
// that was accepted before is not queued again; the same id with another
// payload is a Conflict.
func (s *State) Accept(c Command, id string, silent bool, now time.Time) (string, error) {
	payload, err := canonical(c)
	if err != nil {
		return "", err
	}
	if err := validRequestID(id); err != nil { // the id may be an update's
		return "", err
	}
	if id != "" {
		known, err := s.known(c.Verb(), id, payload)
		if err != nil {
			return "", err
		}
		if known {
			return id, nil
		}
	}
	if err := s.roomFor(c); err != nil {
		return "", err
	}
	if id == "" {
		id = s.unnamed()
	} else {
		s.Handled.add(id, append([]byte(c.Verb()), payload...))
	}
	s.Queue = append(s.Queue, Entry{Request: id, Verb: c.Verb(), Payload: payload, Changes: changes(c), Accepted: now, Silent: silent})
	return id, nil
}

// Admits reports why Accept would refuse the command, without changing anything.
func (s *State) Admits(c Command, id string) error {
	payload, err := canonical(c)
	if err != nil {
		return err
	}
	if err := validRequestID(id); err != nil {
		return err
	}
	if id != "" {
		known, err := s.known(c.Verb(), id, payload)
		if err != nil || known {
			return err
		}
	}
	return s.roomFor(c)
}

func (s *State) known(verb Verb, id string, payload []byte) (bool, error) {
	handled := s.Handled.find(id)
	if handled == nil {
		return false, nil
	}
	if handled.payload != digestOf(append([]byte(verb), payload...)) {
		return false, Failf(Conflict, "requestId %q was used for another message; give each message an id of its own", id)
	}
	return true, nil
}

func (s *State) roomFor(c Command) error {
	add, ok := c.(AddInterests)
	if !ok {
		return nil
	}
	count := len(s.Interests) + len(add.Interests)
	if s.Start != nil {
		count += len(s.Start.Interests)
	}
	for _, waiting := range s.Queue {
		if waiting.Verb == VerbAddInterests {
			count += waiting.mutationsLeft()
		}
	}
	if count > MaxInterests {
		return Invalidf("interests: the opportunity would have %d; at most %d", count, MaxInterests)
	}
	return nil
}

// Refuse records a message that could not be accepted, so that it never
// vanishes: as a failed request that needs attention. It answers its id.
func (s *State) Refuse(verb Verb, id string, reason *Error, now time.Time) string {
	if id == "" || s.Handled.find(id) != nil { // a Conflict must not overwrite the first one's outcome
		id = s.unnamed()
	}
	s.close(Entry{Request: id, Verb: verb, Silent: true}, Outcome{RequestID: id, State: Failed, Error: reason}, now)
	return id
}

// unnamed gives an id to a message that came without one.
func (s *State) unnamed() string {
	s.Unnamed++
	return fmt.Sprintf("#%d", s.Unnamed)
}

// Outcome answers what became of a request. An id that was never used, or that
// is forgotten, is NotFound.
func (s *State) Outcome(id string) (Outcome, error) {
	// What waits comes first: the same id may have been refused before.
	if slices.ContainsFunc(s.Queue, func(e Entry) bool { return e.Request == id }) {
		return Outcome{RequestID: id, State: Pending}, nil
	}
	for i := len(s.Outcomes) - 1; i >= 0; i-- {
		if s.Outcomes[i].RequestID == id {
			return s.Outcomes[i].Outcome, nil
		}
	}
	if handled := s.Handled.find(id); handled != nil {
		// Only the state of older requests is remembered, not the whole outcome.
		return Outcome{RequestID: id, State: handled.outcomeState()}, nil
	}
	return Outcome{}, Failf(NotFound, "no request %q; the last %d are remembered", clip(id, 60), MaxHandledRequests)
}

// IsPending reports whether the request waits or is under way.
func (s *State) IsPending(id string) bool {
	if handled := s.Handled.find(id); handled != nil {
		return handled.state == 'p'
	}
	return slices.ContainsFunc(s.Queue, func(e Entry) bool { return e.Request == id })
}

// WaitingBytes is how much JSON of commands waits, with what is known of those
// that are done in part.
func (s *State) WaitingBytes() int {
	total := 0
	for _, e := range s.Queue {
		total += len(e.Payload) + 120 // its other members
		if e.Results != nil {
			total += jsonSize(e.Results)
		}
	}
	return total
}

// HasWork reports whether NextBatch has something to send.
func (s *State) HasWork() bool {
	return s.ID != "" && s.Question == nil && (len(s.Queue) > 0 || s.ExtendDue)
}

// IsOver reports whether the opportunity stands in an ending step and nothing
// is left to do.
func (s *State) IsOver() bool {
	return s.ID != "" && s.Step.Stage.State.Ends() && len(s.Queue) == 0 && s.Question == nil && !s.ExtendDue
}

// End sums the run up.
func (s *State) End() Ended {
	return Ended{
		Reference: s.Reference, Opportunity: s.ID, State: s.Step.Stage.State, Step: s.Step,
		Interests: len(s.Interests), Total: s.Total(), Currency: s.Details.Currency, Failed: s.Failures,
	}
}

// Total is the sum over the interests of quantity times unit amount, before tax
// and discounts.
func (s *State) Total() Amount {
	var total Amount
	for _, held := range s.Interests {
		total = total.Add(held.UnitAmount.Times(held.Quantity))
	}
	return total
}

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
func (s *State) Calm(word Word) { s.calm(word) }

func (s *State) calm(word Word) {
	s.Attention = slices.DeleteFunc(s.Attention, func(a Attention) bool { return a.Word == word })
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

func (s *State) note(now time.Time, text string) {
	s.Timeline = append(s.Timeline, Moment{At: now, Text: text})
	if extra := len(s.Timeline) - MaxTimeline; extra > 0 {
		s.Timeline = slices.Delete(s.Timeline, 0, extra)
	}
}

// canonical writes the command as it is kept and compared: without its request
// id, members in one order, amounts in one form.
func canonical(c Command) (json.RawMessage, error) {
	switch v := c.(type) {
	case AddInterests:
		v.RequestID = ""
		c = v
	case Progress:
		v.RequestID = ""
		c = v
	case UpdateDetails:
		v.RequestID = ""
		c = v
	}
	data, err := json.Marshal(c)
	if err != nil {
		return nil, Invalidf("cannot be kept: %v", err)
	}
	return data, nil
}

// command reads the entry back.
func (e Entry) command() (Command, error) { return decodeVerb(e.Verb, e.Payload) }

// Summary tells the entry in a few words without personal data.
func (e Entry) Summary() string {
	c, err := e.command()
	if err != nil {
		return string(e.Verb)
	}
	return Summary(c)
}

// mutationsLeft is how many of the entry's changes are not settled.
func (e Entry) mutationsLeft() int {
	left := e.Changes
	for _, r := range e.Results {
		if r.settled() {
			left--
		}
	}
	return left
}

// changes is how many mutations the command makes.
func changes(c Command) int {
	if add, ok := c.(AddInterests); ok {
		return len(add.Interests)
	}
	return 1
}

// settled reports whether it is known what became of the interest.
func (r InterestResult) settled() bool { return r.Interest != "" || r.Error != nil }
