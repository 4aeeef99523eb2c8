package host_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/worker/host"
)

// idleService is a fake Temporal service that never has a task for a worker. A worker that stops
// calls ShutdownWorker. idleService responds to ShutdownWorker only after release is closed.
type idleService struct {
	*frontend
	release chan struct{} // the test closes release to let a worker stop
	tied    boundState
	asked   atomic.Bool // whether a worker has polled for activities
}

func (s *idleService) PollWorkflowTaskQueue(ctx context.Context, _ *workflowservice.PollWorkflowTaskQueueRequest) (*workflowservice.PollWorkflowTaskQueueResponse, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func (s *idleService) PollActivityTaskQueue(ctx context.Context, _ *workflowservice.PollActivityTaskQueueRequest) (*workflowservice.PollActivityTaskQueueResponse, error) {
	s.asked.Store(true)
	<-ctx.Done()
	return nil, ctx.Err()
}

func (s *idleService) DescribeNamespace(context.Context, *workflowservice.DescribeNamespaceRequest) (*workflowservice.DescribeNamespaceResponse, error) {
	return &workflowservice.DescribeNamespaceResponse{}, nil
}

func (s *idleService) ShutdownWorker(ctx context.Context, _ *workflowservice.ShutdownWorkerRequest) (*workflowservice.ShutdownWorkerResponse, error) {
	select {
	case <-s.release:
	case <-ctx.Done():
	}
	return &workflowservice.ShutdownWorkerResponse{}, nil
}

func (s *idleService) serve(t *testing.T) (address string) {
	t.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(grpc.UnaryInterceptor(func(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
		answer, err := handle(ctx, request)
		return answer, serviceerror.ToStatus(err).Err()
	}))
	workflowservice.RegisterWorkflowServiceServer(server, s)
	operatorservice.RegisterOperatorServiceServer(server, s)
	healthpb.RegisterHealthServer(server, health.NewServer())
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Stop()
		// The test may end before the server has started, so ErrServerStopped is not a failure.
		if err := <-served; err != nil && !errors.Is(err, grpc.ErrServerStopped) {
			t.Error(err)
		}
	})
	return listener.Addr().String()
}

func healthcheck(t *testing.T, env []string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, said bytes.Buffer
	code = host.Main(t.Context(), append([]string{"healthcheck"}, args...), append([]string{}, env...), &out, &said)
	if code != 0 && (strings.Count(said.String(), "\n") != 1 || !strings.HasPrefix(said.String(), "oppflow-worker: ")) {
		t.Errorf("not one line of the worker's: %q", said.String())
	}
	return code, out.String(), said.String()
}

// eventually waits until the condition holds.
func eventually(t *testing.T, what string, isSo func() bool) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !isSo() {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within 30 s", what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(content)
}

func freePort(t *testing.T) string {
	t.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

// The command healthcheck reports each state of a worker from its start to its end.
func TestHealthcheckFollowsTheWorker(t *testing.T) {
	t.Parallel() // the test waits
	address := freePort(t)
	env := []string{"OPPFLOW_HEALTH_ADDRESS=" + address}
	if code, _, said := healthcheck(t, env); code != 1 || !strings.Contains(said, address) {
		t.Errorf("before it runs: exit code %d, %q", code, said)
	}

	service := &idleService{frontend: &frontend{attributes: lifecycle.SearchAttributes()}, release: make(chan struct{})}
	api := tenantAPI(t, "UK")
	api.down.Store(true)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var log syncBuffer
	ended := make(chan int, 1)
	go func() {
		ended <- host.Main(ctx, []string{"--temporal-address", service.serve(t)}, append(env,
			"ADMINISTRATE_URL="+api.URL+"/graphql", "ADMINISTRATE_TOKEN=x", "TEMPORAL_CONFIG_FILE=/dev/null"), io.Discard, &log)
	}()
	eventually(t, "not ready while the API does not tell the tenant", func() bool {
		code, _, said := healthcheck(t, env)
		return code == 1 && strings.Contains(said, "it is unknown whether the namespace belongs to the worker's tenant: ")
	})
	api.down.Store(false)
	eventually(t, "healthy", func() bool { code, _, _ := healthcheck(t, env); return code == 0 })
	if code, said, _ := healthcheck(t, nil, "--health-address", address); code != 0 || said != "ok\n" {
		t.Errorf("asked by a flag: exit code %d, %q", code, said)
	}
	for _, path := range []string{"/healthz", "/readyz"} {
		if status, body := get(t, "http://"+address+path); status != http.StatusOK || body != "ok\n" {
			t.Errorf("GET %s: %d %q", path, status, body)
		}
	}
	if status, _ := get(t, "http://"+address+"/"); status != http.StatusNotFound {
		t.Errorf("GET /: %d", status)
	}

	stop()
	eventually(t, "not ready while it stops", func() bool {
		code, _, said := healthcheck(t, env)
		return code == 1 && strings.Contains(said, "stopping")
	})
	if code, _, said := healthcheck(t, env, "--live"); code != 0 {
		t.Errorf("while it stops it is not alive: exit code %d, %q", code, said)
	}
	close(service.release)
	if code := <-ended; code != 0 {
		t.Errorf("the worker ended with %d:\n%s", code, log.String())
	}
	if code, _, said := healthcheck(t, env, "--live"); code != 1 || !strings.Contains(said, "refused") {
		t.Errorf("after its end: exit code %d, %q", code, said)
	}
}

// GET /readyz and the worker's log say that the TMS rejects the credentials.
func TestAWorkerWithAWrongTokenIsNotReady(t *testing.T) {
	t.Parallel() // the test waits
	address := freePort(t)
	service := &idleService{frontend: &frontend{attributes: lifecycle.SearchAttributes()}, release: make(chan struct{})}
	close(service.release)
	api := tenantAPI(t, "UK")
	api.refuses.Store(true)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var log syncBuffer
	ended := make(chan int, 1)
	go func() {
		ended <- host.Main(ctx, []string{"--temporal-address", service.serve(t), "--health-address", address},
			[]string{"ADMINISTRATE_URL=" + api.URL + "/graphql", "ADMINISTRATE_TOKEN=wrong", "TEMPORAL_CONFIG_FILE=/dev/null"}, io.Discard, &log)
	}()
	const says = "rejects the worker's credentials"
	eventually(t, "not ready because of the token", func() bool {
		code, _, said := healthcheck(t, nil, "--health-address", address)
		return code == 1 && strings.Contains(said, "503") && strings.Contains(said, says)
	})
	if code, _, said := healthcheck(t, nil, "--health-address", address, "--live"); code != 0 {
		t.Errorf("the worker is not alive: exit code %d, %q", code, said)
	}
	if !strings.Contains(log.String(), says) || strings.Contains(log.String(), "wrong") {
		t.Errorf("the log does not say why, or has the token:\n%s", log.String())
	}
	api.refuses.Store(false)
	eventually(t, "ready with a token that the TMS accepts", func() bool {
		code, _, _ := healthcheck(t, nil, "--health-address", address)
		return code == 0
	})
	stop()
	if code := <-ended; code != 0 {
		t.Errorf("the worker ended with %d:\n%s", code, log.String())
	}
}

func TestHealthcheckSaysInOneLineWhatIsWrong(t *testing.T) {
	t.Parallel() // the test waits
	unready := serveHTTP(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, "no tasks\nat all\n")
	})
	redirecting := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) })
	silent := serveHTTP(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	for name, test := range map[string]struct {
		env, args []string
		want      []string
	}{
		"no address":     {nil, nil, []string{"--health-address", "OPPFLOW_HEALTH_ADDRESS"}},
		"bad address":    {[]string{"OPPFLOW_HEALTH_ADDRESS=8481"}, nil, []string{"8481", "127.0.0.1:8481"}},
		"bad port":       {nil, []string{"--health-address", "127.0.0.1:http"}, []string{"127.0.0.1:http"}},
		"unknown flag":   {nil, []string{"--deep"}, []string{"--deep"}},
		"argument":       {nil, []string{"now"}, []string{`"now"`}},
		"nobody there":   {nil, []string{"--health-address", closedPort}, []string{"refused"}},
		"not ready":      {nil, []string{"--health-address", unready}, []string{"503", "no tasks at all"}},
		"something else": {nil, []string{"--health-address", redirecting}, []string{"302"}},
		"no answer":      {nil, []string{"--health-address", silent}, []string{"no response in time"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, stdout, said := healthcheck(t, test.env, test.args...)
			if code != 1 || stdout != "" {
				t.Errorf("exit code %d, standard output %q", code, stdout)
			}
			for _, want := range test.want {
				if !strings.Contains(said, want) {
					t.Errorf("%q does not say %q", said, want)
				}
			}
		})
	}
}

func TestHealthcheckAsksThisMachine(t *testing.T) {
	_, port, err := net.SplitHostPort(serveHTTP(t, func(http.ResponseWriter, *http.Request) {}))
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("HTTP_PROXY", "http://"+closedPort)
	for _, address := range []string{":" + port, "0.0.0.0:" + port, "[::]:" + port} {
		if code, _, said := healthcheck(t, nil, "--live", "--health-address", address); code != 0 {
			t.Errorf("%s: exit code %d, %q", address, code, said)
		}
	}
}

func serveHTTP(t *testing.T, handler http.HandlerFunc) (address string) {
	t.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close(); <-served })
	return listener.Addr().String()
}

func TestHealthcheckHelp(t *testing.T) {
	code, stdout, stderr := healthcheck(t, nil, "--help")
	if code != 0 || stderr != "" || !strings.Contains(stdout, "--live") || !strings.Contains(stdout, "[OPPFLOW_HEALTH_ADDRESS]") {
		t.Errorf("exit code %d, %q, %q", code, stdout, stderr)
	}
}

type syncBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}

func TestWorkerDoesNotRunWithoutTheHealthAddressItWasGiven(t *testing.T) {
	taken := serveHTTP(t, func(http.ResponseWriter, *http.Request) {})
	env := []string{"ADMINISTRATE_URL=http://127.0.0.1:1/graphql", "ADMINISTRATE_TOKEN=x", "TEMPORAL_CONFIG_FILE=/dev/null"}
	for name, test := range map[string]struct {
		args, env []string
		code      int
		want      string
	}{
		"taken":              {[]string{"--health-address", taken}, nil, 1, "in use"},
		"no port":            {[]string{"--health-address", "localhost"}, nil, 2, "host:port"},
		"bad in environment": {nil, []string{"OPPFLOW_HEALTH_ADDRESS=:x"}, 2, "host:port"},
	} {
		t.Run(name, func(t *testing.T) {
			var stderr bytes.Buffer
			code := host.Main(t.Context(), append([]string{"--log-level", "error"}, test.args...), append(test.env, env...), io.Discard, &stderr)
			said := stderr.String()
			if code != test.code || strings.Count(said, "\n") != 1 {
				t.Errorf("exit code %d, %q", code, said)
			}
			for _, want := range []string{test.want, "OPPFLOW_HEALTH_ADDRESS"} {
				if !strings.Contains(said, want) {
					t.Errorf("%q does not say %q", said, want)
				}
			}
		})
	}
}
