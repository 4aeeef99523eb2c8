package chaos

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/oppflow/oppflow/sandbox/fault"
	"github.com/oppflow/oppflow/sandbox/ledger"
)

// The worker's settle time, and how long after its client has gone the sandbox commits a request that is late. What the
// product promises holds on the condition that the second is shorter than the first: only then can the record be read
// back when nothing of a request can be under way any more.
const (
	settleTime = 5 * time.Second
	lateBy     = time.Second
)

// slowFor is how long a slow answer takes; the client waits for it.
const slowFor = 2 * time.Second

// badDays are the faults that requests meet all the time, each with a seed of its own. Those that hold requests are not
// among them: they are set where a kill is to happen.
// times is how often they were ordered before: each time they meet others.
func badDays(o Options, times uint64) []fault.Rule {
	const often, seldom, progress, details = 0.012, 0.008, "opportunities.progress", "opportunities.update"
	rules := []fault.Rule{
		{Kind: fault.ErrorBefore, Probability: often},
		{Kind: fault.ErrorAfter, Probability: often},
		{Kind: fault.DropBefore, Probability: often},
		{Kind: fault.DropAfter, Probability: often},
		{Kind: fault.TooMany, Probability: often, RetryAfter: fault.Duration(time.Second)},
		{Kind: fault.ExpireTokens, Probability: often},
		{Kind: fault.Partial, Probability: often},
		{Kind: fault.Malformed, Probability: often},
		{Kind: fault.Slow, Probability: often, After: fault.Duration(slowFor)},
		{Kind: fault.FailField, Operation: progress, Probability: often},
		{Kind: fault.FailField, Operation: details, Probability: often},
		{Kind: fault.FailField, Operation: "opportunities.addInterest", Probability: often},
		{Kind: fault.FailTrigger, Operation: progress, Probability: often},
		{Kind: fault.Late, Probability: seldom, After: fault.Duration(lateBy)},
		{Kind: fault.Late, From: 40, Every: 250, After: fault.Duration(lateBy)}, // a few at any rate
	}
	for i := range rules {
		rules[i].Seed = o.Seed + uint64(i) + times<<32
	}
	return rules
}

// badDay asks the sandbox for faults, and what it has written down.
type badDay struct{ base, token string }

func newBadDay(apiURL, token string) badDay {
	return badDay{base: strings.TrimSuffix(apiURL, "/graphql") + "/_sandbox/", token: token}
}

// order puts a fault in force and answers its id.
func (b badDay) order(ctx context.Context, rule fault.Rule) (int, error) {
	var answer struct {
		ID int `json:"id"`
	}
	err := b.ask(ctx, http.MethodPost, "faults", rule, &answer)
	return answer.ID, err
}

// release lets go on what the fault holds; remove takes it out of force, too.
func (b badDay) release(ctx context.Context, id int) error {
	return b.ask(ctx, http.MethodPost, fmt.Sprintf("faults/%d/release", id), nil, nil)
}

func (b badDay) remove(ctx context.Context, id int) error {
	return b.ask(ctx, http.MethodDelete, fmt.Sprintf("faults/%d", id), nil, nil)
}

// clear takes all faults out of force.
func (b badDay) clear(ctx context.Context) error {
	return b.ask(ctx, http.MethodDelete, "faults", nil, nil)
}

// faults lists those in force.
func (b badDay) faults(ctx context.Context) ([]fault.Status, error) {
	var answer struct {
		Faults []fault.Status `json:"faults"`
	}
	err := b.ask(ctx, http.MethodGet, "faults", nil, &answer)
	return answer.Faults, err
}

// held counts what the fault holds right now.
func (b badDay) held(ctx context.Context, id int) (int, error) {
	list, err := b.faults(ctx)
	for _, status := range list {
		if status.ID == id {
			return status.Held, err
		}
	}
	return 0, err
}

// ledger answers what was asked of the sandbox after the request of a number.
func (b badDay) ledger(ctx context.Context, after int64) ([]ledger.Entry, error) {
	var all []ledger.Entry
	for {
		var answer struct {
			Entries []ledger.Entry `json:"entries"`
		}
		if err := b.ask(ctx, http.MethodGet, fmt.Sprintf("ledger?after=%d", after), nil, &answer); err != nil {
			return nil, err
		}
		if len(answer.Entries) == 0 {
			return all, nil
		}
		all = append(all, answer.Entries...)
		after = all[len(all)-1].Number
	}
}

func (b badDay) ask(ctx context.Context, method, path string, payload, answer any) error {
	var body io.Reader = http.NoBody
	if payload != nil {
		text, err := json.Marshal(payload)
		if err != nil {
			return err
		}
		body = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, b.base+path, body)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+b.token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("the sandbox: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("the sandbox: %w", err)
	}
	if response.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("the sandbox answers %s to %s %s: %s", response.Status, method, path, text)
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(text, answer)
}
