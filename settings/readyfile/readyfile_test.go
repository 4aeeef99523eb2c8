package readyfile_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oppflow/oppflow/settings/readyfile"
)

func TestReadyFileAppearsWholeAndAlone(t *testing.T) {
	t.Parallel() // the test waits
	dir := t.TempDir()
	path := filepath.Join(dir, "ready")
	if err := os.WriteFile(path, []byte(strings.Repeat("old", 1000)), 0o644); err != nil { //nolint:gosec // a file that every user may read
		t.Fatal(err)
	}
	want := readyfile.Report{
		Temporal: "127.0.0.1:7233", Namespace: "default", UI: "http://127.0.0.1:8233", URL: "http://x", Token: "t",
		TokenURL: "http://y", ClientID: "c", ClientSecret: "s", RefreshToken: "r",
	}
	if err := readyfile.Write(path, want); err != nil {
		t.Fatal(err)
	}
	if got, err := readyfile.Read(path); err != nil || got != want {
		t.Errorf("the ready file contains %+v: %v", got, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the mode is %v: %v", info.Mode(), err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("left over: %v", entries)
	}
	if err := readyfile.Write("", readyfile.Report{}); err != nil {
		t.Errorf("without a path: %v", err)
	}
	missing := filepath.Join(dir, "nowhere", "ready")
	if err := readyfile.Write(missing, readyfile.Report{}); err == nil || !strings.Contains(err.Error(), missing) {
		t.Errorf("a directory that does not exist: %v", err)
	}
	for range 2 {
		if err := readyfile.Remove(path); err != nil {
			t.Error(err)
		}
		if _, err := readyfile.Read(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("after the removal: %v", err)
		}
	}
}

// A program that offers no services, such as a worker, reports an empty object.
func TestEmptyReport(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ready")
	if err := readyfile.Write(path, readyfile.Report{}); err != nil {
		t.Fatal(err)
	}
	if content, err := os.ReadFile(path); err != nil || string(content) != "{}\n" {
		t.Errorf("%q, %v", content, err)
	}
}
