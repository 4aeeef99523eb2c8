// Package fault decides which requests of the sandbox meet a bad day, and which: by operation, by count and by
// probability. It knows no HTTP and no GraphQL; the sandbox does what a hit says.
package fault

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Kind is what happens to a request.
type Kind string

// The kinds of faults. A request meets one at the most.
const (
	// ErrorBefore answers 500; nothing of the request runs.
	ErrorBefore Kind = "error-before"
	// ErrorAfter runs the request and answers 500.
	ErrorAfter Kind = "error-after"
	// DropBefore closes the connection; nothing of the request runs.
	DropBefore Kind = "drop-before"
	// DropAfter runs the request and closes the connection without an answer.
	DropAfter Kind = "drop-after"
	// Late waits until the client has gone or it is released, and After more, and then runs the request. It answers
	// nothing.
	Late Kind = "late"
	// HoldBefore runs the request when it is released, even if the client has gone meanwhile.
	HoldBefore Kind = "hold-before"
	// HoldAfter runs the request and keeps the answer until it is released.
	HoldAfter Kind = "hold-after"
	// TooMany answers 429, with the header Retry-After if RetryAfter is set; nothing runs.
	TooMany Kind = "too-many"
	// ExpireTokens ends all access tokens of the token endpoint before the request is looked at.
	ExpireTokens Kind = "expire-tokens"
	// FailField has the field that Operation names fail inside: the other fields of the request run. The field must be
	// one of a namespace, such as opportunities.progress.
	FailField Kind = "fail-field"
	// FailQuery answers the query that Operation names with an error of the API's own, in an answer of status 200; nothing
	// runs.
	FailQuery Kind = "fail-query"
	// FailTrigger has a trigger of a move fail: the one that Trigger names, or the first.
	FailTrigger Kind = "fail-trigger"
	// Partial runs the request and cuts the answer off in the middle.
	Partial Kind = "partial"
	// Malformed runs the request and answers text that is no JSON.
	Malformed Kind = "malformed"
	// Slow runs the request and sends the answer byte by byte, all of it over After.
	Slow Kind = "slow"
)

// triggers are those of a move that can be made to fail.
var triggers = []string{"account", "contact", "registration", "token", "invoice"}

var kinds = []Kind{
	ErrorBefore, ErrorAfter, DropBefore, DropAfter, Late, HoldBefore, HoldAfter, TooMany, ExpireTokens, FailField, FailQuery, FailTrigger, Partial, Malformed, Slow,
}

// AnyMutation as an Operation is every request that changes something.
const AnyMutation = "mutation"

// Rule says which requests meet a fault. The zero values of its conditions mean: every request, always.
type Rule struct {
	Kind Kind `json:"kind"`
	// Operation is a mutation such as "opportunities.progress", AnyMutation, a field at the root of a query, the name that
	// the document gives its operation, or "token" for the token endpoint. "" is every request of the API.
	Operation string `json:"operation,omitempty"`
	// Mentions is a text that stands in the request as it was sent, such as an id or a reference.
	Mentions string `json:"mentions,omitempty"`
	// Trigger is what FailTrigger has fail: account, contact, registration, token or invoice; "" is any.
	Trigger string `json:"trigger,omitempty"`
	// From is the first of the matching requests that meets it, counted from 1.
	From int `json:"from,omitempty"`
	// Every is the distance to the next; 0 is 1.
	Every int `json:"every,omitempty"`
	// Times is how many requests meet it at the most; 0 is any number.
	Times int `json:"times,omitempty"`
	// Probability is how likely a request that count and operation choose meets it; 0 is 1.
	Probability float64 `json:"probability,omitempty"`
	// Seed makes the choice by probability the same each time.
	Seed uint64 `json:"seed,omitempty"`
	// RetryAfter is what TooMany answers; 0 is no header.
	RetryAfter Duration `json:"retryAfter,omitempty"`
	// After is how long Late waits once the client has gone, and how long Slow takes.
	After Duration `json:"after,omitempty"`
}

// maxAfter bounds how long a request is kept.
const maxAfter = 10 * time.Minute

// Validate says what is wrong with the rule, and what would be right.
func (r Rule) Validate() error {
	switch {
	case !slices.Contains(kinds, r.Kind):
		return fmt.Errorf("kind %q: it must be one of %s", r.Kind, join(kinds))
	case r.From < 0 || r.Every < 0 || r.Times < 0:
		return fmt.Errorf("from, every and times must not be negative")
	case r.Probability < 0 || r.Probability > 1:
		return fmt.Errorf("probability %v: it must be between 0 and 1", r.Probability)
	case r.After < 0 || time.Duration(r.After) > maxAfter || r.RetryAfter < 0 || time.Duration(r.RetryAfter) > maxAfter:
		return fmt.Errorf("after and retryAfter must be between 0s and %v", maxAfter)
	case r.Kind == FailField && !strings.Contains(r.Operation, "."):
		return fmt.Errorf("operation %q: %s needs a field of a namespace, such as opportunities.progress", r.Operation, FailField)
	case r.Kind == FailQuery && (r.Operation == "" || r.Operation == AnyMutation || strings.Contains(r.Operation, ".")):
		return fmt.Errorf("operation %q: %s needs a field at the root of a query, or the name of an operation, such as opportunities", r.Operation, FailQuery)
	case r.Trigger != "" && r.Kind != FailTrigger:
		return fmt.Errorf("trigger fits the kind %s only", FailTrigger)
	case r.Trigger != "" && !slices.Contains(triggers, r.Trigger):
		return fmt.Errorf("trigger %q: it must be one of %s", r.Trigger, strings.Join(triggers, ", "))
	case r.RetryAfter != 0 && r.Kind != TooMany:
		return fmt.Errorf("retryAfter fits the kind %s only", TooMany)
	case r.After != 0 && r.Kind != Late && r.Kind != Slow:
		return fmt.Errorf("after fits the kinds %s and %s only", Late, Slow)
	}
	return nil
}

// Duration is written as Go writes durations: "1m30s".
type Duration time.Duration

// MarshalJSON implements json.Marshaler.
func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(time.Duration(d).String()) }

// UnmarshalJSON implements json.Unmarshaler.
func (d *Duration) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return fmt.Errorf("%s: a duration is a text such as \"1m30s\"", data)
	}
	parsed, err := time.ParseDuration(text)
	if err != nil {
		return fmt.Errorf("%q: a duration is a text such as \"1m30s\"", text)
	}
	*d = Duration(parsed)
	return nil
}

func join(words []Kind) string {
	texts := make([]string, len(words))
	for i, w := range words {
		texts[i] = string(w)
	}
	return strings.Join(texts, ", ")
}
