// Package fault decides which fault applies to which request of the sandbox: by operation, by count and by
// probability. It does not depend on HTTP or GraphQL. The sandbox carries the faults out.
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

// The kinds of faults. At most one applies to a request.
const (
	// ErrorBefore returns 500; the request does not run.
	ErrorBefore Kind = "error-before"
	// ErrorAfter runs the request and returns 500.
	ErrorAfter Kind = "error-after"
	// DropBefore closes the connection; the request does not run.
	DropBefore Kind = "drop-before"
	// DropAfter runs the request and closes the connection without a response.
	DropAfter Kind = "drop-after"
	// Late waits until the client has gone or the request is released, then waits for Delay, and then runs the
	// request. It returns no response.
	Late Kind = "late"
	// HoldBefore runs the request when it is released, even if the client has gone by then.
	HoldBefore Kind = "hold-before"
	// HoldAfter runs the request and holds the response until it is released.
	HoldAfter Kind = "hold-after"
	// TooManyRequests returns 429, with the header Retry-After if RetryAfter is set; the request does not run.
	TooManyRequests Kind = "too-many"
	// ExpireTokens ends all access tokens of the token endpoint before the request is handled.
	ExpireTokens Kind = "expire-tokens"
	// FailField makes the field that Operation names fail internally. The other fields of the request run. The field
	// must be one of a namespace, such as opportunities.progress.
	FailField Kind = "fail-field"
	// FailQuery returns an error of the API itself for the query that Operation names, with status 200; the request
	// does not run.
	FailQuery Kind = "fail-query"
	// FailTrigger makes a trigger of a transition fail: the trigger that Trigger names, or the first.
	FailTrigger Kind = "fail-trigger"
	// Truncated runs the request and cuts the response off in the middle.
	Truncated Kind = "partial"
	// Malformed runs the request and returns text that is not JSON.
	Malformed Kind = "malformed"
	// Slow runs the request and sends the response byte by byte, over the time Delay.
	Slow Kind = "slow"
)

// triggers are the triggers of a transition that can be made to fail.
var triggers = []string{"account", "contact", "registration", "token", "invoice"}

var kinds = []Kind{
	ErrorBefore, ErrorAfter, DropBefore, DropAfter, Late, HoldBefore, HoldAfter, TooManyRequests, ExpireTokens, FailField, FailQuery, FailTrigger, Truncated, Malformed, Slow,
}

// AnyMutation as an Operation matches every request that changes something.
const AnyMutation = "mutation"

// Rule decides to which requests a fault applies. With the zero values of all conditions the fault applies to every
// request.
type Rule struct {
	Kind Kind `json:"kind"`
	// Operation is a mutation such as "opportunities.progress", AnyMutation, a field at the root of a query, the
	// name that the document gives its operation, or "token" for the token endpoint. "" is every request of the API.
	Operation string `json:"operation,omitempty"`
	// Contains is a text that the request contains, such as an id or a reference.
	Contains string `json:"mentions,omitempty"`
	// Trigger is the trigger that FailTrigger makes fail: account, contact, registration, token or invoice; "" is
	// any.
	Trigger string `json:"trigger,omitempty"`
	// From is the number of the first matching request to which the fault applies, counted from 1.
	From int `json:"from,omitempty"`
	// Every is the distance to the next request; 0 is 1.
	Every int `json:"every,omitempty"`
	// Times is the highest number of requests to which the fault applies; 0 is any number.
	Times int `json:"times,omitempty"`
	// Probability is the probability with which the fault applies to a request that matches by count and operation;
	// 0 is 1.
	Probability float64 `json:"probability,omitempty"`
	// Seed makes the random choice the same each time.
	Seed uint64 `json:"seed,omitempty"`
	// RetryAfter is the value of the header for TooManyRequests; 0 is no header.
	RetryAfter Duration `json:"retryAfter,omitempty"`
	// Delay is how long Late waits after the client has gone, and how long Slow takes.
	Delay Duration `json:"after,omitempty"`
}

// maxDelay is the upper bound of Delay and RetryAfter.
const maxDelay = 10 * time.Minute

// Validate returns an error that says what is wrong with the rule and what would be right.
func (r Rule) Validate() error {
	switch {
	case !slices.Contains(kinds, r.Kind):
		return fmt.Errorf("kind %q: it must be one of %s", r.Kind, joinKinds(kinds))
	case r.From < 0 || r.Every < 0 || r.Times < 0:
		return fmt.Errorf("from, every and times must not be negative")
	case r.Probability < 0 || r.Probability > 1:
		return fmt.Errorf("probability %v: it must be between 0 and 1", r.Probability)
	case r.Delay < 0 || time.Duration(r.Delay) > maxDelay || r.RetryAfter < 0 || time.Duration(r.RetryAfter) > maxDelay:
		return fmt.Errorf("after and retryAfter must be between 0s and %v", maxDelay)
	case r.Kind == FailField && !strings.Contains(r.Operation, "."):
		return fmt.Errorf("operation %q: %s needs a field of a namespace, such as opportunities.progress", r.Operation, FailField)
	case r.Kind == FailQuery && (r.Operation == "" || r.Operation == AnyMutation || strings.Contains(r.Operation, ".")):
		return fmt.Errorf("operation %q: %s needs a field at the root of a query, or the name of an operation, such as opportunities", r.Operation, FailQuery)
	case r.Trigger != "" && r.Kind != FailTrigger:
		return fmt.Errorf("trigger fits the kind %s only", FailTrigger)
	case r.Trigger != "" && !slices.Contains(triggers, r.Trigger):
		return fmt.Errorf("trigger %q: it must be one of %s", r.Trigger, strings.Join(triggers, ", "))
	case r.RetryAfter != 0 && r.Kind != TooManyRequests:
		return fmt.Errorf("retryAfter fits the kind %s only", TooManyRequests)
	case r.Delay != 0 && r.Kind != Late && r.Kind != Slow:
		return fmt.Errorf("after fits the kinds %s and %s only", Late, Slow)
	}
	return nil
}

// Duration is written like a Go duration: "1m30s".
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

func joinKinds(words []Kind) string {
	texts := make([]string, len(words))
	for i, w := range words {
		texts[i] = string(w)
	}
	return strings.Join(texts, ", ")
}
