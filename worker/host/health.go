package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	healthSetting = "--health-address or OPPFLOW_HEALTH_ADDRESS"
	// healthTimeout is the longest time for one request for the worker's health, on the side of the
	// client and of the server.
	healthTimeout = 4 * time.Second
	livePath      = "/healthz"
	readyPath     = "/readyz"
)

// health serves GET /healthz, which says whether the worker is alive, and GET /readyz, which says
// whether the worker is ready. A worker is ready when it polls for workflow and activity tasks, the
// TMS accepts its credentials, the namespace belongs to its tenant, and the worker knows the
// playbook in force. If the worker has a problem, the response describes the problem in one line of
// text.
type health struct {
	polls       *pollMonitor
	credentials *credentialStatus
	tenant      *tenantGuard
	stopping    <-chan struct{}
}

func (h *health) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+livePath, func(w http.ResponseWriter, _ *http.Request) { writeHealth(w, nil) })
	mux.HandleFunc("GET "+readyPath, func(w http.ResponseWriter, _ *http.Request) { writeHealth(w, h.ready()) })
	return mux
}

func (h *health) ready() error {
	select {
	case <-h.stopping:
		return errors.New("the worker is stopping and accepts no more tasks")
	default:
		if err := h.polls.check(); err != nil {
			return err
		}
		if err := h.credentials.check(); err != nil {
			return err
		}
		return h.tenant.check()
	}
}

func writeHealth(w http.ResponseWriter, problem error) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	if problem != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = fmt.Fprintln(w, strings.ReplaceAll(problem.Error(), "\n", "; "))
		return
	}
	_, _ = fmt.Fprintln(w, "ok")
}

// serveHealth serves the worker's health over HTTP at the address until the caller calls stop.
// After the end of ctx, serveHealth reports that the worker is not ready, but still responds,
// because a worker that is stopping is alive.
func serveHealth(ctx context.Context, address string, h *health, logger *slog.Logger) (stop func(), err error) {
	if address == "" {
		return func() {}, nil
	}
	if err := checkHealthAddress(address); err != nil {
		return nil, &SettingsError{cause: err}
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		err = fmt.Errorf("health address %s (%s): %w", address, healthSetting, listenCause(err))
		return func() {}, unlessInterrupted(ctx, err)
	}
	server := &http.Server{
		Handler: h.handler(), ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
		ReadHeaderTimeout: healthTimeout, ReadTimeout: healthTimeout, WriteTimeout: healthTimeout, IdleTimeout: time.Minute,
		MaxHeaderBytes: 16 << 10,
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			logger.Error("the HTTP server for the worker's health has failed", "error", err)
		}
	}()
	logger.InfoContext(ctx, "the worker reports its health over HTTP", "address", listener.Addr().String())
	return func() {
		_ = server.Close() // Close ends the connection of a client whose request is still in progress
		<-served
	}, nil
}

func checkHealthAddress(address string) error {
	_, port, err := net.SplitHostPort(address)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return fmt.Errorf("health address %q (%s): must be host:port, such as 127.0.0.1:8481", address, healthSetting)
	}
	return nil
}

func listenCause(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err
	}
	return err
}

func askHealth(ctx context.Context, address, path string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	// If the worker listens on all addresses, askHealth sends the request to the loopback
	// interface.
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	address = net.JoinHostPort(host, port)
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+path, http.NoBody)
	if err != nil {
		return fmt.Errorf("health address %q (%s): %w", address, healthSetting, err)
	}
	// The client uses no proxy, because a proxy from the environment must not redirect the request.
	client := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("no response from %s: %s", address, Reason(listenCause(unwrapURL(err))))
	}
	defer func() { _ = response.Body.Close() }()
	said, err := io.ReadAll(io.LimitReader(response.Body, 1<<10))
	if err != nil {
		return fmt.Errorf("the health response of %s is incomplete: %s", address, Reason(err))
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s responds %s: %s", address, response.Status, strings.Join(strings.Fields(string(said)), " "))
	}
	return nil
}
