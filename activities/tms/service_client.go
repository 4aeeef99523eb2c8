package tms

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

// ServiceKey is a key that signs requests to a service. Formatting, logging and encoding a
// ServiceKey never show the key.
type ServiceKey struct{ key string }

// NewServiceKey returns the ServiceKey that hides key.
func NewServiceKey(key string) ServiceKey { return ServiceKey{key} }

// hiddenKey is printed in place of a key.
const hiddenKey = "[key]"

// Format prints hiddenKey for every verb of package fmt.
func (ServiceKey) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hiddenKey) }

// MarshalText hides the key from logs and JSON.
func (ServiceKey) MarshalText() ([]byte, error) { return []byte(hiddenKey), nil }

// sign returns the signature of the timestamp and the body. timestamp is when the request is sent.
func (k ServiceKey) sign(timestamp string, body []byte) string {
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

// maxServiceResponse is how many bytes of a service's response the worker reads and discards, so
// that it can reuse the connection.
const maxServiceResponse = 64 << 10

// serviceResponseTimeout is how long after the send deadline the worker waits for a response. The
// wait is shorter than the activity's time-out, because the server discards a result that comes
// after the time-out.
const serviceResponseTimeout = 10 * time.Second

type serviceClient struct {
	client *http.Client
	now    func() time.Time
}

func newServiceClient(transport http.RoundTripper, now func() time.Time) *serviceClient {
	if transport == nil {
		transport = &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
			TLSHandshakeTimeout: 10 * time.Second, IdleConnTimeout: 90 * time.Second,
			MaxIdleConnsPerHost: 4, ForceAttemptHTTP2: true,
		}
	}
	return &serviceClient{now: now, client: &http.Client{
		Transport: transport,
		// The client follows no redirect, because a signed request must not reach another server.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

type serviceRequest struct {
	// service is the name of the service in the playbook.
	service string
	url     string
	key     ServiceKey
	// idempotencyKey is the same for every repetition of the request.
	idempotencyKey string
	body           []byte
}

// send sends the request once. The status of the request is unknown unless the outcome proves
// another status.
func (s *serviceClient) send(ctx context.Context, m serviceRequest) activities.CallResult {
	if by, ok := administrate.SendDeadline(ctx); ok {
		if time.Now().After(by) {
			return activities.CallResult{Status: exchange.StatusNotSent, Reason: activities.ReasonSendDeadlinePassed}
		}
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, by.Add(serviceResponseTimeout))
		defer cancel()
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, m.url, bytes.NewReader(m.body))
	if err != nil {
		return activities.CallResult{Status: exchange.StatusRejected, Error: opportunity.Invalidf("the URL of the service %s is not valid", m.service)}
	}
	timestamp := strconv.FormatInt(s.now().Unix(), 10)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "oppflow")
	request.Header.Set(headerKey, m.idempotencyKey)
	request.Header.Set(headerTimestamp, timestamp)
	request.Header.Set(headerSignature, m.key.sign(timestamp, m.body))
	answer, err := s.client.Do(request)
	if err != nil {
		return fromTransportError(m.service, err)
	}
	defer func() { _ = answer.Body.Close() }()
	_, _ = io.CopyN(io.Discard, answer.Body, maxServiceResponse) // only the status counts
	return fromStatus(m.service, answer.StatusCode)
}

// fromTransportError returns the result of a request without a response. The status is not sent if
// no connection was made, and unknown if a connection was made.
func fromTransportError(name string, err error) activities.CallResult {
	var network *net.OpError
	if errors.As(err, &network) && network.Op == "dial" {
		return activities.CallResult{Status: exchange.StatusNotSent, Reason: activities.ReasonUnreachable}
	}
	return activities.CallResult{Status: exchange.StatusUnknown, Error: opportunity.Failf(opportunity.Undecided, "the service %s did not respond", name)}
}

// fromStatus converts the HTTP status of the service's response into the result of the request.
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
