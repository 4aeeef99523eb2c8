package payload_test

import (
	"path/filepath"
	"testing"

	commonpb "go.temporal.io/api/common/v1"

	"github.com/oppflow/oppflow/payload"
)

func newKeys(t testing.TB) *payload.KeySet {
	t.Helper()
	keys, err := payload.GenerateKeySet()
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// keyFile is a key file whose content a test replaces.
type keyFile struct {
	payload.FileSource
	t testing.TB
}

func newKeyFile(t testing.TB, keys *payload.KeySet) keyFile {
	t.Helper()
	f := keyFile{payload.FileSource{Path: filepath.Join(t.TempDir(), "keys.json")}, t}
	if err := f.Create(keys); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f keyFile) set(keys *payload.KeySet) {
	f.t.Helper()
	if err := f.Replace(keys); err != nil {
		f.t.Fatal(err)
	}
}

func (f keyFile) open() *payload.KeyRing {
	f.t.Helper()
	ring, err := payload.OpenKeyRing(f.t.Context(), f.FileSource, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	return ring
}

func newCodec(t testing.TB) *payload.Codec {
	t.Helper()
	return payload.NewCodec(newKeyFile(t, newKeys(t)).open())
}

func jsonPayload(text string) *commonpb.Payload {
	return &commonpb.Payload{Metadata: map[string][]byte{"encoding": []byte("json/plain")}, Data: []byte(text)}
}

func encrypt(t testing.TB, c *payload.Codec, p *commonpb.Payload) *commonpb.Payload {
	t.Helper()
	sent, err := c.Encode([]*commonpb.Payload{p})
	if err != nil {
		t.Fatal(err)
	}
	return sent[0]
}

func decrypt(c *payload.Codec, p *commonpb.Payload) (*commonpb.Payload, error) {
	plain, err := c.Decode([]*commonpb.Payload{p})
	if err != nil {
		return nil, err
	}
	return plain[0], nil
}
