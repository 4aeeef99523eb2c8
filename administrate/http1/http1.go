// Package http1 holds the rules of HTTP/1.1 that requests to the API and to the token
// endpoint share. It imports nothing of Oppflow and sends nothing.
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

// NewTransport returns a transport with time-outs of its own that keeps connections for
// 30 s. With HTTP/1.1 a request has its connection alone, as the proof that nothing was sent
// needs. wrap, when given, wraps each new connection.
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
		IdleConnTimeout:        30 * time.Second, // before servers and balancers close them
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// RetryAfter reads Retry-After, in seconds or as a date. It returns 0 when the header
// cannot be read, and never more than a day.
func RetryAfter(resp *http.Response) time.Duration {
	text := resp.Header.Get("Retry-After")
	if text == "" {
		return 0
	}
	var wait time.Duration
	if seconds, err := strconv.ParseUint(text, 10, 64); err == nil {
		wait = time.Duration(min(seconds, 24*60*60)) * time.Second
	} else if at, err := http.ParseTime(text); err == nil {
		// With a Date header both times are the server's.
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

// NetworkCause returns the part of a transport's error that is about the network or a
// certificate, nil if there is none. The rest may quote received data.
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
