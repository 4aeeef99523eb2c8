package payload_test

import (
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"net"
	"net/http/httptest"
	"os"
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

// keyFile is a key file whose content the test can replace.
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

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

func listenLocal(t *testing.T) net.Listener {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return listener
}

// writeCertificate writes the certificate of the test server and the key of the certificate to two
// files.
func writeCertificate(t *testing.T, server *httptest.Server) (certFile, keyFile string) {
	t.Helper()
	certificate := server.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(certificate.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, kind string, content []byte) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return write("cert.pem", "CERTIFICATE", certificate.Certificate[0]), write("key.pem", "PRIVATE KEY", key)
}
