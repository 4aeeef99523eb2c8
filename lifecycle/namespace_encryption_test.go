package lifecycle_test

import (
	"fmt"
	"slices"
	"testing"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"

	"github.com/oppflow/oppflow/lifecycle"
)

// The namespace keeps the ids of the keys that encrypted its payloads, the present key last.
func TestNamespaceEncryption(t *testing.T) {
	t.Parallel()
	var state lifecycle.NamespaceState
	for _, step := range []struct {
		primary string
		changed bool
		keys    []string
	}{
		{"", false, nil},
		{"1", true, []string{"1"}},
		{"1", false, []string{"1"}},
		{"2", true, []string{"1", "2"}},
		{"1", true, []string{"2", "1"}},
	} {
		if changed := state.Encrypt(lifecycle.NamespaceEncryption{Primary: step.primary}); changed != step.changed {
			t.Errorf("key %q: changed %v; want %v", step.primary, changed, step.changed)
		}
		if step.keys == nil {
			if state.Encryption != nil {
				t.Errorf("without a key the namespace is encrypted: %+v", state.Encryption)
			}
			continue
		}
		if state.Encryption.Primary != step.keys[len(step.keys)-1] || !slices.Equal(state.Encryption.Keys, step.keys) {
			t.Errorf("after key %q: %+v; want %v", step.primary, state.Encryption, step.keys)
		}
	}
	for n := range 30 {
		state.Encrypt(lifecycle.NamespaceEncryption{Primary: fmt.Sprint("k", n)})
	}
	if keys := state.Encryption.Keys; len(keys) != 20 || keys[19] != "k29" || keys[0] != "k10" {
		t.Errorf("the namespace keeps %v", keys)
	}
}

func TestEncryptionInMemo(t *testing.T) {
	t.Parallel()
	memo := func(value any) *commonpb.Memo {
		p, err := converter.GetDefaultDataConverter().ToPayload(value)
		if err != nil {
			t.Fatal(err)
		}
		return &commonpb.Memo{Fields: map[string]*commonpb.Payload{lifecycle.MemoEncryption: p}}
	}
	if e := lifecycle.EncryptionInMemo(memo(lifecycle.NamespaceEncryption{Primary: "7", Keys: []string{"7"}})); e == nil || e.Primary != "7" {
		t.Errorf("read %+v", e)
	}
	for name, m := range map[string]*commonpb.Memo{"none": nil, "empty": {}, "another": memo(true), "no key": memo(lifecycle.NamespaceEncryption{})} {
		if e := lifecycle.EncryptionInMemo(m); e != nil {
			t.Errorf("%s: read %+v", name, e)
		}
	}
}
