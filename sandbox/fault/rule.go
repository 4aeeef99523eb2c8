// Package fault decides which fault applies to which request of the sandbox.
package fault

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Kind says what a fault does to a request.
type Kind string

// The kinds of faults. At most one fault applies to a request.
const (
	// ErrorBefore returns the status 500; the request does not run.
	ErrorBefore Kind = "error-before"
	// ErrorAfter runs the request and then returns the status 500.
	ErrorAfter Kind = "error-after"
	// DropBefore closes the connection; the request does not run.
	DropBefore Kind = "drop-before"
	// DropAfter runs the request and closes the connection without a response.
	DropAfter Kind = "drop-after"
	// Late waits until the client disconnects or the rule releases the request. Late then waits for
	// Delay and runs the request. Late returns no response.
	Late Kind = "late"
	// HoldBefore holds the request until the rule releases the request. HoldBefore then runs the
	// request, even if the client has disconnected.
	HoldBefore Kind = "hold-before"
	// HoldAfter runs the request and holds the response until the rule releases the request.
	HoldAfter Kind = "hold-after"
	// TooManyRequests returns the status 429, with the header Retry-After if RetryAfter is set; the
	// request does not run.
	TooManyRequests Kind = "too-many"
	// ExpireTokens makes all access tokens of the token endpoint invalid before the request is
	// handled.
	ExpireTokens Kind = "expire-tokens"
	// FailField makes the mutation that Operation names, such as opportunities.progress, fail
	// internally. The other mutations of the request run. With the value "stops" of the assumption
	// mutation.failed, the root fields after the failed field do not run.
	FailField Kind = "fail-field"
	// FailQuery returns a GraphQL error with status 200 for the query that Operation names; the
	// request does not run.
	FailQuery Kind = "fail-query"
	// FailTrigger makes one trigger of a transition fail; Rule.Trigger names the trigger.
	FailTrigger Kind = "fail-trigger"
	// Truncated runs the request and cuts the response off in the middle.
	Truncated Kind = "partial"
	// Malformed runs the request and returns text that is not JSON.
	Malformed Kind = "malformed"
	// Slow runs the request and sends the response byte by byte, over the time Delay.
	Slow Kind = "slow"
)

var triggers = []string{"account", "contact", "registration", "token", "invoice"}

var kinds = []Kind{
	ErrorBefore, ErrorAfter, DropBefore, DropAfter, Late, HoldBefore, HoldAfter, TooManyRequests, ExpireTokens, FailField, FailQuery, FailTrigger, Truncated, Malformed, Slow,
}

// AnyMutation is the Operation that matches every request with a mutation.
const AnyMutation = "mutation"

// Rule contains the conditions that decide to which requests a fault applies. A condition that has
// the zero value matches every request.
type Rule struct {
	Kind Kind `json:"kind"`
	// Operation is the name by which the rule matches requests. The name is a mutation such as
	// "opportunities.progress", AnyMutation, a root field of a query, the operation name of a
	// document, or a part of the operation name between underscores. The name "token" matches the
	// token endpoint. "" matches every request, including token requests.
	Operation string `json:"operation,omitempty"`
	// Contains is a text that the request contains, such as an id or a reference.
	Contains string `json:"mentions,omitempty"`
	// Trigger is the trigger that FailTrigger makes fail: account, contact, registration, token or
	// invoice. "" means the first trigger of the transition.
	Trigger string `json:"trigger,omitempty"`
	// From is the number of the first matching request to which the fault applies; the first
	// matching request has the number 1.
	From int `json:"from,omitempty"`
	// Every is the interval, in matching requests, between two requests to which the fault applies;
	// 0 means 1.
	Every int `json:"every,omitempty"`
	// Times is the highest number of requests to which the fault applies; 0 means no limit.
	Times int `json:"times,omitempty"`
	// Probability is the probability that the fault applies to a request that meets all other
	// conditions; 0 means 1.
	Probability float64 `json:"probability,omitempty"`
	// Seed is the seed of the random numbers for Probability.
	Seed uint64 `json:"seed,omitempty"`
	// RetryAfter is the value of the header Retry-After for TooManyRequests; 0 means that the
	// header is absent.
	RetryAfter Duration `json:"retryAfter,omitempty"`
	// Delay is the time that Late waits after the disconnect or the release, and the time that Slow
	// takes to send the response.
	Delay Duration `json:"after,omitempty"`
}

const maxDelay = 10 * time.Minute

// Validate returns an error that describes the mistake in the rule and the allowed values.
func (r Rule) Validate() error {
	switch {
	case !slices.Contains(kinds, r.Kind):
		return fmt.Errorf("kind is %q, but must be one of %s", r.Kind, joinKinds(kinds))
	case r.From < 0 || r.Every < 0 || r.Times < 0:
		return fmt.Errorf("the members \"from\", \"every\" and \"times\" must not be negative")
	case r.Probability < 0 || r.Probability > 1:
		return fmt.Errorf("probability is %v, but must be between 0 and 1", r.Probability)
	case r.Delay < 0 || time.Duration(r.Delay) > maxDelay || r.RetryAfter < 0 || time.Duration(r.RetryAfter) > maxDelay:
		return fmt.Errorf("the members \"after\" and \"retryAfter\" must be between 0s and %v", maxDelay)
	case r.Kind == FailField && !strings.Contains(r.Operation, "."):
		return fmt.Errorf("operation is %q, but with the kind %s the member \"operation\" must name a mutation with its GraphQL namespace, such as opportunities.progress", r.Operation, FailField)
	case r.Kind == FailQuery && (r.Operation == "" || r.Operation == AnyMutation || strings.Contains(r.Operation, ".")):
		return fmt.Errorf("operation is %q, but with the kind %s the member \"operation\" must be a root field of a query, such as opportunities, or the operation name of a GraphQL document", r.Operation, FailQuery)
	case r.Trigger != "" && r.Kind != FailTrigger:
		return fmt.Errorf("the member \"trigger\" is allowed only with the kind %s", FailTrigger)
	case r.Trigger != "" && !slices.Contains(triggers, r.Trigger):
		return fmt.Errorf("trigger is %q, but must be one of %s", r.Trigger, strings.Join(triggers, ", "))
	case r.RetryAfter != 0 && r.Kind != TooManyRequests:
		return fmt.Errorf("the member \"retryAfter\" is allowed only with the kind %s", TooManyRequests)
	case r.Delay != 0 && r.Kind != Late && r.Kind != Slow:
		return fmt.Errorf("the member \"after\" is allowed only with the kinds %s and %s", Late, Slow)
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
		return fmt.Errorf("%s is not a duration; a duration is a text such as \"1m30s\"", data)
	}
	parsed, err := time.ParseDuration(text)
	if err != nil {
		return fmt.Errorf("%q is not a duration; a duration is a text such as \"1m30s\"", text)
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
