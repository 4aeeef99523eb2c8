// Package http1 holds the rules of HTTP/1.1 that requests to the API and to the token endpoint
// share. The package imports nothing of Oppflow and sends nothing.
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

// NewTransport returns a transport with time-outs of its own that keeps connections for 30 s. With
// HTTP/1.1, requests do not share a connection at the same time. The proof that nothing was sent
// relies on this. wrap, when given, wraps each new connection.
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
		IdleConnTimeout:        30 * time.Second, // shorter than the idle time-outs of servers and balancers
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// RetryAfter reads the header Retry-After, which contains seconds or a date. RetryAfter returns 0
// for a header that cannot be read, and at most a day.
func RetryAfter(resp *http.Response) time.Duration {
	text := resp.Header.Get("Retry-After")
	if text == "" {
		return 0
	}
	var wait time.Duration
	if seconds, err := strconv.ParseUint(text, 10, 64); err == nil {
		wait = time.Duration(min(seconds, 24*60*60)) * time.Second
	} else if at, err := http.ParseTime(text); err == nil {
		// If the response has a Date header, both times come from the server's clock.
		now, err := http.ParseTime(resp.Header.Get("Date"))
		if err != nil {
			now = time.Now()
		}
		wait = at.Sub(now)
	}
	return max(0, min(wait, 24*time.Hour))
}

// IsHeaderSafe reports whether a header can contain the token.
func IsHeaderSafe(token string) bool {
	for i := range len(token) {
		if token[i] <= ' ' || token[i] >= 0x7f {
			return false
		}
	}
	return token != ""
}

// NetworkCause returns the part of a transport's error that is about the network or a certificate,
// or nil. The parts of a transport's error that NetworkCause leaves out may quote received data.
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
