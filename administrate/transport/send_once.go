package transport

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"time"

	"golang.org/x/time/rate"

	"github.com/oppflow/oppflow/administrate/http1"
	"github.com/oppflow/oppflow/administrate/oauth"
)

// inFlightRequest is the state of one request and is stored in the context of the request. The
// GraphQL library returns neither the response headers nor the cause of an error, so the
// sendOnceDoer stores the error in inFlightRequest.
type inFlightRequest struct {
	document   Document
	handedOver bool
	err        error // one of the error types of this package
}

type inFlightRequestKey struct{}

// sendOnceDoer is the HTTP client that the GraphQL library calls. Before each request, sendOnceDoer
// waits for the rate limit and adds the access token. The package sends each document once, before
// the send deadline, and sendOnceDoer reads the whole response.
type sendOnceDoer struct {
	transport        http.RoundTripper
	bucket           *rate.Limiter
	pace             *Pace // nil for no pace
	backOff          rateLimitBackOff
	tokens           oauth.TokenSource
	maxResponseBytes int64
	timeout          time.Duration
	onResult         func(error)                 // nil calls no function
	permitted        func(context.Context) error // nil permits every request
}

// Do implements the interface Doer of the GraphQL library. Do does not follow redirects, because
// the redirected POST would be a second request.
func (c *sendOnceDoer) Do(req *http.Request) (*http.Response, error) {
	ex, ok := req.Context().Value(inFlightRequestKey{}).(*inFlightRequest)
	if !ok {
		return nil, errors.New("administrate: the HTTP request was not made by Client.Send")
	}
	ex.handedOver = true
	resp, err := c.send(req, ex)
	ex.err = err
	if c.onResult != nil {
		c.onResult(err)
	}
	return resp, err
}

func (c *sendOnceDoer) checkPermitted(ctx context.Context) error {
	if c.permitted == nil {
		return nil
	}
	return c.permitted(ctx)
}

func notPermittedReason(err error) Reason {
	var earlier *NotSentError
	if errors.As(err, &earlier) {
		return earlier.Reason
	}
	return NotPermitted
}

// clearToSend waits until the client may send the request, and returns the access token for the
// request.
func (c *sendOnceDoer) clearToSend(req *http.Request, operation string) (token string, err error) {
	ctx := req.Context()
	if req.ContentLength > MaxRequestBytes {
		return "", &InvalidError{
			Where:   operation,
			Problem: "the request is larger than " + strconv.Itoa(MaxRequestBytes>>10) + " KiB; split the request",
		}
	}
	if err := ctx.Err(); err != nil {
		return "", notSent(operation, Cancelled, err)
	}
	if err := c.checkPermitted(ctx); err != nil {
		return "", notSent(operation, notPermittedReason(err), err)
	}
	by, bounded := SendDeadline(ctx)
	if bounded && deadlinePassed(by) {
		return "", notSent(operation, SendDeadlinePassed, nil)
	}
	// clearToSend gets the access token before it waits for the rate limit. If clearToSend waited
	// for the rate limit first, all requests that wait for a new token would be sent at once after
	// the renewal of the token.
	token, err = c.token(ctx)
	if err == nil && http1.IsHeaderSafe(token) {
		asked := time.Now()
		if err := c.waitTurn(ctx); err != nil {
			return "", notSent(operation, Throttled, err)
		}
		if time.Since(asked) > time.Second { // the token may have been renewed during the wait for the rate limit
			token, err = c.token(ctx)
		}
	}
	switch {
	case err != nil && ctx.Err() != nil:
		return "", notSent(operation, Cancelled, err)
	case err != nil && bounded && deadlinePassed(by):
		return "", notSent(operation, SendDeadlinePassed, err)
	case err != nil:
		reason := Authentication
		var why *oauth.TokenError
		if errors.As(err, &why) && why.Reason != "" {
			reason = Reason(why.Reason)
		}
		return "", notSent(operation, reason, err)
	case !http1.IsHeaderSafe(token):
		return "", notSent(operation, Authentication, errToken)
	}
	// The second call of checkPermitted is needed because the new token may belong to credentials
	// that are not permitted.
	if err := c.checkPermitted(ctx); err != nil {
		return "", notSent(operation, notPermittedReason(err), err)
	}
	return token, nil
}

func notSent(operation string, reason Reason, cause error) error {
	return &NotSentError{Operation: operation, Reason: reason, cause: cause}
}

func (c *sendOnceDoer) send(req *http.Request, ex *inFlightRequest) (*http.Response, error) {
	operation := ex.document.Name
	token, err := c.clearToSend(req, operation)
	if err != nil {
		return nil, err
	}
	by, bounded := SendDeadline(req.Context())
	ctx, cancel := context.WithTimeout(req.Context(), c.timeout)
	defer cancel()
	var line connTracker
	guarded := &guardedBody{body: req.Body, sendDeadline: by, onFirstRead: line.recordStart}
	if bounded {
		// Without this timer the client would still wait for a slow connection after the send
		// deadline.
		late := time.AfterFunc(time.Until(by), func() {
			if guarded.expireUnopened() {
				cancel()
			}
		})
		defer late.Stop()
	}
	out := req.Clone(httptrace.WithClientTrace(ctx, line.clientTrace()))
	out.Body = guarded
	out.GetBody = nil // if GetBody were set, the transport could send the document again
	out.Header.Set("Authorization", "Bearer "+token)
	out.Header.Set("Accept", "application/json")
	out.Header.Set("User-Agent", "oppflow")

	sent := time.Now()
	resp, err := c.transport.RoundTrip(out)
	if err != nil {
		opened, expired := guarded.sealForGood()
		unsent := !opened || line.nothingWritten()
		switch ended := req.Context().Err(); {
		case expired:
			return nil, notSent(operation, SendDeadlinePassed, nil)
		case unsent && ended != nil:
			return nil, notSent(operation, Cancelled, ended)
		case unsent:
			return nil, notSent(operation, Unreachable, http1.NetworkCause(err))
		}
		return nil, connectionLost(ctx, operation, err, 0)
	}
	defer func() { _ = resp.Body.Close() }()
	if source, ok := c.tokens.(oauth.TokenInvalidator); ok {
		switch resp.StatusCode {
		case http.StatusUnauthorized:
			source.Invalidate(token)
		case http.StatusOK:
			source.Accepted(token)
		}
	}
	c.observeRateLimit(resp, sent)
	body, err := c.classifyResponse(ctx, resp, ex)
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

func (c *sendOnceDoer) waitTurn(ctx context.Context) error {
	if by, ok := SendDeadline(ctx); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, by)
		defer cancel()
	}
	for {
		if err := c.backOff.wait(ctx); err != nil {
			return err
		}
		if c.pace != nil {
			if err := c.pace.Wait(ctx); err != nil {
				return err
			}
		}
		if err := c.bucket.Wait(ctx); err != nil {
			return err
		}
		if c.backOff.isOver() { // if the back-off is not over, it began during the wait for the bucket and the pace
			return nil
		}
	}
}

func (c *sendOnceDoer) token(ctx context.Context) (string, error) {
	if by, ok := SendDeadline(ctx); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, by)
		defer cancel()
	}
	return c.tokens.Token(ctx)
}

// After a 429, observeRateLimit empties the rate limit bucket, because the API would refuse a burst
// after the back-off.
func (c *sendOnceDoer) observeRateLimit(resp *http.Response, sent time.Time) {
	if resp.StatusCode == http.StatusTooManyRequests {
		c.backOff.onRateLimited(sent, http1.RetryAfter(resp))
		if saved := int(c.bucket.Tokens()); saved > 0 {
			c.bucket.AllowN(time.Now(), saved)
		}
	} else {
		c.backOff.onNotRateLimited(sent)
	}
}

func (c *sendOnceDoer) classifyResponse(ctx context.Context, resp *http.Response, ex *inFlightRequest) ([]byte, error) {
	operation := ex.document.Name
	switch resp.StatusCode {
	case http.StatusUnauthorized, http.StatusTooManyRequests:
		refused := &NotSentError{Operation: operation, Reason: Authentication}
		if resp.StatusCode == http.StatusTooManyRequests {
			refused.Reason, refused.RetryAfter = RateLimited, http1.RetryAfter(resp)
		}
		// The client reads the rest of the response so that the connection can carry another
		// request.
		_, _ = io.CopyN(io.Discard, resp.Body, 64<<10)
		return nil, refused
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, c.maxResponseBytes+1))
	if err != nil {
		return nil, connectionLost(ctx, operation, err, resp.StatusCode)
	}
	unknown := func(cause string) error {
		return &UnknownError{Operation: operation, Cause: cause, Status: resp.StatusCode}
	}
	if int64(len(body)) > c.maxResponseBytes {
		return nil, unknown("the response is larger than " + strconv.FormatInt(c.maxResponseBytes, 10) + " bytes")
	}
	switch resp.StatusCode {
	case http.StatusOK, http.StatusCreated: // the GraphQL library reads only responses with these two statuses
		if !json.Valid(body) {
			return nil, unknown("the response is not JSON")
		}
		return body, nil
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		// GraphQL servers return the HTTP status 400 or 422 when they refuse a document before
		// execution.
		var answer struct {
			Data   json.RawMessage `json:"data"`
			Errors []GraphQLError  `json:"errors"`
		}
		if json.Unmarshal(body, &answer) == nil && (len(answer.Data) == 0 || string(answer.Data) == "null") &&
			len(answer.Errors) > 0 && !executionBegan(ex.document, answer.Errors) {
			return nil, refusedError(ex.document, answer.Errors)
		}
		return nil, unknown("the response does not show whether the API refused the document")
	default:
		return nil, unknown("the response is not a GraphQL response")
	}
}

func connectionLost(ctx context.Context, operation string, err error, status int) error {
	cause := "the connection to the API was lost"
	if ended := ctx.Err(); ended != nil {
		cause, err = "the API did not respond in time", ended
		if errors.Is(ended, context.Canceled) {
			cause = "the API request was cancelled before the API responded"
		}
	}
	return &UnknownError{Operation: operation, Cause: cause, Status: status, cause: http1.NetworkCause(err)}
}

// MaxRequestBytes is the maximum size of a request that the client sends.
const MaxRequestBytes = 256 << 10

var errToken = errors.New("administrate: the access token is empty or contains characters that an HTTP header cannot contain")
