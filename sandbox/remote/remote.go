// Package remote controls a sandbox in another process: its faults, its ledger and its outbox. It uses the sandbox's admin
// endpoint and nothing else.
package remote

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/oppflow/oppflow/sandbox/fault"
	"github.com/oppflow/oppflow/sandbox/ledger"
	"github.com/oppflow/oppflow/sandbox/store"
)

// Sandbox is a running sandbox. It is safe for concurrent use.
type Sandbox struct {
	// APIURL is the address of its API, such as http://127.0.0.1:8080/graphql.
	APIURL string
	// Token is the sandbox's own token, which never expires.
	Token string
}

// Set puts a fault in force and returns its id.
func (s Sandbox) Set(ctx context.Context, rule fault.Rule) (int, error) {
	var answer struct {
		ID int `json:"id"`
	}
	err := s.ask(ctx, http.MethodPost, "faults", rule, &answer)
	return answer.ID, err
}

// Release lets the requests that the fault holds continue. The fault stays in force.
func (s Sandbox) Release(ctx context.Context, id int) error {
	return s.ask(ctx, http.MethodPost, fmt.Sprintf("faults/%d/release", id), nil, nil)
}

// Discard throws away what the fault holds. The fault stays in force.
func (s Sandbox) Discard(ctx context.Context, id int) error {
	return s.ask(ctx, http.MethodPost, fmt.Sprintf("faults/%d/discard", id), nil, nil)
}

// Remove takes the fault out of force. The requests that it holds continue.
func (s Sandbox) Remove(ctx context.Context, id int) error {
	return s.ask(ctx, http.MethodDelete, fmt.Sprintf("faults/%d", id), nil, nil)
}

// Clear takes all faults out of force. The requests that they hold continue.
func (s Sandbox) Clear(ctx context.Context) error {
	return s.ask(ctx, http.MethodDelete, "faults", nil, nil)
}

// Faults returns the faults in force, in the order in which they were set.
func (s Sandbox) Faults(ctx context.Context) ([]fault.Status, error) {
	var answer struct {
		Faults []fault.Status `json:"faults"`
	}
	err := s.ask(ctx, http.MethodGet, "faults", nil, &answer)
	return answer.Faults, err
}

// Fault returns the current state of a fault, or the zero value when there is none with the id.
func (s Sandbox) Fault(ctx context.Context, id int) (fault.Status, error) {
	list, err := s.Faults(ctx)
	for _, status := range list {
		if status.ID == id {
			return status, err
		}
	}
	return fault.Status{}, err
}

// Ledger returns all requests after the given number, the oldest first.
func (s Sandbox) Ledger(ctx context.Context, after int64) ([]ledger.Entry, error) {
	var all []ledger.Entry
	for {
		var answer struct {
			Entries []ledger.Entry `json:"entries"`
		}
		if err := s.ask(ctx, http.MethodGet, fmt.Sprintf("ledger?after=%d", after), nil, &answer); err != nil {
			return nil, err
		}
		if len(answer.Entries) == 0 {
			return all, nil
		}
		all = append(all, answer.Entries...)
		after = all[len(all)-1].Number
	}
}

// Outbox returns all mail in the order in which it was sent.
func (s Sandbox) Outbox(ctx context.Context) ([]store.Mail, error) {
	var answer struct {
		Mails []store.Mail `json:"mails"`
	}
	err := s.ask(ctx, http.MethodGet, "outbox", nil, &answer)
	return answer.Mails, err
}

func (s Sandbox) ask(ctx context.Context, method, path string, payload, answer any) error {
	var body io.Reader = http.NoBody
	if payload != nil {
		text, err := json.Marshal(payload)
		if err != nil {
			return err
		}
		body = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(s.APIURL, "/graphql")+"/_sandbox/"+path, body)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+s.Token)
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
