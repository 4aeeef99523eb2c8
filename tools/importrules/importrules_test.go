package importrules

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	module = "github.com/oppflow/oppflow"
	root   = "../.." // the checkout, relative to this package
)

// rooms are the folders of the modules that the tests write; each folder imports other folders of
// the list. The tests write two modules. In one module, each room imports the earlier rooms of the
// list. In the other module, each room imports the later rooms. Each module has imports in one
// direction only, and therefore no import cycle. The last four entries of rooms are two folders
// that are not in the import table, and the two nested modules.
var rooms = []string{
	"opportunity", "opportunity/part",
	"exchange", "exchange/part",
	"entity", "entity/part",
	"playbook", "playbook/part",
	"administrate/http1", "administrate/oauth", "administrate/transport", "administrate", "administrate/schemacheck",
	"lifecycle", "lifecycle/part",
	"activities", "activities/part",
	"activities/tms", "activities/tms/part", "activities/tms/scan",
	"workflows", "workflows/part",
	"sandbox", "sandbox/part",
	"settings", "settings/part",
	"telemetry", "telemetry/part",
	"payload", "payload/part",
	"worker", "worker/host",
	"stack", "stack/part",
	"starter", "starter/part",
	"e2e", "bench",
	"newcomer", "newcomer/opportunity", // newcomer/opportunity is not the room opportunity
	"devserver", "tools",
}

// table maps each room to the packages of Oppflow that the room's non-test code may import. A
// folder below a room belongs to the room, unless table has an entry for the folder.
var table = map[string][]string{
	"opportunity":              {},
	"exchange":                 {"opportunity"},
	"entity":                   {"opportunity", "exchange"},
	"playbook":                 {"opportunity", "exchange"},
	"administrate/http1":       {},
	"administrate/oauth":       {"administrate/http1"},
	"administrate/transport":   {"administrate/http1", "administrate/oauth"},
	"administrate":             {"administrate/http1", "administrate/oauth", "administrate/transport"},
	"administrate/schemacheck": {"administrate/http1", "administrate/oauth", "administrate/transport", "administrate"},
	"lifecycle":                {"opportunity"},
	"activities":               {"opportunity", "exchange"},
	"activities/tms":           {"activities", "opportunity", "exchange", "playbook", "administrate"},
	"activities/tms/scan":      {"activities", "administrate", "lifecycle"},
	"workflows":                {"opportunity", "exchange", "entity", "lifecycle", "activities"},
	"sandbox":                  {},
	"settings":                 {},
	"telemetry":                {"settings"},
	"payload":                  {"settings"},
	"worker":                   everythingBut("entity", "sandbox", "stack", "starter"),
	"stack":                    {"settings", "sandbox", "worker/host"},
	"starter":                  everythingBut("entity"),
	"e2e":                      everythingBut("entity"),
	"bench":                    everythingBut("entity"),
	"newcomer":                 {},
	"devserver":                {},
	"tools":                    {},
}

func everythingBut(refused ...string) []string {
	var allowed []string
	for _, r := range rooms {
		if !isNestedModule(r) && !slices.ContainsFunc(refused, func(n string) bool { return isWithin(r, n) }) {
			allowed = append(allowed, r)
		}
	}
	return allowed
}

func isNestedModule(dir string) bool { return dir == "devserver" || dir == "tools" }

func isWithin(dir, room string) bool { return dir == room || strings.HasPrefix(dir, room+"/") }

func roomOf(dir string) string {
	for d := dir; d != "."; d = path.Dir(d) {
		if _, ok := table[d]; ok {
			return d
		}
	}
	return dir
}

func mayImport(from, to string) bool {
	room := roomOf(from)
	for _, allowed := range table[room] {
		switch {
		case to == allowed:
			return true
		case allowed == "activities", allowed == "entity": // the directories below these rooms are not included in the rooms
		case isWithin(to, allowed) && roomOf(to) == roomOf(allowed):
			return true
		}
	}
	if room == "activities" {
		return to == room
	}
	return roomOf(to) == room && room != "newcomer"
}

// thirdPartyRules maps each room to packages from outside Oppflow: the packages that the linter
// must reject, and packages that the linter must allow. The allowed packages detect a rule that
// rejects too much.
var thirdPartyRules = map[string]struct{ refused, free []string }{
	"opportunity": {
		refused: []string{
			"crypto/rand", "database/sql", "go.temporal.io/sdk/temporal", "go.temporal.io/sdk/workflow", "log",
			"math/rand", "math/rand/v2", "net", "net/http", "net/http/httptest", "os", "os/exec", "syscall",
		},
		free: []string{
			"context", "crypto/sha256", "encoding/json", "log/slog", "math", "net/mail", "net/url", "strings", "time",
			"github.com/shopspring/decimal",
		},
	},
	"playbook": {
		refused: []string{"database/sql", "go.temporal.io/sdk/workflow", "net", "net/http", "os", "os/signal"},
		free:    []string{"bytes", "embed", "io", "io/fs", "time", "go.yaml.in/yaml/v4"},
	},
	"activities": {
		refused: []string{"database/sql", "go.temporal.io/sdk/client", "math/rand/v2", "net", "net/http", "os"},
		free:    []string{"go.temporal.io/sdk/temporal", "go.temporal.io/sdk/workflow", "time"},
	},
	"activities/tms": {
		free: []string{"go.temporal.io/sdk/activity", "math/rand/v2", "net/http", "os"},
	},
	"workflows": {
		refused: []string{
			"crypto/rand", "database/sql", "github.com/google/uuid", "github.com/hasura/go-graphql-client",
			"go.temporal.io/sdk/activity", "go.temporal.io/sdk/client", "go.yaml.in/yaml/v4", "golang.org/x/time/rate",
			"log", "log/slog", "maps", "math/rand", "math/rand/v2", "net", "net/http", "net/url", "os", "os/exec",
			"runtime", "runtime/debug", "sync", "sync/atomic", "syscall", "unsafe",
		},
		free: []string{
			"encoding/json", "errors", "fmt", "math", "slices", "sort", "strings", "time",
			"go.temporal.io/sdk/converter", "go.temporal.io/sdk/log", "go.temporal.io/sdk/temporal",
			"go.temporal.io/sdk/worker", "go.temporal.io/sdk/workflow", "github.com/shopspring/decimal",
		},
	},
	"administrate": {
		refused: []string{"go.temporal.io/sdk/temporal"},
		free:    []string{"github.com/hasura/go-graphql-client", "golang.org/x/time/rate", "net/http", "os", "time"},
	},
	"sandbox": {
		refused: []string{"github.com/hasura/go-graphql-client", "go.temporal.io/sdk/client"},
		free:    []string{"database/sql", "github.com/vektah/gqlparser/v2/ast", "net/http", "os"},
	},
	"starter": {
		free: []string{"go.temporal.io/sdk/client", "net/http", "os", "os/exec"},
	},
}

// refusedEverywhere lists packages that the linter rejects in every room, even in tests.
var refusedEverywhere = []string{"io/ioutil", "github.com/stretchr/testify/assert", "github.com/stretchr/testify/require"}

// fixture is a module on disk, with the imports that the linter should reject in the module.
type fixture struct {
	dir     string
	refused map[string]bool // "file: import"
	allowed map[string]bool
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{".golangci.yml", "go.mod", "go.sum"} {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return &fixture{dir: dir, refused: map[string]bool{}, allowed: map[string]bool{}}
}

func (f *fixture) add(t *testing.T, room, imported string, test, allowed bool) {
	t.Helper()
	name, clause := strings.NewReplacer("/", "_", ".", "_").Replace(imported)+"_import", path.Base(room)
	if test {
		name, clause = name+"_test", clause+"_test"
	}
	file := path.Join(room, name+".go")
	full := filepath.Join(f.dir, filepath.FromSlash(file))
	if err := os.MkdirAll(filepath.Dir(full), 0o750); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("package %s\n\nimport _ %q\n", clause, imported)
	if err := os.WriteFile(full, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	key := file + ": " + imported
	if allowed {
		f.allowed[key] = true
	} else {
		f.refused[key] = true
	}
}

var refusal = regexp.MustCompile(`^import '([^']+)' is not allowed from list '`)

func (f *fixture) check(t *testing.T) {
	t.Helper()
	for _, r := range rooms { // every room must exist, even if it imports nothing here
		full := filepath.Join(f.dir, filepath.FromSlash(r))
		if err := os.MkdirAll(full, 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(full, "doc.go"), []byte("package "+path.Base(r)+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), linter(t), "run", "--enable-only=depguard", "--show-stats=false",
		"--output.text.path=stderr", "--output.json.path=stdout", "./...")
	cmd.Dir = f.dir
	cmd.Env = append(os.Environ(), "GOLANGCI_LINT_CACHE="+t.TempDir(), "GOWORK=off")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 1) {
		t.Fatalf("golangci-lint: %v\n%s", err, stderr.Bytes())
	}
	var report struct {
		Issues []struct {
			FromLinter, Text string
			Pos              struct{ Filename string }
		}
	}
	if err := json.Unmarshal(stdout.Bytes(), &report); err != nil {
		t.Fatalf("the output of golangci-lint is not JSON: %v\n%s%s", err, stdout.Bytes(), stderr.Bytes())
	}
	reported := map[string]bool{}
	for _, issue := range report.Issues {
		match := refusal.FindStringSubmatch(issue.Text)
		if issue.FromLinter != "depguard" || match == nil {
			t.Fatalf("golangci-lint could not check the fixture: %s: %s: %s", issue.Pos.Filename, issue.FromLinter, issue.Text)
		}
		reported[filepath.ToSlash(issue.Pos.Filename)+": "+match[1]] = true
	}
	for _, key := range sorted(f.refused) {
		if !reported[key] {
			t.Errorf("the rules let a forbidden import through: %s", key)
		}
	}
	for _, key := range sorted(reported) {
		if !f.refused[key] {
			t.Errorf("the rules refuse an allowed import: %s", key)
		}
	}
	if len(f.refused) == 0 || len(f.allowed) == 0 {
		t.Errorf("the fixture has %d forbidden and %d allowed imports; the test needs both kinds", len(f.refused), len(f.allowed))
	}
	t.Logf("the linter rejected %d forbidden imports and accepted %d allowed imports", len(f.refused), len(f.allowed))
}

func sorted(set map[string]bool) []string {
	var keys []string
	for k := range set {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func linter(t *testing.T) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "tool", "-n", "golangci-lint").Output()
	if err != nil {
		t.Fatalf("go tool -n golangci-lint: %v", err)
	}
	return strings.TrimSpace(string(out))
}

// All other tests name the import rules on the linter's command line, so these tests pass even if
// the configuration does not enable the import rules.
func TestRulesAreSwitchedOn(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), linter(t), "linters", "--json")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("golangci-lint linters: %v", err)
	}
	var linters struct{ Enabled []struct{ Name string } }
	if err := json.Unmarshal(out, &linters); err != nil {
		t.Fatal(err)
	}
	for _, l := range linters.Enabled {
		if l.Name == "depguard" {
			return
		}
	}
	t.Fatal("the configuration does not enable depguard, so no import rule is ever applied")
}

func TestImportTable(t *testing.T) {
	for name, downwards := range map[string]bool{"later rooms import earlier ones": true, "earlier rooms import later ones": false} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			for i, from := range rooms {
				for j, to := range rooms {
					if i == j {
						continue
					}
					if (i > j) == downwards {
						f.add(t, from, module+"/"+to, false, mayImport(from, to))
					}
					// table does not apply to tests, and imports in tests form no import cycle.
					f.add(t, from, module+"/"+to, true, !isNestedModule(to) || isNestedModule(from))
				}
			}
			f.check(t)
		})
	}
}

func TestImportsOfOthers(t *testing.T) {
	f := newFixture(t)
	for room, imports := range thirdPartyRules {
		for _, p := range imports.refused {
			f.add(t, room, p, false, false)
			f.add(t, room+"/deeper", p, false, false)
			f.add(t, room, p, true, !slices.Contains(refusedEverywhere, p))
		}
		for _, p := range imports.free {
			f.add(t, room, p, false, true)
		}
	}
	for _, room := range rooms {
		for _, p := range refusedEverywhere {
			f.add(t, room, p, true, false)
		}
	}
	f.check(t)
}

// TestNoFileEscapesTheRules searches the project for files that switch off the import rules or that
// the import rules cannot check.
func TestNoFileEscapesTheRules(t *testing.T) {
	silenced := regexp.MustCompile(`^//\s*nolint(:\s*all|:.*\bdepguard\b|\s|$)`)
	seen := 0
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if base := entry.Name(); base != ".." && (strings.HasPrefix(base, ".") && base != "." || base == "testdata" || base == "vendor") {
				return filepath.SkipDir
			}
			return nil
		}
		if filepath.Ext(name) != ".go" {
			return nil
		}
		seen++
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, name, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.ImportSpec); ok && strings.HasPrefix(spec.Path.Value, "`") {
				t.Errorf("%s: the import rules do not see an import in backquotes; use double quotes", files.Position(spec.Pos()))
			}
			return true
		})
		for _, group := range file.Comments {
			for _, comment := range group.List {
				if silenced.MatchString(comment.Text) {
					t.Errorf("%s: the comment %q switches the import rules off; name the linter that the comment is for", files.Position(comment.Pos()), comment.Text)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen < 10 {
		t.Fatalf("only %d Go files found below %s", seen, root)
	}
}

// TestContributingHasTheTable compares the table of rooms in CONTRIBUTING.md with the variable
// table, against which the import rules are tested.
func TestContributingHasTheTable(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join(root, "CONTRIBUTING.md"))
	if err != nil {
		t.Fatal(err)
	}
	inPage := map[string][]string{}
	quoted := regexp.MustCompile("`([a-z/0-9]+?)/?`")
	names := func(text string) []string {
		var list []string
		for _, m := range quoted.FindAllStringSubmatch(text, -1) {
			list = append(list, m[1])
		}
		return list
	}
	for _, row := range regexp.MustCompile("(?m)^\\| (`[^|]*/`) \\|[^|]*\\| ([^|]+) \\|$").FindAllStringSubmatch(string(page), -1) {
		allowed := names(row[2])
		if refused, all := strings.CutPrefix(row[2], "all but "); all {
			allowed = everythingBut(names(refused)...)
		}
		inPage[names(row[1])[0]] = allowed
	}
	delete(inPage, "deploy") // deploy has no code outside its tests
	for room, allowed := range table {
		if room == "newcomer" {
			continue
		}
		want, got := slices.Sorted(slices.Values(allowed)), slices.Sorted(slices.Values(inPage[room]))
		if _, has := inPage[room]; !has || !slices.Equal(want, got) {
			t.Errorf("CONTRIBUTING.md allows %s to import %v, but the import rules allow %v", room, got, want)
		}
		delete(inPage, room)
	}
	for room := range inPage {
		t.Errorf("CONTRIBUTING.md has a row for %s, but the import rules have no entry for this directory", room)
	}
}
