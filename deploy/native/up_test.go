//go:build linux

package native_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
)

const (
	root          = "../.."
	loopback      = "127.0.0.1"
	allInterfaces = "0.0.0.0"
	// healthyTimeout is the maximum time from the start of a service until the service is healthy.
	healthyTimeout = 2 * time.Minute
	poll           = 200 * time.Millisecond
)

type composeRun struct {
	project  *types.Project
	dir      string
	postgres string
	programs map[string]string
	ports    map[string]int // port on this machine, by service and port in the file: "temporal:7233"
	running  map[string]*process
	logs     map[string]string
}

// startAll waits until each service is healthy, or has ended if it is a one-shot service.
func startAll(t *testing.T) *composeRun {
	t.Helper()
	postgres := findPostgres(t)
	dir := t.TempDir()
	// PostgreSQL runs as another user, who needs access to the directories of the test.
	for _, path := range []string{dir, filepath.Dir(dir)} {
		if err := os.Chmod(path, 0o711); err != nil {
			t.Fatal(err)
		}
	}
	u := &composeRun{
		project: loadProject(t), dir: dir, postgres: postgres,
		ports: map[string]int{}, running: map[string]*process{}, logs: map[string]string{},
	}
	u.programs = build(t, u.project, filepath.Join(dir, "source"))
	u.choosePorts(t)
	t.Cleanup(func() {
		for _, service := range u.stopOrder() {
			u.running[service].kill()
		}
		if t.Failed() {
			for _, service := range u.startOrder() {
				t.Logf("--- %s:\n%s", service, u.output(service))
			}
		}
	})
	for _, service := range u.startOrder() {
		began := time.Now()
		if err := u.start(t, service); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %v", service, time.Since(began).Round(10*time.Millisecond))
	}
	return u
}

func loadProject(t *testing.T) *types.Project {
	t.Helper()
	dir, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	project, err := loader.LoadWithContext(t.Context(), types.ConfigDetails{
		WorkingDir:  dir,
		ConfigFiles: []types.ConfigFile{{Filename: filepath.Join(dir, "docker-compose.yml")}},
		// The worker runs without a playbook, because the sandbox does not issue the training
		// tokens that the default playbook expects after the sample sale.
		Environment: types.Mapping{"OPPFLOW_PLAYBOOK": "none"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return project
}

// startOrder returns all services in the order in which they start: each service comes after the
// services for which it waits.
func (u *composeRun) startOrder() []string {
	var order []string
	var visit func(string)
	visit = func(service string) {
		if slices.Contains(order, service) {
			return
		}
		for _, on := range slices.Sorted(maps.Keys(u.project.Services[service].DependsOn)) {
			visit(on)
		}
		order = append(order, service)
	}
	for _, service := range u.project.ServiceNames() {
		visit(service)
	}
	return order
}

func (u *composeRun) stopOrder() []string {
	order := u.startOrder()
	slices.Reverse(order)
	return slices.DeleteFunc(order, func(service string) bool { return u.running[service] == nil })
}

// unlistedPorts returns the ports on which the services listen but which the compose file does not
// list. The key of each port is the environment variable that sets another port.
func unlistedPorts() map[string]map[string]int {
	return map[string]map[string]int{"temporal": {
		"FRONTEND_GRPC_PORT": 7233, "FRONTEND_HTTP_PORT": 7243,
		"MATCHING_GRPC_PORT": 7235, "HISTORY_GRPC_PORT": 7234, "WORKER_GRPC_PORT": 7239,
		"FRONTEND_MEMBERSHIP_PORT": 6933, "MATCHING_MEMBERSHIP_PORT": 6935, "HISTORY_MEMBERSHIP_PORT": 6934, "WORKER_MEMBERSHIP_PORT": 6939,
	}}
}

func (u *composeRun) choosePorts(t *testing.T) {
	t.Helper()
	listened := map[string]int{"postgresql:5432": 5432, "ui:8080": 8080, "sandbox:8480": 8480, "worker:8481": 8481}
	for service, variables := range unlistedPorts() {
		for _, port := range variables {
			listened[key(service, port)] = port
		}
	}
	for name, service := range u.project.Services {
		for _, port := range service.Ports {
			if _, known := listened[key(name, int(port.Target))]; !known {
				t.Errorf("the service %s publishes port %d, but does not listen on this port", name, port.Target)
			}
		}
	}
	var open []net.Listener // open until all ports are chosen, so that no port is chosen twice
	for name := range listened {
		listener := listen(t)
		open = append(open, listener)
		_, port, err := net.SplitHostPort(listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if u.ports[name], err = strconv.Atoi(port); err != nil {
			t.Fatal(err)
		}
	}
	for _, listener := range open {
		if err := listener.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// listen listens on a random free port below 30000, for two reasons. The Temporal server stores its
// ports in signed 16-bit columns. The operating system may use a higher port for an outgoing
// connection before the service starts.
func listen(t *testing.T) net.Listener {
	t.Helper()
	var config net.ListenConfig
	for range 100 {
		port := 15000 + rand.IntN(15000)
		if listener, err := config.Listen(t.Context(), "tcp", net.JoinHostPort(loopback, strconv.Itoa(port))); err == nil {
			return listener
		}
	}
	t.Fatal("no port is free")
	return nil
}

func key(service string, port int) string { return service + ":" + strconv.Itoa(port) }

// address returns the host and port on this machine that replace a port of a service's container.
func (u *composeRun) address(service string, port int) string {
	return net.JoinHostPort(loopback, strconv.Itoa(u.ports[key(service, port)]))
}

var hostPort = regexp.MustCompile(`\b([a-z]+|0\.0\.0\.0|127\.0\.0\.1):(\d+)\b`)

// translate replaces the container hosts, ports and paths in a setting of a service by hosts, ports
// and paths of this machine.
func (u *composeRun) translate(service, value string) string {
	if strings.HasPrefix(value, "/") {
		return u.localPath(service, value)
	}
	switch _, isService := u.project.Services[value]; {
	case isService && u.ports[value+":5432"] != 0, value == allInterfaces:
		return loopback
	case value == "5432", value == "8080":
		for _, on := range []string{service, "postgresql"} {
			if port, err := strconv.Atoi(value); err == nil && u.ports[key(on, port)] != 0 {
				return strconv.Itoa(u.ports[key(on, port)])
			}
		}
	}
	return hostPort.ReplaceAllStringFunc(value, func(found string) string {
		name, port, _ := strings.Cut(found, ":")
		if name == loopback || name == allInterfaces {
			name = service
		}
		if number := u.ports[name+":"+port]; number != 0 {
			return net.JoinHostPort(loopback, strconv.Itoa(number))
		}
		return found
	})
}

func (u *composeRun) localPath(service, path string) string {
	if program, ok := u.programs[strings.TrimPrefix(path, "/")]; ok {
		return program
	}
	for _, volume := range u.project.Services[service].Volumes {
		inside, err := filepath.Rel(volume.Target, path)
		if err != nil || inside == ".." || strings.HasPrefix(inside, "../") {
			continue
		}
		if volume.Type == types.VolumeTypeBind {
			return filepath.Join(volume.Source, inside)
		}
		return filepath.Join(u.dir, "volumes", volume.Source, inside)
	}
	return path
}

func (u *composeRun) environment(service string) map[string]string {
	all := map[string]string{}
	for name, value := range u.project.Services[service].Environment {
		if value == nil {
			continue
		}
		all[name] = *value
		if !strings.HasSuffix(name, "_USER") && !strings.HasSuffix(name, "DBNAME") {
			all[name] = u.translate(service, *value)
		}
	}
	return all
}

func (u *composeRun) start(t *testing.T, name string) error {
	t.Helper()
	service := u.project.Services[name]
	for on, dependency := range service.DependsOn {
		switch p := u.running[on]; {
		case p == nil:
			return fmt.Errorf("%s waits for %s, which has not been started", name, on)
		case dependency.Condition == types.ServiceConditionHealthy && !p.isAlive():
			return fmt.Errorf("%s waits for %s, which has ended", name, on)
		}
	}
	for _, volume := range service.Volumes {
		if volume.Type == types.VolumeTypeVolume {
			if err := os.MkdirAll(filepath.Join(u.dir, "volumes", volume.Source), 0o711); err != nil {
				return err
			}
		}
	}
	if service.HealthCheck == nil || service.HealthCheck.Disable {
		return u.runOnce(t.Context(), name)
	}
	command, err := u.command(name)
	if err != nil {
		return err
	}
	if u.running[name], err = u.launch(name, command); err != nil {
		return err
	}
	deadline := time.Now().Add(healthyTimeout)
	for {
		err := u.checkHealth(t.Context(), name)
		switch {
		case err == nil:
			return nil
		case !u.running[name].isAlive():
			return fmt.Errorf("%s ended: %w\n%s", name, errors.Join(u.running[name].err), u.output(name))
		case time.Now().After(deadline):
			return fmt.Errorf("%s is not healthy after %v: %w\n%s", name, healthyTimeout, err, u.output(name))
		}
		select {
		case <-t.Context().Done():
			return t.Context().Err()
		case <-time.After(poll):
		}
	}
}

func (u *composeRun) runOnce(ctx context.Context, name string) error {
	command, err := u.command(name)
	if err != nil {
		return err
	}
	p, err := u.launch(name, command)
	if err != nil {
		return err
	}
	u.running[name] = p
	select {
	case <-p.done:
	case <-ctx.Done():
		p.kill()
		return ctx.Err()
	case <-time.After(healthyTimeout):
		p.kill()
	}
	if p.err != nil {
		return fmt.Errorf("%s: %w\n%s", name, p.err, u.output(name))
	}
	return nil
}

func (u *composeRun) command(name string) ([]string, error) {
	service := u.project.Services[name]
	args := slices.Concat(service.Entrypoint, service.Command)
	for i := range args {
		args[i] = u.translate(name, args[i])
	}
	image, _, _ := strings.Cut(service.Image, ":")
	switch {
	case image == "oppflow", len(service.Entrypoint) > 0:
		return args, nil
	case len(args) > 0:
		return nil, fmt.Errorf("%s: this test cannot run the image %s with the command %q", name, image, args)
	case image == "postgres":
		return u.database(name)
	case image == "temporalio/server":
		return []string{u.programs["temporal-server"], "start"}, nil
	case image == "temporalio/ui":
		return []string{u.programs["ui-server"], "--root", u.programs["ui"], "--env", "docker", "start"}, nil
	}
	return nil, fmt.Errorf("%s: this test cannot run the image %s", name, image)
}

// launch starts a command with the variables and ports of the service, and with a PATH and a TMPDIR
// for this machine.
func (u *composeRun) launch(name string, args []string) (*process, error) {
	env := u.environment(name)
	for variable, port := range unlistedPorts()[name] {
		env[variable] = strconv.Itoa(u.ports[key(name, port)])
	}
	all := []string{"PATH=" + filepath.Dir(u.programs["temporal-sql-tool"]) + ":/usr/local/bin:/usr/bin:/bin", "TMPDIR=" + os.TempDir()}
	for variable, value := range env {
		all = append(all, variable+"="+value)
	}
	// The variable OPPFLOW_CI_RUN marks the process, so that the CI script can find processes that
	// a test did not end.
	if mark, ok := os.LookupEnv("OPPFLOW_CI_RUN"); ok {
		all = append(all, "OPPFLOW_CI_RUN="+mark)
	}
	path := filepath.Join(u.dir, name+".log")
	u.logs[name] = path
	p, err := launch(args, all, u.dir, path, u.credential(name))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return p, nil
}

var url = regexp.MustCompile(`^https?://`)

// If the health check calls wget, checkHealth sends the HTTP request itself.
func (u *composeRun) checkHealth(ctx context.Context, name string) error {
	test := u.project.Services[name].HealthCheck.Test
	if len(test) < 2 || test[0] != "CMD" {
		return fmt.Errorf("%s: this test cannot run the health check %q", name, test)
	}
	args := slices.Clone(test[1:])
	for i := range args {
		args[i] = u.translate(name, args[i])
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(*u.project.Services[name].HealthCheck.Timeout))
	defer cancel()
	if args[0] == "wget" {
		i := slices.IndexFunc(args, url.MatchString)
		if i < 0 {
			return fmt.Errorf("%s: the health check %q contains no URL", name, args)
		}
		status, body, err := get(ctx, args[i])
		if err == nil && status != 200 {
			err = fmt.Errorf("%s returned the HTTP status %d: %.200s", args[i], status, body)
		}
		return err
	}
	if name == "postgresql" {
		args[0] = filepath.Join(u.postgres, args[0])
		for i := range args {
			args[i] = strings.ReplaceAll(args[i], "=5432", "="+strconv.Itoa(u.ports["postgresql:5432"]))
		}
	}
	command := exec.CommandContext(ctx, args[0], args[1:]...)
	command.Env = []string{}
	for variable, value := range u.environment(name) {
		command.Env = append(command.Env, variable+"="+value)
	}
	said, err := command.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(string(said)))
	}
	return nil
}

// stop stops a service in the same way as a container runtime. stop returns an error if the service
// does not end cleanly within its grace period.
func (u *composeRun) stop(name string) error {
	p, service := u.running[name], u.project.Services[name]
	delete(u.running, name)
	if p == nil || !p.isAlive() {
		return nil
	}
	grace := 10 * time.Second // the default of the container runtime
	if service.StopGracePeriod != nil {
		grace = time.Duration(*service.StopGracePeriod)
	}
	began := time.Now()
	if err := p.stop(grace, name == "ui"); err != nil {
		return fmt.Errorf("%s did not stop cleanly after %v: %w\n%s", name, time.Since(began).Round(time.Millisecond), err, u.output(name))
	}
	return nil
}

func (u *composeRun) output(name string) string {
	content, err := os.ReadFile(u.logs[name])
	if err != nil {
		return err.Error()
	}
	const most = 6000
	if len(content) > most {
		content = content[len(content)-most:]
	}
	return string(content)
}

func (u *composeRun) await(t *testing.T, patience time.Duration, what string, isSo func() bool) {
	t.Helper()
	began := time.Now()
	for !isSo() {
		if time.Since(began) > patience {
			t.Fatalf("%s: not within %v", what, patience)
		}
		time.Sleep(poll)
	}
	t.Logf("%s after %v", what, time.Since(began).Round(100*time.Millisecond))
}
