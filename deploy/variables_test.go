package deploy_test

import (
	"bytes"
	"context"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/types"

	"github.com/oppflow/oppflow/settings"
	"github.com/oppflow/oppflow/starter/cli"
	"github.com/oppflow/oppflow/worker/host"
)

// The program of each service reads every environment variable that the compose file sets for the
// service.
func TestEveryVariableIsRead(t *testing.T) {
	project := load(t, example(t))
	server, ui := moduleDir(t, "go.temporal.io/server"), moduleDir(t, "github.com/temporalio/ui-server/v2")
	readers := map[string]map[string]bool{
		// The documentation of the PostgreSQL image lists these variables. The source code of the
		// PostgreSQL image is not available to the test, so the test contains a fixed list of
		// variables.
		"postgresql": names("POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_DB", "POSTGRES_INITDB_ARGS", "PGDATA"),
		"schema":     matches(t, `EnvVar:\s*"(\w+)"`, filepath.Join(server, "tools", "sql", "main.go")),
		"temporal": union(
			matches(t, `\(env "(\w+)"\)`, filepath.Join(server, "common", "config", "config_template_embedded.yaml")),
			matches(t, `EnvKey\w+ = "(\w+)"`, filepath.Join(server, "common", "config", "loader.go")),
		),
		"ui":      matches(t, `env "(\w+)"`, filepath.Join(ui, "config", "docker.yaml")),
		"setup":   variablesInHelp(t, cli.Main, "setup"),
		"sandbox": variablesInHelp(t, cli.Main, "sandbox"),
		"worker":  union(variablesInHelp(t, host.Main), telemetry(t, project.Services["worker"])),
	}
	for service, read := range readers {
		if len(read) < 2 {
			t.Errorf("%s: the test found only the variables %v in its program", service, slices.Sorted(maps.Keys(read)))
		}
	}
	for name, service := range project.Services {
		for variable := range setVariables(service) {
			if !readers[name][variable] {
				t.Errorf("%s gets the variable %s, but its program does not read the variable", name, variable)
			}
		}
	}
	// The compose file sets every variable that the worker reads, except the variables in left.
	// Some variables in left are paths of files that the compose file does not mount.
	// ADMINISTRATE_REFRESH_TOKEN is in left, because the token in the variable would be outdated
	// after a restart.
	left := names("TEMPORAL_PROFILE", "TEMPORAL_CONFIG_FILE", "ADMINISTRATE_TOKEN_FILE", "ADMINISTRATE_CLIENT_SECRET_FILE", "ADMINISTRATE_REFRESH_TOKEN")
	for variable := range readers["worker"] {
		if _, given := setVariables(project.Services["worker"])[variable]; given == left[variable] {
			t.Errorf("the worker reads the variable %s; the compose file passes the variable to the worker: %t", variable, given)
		}
	}
}

// telemetry returns the OTEL_ variables of a service that Oppflow reads: a wrong value of such a
// variable causes an error. The output of --help does not list the OTEL_ variables.
func telemetry(t *testing.T, service types.ServiceConfig) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	t.Setenv("OTEL_TRACES_EXPORTER", "console")
	for variable := range setVariables(service) {
		if !strings.HasPrefix(variable, "OTEL_") {
			continue
		}
		t.Run(variable, func(t *testing.T) {
			t.Setenv(variable, "\x01")
			err := (&settings.Telemetry{}).Resolve()
			found[variable] = err != nil && strings.Contains(err.Error(), variable)
		})
	}
	return found
}

func variablesInHelp(t *testing.T, program func(ctx context.Context, args, env []string, stdout, stderr io.Writer) int, args ...string) map[string]bool {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if code := program(t.Context(), append(args, "--help"), []string{}, &stdout, &stderr); code != 0 {
		t.Fatalf("%v --help ended with %d: %s", args, code, stderr.String())
	}
	found := map[string]bool{}
	for _, match := range regexp.MustCompile(`\b((?:TEMPORAL|ADMINISTRATE|OPPFLOW)_[A-Z_]+)\b`).FindAllStringSubmatch(stdout.String(), -1) {
		found[match[1]] = true
	}
	return found
}

func matches(t *testing.T, pattern, path string) map[string]bool {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(string(content), -1) {
		found[match[1]] = true
	}
	return found
}

func names(all ...string) map[string]bool {
	found := map[string]bool{}
	for _, name := range all {
		found[name] = true
	}
	return found
}

func union(all ...map[string]bool) map[string]bool {
	found := map[string]bool{}
	for _, one := range all {
		maps.Copy(found, one)
	}
	return found
}

func moduleDir(t *testing.T, module string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", module)
	command.Dir = filepath.Join(root, "devserver")
	command.Env = append(os.Environ(), "GOWORK=off")
	var stderr bytes.Buffer
	command.Stderr = &stderr
	dir, err := command.Output()
	if err != nil {
		t.Fatalf("go list -m %s: %v\n%s", module, err, stderr.String())
	}
	if len(bytes.TrimSpace(dir)) == 0 {
		// The source code of the module is not yet in the module cache, which contains only its
		// go.mod.
		download := exec.CommandContext(t.Context(), "go", "mod", "download", module)
		download.Dir, download.Env = command.Dir, command.Env
		if out, err := download.CombinedOutput(); err != nil {
			t.Fatalf("go mod download %s: %v\n%s", module, err, out)
		}
		return moduleDir(t, module)
	}
	return strings.TrimSpace(string(dir))
}
