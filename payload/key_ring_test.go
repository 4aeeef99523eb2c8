package payload_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"google.golang.org/protobuf/proto"

	"github.com/oppflow/oppflow/payload"
)

// A payload is decrypted with a former primary key while this key is in the file, is not decrypted
// while the key is missing, and is decrypted again when the key is back.
func TestRotation(t *testing.T) {
	t.Parallel()
	first := newKeys(t)
	file := newKeyFile(t, first)
	ring := file.open()
	codec := payload.NewCodec(ring)
	plain := jsonPayload(`{"quantity":3}`)
	before := encrypt(t, codec, plain)

	added, id, err := first.WithNewKey()
	if err != nil {
		t.Fatal(err)
	}
	if added.Primary() != first.Primary() || !slices.Contains(added.IDs(), id) {
		t.Fatalf("after WithNewKey the primary key is %v and the keys are %v", added.Primary(), added.IDs())
	}
	rotated, err := added.WithPrimary(id)
	if err != nil {
		t.Fatal(err)
	}
	read := func(keys *payload.KeySet) {
		t.Helper()
		file.set(keys)
		if err := ring.Read(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	read(rotated)
	after := encrypt(t, codec, plain)
	if got := string(after.GetMetadata()[payload.MetadataKeyID]); got != id.String() {
		t.Errorf("the key %s encrypted after the rotation; want %v", got, id)
	}
	if got, err := decrypt(codec, before); err != nil || !proto.Equal(got, plain) {
		t.Errorf("a payload of the former key: %v, %v", got, err)
	}
	without, err := rotated.Without(first.Primary())
	if err != nil {
		t.Fatal(err)
	}
	read(without)
	var refused *payload.DecryptError
	if _, err := decrypt(codec, before); !errors.As(err, &refused) || !refused.KeyMissing || refused.Key != first.Primary() {
		t.Errorf("without the former key: %v", err)
	}
	read(rotated)
	if got, err := decrypt(codec, before); err != nil || !proto.Equal(got, plain) {
		t.Errorf("with the former key again: %v, %v", got, err)
	}
}

// If another program adds a key to the file, the KeyRing reads this key when the first payload with
// the key arrives.
func TestUnknownKeyIsRead(t *testing.T) {
	t.Parallel()
	first := newKeys(t)
	file := newKeyFile(t, first)
	codec := payload.NewCodec(file.open())
	added, id, err := first.WithNewKey()
	if err != nil {
		t.Fatal(err)
	}
	if added, err = added.WithPrimary(id); err != nil {
		t.Fatal(err)
	}
	file.set(added)
	sent := encrypt(t, payload.NewCodec(file.open()), jsonPayload("{}"))
	if _, err := decrypt(codec, sent); err != nil {
		t.Errorf("the file has the key, but: %v", err)
	}
}

// Watch reads the keys repeatedly, reports a new primary key, and keeps the former keys if the file
// cannot be read.
func TestWatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		first, second := newKeys(t), newKeys(t)
		file := newKeyFile(t, first)
		ring := file.open()
		changed := make(chan payload.KeyID, 10)
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		go ring.Watch(ctx, func(keys *payload.KeySet) { changed <- keys.Primary() })
		if err := os.Remove(file.Path); err != nil {
			t.Fatal(err)
		}
		if err := ring.Read(ctx); err == nil {
			t.Error("a missing file is no error")
		}
		if got := ring.Keys().Primary(); got != first.Primary() {
			t.Errorf("after the file was removed the primary key is %v; want %v", got, first.Primary())
		}
		if err := file.Create(second); err != nil {
			t.Fatal(err)
		}
		if got := <-changed; got != second.Primary() { // in virtual time, Watch reads when all goroutines wait
			t.Errorf("the new primary key is %v; want %v", got, second.Primary())
		}
	})
}

func TestKeyFileErrors(t *testing.T) {
	t.Parallel()
	good, err := newKeys(t).JSON()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		content string
		mode    os.FileMode
		want    []string
	}{
		"others may read": {string(good), 0o644, []string{"mode 0644", "chmod 600"}},
		"group may read":  {string(good), 0o640, []string{"mode 0640", "chmod 600"}},
		"empty":           {"", 0o600, []string{"not a Tink key set", "oppflow keys create"}},
		"no JSON":         {"secret", 0o600, []string{"not a Tink key set"}},
		"another kind":    {strings.ReplaceAll(string(good), "AesGcmKey", "AesGcmSivKey"), 0o600, []string{"AES"}},
		"no key id":       {strings.ReplaceAll(string(good), `"TINK"`, `"RAW"`), 0o600, []string{"TINK"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.mode != 0o600 && runtime.GOOS == "windows" {
				t.Skip("Windows has no file modes")
			}
			path := filepath.Join(t.TempDir(), "keys.json")
			if err := os.WriteFile(path, []byte(c.content), c.mode); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, c.mode); err != nil {
				t.Fatal(err)
			}
			_, err := payload.FileSource{Path: path}.ReadKeys(t.Context())
			if err == nil {
				t.Fatal("no error")
			}
			for _, text := range append(c.want, path) {
				if !strings.Contains(err.Error(), text) {
					t.Errorf("%q does not contain %q", err, text)
				}
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("%q has several lines", err)
			}
		})
	}
	if _, err := (payload.FileSource{Path: filepath.Join(t.TempDir(), "none.json")}).ReadKeys(t.Context()); !errors.Is(err, os.ErrNotExist) || strings.Count(err.Error(), "none.json") != 1 {
		t.Errorf("a missing file: %v", err)
	}
}

func TestKeySetChanges(t *testing.T) {
	t.Parallel()
	keys := newKeys(t)
	if _, err := keys.Without(keys.Primary()); err == nil || !strings.Contains(err.Error(), "primary") {
		t.Errorf("the primary key can be removed: %v", err)
	}
	for _, change := range []func(payload.KeyID) (*payload.KeySet, error){keys.Without, keys.WithPrimary} {
		if _, err := change(keys.Primary() + 1); err == nil || !strings.Contains(err.Error(), keys.Primary().String()) {
			t.Errorf("an unknown key: %v", err)
		}
	}
	file := newKeyFile(t, keys)
	if err := file.Create(keys); !errors.Is(err, os.ErrExist) {
		t.Errorf("Create replaces a file: %v", err)
	}
	info, err := os.Stat(file.Path)
	if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("the key file has the mode %v, %v", info.Mode(), err)
	}
}
