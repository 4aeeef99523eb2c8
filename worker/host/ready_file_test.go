package host

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReadyFileAppearsWholeAndAlone(t *testing.T) {
	t.Parallel() // the test waits
	dir := t.TempDir()
	path := filepath.Join(dir, "ready")
	if err := os.WriteFile(path, []byte(strings.Repeat("old", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := WriteReady(path, map[string]string{"url": "http://x"}); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]string
	if err := json.Unmarshal(content, &got); err != nil || got["url"] != "http://x" {
		t.Errorf("ready file %q: %v", content, err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("left over: %v", entries)
	}
	if err := WriteReady("", nil); err != nil {
		t.Errorf("without a path: %v", err)
	}
	missing := filepath.Join(dir, "nowhere", "ready")
	if err := WriteReady(missing, nil); err == nil || !strings.Contains(err.Error(), missing) {
		t.Errorf("a directory that is not there: %v", err)
	}
}
