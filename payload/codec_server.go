package payload

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

const (
	// requestTimeout is how long a caller may take to send a request, and how long a caller may
	// take to read the response.
	requestTimeout = 30 * time.Second
	// drainTimeout is how long running requests may continue when the server stops.
	drainTimeout = 10 * time.Second
)

// Serve serves the handler until ctx ends, and then completes the running requests. With a
// certificate file, Serve uses TLS and reads the certificate and its key again for each connection,
// so a renewed certificate needs no restart. Serve closes the listener.
func Serve(ctx context.Context, listener net.Listener, handler http.Handler, certFile, keyFile string, logger *slog.Logger) error {
	server := &http.Server{
		Handler: handler, ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
		ReadHeaderTimeout: requestTimeout, ReadTimeout: requestTimeout, WriteTimeout: requestTimeout, IdleTimeout: 2 * requestTimeout,
		MaxHeaderBytes: 64 << 10,
	}
	serve := func() error { return server.Serve(listener) }
	if certFile != "" {
		if _, err := tls.LoadX509KeyPair(certFile, keyFile); err != nil {
			return errors.Join(fmt.Errorf("--tls-cert %s, --tls-key %s: %w", certFile, keyFile, err), listener.Close())
		}
		server.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			certificate, err := tls.LoadX509KeyPair(certFile, keyFile)
			return &certificate, err
		}}
		serve = func() error { return server.ServeTLS(listener, "", "") }
	}
	served := make(chan error, 1)
	go func() { served <- serve() }()
	select {
	case err := <-served:
		return fmt.Errorf("the codec server ended: %w", err)
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer cancel()
	if err := server.Shutdown(drain); err != nil {
		return errors.Join(fmt.Errorf("the codec server stopped before all requests were completed: %w", err), server.Close())
	}
	return nil
}
