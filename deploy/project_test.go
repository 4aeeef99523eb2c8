package deploy_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/sirupsen/logrus"
)

const root = ".."

// A warning of the parser fails the test, because each warning means a mistake in the compose file.
func load(t *testing.T, variables map[string]string) *types.Project {
	t.Helper()
	var warnings bytes.Buffer
	logrus.SetOutput(&warnings)
	defer logrus.SetOutput(os.Stderr)
	dir, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	project, err := loader.LoadWithContext(t.Context(), types.ConfigDetails{
		WorkingDir:  dir,
		ConfigFiles: []types.ConfigFile{{Filename: filepath.Join(dir, "docker-compose.yml")}},
		Environment: variables,
	})
	if err != nil {
		t.Fatal(err)
	}
	if warnings.Len() > 0 {
		t.Errorf("warnings:\n%s", warnings.String())
	}
	return project
}

func setVariables(service types.ServiceConfig) map[string]string {
	values := map[string]string{}
	for name, value := range service.Environment {
		if value != nil {
			values[name] = *value
		}
	}
	return values
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(path)))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// In deploy/.env.example, every variable is commented out.
func example(t *testing.T) map[string]string {
	t.Helper()
	values := map[string]string{}
	for line := range strings.Lines(read(t, "deploy/.env.example")) {
		name, value, found := strings.Cut(strings.TrimSpace(strings.TrimPrefix(line, "#")), "=")
		switch {
		case strings.TrimSpace(line) == "", strings.HasPrefix(line, "# "):
		case !found || !strings.HasPrefix(line, "#") || strings.ContainsAny(name, " \t"):
			t.Errorf(".env.example: neither a comment nor a variable that is commented out: %q", line)
		default:
			values[name] = value
		}
	}
	return values
}
