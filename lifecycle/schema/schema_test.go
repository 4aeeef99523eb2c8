package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// otherFiles are the files in docs/schemas that another package writes and checks.
var otherFiles = []string{"playbook.json"}

func TestFilesAreUpToDate(t *testing.T) {
	want, err := schemas(checkout)
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string][]byte)
	paths, err := filepath.Glob(filepath.Join(directory, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		got[filepath.Base(path)] = content
	}
	for name := range want {
		if diff := cmp.Diff(string(want[name]), string(got[name])); diff != "" {
			t.Errorf("%s as it would be written (-) and as it is (+); run go generate ./...:\n%s", name, diff)
		}
	}
	source, err := readSource(checkout)
	if err != nil {
		t.Fatal(err)
	}
	types, err := typeScript(source)
	if err != nil {
		t.Fatal(err)
	}
	written, err := os.ReadFile(typeScriptFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(types), string(written)); diff != "" {
		t.Errorf("%s as it would be written (-) and as it is (+); run go generate ./...:\n%s", typeScriptFile, diff)
	}
	for name := range got {
		if want[name] == nil && !slices.Contains(otherFiles, name) {
			t.Errorf("%s is no schema of the contract", name)
		}
	}
}

// checker checks JSON with the files in docs/schemas, as a caller would.
type checker map[string]*jsonschema.Schema

func newChecker(t *testing.T) checker {
	t.Helper()
	c := make(checker)
	for _, d := range documents() {
		compiler := jsonschema.NewCompiler()
		schema, err := compiler.Compile(filepath.Join(directory, d.name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		c[d.name] = schema
	}
	return c
}

// refuses returns why the schema rejects the payload, or nil when the schema accepts the payload.
func (c checker) refuses(name string, payload []byte) error {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(payload))
	if err != nil {
		return err
	}
	return c[name].Validate(value)
}

// The regular expressions contain only two kinds of escape: \x with two hexadecimal digits, and \.
// for a dot.
func TestPatternsArePortable(t *testing.T) {
	files, err := schemas(checkout)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	var walk func(name string, value any)
	walk = func(name string, value any) {
		switch value := value.(type) {
		case map[string]any:
			if pattern, ok := value["pattern"].(string); ok {
				found++
				for rest := pattern; ; {
					_, after, escaped := strings.Cut(rest, `\`)
					if !escaped {
						break
					}
					if after[0] != 'x' && after[0] != '.' {
						t.Errorf("%s: the pattern %s has the escape %q", name, pattern, after[:1])
					}
					rest = after[1:]
				}
				if !strings.HasPrefix(pattern, "^") || !strings.HasSuffix(pattern, "$") {
					t.Errorf("%s: the pattern %s matches within a text", name, pattern)
				}
			}
			for _, member := range value {
				walk(name, member)
			}
		case []any:
			for _, element := range value {
				walk(name, element)
			}
		}
	}
	for name, content := range files {
		var value any
		if err := json.Unmarshal(content, &value); err != nil {
			t.Fatal(err)
		}
		walk(name, value)
	}
	if found == 0 {
		t.Error("no patterns at all")
	}
}
