package sandbox_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// writeCatalogue writes the default catalogue to a file and returns the path. Each given list
// replaces the list of the default catalogue that has the same name.
func writeCatalogue(t *testing.T, lists ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("catalogue", "default.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	catalogue := string(text)
	for _, list := range lists {
		name, _, _ := strings.Cut(list, ":")
		start := strings.Index(catalogue, "\n"+name+":")
		if start < 0 {
			t.Fatalf("the default catalogue has no %s", name)
		}
		rest := catalogue[start+1:]
		end := strings.Index(rest, "\n\n")
		if end < 0 {
			end = len(rest)
		}
		catalogue = catalogue[:start+1] + list + rest[end:]
	}
	path := filepath.Join(t.TempDir(), "catalogue.yaml")
	if err := os.WriteFile(path, []byte(catalogue), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
