package harness

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/oppflow/oppflow/settings/testrun"
	"github.com/oppflow/oppflow/stack"
	"github.com/oppflow/oppflow/worker/host"
)

// The tests wait for other processes most of the time, so more tests than processors run at the
// same time. With the race detector the processes need more CPU time, so fewer tests run at the
// same time.
func parallelTests() string {
	if testrun.Race {
		return "6"
	}
	return "9"
}

// Main runs the tests of a package and returns the exit code of the test program.
func Main(m *testing.M) int {
	if err := testrun.LowerPriority(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if !given {
		if err := flag.Set("test.parallel", parallelTests()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 2
		}
	}
	code := m.Run()
	if err := shared.stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	return code
}

// Program returns the path of Oppflow's built command line.
func Program() (string, error) { return shared.program() }

var shared servers

// A Temporal server starts when the first test needs the server. Each dynamic configuration needs
// its own Temporal server.
type servers struct {
	mu         sync.Mutex
	running    map[string]*server
	namespaces int

	build       sync.Once
	buildResult error
	directory   string
}

type server struct {
	once  sync.Once
	stack *stack.Stack
	err   error
}

// namespace returns a running stack with the server that the options need. namespace also returns
// the name of a namespace that no other test uses.
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

func (s *servers) program() (string, error) {
	s.build.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
		defer cancel()
		if s.directory, s.buildResult = os.MkdirTemp("", "oppflow-e2e-"); s.buildResult != nil {
			return
		}
		if out, err := exec.CommandContext(ctx, "go", "build", "-o", filepath.Join(s.directory, "oppflow"), "github.com/oppflow/oppflow/starter").CombinedOutput(); err != nil {
			s.buildResult = fmt.Errorf("the build of the oppflow command failed: %w\n%s", err, out)
		}
	})
	return filepath.Join(s.directory, "oppflow"), s.buildResult
}

func (s *servers) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	s.mu.Lock()
	defer s.mu.Unlock()
	errs := []error{os.RemoveAll(s.directory)}
	for _, one := range s.running {
		if one.stack != nil {
			errs = append(errs, one.stack.Down(ctx))
		}
	}
	return errors.Join(errs...)
}

func prepareNamespace(ctx context.Context, address, namespace string) error {
	connection, _, err := host.Connect(ctx, host.InsecureTemporal(address, namespace), nil)
	if err != nil {
		return err
	}
	defer connection.Close()
	if _, _, err := host.CreateNamespace(ctx, connection, namespace, host.DefaultRetention); err != nil {
		return err
	}
	return host.Setup(ctx, connection, namespace)
}
