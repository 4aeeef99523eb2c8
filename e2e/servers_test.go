package e2e_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/oppflow/oppflow/stack"
	"github.com/oppflow/oppflow/worker/host"
)

// atOnce is how many tests run side by side. They wait for other processes most of
// the time, so there are more of them than processors.
const atOnce = "6"

func TestMain(m *testing.M) {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if !given {
		if err := flag.Set("test.parallel", atOnce); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
	}
	if err := giveWay(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	code := m.Run()
	if err := shared.stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// shared are the servers that tests share.
var shared servers

// servers are Temporal servers that are started when a test needs one for the first
// time: one for each dynamic configuration, since a server has only one.
type servers struct {
	mu         sync.Mutex
	running    map[string]*server
	namespaces int
}

// server is one of them.
type server struct {
	once  sync.Once
	stack *stack.Stack
	err   error
}

// namespace returns a running stack with the server that the options need, and the
// name of a namespace that nobody else works in.
func (s *servers) namespace(ctx context.Context, o stack.Options) (*stack.Stack, string, error) {
	key, err := json.Marshal([]any{o.DynamicConfig, o.Race})
	if err != nil {
		return nil, "", err
	}
	s.mu.Lock()
	s.namespaces++
	name := fmt.Sprintf("test-%d", s.namespaces)
	if s.running == nil {
		s.running = map[string]*server{}
	}
	one := s.running[string(key)]
	if one == nil {
		one = new(server)
		s.running[string(key)] = one
	}
	s.mu.Unlock()
	one.once.Do(func() {
		one.stack, one.err = stack.Up(ctx, stack.Options{
			NoWorker: true, Race: o.Race, DynamicConfig: o.DynamicConfig,
			Progress: func(text string) { fmt.Fprintln(os.Stderr, text) },
		})
	})
	return one.stack, name, one.err
}

// stop ends all servers.
func (s *servers) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, one := range s.running {
		if one.stack != nil {
			errs = append(errs, one.stack.Down(ctx))
		}
	}
	return errors.Join(errs...)
}

// prepare creates a test's namespace with all that Oppflow needs in it.
func prepare(ctx context.Context, address, namespace string) error {
	connection, _, err := host.Connect(ctx, host.Plain(address, namespace), nil)
	if err != nil {
		return err
	}
	defer connection.Close()
	if _, _, err := host.CreateNamespace(ctx, connection, namespace, host.DefaultRetention); err != nil {
		return err
	}
	return host.Setup(ctx, connection, namespace)
}
