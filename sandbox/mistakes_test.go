package sandbox_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The comparison with the model finds each of the mistakes that can be built into the sandbox; without one, the same
// program finds none.
func TestTheModelFindsMistakes(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds the sandbox with mistakes in it")
	}
	var mistakes []string
	sources, err := filepath.Glob("store/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, source := range sources {
		text, err := os.ReadFile(source)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range regexp.MustCompile(`broken\("([^"]+)"\)`).FindAllStringSubmatch(string(text), -1) {
			mistakes = append(mistakes, found[1])
		}
	}
	if len(mistakes) != 10 {
		t.Errorf("%d mistakes can be built in: %q", len(mistakes), mistakes)
	}
	program := filepath.Join(t.TempDir(), "broken.test")
	if out, err := exec.CommandContext(t.Context(), "go", "test", "-c", "-tags", "sandboxbroken", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, mistake := range append([]string{""}, mistakes...) {
		checks := "-rapid.checks=500"
		if mistake == "" {
			checks = "-rapid.checks=100" // as many as by default
		}
		t.Run(mistake, func(t *testing.T) {
			t.Parallel()
			command := exec.CommandContext(t.Context(), program, "-test.run", "^TestTheSandboxIsAsTheModel$", checks, "-rapid.shrinktime=1ms", "-rapid.nofailfile")
			command.Env = append(os.Environ(), "SANDBOX_BROKEN="+mistake)
			out, err := command.CombinedOutput()
			if found := err != nil && strings.Contains(string(out), "FAIL"); found != (mistake != "") {
				t.Errorf("with the mistake %q: %v\n%s", mistake, err, out)
			}
		})
	}
}
