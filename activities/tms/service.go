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
	"github.com/oppflow/oppflow/opportunity"
)

// ServiceKey is a key that signs requests to a service, and that no way of printing
// shows.
type ServiceKey struct{ key string }

// NewServiceKey keeps the key.
func NewServiceKey(key string) ServiceKey { return ServiceKey{key} }

// hiddenKey is printed in place of a key.
const hiddenKey = "[key]"

// Format keeps every verb of package fmt from showing the key.
func (ServiceKey) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hiddenKey) }

// MarshalText hides the key from logs and JSON.
func (ServiceKey) MarshalText() ([]byte, error) { return []byte(hiddenKey), nil }

// sign returns the signature of a body that is sent at the time.
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

// maxServiceAnswer is how much of a service's answer is read and thrown away, so that the
// connection can be used again.
const maxServiceAnswer = 64 << 10

// serviceAnswersWithin is how long after the last moment of sending the worker waits for
// an answer. This time ends before the activity does, whose result would be lost.
const serviceAnswersWithin = 10 * time.Second

// services sends signed requests to the tenant's own services.
type services struct {
	client *http.Client
	now    func() time.Time
}

func newServices(transport http.RoundTripper, now func() time.Time) *services {
	if transport == nil {
		transport = &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
			TLSHandshakeTimeout: 10 * time.Second, IdleConnTimeout: 90 * time.Second,
			MaxIdleConnsPerHost: 4, ForceAttemptHTTP2: true,
		}
	}
	return &services{now: now, client: &http.Client{
		Transport: transport,
		// A signed request is meant for the service, not for the target of a redirect.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

type message struct {
	// name is the name of the service in the playbook.
	name string
	url  string
	key  ServiceKey
	// idempotency is the same for every repetition.
	idempotency string
	body        []byte
}

// send sends the request once. Everything that is not proven is unknown.
func (s *services) send(ctx context.Context, m message) activities.Sending {
	if by, ok := administrate.SendBy(ctx); ok {
		if time.Now().After(by) {
			return activities.Sending{Fate: opportunity.FateNotSent, Reason: activities.ReasonLate}
		}
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, by.Add(serviceAnswersWithin))
		defer cancel()
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, m.url, bytes.NewReader(m.body))
	if err != nil {
		return activities.Sending{Fate: opportunity.FateRejected, Error: opportunity.Invalidf("the address of the service %s cannot be used", m.name)}
	}
	timestamp := strconv.FormatInt(s.now().Unix(), 10)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "oppflow")
	request.Header.Set(headerKey, m.idempotency)
	request.Header.Set(headerTimestamp, timestamp)
	request.Header.Set(headerSignature, m.key.sign(timestamp, m.body))
	answer, err := s.client.Do(request)
	if err != nil {
		return unanswered(m.name, err)
	}
	defer func() { _ = answer.Body.Close() }()
	_, _ = io.CopyN(io.Discard, answer.Body, maxServiceAnswer) // the status says all
	return answered(m.name, answer.StatusCode)
}

// unanswered returns the fate of a request without an answer: not sent when it never
// left, and unknown otherwise.
func unanswered(name string, err error) activities.Sending {
	var network *net.OpError
	if errors.As(err, &network) && network.Op == "dial" {
		return activities.Sending{Fate: opportunity.FateNotSent, Reason: activities.ReasonUnreachable}
	}
	return activities.Sending{Fate: opportunity.FateUnknown, Error: opportunity.Failf(opportunity.Undecided, "the service %s did not answer", name)}
}

// answered returns the fate of a request from the status of the service's answer.
func answered(name string, status int) activities.Sending {
	said := func(typ opportunity.ErrorType) *opportunity.Error {
		return opportunity.Failf(typ, "the service %s answered %d %s", name, status, http.StatusText(status))
	}
	switch {
	case status >= 200 && status < 300:
		return activities.Sending{Fate: opportunity.FateDone}
	case status == http.StatusRequestTimeout, status == http.StatusTooEarly, status == http.StatusTooManyRequests:
	case status >= 400 && status < 500:
		return activities.Sending{Fate: opportunity.FateRejected, Error: said(opportunity.Rejected)}
	}
	return activities.Sending{Fate: opportunity.FateUnknown, Error: said(opportunity.Undecided)}
}
