package e2e_test

import (
	"fmt"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/oppflow/oppflow/settings/testrun"
)

// TestExamples runs the examples of the package lifecycle. The tests of the package lifecycle do
// not run the examples, because the examples need all the parts.
func TestExamples(t *testing.T) {
	t.Parallel()
	const folder = "../lifecycle"
	// All flags are given, so that GOFLAGS does not decide which examples run and how the results
	// are reported.
	run := exec.Command("go", "test", "-count=1", "-run=^Example", "-skip=", "-list=", "-v", "-json=false", "-timeout=15m",
		fmt.Sprintf("-race=%t", testrun.Race), folder)
	run.Env = append(os.Environ(), testrun.Variable+"=")
	out, err := run.CombinedOutput()
	if err != nil {
		t.Errorf("%v:\n%s", err, out)
	}
	var passed []string
	for _, found := range regexp.MustCompile(`(?m)^--- PASS: (Example\w*) `).FindAllSubmatch(out, -1) {
		passed = append(passed, string(found[1]))
	}
	written := examplesIn(t, folder)
	if len(written) == 0 {
		t.Fatal("package lifecycle has no examples")
	}
	slices.Sort(passed)
	if diff := cmp.Diff(written, passed); diff != "" {
		t.Errorf("examples that are written (-), and that passed (+):\n%s\n%s", diff, out)
	}
}

// An example without an output comment is compiled and never run.
func examplesIn(t *testing.T, folder string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, path := range paths {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	var names []string
	for _, example := range doc.Examples(files...) {
		if example.Output == "" {
			t.Errorf("Example%s has no Output comment, so go test never runs the example", example.Name)
		}
		names = append(names, "Example"+example.Name)
	}
	slices.Sort(names)
	return names
}
