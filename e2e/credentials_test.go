package e2e_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/stack"
	"github.com/oppflow/oppflow/starter/story"
)

// A worker with an OAuth client instead of a token plays the story. Each token is valid for one
// second, and the story has the same outcome.
func TestStoryOnExpiringTokens(t *testing.T) {
	t.Parallel()
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("correct-horse-battery-staple\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	// The worker gets the address of the token endpoint before the sandbox starts, so the test
	// chooses the sandbox's port.
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	p := startParts(t, stack.Options{
		APIPort:     port,
		SandboxArgs: []string{"--client-id", "web-shop", "--client-secret-file", secret, "--token-life", "1s"},
		WorkerEnv: []string{
			"ADMINISTRATE_TOKEN=", "ADMINISTRATE_CLIENT_ID=web-shop", "ADMINISTRATE_CLIENT_SECRET_FILE=" + secret,
			fmt.Sprintf("ADMINISTRATE_TOKEN_URL=http://127.0.0.1:%d/oauth/token", port),
		},
	})
	for _, reference := range []opportunity.Reference{"expiring", "expired meanwhile"} {
		report := p.play(story.Options{Reference: reference, Send: story.ByUpdate})
		if len(report.View.Attention) > 0 {
			t.Errorf("%s: the view shows the attention %+v; want none", reference, report.View.Attention)
		}
	}
}
