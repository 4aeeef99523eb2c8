package stack

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func required(t *testing.T, path string) map[string]string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	versions := map[string]string{}
	for line := range strings.Lines(string(content)) {
		fields := strings.Fields(strings.TrimPrefix(line, "require "))
		if len(fields) >= 2 && strings.Contains(fields[0], ".") && strings.HasPrefix(fields[1], "v") {
			versions[fields[0]] = fields[1]
		}
	}
	return versions
}

// differingModules maps the beginning of a module path to the reason why Oppflow and devserver
// require different versions of the module.
var differingModules = map[string]string{
	"go.temporal.io/api":     "Temporal's server 1.32.1 lacks methods that the API has from 1.64.2 on",
	"go.temporal.io/sdk":     "1.51.0 takes that API",
	"go.opentelemetry.io/":   "Temporal's server 1.32.1 needs the log of 0.20, which 1.47 does not go with",
	"github.com/prometheus/": "the exporter for Prometheus that goes with that needs the older ones",
}

func mustDiffer(name string) bool {
	for begin := range differingModules {
		if strings.HasPrefix(name, begin) {
			return true
		}
	}
	return false
}

// The go command compiles a package once for the two modules only if both modules use the same
// version of the package and of all its imports.
func TestModulesShareVersions(t *testing.T) {
	root, err := findRoot("")
	if err != nil {
		t.Fatal(err)
	}
	ours, servers := required(t, filepath.Join(root, "go.mod")), required(t, filepath.Join(root, serverJob().dir, "go.mod"))
	shared := 0
	for name, version := range ours {
		switch other, ok := servers[name]; {
		case !ok:
		case other != version && !mustDiffer(name):
			t.Errorf("%s is %s here and %s in %s; take the newer one in both: go get %s@…", name, version, other, serverJob().dir, name)
		case other != version:
		default:
			shared++
		}
	}
	if shared < 20 {
		t.Errorf("only %d shared modules were found", shared)
	}
}

// The module of the Temporal server cannot import package readyfile, so the module contains a copy
// of the package's source.
func TestModulesShareReadyFile(t *testing.T) {
	root, err := findRoot("")
	if err != nil {
		t.Fatal(err)
	}
	ours, err := os.ReadFile(filepath.Join(root, "settings", "readyfile", "readyfile.go"))
	if err != nil {
		t.Fatal(err)
	}
	servers, err := os.ReadFile(filepath.Join(root, serverJob().dir, "readyfile", "readyfile.go"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(ours), string(servers)); diff != "" {
		t.Errorf("the ready files differ; copy settings/readyfile/readyfile.go to %s/readyfile:\n%s", serverJob().dir, diff)
	}
}
