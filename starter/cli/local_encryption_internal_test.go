package cli

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/oppflow/oppflow/payload"
)

func openTestEncryption(t *testing.T, data string, encrypt bool) *localEncryption {
	t.Helper()
	e, err := openLocalEncryption(t.Context(), data, encrypt, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// After a run with --encrypt, later runs with the same data directory encrypt with the same keys.
func TestLocalEncryptionKeepsItsKeys(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	if e := openTestEncryption(t, data, false); e.keyFile != "" || e.url != "" || e.describe() != "" {
		t.Errorf("encrypts without --encrypt: %+v", e)
	}
	first := openTestEncryption(t, data, true)
	if info, err := os.Stat(data); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o700 {
		t.Errorf("the data directory is %v, %v", info, err)
	}
	for _, encrypt := range []bool{false, true} {
		again := openTestEncryption(t, data, encrypt)
		if again.keyFile != first.keyFile || again.ring.Keys().Primary() != first.ring.Keys().Primary() {
			t.Errorf("with --encrypt=%v the keys are %s %v; want %s %v", encrypt, again.keyFile, again.ring.Keys().Primary(), first.keyFile, first.ring.Keys().Primary())
		}
	}
}

// Without a data directory, the key file is removed when the stack stops.
func TestLocalEncryptionInMemory(t *testing.T) {
	t.Parallel()
	e, err := openLocalEncryption(t.Context(), "", true, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (payload.FileSource{Path: e.keyFile}).ReadKeys(t.Context()); err != nil {
		t.Error(err)
	}
	if err := e.close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(e.keyFile); !os.IsNotExist(err) {
		t.Errorf("the key file %s still exists: %v", e.keyFile, err)
	}
}
