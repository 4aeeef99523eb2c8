// Package http1 contains the HTTP/1.1 code that requests to the API share with requests to the
// token endpoint.
package http1

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// NewTransport returns an HTTP/1.1 transport that closes a connection after 30 idle seconds. With
// HTTP/1.1, a connection carries only one request at a time. Oppflow can prove that a request was
// not sent only because an HTTP/1.1 connection carries one request at a time. If wrap is not nil,
// the transport calls wrap for each new connection.
func NewTransport(wrap func(net.Conn) net.Conn) *http.Transport {
	dialer := net.Dialer{Timeout: 10 * time.Second, KeepAlive: 15 * time.Second}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, address)
			if err != nil || wrap == nil {
				return conn, err
			}
			return wrap(conn), nil
		},
		Protocols:              protocols,
		TLSHandshakeTimeout:    10 * time.Second,
		MaxIdleConns:           64,
		MaxIdleConnsPerHost:    64,
		IdleConnTimeout:        30 * time.Second, // shorter than the idle time-outs of servers and load balancers
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// RetryAfter reads the header Retry-After, which contains seconds or a date. RetryAfter returns 0
// if the header is missing or unreadable, and never more than 24 hours.
func RetryAfter(resp *http.Response) time.Duration {
	text := resp.Header.Get("Retry-After")
	if text == "" {
		return 0
	}
	var wait time.Duration
	if seconds, err := strconv.ParseUint(text, 10, 64); err == nil {
		wait = time.Duration(min(seconds, 24*60*60)) * time.Second
	} else if at, err := http.ParseTime(text); err == nil {
		// If the response has a Date header, RetryAfter computes the difference between Retry-After
		// and Date, and does not use the local clock.
		now, err := http.ParseTime(resp.Header.Get("Date"))
		if err != nil {
			now = time.Now()
		}
		wait = at.Sub(now)
	}
	return max(0, min(wait, 24*time.Hour))
}

// IsHeaderSafe reports whether an HTTP header can contain the token.
func IsHeaderSafe(token string) bool {
	for i := range len(token) {
		if token[i] <= ' ' || token[i] >= 0x7f {
			return false
		}
	}
	return token != ""
}

// NetworkCause returns the part of an HTTP transport's error that describes a problem of the
// network or of a certificate, or nil if the error has no such part. NetworkCause omits all other
// parts of the transport's error, because these parts may quote data that the client received.
func NetworkCause(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		return op
	}
	var certificate *tls.CertificateVerificationError
	if errors.As(err, &certificate) {
		return certificate
	}
	for _, known := range []error{context.Canceled, context.DeadlineExceeded, io.ErrUnexpectedEOF, io.EOF} {
		if errors.Is(err, known) {
			return known
		}
	}
	return nil
}
