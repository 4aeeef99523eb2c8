// Package adminclient controls a sandbox in another process. A Client sets faults, reads the
// request log and the outbox, and changes records as a person does in the TMS.
package adminclient

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/oppflow/oppflow/sandbox"
	"github.com/oppflow/oppflow/sandbox/fault"
	"github.com/oppflow/oppflow/sandbox/requestlog"
	"github.com/oppflow/oppflow/sandbox/store"
)

// Client is a client of a running sandbox. A Client is safe for concurrent use.
type Client struct {
	// APIURL is the URL of the sandbox's API, such as http://127.0.0.1:8080/graphql.
	APIURL string
	// Token is the value of Sandbox.Token, which never expires.
	Token string
}

// SetFault activates a fault and returns its id.
func (s Client) SetFault(ctx context.Context, rule fault.Rule) (int, error) {
	var answer struct {
		ID int `json:"id"`
	}
	err := s.call(ctx, http.MethodPost, "faults", rule, &answer)
	return answer.ID, err
}

// ReleaseFault releases the requests that the fault holds. A released request continues. The fault
// stays active.
func (s Client) ReleaseFault(ctx context.Context, id int) error {
	return s.call(ctx, http.MethodPost, fmt.Sprintf("faults/%d/release", id), nil, nil)
}

// DiscardFault discards the requests that the fault holds. The fault stays active.
func (s Client) DiscardFault(ctx context.Context, id int) error {
	return s.call(ctx, http.MethodPost, fmt.Sprintf("faults/%d/discard", id), nil, nil)
}

// RemoveFault removes the fault. The requests that the fault held continue.
func (s Client) RemoveFault(ctx context.Context, id int) error {
	return s.call(ctx, http.MethodDelete, fmt.Sprintf("faults/%d", id), nil, nil)
}

// ClearFaults removes all faults. The requests that the faults held continue.
func (s Client) ClearFaults(ctx context.Context) error {
	return s.call(ctx, http.MethodDelete, "faults", nil, nil)
}

// Faults returns the active faults, from the oldest to the newest.
func (s Client) Faults(ctx context.Context) ([]fault.Status, error) {
	var answer struct {
		Faults []fault.Status `json:"faults"`
	}
	err := s.call(ctx, http.MethodGet, "faults", nil, &answer)
	return answer.Faults, err
}

// Fault returns the current state of a fault, or the zero value if no active fault has the id.
func (s Client) Fault(ctx context.Context, id int) (fault.Status, error) {
	list, err := s.Faults(ctx)
	for _, status := range list {
		if status.ID == id {
			return status, err
		}
	}
	return fault.Status{}, err
}

// RequestLog returns the log entries of all requests whose number is higher than after, from the
// oldest to the newest.
func (s Client) RequestLog(ctx context.Context, after int64) ([]requestlog.Entry, error) {
	var all []requestlog.Entry
	for {
		var answer struct {
			Entries []requestlog.Entry `json:"entries"`
		}
		if err := s.call(ctx, http.MethodGet, fmt.Sprintf("request-log?after=%d", after), nil, &answer); err != nil {
			return nil, err
		}
		if len(answer.Entries) == 0 {
			return all, nil
		}
		all = append(all, answer.Entries...)
		after = all[len(all)-1].Number
	}
}

// Outbox returns all mails in the order in which the sandbox sent the mails.
func (s Client) Outbox(ctx context.Context) ([]store.Mail, error) {
	var answer struct {
		Mails []store.Mail `json:"mails"`
	}
	err := s.call(ctx, http.MethodGet, "outbox", nil, &answer)
	return answer.Mails, err
}

// EditInterest edits an interest as a person does in the TMS.
func (s Client) EditInterest(ctx context.Context, id string, edit store.InterestEdit) error {
	return s.call(ctx, http.MethodPatch, "interests/"+url.PathEscape(id), edit, nil)
}

// RemoveInterest removes an interest as a person does in the TMS.
func (s Client) RemoveInterest(ctx context.Context, id string) error {
	return s.call(ctx, http.MethodDelete, "interests/"+url.PathEscape(id), nil, nil)
}

// RenameContact gives a contact another name as a person does in the TMS.
func (s Client) RenameContact(ctx context.Context, id string, name sandbox.ContactName) error {
	return s.call(ctx, http.MethodPatch, "contacts/"+url.PathEscape(id), name, nil)
}

func (s Client) call(ctx context.Context, method, path string, payload, answer any) error {
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
		return fmt.Errorf("the request to the sandbox failed: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("the response of the sandbox could not be read: %w", err)
	}
	if response.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("the sandbox responded with the status %s to the request %s %s: %s", response.Status, method, path, text)
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(text, answer)
}
