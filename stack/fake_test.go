//go:build unix

package stack

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/oppflow/oppflow/settings/readyfile"
)

// fakeVariable is the environment variable that makes this test binary run as a part of a stack.
// The value of fakeVariable says how each part behaves: pairs part=behaviour, separated by commas.
const fakeVariable = "STACK_TEST_FAKE"

const (
	wellBehaved = "well"
	dies        = "dies" // writes a few lines and ends with status 3 before it is ready
	hangs       = "hangs"
	stubborn    = "stubborn" // ignores SIGTERM
	unclean     = "unclean"  // ends with status 4 on SIGTERM
	garbles     = "garbles"  // writes a ready file that is not valid JSON
)

func TestMain(m *testing.M) {
	if os.Getenv(parentVariable) != "" {
		os.Exit(fakeParent())
	}
	if behaviours, ok := os.LookupEnv(fakeVariable); ok {
		os.Exit(fakePart(behaviours))
	}
	os.Exit(m.Run())
}

func fakeStack(t *testing.T, ctx context.Context, o Options, behaviours ...string) (*Stack, error) {
	t.Helper()
	t.Setenv(fakeVariable, strings.Join(behaviours, ","))
	s, err := up(ctx, o, selfToolchain{})
	if err == nil {
		t.Cleanup(func() {
			for _, part := range s.Parts() {
				part.Kill()
			}
			_ = os.RemoveAll(s.runDir)
		})
	}
	return s, err
}

// selfToolchain is a toolchain that uses this test binary for all programs.
type selfToolchain struct{}

func (selfToolchain) built(...buildJob) bool { return true }

func (selfToolchain) build(_ context.Context, j buildJob) ([]string, error) {
	path, err := os.Executable()
	return slices.Repeat([]string{path}, len(j.programs)), err
}

// fakePart is the program of all three fake parts, and accepts exactly the arguments that a stack
// passes to a part.
func fakePart(behaviours string) int {
	flags := flag.NewFlagSet("fake", flag.ContinueOnError)
	ready := flags.String("ready-file", "", "")
	dump := flags.String("dump", "", "file to write arguments and environment to")
	name, args := workerName, os.Args[1:]
	var port, uiPort, listen, db *string
	switch {
	case len(args) > 0 && args[0] == "sandbox":
		name, args = sandboxName, args[1:]
		listen, db = flags.String("listen", "", ""), flags.String("data", "", "")
	case slices.Contains(args, "--port"):
		name = serverName
		port, uiPort, db = flags.String("port", "", ""), flags.String("ui-port", "", ""), flags.String("db", "", "")
		for _, known := range []string{"ip", "namespace", "dynamic-config-value"} {
			flags.String(known, "", "")
		}
		flags.Bool("headless", false, "")
	}
	if err := flags.Parse(args); err != nil {
		return 2
	}
	behaviour := wellBehaved
	for entry := range strings.SplitSeq(behaviours, ",") {
		if part, how, _ := strings.Cut(entry, "="); part == name {
			behaviour = how
		}
	}
	terminated := make(chan os.Signal, 1)
	if behaviour == stubborn {
		signal.Ignore(syscall.SIGTERM)
	} else {
		signal.Notify(terminated, syscall.SIGTERM)
	}
	fmt.Printf("%s starts\n", name)
	if *dump != "" {
		content, _ := json.Marshal(map[string][]string{"args": os.Args[1:], "env": os.Environ()})
		if err := os.WriteFile(*dump, content, 0o600); err != nil {
			return 1
		}
	}
	if db != nil && *db != "" {
		if err := os.WriteFile(*db, nil, 0o600); err != nil {
			fmt.Println(err)
			return 1
		}
	}
	var report readyfile.Report
	switch name {
	case serverName:
		temporal, err := echo("127.0.0.1:" + *port)
		if err != nil {
			fmt.Println(err)
			return 1
		}
		report.Temporal = temporal
		if *uiPort != "" {
			address, err := echo("127.0.0.1:" + *uiPort)
			if err != nil {
				fmt.Println(err)
				return 1
			}
			report.UI = "http://" + address
		}
	case sandboxName:
		address, err := echo(*listen)
		if err != nil {
			fmt.Println(err)
			return 1
		}
		report.URL, report.Token = fmt.Sprintf("http://%s/graphql", address), fmt.Sprintf("token-%d", os.Getpid())
	}
	var err error
	switch behaviour {
	case hangs:
	case dies:
		fmt.Fprintf(os.Stderr, "%s: the moon is in the wrong phase", name) // a last line without a line break
		return 3
	case garbles:
		err = os.WriteFile(*ready, []byte("{"), 0o600)
	default:
		err = readyfile.Write(*ready, report)
	}
	if err != nil {
		return 1
	}
	<-terminated
	fmt.Printf("%s stops\n", name)
	if behaviour == unclean {
		return 4
	}
	return 0
}

func echo(address string) (string, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return "", err
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(conn, conn) }()
		}
	}()
	return listener.Addr().String(), nil
}

func respondsWithin(address string, within time.Duration) bool {
	conn, err := net.DialTimeout("tcp", address, within)
	if err != nil {
		return false
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(within))
	if _, err := conn.Write([]byte("x")); err != nil {
		return false
	}
	_, err = io.ReadFull(conn, make([]byte, 1))
	return err == nil
}

func hasExited(pid int) bool {
	if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return true
	}
	// A zombie process counts as exited: the process has ended, but no parent in this container
	// waits for the process.
	status, err := os.ReadFile(filepath.Join("/proc", fmt.Sprint(pid), "stat"))
	if err != nil {
		return errors.Is(err, os.ErrNotExist)
	}
	_, rest, _ := strings.Cut(string(status), ") ")
	return strings.HasPrefix(rest, "Z")
}

func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within ten seconds: %s", what)
		}
	}
}
