package cli_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/payload"
)

type keyList struct {
	File    string
	Primary payload.KeyID
	Keys    []payload.KeyID
}

func keysOf(t *testing.T, args ...string) keyList {
	t.Helper()
	got := oppflow(t, nil, append(append([]string{"keys"}, args...), "--output", "json")...)
	got.wantDone(t)
	var keys keyList
	if err := json.Unmarshal([]byte(got.stdout), &keys); err != nil {
		t.Fatalf("%v in %s", err, got.stdout)
	}
	return keys
}

// An operator creates a key file, rotates its keys and removes the former key. The output contains
// no key.
func TestKeysAreRotated(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.json")
	created := keysOf(t, "create", path)
	if len(created.Keys) != 1 || created.Primary != created.Keys[0] || created.File != path {
		t.Fatalf("created %+v", created)
	}
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("the key file is %v, %v", info, err)
	}
	oppflow(t, nil, "keys", "create", path).wantUsageError(t, 2, path+" exists", "oppflow keys add")
	first := created.Primary.String()

	added := keysOf(t, "add", path)
	if len(added.Keys) != 2 || added.Primary != created.Primary {
		t.Fatalf("added %+v", added)
	}
	second := added.Keys[1].String()
	oppflow(t, nil, "keys", "remove", path, first).wantUsageError(t, 1, path, "primary key")
	if promoted := keysOf(t, "promote", path, second); promoted.Primary.String() != second || len(promoted.Keys) != 2 {
		t.Errorf("promoted %+v", promoted)
	}
	oppflow(t, nil, "keys", "list", path).wantDone(t, first+"  decrypts\n", second+"  encrypts and decrypts (primary)\n")
	if removed := keysOf(t, "remove", path, first); len(removed.Keys) != 1 || removed.Primary.String() != second {
		t.Errorf("removed %+v", removed)
	}
	oppflow(t, nil, "keys", "remove", path, first).wantUsageError(t, 1, "there is no key "+first, second)
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("after the changes the key file is %v, %v", info, err)
	}
}

// With keys, Temporal receives only encrypted messages.
func TestMessagesAreEncrypted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.json")
	keysOf(t, "create", path)
	for name, how := range map[string]struct{ env, args []string }{
		"flag":     {nil, []string{"--encryption-keys", path}},
		"variable": {[]string{"OPPFLOW_ENCRYPTION_KEYS=" + path}, nil},
		"no keys":  {nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			service := &frontend{response: opportunity.Outcome{RequestID: "o-1", State: opportunity.Done}}
			got := oppflow(t, append(service.serve(t), how.env...), append([]string{"pause", "lead-1", "--reason", "Ada called", "--request-id", "o-1"}, how.args...)...)
			got.wantDone(t, "lead-1")
			if sent := service.only(t); strings.Contains(sent.Payload, "Ada") != (name == "no keys") {
				t.Errorf("Temporal received %q", sent)
			}
		})
	}
}
