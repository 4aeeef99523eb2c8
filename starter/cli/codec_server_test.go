package cli_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/oppflow/oppflow/payload"
)

// For a caller with the token, the codec server decrypts with the keys of the key file. After an
// interrupt, the codec server ends without an error.
func TestCodecServerDecrypts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	keyFile, tokenFile, readyFile := filepath.Join(dir, "keys.json"), filepath.Join(dir, "token"), filepath.Join(dir, "ready.json")
	keysOf(t, "create", keyFile)
	if err := os.WriteFile(tokenFile, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	ended := make(chan result, 1)
	go func() {
		ended <- run(ctx, []string{"TEMPORAL_NAMESPACE=sales"}, "codec-server", "--encryption-keys", keyFile, "--listen", "127.0.0.1:0", "--token-file", tokenFile, "--ready-file", readyFile)
	}()
	url := readyURL(ctx, t, readyFile)
	ring, err := payload.OpenKeyRing(ctx, payload.FileSource{Path: keyFile}, nil)
	if err != nil {
		t.Fatal(err)
	}
	sent, err := payload.NewCodec(ring).Encode([]*commonpb.Payload{{Data: []byte("Ada")}})
	if err != nil {
		t.Fatal(err)
	}
	body, err := protojson.Marshal(&commonpb.Payloads{Payloads: sent})
	if err != nil {
		t.Fatal(err)
	}
	decode := func(token string) (int, string) {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/decode", strings.NewReader(string(body)))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Namespace", "sales")
		r.Header.Set("Authorization", "Bearer "+token)
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		text, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, string(text)
	}
	code, text := decode("secret")
	var received commonpb.Payloads
	if err := protojson.Unmarshal([]byte(text), &received); err != nil || code != http.StatusOK || string(received.GetPayloads()[0].GetData()) != "Ada" {
		t.Errorf("decoded %d %s, %v", code, text, err)
	}
	if code, text := decode("guess"); code != http.StatusUnauthorized {
		t.Errorf("with another token: %d %s", code, text)
	}
	stop()
	got := <-ended
	if got.code != 0 || !strings.Contains(got.stdout, "The codec server:  "+url) || strings.Contains(got.stdout+got.stderr, "secret") {
		t.Errorf("ended with %+v", got)
	}
}

// readyURL waits for the ready file and returns the URL in it.
func readyURL(ctx context.Context, t *testing.T, path string) string {
	t.Helper()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for {
		if content, err := os.ReadFile(path); err == nil {
			var report struct{ URL string }
			if err := json.Unmarshal(content, &report); err != nil {
				t.Fatal(err)
			}
			return report.URL
		}
		select {
		case <-ctx.Done():
			t.Fatalf("no ready file: %v", ctx.Err())
		case <-ticker.C:
		}
	}
}
