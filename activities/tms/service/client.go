package service

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// Key is a key that signs requests to a service. Formatting, logging and encoding a Key never show
// the secret value.
type Key struct{ key string }

// NewKey returns the Key that hides key.
func NewKey(key string) Key { return Key{key} }

const hiddenKey = "[key]"

// Format prints hiddenKey for every verb of package fmt.
func (Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hiddenKey) }

// MarshalText hides the key from logs and JSON.
func (Key) MarshalText() ([]byte, error) { return []byte(hiddenKey), nil }

// timestamp is the time at which the worker sends the request.
func (k Key) sign(timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(k.key))
	_, _ = io.WriteString(mac, timestamp+".") // never fails
	_, _ = mac.Write(body)
	return "v1=" + hex.EncodeToString(mac.Sum(nil))
}

const (
	headerKey       = "Idempotency-Key"
	headerTimestamp = "Oppflow-Timestamp"
	headerSignature = "Oppflow-Signature"
)

// maxResponse is how many bytes of a service's response the worker reads and discards, so that the
// worker can reuse the connection.
const maxResponse = 64 << 10

// responseTimeout is how long after the send deadline the worker waits for a response. The end of
// this wait is earlier than the activity's time-out, because the Temporal server discards a result
// that comes after the time-out.
const responseTimeout = 10 * time.Second

// Client sends requests to the services of the tenant.
type Client struct {
	client *http.Client
	now    func() time.Time
}

// NewClient returns a client. transport sends the requests; nil means that the client makes its own
// transport.
func NewClient(transport http.RoundTripper, now func() time.Time) *Client {
	if transport == nil {
		transport = &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
			TLSHandshakeTimeout: 10 * time.Second, IdleConnTimeout: 90 * time.Second,
			MaxIdleConnsPerHost: 4, ForceAttemptHTTP2: true,
		}
	}
	return &Client{now: now, client: &http.Client{
		Transport: transport,
		// The client follows no redirect, because a signed request must not reach another server.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Request is one request to a service.
type Request struct {
	// Service is the name of the service in the playbook.
	Service string
	URL     string
	Key     Key
	// IdempotencyKey is the same text in every repetition of the request.
	IdempotencyKey string
	Body           []byte
}

// Send sends the request once. The status of the request is unknown unless the response or the
// error proves another status.
func (s *Client) Send(ctx context.Context, m Request) activities.CallResult {
	if by, ok := administrate.SendDeadline(ctx); ok {
		if time.Now().After(by) {
			return activities.CallResult{Status: exchange.StatusNotSent, Reason: activities.ReasonSendDeadlinePassed}
		}
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, by.Add(responseTimeout))
		defer cancel()
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, m.URL, bytes.NewReader(m.Body))
	if err != nil {
		return activities.CallResult{Status: exchange.StatusRejected, Error: opportunity.Invalidf("the URL of the service %s is not valid", m.Service)}
	}
	timestamp := strconv.FormatInt(s.now().Unix(), 10)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "oppflow")
	request.Header.Set(headerKey, m.IdempotencyKey)
	request.Header.Set(headerTimestamp, timestamp)
	request.Header.Set(headerSignature, m.Key.sign(timestamp, m.Body))
	answer, err := s.client.Do(request)
	if err != nil {
		return fromTransportError(m.Service, err)
	}
	defer func() { _ = answer.Body.Close() }()
	_, _ = io.CopyN(io.Discard, answer.Body, maxResponse) // only the status counts
	return fromStatus(m.Service, answer.StatusCode)
}

// The status is not sent if the worker made no connection, and unknown if the worker made a
// connection.
func fromTransportError(name string, err error) activities.CallResult {
	var network *net.OpError
	if errors.As(err, &network) && network.Op == "dial" {
		return activities.CallResult{Status: exchange.StatusNotSent, Reason: activities.ReasonUnreachable}
	}
	return activities.CallResult{Status: exchange.StatusUnknown, Error: opportunity.Failf(opportunity.Undecided, "the service %s did not respond", name)}
}

func fromStatus(name string, status int) activities.CallResult {
	said := func(typ opportunity.ErrorType) *opportunity.Error {
		return opportunity.Failf(typ, "the service %s responded with HTTP status %d %s", name, status, http.StatusText(status))
	}
	switch {
	case status >= 200 && status < 300:
		return activities.CallResult{Status: exchange.StatusDone}
	case status == http.StatusRequestTimeout, status == http.StatusTooEarly, status == http.StatusTooManyRequests:
	case status >= 400 && status < 500:
		return activities.CallResult{Status: exchange.StatusRejected, Error: said(opportunity.Rejected)}
	}
	return activities.CallResult{Status: exchange.StatusUnknown, Error: said(opportunity.Undecided)}
}
