package queue

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// Commands contains the queued commands, in the order of their acceptance.
//
// The JSON form is compact, because each run passes the queue to the next run, and the size of a
// run's input is limited. Equal payloads are written once. A time is written as the number of
// milliseconds since the time of the previous command. A request id that is a UUID is written in 23
// characters.
type Commands []Command

type packedQueue struct {
	Payloads []json.RawMessage `json:"payloads"`
	Commands []packedCommand   `json:"entries"`
}

// packedCommand is written as a JSON list: request id, message name, index of the payload,
// milliseconds since the acceptance of the previous command, and flags. If a command has unusual
// values, these values follow in the list: change count, results, errors, and the milliseconds from
// the acceptance to the first error.
type packedCommand struct {
	request     string
	messageName opportunity.MessageName
	payload     int
	elapsed     int64
	flags       int
	changeCount int
	results     []opportunity.InterestResult
	errors      int
	failing     int64
}

const (
	packedInDoubt = 1 << iota
	packedSendAlone
	packedNoWaiter
	packedFromUpdate
	packedMaybeApplied
	packedLaterExpirySet
)

func (e Command) packedFlags() int {
	flags := 0
	if e.InDoubt {
		flags |= packedInDoubt
	}
	if e.SendAlone {
		flags |= packedSendAlone
	}
	if e.NoWaiter {
		flags |= packedNoWaiter
	}
	if e.FromUpdate {
		flags |= packedFromUpdate
	}
	if e.MaybeApplied {
		flags |= packedMaybeApplied
	}
	if e.LaterExpirySet {
		flags |= packedLaterExpirySet
	}
	return flags
}

// MarshalJSON implements json.Marshaler.
func (q Commands) MarshalJSON() ([]byte, error) {
	packed := packedQueue{Payloads: []json.RawMessage{}, Commands: make([]packedCommand, 0, len(q))}
	places := make(map[string]int)
	var before int64
	for _, e := range q {
		place, found := places[string(e.Payload)]
		if !found {
			place = len(packed.Payloads)
			places[string(e.Payload)] = place
			packed.Payloads = append(packed.Payloads, e.Payload)
		}
		at := e.Accepted.UnixMilli()
		entry := packedCommand{
			request: packRequestID(e.Request), messageName: e.MessageName, payload: place, elapsed: at - before, flags: e.packedFlags(),
			changeCount: e.ChangeCount, results: e.Results, errors: e.Errors,
		}
		if e.Errors > 0 {
			entry.failing = e.FailingSince.UnixMilli() - at
		}
		packed.Commands = append(packed.Commands, entry)
		before = at
	}
	return json.Marshal(packed)
}

// UnmarshalJSON implements json.Unmarshaler. UnmarshalJSON also decodes a state of version 1, in
// which the queue is a plain JSON list.
func (q *Commands) UnmarshalJSON(data []byte) error {
	if plain := bytes.TrimSpace(data); len(plain) > 0 && plain[0] == '[' || string(plain) == "null" {
		return json.Unmarshal(data, (*[]Command)(q))
	}
	var packed packedQueue
	if err := json.Unmarshal(data, &packed); err != nil {
		return fmt.Errorf("queue: %w", err)
	}
	*q = make(Commands, len(packed.Commands))
	var at int64
	for i, e := range packed.Commands {
		if e.payload < 0 || e.payload >= len(packed.Payloads) {
			return fmt.Errorf("queue: entry %d refers to payload %d, but the queue has %d payloads", i, e.payload, len(packed.Payloads))
		}
		request, err := unpackRequestID(e.request)
		if err != nil {
			return fmt.Errorf("queue: entry %d: %w", i, err)
		}
		at += e.elapsed
		(*q)[i] = Command{
			Request: request, MessageName: e.messageName, Payload: packed.Payloads[e.payload], Accepted: time.UnixMilli(at).UTC(),
			ChangeCount: e.changeCount, Results: e.results,
			InDoubt: e.flags&packedInDoubt != 0, SendAlone: e.flags&packedSendAlone != 0, NoWaiter: e.flags&packedNoWaiter != 0,
			FromUpdate: e.flags&packedFromUpdate != 0, MaybeApplied: e.flags&packedMaybeApplied != 0, LaterExpirySet: e.flags&packedLaterExpirySet != 0, Errors: e.errors,
		}
		if e.errors > 0 {
			(*q)[i].FailingSince = time.UnixMilli(at + e.failing).UTC()
		}
	}
	return nil
}

func (e packedCommand) MarshalJSON() ([]byte, error) {
	list := []any{e.request, e.messageName, e.payload, e.elapsed, e.flags}
	if e.changeCount != 1 || e.results != nil || e.errors > 0 {
		list = append(list, e.changeCount)
	}
	if e.results != nil || e.errors > 0 {
		list = append(list, e.results)
	}
	if e.errors > 0 {
		list = append(list, e.errors, e.failing)
	}
	return json.Marshal(list)
}

func (e *packedCommand) UnmarshalJSON(data []byte) error {
	var list []json.RawMessage
	if err := json.Unmarshal(data, &list); err != nil {
		return err
	}
	members := []any{&e.request, &e.messageName, &e.payload, &e.elapsed, &e.flags, &e.changeCount, &e.results, &e.errors, &e.failing}
	if len(list) < 5 || len(list) > len(members) {
		return fmt.Errorf("the queue entry has %d members; 5 to %d members are expected", len(list), len(members))
	}
	e.changeCount = 1
	for i, member := range list {
		if err := json.Unmarshal(member, members[i]); err != nil {
			return err
		}
	}
	return nil
}

// packedPrefix starts a packed request id. An id that itself starts with packedPrefix is written
// with packedPrefix twice.
const packedPrefix = "~"

const uuidLength = 36

func packRequestID(id string) string {
	if len(id) == uuidLength {
		if raw, err := hex.DecodeString(strings.ReplaceAll(id, "-", "")); err == nil && len(raw) == 16 && uuidText(raw) == id {
			return packedPrefix + base64.RawURLEncoding.EncodeToString(raw)
		}
	}
	if strings.HasPrefix(id, packedPrefix) {
		return packedPrefix + id
	}
	return id
}

func unpackRequestID(text string) (string, error) {
	rest, packed := strings.CutPrefix(text, packedPrefix)
	if !packed || strings.HasPrefix(rest, packedPrefix) {
		return rest, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(rest)
	if err != nil {
		return "", fmt.Errorf("request id: %w", err)
	}
	if len(raw) != 16 {
		return "", fmt.Errorf("request id: a value of %d bytes is not a UUID", len(raw))
	}
	return uuidText(raw), nil
}

func uuidText(raw []byte) string {
	return fmt.Sprintf("%x-%x-%x-%x-%x", raw[:4], raw[4:6], raw[6:8], raw[8:10], raw[10:])
}

const queueOverhead = len(`{"payloads":[],"entries":[]}`)

// EncodedSize returns total, an upper bound of the JSON size of the queue. The result fitting is
// the number of commands from the front of the queue that fit into most bytes.
func (q Commands) EncodedSize(most int) (total, fitting int) {
	if len(q) == 0 { // an empty queue is omitted from the JSON
		return 0, 0
	}
	total = queueOverhead
	seen := make(map[string]bool)
	for i, e := range q {
		total += e.EncodedSize()
		if seen[string(e.Payload)] {
			total -= len(e.Payload)
		} else {
			seen[string(e.Payload)] = true
		}
		if total <= most {
			fitting = i + 1
		}
	}
	return total, fitting
}

// EncodedSize returns an upper bound of the JSON size of the command, if no other command has the
// same payload.
func (e Command) EncodedSize() int {
	size := len(e.Payload) + quotedSize(packRequestID(e.Request)) + quotedSize(string(e.MessageName)) + 40 // times, flags, punctuation
	if e.Errors > 0 {
		size += 40 // count, time and results
	}
	if e.Results != nil {
		size += exchange.JSONSize(e.Results)
	}
	return size
}

// quotedSize returns an upper bound of the size of the text as a JSON string, without the quotes.
func quotedSize(text string) int {
	const escaped = len(`\u0000`)
	size := 0
	for _, c := range text {
		switch {
		case c == '"', c == '\\':
			size += 2
		case c < ' ', c == '<', c == '>', c == '&', c == '\u2028', c == '\u2029', c == utf8.RuneError:
			size += escaped
		default:
			size += utf8.RuneLen(c)
		}
	}
	return size
}
