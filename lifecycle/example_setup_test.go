package lifecycle_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"sync"
	"testing"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/administrate/oauth"
	"github.com/oppflow/oppflow/administrate/transport"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/settings"
	"github.com/oppflow/oppflow/stack"
	"github.com/oppflow/oppflow/worker/host"
)

// TestMain runs the examples only if the flag -run is given, as in go test -run ^Example
// ./lifecycle. The examples use real processes, whose build and start need much more time than all
// tests of the package. A test of the package e2e runs the examples.
func TestMain(m *testing.M) {
	flag.Parse()
	if flag.Lookup("test.run").Value.String() == "" {
		skip := "^Example"
		if given := flag.Lookup("test.skip").Value.String(); given != "" {
			skip = given + "|" + skip
		}
		if err := flag.Set("test.skip", skip); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
	}
	code := m.Run()
	if err := testEnvironment.stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// testEnvironment is the environment of the examples: Temporal, a worker, and a TMS.
var testEnvironment environment

type environment struct {
	once     sync.Once
	err      error
	stack    *stack.Stack
	temporal client.Client
	api      *administrate.Client
	tms      *httptest.Server

	mu sync.Mutex
	// lost is the record for whose next change the worker gets no response. The function meanwhile
	// is called when the change is lost.
	lost      opportunity.ID
	meanwhile func()
}

// start starts all parts, once.
func (s *environment) start() *environment {
	s.once.Do(func() { s.err = s.startAll() })
	if s.err != nil {
		panic(s.err) // an example has no other way to fail
	}
	return s
}

func (s *environment) startAll() error {
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Minute)
	defer cancel()
	s.tms = httptest.NewServer(s)
	up, err := stack.Up(ctx, stack.Options{
		NoUI: true, Setup: host.SetupAt, Progress: func(text string) { fmt.Fprintln(os.Stderr, text) },
		// An example loses a response, and these times limit how long the worker waits for this
		// response.
		WorkerArgs: []string{"--send-window", "2s", "--response-time", "2s", "--settle-time", "2s"}, WorkerEnv: []string{"ADMINISTRATE_URL=" + s.tms.URL},
	})
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.stack = up
	s.mu.Unlock()
	if s.temporal, _, err = host.Connect(ctx, settings.Temporal{Address: s.stack.TemporalAddress(), Environment: settings.Environment{}}, nil); err != nil {
		return err
	}
	s.api, err = administrate.New(administrate.Options{Options: transport.Options{URL: s.stack.APIURL(), Tokens: oauth.StaticToken(s.stack.APIToken())}})
	return err
}

func (s *environment) stop() error {
	if s.temporal != nil {
		s.temporal.Close()
	}
	var err error
	if s.stack != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		err = s.stack.Down(ctx)
	}
	if s.tms != nil {
		s.tms.Close()
	}
	return err
}

// ServeHTTP passes the worker's requests on to the TMS, and loses one request when an example
// requires the loss.
func (s *environment) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if meanwhile := s.loseResponse(body); meanwhile != nil {
		meanwhile()
		w.WriteHeader(http.StatusGatewayTimeout)
		return
	}
	s.mu.Lock()
	up := s.stack
	s.mu.Unlock()
	if up == nil { // the worker checks its credentials while the parts start
		http.Error(w, "the TMS is starting", http.StatusServiceUnavailable)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	(&httputil.ReverseProxy{Rewrite: func(out *httputil.ProxyRequest) {
		if target, err := url.Parse(up.APIURL()); err == nil { // the URL of the stack is valid
			out.Out.URL, out.Out.Host = target, target.Host
		}
	}}).ServeHTTP(w, r)
}

// loseResponse returns the function that the proxy calls instead of forwarding the request, or nil
// if the proxy must forward it.
func (s *environment) loseResponse(body []byte) func() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lost == "" || !bytes.Contains(body, []byte("mutation")) || !bytes.Contains(body, []byte(s.lost)) {
		return nil
	}
	s.lost = ""
	return s.meanwhile
}

func temporalAddress() string { return testEnvironment.start().stack.TemporalAddress() }

func connect() (context.Context, *lifecycle.Client) {
	return context.Background(), lifecycle.NewClient(testEnvironment.start().temporal)
}

func startOpportunity(reference opportunity.Reference) (context.Context, *lifecycle.Client) {
	ctx, oppflow := connect()
	if _, err := oppflow.Start(ctx, reference, opportunity.Start{Name: "First Aid course", Region: "UK"}); err != nil {
		panic(err)
	}
	return ctx, oppflow
}

// renameInTMS renames the record as a person does in the TMS, without a message to Oppflow.
func renameInTMS(ctx context.Context, oppflow *lifecycle.Client, reference opportunity.Reference, name string) error {
	view, err := oppflow.View(ctx, reference)
	if err == nil {
		_, err = testEnvironment.api.UpdateOpportunity(ctx, administrate.UpdateOpportunity{ID: string(view.Opportunity), Name: name})
	}
	return err
}

// startWithQuestion calls startOpportunity, and then sends a command whose response is lost. Before
// the loss, a person adds another interest by hand, so a read of the record cannot decide whether
// the command was executed.
func startWithQuestion(reference opportunity.Reference, command opportunity.AddInterests) (context.Context, *lifecycle.Client) {
	ctx, oppflow := startOpportunity(reference)
	if err := testEnvironment.loseNextAnswer(ctx, oppflow, reference, command); err != nil {
		panic(err)
	}
	return ctx, oppflow
}

func (s *environment) loseNextAnswer(ctx context.Context, oppflow *lifecycle.Client, reference opportunity.Reference, command opportunity.AddInterests) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	view, err := oppflow.View(ctx, reference)
	if err != nil {
		return err
	}
	byHand := make(chan error, 1)
	s.mu.Lock()
	s.lost, s.meanwhile = view.Opportunity, func() {
		_, err := s.api.AddInterest(ctx, administrate.AddInterest{
			OpportunityID: string(view.Opportunity), ItemID: "TGVhcm5pbmdQYXRoOjE=", Kind: administrate.LearningPath, Quantity: 1,
		})
		byHand <- err
	}
	s.mu.Unlock()
	if err := oppflow.Signal(ctx, reference, command); err != nil {
		return err
	}
	if err := <-byHand; err != nil {
		return err
	}
	for {
		view, err := oppflow.View(ctx, reference)
		if err != nil || view.Question != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.New("no question came up")
		case <-time.After(50 * time.Millisecond):
		}
	}
}
