package e2e_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"

	"github.com/oppflow/oppflow/e2e/harness"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/stack"
)

// A test sets how the proxy handles the next change of one record.
type apiProxy struct {
	*httptest.Server

	mu           sync.Mutex
	api          http.Handler
	interceptors map[opportunity.ID]func(http.Handler) http.Handler
}

func newAPIProxy(t *testing.T) *apiProxy {
	t.Helper()
	g := &apiProxy{interceptors: map[opportunity.ID]func(http.Handler) http.Handler{}}
	g.Server = httptest.NewServer(g)
	t.Cleanup(g.Close)
	return g
}

func startBehindProxy(t *testing.T) (*parts, *apiProxy) {
	t.Helper()
	g := newAPIProxy(t)
	p := startParts(t, stack.Options{
		// An update returns pending after 20 s. The long response time allows a test to hold a
		// request for much longer than 20 s, even on a busy machine.
		WorkerArgs: append(harness.DefaultTimes(), "--response-time", "90s", "--api-rate", "5000", "--log-level", "debug"),
		WorkerEnv:  []string{"ADMINISTRATE_URL=" + g.URL + "/graphql"},
	})
	g.setTarget(t, p.APIURL())
	return p, g
}

func (g *apiProxy) setTarget(t *testing.T, address string) {
	t.Helper()
	target, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.api = &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(&url.URL{Scheme: target.Scheme, Host: target.Host})
		r.Out.URL.Path = target.Path
	}}
}

func (g *apiProxy) intercept(id opportunity.ID, meet func(api http.Handler) http.Handler) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.interceptors[id] = meet
}

func (g *apiProxy) isPending(id opportunity.ID) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.interceptors[id] != nil
}

// ServeHTTP implements http.Handler.
func (g *apiProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	route := g.route(body)
	if route == nil { // the worker asks the API at its start, and again later, which tenant it reaches
		http.Error(w, "the test has not set the address of the API yet", http.StatusServiceUnavailable)
		return
	}
	route.ServeHTTP(w, r)
}

func (g *apiProxy) route(body []byte) http.Handler {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !bytes.Contains(body, []byte("mutation")) {
		return g.api
	}
	for id, meet := range g.interceptors {
		if bytes.Contains(body, []byte(`"`+string(id)+`"`)) {
			delete(g.interceptors, id)
			return meet(g.api)
		}
	}
	return g.api
}

func holdUntil(released <-chan struct{}) func(http.Handler) http.Handler {
	return func(api http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			<-released
			api.ServeHTTP(w, r)
		})
	}
}

// dropRequest calls meanwhile and then returns 504 in place of the API, so the change status is
// unknown. The request never reaches the API.
func dropRequest(meanwhile func()) func(http.Handler) http.Handler {
	return func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			meanwhile()
			w.WriteHeader(http.StatusGatewayTimeout)
		})
	}
}
