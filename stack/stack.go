// Package stack runs the parts of Oppflow as processes on this machine: a Temporal server with its
// Web UI, the sandbox in place of the Administrate API, and a worker.
//
// All parts listen only on the loopback interface. Package stack is for development and tests, not
// for Oppflow in production. Package stack never stops or changes a part that it has not started.
package stack

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/oppflow/oppflow/settings/readyfile"
)

const (
	loopback         = "127.0.0.1"
	defaultNamespace = "default"
)

const (
	serverName  = "server"
	sandboxName = "sandbox"
	workerName  = "worker"
)

// Stack is a set of running parts.
type Stack struct {
	options Options
	runDir  string // directory of the ready files; Down removes the directory

	server, sandbox, worker *Process
	added                   []*Process
	binaries                map[string]string // by part; written before the part's first start

	mu       sync.Mutex
	temporal readyfile.Report
	api      readyfile.Report
}

// Up builds and starts the parts, and returns when all parts are ready. If one part fails, Up ends
// the running parts and returns an error with the last output of the failed part. ctx limits the
// time of the start, not the life of the parts.
func Up(ctx context.Context, o Options) (*Stack, error) {
	root, err := findRoot(o.Root)
	if err != nil {
		return nil, err
	}
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	if o.Build == nil {
		o.Build = lineReporter(o.Progress)
	}
	b, err := newBuilder(root, o.Progress, o.Build)
	if err != nil {
		return nil, err
	}
	return up(ctx, o, b)
}

// A builder is a toolchain, and a test may use another toolchain.
type toolchain interface {
	built(jobs ...buildJob) bool
	build(ctx context.Context, j buildJob) ([]string, error)
}

// serverJob builds the Temporal server. The flags of serverJob omit the debugging information, and
// the gRPC client of Google Cloud Storage (145 of the 1801 packages), which a stack does not need.
func serverJob() buildJob {
	return buildJob{
		target: "the Temporal server", dir: "devserver", programs: []string{"."},
		flags:  []string{"-ldflags=-s -w", "-tags=disable_grpc_modules"},
		notice: "building the Temporal server (the first build takes several minutes, later builds take seconds) …",
	}
}

// oppflowJob builds all programs of this module in one run of the go command, so that shared
// packages are compiled once.
func oppflowJob(race bool) buildJob {
	return buildJob{
		target: "oppflow and its worker", programs: []string{"./starter", "./worker"}, race: race,
		notice: "building oppflow and its worker …",
	}
}

// up does the work of Up; tests replace the toolchain.
func up(ctx context.Context, o Options, tools toolchain) (*Stack, error) {
	dynamic, err := dynamicConfigArgs(o.DynamicConfig)
	if err != nil {
		return nil, err
	}
	if o.Data != "" {
		if o.Data, err = filepath.Abs(o.Data); err == nil {
			err = os.MkdirAll(o.Data, 0o700)
		}
		if err != nil {
			return nil, fmt.Errorf("the data directory cannot be created: %w", err)
		}
	}
	run, err := os.MkdirTemp("", "oppflow-")
	if err != nil {
		return nil, fmt.Errorf("the directory for the ready files cannot be created: %w", err)
	}
	o.Namespace = cmp.Or(o.Namespace, defaultNamespace)
	s := &Stack{options: o, runDir: run, binaries: map[string]string{}}
	s.assemble(dynamic)

	// The Temporal server and the sandbox are built and started at the same time, because neither
	// part needs the other part. Only the first builds run one after the other, because two first
	// builds at the same time would compile the shared packages of the two modules twice.
	server, ours := serverJob(), oppflowJob(o.Race)
	oursFirst := o.ServerFrom == nil && !tools.built(server, ours)
	oursBuilt := make(chan struct{})
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() error {
		if o.ServerFrom != nil {
			return s.prepareNamespace(groupCtx)
		}
		if oursFirst {
			select {
			case <-oursBuilt:
			case <-groupCtx.Done():
				return context.Cause(groupCtx)
			}
		}
		binaries, err := tools.build(groupCtx, server)
		if err != nil {
			return err
		}
		s.setBinary(serverName, binaries[0])
		return s.server.Start(groupCtx)
	})
	group.Go(func() error {
		binaries := []string{s.sharedBinary(sandboxName), s.sharedBinary(workerName)}
		if slices.Contains(binaries, "") {
			var err error
			if binaries, err = tools.build(groupCtx, ours); err != nil {
				return err
			}
		}
		close(oursBuilt)
		s.setBinary(sandboxName, binaries[0])
		s.setBinary(workerName, binaries[1])
		return s.sandbox.Start(groupCtx)
	})
	err = group.Wait()
	if err == nil && !o.NoWorker {
		err = s.worker.Start(ctx)
	}
	if err != nil {
		s.killAll()
		return nil, err
	}
	return s, nil
}

// Each start of a part calls the command function of the part again, so that a restarted part uses
// the port of its first start.
func (s *Stack) assemble(dynamic []string) {
	var output io.Writer
	if s.options.Output != nil {
		output = &sharedWriter{to: s.options.Output}
	}
	part := func(name string, command func() command, onReady func(readyfile.Report) error) *Process {
		return &Process{name: name, readyFile: readyPath(s.runDir, name), output: output, command: command, onReady: onReady}
	}
	s.server = part(serverName, func() command {
		address, ui := s.endpoints()
		args := []string{
			"--ip", loopback, "--namespace", s.options.Namespace,
			"--port", portOf(address, s.options.TemporalPort), "--ready-file", readyPath(s.runDir, serverName),
		}
		if s.options.NoUI {
			args = append(args, "--headless")
		} else {
			args = append(args, "--ui-port", portOf(hostOf(ui), s.options.UIPort))
		}
		if s.options.CodecEndpoint != "" {
			args = append(args, "--codec-endpoint", s.options.CodecEndpoint)
		}
		if s.options.Data != "" {
			args = append(args, "--db", filepath.Join(s.options.Data, "temporal.db"))
		}
		return s.commandFor(serverName, slices.Concat(args, dynamic, s.options.ServerArgs))
	}, func(ready readyfile.Report) error { return s.keepReport(&s.temporal, ready, ready.Temporal) })
	// prepare runs after each start of the Temporal server, because a server that has all data in
	// memory starts without data.
	s.server.prepare = s.prepareNamespace
	s.sandbox = part(sandboxName, func() command {
		args := []string{"sandbox", "--listen", net.JoinHostPort(loopback, portOf(hostOf(s.APIURL()), s.options.APIPort)), "--ready-file", readyPath(s.runDir, sandboxName)}
		if s.options.Data != "" {
			args = append(args, "--data", filepath.Join(s.options.Data, "sandbox.db"))
		}
		return s.commandFor(sandboxName, slices.Concat(args, s.options.SandboxArgs))
	}, func(ready readyfile.Report) error { return s.keepReport(&s.api, ready, hostOf(ready.URL)) })
	s.worker = part(workerName, func() command {
		args := []string{"--ready-file", readyPath(s.runDir, workerName)}
		return s.commandFor(workerName, slices.Concat(args, s.options.WorkerArgs), slices.Concat(s.variables(), s.options.WorkerEnv)...)
	}, func(readyfile.Report) error { return nil })
}

func (s *Stack) commandFor(name string, args []string, env ...string) command {
	s.mu.Lock()
	defer s.mu.Unlock()
	return command{path: s.binaries[name], args: args, env: childEnvironment(env...)}
}

func (s *Stack) prepareNamespace(ctx context.Context) error {
	if s.options.Setup == nil {
		return nil
	}
	return s.options.Setup(ctx, s.TemporalAddress(), s.options.Namespace)
}

// sharedBinary returns the path of the program that ServerFrom has built with the same settings, or
// "" if ServerFrom has built no such program.
func (s *Stack) sharedBinary(name string) string {
	beside := s.options.ServerFrom
	if beside == nil || beside.options.Race != s.options.Race || beside.options.Root != s.options.Root {
		return ""
	}
	beside.mu.Lock()
	defer beside.mu.Unlock()
	return beside.binaries[name]
}

func (s *Stack) setBinary(name, path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.binaries[name] = path
}

func (s *Stack) keepReport(last *readyfile.Report, report readyfile.Report, address string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, _, err := net.SplitHostPort(address); err != nil {
		return fmt.Errorf("the ready file contains no valid host:port address: %+v", report)
	}
	*last = report
	return nil
}

func (s *Stack) endpoints() (temporal, ui string) {
	if s.options.ServerFrom != nil {
		return s.options.ServerFrom.endpoints()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.temporal.Temporal, s.temporal.UI
}

// TemporalAddress returns the server's host:port.
func (s *Stack) TemporalAddress() string {
	address, _ := s.endpoints()
	return address
}

// UIURL returns the URL of the Web UI, or "" if the stack has no Web UI.
func (s *Stack) UIURL() string {
	_, ui := s.endpoints()
	return ui
}

// Namespace returns the Temporal namespace in which the worker runs.
func (s *Stack) Namespace() string { return s.options.Namespace }

// APIURL returns the GraphQL endpoint of the sandbox.
func (s *Stack) APIURL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.api.URL
}

// APIToken returns the token that the sandbox accepts.
func (s *Stack) APIToken() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.api.Token
}

// Report returns the addresses and the token of this stack, in the form of a ready file.
func (s *Stack) Report() readyfile.Report {
	return readyfile.Report{Temporal: s.TemporalAddress(), Namespace: s.Namespace(), UI: s.UIURL(), URL: s.APIURL(), Token: s.APIToken()}
}

// Environ returns the environment variables, as NAME=value, with which a shell or a program reaches
// this stack.
func (s *Stack) Environ() []string {
	variables := s.variables()
	if s.options.CodecEndpoint != "" {
		variables = append(variables, "TEMPORAL_CODEC_ENDPOINT="+s.options.CodecEndpoint) // for Temporal's own command line
	}
	if userHasProfile() {
		variables = append(variables, "TEMPORAL_CONFIG_FILE="+os.DevNull)
	}
	return variables
}

func (s *Stack) variables() []string {
	variables := []string{
		"TEMPORAL_ADDRESS=" + s.TemporalAddress(),
		"TEMPORAL_NAMESPACE=" + s.Namespace(),
		"ADMINISTRATE_URL=" + s.APIURL(),
		"ADMINISTRATE_TOKEN=" + s.APIToken(),
	}
	if s.options.EncryptionKeys != "" {
		variables = append(variables, "OPPFLOW_ENCRYPTION_KEYS="+s.options.EncryptionKeys)
	}
	return variables
}

// Server returns the process of the Temporal server with its Web UI. With ServerFrom, Server
// returns the Temporal server of the stack ServerFrom.
func (s *Stack) Server() *Process {
	if s.options.ServerFrom != nil {
		return s.options.ServerFrom.Server()
	}
	return s.server
}

// Sandbox returns the sandbox.
func (s *Stack) Sandbox() *Process { return s.sandbox }

// Worker returns the worker.
func (s *Stack) Worker() *Process { return s.worker }

// AddWorker returns another worker with the settings of the first worker and additional arguments.
// The caller must start the new worker.
func (s *Stack) AddWorker(args ...string) *Process {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addProcess(fmt.Sprintf("%s-%d", workerName, len(s.added)+2), func(ready []string) command {
		return s.commandFor(workerName, slices.Concat(ready, s.options.WorkerArgs, args), slices.Concat(s.variables(), s.options.WorkerEnv)...)
	})
}

// AddProgram returns a process for a program of the caller. AddProgram does not start the program.
// The environment of the program contains Environ and env. The program receives the arguments args
// and --ready-file FILE, and writes a readyfile.Report to FILE when the program is ready. The name
// of the program must be different from the names of all parts.
func (s *Stack) AddProgram(name, path string, args, env []string) *Process {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addProcess(name, func(ready []string) command {
		return command{path: path, args: slices.Concat(args, ready), env: childEnvironment(slices.Concat(s.variables(), env)...)}
	})
}

// The function made receives the arguments that name the process's ready file, and returns the
// command of the process. The caller holds mu.
func (s *Stack) addProcess(name string, made func(ready []string) command) *Process {
	path := readyPath(s.runDir, name)
	added := &Process{
		name: name, readyFile: path, output: s.worker.output, onReady: func(readyfile.Report) error { return nil },
		command: func() command { return made([]string{"--ready-file", path}) },
	}
	s.added = append(s.added, added)
	return added
}

// Parts returns the parts of this stack. Each part comes after the parts that it needs, and the
// workers are last. If the stack has ServerFrom, Parts does not return the Temporal server.
func (s *Stack) Parts() []*Process {
	s.mu.Lock()
	defer s.mu.Unlock()
	var parts []*Process
	if s.options.ServerFrom == nil {
		parts = append(parts, s.server)
	}
	return append(append(parts, s.sandbox, s.worker), s.added...)
}

// Down stops the parts, the worker first, and removes all files that only running parts need. Down
// returns the errors of all parts that do not stop cleanly. No part runs after Down, even if Down
// returns an error. A second call does nothing.
func (s *Stack) Down(ctx context.Context) error {
	var errs []error
	for _, part := range slices.Backward(s.Parts()) {
		errs = append(errs, part.Stop(ctx))
	}
	return errors.Join(append(errs, os.RemoveAll(s.runDir))...)
}

func (s *Stack) killAll() {
	for _, part := range slices.Backward(s.Parts()) {
		part.Kill()
	}
	_ = os.RemoveAll(s.runDir)
}

func dynamicConfigArgs(values map[string]any) ([]string, error) {
	args := make([]string, 0, 2*len(values))
	for key, value := range values {
		text, err := json.Marshal(value)
		if err != nil {
			return nil, fmt.Errorf("the dynamic config value %s cannot be written as JSON: %w", key, err)
		}
		args = append(args, "--dynamic-config-value", key+"="+string(text))
	}
	return args, nil
}

// portOf returns the port of the part's earlier address, or wanted if the part has no earlier
// address.
func portOf(address string, wanted int) string {
	if _, port, err := net.SplitHostPort(address); err == nil {
		return port
	}
	return strconv.Itoa(wanted)
}
